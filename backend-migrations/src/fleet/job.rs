//! The work of a run that applies, plans or looks.

use tokio::{select, time::sleep};

use super::{
    stop::Stop,
    turn::{TenantWork, boxed},
};
use crate::{
    apply::{self, Applied, ApplyError, Work},
    entropy::pause_before_retry,
    event::{Event, Events, Failure, MigrationDone, MigrationPlanned, Outcome, Task},
    migration::{Direction, MigrationSet},
    plan::PlanOptions,
    session::{Connect, ConnectError, TenantSession as _},
    standing::Standing,
    tenant::{SharedLabel, Target},
};

/// What to do with each database.
#[derive(Clone, Debug)]
pub enum Job {
    /// Bring it to the goal.
    Apply(PlanOptions),
    /// Say what that would take, and change nothing.
    Plan(PlanOptions),
    /// Say where it stands, and change nothing.
    Inspect,
}

impl Job {
    fn task(&self) -> Task {
        match self {
            Self::Inspect => Task::Status,
            Self::Apply(options) | Self::Plan(options) => match options.goal.direction() {
                Direction::Up => Task::Migrate,
                Direction::Down => Task::Rollback,
            },
        }
    }
}

/// The work of a [`Job`].
pub(crate) struct JobWork<'a, C> {
    pub(crate) connector: &'a C,
    pub(crate) set: &'a MigrationSet,
    pub(crate) job: Job,
    pub(crate) stop: &'a Stop,
}

impl<C: Connect> TenantWork for JobWork<'_, C> {
    fn task(&self) -> Task {
        self.job.task()
    }

    fn is_dry_run(&self) -> bool {
        matches!(self.job, Job::Plan(_))
    }

    async fn work(
        &self,
        target: Target,
        events: &Events,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Outcome, Box<Failure>> {
        let tenant = target.label.clone();
        let Some(mut session) = connect(self.connector, target, events, self.stop).await? else {
            return Ok(Outcome::Stopped { done: Vec::new(), n_remaining: 0 });
        };
        let result = self.on(&mut session, &tenant, events, done).await;
        session.close().await;
        match result {
            Err(error) if error.is_interruption() => {
                Ok(Outcome::Stopped { done: std::mem::take(done), n_remaining: 0 })
            }
            result => result.map_err(boxed),
        }
    }
}

/// Connects for one tenant's turn: again where a server may be back in a moment, unless the run is told to stop meanwhile.
/// `None` once it is told twice.
///
/// # Errors
///
/// The tenant's failure, where there is no connection.
pub(crate) async fn connect<C: Connect>(
    connector: &C,
    target: Target,
    events: &Events,
    stop: &Stop,
) -> Result<Option<C::Session>, Box<Failure>> {
    let failed = |error: &ConnectError| Box::new(Failure::no_connection(error, &target.label));
    let n_tries_max = connector.retries() + 1;
    let mut n_tries = 1;
    loop {
        let connected = select! {
            biased;
            connected = connector.connect(target.clone()) => connected,
            () = stop.hard.cancelled() => return Ok(None),
        };
        match connected {
            Err(error) if error.is_passing() && n_tries < n_tries_max => {
                let for_what = format!("try {} of {n_tries_max} after: {error}", n_tries + 1);
                let tenant = target.label.clone();
                events.tell(Event::Waiting { tenant, at: None, for_what }).await;
                select! {
                    biased;
                    () = stop.soft.cancelled() => return Err(failed(&error)),
                    () = sleep(pause_before_retry(n_tries)) => n_tries += 1,
                }
            }
            result => return result.map(Some).map_err(|error| failed(&error)),
        }
    }
}

impl<C: Connect> JobWork<'_, C> {
    async fn on(
        &self,
        session: &mut C::Session,
        tenant: &SharedLabel,
        events: &Events,
        done: &mut Vec<MigrationDone>,
    ) -> Result<Outcome, ApplyError> {
        let work = |options| Work { set: self.set, options, tenant, events, stop: &self.stop.soft };
        match &self.job {
            Job::Inspect => {
                let history = session.history().await.map_err(ApplyError::Unread)?;
                let mut standing = Standing::of(self.set, &history);
                let mut at_work = None;
                // A database that another run is working on looks dirty; `migrate:recover` is not for it.
                if history.is_dirty() {
                    for activity in session.at_work().await.map_err(ApplyError::Unread)? {
                        let versions = activity.works_on(self.set, &history);
                        if !versions.is_empty() {
                            standing.mark_running(&versions);
                            at_work.get_or_insert_with(|| activity.to_string());
                        }
                    }
                    if at_work.is_none() {
                        // It may have come to its end between the two looks.
                        standing =
                            Standing::of(self.set, &session.history().await.map_err(ApplyError::Unread)?);
                    }
                }
                Ok(Outcome::Inspected { standing, at_work })
            }
            Job::Plan(options) => {
                let plan = apply::prepare(session, work(options)).await?;
                if plan.steps.is_empty() {
                    return Ok(Outcome::UpToDate);
                }
                let steps = plan.steps.into_iter().map(|step| MigrationPlanned {
                    migration: step.migration,
                    direction: step.direction,
                    n_finished: step.n_finished,
                });
                Ok(Outcome::Planned { steps: steps.collect() })
            }
            Job::Apply(options) => {
                let applied = apply::apply(session, work(options), done).await?;
                let done = std::mem::take(done);
                Ok(match applied {
                    Applied::Complete if done.is_empty() => Outcome::UpToDate,
                    Applied::Complete => Outcome::Migrated { done },
                    Applied::Stopped { n_remaining } => Outcome::Stopped { done, n_remaining },
                })
            }
        }
    }
}
