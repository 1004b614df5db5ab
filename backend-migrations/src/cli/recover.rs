//! `migrate:recover`: what a half-done migration has left, and the ways on.

use std::{
    cell::Cell,
    io::{self, Write as _},
    num::NonZeroUsize,
};

use super::{
    completions,
    error::CliError,
    exit::ExitStatus,
    output::{self, CaughtUp},
    question::{self, Answer},
    rollout,
    settings::{MigrationKind, Settings},
    signals,
    tenants::{self, FleetArgs, Intent},
    throwaway::Throwaways,
};
use crate::{
    diagnosis::Way,
    event::Scope,
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    migration::Version,
    mysql::MySqlConnector,
    recover::{Consent, Question, Recover, RecoverOptions, ServerSource, StillRunning},
    report::visible,
    selection::{Coverage, Selection},
    summary::Verdict,
    tenant::Label,
};
use clap::{ArgGroup, Args as ClapArgs};

pub(super) const EXAMPLES: &str = "\
Examples:
  migrate:recover acme-corp                    what is in the database, with the evidence, and the ways on
  migrate:recover acme-corp --resume           run the rest, after a question
  migrate:recover acme-corp 20250127120000 --undo --yes
  migrate:recover --all-tenants --resume --yes
  migrate:recover --central
  migrate:recover acme-corp --resume --from 3  you have looked: statements 1 and 2 are there
  migrate:recover acme-corp --wait             wait for what is still running, then look
  migrate:recover acme-corp --kill             end it, after a question

Nothing is changed, and no connection ended, without a question; where nobody can be asked, not without `--yes`. It ends
with exit code 1 while anything is half done. How it knows what it says: docs/recover.md.";

fn statement_number(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "statements are counted from 1".to_owned())
}

#[derive(Clone, Debug, ClapArgs)]
#[command(group = ArgGroup::new("way").multiple(false))]
#[command(group = ArgGroup::new("deed").multiple(true))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Slug or id of the tenant; left out with `--all-tenants` and `--central`.
    #[arg(value_hint = clap::ValueHint::Other)]
    tenant: Option<String>,
    /// Only this migration.
    #[arg(value_parser = rollout::version, allow_negative_numbers = true, add = completions::versions())]
    version: Option<i64>,
    /// Look at every active tenant.
    #[arg(long, conflicts_with = "central")]
    all_tenants: bool,
    /// Look at the central database.
    #[arg(long, conflicts_with_all = ["only", "exclude"])]
    central: bool,
    /// Run the rest of the migration.
    #[arg(long, groups = ["way", "deed"])]
    resume: bool,
    /// Return to what was before it.
    #[arg(long, groups = ["way", "deed"])]
    undo: bool,
    /// Declare it applied; only the history changes.
    #[arg(long, groups = ["way", "deed"])]
    mark_applied: bool,
    /// Declare it not applied; only the history changes.
    #[arg(long, groups = ["way", "deed"])]
    mark_not_applied: bool,
    /// You have looked: the statements before this one are in the database, and no other.
    #[arg(long, value_name = "STATEMENT", value_parser = statement_number)]
    from: Option<NonZeroUsize>,
    /// Do it although something stands against it; what does is shown.
    #[arg(long, requires = "way")]
    force: bool,
    /// Do not ask.
    #[arg(long, requires = "deed", conflicts_with = "dry_run")]
    yes: bool,
    /// Show what would be done and change nothing: the default where nobody can be asked.
    #[arg(long)]
    dry_run: bool,
    /// Wait for a migration that is still running, for as long as a statement may take.
    #[arg(long, conflicts_with = "kill")]
    wait: bool,
    /// End the connection of a migration that is still running; a dry run only names it.
    #[arg(long, group = "deed")]
    kill: bool,
    /// Server to make scratch databases on; the environment hides a password better [env: `SCRATCH_URL`] [default: the
    /// tenant's; where no database may be made there, `cargo xtask` starts one for minutes].
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    scratch_url: Option<String>,
    #[command(flatten)]
    fleet: FleetArgs,
}

impl Args {
    fn way(&self) -> Option<Way> {
        let ways = [
            (self.resume, Way::Resume),
            (self.undo, Way::Undo),
            (self.mark_applied, Way::MarkApplied),
            (self.mark_not_applied, Way::MarkNotApplied),
        ];
        ways.into_iter().find_map(|(is_asked, way)| is_asked.then_some(way))
    }

    /// The tenant and the version: without a tenant, the version comes first.
    fn subject(&self) -> Result<(Option<&str>, Option<Version>), CliError> {
        let hint = "name one tenant by slug or id, or give `--all-tenants` or `--central`";
        self.fleet.check_scope(self.all_tenants, self.all_tenants)?;
        match (self.tenant.as_deref(), self.version) {
            (Some(text), None) if self.all_tenants || self.central => {
                let version = rollout::version(text).map_err(|_| {
                    let message = format!(
                        "{text:?} is no version, and a tenant does not go with `--all-tenants` or `--central`"
                    );
                    CliError::usage(message, hint)
                })?;
                Ok((None, Some(Version(version))))
            }
            (Some(_), Some(_)) if self.all_tenants || self.central => {
                Err(CliError::usage("a tenant does not go with `--all-tenants` or `--central`", hint))
            }
            (None, _) if !(self.all_tenants || self.central) => {
                Err(CliError::usage("whose migrations are to be recovered?", hint))
            }
            (tenant, version) => Ok((tenant, version.map(Version))),
        }
    }

