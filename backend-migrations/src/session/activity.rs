//! What another connection to the server is doing, as far as the account that looks may see.

use std::fmt;

use crate::{
    history::History,
    migration::{MigrationSet, Script, Version},
    sql::shape,
};

/// How much of a statement is worth a place in a message.
const N_STATEMENT_CHARS_MAX: usize = 100;

/// Another connection, as the server lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The server's number for the connection, which `KILL` takes.
    pub connection_id: u64,
    /// `user@host:port`; `None` where the account that looks may not see other accounts' connections, which takes the
    /// privilege PROCESS.
    pub account: Option<String>,
    /// The statement that it runs, as it was sent; `None` where it runs none. It may hold somebody's data: what is shown
    /// of it is its shape.
    pub statement: Option<String>,
    /// The server's word for the stage that the statement is in, such as `Waiting for table metadata lock`.
    pub state: Option<String>,
    /// For how many seconds it has been running its statement, or idle.
    pub seconds: Option<u64>,
    /// For how many seconds its transaction has been open; `None` where it has none, or that may not be seen.
    pub transaction_s: Option<u64>,
    /// Whether it holds the lock of the database that was looked at.
    pub holds_lock: bool,
}

impl Activity {
    /// Whether the statement that it runs waits for a lock of the server's own: on a table's definition, on the whole
    /// server. A wait for a row has no such word.
    pub fn waits_for_lock(&self) -> bool {
        // MySQL 8.4 manual, "General Thread States": "Waiting for table metadata lock", "Waiting for global read lock",
        // "Waiting for backup lock", and so on; MariaDB's are the same.
        self.state.as_deref().is_some_and(|state| state.starts_with("Waiting for") && state.ends_with("lock"))
    }

    /// The migrations that look half done in `history` and are not, since this connection is at work on them: all of them,
    /// if it holds the database's lock, else those whose statement it runs. For sqlx-cli takes no lock, and the server goes
    /// on with a file after its client is gone.
    pub fn works_on(&self, set: &MigrationSet, history: &History) -> Vec<Version> {
        if self.holds_lock {
            return history.rows.iter().filter(|row| !row.success).map(|row| row.version).collect();
        }
        let unfinished = history.unfinished(set).into_iter();
        unfinished.filter(|(_, script)| self.runs(script)).map(|(version, _)| version).collect()
    }

    /// What may be shown of a statement that another connection runs.
    pub(crate) fn shape_of(statement: &str) -> String {
        shape(statement, N_STATEMENT_CHARS_MAX)
    }

    /// Whether it runs one of this script's statements.
    fn runs(&self, script: &Script) -> bool {
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let Some(running) = self.statement.as_deref().map(squeeze) else { return false };
        // The server lists a comment before a statement as a part of it.
        let mut statements = script.statements.iter().map(|statement| squeeze(&statement.text));
        statements.any(|text| running.trim_end_matches(';').ends_with(&text))
    }
}

impl fmt::Display for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "connection {}", self.connection_id)?;
        let Some(account) = &self.account else {
            return f.write_str(", of which an account without the privilege PROCESS may not see more");
        };
        write!(f, " ({account})")?;
        match (&self.statement, self.seconds, self.transaction_s) {
            (Some(statement), Some(s), _) => {
                write!(f, ", for {s} s: {}", Self::shape_of(statement))
            }
            (Some(statement), None, _) => write!(f, ": {}", Self::shape_of(statement)),
            (None, _, Some(s)) => write!(f, ", idle in a transaction that has been open for {s} s"),
            (None, Some(s), None) => write!(f, ", idle for {s} s"),
            (None, None, None) => f.write_str(", idle"),
        }
    }
}
