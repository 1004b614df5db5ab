//! How a tenant's turn ended.

use std::time::Duration;

use serde::Serialize;

use super::{
    pieces::{Done, Failed, ms},
    recovery::SettledMigration,
    words::{direction_word, state_key, state_word},
};
use crate::{
    event::{MigrationPlanned, Outcome, Scope},
    standing::{Standing, State, VersionStanding},
    summary::COUNTED_STATES,
};

#[derive(Serialize)]
pub(super) struct PlannedStep<'e> {
    version: String,
    direction: &'static str,
    file_name: &'e str,
    n_statements: usize,
    n_finished: usize,
}

#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(super) enum Ending<'e> {
    UpToDate,
    Migrated {
        done: Vec<Done<'e>>,
    },
    Planned {
        steps: Vec<PlannedStep<'e>>,
    },
    Inspected {
        current: Option<String>,
        is_settled: bool,
        counts: Counts,
        at_work: Option<&'e str>,
        versions: Vec<OneVersion<'e>>,
    },
    Diagnosed {
        n_dirty: usize,
        settled: Vec<SettledMigration<'e>>,
    },
    Recovered {
        settled: Vec<SettledMigration<'e>>,
    },
    SameDatabase {
        why: &'e str,
    },
    Stopped {
        done: Vec<Done<'e>>,
        n_remaining: usize,
    },
    Failed {
        done: Vec<Done<'e>>,
        failure: Failed<'e>,
    },
}

#[derive(Serialize)]
pub(super) struct OneVersion<'e> {
    version: String,
    description: &'e str,
    state: &'static str,
    installed_on: Option<String>,
    execution_time_ms: Option<f64>,
}

/// How many versions are in each state.
pub(super) struct Counts(Vec<(&'static str, usize)>);

impl Serialize for Counts {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(state, n)| (state, n)))
    }
}

impl<'e> PlannedStep<'e> {
    fn of(step: &'e MigrationPlanned) -> Option<Self> {
        let script = step.migration.script(step.direction)?;
        Some(Self {
            version: step.migration.version.to_string(),
            direction: direction_word(step.direction),
            file_name: &script.file_name,
            n_statements: script.statements.len(),
            n_finished: step.n_finished,
        })
    }
}

impl<'e> Ending<'e> {
    pub(super) fn of(outcome: &'e Outcome, scope: Scope) -> Self {
        match outcome {
            Outcome::UpToDate => Self::UpToDate,
            Outcome::Migrated { done } => Self::Migrated { done: Done::all(done) },
            Outcome::Planned { steps } => {
                Self::Planned { steps: steps.iter().filter_map(PlannedStep::of).collect() }
            }
            Outcome::Inspected { standing, at_work } => Self::inspected(standing, at_work.as_deref(), scope),
            Outcome::Diagnosed { n_dirty, settled } => {
                Self::Diagnosed { n_dirty: *n_dirty, settled: SettledMigration::all(settled) }
            }
            Outcome::Recovered { settled } => Self::Recovered { settled: SettledMigration::all(settled) },
            Outcome::SameDatabase { why } => Self::SameDatabase { why },
            Outcome::Stopped { done, n_remaining } => {
                Self::Stopped { done: Done::all(done), n_remaining: *n_remaining }
            }
            Outcome::Failed { done, failure } => {
                Self::Failed { done: Done::all(done), failure: Failed::of(failure) }
            }
        }
    }

    /// Of a fleet's tenant only the versions that are not as they should be: ten thousand times all of them would be
    /// the same hundred lines again and again.
    fn inspected(standing: &'e Standing, at_work: Option<&'e str>, scope: Scope) -> Self {
        let is_told = |v: &&VersionStanding| scope != Scope::Fleet || v.state != State::Applied;
        let states = std::iter::once(State::Applied).chain(COUNTED_STATES);
        Self::Inspected {
            current: standing.current().map(|version| version.to_string()),
            is_settled: standing.is_settled(),
            counts: Counts(states.map(|state| (state_key(state), standing.count(state))).collect()),
            at_work,
            versions: standing.versions.iter().filter(is_told).map(OneVersion::of).collect(),
        }
    }
}

impl<'e> OneVersion<'e> {
    fn of(version: &'e VersionStanding) -> Self {
        let time = version.installed_on_s.and_then(|s| jiff::Timestamp::from_second(s).ok());
        let span = version.execution_time_ns.and_then(|ns| u64::try_from(ns).ok());
        Self {
            version: version.version.to_string(),
            description: &version.description,
            state: state_word(version.state),
            installed_on: time.map(|time| time.to_string()),
            execution_time_ms: span.map(|ns| ms(Duration::from_nanos(ns))),
        }
    }
}
