//! `migrate:tenant`, `migrate:all-tenants`, `migrate:latest`, `migrate:status`: which databases, to which goal.

use clap::Args;
use tokio::select;

use super::{
    completions,
    error::CliError,
    exit::ExitStatus,
    output,
    settings::{MigrationKind, Settings},
    signals,
    tenants::{self, FleetArgs, Intent, StatusArg},
};
use crate::{
    event::{Event, FailureCode, Scope},
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    migration::{MigrationSet, Version},
    mysql::{FleetLock, MySqlConnector},
    plan::{Goal, PlanOptions},
    selection::Selection,
    summary::{Summary, Verdict},
    tenant::Target,
};

pub(super) const TENANT_EXAMPLES: &str = "\
Examples:
  migrate:tenant acme-corp                     by slug
  migrate:tenant cm5a1b2c3d4e5f6g7h8i9j0k      by id
  migrate:tenant acme-corp --dry-run           show the SQL, change nothing
  migrate:tenant acme-corp --to 20250127120000
  migrate:tenant acme-corp --status SUSPENDED  although it is not in use";

pub(super) const ALL_TENANTS_EXAMPLES: &str = "\
Examples:
  migrate:all-tenants
  migrate:all-tenants --dry-run                which tenants would get what
  migrate:all-tenants --only acme-corp,techstart
  migrate:all-tenants --exclude big-customer --failure-budget 5
  migrate:all-tenants --status ACTIVE,SUSPENDED
  migrate:all-tenants --concurrency 64 --per-server 4";

pub(super) const LATEST_EXAMPLES: &str = "\
Examples:
  migrate:latest
  migrate:latest --dry-run";

pub(super) const STATUS_EXAMPLES: &str = "\
Examples:
  migrate:status                               all active tenants in one view
  migrate:status --tenant acme-corp            every migration of one
  migrate:status --central                     the central database
  migrate:status --exit-code                   5 where anything is pending, dirty, modified or missing";

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
    /// Apply the first migration to a database that has tables already, beside them.
    #[arg(long)]
    allow_existing_tables: bool,
}

impl GoalArgs {
    fn job(&self) -> Job {
        let goal = self.to.map_or(Goal::Latest, |version| Goal::UpTo(Version(version)));
        let (allow_out_of_order, allow_existing_tables) =
            (self.allow_out_of_order, self.allow_existing_tables);
        let options = PlanOptions { goal, allow_out_of_order, allow_existing_tables };
        if self.dry_run { Job::Plan(options) } else { Job::Apply(options) }
    }
}

#[derive(Clone, Debug, Args)]
pub struct TenantArgs {
    /// Slug or id of the tenant.
    #[arg(value_hint = clap::ValueHint::Other)]
    tenant: String,
    #[command(flatten)]
    status: StatusArg,
    #[command(flatten)]
    goal: GoalArgs,
}

