//! What a run came to: a fold over its events.

use crate::{
    event::{Event, Failure, Outcome, StopReason},
    selection::Coverage,
    standing::State,
    tenant::SharedLabel,
};

/// A run, counted. Every tenant is in exactly one of its parts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many tenants the run was over.
    pub n_tenants: usize,
    /// What they were selected by, and who was left out.
    pub coverage: Coverage,
    /// The command that goes on where the run was interrupted, if running it again is not that command.
    pub go_on: Option<String>,
    /// How many had migrations applied, undone or settled, all of them.
    pub n_migrated: usize,
    /// How many had nothing to do.
    pub n_up_to_date: usize,
    /// How many would have something to do: a dry run's count.
    pub n_planned: usize,
    /// How many were looked at and left as they are: the count of a status run, and of a recovery that only looks.
    pub n_inspected: usize,
    /// How many of those have anything that a run would do or refuse.
    pub n_unsettled: usize,
    /// Those that rest between two migrations because the run was told to stop.
    pub stopped: Vec<SharedLabel>,
    /// Those that failed, in the order they did.
    pub failed: Vec<(SharedLabel, Failure)>,
    /// Those that were never begun.
    pub not_started: Vec<SharedLabel>,
    /// How many migrations were completed in all.
    pub n_migrations: usize,
    /// Why the run stopped before its end, if it did.
    pub stop_reason: Option<StopReason>,
    /// Whether nobody could be told what it came to: whoever tells it says so. Nobody may take such a run for done.
    pub is_untold: bool,
}

/// A run in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything asked for was done.
    Succeeded,
    /// At least one tenant failed.
    Failed,
    /// None failed, and the run stopped before its end, or nobody could be told of it.
    Stopped,
}

impl Summary {
    /// Takes an event into account.
    pub fn observe(&mut self, event: &Event) {
        match event {
            Event::RolloutStarted { n_tenants, coverage, go_on, .. } => {
                self.n_tenants = *n_tenants;
                self.coverage = coverage.clone();
                self.go_on.clone_from(go_on);
            }
            Event::MigrationFinished { .. } => self.n_migrations += 1,
            Event::TenantFinished { tenant, outcome, .. } => match outcome {
                Outcome::UpToDate | Outcome::SameDatabase { .. } => self.n_up_to_date += 1,
                Outcome::Migrated { .. } | Outcome::Recovered { .. } => self.n_migrated += 1,
                Outcome::Planned { .. } => self.n_planned += 1,
                Outcome::Inspected { standing, .. } => {
                    self.n_inspected += 1;
                    self.n_unsettled += usize::from(!standing.is_settled());
                }
                Outcome::Diagnosed { .. } => {
                    self.n_inspected += 1;
                    self.n_unsettled += 1;
                }
                Outcome::Stopped { .. } => self.stopped.push(tenant.clone()),
                Outcome::Failed { failure, .. } => self.failed.push((tenant.clone(), (**failure).clone())),
            },
            Event::RolloutFinished { not_started, stopped, .. } => {
                self.not_started.clone_from(not_started);
                self.stop_reason = *stopped;
            }
            _ => {}
        }
    }

    /// How many are as they should be after the run.
    pub fn n_successful(&self) -> usize {
        self.n_migrated + self.n_up_to_date + self.n_planned + self.n_inspected
    }

    /// The run in one word.
    pub fn verdict(&self) -> Verdict {
        if !self.failed.is_empty() {
            Verdict::Failed
        } else if !self.stopped.is_empty() || !self.not_started.is_empty() || self.is_untold {
            Verdict::Stopped
        } else {
            Verdict::Succeeded
        }
    }
}

/// The states that a status line counts, worst first.
pub const COUNTED_STATES: [State; 7] = [
    State::Dirty,
    State::Modified,
    State::Missing,
    State::Ahead,
    State::OutOfOrder,
    State::Running,
    State::Pending,
];
