//! `migrate:rollback`: looks, shows, asks, undoes.

use std::{
    io::{self, IsTerminal as _, Write as _},
    num::NonZeroUsize,
    time::{Duration, Instant},
};

use super::{
    completions,
    error::CliError,
    exit::ExitStatus,
    output,
    question::{self, Answer},
    rollout,
    settings::{MigrationKind, Settings},
    signals,
    tenants::{self, FleetArgs, Intent, Meant},
};
use crate::{
    event::{Event, MigrationPlanned, Scope},
    fleet::{Candidate, FleetOptions, Job, Stop},
    migration::{MigrationSet, Version},
    mysql::MySqlConnector,
    report::visible,
    rollback::{Depth, Rollback, RollbackError, RollingBack},
    secret::Key,
    summary::Summary,
    tenant::SharedLabel,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  migrate:rollback                             the central database's newest migration
  migrate:rollback --tenant acme-corp --steps 2
  migrate:rollback --all-tenants --to 20250127120000
  migrate:rollback --all-tenants --yes         do not ask
  migrate:rollback --all-tenants --dry-run     show the SQL, change nothing

Every database is looked at before the first is changed, and loses what was found there or nothing. `--steps` needs all \
tenants to stand at the same version. On a terminal the central database, all tenants and `--to 0` are asked for once; \
without a terminal nothing is asked.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Undo those of this tenant (slug or id) instead of the central database's.
    #[arg(long, value_name = "TENANT", conflicts_with = "all_tenants")]
    tenant: Option<String>,
    /// Undo those of every active tenant instead of the central database's.
    #[arg(long)]
    all_tenants: bool,
    /// Number of migrations to undo [default: 1].
    #[arg(long, value_name = "N", value_parser = tenants::at_least_one, allow_negative_numbers = true, conflicts_with = "to")]
    steps: Option<NonZeroUsize>,
    /// Undo every migration newer than this version (0: all).
    #[arg(long, value_name = "VERSION", value_parser = rollout::version, allow_negative_numbers = true, add = completions::versions())]
    to: Option<i64>,
    /// Show what would be done and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, conflicts_with = "dry_run")]
    yes: bool,
    #[command(flatten)]
    fleet: FleetArgs,
}

impl Args {
    fn scope(&self) -> Scope {
        match &self.tenant {
            Some(_) => Scope::Tenant,
            None if self.all_tenants => Scope::Fleet,
            None => Scope::Central,
        }
    }

    /// Whether so much is at stake that a person is asked, if there is one.
    fn is_asked(&self, settings: &Settings) -> bool {
        let is_grave = self.scope() != Scope::Tenant || self.to == Some(0);
        is_grave && !self.yes && !self.dry_run && question::has_person(settings)
    }
}

pub(super) async fn run(args: Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    let scope = args.scope();
    args.fleet.check_scope(args.all_tenants, scope != Scope::Central)?;
    let selection = match &args.tenant {
        Some(tenant) => Some(args.fleet.status.one(tenant.clone())),
        None if args.all_tenants => Some(args.fleet.selection()?),
        None => None,
    };
    let key = if scope == Scope::Central { None } else { Some(settings.key()?) };
    let central = settings.central()?;
    let kind = if scope == Scope::Central { MigrationKind::Central } else { MigrationKind::Tenant };
    let set = settings.migration_set(kind)?;
    let depth = match args.to {
        Some(version) => Depth::To(Version(version)),
        None => Depth::Steps(args.steps.unwrap_or(NonZeroUsize::MIN)),
    };
    if let Depth::To(version @ Version(1..)) = depth {
        rollout::check_target(&set, version, scope)?;
    }
    // Only the runs of other commands have a job.
    let options = match scope {
        Scope::Fleet => args.fleet.options(Job::Inspect, settings)?,
        Scope::Central | Scope::Tenant => tenants::single(Job::Inspect, scope, settings)?,
    };
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector =
        MySqlConnector::new(settings.limits, stop.hard.clone()).with_administrator(settings.named_admin()?);
    let undoing = Box::pin(async {
        let meant = match &selection {
            Some(selection) => tenants::meant(&connector, &central, selection, Intent::Change, &stop).await?,
            None => Meant::only(Candidate::Open(central.clone())),
        };
        let connector = connector.clone().with_doubtful(meant.doubtful);
        let options = FleetOptions { coverage: meant.coverage, ..options };
        let undoing =
            Undoing { args: &args, connector, key, set: &set, depth, options, stop: &stop, settings };
        undoing.run(meant.candidates).await
    });
    let summary = if scope == Scope::Fleet && !args.dry_run {
        rollout::under_fleet_lock(&connector, &central, settings, &stop, undoing).await?
    } else {
        undoing.await?
    };
    Ok(match scope {
        Scope::Central => rollout::status_of_central(&summary),
        Scope::Fleet | Scope::Tenant => summary.verdict().into(),
    })
}

