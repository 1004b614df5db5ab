//! A session that is killed as soon as it has got on.

use std::collections::BTreeSet;

use crate::{
    history::{Glance, History},
    session::{Fate, Reads, Record, Rollback, SessionError, TenantSession},
};

/// Answers the first statement after those that it has recorded as a server does that was told to kill the connection.
#[derive(Debug)]
pub(super) struct StopAfterRecord<'a, S> {
    session: S,
    /// The places of statements after which it is not killed.
    passed: &'a BTreeSet<usize>,
    /// So many records of statements it writes before.
    n_records: usize,
    /// The statement that was recorded last.
    recorded: Option<usize>,
    has_stopped: bool,
}

impl<'a, S> StopAfterRecord<'a, S> {
    pub(super) fn new(session: S, n_records: usize, passed: &'a BTreeSet<usize>) -> Self {
        Self { session, passed, n_records, recorded: None, has_stopped: false }
    }

    /// The statement that was recorded last, by its place.
    pub(super) fn recorded(&self) -> Option<usize> {
        self.recorded
    }

    /// Whether it was killed.
    pub(super) fn has_stopped(&self) -> bool {
        self.has_stopped
    }
}

impl<S: TenantSession> TenantSession for StopAfterRecord<'_, S> {
    async fn history(&mut self) -> Result<History, SessionError> {
        self.session.history().await
    }

    async fn glance(&mut self) -> Result<Glance, SessionError> {
        self.session.glance().await
    }

    async fn lock(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.session.lock(reads).await
    }

    async fn renew(&mut self, reads: Reads) -> Result<History, SessionError> {
        self.session.renew(reads).await
    }

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        if self.n_records == 0 {
            self.has_stopped = true;
            return Err(SessionError::Killed { fate: Fate::NotApplied });
        }
        self.session.execute(statement).await
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        self.session.roll_back().await
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), SessionError> {
        let statement = match &record {
            Record::StatementDone { statement, .. } => Some(*statement),
            _ => None,
        };
        self.session.record(record).await?;
        if let Some(place) = statement.filter(|place| !self.passed.contains(place)) {
            self.recorded = Some(place);
            self.n_records -= 1;
        }
        Ok(())
    }

    async fn close(self) {
        self.session.close().await;
    }
}
