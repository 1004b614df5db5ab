//! Hands work to other programs of this workspace, which are compiled only then.

use std::{
    ffi::OsString,
    os::unix::process::CommandExt as _,
    process::{Command, ExitCode},
};

use backend_migrations::schema::ServerVersion;

pub(crate) const DEMO_HELP: &str = "\
Examples:
  cargo xtask demo
  cargo xtask demo --flavour mariadb

It takes the first server it can get: THROWAWAY_SERVER_URL, Docker, a mysqld or mariadbd on this machine, or the packages
of one, unpacked below target/.";
pub(crate) const DEV_UP_HELP: &str = "\
Examples:
  cargo xtask dev:up
  cargo xtask migrate:status
  cargo xtask dev:down";
pub(crate) const DEV_DOWN_HELP: &str = "\
Example:
  cargo xtask dev:down";
pub(crate) const BENCH_HELP: &str = "\
Examples:
  cargo xtask bench                            100 tenants, 3 rounds
  cargo xtask bench --tenants 500 --rounds 5 --scenarios noop
  cargo xtask bench --install-peers            with Knex, which npm puts below target/
  cargo xtask bench --flavour mysql --scenarios tls-login
  cargo xtask bench --scenarios verify          migrate:verify against a plain loop, in Docker

What was found, and what to distrust: docs/benchmark.md.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// See `cargo xtask <task> --help`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    rest: Vec<OsString>,
}

/// Hands the command line over as it was typed: options before the task go behind it.
pub(crate) fn run_as_typed(task: &str) -> ExitCode {
    let mut typed = std::env::args_os().skip(1);
    let before: Vec<_> = typed.by_ref().take_while(|word| word != task).collect();
    run(task, &Args { rest: typed.chain(before).collect() })
}

/// Becomes the workbench, so that signals and the exit code are its own.
pub(crate) fn run(task: &str, args: &Args) -> ExitCode {
    let mut command = cargo_run("workbench");
    if task == "bench" {
        command.arg("--release");
    }
    let error = command.args(["--", task]).args(&args.rest).exec();
    backend_migrations::cli::fail(&format!("`cargo` cannot be run: {error}"))
}

/// Runs a server like this one for as long as its standard input is open.
pub(crate) fn throwaway_server(like: ServerVersion) -> Command {
    let (major, minor, _) = like.number;
    let mut command = cargo_run("throwaway-server");
    command.env("THROWAWAY_FLAVOUR", like.flavour.as_str().to_ascii_lowercase());
    command.env("THROWAWAY_VERSION", format!("{major}.{minor}"));
    command
}

fn cargo_run(package: &str) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let mut command = Command::new(cargo);
    // What cargo tells this program about itself is news to build scripts that look at it, such as ring's, and so a reason to
    // compile them and all above them anew, each time that the two take turns.
    for (name, _) in std::env::vars_os() {
        let is_told = |start: &&str| name.to_str().is_some_and(|name| name.starts_with(start));
        if ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"].iter().any(is_told) {
            command.env_remove(name);
        }
    }
    command.args(["run", "--quiet", "--manifest-path", manifest, "--package", package]);
    command
}
