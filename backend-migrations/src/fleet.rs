//! The dispatcher: brings many databases to a goal, a bounded number at a time.
//!
//! It owns the run's state and is the only one to tell events, so their order is one order and every tenant is accounted
//! for: finished, stopped, failed or not started. A tenant's failure is an outcome, never an error of the run.

use std::{
    collections::VecDeque,
    io,
    num::NonZeroUsize,
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use tokio::{select, sync::mpsc, time::sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    apply::{self, Applied, ApplyError, Work},
    entropy::pause_before_retry,
    event::{
        Event, Events, Failure, FailureCode, MigrationDone, MigrationPlanned, Outcome, Scope, StopReason,
        Task,
    },
    fault::panic_text,
    migration::{Direction, MigrationSet},
    mysql::n_tenants_max,
    plan::PlanOptions,
    seal,
    secret::Key,
    selection::Coverage,
    session::{Connect, ConnectError, TenantSession as _},
    standing::Standing,
    summary::Summary,
    tenant::{SealedTarget, ServerId, SharedLabel, Target, Tls},
};

/// A database that a run is over.
#[derive(Clone, Debug)]
pub enum Candidate {
    /// A tenant's: its password is opened when its turn comes, so that few are in memory at once.
    Sealed(SealedTarget),
    /// One whose password is known: the central database.
    Open(Target),
}

impl Candidate {
    /// How it is called.
    pub fn label(&self) -> &SharedLabel {
        match self {
            Self::Sealed(target) => &target.label,
            Self::Open(target) => &target.label,
        }
    }
}

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

/// How a run is to go.
#[derive(Clone, Debug)]
pub struct FleetOptions {
    /// What to do with each database.
    pub job: Job,
    /// Which databases these are, for those who are told.
    pub scope: Scope,
    /// What the databases were selected by, for those who are told.
    pub coverage: Coverage,
    /// The command that goes on where this run is interrupted, for those who are told; `None` where it is the same again.
    pub go_on: Option<String>,
    /// How many at once in all.
    pub concurrency: NonZeroUsize,
    /// How many at once on one server.
    pub per_server: NonZeroUsize,
    /// After so many failures no more tenants are begun; `None` for no limit.
    pub failure_budget: Option<NonZeroUsize>,
    /// How connections to tenants are encrypted.
    pub tls: Tls,
}

/// How a run is told to stop.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Begin no more tenants, finish the migrations in flight.
    pub soft: CancellationToken,
    /// Kill the statements in flight on the server. Implies [`Stop::soft`].
    pub hard: CancellationToken,
    /// Begin no more tenants: the lock on the fleet is lost, and another rollout may have begun.
    pub lost: CancellationToken,
    /// Begin no more tenants: what happens can no longer be told.
    pub unheard: CancellationToken,
}

impl Default for Stop {
    fn default() -> Self {
        let hard = CancellationToken::new();
        Self {
            soft: hard.child_token(),
            hard,
            lost: CancellationToken::new(),
            unheard: CancellationToken::new(),
        }
    }
}

/// Runs `options.job` over all `candidates`.
///
/// Takes the way to connect, the key of the sealed passwords (none is needed for [`Candidate::Open`]), the migrations
/// and the one function that is told every event; gives the run's summary. When that function returns an error, no more
/// tenants are begun, those in flight are finished, and it is not called again.
pub async fn run<C: Connect>(
    connector: &C,
    key: Option<&Key>,
    set: &MigrationSet,
    candidates: Vec<Candidate>,
    options: &FleetOptions,
    stop: &Stop,
    on_event: impl FnMut(&Event) -> io::Result<()>,
) -> Summary {
    let work = JobWork { connector, set, job: options.job.clone(), stop };
    run_work(&work, key, candidates, options, stop, on_event).await
}

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

/// As [`run`], with work of any kind; [`FleetOptions::job`] is not looked at.
pub async fn run_work(
    work: &impl TenantWork,
    key: Option<&Key>,
    candidates: Vec<Candidate>,
    options: &FleetOptions,
    stop: &Stop,
    on_event: impl FnMut(&Event) -> io::Result<()>,
) -> Summary {
    let (events, receiver) = Events::channel();
    let started = Instant::now();
    let mut teller =
        Teller { receiver, on_event, is_deaf: false, summary: Summary::default(), stop_reason: None };
    let crew = Crew { work, key, tls: &options.tls, events };
    teller.tell(&Event::RolloutStarted {
        task: work.task(),
        scope: options.scope,
        n_tenants: candidates.len(),
        coverage: options.coverage.clone(),
        go_on: options.go_on.clone(),
        is_dry_run: work.is_dry_run(),
    });
    let mut queue = Queue::new(candidates, options.per_server.get());
    let concurrency = affordable(options.concurrency.get().min(queue.width()), &mut teller);
    let mut running = FuturesUnordered::new();
    loop {
        teller.drain();
        teller.check_budget(options.failure_budget);
        teller.check_stop(stop);
        while teller.stop_reason.is_none() && running.len() < concurrency {
            let Some((server, candidate)) = queue.admit() else { break };
            let turn = crew.turn(candidate);
            running.push(async move {
                turn.await;
                server
            });
        }
        if running.is_empty() {
            break;
        }
        select! {
            biased;
            Some(event) = teller.receiver.recv() => teller.tell(&event),
            Some(server) = running.next() => queue.release(&server),
            // What they mean is looked at when the loop comes round.
            () = stop.hard.cancelled(), if teller.stop_reason < Some(StopReason::InterruptedTwice) => {}
            () = stop.lost.cancelled(), if teller.stop_reason < Some(StopReason::FleetLockLost) => {}
            () = stop.soft.cancelled(), if teller.stop_reason < Some(StopReason::Interrupted) => {}
            () = stop.unheard.cancelled(), if teller.stop_reason < Some(StopReason::ReporterFailed) => {}
        }
    }
    drop(running);
    teller.drain();
    let not_started: Vec<_> = queue.into_remaining().map(|candidate| candidate.label().clone()).collect();
    let stopped = teller.stop_reason;
    teller.tell(&Event::RolloutFinished { not_started, stopped, elapsed: started.elapsed() });
    teller.summary
}

