//! Brings one database to a goal: the only loop that applies or undoes migrations.
//!
//! For a tenant, for the fleet, for the central database and for provisioning it is this one.
//!
//! MySQL commits every DDL statement by itself, so a script runs statement by statement, and what is committed is
//! recorded with it or right after it:
//!
//! * A script of DML alone is one transaction together with its history row.
//! * A script of one DDL statement needs no journal: the statement is all or nothing, and the history row, which its
//!   implicit commit makes visible, says that it began.
//! * Any other script has a row in the journal that names the committed statements. A DML statement in it commits
//!   together with that row. Before a DDL statement the row says that it runs, after it that it ran.
//!
//! A statement that waited for a lock in vain is tried again where it is known to have left nothing: see `retry`.

mod retry;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::{
    event::{Event, Events, MigrationDone, Place},
    history::{History, StatementDigest},
    migration::{Direction, MigrationSet, Script, Statement, StatementKind},
    plan::{self, Plan, PlanError, PlanOptions, Step},
    session::{Blockage, Fate, JournalEntry, Record, SessionError, TenantSession},
    tenant::SharedLabel,
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
    /// The history could not be read or written.
    #[error("the migration history cannot be {verb}: {source}")]
    History {
        /// `read` or `written`.
        verb: &'static str,
        /// What the server or the connection said.
        source: SessionError,
    },
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
    /// So many statements are committed; whether the one that failed is too, nobody knows.
    Unclear {
        /// How many.
        n_finished: usize,
    },
    /// So many statements are committed, but that could not be recorded, because of a second error.
    Unrecorded {
        /// How many.
        n_finished: usize,
    },
    /// The statement and its record commit together, so whichever way it went, the next run reads it from the history.
    Recorded,
}

/// What the executor works with besides the session.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    /// The migrations there are.
    pub set: &'a MigrationSet,
    /// What to do with them.
    pub options: &'a PlanOptions,
    /// How the database is called.
    pub tenant: &'a SharedLabel,
    /// Where to tell what happens.
    pub events: &'a Events,
    /// When this is cancelled, the migration in flight is finished and none is begun.
    pub stop: &'a CancellationToken,
}

/// Reads the history and plans, without lock and without a write.
///
/// # Errors
///
/// [`ApplyError::History`] and [`ApplyError::Plan`].
pub async fn prepare<S: TenantSession>(session: &mut S, work: Work<'_>) -> Result<Plan, ApplyError> {
    let read = |source| ApplyError::History { verb: "read", source };
    let glance = session.glance().await.map_err(read)?;
    let plan = plan::plan(work.set, &glance, work.options);
    // A refusal names what it refuses, and what is dirty has its progress in the journal.
    if glance.is_brief && (plan.is_err() || glance.is_dirty()) {
        let history = session.history().await.map_err(read)?;
        return Ok(plan::plan(work.set, &history, work.options)?);
    }
    Ok(plan?)
}

