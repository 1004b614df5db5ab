//! The dispatcher: brings many databases to a goal, a bounded number at a time.
//!
//! It owns the run's state and is the only one to tell events, so their order is one order and every tenant is accounted
//! for: finished, stopped, failed or not started. A tenant's failure is an outcome, never an error of the run.

mod job;
mod queue;
mod stop;
mod teller;
mod turn;

use std::{io, num::NonZeroUsize, time::Instant};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::select;

pub(crate) use self::job::{JobWork, connect};
pub use self::{job::Job, queue::Candidate, stop::Stop, turn::TenantWork};
use self::{queue::Queue, teller::Teller, turn::Crew};
use crate::{
    event::{Event, Events, Scope, StopReason},
    migration::MigrationSet,
    mysql::n_tenants_max,
    secret::Key,
    selection::Coverage,
    session::Connect,
    summary::Summary,
    tenant::Tls,
};

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
    let mut teller = Teller::new(receiver, on_event);
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