    fn asking(&self, settings: &Settings, stop: &Stop, reporter: &output::Reporter) -> Asking {
        if self.yes {
            Asking::Yes
        } else if self.dry_run {
            Asking::DryRun
        } else if !question::has_person(settings) {
            Asking::Nobody(Cell::new(false))
        } else {
            Asking::Terminal(stop.clone(), reporter.caught_up())
        }
    }
}

pub(super) async fn run(args: Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    let (tenant, version) = args.subject()?;
    let scope = match tenant {
        Some(_) => Scope::Tenant,
        None if args.central => Scope::Central,
        None => Scope::Fleet,
    };
    let central = settings.central()?;
    let kind = if scope == Scope::Central { MigrationKind::Central } else { MigrationKind::Tenant };
    let set = settings.migration_set(kind)?;
    if let Some(version) = version.filter(|version| set.get(*version).is_none()) {
        let whose = match scope {
            Scope::Central => "--central",
            Scope::Tenant | Scope::Fleet => "--tenant TENANT",
        };
        return Err(CliError::refused(
            "version",
            format!("no file has version {version}"),
            Some(format!(
                "`migrate:status {whose}` lists the versions there are; a half-done one whose file is gone needs it back"
            )),
        ));
    }
    let key = if scope == Scope::Central { None } else { Some(settings.key()?) };
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let reporter = output::Reporter::without_progress(settings, &stop);
    let asking = args.asking(settings, &stop, &reporter);
    let options = RecoverOptions {
        version,
        way: args.way(),
        said: args.from.map(|from| from.get() - 1),
        is_forced: args.force,
        still_running: match (args.wait, args.kill) {
            (true, _) => StillRunning::Wait(settings.limits.statement),
            (_, true) => StillRunning::Kill,
            _ => StillRunning::Refuse,
        },
        scratch: settings.scratch(args.scratch_url.as_deref())?,
        admin: settings.named_admin()?,
    };
    // Only the tasks of other runs have a job.
    let fleet_options = match scope {
        Scope::Fleet => args.fleet.options(Job::Inspect, settings)?,
        Scope::Tenant | Scope::Central => tenants::single(Job::Inspect, scope, settings)?,
    };
    let fleet_options = match asking {
        // One question at a time.
        Asking::Terminal(..) => FleetOptions { concurrency: NonZeroUsize::MIN, ..fleet_options },
        Asking::DryRun | Asking::Nobody(_) | Asking::Yes => fleet_options,
    };
    let connector = MySqlConnector::new(settings.limits, stop.hard.clone());
    let selection = match tenant {
        Some(tenant) => Some(Selection::One { wanted: tenant.to_owned(), statuses: None }),
        None if scope == Scope::Central => None,
        None => Some(args.fleet.selection()?),
    };
    let (connector, candidates, coverage) = match selection {
        None => (connector, vec![Candidate::Open(central)], Coverage::default()),
        Some(selection) => {
            let meant = tenants::meant(&connector, &central, &selection, Intent::Change, &stop).await?;
            (connector.with_doubtful(meant.doubtful), meant.candidates, meant.coverage)
        }
    };
    let fleet_options = FleetOptions { coverage, ..fleet_options };
    let throwaways = settings.face.server_program.map(|program| Throwaways::new(program, &stop));
    let work = Recover {
        connector: &connector,
        set: &set,
        options: &options,
        consent: &asking,
        servers: throwaways.as_ref().map(|throwaways| throwaways as &dyn ServerSource),
        stop: &stop,
    };
    let mut summary = fleet::run_work(&work, key.as_ref(), candidates, &fleet_options, &stop, |event| {
        reporter.report(event)
    })
    .await;
    reporter.finish(&mut summary).await;
    if let Some(throwaways) = throwaways {
        throwaways.end().await;
    }
    let is_open = summary.n_unsettled > 0;
    if matches!(&asking, Asking::Nobody(was_asked) if was_asked.get()) {
        writeln!(io::stderr(), "hint: nobody can be asked here; `--yes` does it").ok();
    }
    match summary.verdict() {
        Verdict::Succeeded if is_open => Ok(ExitStatus::Failed),
        _ if scope == Scope::Central => Ok(rollout::status_of_central(&summary)),
        verdict => Ok(verdict.into()),
    }
}

/// Who says whether anything is changed.
enum Asking {
    /// Nobody: only what would be done is of interest.
    DryRun,
    /// Nobody, as nobody is there; with whether there was anything to be asked.
    Nobody(Cell<bool>),
    /// `--yes` has said it.
    Yes,
    /// The person at the terminal, once what it is about is on the screen, until told to stop.
    Terminal(Stop, CaughtUp),
}

impl Consent for Asking {
    fn is_dry_run(&self) -> bool {
        matches!(self, Self::DryRun | Self::Nobody(_))
    }

    async fn ask(&self, tenant: &Label, question: Question<'_>) -> bool {
        let (stop, told) = match self {
            Self::DryRun => return false,
            Self::Nobody(was_asked) => {
                was_asked.set(true);
                return false;
            }
            Self::Yes => return true,
            Self::Terminal(stop, told) => (stop, told),
        };
        let database = visible(&tenant.database);
        let question = match question {
            Question::Go(diagnosis, offer) => {
                format!("Go this way, --{}, with {} in {database}?", offer.way.as_str(), diagnosis.version)
            }
            Question::End(activity) => {
                format!("Still running in {database}: {}\nEnd it?", visible(&activity.to_string()))
            }
        };
        told.wait().await;
        question::ask(&question, &stop.soft).await == Answer::Yes
    }
}