/// Brings the database behind `session` to the goal, or as far as it got before it was told to stop; `done` grows with
/// every migration that is complete, so that the caller knows them after an error too.
///
/// A database with nothing to do costs one query. Otherwise the lock is taken and the plan made anew under it: another
/// run may have been at work since.
///
/// # Errors
///
/// Each variant of [`ApplyError`] says what is in the database after it.
pub async fn apply<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    done: &mut Vec<MigrationDone>,
) -> Result<Applied, ApplyError> {
    match prepare(session, work).await {
        Ok(plan) if plan.steps.is_empty() => return Ok(Applied::Complete),
        // What looks dirty may be another run's work of this moment; only the lock can tell.
        Err(ApplyError::Plan(error)) if !error.is_dirty() => return Err(error.into()),
        Err(error @ ApplyError::History { .. }) => return Err(error),
        _ => {}
    }
    let mut history = session.lock().await.map_err(|source| match source {
        SessionError::LockHeld { .. } | SessionError::LockRefused => ApplyError::Lock(source),
        source => ApplyError::History { verb: "read", source },
    })?;
    if let Some(message) = session.lock_caveat() {
        work.events.tell(Event::Warning { tenant: None, message }).await;
    }
    let mut plan = plan::plan(work.set, &history, work.options);
    if history.is_brief && plan.is_err() {
        let whole = session.history().await;
        history.rows = whole.map_err(|source| ApplyError::History { verb: "read", source })?.rows;
        plan = plan::plan(work.set, &history, work.options);
    }
    let plan = plan?;
    let n_migrations = plan.steps.len();
    work.events.tell(Event::TenantPlanned { tenant: work.tenant.clone(), n_migrations }).await;
    if n_migrations == 0 {
        return Ok(Applied::Complete);
    }
    create_tables(session, &history, &plan).await?;
    forget_settled(session, &history).await?;
    for (n_done, step) in plan.steps.iter().enumerate() {
        if work.stop.is_cancelled() {
            return Ok(Applied::Stopped { n_remaining: n_migrations - n_done });
        }
        let one = Run::new(session, work, step, &history).run().await?;
        work.events.tell(Event::MigrationFinished { tenant: work.tenant.clone(), done: one.clone() }).await;
        done.push(one);
    }
    Ok(Applied::Complete)
}

async fn create_tables<S: TenantSession>(
    session: &mut S,
    history: &History,
    plan: &Plan,
) -> Result<(), ApplyError> {
    let needs_journal = plan.steps.iter().any(|step| needs_journal(step, history));
    let (history, journal) = (!history.has_table, needs_journal && !history.has_journal);
    if history || journal {
        write(session, Record::CreateTables { history, journal }).await?;
    }
    Ok(())
}

/// Removes what the journal says of migrations that a person has settled by hand in the history: begun again, they
/// would seem to have got as far as it says.
async fn forget_settled<S: TenantSession>(session: &mut S, history: &History) -> Result<(), ApplyError> {
    for progress in &history.progress {
        if history.row(progress.version).is_none_or(|row| row.success) {
            let (version, direction) = (progress.version, progress.direction);
            write(session, Record::Forget { version, direction }).await?;
        }
    }
    Ok(())
}

/// Whether a crash in the middle of this step would leave a state that the history row alone cannot tell.
fn needs_journal(step: &Step, history: &History) -> bool {
    let script = step.script();
    // A row that was only declared applied has no time, by which a begun undoing is told from a begun apply.
    let is_timeless = || history.row(step.migration.version).is_some_and(|row| row.execution_time_ns < 0);
    let is_undoing_unknown = step.direction == Direction::Down && is_timeless();
    // A file that was cut down to one statement since it stopped still has its row.
    step.is_resume || (!script.is_transactional() && (script.statements.len() > 1 || is_undoing_unknown))
}

async fn write<S: TenantSession>(session: &mut S, record: Record<'_>) -> Result<(), ApplyError> {
    session.record(record).await.map_err(|source| ApplyError::History { verb: "written", source })
}

/// One script on its way through one database.
struct Run<'a, S> {
    session: &'a mut S,
    work: Work<'a>,
    step: &'a Step,
    script: &'a Script,
    has_journal: bool,
    finished: Vec<StatementDigest>,
    /// How often the statement, or the transaction that it is in, has been tried, this time included.
    n_tries: u32,
    blockage: Option<Blockage>,
    /// The connections that were told to be in the way of the statement that runs.
    told: Option<Vec<u64>>,
}

impl<'a, S: TenantSession> Run<'a, S> {
    fn new(session: &'a mut S, work: Work<'a>, step: &'a Step, history: &History) -> Self {
        let progress = history.progress(step.migration.version, step.direction);
        Self {
            session,
            work,
            step,
            script: step.script(),
            has_journal: needs_journal(step, history),
            finished: progress.filter(|_| step.is_resume).map(|p| p.finished.clone()).unwrap_or_default(),
            n_tries: 1,
            blockage: None,
            told: None,
        }
    }

