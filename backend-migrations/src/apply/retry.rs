//! Waiting for locks: who holds them, and what is tried again.
//!
//! A server that answers 1205 or 1213 has undone the statement, so a DDL statement that waited for its table in vain
//! (1205) can be sent again as it is. A DML statement is tried again with all that has not been committed before it: after a
//! deadlock the server has rolled that back, after a lock wait it has not, and both are brought to the same by a
//! rollback of ours. What may have left something behind (an opaque statement, a lost connection, a temporary table or a
//! computed variable that the second try would find) is never tried again.

use std::time::Duration;

use tokio::{pin, select, time::sleep};

use super::{ApplyError, Run};
use crate::{
    entropy::pause_before_retry,
    event::{Event, Place},
    migration::{Script, Statement, StatementKind},
    plan::survives_a_new_session,
    session::{Blockage, Limits, Record, SessionError, Sight, TenantSession, Watch as _},
};

/// `ER_LOCK_WAIT_TIMEOUT`: of a row's lock and of a metadata lock.
const LOCK_WAIT_TIMEOUT: u16 = 1205;
/// `ER_LOCK_DEADLOCK`.
const DEADLOCK: u16 = 1213;

/// Whether a lock was waited for in vain.
pub(super) fn is_lock_wait(source: &SessionError) -> bool {
    matches!(source, SessionError::Server { number: LOCK_WAIT_TIMEOUT, .. })
}

/// The statement of `script` to go on with after statement `index` failed with `source`; `None` where that is not known
/// to have left nothing.
fn restart_at(script: &Script, index: usize, has_journal: bool, source: &SessionError) -> Option<usize> {
    let SessionError::Server { number: number @ (LOCK_WAIT_TIMEOUT | DEADLOCK), .. } = source else {
        return None;
    };
    let is_repeatable = |s: &Statement| {
        matches!(s.kind, StatementKind::Dml | StatementKind::Session) && survives_a_new_session(s)
    };
    match script.statements[index].kind {
        // It has committed the record that it begins, which a deadlock's rollback may have taken away.
        StatementKind::Ddl => (*number == LOCK_WAIT_TIMEOUT).then_some(index),
        StatementKind::Dml if has_journal => is_repeatable(&script.statements[index]).then_some(index),
        // Without a journal the script is one transaction.
        StatementKind::Dml => script.statements[..=index].iter().all(is_repeatable).then_some(0),
        StatementKind::Session | StatementKind::Opaque => None,
    }
}

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

    /// Gets ready to try again after statement `index` failed with `source`; gives the statement to go on with.
    ///
    /// # Errors
    ///
    /// That of the statement, with the books left as the database is, where it is not to be tried again.
    pub(super) async fn retry(&mut self, index: usize, source: SessionError) -> Result<usize, ApplyError> {
        let may_retry =
            self.n_tries <= self.session.limits().lock_wait_retries && !self.work.stop.is_cancelled();
        let restart = restart_at(self.script, index, self.has_journal, &source).filter(|_| may_retry);
        let Some(restart) = restart else { return Err(self.give_up(index, source).await) };
        // Out of the way meanwhile: whoever queued behind this statement goes first.
        if self.script.statements[index].kind == StatementKind::Dml
            && let Err(source) = self.session.record(Record::StartOver).await
        {
            return Err(self.give_up(index, source).await);
        }
        let pause = pause_before_retry(self.n_tries);
        let for_what = format!(
            "try {} of {} after {source}",
            self.n_tries + 1,
            self.session.limits().lock_wait_retries + 1
        );
        let (tenant, at) = (self.work.tenant.clone(), Some(self.place(index)));
        self.work.events.tell(Event::Waiting { tenant, at, for_what }).await;
        select! {
            biased;
            () = self.work.stop.cancelled() => return Err(self.give_up(index, source).await),
            () = sleep(pause) => {}
        }
        self.n_tries += 1;
        if self.script.statements[index].kind == StatementKind::Dml && restart == self.step.n_finished {
            // Its own rows were rolled back with the statements'.
            self.finished.truncate(restart);
            self.begin().await?;
        }
        Ok(restart)
    }
}

/// Soon enough to see who it is before the wait is over, late enough not to look at every statement.
fn first_look_after(limits: &Limits) -> Duration {
    limits.lock_wait.div_f32(2.0).min(Duration::from_secs(1))
}

/// A statement that runs for an hour may wait at its end.
const LOOK_INTERVAL_MAX: Duration = Duration::from_secs(5);
