//! The tasks that need a server of their own. `cargo xtask demo` and its neighbours start this binary.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program that talks to a person")]

mod bench;
mod demo;
mod dev;
mod samples;
mod verify;

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

use clap::{Parser, ValueEnum};
use throwaway_server::{Flavour, Options};

/// The tasks that need a server of their own.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask")]
enum Task {
    /// Watch the main job on a server of its own that is gone afterwards.
    Demo(ServerArgs),
    /// Start a server with sample tenants and write `.env` for it.
    #[command(name = "dev:up")]
    DevUp(ServerArgs),
    /// Stop the server that `dev:up` started and remove it.
    #[command(name = "dev:down")]
    DevDown,
    /// Prove migrations on real servers: that they run, come back, keep rows, and can be stopped anywhere.
    #[command(name = "migrate:verify", after_help = verify::HELP)]
    Verify(verify::Args),
    /// Time the tool against its peers and the floor.
    Bench(bench::BenchArgs),
    /// A part of `bench` that is a process of its own.
    #[command(name = "bench:part", hide = true)]
    BenchPart {
        #[command(subcommand)]
        part: bench::Part,
    },
}

#[derive(Debug, clap::Args)]
struct ServerArgs {
    /// Which server to take.
    #[arg(long, value_enum, default_value_t = Choice::Any)]
    flavour: Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Choice {
    /// Whichever can be had first, MySQL before MariaDB.
    Any,
    /// MySQL.
    Mysql,
    /// MariaDB.
    Mariadb,
}

impl ServerArgs {
    fn options(&self) -> Options {
        let flavour = match self.flavour {
            Choice::Any => None,
            Choice::Mysql => Some(Flavour::MySql),
            Choice::Mariadb => Some(Flavour::MariaDb),
        };
        Options { flavour, ..Options::default() }
    }
}

fn main() -> ExitCode {
    let task = Task::parse();
    if let Task::BenchPart { part } = task {
        return exit_code(bench::part(part));
    }
    let result = tokio::runtime::Runtime::new().map_err(anyhow::Error::from).and_then(|runtime| {
        runtime.block_on(async {
            match task {
                Task::Demo(args) => demo::run(&args.options()).await,
                Task::DevUp(args) => dev::up(&args.options()).await,
                Task::DevDown => dev::down().await,
                Task::Verify(args) => verify::run(&args).await,
                Task::Bench(args) => bench::run(args).await,
                Task::BenchPart { part } => bench::part(part),
            }
        })
    });
    exit_code(result)
}

fn exit_code(result: anyhow::Result<ExitCode>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// `cargo`, without what it told this program about itself: that is news to build scripts that look at it, such as ring's,
/// and so a reason to compile them and all above them anew.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let is_told = |start: &&str| name.to_str().is_some_and(|name| name.starts_with(start));
        if ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"].iter().any(is_told) {
            command.env_remove(name);
        }
    }
    command.current_dir(root());
    command
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
