//! The only one who tells events, and who knows why no more tenants are begun.

use std::{io, num::NonZeroUsize};

use tokio::sync::mpsc;

use super::stop::Stop;
use crate::{
    event::{Event, StopReason},
    summary::Summary,
};

/// The one who calls the run's closure.
pub(super) struct Teller<F> {
    pub(super) receiver: mpsc::Receiver<Event>,
    on_event: F,
    /// Whether the closure returned an error.
    is_deaf: bool,
    pub(super) summary: Summary,
    pub(super) stop_reason: Option<StopReason>,
}

impl<F: FnMut(&Event) -> io::Result<()>> Teller<F> {
    pub(super) fn new(receiver: mpsc::Receiver<Event>, on_event: F) -> Self {
        Self { receiver, on_event, is_deaf: false, summary: Summary::default(), stop_reason: None }
    }

    pub(super) fn tell(&mut self, event: &Event) {
        self.summary.observe(event);
        if !self.is_deaf && (self.on_event)(event).is_err() {
            self.is_deaf = true;
            self.stop_reason = self.stop_reason.max(Some(StopReason::ReporterFailed));
        }
    }

    /// Tells what has happened by now.
    pub(super) fn drain(&mut self) {
        while let Ok(event) = self.receiver.try_recv() {
            self.tell(&event);
        }
    }

    fn stop_for(&mut self, reason: StopReason) {
        if self.stop_reason < Some(reason) {
            self.stop_reason = Some(reason);
            self.tell(&Event::Stopping { reason });
        }
    }

    pub(super) fn check_stop(&mut self, stop: &Stop) {
        if stop.hard.is_cancelled() {
            // Both are told, however short a time is between the two.
            self.stop_for(StopReason::Interrupted);
            self.stop_for(StopReason::InterruptedTwice);
        } else if stop.soft.is_cancelled() {
            self.stop_for(StopReason::Interrupted);
        } else if stop.unheard.is_cancelled() {
            self.stop_for(StopReason::ReporterFailed);
        } else if stop.lost.is_cancelled() {
            self.stop_for(StopReason::FleetLockLost);
        }
    }

    pub(super) fn check_budget(&mut self, budget: Option<NonZeroUsize>) {
        if budget.is_some_and(|budget| self.summary.failed.len() >= budget.get()) {
            self.stop_for(StopReason::FailureBudget);
        }
    }
}
