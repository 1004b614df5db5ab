//! `migrate:tenant`, `migrate:all-tenants`, `migrate:latest`, `migrate:rollback`, `migrate:status`: which databases, to
//! which goal.

use std::num::NonZeroUsize;

use clap::Args;
use tokio::select;

use super::{
    completions,
    error::CliError,
    exit::ExitStatus,
    output,
    settings::{MigrationKind, Settings},
    signals,
};
use crate::{
    event::{FailureCode, Scope},
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    migration::{Direction, MigrationSet, Version},
    mysql::{Central, CentralError, FleetLock, MySqlConnector, Selection},
    plan::{Goal, PlanOptions, Problem},
    secret::Key,
    summary::{Summary, Verdict},
    tenant::Target,
};

pub(super) const TENANT_EXAMPLES: &str = "\
Examples:
  migrate:tenant acme-corp                     by slug
  migrate:tenant cm5a1b2c3d4e5f6g7h8i9j0k      by id
  migrate:tenant acme-corp --dry-run           show the SQL, change nothing
  migrate:tenant acme-corp --to 20250127120000";

pub(super) const ALL_TENANTS_EXAMPLES: &str = "\
Examples:
  migrate:all-tenants
  migrate:all-tenants --dry-run                which tenants would get what
  migrate:all-tenants --only acme-corp,techstart
  migrate:all-tenants --exclude big-customer --failure-budget 5
  migrate:all-tenants --concurrency 64 --per-server 4";

pub(super) const LATEST_EXAMPLES: &str = "\
Examples:
  migrate:latest
  migrate:latest --dry-run";

pub(super) const ROLLBACK_EXAMPLES: &str = "\
Examples:
  migrate:rollback                             the central database's newest migration
  migrate:rollback --tenant acme-corp --steps 2
  migrate:rollback --all-tenants --to 20250127120000
  migrate:rollback --all-tenants --dry-run     show the SQL, change nothing";

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  migrate:status                               all active tenants in one view
  migrate:status --tenant acme-corp            every migration of one
  migrate:status --central                     the central database
  migrate:status --exit-code                   5 where anything is pending, dirty, modified or missing";

/// 8 a server: on two cores shared with the server more brought nothing (`docs/benchmark.md`), and it leaves most of a
/// server's connections to the application.
const PER_SERVER: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Four servers' worth.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "it must be a whole number of 1 or more".to_owned())
}

pub(super) fn version(text: &str) -> Result<i64, String> {
    let version = text.parse().ok().filter(|version| *version >= 0);
    version.ok_or_else(|| "a version is the number that a migration's file name begins with".to_owned())
}

#[derive(Clone, Debug, Args)]
pub(super) struct GoalArgs {
    /// Apply nothing newer than this version.
    #[arg(long, value_name = "VERSION", value_parser = version, allow_negative_numbers = true, add = completions::versions())]
    to: Option<i64>,
    /// Show what would be done and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Apply a pending migration even if a newer one is applied already.
    #[arg(long)]
    allow_out_of_order: bool,
}

impl GoalArgs {
    fn job(&self) -> Job {
        let goal = self.to.map_or(Goal::Latest, |version| Goal::UpTo(Version(version)));
        let options = PlanOptions { goal, allow_out_of_order: self.allow_out_of_order };
        if self.dry_run { Job::Plan(options) } else { Job::Apply(options) }
    }
}

#[derive(Clone, Debug, Args)]
pub(super) struct FleetArgs {
    /// Only these tenants: slugs or ids, separated by commas.
    #[arg(long, value_name = "TENANTS", value_delimiter = ',')]
    only: Option<Vec<String>>,
    /// All but these tenants: slugs or ids, separated by commas.
    #[arg(long, value_name = "TENANTS", value_delimiter = ',')]
    exclude: Option<Vec<String>>,
    /// Tenants worked on at once, over all servers.
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, default_value_t = CONCURRENCY)]
    concurrency: NonZeroUsize,
    /// Tenants worked on at once on each server.
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, default_value_t = PER_SERVER)]
    per_server: NonZeroUsize,
    /// Begin no more tenants once N have failed [default: no limit].
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    failure_budget: Option<NonZeroUsize>,
}

