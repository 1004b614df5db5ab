//! What can happen in a run: a closed list, without secrets and without data from tables.

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    diagnosis::{Diagnosis, Offer, Way},
    migration::{Direction, Migration, Version},
    selection::Coverage,
    standing::Standing,
    tenant::SharedLabel,
};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Applies pending migrations.
    Migrate,
    /// Undoes applied ones.
    Rollback,
    /// Looks, and changes nothing.
    Status,
    /// Settles what was left half done.
    Recover,
}

/// Which databases a run is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The central database.
    Central,
    /// One tenant.
    Tenant,
    /// All active tenants, or those selected among them.
    Fleet,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The run begins.
    RolloutStarted {
        /// What it is for.
        task: Task,
        /// Which databases it is over.
        scope: Scope,
        /// How many they are.
        n_tenants: usize,
        /// What tenants were selected by, and who was left out.
        coverage: Coverage,
        /// The command that goes on where this run is interrupted, if running it again is not that command.
        go_on: Option<String>,
        /// Whether it only plans.
        is_dry_run: bool,
    },
    /// A tenant's turn begins.
    TenantStarted {
        /// Whose.
        tenant: SharedLabel,
    },
    /// It is known what is to be done.
    TenantPlanned {
        /// For whom.
        tenant: SharedLabel,
        /// How many migrations are to be applied or undone.
        n_migrations: usize,
    },
    /// A migration begins.
    MigrationStarted {
        /// Whose database.
        tenant: SharedLabel,
        /// The file.
        file_name: String,
        /// How many statements it has.
        n_statements: usize,
        /// How many of them are in the database already.
        n_finished: usize,
    },
    /// A statement begins.
    StatementStarted {
        /// Whose database.
        tenant: SharedLabel,
        /// Which statement.
        at: Place,
    },
    /// Something is waited for, which is bounded and may be long.
    Waiting {
        /// Whose database.
        tenant: SharedLabel,
        /// The statement that waits or will be tried again; `None` while there is no connection, and for a replay.
        at: Option<Place>,
        /// What for, and for whom where that is known.
        for_what: String,
    },
    /// A statement is done.
    StatementFinished {
        /// Whose database.
        tenant: SharedLabel,
        /// Which statement.
        at: Place,
        /// How many rows it touched.
        n_rows: u64,
        /// How long it took.
        elapsed: Duration,
    },
    /// A migration is done and recorded.
    MigrationFinished {
        /// Whose database.
        tenant: SharedLabel,
        /// Which.
        done: MigrationDone,
    },
    /// It is known how far a migration got that was begun and not completed.
    MigrationDiagnosed {
        /// Whose database.
        tenant: SharedLabel,
        /// How far, and how that is known.
        diagnosis: Arc<Diagnosis>,
        /// The ways on.
        offers: Vec<Offer>,
        /// The way that was asked for; `None` only looks.
        asked: Option<Way>,
    },
    /// A migration that was half done is so no longer.
    MigrationSettled {
        /// Whose database.
        tenant: SharedLabel,
        /// Which, and how.
        settled: Settled,
    },
    /// A tenant's turn is over.
    TenantFinished {
        /// Whose.
        tenant: SharedLabel,
        /// How it ended.
        outcome: Outcome,
        /// How long it took, connecting included.
        elapsed: Duration,
    },
    /// Something a person should know that stops nothing.
    Warning {
        /// Whose database it is about.
        tenant: Option<SharedLabel>,
        /// What.
        message: String,
    },
    /// No more tenants are begun.
    Stopping {
        /// Why.
        reason: StopReason,
    },
    /// The run is over.
    RolloutFinished {
        /// These were never begun.
        not_started: Vec<SharedLabel>,
        /// Why the run stopped before its end, if it did.
        stopped: Option<StopReason>,
        /// How long it took.
        elapsed: Duration,
    },
}

/// A statement in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file_name: String,
    /// Its line, from 1.
    pub line: usize,
    /// Which statement of the file, from 1.
    pub statement: usize,
    /// How many the file has.
    pub n_statements: usize,
}

/// A migration that was applied or undone in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationDone {
    /// Its version.
    pub version: Version,
    /// The file that ran.
    pub file_name: String,
    /// Applied or undone.
    pub direction: Direction,
    /// How long it took.
    pub elapsed: Duration,
}

/// A half-done migration that was settled in this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its version.
    pub version: Version,
    /// The words of its file name.
    pub description: String,
    /// The way that was gone.
    pub way: Way,
    /// Whether the migration is applied now.
    pub is_applied: bool,
}

/// A migration that would be applied or undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MigrationPlanned {
    /// The migration with its scripts.
    pub migration: Arc<Migration>,
    /// Applied or undone.
    pub direction: Direction,
    /// How many of its statements are in the database already.
    pub n_finished: usize,
}

