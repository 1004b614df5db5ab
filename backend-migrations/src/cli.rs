//! The command line: what was typed and set becomes calls of the library, and what came of them an exit code.
//!
//! `backend-migrations` and `cargo xtask` are the same commands under two names.

pub mod completions;
mod dotenv;
mod error;
mod exit;
pub mod help;
mod lint;
mod make;
mod output;
mod provision;
mod question;
mod recover;
mod restamp;
mod rollback;
mod rollout;
mod seal_password;
mod settings;
pub mod signals;
mod tenants;
mod throwaway;

use std::{
    io::Write as _,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};

pub use self::exit::ExitStatus;
/// For their fuzz target.
#[doc(hidden)]
pub use self::{dotenv::check as check_dotenv, settings::parse_duration};
use self::{error::CliError, settings::Settings};
use crate::{fault::panic_text, mysql::raise_file_limit, schema::ServerVersion};

/// Where the commands are called from.
#[derive(Clone, Debug)]
pub struct Face {
    /// What people type before the command, such as `cargo xtask`.
    pub name: &'static str,
    /// The folder with `central/` and `tenant/` where nothing else is said.
    pub migrations_dir: std::path::PathBuf,
    /// What starts a server for scratch databases, where there is such a program.
    pub server_program: Option<ServerProgram>,
}

/// The program that runs a server of this flavour and, where it can be had, of this version: it writes the URL of an account
/// with all rights in one line to standard output, and ends the server when its standard input ends.
pub type ServerProgram = fn(ServerVersion) -> std::process::Command;

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write a new pair of migration files.
    #[command(name = "migrate:make", after_help = make::EXAMPLES)]
    MigrateMake(make::Args),
    /// Say what is wrong with migrations, without a server.
    #[command(name = "migrate:lint", after_help = lint::EXAMPLES)]
    MigrateLint(lint::Args),
    /// Give new migrations newer versions than the base branch has.
    #[command(name = "migrate:restamp", after_help = restamp::EXAMPLES)]
    MigrateRestamp(restamp::Args),
    /// Bring one tenant up to date.
    #[command(name = "migrate:tenant", after_help = rollout::TENANT_EXAMPLES)]
    MigrateTenant(rollout::TenantArgs),
    /// Bring every active tenant up to date.
    #[command(name = "migrate:all-tenants", after_help = rollout::ALL_TENANTS_EXAMPLES)]
    MigrateAllTenants(rollout::AllTenantsArgs),
    /// Bring the central database up to date.
    #[command(name = "migrate:latest", after_help = rollout::LATEST_EXAMPLES)]
    MigrateLatest(rollout::LatestArgs),
    /// Undo migrations of the central database, of one tenant or of all.
    #[command(name = "migrate:rollback", after_help = rollback::EXAMPLES)]
    MigrateRollback(rollback::Args),
    /// Show where every tenant stands, changing nothing.
    #[command(name = "migrate:status", after_help = rollout::STATUS_EXAMPLES)]
    MigrateStatus(rollout::StatusArgs),
    /// Say what a half-done migration has left, and settle it.
    #[command(name = "migrate:recover", after_help = recover::EXAMPLES)]
    MigrateRecover(recover::Args),
    /// Make a tenant: row, database, account, all migrations.
    #[command(name = "tenant:provision", after_help = provision::EXAMPLES)]
    TenantProvision(provision::Args),
    /// Encrypt a tenant's database password for the central database.
    #[command(name = "tenant:seal-password", after_help = seal_password::EXAMPLES)]
    TenantSealPassword(seal_password::Args),
    /// Print a script that completes commands and options in a shell.
    #[command(name = "completions", after_help = completions::EXAMPLES)]
    Completions(completions::Args),
}

impl Command {
    /// Whether it tells findings, which have a form for pull requests.
    fn has_findings(&self) -> bool {
        matches!(self, Self::MigrateLint(_))
    }
}

