//! What the executor asks of a connection to one database. All decisions sit above it; it only carries them out.

mod activity;
mod error;
mod wait;

use std::{future::Future, time::Duration};

pub use self::{
    activity::Activity,
    error::{ConnectError, Fate, LockHolder, SessionError, Whose},
    wait::{Blind, Blockage, Sight, Watch},
};

use crate::{
    history::{History, StatementDigest},
    migration::{Checksum, Direction, Migration, Version},
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
/// at every moment sqlx sees what it would have written itself.
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
        /// Whether the database has this script half done already.
        is_resume: bool,
        /// What the journal is to say; `None` where a script needs none.
        journal: Option<JournalEntry<'a>>,
    },
    /// A statement is done: commits it with its record and opens the next transaction.
    StatementDone {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// What the journal is to say now.
        journal: JournalEntry<'a>,
    },
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
    /// A statement failed after others were committed: rolls it back and keeps the server's words in the journal.
    Fail {
        /// The migration's version.
        version: Version,
        /// Which of its scripts.
        direction: Direction,
        /// What the journal is to say.
        journal: JournalEntry<'a>,
    },
    /// What is not committed is to be tried again: rolls it back and opens the transaction anew. What [`Record::Begin`]
    /// wrote is gone with it, if nothing has committed it.
    StartOver,
    /// Nothing of the script is in the database: rolls back and removes every note of it.
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

/// A connection to one tenant's database.
pub trait TenantSession: Send {
    /// Reads what the database remembers: one round trip where nothing is dirty, without lock, DDL or write.
    fn history(&mut self) -> impl Future<Output = Result<History, SessionError>> + Send;

    /// As [`TenantSession::history`], or briefer ([`History::is_brief`], and no journal) where that is cheaper: it is the
    /// one query that a database with nothing pending costs.
    fn glance(&mut self) -> impl Future<Output = Result<History, SessionError>> + Send {
        self.history()
    }

    /// Takes the database's lock, waiting a bounded time, sets the session up as sqlx does, and reads history and journal
    /// anew under the lock; the history may be brief ([`History::is_brief`]).
    fn lock(&mut self) -> impl Future<Output = Result<History, SessionError>> + Send;

    /// The other connections that are at work in the database, as far as they may be seen: whoever holds its lock first. None
    /// where nobody else knows of the database.
    fn at_work(&mut self) -> impl Future<Output = Result<Vec<Activity>, SessionError>> + Send {
        async { Ok(Vec::new()) }
    }

    /// What a person should know of the lock that was just taken; told once a server.
    fn lock_caveat(&mut self) -> Option<String> {
        None
    }

    /// Runs one statement of a script; gives the number of rows it touched.
    fn execute(&mut self, statement: &str) -> impl Future<Output = Result<u64, SessionError>> + Send;

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
