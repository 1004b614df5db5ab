//! What the executor asks of a connection to one database. All decisions sit above it; it only carries them out.

mod activity;
mod error;
pub mod number;
mod wait;

use std::{future::Future, time::Duration};

pub use self::{
    activity::Activity,
    error::{ConnectError, Fate, LockHolder, SessionError, Whose},
    wait::{Blind, Blockage, Sight, Watch},
};

use crate::{
    history::{Glance, History, StatementDigest},
    migration::{Checksum, Direction, Migration, Version},
    plan::ExistingTables,
    tenant::Target,
};

/// How long anything may take. None of them is "for ever".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Name look-up, TCP, TLS and login together.
    pub connect: Duration,
    /// The wait for another run to let go of the database.
    pub lock: Duration,
    /// The server's wait for a metadata or row lock (`lock_wait_timeout`, `innodb_lock_wait_timeout`): whole seconds.
    pub lock_wait: Duration,
    /// One statement.
    pub statement: Duration,
    /// How often connecting is tried again where a server may be back in a moment. A time-out is not tried again: it has
    /// taken its whole limit already.
    pub connect_retries: u32,
    /// How often a statement is tried again that waited for a lock in vain, or that the server chose to end a deadlock.
    pub lock_wait_retries: u32,
}

impl Limits {
    /// 10 s to connect, 10 s for another run, 5 s for a table's lock, an hour for a statement; three more tries each.
    ///
    /// MySQL's own default for a metadata lock is a year, and a waiting `ALTER` makes every later query on its table
    /// wait behind it: five seconds is what an application's users may not notice.
    pub const DEFAULT: Self = Self {
        connect: Duration::from_secs(10),
        lock: Duration::from_secs(10),
        lock_wait: Duration::from_secs(5),
        statement: Duration::from_hours(1),
        connect_retries: 3,
        lock_wait_retries: 3,
    };
}

/// One entry in the books of a database: sqlx's history table and our journal beside it.
///
/// Each is one round trip. Together with [`TenantSession::execute`] they keep to sqlx's own order of statements, so that
/// at every moment sqlx sees what it would have written itself. What a record writes is committed whole or not at all, and
/// only by a connection that holds the database's lock and only where each of its statements changes as many rows as it
/// must; else it fails with [`SessionError::LockLost`] or [`SessionError::Miscounted`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// Makes `_sqlx_migrations` as sqlx does, and the journal.
    CreateTables {
        /// Whether the history table is missing.
        history: bool,
        /// Whether the journal is missing and will be needed.
        journal: bool,
    },
    /// Removes the journal's row of a script that is not half done any more.
    Forget {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
    },
    /// Opens a transaction and notes in it that a script begins (or goes on); left open, for the first statement to
    /// commit it, or to be undone with it.
    Begin {
        /// The migration.
        migration: &'a Migration,
        /// Which of its scripts.
        direction: Direction,
        /// Whether the history has a row that says so already.
        is_begun: bool,
        /// What the journal is to say; `None` where a script needs none.
        journal: Option<JournalEntry<'a>>,
    },
    /// A statement is done: commits it with its record and opens the next transaction.
    StatementDone {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// Which statement, from 0.
        statement: usize,
        /// Its digest.
        digest: StatementDigest,
        /// The one that runs now, if a crash would leave doubt about it.
        running: Option<usize>,
        /// Whether the statement may still be uncommitted: it is committed with its record then.
        in_transaction: bool,
    },
    /// Commits, and opens the next transaction: for a statement that must not share one with its record.
    Commit,
    /// The whole script is done: commits the last statement with the history's final row.
    Finish {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// How long it took.
        elapsed: Duration,
        /// Whether the last statement is still uncommitted for certain. Where it may or may not be, as after a `CALL`,
        /// it is committed before the row changes, and a crash in between leaves what a DDL statement would.
        in_transaction: bool,
        /// Whether a journal row is to be removed.
        has_journal: bool,
    },
    /// A statement failed after others were committed, and was rolled back: keeps the server's words in the journal.
    Fail {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// The statement that failed, if a part of it may be in the database.
        running: Option<usize>,
        /// What the server said.
        error: &'a str,
    },
    /// A script has failed, and a part of it may be in the database: writes what history and journal are to say.
    Leave {
        /// The migration.
        migration: &'a Migration,
        /// Which of its scripts.
        direction: Direction,
        /// Whether the history has a row that says that it has begun.
        is_begun: bool,
        /// What the journal is to say.
        journal: JournalEntry<'a>,
    },
    /// Nothing of the script is in the database: removes every note of it.
    Abandon {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// Whether a journal row is to be removed.
        has_journal: bool,
    },
    /// Writes down how far a migration got that nobody recorded, or that it goes back now: what the journal said of it is
    /// replaced. The next run goes on from there.
    Settle {
        /// The migration's version.
        version: Version,
        /// The script that goes on.
        direction: Direction,
        /// What the journal is to say.
        journal: JournalEntry<'a>,
    },
    /// Declares that a migration which was begun is complete, or that nothing of it is there.
    Declare {
        /// The migration's version.
        version: Version,
        /// The checksum of the file that it is declared applied from; `None` declares it not applied.
        applied: Option<&'a Checksum>,
        /// Whether the journal exists.
        has_journal: bool,
    },
}

