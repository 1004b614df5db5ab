//! A session that is killed after so many statements.

use crate::{
    history::{Glance, History},
    session::{Fate, Reads, Record, Rollback, SessionError, TenantSession},
};

/// Runs so many statements and answers the next as a server does that was told to kill it.
#[derive(Debug)]
pub(super) struct StopAfter<S> {
    session: S,
    n_left: usize,
}

impl<S> StopAfter<S> {
    /// `session`, for `n_statements` statements.
    pub(super) fn new(session: S, n_statements: usize) -> Self {
        Self { session, n_left: n_statements }
    }
}

impl<S: TenantSession> TenantSession for StopAfter<S> {
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
        let Some(n_left) = self.n_left.checked_sub(1) else {
            return Err(SessionError::Killed { fate: Fate::NotApplied });
        };
        self.n_left = n_left;
        self.session.execute(statement).await
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        self.session.roll_back().await
    }

    async fn record(&mut self, record: Record<'_>) -> Result<(), SessionError> {
        self.session.record(record).await
    }

    async fn close(self) {
        self.session.close().await;
    }
}
