//! `bench`: how long the tool, its peers and the floor take over the same tenants, on one server, in one run.
//!
//! The floor is what any correct tool must ask of the server, done by the least program that can. Nothing here asserts a
//! time: what is printed is for people, and only the ratios within one table mean anything.

mod arm;
mod fleet;
mod floor;
mod login;
mod peers;
mod table;
mod timing;
mod verify;

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, ensure};
use backend_migrations::disk;
use clap::{Subcommand, ValueEnum};
use throwaway_server::ThrowawayServer;

use self::{arm::Arm, fleet::Fleet, timing::Timing};
use crate::{ServerArgs, root};

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    #[command(flatten)]
    server: ServerArgs,
    /// How many tenants each contender has.
    #[arg(long, value_name = "N", default_value_t = 100)]
    tenants: usize,
    /// How often each contender runs each scenario.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: usize,
    /// What to time.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Scenario::ALL)]
    scenarios: Vec<Scenario>,
    /// With how many connections the floor is tried.
    #[arg(long, value_name = "K,…", value_delimiter = ',', default_values_t = [1, 4, 8, 16])]
    floor: Vec<usize>,
    /// With how many connections to the server the tool is tried; as it comes where nothing is said.
    #[arg(long, value_name = "K,…", value_delimiter = ',')]
    per_server: Vec<usize>,
    /// A folder whose `node_modules` has knex and mysql2.
    #[arg(long, value_name = "DIR")]
    knex: Option<PathBuf>,
    /// Let npm install knex and mysql2 below `target/`.
    #[arg(long, conflicts_with = "knex")]
    install_peers: bool,
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Scenario {
    /// Empty databases: every migration is applied.
    Cold,
    /// Nothing is pending: the usual deploy.
    Noop,
    /// The newest migration is pending.
    One,
    /// A login over TLS.
    TlsLogin,
    /// `migrate:verify` against the plain loop, on an image of MySQL in Docker; alone, and only where it is asked for.
    Verify,
}

impl Scenario {
    const ALL: [Self; 4] = [Self::Cold, Self::Noop, Self::One, Self::TlsLogin];

    fn title(self) -> &'static str {
        match self {
            Self::Cold => "every migration pending (empty databases)",
            Self::Noop => "nothing pending",
            Self::One => "one migration pending",
            Self::TlsLogin => "a login over TLS",
            Self::Verify => "migrate:verify and the plain loop",
        }
    }
}

/// What has to be a process of its own, so that its processor time and memory can be told.
#[derive(Debug, Subcommand)]
pub(crate) enum Part {
    /// Run a command and print what it cost.
    Time(timing::Args),
    /// The floor.
    Floor(floor::Args),
    /// sqlx-cli for one tenant after another.
    Sqlx(peers::SqlxArgs),
}

/// Runs a part.
pub(crate) fn part(part: Part) -> anyhow::Result<ExitCode> {
    // One thread, as the tool itself has.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match part {
        Part::Time(args) => timing::run(&args),
        Part::Floor(args) => runtime.block_on(floor::run(args)),
        Part::Sqlx(args) => runtime.block_on(peers::run_sqlx(args)),
    }
}

pub(crate) async fn run(args: BenchArgs) -> anyhow::Result<ExitCode> {
    ensure!(args.tenants > 0 && args.rounds > 0, "there is nothing to time");
    if args.scenarios.contains(&Scenario::Verify) {
        ensure!(args.scenarios.len() == 1, "`verify` is measured alone: it has no tenants");
        println!("{}", verify::measure().await?);
        return Ok(ExitCode::SUCCESS);
    }
    let tool = arm::build_tool()?;
    let (peers, missing) = peers::find(args.knex.clone(), args.install_peers)?;
    let mut options = args.server.options();
    // Each contender's databases are its own; the caches must not be what is measured.
    options.server_arguments.extend(
        ["--max-connections=500", "--table-open-cache=20000", "--table-definition-cache=20000"]
            .map(Into::into),
    );
    eprintln!("Looking for a server ...");
    let server = throwaway_server::start(&options).await?;
    eprintln!("Server: {}", server.description());
    let arms = arm::all(&args, &tool, peers);
    let result = tokio::select! {
        result = measure(&args, &arms, &server) => result,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted")),
    };
    if !server.is_ours() {
        fleet::remove_all(server.root_url(), args.tenants, &arm::families(&arms)).await?;
    }
    if let Ok(tables) = &result {
        println!("{}\n", table::heading(&server, &args));
        println!("{tables}");
        for note in missing {
            println!("Not there: {note}\n");
        }
    }
    server.stop().await;
    result.map(|_| ExitCode::SUCCESS)
}

async fn measure(args: &BenchArgs, arms: &[Arm], server: &ThrowawayServer) -> anyhow::Result<String> {
    let set = disk::load(&root().join("migrations/tenant"))?;
    let central = disk::load(&root().join("migrations/central"))?;
    let has_tls = login::has_tls(server.root_url()).await;
    let mut fleets = BTreeMap::new();
    for family in arm::families(arms) {
        eprintln!("Making {} tenants for {family} ...", args.tenants);
        let fleet = Fleet::create(server.root_url(), family, args.tenants, &central, has_tls).await?;
        fleets.insert(family, fleet);
    }
    let mut tables = String::new();
    let mut scenarios = args.scenarios.clone();
    scenarios.sort_unstable();
    scenarios.dedup();
    if scenarios.iter().any(|scenario| *scenario != Scenario::TlsLogin)
        && !scenarios.contains(&Scenario::Cold)
    {
        for arm in arm::first_of_each_family(arms) {
            eprintln!("Bringing the tenants of {} up to date ...", arm.name);
            let fleet = fleets.get_mut(arm.family).context("no fleet")?;
            fleet.empty().await?;
            arm.time(Scenario::Cold, fleet)?;
        }
    }
    for scenario in scenarios {
        if scenario == Scenario::TlsLogin {
            let fleet = fleets.get(arm::OURS).context("no fleet")?;
            tables += &login::measure(fleet, args.rounds).await?;
            continue;
        }
        let mut timings: BTreeMap<&str, Vec<Timing>> = BTreeMap::new();
        // The first round warms the caches and is not counted; in the cold case there is nothing to warm.
        let n_warmups = usize::from(scenario != Scenario::Cold);
        for round in 0..args.rounds + n_warmups {
            let mut order: Vec<&Arm> = arms.iter().collect();
            fastrand::shuffle(&mut order);
            for arm in order {
                let fleet = fleets.get_mut(arm.family).context("no fleet")?;
                match scenario {
                    Scenario::Cold => fleet.empty().await?,
                    Scenario::One => fleet.step_back(&set).await?,
                    Scenario::Noop | Scenario::TlsLogin | Scenario::Verify => {}
                }
                let timing = arm.time(scenario, fleet)?;
                fleet.check(&set).await.with_context(|| format!("{} did not do its work", arm.name))?;
                eprintln!("{scenario:?} {round}: {} {:.3} s", arm.name, timing.wall_s);
                if round >= n_warmups {
                    timings.entry(arm.name.as_str()).or_default().push(timing);
                }
            }
        }
        tables += &table::of_runs(scenario, args.tenants, arms, &timings);
    }
    Ok(tables)
}
