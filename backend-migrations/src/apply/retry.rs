//! Waiting for locks: who holds them, and what is tried again.
//!
//! A server that answers 1205 or 1213 has undone the statement. A backup's lock (`FLUSH TABLES WITH READ LOCK`, `BACKUP STAGE`)
//! makes it answer so to a write, to a `COMMIT`, which is then a rollback, and to the commit that comes before a
//! DDL statement, which takes the script's row with it. So whatever was not committed is rolled back by us as well, the
//! books are read, and the script begins again, or goes on, from where they say that it is. What has committed by itself
//! and could only not be recorded is recorded again.
//!
//! What may have left something behind (an opaque statement, a lost connection, rows in tables without transactions, a
//! temporary table or a computed variable that the second try would find) is never tried again.

use std::time::Duration;

use tokio::{pin, select, time::sleep};

use super::{
    aftermath::Stand,
    course::Course,
    error::ApplyError,
    run::{Next, Run},
};
use crate::{
    entropy::pause_before_retry,
    event::{Event, Place},
    migration::{Statement, StatementKind},
    plan::survives_a_new_session,
    session::{Blockage, Limits, Rollback, SessionError, Sight, TenantSession, Watch as _, number},
};

impl<S: TenantSession> Run<'_, S> {
    /// Executes statement `index` and looks, from beside its connection, whether it waits for somebody: once it has
    /// failed, who that was may not be seen any more.
    pub(super) async fn watched(&mut self, index: usize, at: &Place) -> Result<u64, SessionError> {
        let (limits, mut watch) = (self.session.limits(), self.session.watch());
        let (work, tenant) = (self.work, self.work.tenant);
        let (blockage, told) = (&mut self.blockage, &mut self.told);
        let execute = self.session.execute(&self.script.statements[index].text);
        let looks = async {
            let mut pause = first_look_after(&limits);
            loop {
                sleep(pause).await;
                pause = limits.lock_wait.div_f32(2.0).clamp(pause, LOOK_INTERVAL_MAX.max(pause));
                let found = match watch.look().await {
                    Sight::Waits(found) => found,
                    // Kept for the error; it is no news while nobody knows whether the statement waits.
                    Sight::Unseen { missing } => {
                        let unseen = Blockage { blockers: Vec::new(), is_certain: false, missing };
                        blockage.get_or_insert(unseen);
                        continue;
                    }
                    Sight::Runs => continue,
                };
                let ids: Vec<_> = found.blockers.iter().map(|blocker| blocker.connection_id).collect();
                if told.replace(ids.clone()) != Some(ids) {
                    let (tenant, at) = (tenant.clone(), Some(at.clone()));
                    let for_what = found.to_string();
                    work.events.tell(Event::Waiting { tenant, at, for_what }).await;
                }
                *blockage = Some(found);
            }
        };
        let result = {
            pin!(execute, looks);
            select! {
                biased;
                result = &mut execute => result,
                () = &mut looks => unreachable!("it looks for as long as the statement runs"),
            }
        };
        watch.close().await;
        result
    }

    /// Gets ready to try again after `at` failed with `source`; gives what is to be done next.
    ///
    /// # Errors
    ///
    /// Where it is not to be tried again, that of the statement, with the books left as the database is.
    pub(super) async fn retry(&mut self, at: Next, source: SessionError) -> Result<Next, ApplyError> {
        let n_tries_max = self.session.limits().lock_wait_retries + 1;
        let may_retry = self.n_tries < n_tries_max && !self.work.stop.is_cancelled();
        if !may_retry || !self.leaves_nothing(at, &source) {
            return Err(self.give_up(at, source).await);
        }
        // Out of the way meanwhile: whoever queued behind this statement goes first.
        match self.undo().await {
            Ok(Rollback::Whole) => {}
            Ok(Rollback::Partial) | Err(_) => return Err(self.give_up(at, source).await),
        }
        self.tell_waiting(at, &source).await;
        select! {
            biased;
            () = self.work.stop.cancelled() => return Err(self.give_up(at, source).await),
            () = sleep(pause_before_retry(self.n_tries)) => {}
        }
        self.n_tries += 1;
        let stand = self.stand().await;
        if self.is_committed_before(at)
            && let Ok(Stand::Begun { n_finished, .. }) = stand
            && (!self.has_journal || n_finished < self.finished.len())
        {
            return Ok(at);
        }
        let n_finished = match stand {
            Ok(Stand::Unbegun) => {
                self.is_begun = false;
                0
            }
            Ok(Stand::Begun { n_finished, running }) if n_finished <= self.finished.len() => {
                self.is_begun = true;
                self.finished.truncate(n_finished);
                if let Next::Execute(index) = at
                    && self.courses[index] == Course::Atomic
                    && (running == self.running() || !self.has_journal)
                {
                    // It has committed the record that says that it runs.
                    return Ok(at);
                }
                n_finished
            }
            // What another has written meanwhile is not gone on from.
            Ok(_) | Err(_) => return Err(self.give_up(at, source).await),
        };
        self.finished.truncate(n_finished);
        Ok(Next::Begin)
    }

    /// Whether the statement that this is the record of has committed before it.
    fn is_committed_before(&self, at: Next) -> bool {
        let index = match at {
            Next::Record(index) => index,
            Next::Finish if !self.courses.is_empty() => self.courses.len() - 1,
            Next::Begin | Next::Execute(_) | Next::Commit(_) | Next::Finish => return false,
        };
        matches!(self.courses[index], Course::Atomic | Course::Alone)
    }

    /// Whether `at`, having failed with `source`, is known to have left nothing that a rollback does not undo.
    fn leaves_nothing(&self, at: Next, source: &SessionError) -> bool {
        let SessionError::Server { number, .. } = source else { return false };
        if !source.is_contention() {
            return false;
        }
        let index = match at {
            Next::Begin => return true,
            Next::Finish if self.courses.is_empty() => return true,
            Next::Commit(_) => return false,
            // A `SET` that fails for a lock has computed something.
            Next::Execute(index) if self.script.statements[index].kind == StatementKind::Session => {
                return false;
            }
            Next::Finish => self.courses.len() - 1,
            Next::Execute(index) | Next::Record(index) => index,
        };
        if self.is_committed_before(at) {
            return true;
        }
        match self.courses[index] {
            // It may have changed something else before a deadlock chose it.
            Course::Atomic => *number == number::LOCK_WAIT_TIMEOUT,
            Course::Alone => {
                *number == number::LOCK_WAIT_TIMEOUT && survives_a_new_session(&self.script.statements[index])
            }
            Course::Together if self.has_journal => survives_a_new_session(&self.script.statements[index]),
            // Without a journal the script is one transaction.
            Course::Together => {
                self.script.statements[..=index].iter().all(|s: &Statement| survives_a_new_session(s))
            }
            Course::Doubtful(_) => false,
        }
    }
}

/// Soon enough to see who it is before the wait is over, late enough not to look at every statement.
fn first_look_after(limits: &Limits) -> Duration {
    limits.lock_wait.div_f32(2.0).min(Duration::from_secs(1))
}

/// A statement that runs for an hour may wait at its end.
const LOOK_INTERVAL_MAX: Duration = Duration::from_secs(5);
