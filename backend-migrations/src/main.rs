//! The release binary: the same commands as `cargo xtask`.

use std::process::ExitCode;

use backend_migrations::cli::{self, Command, Face, GlobalArgs, completions, help};
use clap::{CommandFactory as _, FromArgMatches as _, Parser};

/// Changes one MySQL or MariaDB database per tenant, all of them, safely.
#[derive(Debug, Parser)]
#[command(name = "backend-migrations", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: GlobalArgs,
}

fn main() -> ExitCode {
    completions::answer(Cli::command);
    let command = help::grouped(Cli::command(), &[]);
    match command.try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli::run(
            cli.command,
            cli.global,
            Face {
                name: "backend-migrations",
                migrations_dir: "migrations".into(),
                // It takes Docker's client library or a server's packages: not here.
                server_program: None,
            },
        ),
        Err(error) => help::with_nearest(error).exit(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::{Cli, help};

    #[test]
    fn every_command_is_in_exactly_one_group() {
        help::grouped(Cli::command(), &[]).debug_assert();
    }
}