impl FleetArgs {
    /// A list that was given and names nobody (`--only "$TENANTS"` with an empty variable) must not mean "all".
    pub(super) fn selection(&self) -> Result<Selection, CliError> {
        let names = |flag: &str, list: &Option<Vec<String>>| -> Result<Vec<String>, CliError> {
            let names: Vec<_> = list.iter().flatten().map(|name| name.trim().to_owned()).collect();
            if list.is_some() && names.iter().all(String::is_empty) {
                return Err(CliError::usage(
                    format!("`{flag}` names no tenant"),
                    format!("leave `{flag}` out to mean every active tenant"),
                ));
            }
            Ok(names.into_iter().filter(|name| !name.is_empty()).collect())
        };
        Ok(Selection::Active {
            only: names("--only", &self.only)?,
            exclude: names("--exclude", &self.exclude)?,
        })
    }

    /// Refuses what selects among all tenants where these are not meant.
    pub(super) fn only_with_all_tenants(&self, all_tenants: bool) -> Result<(), CliError> {
        if all_tenants || (self.only.is_none() && self.exclude.is_none()) {
            return Ok(());
        }
        Err(CliError::usage(
            "`--only` and `--exclude` go with `--all-tenants`",
            "add `--all-tenants`, or name one tenant alone",
        ))
    }

    pub(super) fn options(&self, job: Job, settings: &Settings) -> Result<FleetOptions, CliError> {
        Ok(FleetOptions {
            job,
            scope: Scope::Fleet,
            concurrency: self.concurrency,
            per_server: self.per_server,
            failure_budget: self.failure_budget,
            tls: settings.tenant_tls()?,
        })
    }
}

/// For a run over one database.
pub(super) fn single(job: Job, scope: Scope, settings: &Settings) -> Result<FleetOptions, CliError> {
    Ok(FleetOptions {
        job,
        scope,
        concurrency: NonZeroUsize::MIN,
        per_server: NonZeroUsize::MIN,
        failure_budget: None,
        tls: settings.tenant_tls()?,
    })
}

#[derive(Clone, Debug, Args)]
pub struct TenantArgs {
    /// Slug or id of the tenant.
    #[arg(value_hint = clap::ValueHint::Other)]
    tenant: String,
    #[command(flatten)]
    goal: GoalArgs,
}

pub(super) async fn tenant(args: TenantArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    let options = single(args.goal.job(), Scope::Tenant, settings)?;
    over_tenants(Selection::One(args.tenant), options, settings).await.map(|summary| summary.verdict().into())
}

#[derive(Clone, Debug, Args)]
pub struct AllTenantsArgs {
    #[command(flatten)]
    fleet: FleetArgs,
    #[command(flatten)]
    goal: GoalArgs,
}

pub(super) async fn all_tenants(args: AllTenantsArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    let options = args.fleet.options(args.goal.job(), settings)?;
    over_tenants(args.fleet.selection()?, options, settings).await.map(|summary| summary.verdict().into())
}

#[derive(Clone, Debug, Args)]
pub struct LatestArgs {
    #[command(flatten)]
    goal: GoalArgs,
}

pub(super) async fn latest(args: LatestArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    over_central(args.goal.job(), settings).await.map(|summary| status_of_central(&summary))
}