/// What the journal says of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry<'a> {
    /// How many statements the script has.
    pub n_statements: usize,
    /// Those that are committed.
    pub finished: &'a [StatementDigest],
    /// The one that runs now, if a crash would leave doubt about it.
    pub running: Option<usize>,
    /// What the server said to the one after the finished ones.
    pub error: Option<&'a str>,
}

/// What is left of a transaction that was rolled back.
#[must_use = "what could not be rolled back is in the database"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// Nothing.
    Whole,
    /// What it changed in tables without transactions (`MyISAM`, Aria, MEMORY).
    Partial,
}

/// What is read together with the books when the lock is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Nothing more.
    Books,
    /// Which tables have no transactions too: for a run that writes rows.
    Tables,
}

/// A connection to one tenant's database.
pub trait TenantSession: Send {
    /// Reads what the database remembers: one round trip where nothing is dirty, without lock, DDL or write.
    fn history(&mut self) -> impl Future<Output = Result<History, SessionError>> + Send;

    /// Reads what tells whether there is anything to do: the one query that a database with nothing pending costs.
    fn glance(&mut self) -> impl Future<Output = Result<Glance, SessionError>> + Send {
        async { Ok(Glance::from(&self.history().await?)) }
    }

    /// Takes the database's lock, waiting a bounded time, sets the session up as sqlx does, and reads history and journal
    /// anew under the lock.
    fn lock(&mut self, reads: Reads) -> impl Future<Output = Result<History, SessionError>> + Send;

    /// Makes the session as new for the next migration of the same run: what the statements of the one before left in it is
    /// gone, and the lock is held. History and journal are read anew as by [`TenantSession::lock`], since the lock may have
    /// been let go of: another run may have been at work meanwhile.
    fn renew(&mut self, reads: Reads) -> impl Future<Output = Result<History, SessionError>> + Send;

    /// The other connections that are at work in the database, as far as they may be seen: whoever holds its lock first. None
    /// where nobody else knows of the database.
    fn at_work(&mut self) -> impl Future<Output = Result<Vec<Activity>, SessionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// The tables and views in a database that has no history. None where nobody else could have made any.
    fn existing_tables(&mut self) -> impl Future<Output = Result<ExistingTables, SessionError>> + Send {
        async { Ok(ExistingTables::default()) }
    }

    /// Those of these texts, by their place, that the history's column `description` cannot hold as it is or will be made,
    /// each with the column's character set. None where the history is of our own making.
    fn unwritable(
        &mut self,
        _descriptions: &[&str],
    ) -> impl Future<Output = Result<Vec<(usize, String)>, SessionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// What a person should know of the lock that was just taken; told once a server.
    fn lock_caveat(&mut self) -> Option<String> {
        None
    }

    /// Runs one statement of a script; gives the number of rows it touched.
    fn execute(&mut self, statement: &str) -> impl Future<Output = Result<u64, SessionError>> + Send;

    /// Undoes what is not committed.
    fn roll_back(&mut self) -> impl Future<Output = Result<Rollback, SessionError>> + Send;

    /// Writes into the books.
    fn record(&mut self, record: Record<'_>) -> impl Future<Output = Result<(), SessionError>> + Send;

    /// The limits that it keeps to.
    fn limits(&self) -> Limits {
        Limits::DEFAULT
    }

    /// Something that can look at this connection while a statement runs on it.
    fn watch(&self) -> impl Watch + use<Self> {
        Blind
    }

    /// Lets go of the lock, if it is held, and of the connection.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// Opens sessions: the real thing in production, a script in tests.
pub trait Connect: Sync {
    /// What it opens.
    type Session: TenantSession;

    /// How often connecting is worth another try; see [`Limits::connect_retries`].
    fn retries(&self) -> u32 {
        Limits::DEFAULT.connect_retries
    }

    /// Connects and logs in, within [`Limits::connect`].
    fn connect(&self, target: Target) -> impl Future<Output = Result<Self::Session, ConnectError>> + Send;
}
