//! Hand-made events for the tests of the formats.

use crate::event::{Event, Scope, Task};

pub(super) fn started(n_tenants: usize) -> Event {
    Event::RolloutStarted { task: Task::Migrate, scope: Scope::Fleet, n_tenants, is_dry_run: false }
}