/// What holds for every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::doc_markdown, reason = "these are help texts, and `[env: NAME]` is how clap has it")]
pub struct GlobalArgs {
    /// Form of the output.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Folder that holds `central/` and `tenant/` [env: MIGRATIONS_DIR].
    #[arg(long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub migrations: Option<std::path::PathBuf>,
    /// Time to connect and log in, such as 500ms, 10s or 1h30m [env: CONNECT_TIMEOUT] [default: 10s].
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_duration, hide_short_help = true)]
    pub connect_timeout: Option<std::time::Duration>,
    /// Times to try again where a server refuses, is full or is starting (0: never) [env: CONNECT_RETRIES] [default: 3].
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub connect_retries: Option<u32>,
    /// Time to wait for another run to let go of a database [env: LOCK_TIMEOUT] [default: 10s].
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_duration, hide_short_help = true)]
    pub lock_timeout: Option<std::time::Duration>,
    /// Time a statement may wait for a table or row [env: LOCK_WAIT] [default: 5s].
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_duration, hide_short_help = true)]
    pub lock_wait: Option<std::time::Duration>,
    /// Times to try a statement again that waited in vain or was in a deadlock (0: never) [env: LOCK_WAIT_RETRIES] [default: 3].
    #[arg(long, global = true, value_name = "N", hide_short_help = true)]
    pub lock_wait_retries: Option<u32>,
    /// Time a statement may take before it is killed [env: STATEMENT_TIMEOUT] [default: 1h].
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_duration, hide_short_help = true)]
    pub statement_timeout: Option<std::time::Duration>,
    /// Without a terminal: time between two lines of what is at work [env: PROGRESS_INTERVAL] [default: 30s].
    #[arg(long, global = true, value_name = "DURATION", value_parser = settings::parse_duration, hide_short_help = true)]
    pub progress_interval: Option<std::time::Duration>,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines for people, with live progress on a terminal.
    Human,
    /// One JSON object a line.
    Json,
    /// Annotations of a pull request, for GitHub's runners; of `migrate:lint` and `migrate:verify` alone.
    Github,
}

/// Runs a command and gives the process's exit code. What went wrong is told on standard error.
pub fn run(command: Command, global: GlobalArgs, face: Face) -> ExitCode {
    let format = global.format;
    if let Command::Completions(args) = &command {
        // Before the settings: a shell that starts in a folder with a faulty `.env` wants its script all the same.
        return completions::run(args, &face).unwrap_or_else(|error| error.tell(format)).into();
    }
    if format == Format::Github && !command.has_findings() {
        let error = CliError::usage(
            "only `migrate:lint` and `migrate:verify` have `--format github`",
            "take `--format human` or `--format json`",
        );
        return error.tell(format).into();
    }
    panic::set_hook(Box::new(tell_panic));
    let work = || Settings::resolve(global, face).and_then(|settings| dispatch(command, &settings));
    let result = panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|panic| Err(CliError::fault(&panic_text(panic.as_ref()))));
    match result {
        Ok(status) => status.into(),
        Err(error) => error.tell(format).into(),
    }
}

/// One line on standard error in place of the standard library's: where it was, and not without end what it says.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(|| "somewhere".to_owned(), ToString::to_string);
    writeln!(std::io::stderr(), "fault: {}, at {place}", panic_text(panic.payload())).ok();
}

/// Tells that a task could not be done, and gives the exit code for it.
pub fn fail(message: &str) -> ExitCode {
    CliError::failed("task", message, None).tell(Format::Human).into()
}

/// Tells that a task was refused before it did anything, and gives the exit code for it. `code` is a stable word for
/// programs, `hint` what to do next.
pub fn refuse(code: &'static str, message: &str, hint: Option<String>, format: Format) -> ExitCode {
    CliError::refused(code, message, hint).tell(format).into()
}

fn dispatch(command: Command, settings: &Settings) -> Result<ExitStatus, CliError> {
    if let Command::MigrateMake(args) = &command {
        return make::run(args, settings);
    }
    if let Command::MigrateLint(args) = &command {
        return lint::run(args, settings);
    }
    if let Command::MigrateRestamp(args) = &command {
        return restamp::run(args, settings);
    }
    if let Command::TenantSealPassword(args) = &command {
        return seal_password::run(args, settings);
    }
    raise_file_limit();
    // One thread: the work is waiting, and the server is on the other end of the wait.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::internal(&error))?;
    let status = runtime.block_on(async {
        match command {
            Command::MigrateTenant(args) => rollout::tenant(args, settings).await,
            Command::MigrateAllTenants(args) => rollout::all_tenants(args, settings).await,
            Command::MigrateLatest(args) => rollout::latest(args, settings).await,
            Command::MigrateRollback(args) => rollback::run(args, settings).await,
            Command::MigrateStatus(args) => rollout::status(args, settings).await,
            Command::MigrateRecover(args) => recover::run(args, settings).await,
            Command::TenantProvision(args) => provision::run(args, settings).await,
            Command::MigrateMake(_)
            | Command::MigrateLint(_)
            | Command::MigrateRestamp(_)
            | Command::TenantSealPassword(_)
            | Command::Completions(_) => Ok(ExitStatus::Success),
        }
    });
    // A name look-up that hangs has a thread of its own, which nothing can stop.
    runtime.shutdown_background();
    status
}