    async fn run(mut self) -> Result<MigrationDone, ApplyError> {
        let started = Instant::now();
        let n_statements = self.script.statements.len();
        let event = Event::MigrationStarted {
            tenant: self.work.tenant.clone(),
            file_name: self.script.file_name.clone(),
            n_statements,
            n_finished: self.step.n_finished,
        };
        self.work.events.tell(event).await;
        for index in self.step.setup().collect::<Vec<_>>() {
            if let Err(source) = self.execute(index).await {
                return Err(self.give_up(index, source).await);
            }
        }
        self.begin().await?;
        let mut index = self.step.n_finished;
        while index < n_statements {
            if let Err(source) = self.execute(index).await {
                index = self.retry(index, source).await?;
                continue;
            }
            self.finished.push(StatementDigest::of(&self.script.statements[index].text));
            index += 1;
            if self.has_journal && index < n_statements {
                self.book_statement(index - 1).await?;
            }
        }
        let elapsed = started.elapsed();
        self.finish(elapsed).await?;
        Ok(MigrationDone {
            version: self.step.migration.version,
            file_name: self.script.file_name.clone(),
            direction: self.step.direction,
            elapsed,
        })
    }

    async fn begin(&mut self) -> Result<(), ApplyError> {
        let record = Record::Begin {
            migration: &self.step.migration,
            direction: self.step.direction,
            is_resume: self.step.is_resume,
            journal: self.has_journal.then(|| entry(self.script, &self.finished, None)),
        };
        write(self.session, record).await
    }

    async fn execute(&mut self, index: usize) -> Result<(), SessionError> {
        let at = self.place(index);
        let (tenant, started) = (self.work.tenant.clone(), Instant::now());
        let event = Event::StatementStarted { tenant: tenant.clone(), at: at.clone() };
        self.work.events.tell(event).await;
        let n_rows = self.watched(index, &at).await?;
        let elapsed = started.elapsed();
        self.work.events.tell(Event::StatementFinished { tenant, at, n_rows, elapsed }).await;
        Ok(())
    }

    /// The error to end with, statement `index` having failed with `source` for good.
    async fn give_up(&mut self, index: usize, source: SessionError) -> ApplyError {
        let aftermath = self.fail(index, &source).await;
        self.error(index, source, aftermath)
    }

    /// Leaves the books as the database is after statement `index` failed with `source`.
    async fn fail(&mut self, index: usize, source: &SessionError) -> Aftermath {
        let (version, direction) = (self.step.migration.version, self.step.direction);
        let n_finished = self.finished.len();
        let error = source.to_string();
        if fate(self.script.statements[index].kind, source) == Fate::Unknown {
            // The journal says already that this statement runs; only the server's words are new.
            let journal =
                JournalEntry { running: Some(index), ..entry(self.script, &self.finished, Some(&error)) };
            if self.has_journal {
                self.session.record(Record::Fail { version, direction, journal }).await.ok();
            }
            return Aftermath::Unclear { n_finished };
        }
        // Without a journal the whole script is one transaction, or one statement.
        let changed = |s: &Statement| s.kind != StatementKind::Session;
        let is_begun = self.has_journal && self.script.statements[..n_finished].iter().any(changed);
        let record = if is_begun {
            Record::Fail { version, direction, journal: entry(self.script, &self.finished, Some(&error)) }
        } else {
            Record::Abandon { version, direction, has_journal: self.has_journal }
        };
        // A statement that could not be killed still has the connection.
        let is_lost = source.fate() == Fate::Unknown;
        let is_recorded = !is_lost && self.session.record(record).await.is_ok();
        match self.script.statements[index].kind {
            _ if is_recorded && is_begun => Aftermath::Partly { n_finished },
            _ if is_recorded => Aftermath::Nothing,
            // It goes with the connection, and the record before it names the finished ones.
            kind if is_transactional(kind) => {
                let is_noted = self.step.is_resume || (self.has_journal && n_finished > 0);
                if is_noted { Aftermath::Partly { n_finished } } else { Aftermath::Nothing }
            }
            // The record before it says that it runs.
            _ => Aftermath::Unrecorded { n_finished },
        }
    }

