//! `cargo xtask …`: the commands of backend-migrations, and the chores of this repository.

mod ci;
mod workbench;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use backend_migrations::cli::{self, Command, Face, GlobalArgs, ServerProgram, completions, help};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

/// Tenant database migrations, and the chores around them.
#[derive(Debug, Parser)]
#[command(name = "xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
    #[command(flatten)]
    global: GlobalArgs,
}

#[derive(Debug, Subcommand)]
enum Task {
    #[command(flatten)]
    Library(Command),
    /// Lint the migrations and prove them, as a pull request's checks do.
    #[command(name = "ci", after_help = ci::HELP)]
    Ci(ci::Args),
    /// Prove migrations on real servers of their own that are gone afterwards.
    #[command(name = "migrate:verify", disable_help_flag = true)]
    Verify(Verify),
    /// Watch the main job on a server of its own that is gone afterwards.
    #[command(name = "demo", after_help = workbench::DEMO_HELP)]
    Demo(workbench::Args),
    /// Start a server with sample tenants and write `.env` for it.
    #[command(name = "dev:up", after_help = workbench::DEV_UP_HELP)]
    DevUp(workbench::Args),
    /// Stop the server that `dev:up` started and remove it.
    #[command(name = "dev:down", after_help = workbench::DEV_DOWN_HELP)]
    DevDown(workbench::Args),
    /// Time the tool against its peers and the floor.
    #[command(name = "bench", after_help = workbench::BENCH_HELP)]
    Bench(workbench::Args),
}

/// What shells complete, and a wrong word is told from; the workbench reads the command line itself and has the help.
#[derive(Debug, clap::Args)]
struct Verify {
    #[command(flatten)]
    shared: ci::Args,
    /// Write the schema that the migrations give to `central.schema.sql` and `tenant.schema.sql`.
    #[arg(long)]
    update: bool,
    /// Print help.
    #[arg(short, long)]
    help: bool,
}

/// The tasks of this crate in the help text; the library's commands have groups of their own.
const TASKS: help::Group = help::Group {
    heading: "Work on this repository",
    commands: &["migrate:verify", "ci", "demo", "dev:up", "dev:down", "bench"],
};

fn main() -> ExitCode {
    completions::answer(Cli::command);
    let name = "cargo xtask";
    let cli = match command(name).try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => help::with_nearest(error).exit(),
    };
    match cli.task {
        Task::Library(command) => {
            let server_program = Some(workbench::throwaway_server as ServerProgram);
            let face = Face { name, migrations_dir: root().join("migrations"), server_program };
            cli::run(command, cli.global, face)
        }
        Task::Ci(args) => ci::run(&args, cli.global.format, cli.global.migrations.as_deref()),
        // The workbench reads the command line itself, the global options with it.
        Task::Verify(_) => workbench::run_as_typed("migrate:verify"),
        Task::Demo(args) => workbench::run("demo", &args),
        Task::DevUp(args) => workbench::run("dev:up", &args),
        Task::DevDown(args) => workbench::run("dev:down", &args),
        Task::Bench(args) => workbench::run("bench", &args),
    }
}

fn command(name: &str) -> clap::Command {
    let command = Cli::command().bin_name(name.to_owned());
    let command = command.mut_subcommand("completions", |it| it.after_help(completions::CARGO_EXAMPLES));
    help::grouped(command, &[TASKS])
}

/// The repository's root, from whichever folder of it this is called.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_task_is_in_exactly_one_group() {
        super::command("cargo xtask").debug_assert();
    }
}
