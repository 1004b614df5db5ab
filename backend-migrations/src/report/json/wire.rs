//! The shape of the lines: what other programs rely on. Words are kebab-case, fields `snake_case`.

use std::{borrow::Cow, collections::BTreeMap, time::Duration};

use serde::Serialize;

use super::{
    ending::Ending,
    pieces::{At, Done, Failed, Tenant, ms},
    recovery::{Diagnosed, SettledMigration},
    words::{direction_word, reason_word, scope_word, task_word, verdict_word},
};
use crate::{
    event::{Event, MigrationPlanned, Scope},
    migration::Script,
    report::{
        picture::Longest,
        text::{Shortened, shortened},
    },
    selection::Coverage,
    sql::without_passwords,
    summary::Summary,
};

#[derive(Serialize)]
pub(super) struct Line<'e> {
    pub(super) schema: u32,
    pub(super) at_ms: u128,
    #[serde(flatten)]
    pub(super) body: Body<'e>,
}

#[derive(Serialize)]
pub(super) struct ErrorLine<'e> {
    pub(super) schema: u32,
    pub(super) event: &'static str,
    #[serde(flatten)]
    pub(super) error: ErrorBody<'e>,
}

#[derive(Serialize)]
pub(super) struct DocumentLine<'e, F> {
    pub(super) schema: u32,
    pub(super) event: &'e str,
    #[serde(flatten)]
    pub(super) fields: &'e F,
}

#[derive(Serialize)]
pub(super) struct ErrorBody<'e> {
    pub(super) code: &'e str,
    pub(super) message: &'e str,
    pub(super) hint: Option<&'e str>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(super) enum Body<'e> {
    RolloutStarted {
        task: &'static str,
        scope: &'static str,
        n_tenants: usize,
        is_dry_run: bool,
        statuses: Vec<&'static str>,
        go_on: Option<&'e str>,
    },
    TenantStarted {
        tenant: Tenant<'e>,
    },
    TenantPlanned {
        tenant: Tenant<'e>,
        n_migrations: usize,
    },
    MigrationStarted {
        tenant: Tenant<'e>,
        file_name: &'e str,
        n_statements: usize,
        n_finished: usize,
    },
    StatementStarted {
        tenant: Tenant<'e>,
        at: At<'e>,
    },
    Waiting {
        tenant: Tenant<'e>,
        at: Option<At<'e>>,
        for_what: &'e str,
    },
    StatementFinished {
        tenant: Tenant<'e>,
        at: At<'e>,
        n_rows: u64,
        elapsed_ms: f64,
    },
    MigrationFinished {
        tenant: Tenant<'e>,
        migration: Done<'e>,
    },
    ScriptPlanned {
        version: String,
        direction: &'static str,
        file_name: &'e str,
        statements: Vec<Sql<'e>>,
        n_statements_left_out: usize,
    },
    TenantFinished {
        tenant: Tenant<'e>,
        elapsed_ms: f64,
        #[serde(flatten)]
        ending: Ending<'e>,
    },
    MigrationDiagnosed(Box<Diagnosed<'e>>),
    MigrationSettled {
        tenant: Tenant<'e>,
        #[serde(flatten)]
        settled: SettledMigration<'e>,
    },
    Progress {
        n_tenants: usize,
        n_finished: usize,
        n_running: usize,
        longest: LongestTurn<'e>,
    },
    Warning {
        tenant: Option<Tenant<'e>>,
        message: &'e str,
    },
    Stopping {
        reason: &'static str,
    },
    RolloutFinished(Box<Finished<'e>>),
}

#[derive(Serialize)]
pub(super) struct LongestTurn<'e> {
    tenant: Tenant<'e>,
    doing: &'e str,
    waited_ms: f64,
}

#[derive(Serialize)]
pub(super) struct Sql<'e> {
    line: usize,
    text: Cow<'e, str>,
    n_bytes_left_out: usize,
}

#[derive(Serialize)]
pub(super) struct Finished<'e> {
    verdict: &'static str,
    elapsed_ms: f64,
    n_tenants: usize,
    n_successful: usize,
    n_migrated: usize,
    n_up_to_date: usize,
    n_planned: usize,
    n_inspected: usize,
    n_unsettled: usize,
    n_failed: usize,
    n_stopped: usize,
    n_not_started: usize,
    n_migrations: usize,
    stop_reason: Option<&'static str>,
    left_out: BTreeMap<&'static str, usize>,
    go_on: Option<&'e str>,
    failed: Vec<FailedTenant<'e>>,
    stopped: Vec<Tenant<'e>>,
    not_started: Vec<Tenant<'e>>,
}

#[derive(Serialize)]
struct FailedTenant<'e> {
    tenant: Tenant<'e>,
    #[serde(flatten)]
    failure: Failed<'e>,
}