#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    /// Undo those of this tenant (slug or id) instead of the central database's.
    #[arg(long, value_name = "TENANT", conflicts_with = "all_tenants")]
    tenant: Option<String>,
    /// Undo those of every active tenant instead of the central database's.
    #[arg(long)]
    all_tenants: bool,
    /// Number of migrations to undo [default: 1].
    #[arg(long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true, conflicts_with = "to")]
    steps: Option<NonZeroUsize>,
    /// Undo every migration newer than this version (0: all).
    #[arg(long, value_name = "VERSION", value_parser = version, allow_negative_numbers = true, add = completions::versions())]
    to: Option<i64>,
    /// Show what would be done and change nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn rollback(args: RollbackArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    let goal = match args.to {
        Some(version) => Goal::DownTo(Version(version)),
        None => Goal::Down { steps: args.steps.map_or(1, NonZeroUsize::get) },
    };
    let options = PlanOptions { goal, allow_out_of_order: true };
    let job = if args.dry_run { Job::Plan(options) } else { Job::Apply(options) };
    args.fleet.only_with_all_tenants(args.all_tenants)?;
    match args.tenant {
        Some(tenant) => {
            let options = single(job, Scope::Tenant, settings)?;
            over_tenants(Selection::One(tenant), options, settings)
                .await
                .map(|summary| summary.verdict().into())
        }
        None if args.all_tenants => {
            let options = args.fleet.options(job, settings)?;
            over_tenants(args.fleet.selection()?, options, settings)
                .await
                .map(|summary| summary.verdict().into())
        }
        None => over_central(job, settings).await.map(|summary| status_of_central(&summary)),
    }
}

#[derive(Clone, Debug, Args)]
pub struct StatusArgs {
    /// Show every migration of this tenant (slug or id).
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["central", "only", "exclude"])]
    tenant: Option<String>,
    /// Show every migration of the central database.
    #[arg(long, conflicts_with_all = ["only", "exclude"])]
    central: bool,
    /// End with exit code 5 where anything is pending, running, dirty, modified, missing or ahead.
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    fleet: FleetArgs,
}

pub(super) async fn status(args: StatusArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    let summary = match args.tenant {
        _ if args.central => {
            let summary = over_central(Job::Inspect, settings).await?;
            if status_of_central(&summary) == ExitStatus::Refused {
                return Ok(ExitStatus::Refused);
            }
            summary
        }
        Some(tenant) => {
            let options = single(Job::Inspect, Scope::Tenant, settings)?;
            over_tenants(Selection::One(tenant), options, settings).await?
        }
        None => {
            let options = args.fleet.options(Job::Inspect, settings)?;
            over_tenants(args.fleet.selection()?, options, settings).await?
        }
    };
    match summary.verdict() {
        Verdict::Succeeded if args.exit_code && summary.n_unsettled > 0 => Ok(ExitStatus::Unsettled),
        verdict => Ok(verdict.into()),
    }
}

/// Runs `options.job` over the tenants that are selected in the central database.
async fn over_tenants(
    selection: Selection,
    options: FleetOptions,
    settings: &Settings,
) -> Result<Summary, CliError> {
    let (key, central) = (settings.key()?, settings.central()?);
    let set = settings.migration_set(MigrationKind::Tenant)?;
    refuse_unknown_target(&set, options.job)?;
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector =
        MySqlConnector::new(settings.limits, stop.hard.clone()).with_administrator(settings.named_admin()?);
    let is_rollout = options.scope == Scope::Fleet && matches!(options.job, Job::Apply(_));
    let lock = if is_rollout { Some(lock_fleet(&connector, &central, settings, &stop).await?) } else { None };
    let candidates = candidates(&connector, &central, &selection, &stop).await?;
    let run = Run { connector: &connector, key: Some(&key), set: &set, options, stop: &stop, settings };
    let Some(lock) = lock else { return run.start(candidates).await };
    let watch = async {
        lock.lost().await;
        stop.lost.cancel();
        std::future::pending::<()>().await;
    };
    let summary = select! {
        biased;
        summary = run.start(candidates) => summary,
        () = watch => unreachable!("the run's end is the only one"),
    };
    lock.release().await;
    summary
}

/// Waits for other rollouts over the fleet, and keeps them out.
async fn lock_fleet(
    connector: &MySqlConnector,
    central: &Target,
    settings: &Settings,
    stop: &Stop,
) -> Result<FleetLock, CliError> {
    select! {
        lock = FleetLock::acquire(connector, central, settings.limits.lock) => Ok(lock?),
        () = stop.soft.cancelled() => Err(CliError::interrupted()),
    }
}

