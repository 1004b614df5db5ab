//! Who is timed.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, ensure};

use super::{
    BenchArgs, Scenario,
    fleet::Fleet,
    peers::Peer,
    timing::{self, Timing},
};
use crate::{cargo, root, samples};

/// The tool's family.
pub(super) const OURS: &str = "ours";
pub(super) const FLOOR: &str = "floor";

/// One contender in one configuration.
pub(super) struct Arm {
    pub(super) name: String,
    /// Those of one family work on the same tenants.
    pub(super) family: &'static str,
    kind: Kind,
}

enum Kind {
    Floor { connections: usize },
    Ours { binary: PathBuf, per_server: Option<usize> },
    Peer(Peer),
}

/// The floor, the tool and the peers that are there.
pub(super) fn all(args: &BenchArgs, tool: &Path, peers: Vec<Peer>) -> Vec<Arm> {
    let floor = args.floor.iter().map(|&connections| Arm {
        name: format!("floor, {connections} at a time"),
        family: FLOOR,
        kind: Kind::Floor { connections },
    });
    let ours = args.per_server.iter().map(|&n| (format!("backend-migrations --per-server {n}"), Some(n)));
    let ours: Vec<_> = if args.per_server.is_empty() {
        vec![("backend-migrations".to_owned(), None)]
    } else {
        ours.collect()
    };
    let ours = ours.into_iter().map(|(name, per_server)| Arm {
        name,
        family: OURS,
        kind: Kind::Ours { binary: tool.to_owned(), per_server },
    });
    let peers = peers.into_iter().map(|peer| Arm {
        name: peer.name(),
        family: peer.family(),
        kind: Kind::Peer(peer),
    });
    floor.chain(ours).chain(peers).collect()
}

pub(super) fn first_of_each_family(arms: &[Arm]) -> Vec<&Arm> {
    let mut first: Vec<&Arm> = Vec::new();
    for arm in arms {
        if first.iter().all(|other| other.family != arm.family) {
            first.push(arm);
        }
    }
    first
}

pub(super) fn families(arms: &[Arm]) -> Vec<&'static str> {
    first_of_each_family(arms).into_iter().map(|arm| arm.family).collect()
}

impl Arm {
    /// Runs it once over all tenants of `fleet`.
    pub(super) fn time(&self, scenario: Scenario, fleet: &Fleet) -> anyhow::Result<Timing> {
        let tenants = root().join("migrations/tenant");
        let mut command = match &self.kind {
            Kind::Floor { connections } => floor(scenario, *connections, fleet)?,
            Kind::Ours { binary, per_server } => {
                let mut command = Command::new(binary);
                command.arg("migrate:all-tenants");
                command.args(per_server.iter().flat_map(|n| ["--per-server".to_owned(), n.to_string()]));
                command
            }
            Kind::Peer(peer) => peer.command(&tenants, fleet)?,
        };
        // Away from any `.env`.
        command.current_dir(std::env::temp_dir());
        command.env("CENTRAL_DATABASE_URL", &fleet.central_url);
        command.env("DB_ENCRYPTION_KEY", samples::KEY);
        command.env("MIGRATIONS_DIR", root().join("migrations"));
        timing::time(&command).with_context(|| format!("{} failed", self.name))
    }

    pub(super) fn is_floor(&self) -> bool {
        self.family == FLOOR
    }

    pub(super) fn is_knex(&self) -> bool {
        matches!(self.kind, Kind::Peer(Peer::Knex { .. }))
    }
}

fn floor(scenario: Scenario, connections: usize, fleet: &Fleet) -> anyhow::Result<Command> {
    let scenario = match scenario {
        Scenario::Cold => "cold",
        Scenario::Noop => "noop",
        Scenario::One => "one",
        Scenario::TlsLogin => "tls-login",
        Scenario::Verify => "verify",
    };
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bench:part", "floor", scenario, "--connections", &connections.to_string()]);
    command.args(fleet.has_tls.then_some("--tls"));
    Ok(command)
}

/// Builds the release binary and says where it is.
pub(super) fn build_tool() -> anyhow::Result<PathBuf> {
    let status = cargo()
        .args(["build", "--quiet", "--release", "--package", "backend-migrations", "--features", "cli"])
        .status()
        .context("`cargo` cannot be run")?;
    ensure!(status.success(), "the tool cannot be built");
    // Beside this program, whatever CARGO_TARGET_DIR is; `cargo xtask bench` runs it with `--release`.
    let folder = std::env::current_exe()?;
    let folder = folder.parent().and_then(Path::parent).context("no target folder")?;
    Ok(folder.join("release").join("backend-migrations"))
}