/// What a rollback works with.
struct Undoing<'a> {
    args: &'a Args,
    connector: MySqlConnector,
    key: Option<Key>,
    set: &'a MigrationSet,
    depth: Depth,
    options: FleetOptions,
    stop: &'a Stop,
    settings: &'a Settings,
}

impl Undoing<'_> {
    async fn run(self, candidates: Vec<Candidate>) -> Result<Summary, CliError> {
        let Self { args, connector, key, set, depth, options, stop, settings } = self;
        let rolling_back = RollingBack { connector: &connector, key: key.as_ref(), set, stop };
        let mut looking = Looking::new(settings, stop, options.scope);
        let rollback =
            rolling_back.rehearse(&candidates, depth, &options, |event| looking.observe(event)).await?;
        looking.end().await;
        if rollback.databases().next().is_some() && args.is_asked(settings) {
            match question::ask(&words(&rollback, options.scope), &stop.soft).await {
                Answer::Yes => {}
                Answer::No => {
                    return Err(CliError::refused(
                        "not-confirmed",
                        "nothing was changed: it was not confirmed",
                        None,
                    ));
                }
                Answer::Interrupted => return Err(CliError::interrupted()),
            }
        }
        let go_on = (!args.dry_run).then(|| {
            go_on(
                settings.face.name,
                std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()),
                rollback.to,
            )
        });
        let options = FleetOptions { go_on, ..options };
        let reporter = output::Reporter::new(settings, stop);
        let on_event = |event: &Event| reporter.report(event);
        let mut summary = rolling_back.run(&rollback, candidates, &options, args.dry_run, on_event).await;
        reporter.finish(&mut summary).await;
        Ok(summary)
    }
}

/// What is asked: the databases, the migrations and what they name.
fn words(rollback: &Rollback, scope: Scope) -> String {
    const N_NAMES_MAX: usize = 10;
    let databases: Vec<&SharedLabel> = rollback.databases().collect();
    let names: Vec<_> = databases.iter().take(N_NAMES_MAX).map(|label| visible(&label.database)).collect();
    let names = names.join(", ");
    let head = match (scope, databases.len()) {
        (Scope::Central, _) => format!("This undoes in the central database {names}:"),
        (_, 1) => format!("This undoes in {names}:"),
        (_, n) if n > N_NAMES_MAX => {
            format!("This undoes in {n} databases ({names} and {} more):", n - N_NAMES_MAX)
        }
        (_, n) => format!("This undoes in {n} databases ({names}):"),
    };
    let line = |step: &MigrationPlanned| {
        let tables: Vec<_> = step.names().iter().map(|name| visible(name).into_owned()).collect();
        let file = step.migration.script(step.direction).map_or("", |script| script.file_name.as_str());
        match tables.as_slice() {
            [] => format!("  {}: no table is named", visible(file)),
            tables => format!("  {}: it names {}", visible(file), tables.join(", ")),
        }
    };
    let lines = rollback.migrations().into_iter().map(line);
    let all: Vec<_> = std::iter::once(head).chain(lines).chain(["Undo?".to_owned()]).collect();
    all.join("\n")
}

