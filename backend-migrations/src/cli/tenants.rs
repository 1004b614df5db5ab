//! Which tenants a command is over: `--only`, `--exclude` and `--status`, and the rows that they mean.

use std::{collections::HashSet, num::NonZeroUsize};

use clap::Args;
use tokio::select;

use super::{completions, error::CliError, settings::Settings};
use crate::{
    event::Scope,
    fleet::{Candidate, FleetOptions, Job, Stop},
    mysql::{Central, CentralError, MySqlConnector},
    selection::{self, Coverage, Selected, Selection, SelectionError},
    tenant::{SharedLabel, Target, TenantStatus},
};

/// 8 a server: on two cores shared with the server more brought nothing (`docs/benchmark.md`), and it leaves most of a
/// server's connections to the application.
const PER_SERVER: NonZeroUsize = NonZeroUsize::new(8).unwrap();
/// Four servers' worth.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::new(32).unwrap();

/// The words of [`TenantStatus::ALL`], for shells.
const STATUSES: &[&str] = &["PROVISIONING", "ACTIVE", "SUSPENDED", "FAILED", "ARCHIVED"];

pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "it must be a whole number of 1 or more".to_owned())
}

fn status(text: &str) -> Result<TenantStatus, String> {
    TenantStatus::parse(text.trim()).ok_or_else(|| format!("the statuses are {}", STATUSES.join(", ")))
}

#[derive(Clone, Debug, Args)]
pub(super) struct StatusArg {
    /// Tenants with these statuses, separated by commas, such as `ACTIVE,SUSPENDED` [default: ACTIVE].
    #[arg(long, value_name = "STATUSES", value_delimiter = ',', value_parser = status, add = completions::words(STATUSES))]
    status: Option<Vec<TenantStatus>>,
}

impl StatusArg {
    pub(super) fn statuses(&self) -> Vec<TenantStatus> {
        self.status.clone().unwrap_or_else(|| vec![TenantStatus::Active])
    }

    /// One tenant, if it has one of these statuses.
    pub(super) fn one(&self, tenant: String) -> Selection {
        Selection::One { wanted: tenant, statuses: Some(self.statuses()) }
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
    #[command(flatten)]
    pub(super) status: StatusArg,
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
        Ok(Selection::Fleet {
            only: names("--only", &self.only)?,
            exclude: names("--exclude", &self.exclude)?,
            statuses: self.status.statuses(),
        })
    }

    /// Refuses what selects among all tenants where these are not meant, and `--status` where no tenant is.
    pub(super) fn check_scope(&self, all_tenants: bool, takes_status: bool) -> Result<(), CliError> {
        if !all_tenants && (self.only.is_some() || self.exclude.is_some()) {
            return Err(CliError::usage(
                "`--only` and `--exclude` go with `--all-tenants`",
                "add `--all-tenants`, or name one tenant alone",
            ));
        }
        if !takes_status && self.status.status.is_some() {
            return Err(CliError::usage(
                "`--status` selects tenants, and none is to be selected here",
                "leave `--status` out, or add `--all-tenants`",
            ));
        }
        Ok(())
    }

    pub(super) fn options(&self, job: Job, settings: &Settings) -> Result<FleetOptions, CliError> {
        Ok(FleetOptions {
            job,
            scope: Scope::Fleet,
            coverage: Coverage::default(),
            go_on: None,
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
        coverage: Coverage::default(),
        go_on: None,
        concurrency: NonZeroUsize::MIN,
        per_server: NonZeroUsize::MIN,
        failure_budget: None,
        tls: settings.tenant_tls()?,
    })
}

/// Whether a run may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Intent {
    /// It only looks; what is wrong with the rows is told.
    Look,
    /// It may; what is wrong with the rows stops it.
    Change,
}

/// The tenants that are meant.
pub(super) struct Meant {
    pub(super) candidates: Vec<Candidate>,
    pub(super) coverage: Coverage,
    /// Those that may share a database with another one: see [`selection::doubtful`].
    pub(super) doubtful: HashSet<SharedLabel>,
    /// What a person should know of them.
    pub(super) warning: Option<String>,
}

impl Meant {
    /// No tenant of a table.
    pub(super) fn only(candidate: Candidate) -> Self {
        let coverage = Coverage::default();
        Self { candidates: vec![candidate], coverage, doubtful: HashSet::new(), warning: None }
    }
}

/// The tenants that are selected in the central database.
pub(super) async fn meant(
    connector: &MySqlConnector,
    central: &Target,
    selection: &Selection,
    intent: Intent,
    stop: &Stop,
) -> Result<Meant, CliError> {
    let read = async {
        let mut central = Central::connect(connector, central).await?;
        let rows = match selection {
            Selection::One { wanted, .. } => central.named(wanted).await?,
            Selection::Fleet { .. } => Vec::new(),
        };
        let rows = if rows.is_empty() { central.tenants().await? } else { rows };
        central.close().await;
        Ok::<_, CentralError>(rows)
    };
    let rows = select! {
        rows = read => rows?,
        () = stop.soft.cancelled() => return Err(CliError::interrupted()),
    };
    let Selected { targets, coverage } = selection::select(&rows, selection)?;
    let warning = match (selection::check_distinct(&targets), intent) {
        (Err(error), Intent::Change) => return Err(error.into()),
        (Err(error), Intent::Look) => Some(error.to_string()),
        (Ok(()), _) => None,
    };
    let doubtful = match intent {
        Intent::Change => selection::doubtful(&targets),
        Intent::Look => HashSet::new(),
    };
    Ok(Meant {
        candidates: targets.into_iter().map(Candidate::Sealed).collect(),
        coverage,
        doubtful,
        warning,
    })
}

impl From<CentralError> for CliError {
    fn from(error: CentralError) -> Self {
        Self::refused("central", error.to_string(), error.hint())
    }
}

impl From<SelectionError> for CliError {
    fn from(error: SelectionError) -> Self {
        Self::refused("central", error.to_string(), Some(error.hint()))
    }
}

#[cfg(test)]
mod tests {
    use super::{STATUSES, TenantStatus};

    #[test]
    fn shells_know_every_status() {
        assert_eq!(TenantStatus::ALL.map(TenantStatus::as_str), STATUSES);
    }
}