/// How many tenants can be worked on at once; less than `wanted`, which is told, where the system lets this process open too
/// few connections.
fn affordable<F: FnMut(&Event) -> io::Result<()>>(wanted: usize, teller: &mut Teller<F>) -> usize {
    match n_tenants_max() {
        Some((n_max, n_files)) if n_max < wanted => {
            let message = format!(
                "this process may open {n_files} files, enough for {n_max} of {wanted} tenants at once: it takes longer; \
                 `ulimit -n` raises the limit"
            );
            teller.tell(&Event::Warning { tenant: None, message });
            n_max
        }
        _ => wanted,
    }
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

/// The one who calls the run's closure.
struct Teller<F> {
    receiver: mpsc::Receiver<Event>,
    on_event: F,
    /// Whether the closure returned an error.
    is_deaf: bool,
    summary: Summary,
    stop_reason: Option<StopReason>,
}

impl<F: FnMut(&Event) -> io::Result<()>> Teller<F> {
    fn tell(&mut self, event: &Event) {
        self.summary.observe(event);
        if !self.is_deaf && (self.on_event)(event).is_err() {
            self.is_deaf = true;
            self.stop_reason = self.stop_reason.max(Some(StopReason::ReporterFailed));
        }
    }

    /// Tells what has happened by now.
    fn drain(&mut self) {
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

    fn check_stop(&mut self, stop: &Stop) {
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

    fn check_budget(&mut self, budget: Option<NonZeroUsize>) {
        if budget.is_some_and(|budget| self.summary.failed.len() >= budget.get()) {
            self.stop_for(StopReason::FailureBudget);
        }
    }
}

/// The tenants that wait, by server.
///
/// Servers take turns, so that a fleet on several keeps all of them busy. Groups that are full or empty are passed over
/// at the cost of one look each.
struct Queue {
    groups: VecDeque<Group>,
    per_server: usize,
}

struct Group {
    server: ServerId,
    waiting: VecDeque<Candidate>,
    n_running: usize,
}

impl Queue {
    fn new(candidates: Vec<Candidate>, per_server: usize) -> Self {
        let mut places = std::collections::HashMap::new();
        let mut groups: VecDeque<Group> = VecDeque::new();
        for candidate in candidates {
            let server = candidate.label().server.clone();
            let at = *places.entry(server.clone()).or_insert_with(|| {
                groups.push_back(Group { server, waiting: VecDeque::new(), n_running: 0 });
                groups.len() - 1
            });
            groups[at].waiting.push_back(candidate);
        }
        Self { groups, per_server }
    }

    /// How many tenants its servers take at once.
    fn width(&self) -> usize {
        self.groups.iter().map(|group| group.waiting.len().min(self.per_server)).sum()
    }

    /// The next tenant whose server has a free place.
    fn admit(&mut self) -> Option<(ServerId, Candidate)> {
        for _ in 0..self.groups.len() {
            self.groups.rotate_left(1);
            let group = self.groups.back_mut()?;
            if group.n_running < self.per_server
                && let Some(candidate) = group.waiting.pop_front()
            {
                group.n_running += 1;
                return Some((group.server.clone(), candidate));
            }
        }
        None
    }

    fn release(&mut self, server: &ServerId) {
        let Some(at) = self.groups.iter().position(|group| group.server == *server) else { return };
        self.groups[at].n_running -= 1;
        if self.groups[at].n_running == 0 && self.groups[at].waiting.is_empty() {
            self.groups.remove(at);
        }
    }

    fn into_remaining(self) -> impl Iterator<Item = Candidate> {
        self.groups.into_iter().flat_map(|group| group.waiting)
    }
}

/// What every tenant's turn works with.
struct Crew<'a, W> {
    work: &'a W,
    key: Option<&'a Key>,
    tls: &'a Tls,
    events: Events,
}

impl<W: TenantWork> Crew<'_, W> {
    async fn turn(&self, candidate: Candidate) {
        let tenant = candidate.label().clone();
        let started = Instant::now();
        self.events.tell(Event::TenantStarted { tenant: tenant.clone() }).await;
        let mut done = Vec::new();
        let result = match self.open(candidate) {
            // Whatever breaks here breaks for this tenant: the others' statements are in flight meanwhile.
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
        let elapsed: Duration = started.elapsed();
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
                // What another run does at this moment looks dirty, and nobody should go and recover it.
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

/// A failure is large, and rare.
fn boxed(error: impl Into<Failure>) -> Box<Failure> {
    Box::new(error.into())
}