/// The tenants that are selected in the central database.
pub(super) async fn candidates(
    connector: &MySqlConnector,
    central: &Target,
    selection: &Selection,
    stop: &Stop,
) -> Result<Vec<Candidate>, CliError> {
    let read = async {
        let mut central = Central::connect(connector, central).await?;
        let targets = central.select(selection).await?;
        central.close().await;
        Ok::<_, CentralError>(targets)
    };
    let targets = select! {
        targets = read => targets?,
        () = stop.soft.cancelled() => return Err(CliError::interrupted()),
    };
    Ok(targets.into_iter().map(Candidate::Sealed).collect())
}

/// What a run over the central database came to: where there is no way into it, no tenant failed.
pub(super) fn status_of_central(summary: &Summary) -> ExitStatus {
    let is_unreached = summary.failed.iter().any(|(_, failure)| {
        matches!(failure.code, FailureCode::Connect | FailureCode::AccessDenied | FailureCode::NoDatabase)
    });
    if is_unreached { ExitStatus::Refused } else { summary.verdict().into() }
}

/// A target that no file has is nobody's: said before anybody is asked.
fn refuse_unknown_target(set: &MigrationSet, job: Job) -> Result<(), CliError> {
    let (Job::Apply(PlanOptions { goal, .. }) | Job::Plan(PlanOptions { goal, .. })) = job else {
        return Ok(());
    };
    let target = match goal {
        Goal::UpTo(target) => target,
        Goal::DownTo(target) if target.0 != 0 => target,
        _ => return Ok(()),
    };
    if set.get(target).is_some() {
        return Ok(());
    }
    let problem = Problem::UnknownTarget(target);
    Err(CliError::refused("version", problem.to_string(), Some(problem.hint())))
}

/// Runs `job` on the central database.
async fn over_central(job: Job, settings: &Settings) -> Result<Summary, CliError> {
    let target = settings.central()?;
    let set = settings.migration_set(MigrationKind::Central)?;
    refuse_unknown_target(&set, job)?;
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector =
        MySqlConnector::new(settings.limits, stop.hard.clone()).with_administrator(settings.named_admin()?);
    let options = single(job, Scope::Central, settings)?;
    let run = Run { connector: &connector, key: None, set: &set, options, stop: &stop, settings };
    run.start(vec![Candidate::Open(target)]).await
}

/// What a run works with.
struct Run<'a> {
    connector: &'a MySqlConnector,
    key: Option<&'a Key>,
    set: &'a MigrationSet,
    options: FleetOptions,
    stop: &'a Stop,
    settings: &'a Settings,
}

impl Run<'_> {
    async fn start(self, candidates: Vec<Candidate>) -> Result<Summary, CliError> {
        let Self { connector, key, set, options, stop, settings } = self;
        if let Job::Apply(plan) = options.job
            && plan.goal.direction() == Direction::Down
        {
            let rehearsal = FleetOptions { job: Job::Plan(plan), failure_budget: None, ..options.clone() };
            let summary =
                fleet::run(connector, key, set, candidates.clone(), &rehearsal, stop, |_| Ok(())).await;
            refuse_without_down(&summary)?;
            if stop.soft.is_cancelled() {
                return Err(CliError::interrupted());
            }
        }
        let reporter = output::Reporter::new(settings, stop);
        let mut summary =
            fleet::run(connector, key, set, candidates, &options, stop, |event| reporter.report(event)).await;
        reporter.finish(&mut summary).await;
        Ok(summary)
    }
}

/// A `down` that one tenant lacks stops the rollback of all before it begins.
fn refuse_without_down(rehearsal: &Summary) -> Result<(), CliError> {
    let lacking: Vec<_> =
        rehearsal.failed.iter().filter(|(_, failure)| failure.code == FailureCode::NoDown).collect();
    let Some((label, failure)) = lacking.first() else { return Ok(()) };
    let others = match lacking.len() - 1 {
        0 => String::new(),
        1 => " (and 1 other)".to_owned(),
        n => format!(" (and {n} others)"),
    };
    Err(CliError::refused(
        "no-down",
        format!("nothing was touched: {}{others}: {}", label.slug, failure.message),
        failure.hint.clone(),
    ))
}

impl From<CentralError> for CliError {
    fn from(error: CentralError) -> Self {
        Self::refused("central", error.to_string(), error.hint())
    }
}
