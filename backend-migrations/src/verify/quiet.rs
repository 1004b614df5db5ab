//! A session for scripts that leave no trace but in the schema.
//!
//! Most migrations are one DDL statement up and one down. Such a statement is all or nothing, so there is nothing to be
//! stopped in the middle, and it neither knows nor changes anything of its session: one connection serves them all. To
//! open one for each, lock the database and write the history would take the server as long as the statements, and the
//! tenant that lags behind shows that all of it works. So the history that the executor asks for is kept in memory.

use super::cost::Probe;
use crate::{
    finding::StatementCost,
    history::{History, HistoryRow},
    migration::{Direction, Migration, StatementKind},
    mysql::MySqlSession,
    scratch::{Scratch, ScratchError},
    session::{Reads, Record, Rollback, SessionError, TenantSession},
};

/// Whether both of a migration's scripts are such.
pub(super) fn is_quiet(migration: &Migration) -> bool {
    let mut scripts = [Some(&migration.up), migration.down.as_ref()].into_iter().flatten();
    scripts.all(|script| match script.statements.as_slice() {
        [] => true,
        [statement] => statement.kind == StatementKind::Ddl,
        _ => false,
    })
}

/// The session, between two scripts or in one.
#[derive(Debug)]
pub(super) struct QuietSession {
    probe: Probe<MySqlSession>,
    /// The migration that is there to be undone.
    applied: Option<HistoryRow>,
}

impl QuietSession {
    pub(super) async fn open(scratch: &Scratch) -> Result<Self, ScratchError> {
        let mut session = scratch.session().await?;
        if let Err(source) = session.set_up().await {
            session.close().await;
            return Err(ScratchError::NotSetUp(source));
        }
        let probe = Probe::new(session, scratch.inspect().await?, scratch.server().flavour);
        Ok(Self { probe, applied: None })
    }

    /// Says what is run next, and whether it is to be found out what that costs.
    pub(super) fn begin(&mut self, migration: &Migration, direction: Direction, is_probed: bool) {
        self.applied = (direction == Direction::Down).then(|| HistoryRow {
            version: migration.version,
            description: migration.description.clone(),
            success: true,
            checksum: migration.up.checksum.0.to_vec(),
            execution_time_ns: 0,
            installed_on_s: 0,
        });
        if is_probed {
            self.probe.begin(&migration.up);
        }
    }

    /// What that cost.
    pub(super) fn take_costs(&mut self) -> Vec<StatementCost> {
        self.probe.take_costs()
    }
}

impl TenantSession for QuietSession {
    async fn history(&mut self) -> Result<History, SessionError> {
        let rows = self.applied.iter().cloned().collect();
        Ok(History { rows, has_table: true, ..History::default() })
    }

    async fn lock(&mut self, _: Reads) -> Result<History, SessionError> {
        self.history().await
    }

    async fn renew(&mut self, _: Reads) -> Result<History, SessionError> {
        // One DDL statement leaves nothing in its session.
        self.history().await
    }

    async fn execute(&mut self, statement: &str) -> Result<u64, SessionError> {
        self.probe.execute(statement).await
    }

    async fn roll_back(&mut self) -> Result<Rollback, SessionError> {
        self.probe.roll_back().await
    }

    async fn record(&mut self, _: Record<'_>) -> Result<(), SessionError> {
        Ok(())
    }

    async fn close(self) {
        self.probe.close().await;
    }
}