impl<'e> Body<'e> {
    /// The line for `event`; none for the last one, which is told with the summary.
    pub(super) fn of(event: &'e Event, scope: Scope) -> Option<Self> {
        Some(match event {
            Event::RolloutStarted { task, scope, n_tenants, coverage, go_on, is_dry_run } => {
                Self::RolloutStarted {
                    task: task_word(*task),
                    scope: scope_word(*scope),
                    n_tenants: *n_tenants,
                    is_dry_run: *is_dry_run,
                    statuses: coverage.statuses.iter().map(|status| status.as_str()).collect(),
                    go_on: go_on.as_deref(),
                }
            }
            Event::TenantStarted { tenant } => Self::TenantStarted { tenant: Tenant::of(tenant) },
            Event::TenantPlanned { tenant, n_migrations } => {
                Self::TenantPlanned { tenant: Tenant::of(tenant), n_migrations: *n_migrations }
            }
            Event::MigrationStarted { tenant, file_name, n_statements, n_finished } => {
                Self::MigrationStarted {
                    tenant: Tenant::of(tenant),
                    file_name,
                    n_statements: *n_statements,
                    n_finished: *n_finished,
                }
            }
            Event::StatementStarted { tenant, at } => {
                Self::StatementStarted { tenant: Tenant::of(tenant), at: At::of(at) }
            }
            Event::Waiting { tenant, at, for_what } => {
                Self::Waiting { tenant: Tenant::of(tenant), at: at.as_ref().map(At::of), for_what }
            }
            Event::StatementFinished { tenant, at, n_rows, elapsed } => Self::StatementFinished {
                tenant: Tenant::of(tenant),
                at: At::of(at),
                n_rows: *n_rows,
                elapsed_ms: ms(*elapsed),
            },
            Event::MigrationFinished { tenant, done } => {
                Self::MigrationFinished { tenant: Tenant::of(tenant), migration: Done::of(done) }
            }
            Event::MigrationDiagnosed { tenant, diagnosis, offers, asked } => {
                let tenant = Tenant::of(tenant);
                Self::MigrationDiagnosed(Box::new(Diagnosed::of(tenant, diagnosis, offers, *asked)))
            }
            Event::MigrationSettled { tenant, settled } => {
                Self::MigrationSettled { tenant: Tenant::of(tenant), settled: SettledMigration::of(settled) }
            }
            Event::TenantFinished { tenant, outcome, elapsed } => Self::TenantFinished {
                tenant: Tenant::of(tenant),
                elapsed_ms: ms(*elapsed),
                ending: Ending::of(outcome, scope),
            },
            Event::Warning { tenant, message } => {
                Self::Warning { tenant: tenant.as_deref().map(Tenant::of), message }
            }
            Event::Stopping { reason } => Self::Stopping { reason: reason_word(*reason) },
            Event::RolloutFinished { .. } => return None,
        })
    }

    /// What goes on.
    pub(super) fn progress(
        n_tenants: usize,
        n_finished: usize,
        n_running: usize,
        longest: &'e Longest,
    ) -> Self {
        let Longest { tenant, doing, waited } = longest;
        let longest = LongestTurn { tenant: Tenant::of(tenant), doing, waited_ms: ms(*waited) };
        Self::Progress { n_tenants, n_finished, n_running, longest }
    }

    /// The statements of a script that a dry run would run.
    pub(super) fn script(step: &MigrationPlanned, script: &'e Script) -> Self {
        let (shown, n_statements_left_out, _) = shortened(&script.statements);
        let statements = shown.into_iter().map(|(statement, Shortened { text, n_left_out })| Sql {
            line: statement.line,
            text: without_passwords(text),
            n_bytes_left_out: n_left_out,
        });
        Self::ScriptPlanned {
            version: step.migration.version.to_string(),
            direction: direction_word(step.direction),
            file_name: &script.file_name,
            statements: statements.collect(),
            n_statements_left_out,
        }
    }

    /// The last line.
    pub(super) fn summary(summary: &'e Summary, elapsed: Duration) -> Self {
        let tenants =
            |labels: &'e [crate::tenant::SharedLabel]| labels.iter().map(|l| Tenant::of(l)).collect();
        let failed = summary
            .failed
            .iter()
            .map(|(label, failure)| FailedTenant { tenant: Tenant::of(label), failure: Failed::of(failure) });
        let Coverage { by_status, n_excluded, .. } = &summary.coverage;
        let excluded = (*n_excluded > 0).then_some(("excluded", *n_excluded));
        let left_out = by_status.iter().map(|(status, n)| (status.as_str(), *n)).chain(excluded);
        Self::RolloutFinished(Box::new(Finished {
            verdict: verdict_word(summary.verdict()),
            elapsed_ms: ms(elapsed),
            n_tenants: summary.n_tenants,
            n_successful: summary.n_successful(),
            n_migrated: summary.n_migrated,
            n_up_to_date: summary.n_up_to_date,
            n_planned: summary.n_planned,
            n_inspected: summary.n_inspected,
            n_unsettled: summary.n_unsettled,
            n_failed: summary.failed.len(),
            n_stopped: summary.stopped.len(),
            n_not_started: summary.not_started.len(),
            n_migrations: summary.n_migrations,
            stop_reason: summary.stop_reason.map(reason_word),
            left_out: left_out.collect(),
            go_on: summary.go_on.as_deref(),
            failed: failed.collect(),
            stopped: tenants(&summary.stopped),
            not_started: tenants(&summary.not_started),
        }))
    }
}
