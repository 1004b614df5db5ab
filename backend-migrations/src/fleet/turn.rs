//! The work on one tenant: it opens the password and does the job; an error or a panic in it is that tenant's failure alone.

use std::{panic::AssertUnwindSafe, time::Instant};

use futures_util::FutureExt as _;

use super::queue::Candidate;
use crate::{
    event::{Event, Events, Failure, FailureCode, MigrationDone, Outcome, Task},
    fault::panic_text,
    seal,
    secret::Key,
    tenant::{Target, Tls},
};

/// What is done with each database of a run.
pub trait TenantWork {
    /// What the run is for.
    fn task(&self) -> Task;

    /// Whether it only says what it would do.
    fn is_dry_run(&self) -> bool;

    /// One tenant's turn; `done` grows with every migration that is complete, so that they are known after a failure too.
    fn work(
        &self,
        target: Target,
        events: &Events,
        done: &mut Vec<MigrationDone>,
    ) -> impl Future<Output = Result<Outcome, Box<Failure>>>;
}

/// What every tenant's turn works with.
pub(super) struct Crew<'a, W> {
    pub(super) work: &'a W,
    pub(super) key: Option<&'a Key>,
    pub(super) tls: &'a Tls,
    pub(super) events: Events,
}

impl<W: TenantWork> Crew<'_, W> {
    pub(super) async fn turn(&self, candidate: Candidate) {
        let tenant = candidate.label().clone();
        let started = Instant::now();
        self.events.tell(Event::TenantStarted { tenant: tenant.clone() }).await;
        let mut done = Vec::new();
        let result = match self.open(candidate) {
            // A panic fails this tenant alone: the other tenants' statements are running.
            Ok(target) => AssertUnwindSafe(self.work.work(target, &self.events, &mut done))
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(Box::new(Failure::fault(&panic_text(panic.as_ref()))))),
            Err(failure) => Err(failure),
        };
        let outcome = result.unwrap_or_else(|failure| match failure.code {
            FailureCode::SameDatabase => Outcome::SameDatabase { why: failure.message },
            _ => Outcome::Failed { done, failure },
        });
        let elapsed = started.elapsed();
        self.events.tell(Event::TenantFinished { tenant, outcome, elapsed }).await;
    }

    fn open(&self, candidate: Candidate) -> Result<Target, Box<Failure>> {
        match candidate {
            Candidate::Open(target) => Ok(target),
            Candidate::Sealed(sealed) => {
                if let Some(column) = sealed.missing() {
                    return Err(Box::new(Failure::no_address(column)));
                }
                let key = self.key.ok_or_else(|| Box::new(Failure::no_key()))?;
                Ok(Target {
                    password: seal::open(&sealed.sealed_password, key).map_err(boxed)?,
                    label: sealed.label,
                    user: sealed.user,
                    tls: self.tls.clone(),
                })
            }
        }
    }
}

/// A failure is large, and rare.
pub(super) fn boxed(error: impl Into<Failure>) -> Box<Failure> {
    Box::new(error.into())
}
