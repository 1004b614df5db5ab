//! What the executor works with, and the one way in which it writes what has a transaction of its own.

use tokio::{select, time::sleep};
use tokio_util::sync::CancellationToken;

use super::error::ApplyError;
use crate::{
    entropy::pause_before_retry,
    event::{Event, Events},
    migration::MigrationSet,
    plan::PlanOptions,
    session::{Record, SessionError, TenantSession},
    tenant::SharedLabel,
};

/// What the executor works with besides the session.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The migrations there are.
    pub set: &'a MigrationSet,
    /// What to do with them.
    pub options: &'a PlanOptions,
    /// How the database is called.
    pub tenant: &'a SharedLabel,
    /// Where to tell what happens.
    pub events: &'a Events,
    /// When this is cancelled, the migration in flight is finished and none is begun.
    pub stop: &'a CancellationToken,
}

/// Writes a record that begins and ends its own transaction, and tries again where a lock was waited for in vain.
///
/// # Errors
///
/// [`ApplyError::Unwritten`].
pub async fn write<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    record: Record<'_>,
) -> Result<(), ApplyError> {
    patiently(session, work, &record).await.map_err(ApplyError::Unwritten)
}

/// Writes a record that begins and ends its own transaction; after a lock was waited for in vain, again.
async fn patiently<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    record: &Record<'_>,
) -> Result<(), SessionError> {
    let mut n_tries = 1;
    loop {
        let result = session.record(record.clone()).await;
        let Err(source) = result else { return Ok(()) };
        let n_tries_max = session.limits().lock_wait_retries + 1;
        if !source.is_contention() || n_tries >= n_tries_max || work.stop.is_cancelled() {
            return Err(source);
        }
        // Of the record alone: nothing else is in the transaction.
        let _ = session.roll_back().await?;
        let for_what = format!("try {} of {n_tries_max} after {source}", n_tries + 1);
        work.events.tell(Event::Waiting { tenant: work.tenant.clone(), at: None, for_what }).await;
        select! {
            biased;
            () = work.stop.cancelled() => return Err(source),
            () = sleep(pause_before_retry(n_tries)) => n_tries += 1,
        }
    }
}
