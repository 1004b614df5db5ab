//! What a database is to the executor: rows and tables, a history, a journal.

use backend_migrations::{
    history::{History, HistoryRow},
    mysql::books::{self, JournalRow, StatementRow},
    session::SessionError,
};

/// What is committed, or would be if the open transaction were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    /// The statements whose effect is here, in order. One that a failure left half done has ` (half)` after it.
    pub(crate) effects: Vec<String>,
    /// `_sqlx_migrations`, if it exists.
    pub(crate) rows: Option<Vec<HistoryRow>>,
    /// `_backend_migrations_journal`, if it exists.
    pub(crate) journal: Option<Vec<JournalRow>>,
    /// `_backend_migrations_statements`, if it exists.
    pub(crate) statements: Option<Vec<StatementRow>>,
}

impl State {
    /// What a session reads of it.
    pub(crate) fn history(&self) -> History {
        let none = Vec::new();
        let statements = self.statements.as_deref().unwrap_or_default();
        History {
            rows: self.rows.clone().unwrap_or_default(),
            progress: books::progress(self.journal.as_ref().unwrap_or(&none), statements),
            has_table: self.rows.is_some(),
            has_journal: self.journal.is_some() && self.statements.is_some(),
            untransacted: None,
        }
    }

    /// Without what differs between two runs that did the same: how long they took.
    pub(crate) fn timeless(mut self) -> Self {
        for row in self.rows.iter_mut().flatten() {
            row.execution_time_ns = row.execution_time_ns.min(0);
        }
        self
    }

    /// Without the effects.
    pub(crate) fn books(&self) -> Self {
        Self { effects: Vec::new(), ..self.clone() }
    }
}

/// A server's answer.
pub(crate) fn server(number: u16, message: &str) -> SessionError {
    SessionError::Server { number, sqlstate: None, message: message.to_owned() }
}
