//! How the work on a database ended.

use crate::{
    event::Place,
    migration::Direction,
    plan::PlanError,
    session::{Blockage, SessionError},
};

/// How the work on a database ended that nothing failed in.
#[must_use = "a run that was told to stop has not reached its goal"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The database is at the goal.
    Complete,
    /// The run was told to stop, and the database is not at the goal.
    Stopped {
        /// How many migrations were not begun: at least one.
        n_remaining: usize,
    },
}

/// Why the work on a database ended early.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// History and files do not fit; nothing ran.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The lock could not be had; nothing ran.
    #[error(transparent)]
    Lock(SessionError),
    /// The books could not be read; nothing ran since they were last written.
    #[error("the migration history cannot be read: {0}")]
    Unread(SessionError),
    /// The books could not be written, and nothing ran that they do not know of.
    #[error("the migration history cannot be written: {0}")]
    Unwritten(SessionError),
    /// The session could not be made as new for the next migration, of which nothing is begun.
    #[error(transparent)]
    Renew(SessionError),
    /// Between two migrations another run has changed what is applied, and the rest cannot be done as it was planned.
    #[error("another run has changed which migrations are applied while this one was between two of them")]
    Changed,
    /// A statement failed.
    #[error("{0}")]
    Statement(Box<StatementError>),
}

/// A statement that failed, and what is in the database after it.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct StatementError {
    /// Which statement.
    pub at: Place,
    /// Its text.
    pub text: String,
    /// Which of the migration's scripts ran.
    pub direction: Direction,
    /// What the server or the connection said.
    pub source: SessionError,
    /// How often it was tried.
    pub n_tries: u32,
    /// Who was seen to hold the lock that it waited for.
    pub blockage: Option<Blockage>,
    /// What is in the database now.
    pub aftermath: Aftermath,
}

/// What a script that failed left in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aftermath {
    /// Nothing, and no record of it.
    Nothing,
    /// So many statements are committed and recorded; the next run goes on with the one that failed.
    Partly {
        /// How many.
        n_finished: usize,
    },
    /// So many statements are committed; whether the one that failed is committed too is not known.
    Unclear {
        /// How many.
        n_finished: usize,
    },
    /// So many statements are committed, and of those after them, up to the one that failed, what they changed in tables
    /// without transactions.
    Remains {
        /// How many.
        n_finished: usize,
    },
    /// So many statements are committed, but that could not be recorded, because of a second error.
    Unrecorded {
        /// How many.
        n_finished: usize,
    },
    /// The statement and its record commit together, so the next run reads in the history whether both are there.
    Recorded,
}

impl ApplyError {
    /// Whether the run was told twice to stop while this database was looked at or its lock was waited for: nothing of it
    /// was begun, which is no failure of it.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Lock(SessionError::Interrupted) | Self::Unread(SessionError::Interrupted))
    }
}
