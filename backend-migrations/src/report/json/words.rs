//! The words of the lines: what other programs compare with.

use crate::{
    event::{Scope, StopReason, Task},
    migration::Direction,
    standing::State,
    summary::Verdict,
};

pub(super) fn task_word(task: Task) -> &'static str {
    match task {
        Task::Migrate => "migrate",
        Task::Rollback => "rollback",
        Task::Status => "status",
        Task::Recover => "recover",
    }
}

pub(super) fn scope_word(scope: Scope) -> &'static str {
    match scope {
        Scope::Central => "central",
        Scope::Tenant => "tenant",
        Scope::Fleet => "fleet",
    }
}

pub(super) fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

pub(super) fn reason_word(reason: StopReason) -> &'static str {
    match reason {
        StopReason::FailureBudget => "failure-budget",
        StopReason::FleetLockLost => "fleet-lock-lost",
        StopReason::ReporterFailed => "reporter-failed",
        StopReason::Interrupted => "interrupted",
        StopReason::InterruptedTwice => "interrupted-twice",
    }
}

pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Succeeded => "succeeded",
        Verdict::Failed => "failed",
        Verdict::Stopped => "stopped",
    }
}

pub(super) fn state_word(state: State) -> &'static str {
    match state {
        State::OutOfOrder => "out-of-order",
        State::Applied
        | State::Pending
        | State::Running
        | State::Dirty
        | State::Modified
        | State::Missing
        | State::Ahead => state.as_str(),
    }
}

/// The state as a field's name.
pub(super) fn state_key(state: State) -> &'static str {
    match state {
        State::OutOfOrder => "out_of_order",
        _ => state_word(state),
    }
}