pub(super) async fn tenant(args: TenantArgs, settings: &Settings) -> Result<ExitStatus, CliError> {
    let options = tenants::single(args.goal.job(), Scope::Tenant, settings)?;
    let selection = args.status.one(args.tenant);
    over_tenants(selection, options, settings).await.map(|summary| summary.verdict().into())
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
pub struct StatusArgs {
    /// Show every migration of this tenant (slug or id), whatever its status is.
    #[arg(long, value_name = "TENANT", conflicts_with_all = ["central", "only", "exclude", "status"])]
    tenant: Option<String>,
    /// Show every migration of the central database.
    #[arg(long, conflicts_with_all = ["only", "exclude", "status"])]
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
            let options = tenants::single(Job::Inspect, Scope::Tenant, settings)?;
            over_tenants(Selection::One { wanted: tenant, statuses: None }, options, settings).await?
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

/// Refuses a target version that no file has, before anything is asked of a server.
pub(super) fn check_target(set: &MigrationSet, target: Version, scope: Scope) -> Result<(), CliError> {
    if set.get(target).is_some() {
        return Ok(());
    }
    let whose = if scope == Scope::Central { "--central" } else { "--tenant TENANT" };
    Err(CliError::refused(
        "version",
        format!("unknown target: no file has version {target}"),
        Some(format!("`migrate:status {whose}` lists the versions there are")),
    ))
}

fn check_goal(set: &MigrationSet, options: &FleetOptions) -> Result<(), CliError> {
    match &options.job {
        Job::Apply(PlanOptions { goal: Goal::UpTo(target), .. })
        | Job::Plan(PlanOptions { goal: Goal::UpTo(target), .. }) => {
            check_target(set, *target, options.scope)
        }
        _ => Ok(()),
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
    check_goal(&set, &options)?;
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector =
        MySqlConnector::new(settings.limits, stop.hard.clone()).with_administrator(settings.named_admin()?);
    let is_rollout = options.scope == Scope::Fleet && matches!(options.job, Job::Apply(_));
    let intent = if matches!(options.job, Job::Inspect) { Intent::Look } else { Intent::Change };
    let run = Box::pin(async {
        let meant = tenants::meant(&connector, &central, &selection, intent, &stop).await?;
        let connector = connector.clone().with_doubtful(meant.doubtful);
        let options = FleetOptions { coverage: meant.coverage, ..options };
        let reporter = output::Reporter::new(settings, &stop);
        let mut warning = meant.warning;
        let mut summary =
            fleet::run(&connector, Some(&key), &set, meant.candidates, &options, &stop, |event| {
                reporter.report(event)?;
                // What a run is about is told first.
                match warning.take() {
                    Some(message) => reporter.report(&Event::Warning { tenant: None, message }),
                    None => Ok(()),
                }
            })
            .await;
        reporter.finish(&mut summary).await;
        Ok(summary)
    });
    if is_rollout { under_fleet_lock(&connector, &central, settings, &stop, run).await } else { run.await }
}

/// What a run over the central database came to: where there is no way into it, no tenant failed.
pub(super) fn status_of_central(summary: &Summary) -> ExitStatus {
    let is_unreached = summary.failed.iter().any(|(_, failure)| {
        matches!(failure.code, FailureCode::Connect | FailureCode::AccessDenied | FailureCode::NoDatabase)
    });
    if is_unreached { ExitStatus::Refused } else { summary.verdict().into() }
}

/// Runs `job` on the central database.
async fn over_central(job: Job, settings: &Settings) -> Result<Summary, CliError> {
    let target = settings.central()?;
    let set = settings.migration_set(MigrationKind::Central)?;
    let options = tenants::single(job, Scope::Central, settings)?;
    check_goal(&set, &options)?;
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector =
        MySqlConnector::new(settings.limits, stop.hard.clone()).with_administrator(settings.named_admin()?);
    let reporter = output::Reporter::new(settings, &stop);
    let candidates = vec![Candidate::Open(target)];
    let mut summary =
        fleet::run(&connector, None, &set, candidates, &options, &stop, |event| reporter.report(event)).await;
    reporter.finish(&mut summary).await;
    Ok(summary)
}

/// Waits for other rollouts over the fleet, and keeps them out while `run` runs; where the lock is lost meanwhile,
/// `stop` knows.
pub(super) async fn under_fleet_lock<T>(
    connector: &MySqlConnector,
    central: &Target,
    settings: &Settings,
    stop: &Stop,
    run: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let lock = select! {
        lock = FleetLock::acquire(connector, central, settings.limits.lock) => lock?,
        () = stop.soft.cancelled() => return Err(CliError::interrupted()),
    };
    let watch = async {
        lock.lost().await;
        stop.lost.cancel();
        std::future::pending::<()>().await;
    };
    let result = select! {
        biased;
        result = run => result,
        () = watch => unreachable!("the run's end is the only one"),
    };
    lock.release().await;
    result
}