    /// Records that statement `index` is done and, if the next one can leave doubt, that it runs.
    async fn book_statement(&mut self, index: usize) -> Result<(), ApplyError> {
        let record = Record::StatementDone {
            version: self.step.migration.version,
            direction: self.step.direction,
            journal: entry(self.script, &self.finished, None),
        };
        let result = self.session.record(record).await;
        // What comes now is another transaction.
        (self.n_tries, self.blockage, self.told) = (1, None, None);
        result.map_err(|source| self.unrecorded(index, source))
    }

    async fn finish(&mut self, elapsed: Duration) -> Result<(), ApplyError> {
        let last = self.script.statements.last();
        let record = Record::Finish {
            version: self.step.migration.version,
            direction: self.step.direction,
            elapsed,
            in_transaction: last.is_none_or(|s| is_transactional(s.kind)),
            has_journal: self.has_journal,
        };
        match self.session.record(record).await {
            Ok(()) => Ok(()),
            // A script of comments only has no statement to name.
            Err(source) if last.is_none() => Err(ApplyError::History { verb: "written", source }),
            Err(source) => Err(self.unrecorded(self.script.statements.len() - 1, source)),
        }
    }

    /// Statement `index` went well and the record of it did not.
    fn unrecorded(&self, index: usize, source: SessionError) -> ApplyError {
        let aftermath = match self.script.statements[index].kind {
            StatementKind::Dml | StatementKind::Session => Aftermath::Recorded,
            StatementKind::Ddl => Aftermath::Unrecorded { n_finished: index + 1 },
            // It may have been part of the transaction that its record did not commit.
            StatementKind::Opaque => Aftermath::Unclear { n_finished: index },
        };
        self.error(index, source, aftermath)
    }

    fn error(&self, index: usize, source: SessionError, aftermath: Aftermath) -> ApplyError {
        ApplyError::Statement(Box::new(StatementError {
            at: self.place(index),
            text: self.script.statements[index].text.clone(),
            direction: self.step.direction,
            n_tries: self.n_tries,
            blockage: self.blockage.clone().filter(|_| retry::is_lock_wait(&source)),
            source,
            aftermath,
        }))
    }

    fn place(&self, index: usize) -> Place {
        Place {
            file_name: self.script.file_name.clone(),
            line: self.script.statements[index].line,
            statement: index + 1,
            n_statements: self.script.statements.len(),
        }
    }
}

/// What the journal says while the statement after the `finished` ones runs, or after it failed with `error`.
fn entry<'e>(script: &Script, finished: &'e [StatementDigest], error: Option<&'e str>) -> JournalEntry<'e> {
    let next = script.statements.get(finished.len());
    let leaves_doubt = error.is_none() && next.is_some_and(|s| !is_transactional(s.kind));
    JournalEntry {
        n_statements: script.statements.len(),
        finished,
        running: leaves_doubt.then_some(finished.len()),
        error,
    }
}

/// Whether a statement of this kind commits together with the record of it.
fn is_transactional(kind: StatementKind) -> bool {
    matches!(kind, StatementKind::Dml | StatementKind::Session)
}

/// What a statement of this kind left behind that failed with `source`.
fn fate(kind: StatementKind, source: &SessionError) -> Fate {
    /// `ER_PARSE_ERROR`: nothing of the statement was looked at.
    const PARSE_ERROR: u16 = 1064;
    match (kind, source) {
        (StatementKind::Dml | StatementKind::Session, _)
        | (StatementKind::Opaque, SessionError::Server { number: PARSE_ERROR, .. }) => Fate::NotApplied,
        (StatementKind::Opaque, _) => Fate::Unknown,
        (StatementKind::Ddl, source) => source.fate(),
    }
}