/// How a tenant's turn ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Nothing was to be done.
    UpToDate,
    /// Everything that was to be done is done.
    Migrated {
        /// In the order it was done.
        done: Vec<MigrationDone>,
    },
    /// What would be done: a dry run's answer.
    Planned {
        /// In the order it would be done.
        steps: Vec<MigrationPlanned>,
    },
    /// Where the database stands: a status run's answer.
    Inspected {
        /// Every version.
        standing: Standing,
        /// Who is at work on what is running, in words; `None` where nothing is.
        at_work: Option<String>,
    },
    /// Something is still half done: a recovery that only looked, or did not go its way to the end.
    Diagnosed {
        /// How many migrations are half done.
        n_dirty: usize,
        /// Those that were settled before one was not.
        settled: Vec<Settled>,
    },
    /// Nothing is half done any more.
    Recovered {
        /// In the order it was done.
        settled: Vec<Settled>,
    },
    /// Its row names the database of another tenant of this run, which is worked on there.
    SameDatabase {
        /// Which, in words.
        why: String,
    },
    /// The run was told to stop; the tenant rests between two migrations.
    Stopped {
        /// What was done before.
        done: Vec<MigrationDone>,
        /// How many migrations remain.
        n_remaining: usize,
    },
    /// It failed.
    Failed {
        /// What was done before.
        done: Vec<MigrationDone>,
        /// Why.
        failure: Box<Failure>,
    },
}

/// Why a tenant failed, in words for the person who is woken by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A stable word for programs.
    pub code: FailureCode,
    /// What failed.
    pub message: String,
    /// The statement that failed, if one did.
    pub at: Option<Place>,
    /// The beginning of that statement's text, in one line.
    pub excerpt: Option<String>,
    /// What is in the database now.
    pub state: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// The kinds of failure, as `--format json` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureCode {
    /// The sealed password is malformed or was sealed under another key.
    Credentials,
    /// There is no connection.
    Connect,
    /// The server refused user and password.
    AccessDenied,
    /// There is no such database, or it may not be used.
    NoDatabase,
    /// Another tenant's row names the same database.
    SameDatabase,
    /// Another run holds the database.
    LockHeld,
    /// History and files do not fit.
    Refused,
    /// What would be undone is not what was shown before.
    Changed,
    /// A migration that is to be undone has no `down`.
    NoDown,
    /// A migration was left half done and nobody recorded where.
    Dirty,
    /// The server refused a statement.
    Statement,
    /// A statement was killed.
    Killed,
    /// The connection was lost.
    ConnectionLost,
    /// The history could not be read or written.
    History,
    /// What the server sent makes no sense, or is more than any answer is.
    BadAnswer,
    /// A fault of this program.
    Fault,
}

impl FailureCode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Connect => "connect",
            Self::AccessDenied => "access-denied",
            Self::NoDatabase => "no-database",
            Self::SameDatabase => "same-database",
            Self::LockHeld => "lock-held",
            Self::Refused => "refused",
            Self::Changed => "changed",
            Self::NoDown => "no-down",
            Self::Dirty => "dirty",
            Self::Statement => "statement",
            Self::Killed => "killed",
            Self::ConnectionLost => "connection-lost",
            Self::History => "history",
            Self::BadAnswer => "bad-answer",
            Self::Fault => "fault",
        }
    }
}

/// Why no more tenants are begun. Ordered: a later reason outranks an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// As many tenants failed as may fail.
    FailureBudget,
    /// The lock on the fleet was lost: another rollout may have begun.
    FleetLockLost,
    /// What happens can no longer be told: standard output is closed, or cannot be written.
    ReporterFailed,
    /// The first Ctrl-C, SIGTERM, SIGHUP or SIGQUIT.
    Interrupted,
    /// The second: statements in flight are killed.
    InterruptedTwice,
}

impl StopReason {
    /// The reason in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailureBudget => "the failure budget is used up",
            Self::FleetLockLost => "the lock on the fleet was lost: another rollout may have begun",
            Self::ReporterFailed => "the output was closed or cannot be written",
            Self::Interrupted => "interrupted",
            Self::InterruptedTwice => "interrupted twice",
        }
    }
}

/// The way events take from the work to the one place that tells them.
///
/// The channel behind it is bounded, and whoever is told must not stand still: work that has locks waits for it. The command
/// line hands on what it is told to a thread that may.
#[derive(Clone, Debug)]
pub struct Events(mpsc::Sender<Event>);

impl Events {
    /// A way and its end.
    pub fn channel() -> (Self, mpsc::Receiver<Event>) {
        let (sender, receiver) = mpsc::channel(64);
        (Self(sender), receiver)
    }

    /// Tells that something happened. That nobody listens any more is no reason to stop the work.
    pub async fn tell(&self, event: Event) {
        self.0.send(event).await.ok();
    }
}