/// The command with which an interrupted rollback is gone on with: the same selection, and the version instead of a number of
/// steps.
fn go_on(face: &str, args: impl Iterator<Item = String>, to: Version) -> String {
    let mut words = vec![face.to_owned()];
    let mut args = args.peekable();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--steps" | "--to" => {
                args.next();
            }
            arg if arg.starts_with("--steps=") || arg.starts_with("--to=") => {}
            arg => words.push(shell_word(arg)),
        }
    }
    words.push(format!("--to {to}"));
    words.join(" ")
}

/// `word` as a shell reads it.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=:,./@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Tells on standard error how far the look at all tenants is: it may take minutes, and comes before anything else is told.
struct Looking {
    picture: Option<output::Reporter>,
    is_told: bool,
    n_looked_at: usize,
    n_tenants: usize,
    told: Instant,
}

impl Looking {
    /// Between two lines.
    const INTERVAL: Duration = Duration::from_secs(10);

    fn new(settings: &Settings, stop: &Stop, scope: Scope) -> Self {
        let has_picture = io::stderr().is_terminal() && scope == Scope::Fleet;
        let picture = has_picture.then(|| output::Reporter::progress_alone(settings, stop));
        let is_told = scope == Scope::Fleet && !has_picture;
        Self { picture, is_told, n_looked_at: 0, n_tenants: 0, told: Instant::now() }
    }

    /// Waits until the progress is off the screen.
    async fn end(self) {
        if let Some(picture) = &self.picture {
            picture.caught_up().wait().await;
        }
    }

    fn observe(&mut self, event: &Event) -> io::Result<()> {
        if let Some(picture) = &self.picture {
            picture.report(event)?;
        }
        match event {
            Event::RolloutStarted { n_tenants, .. } => {
                self.n_tenants = *n_tenants;
                self.tell(format_args!("Looking at {n_tenants} tenant(s) for what would be undone"));
            }
            Event::TenantFinished { .. } => {
                self.n_looked_at += 1;
                if self.told.elapsed() >= Self::INTERVAL {
                    self.told = Instant::now();
                    let (n, all) = (self.n_looked_at, self.n_tenants);
                    self.tell(format_args!("Looked at {n} of {all} tenants for what would be undone"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn tell(&self, line: std::fmt::Arguments<'_>) {
        if self.is_told {
            writeln!(io::stderr(), "{line}").ok();
        }
    }
}

impl From<RollbackError> for CliError {
    fn from(error: RollbackError) -> Self {
        let code = match error {
            RollbackError::NoDown { .. } => "no-down",
            RollbackError::Differ { .. } => "different-versions",
            RollbackError::Interrupted => return Self::interrupted(),
        };
        Self::refused(code, error.to_string(), error.hint())
    }
}

#[cfg(test)]
mod tests {
    use super::{Version, go_on};

    #[test]
    fn the_command_to_go_on_says_the_version_and_keeps_the_selection() {
        let check = |args: &[&str], expected: &str| {
            let args = args.iter().map(|arg| (*arg).to_owned());
            assert_eq!(go_on("cargo xtask", args, Version(20_250_101_000_000)), expected);
        };
        check(&["migrate:rollback"], "cargo xtask migrate:rollback --to 20250101000000");
        check(
            &["--migrations", "my files", "migrate:rollback", "--steps", "2", "--all-tenants", "--only=a,b"],
            "cargo xtask --migrations 'my files' migrate:rollback --all-tenants --only=a,b --to 20250101000000",
        );
        check(
            &["migrate:rollback", "--tenant", "o'hara", "--steps=3", "--yes"],
            r"cargo xtask migrate:rollback --tenant 'o'\''hara' --yes --to 20250101000000",
        );
        check(
            &["migrate:rollback", "--to", "5", "--all-tenants", "--status", "ACTIVE,SUSPENDED"],
            "cargo xtask migrate:rollback --all-tenants --status ACTIVE,SUSPENDED --to 20250101000000",
        );
    }
}
