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
//! * Any other script has a row in the journal, and one for each committed statement. A DML statement in it commits
//!   together with its row. Before a DDL statement the journal says that it runs, after it that it ran.
//!
//! Each migration finds a session as new. After one whose statements may have left something in it (a variable, a temporary
//! table, a lock), the next is run on another connection; so a database that gets two at once gets what it would have got by
//! two runs.
//!
//! DML on tables without transactions is not undone by a rollback: it is treated as DDL is (`course`). What waited for a lock
//! in vain, a statement or a write of the books, is tried again where it is known what it left, and from where the
//! books, read again, say that the script is: see `retry`.

mod aftermath;
mod course;
mod retry;

use std::time::Instant;

use tokio_util::sync::CancellationToken;

pub use self::aftermath::Aftermath;
use self::course::Course;
use crate::{
    event::{Event, Events, MigrationDone, Place},
    history::{History, StatementDigest},
    migration::{Direction, MigrationSet, Script},
    plan::{self, ExistingTables, Goal, Plan, PlanError, PlanOptions, Problem, Step},
    session::{Blockage, JournalEntry, Reads, Record, SessionError, TenantSession},
    sql,
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

impl ApplyError {
    /// Whether the run was told twice to stop while this database was looked at or its lock was waited for: nothing of it
    /// was begun, which is no failure of it.
    pub fn is_interruption(&self) -> bool {
        matches!(self, Self::Lock(SessionError::Interrupted) | Self::Unread(SessionError::Interrupted))
    }
}

/// Reads the history and plans, without lock and without a write.
///
/// # Errors
///
/// [`ApplyError::Unread`] and [`ApplyError::Plan`].
pub async fn prepare<S: TenantSession>(session: &mut S, work: Work<'_>) -> Result<Plan, ApplyError> {
    let (plan, has_history) = look(session, work).await?;
    refuse_existing_tables(session, work, &plan, has_history).await?;
    refuse_unwritable_names(session, &plan).await?;
    Ok(plan)
}

/// The plan as the history has it without the lock, and whether a history is known to be there.
async fn look<S: TenantSession>(session: &mut S, work: Work<'_>) -> Result<(Plan, bool), ApplyError> {
    let glance = session.glance().await.map_err(ApplyError::Unread)?;
    if let Some(plan) = plan::plan_at_a_glance(work.set, &glance, work.options) {
        return Ok((plan, !glance.rows.is_empty()));
    }
    // A refusal names what it refuses, and what is dirty has its progress in the journal.
    let history = session.history().await.map_err(ApplyError::Unread)?;
    Ok((plan::plan(work.set, &history, work.options)?, history.has_table))
}

/// A database with tables and without a history is not new: what a first migration inserts, it would insert into
/// somebody's. It takes a round trip, the first time that anything is applied to a database.
async fn refuse_existing_tables<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    plan: &Plan,
    has_history: bool,
) -> Result<(), ApplyError> {
    if has_history || work.options.allow_existing_tables || plan.steps.is_empty() {
        return Ok(());
    }
    match session.existing_tables().await.map_err(ApplyError::Unread)? {
        ExistingTables { n: 0, .. } => Ok(()),
        existing => Err(PlanError { problems: vec![Problem::ExistingTables(existing)] }.into()),
    }
}

/// A name that the history cannot hold would be refused only when its turn comes, after those before it. It takes a round
/// trip or two, where a name is not ASCII: any character set has that.
async fn refuse_unwritable_names<S: TenantSession>(session: &mut S, plan: &Plan) -> Result<(), ApplyError> {
    let is_in_doubt = |step: &&Step| {
        step.direction == Direction::Up && step.n_finished == 0 && !step.migration.description.is_ascii()
    };
    let steps: Vec<_> = plan.steps.iter().filter(is_in_doubt).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let descriptions: Vec<_> = steps.iter().map(|step| step.migration.description.as_str()).collect();
    let unwritable = session.unwritable(&descriptions).await.map_err(ApplyError::Unread)?;
    let problems: Vec<_> = unwritable
        .into_iter()
        .map(|(at, charset)| Problem::Unwritable { pending: steps[at].migration.named(), charset })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(PlanError { problems }.into()) }
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
    let reads = match look(session, work).await {
        Ok((plan, _)) if plan.steps.is_empty() => return Ok(Applied::Complete),
        Ok((plan, _)) if !course::writes_rows(&plan) => Reads::Books,
        // What looks dirty may be another run's work of this moment; only the lock can tell.
        Err(ApplyError::Plan(error)) if !error.is_dirty() => return Err(error.into()),
        Err(error @ ApplyError::Unread(_)) => return Err(error),
        _ => Reads::Tables,
    };
    let history = lock(session, reads).await?;
    if let Some(message) = session.lock_caveat() {
        work.events.tell(Event::Warning { tenant: None, message }).await;
    }
    let (mut history, mut plan) = plan_locked(session, work, work.options, history).await?;
    refuse_existing_tables(session, work, &plan, history.has_table).await?;
    refuse_unwritable_names(session, &plan).await?;
    let n_migrations = plan.steps.len();
    work.events.tell(Event::TenantPlanned { tenant: work.tenant.clone(), n_migrations }).await;
    if n_migrations == 0 {
        return Ok(Applied::Complete);
    }
    loop {
        let courses = course::courses(&plan, &history.untransacted.clone().unwrap_or_default());
        create_tables(session, work, &history, &plan, &courses).await?;
        forget_settled(session, work, &history).await?;
        let rest = match run_steps(session, work, &plan, &courses, &history, done).await? {
            Pause::End => return Ok(Applied::Complete),
            Pause::Stop { n_remaining } => return Ok(Applied::Stopped { n_remaining }),
            Pause::Renewal { rest } => rest,
        };
        (history, plan) = renew(session, work, &rest).await?;
    }
}

/// Why no further step of a plan is run.
enum Pause {
    /// There is none.
    End,
    /// The run was told to stop.
    Stop {
        /// How many steps are left.
        n_remaining: usize,
    },
    /// The session is to be made as new for those that are left.
    Renewal {
        /// These.
        rest: Plan,
    },
}

async fn run_steps<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    plan: &Plan,
    courses: &[Vec<Course>],
    history: &History,
    done: &mut Vec<MigrationDone>,
) -> Result<Pause, ApplyError> {
    for (at, (step, courses)) in plan.steps.iter().zip(courses).enumerate() {
        if work.stop.is_cancelled() {
            return Ok(Pause::Stop { n_remaining: plan.steps.len() - at });
        }
        let one = Run::new(session, work, step, courses, history).run().await?;
        work.events.tell(Event::MigrationFinished { tenant: work.tenant.clone(), done: one.clone() }).await;
        done.push(one);
        let rest = &plan.steps[at + 1..];
        if !rest.is_empty() && sql::leaves_session_state(step.script()) {
            return Ok(Pause::Renewal { rest: Plan { steps: rest.to_vec() } });
        }
    }
    Ok(Pause::End)
}

async fn lock<S: TenantSession>(session: &mut S, reads: Reads) -> Result<History, ApplyError> {
    session.lock(reads).await.map_err(|source| match source {
        SessionError::LockHeld { .. }
        | SessionError::LockRefused
        | SessionError::SetUp { .. }
        | SessionError::Settings { .. } => ApplyError::Lock(source),
        source => ApplyError::Unread(source),
    })
}

/// The plan that is made under the lock, with the history that it is made from.
async fn plan_locked<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    options: &PlanOptions,
    history: History,
) -> Result<(History, Plan), ApplyError> {
    let plan = plan::plan(work.set, &history, options)?;
    if history.untransacted.is_some() || !course::writes_rows(&plan) {
        return Ok((history, plan));
    }
    // Another run has left more to do than there was at first sight.
    let history = lock(session, Reads::Tables).await?;
    let plan = plan::plan(work.set, &history, options)?;
    Ok((history, plan))
}

/// Makes the session as new, and gives what is left to do of the plan `rest`: the lock was let go of meanwhile.
async fn renew<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    rest: &Plan,
) -> Result<(History, Plan), ApplyError> {
    let reads = if course::writes_rows(rest) { Reads::Tables } else { Reads::Books };
    let history = session.renew(reads).await.map_err(ApplyError::Renew)?;
    let versions = || rest.steps.iter().map(|step| step.migration.version).collect();
    let goal = match &work.options.goal {
        Goal::Down { .. } => Goal::Down { steps: rest.steps.len() },
        Goal::Undo { to, .. } => Goal::Undo { to: *to, shown: versions() },
        goal => goal.clone(),
    };
    let options = PlanOptions { goal, ..work.options.clone() };
    let (history, plan) = match plan_locked(session, work, &options, history).await {
        Err(ApplyError::Plan(_)) => return Err(ApplyError::Changed),
        planned => planned?,
    };
    // What another run has applied meanwhile is applied. Under a rollback, what is newest now may be something else than what
    // was to be undone.
    let is_meant =
        |step: &Step| rest.steps.iter().any(|meant| meant.migration.version == step.migration.version);
    let is_down = options.goal.direction() == Direction::Down;
    if is_down && !plan.steps.iter().all(is_meant) { Err(ApplyError::Changed) } else { Ok((history, plan)) }
}

async fn create_tables<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    history: &History,
    plan: &Plan,
    courses: &[Vec<Course>],
) -> Result<(), ApplyError> {
    let mut steps = plan.steps.iter().zip(courses);
    // What an older version of this tool has left is in a journal that lacks a table.
    let needs_journal =
        !history.progress.is_empty() || steps.any(|(step, courses)| needs_journal(step, courses, history));
    let (history, journal) = (!history.has_table, needs_journal && !history.has_journal);
    if history || journal {
        write(session, work, Record::CreateTables { history, journal }).await?;
    }
    Ok(())
}

/// Removes what the journal says of migrations that a person has settled by hand in the history: begun again, they
/// would seem to have got as far as it says.
async fn forget_settled<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    history: &History,
) -> Result<(), ApplyError> {
    for progress in &history.progress {
        if history.row(progress.version).is_none_or(|row| row.success) {
            let (version, direction) = (progress.version, progress.direction);
            write(session, work, Record::Forget { version, direction }).await?;
        }
    }
    Ok(())
}

/// Whether a crash in the middle of this step would leave a state that the history row alone cannot tell.
fn needs_journal(step: &Step, courses: &[Course], history: &History) -> bool {
    // A row that was only declared applied has no time, by which a begun undoing is told from a begun apply.
    let is_timeless = || history.row(step.migration.version).is_some_and(|row| row.execution_time_ns < 0);
    let is_undoing_unknown = step.direction == Direction::Down && is_timeless();
    let is_one_transaction = courses.iter().all(|course| *course == Course::Together);
    // A file that was cut down to one statement since it stopped still has its row.
    step.is_resume
        || (!is_one_transaction
            && (courses.len() > 1 || courses.contains(&Course::Alone) || is_undoing_unknown))
}

/// Writes a record that begins and ends its own transaction, and tries again where a lock was waited for in vain.
///
/// # Errors
///
/// [`ApplyError::Unwritten`].
pub async fn write<S: TenantSession>(
    session: &mut S,
    work: Work<'_>,
    record: Record<'_>,
) -> Result<(), ApplyError> {
    retry::patiently(session, work, &record).await.map_err(ApplyError::Unwritten)
}

/// What is done next about a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// It is noted that it begins, or goes on.
    Begin,
    /// This statement runs.
    Execute(usize),
    /// This statement, which must not share a transaction with its record, is committed.
    Commit(usize),
    /// This statement has run, and is recorded.
    Record(usize),
    /// The whole of it is recorded.
    Finish,
}

/// One script on its way through one database.
struct Run<'a, S> {
    session: &'a mut S,
    work: Work<'a>,
    step: &'a Step,
    script: &'a Script,
    courses: &'a [Course],
    has_journal: bool,
    /// Whether the history has a committed row that says so, as far as it was read.
    is_begun: bool,
    /// Whether a rollback has left rows in tables without transactions.
    has_remains: bool,
    finished: Vec<StatementDigest>,
    started: Instant,
    /// How often the statement, or the transaction that it is in, has been tried, this time included.
    n_tries: u32,
    blockage: Option<Blockage>,
    /// The connections that were told to be in the way of the statement that runs.
    told: Option<Vec<u64>>,
}

impl<'a, S: TenantSession> Run<'a, S> {
    fn new(
        session: &'a mut S,
        work: Work<'a>,
        step: &'a Step,
        courses: &'a [Course],
        history: &History,
    ) -> Self {
        let progress = history.progress(step.migration.version, step.direction);
        Self {
            session,
            work,
            step,
            script: step.script(),
            courses,
            has_journal: needs_journal(step, courses, history),
            is_begun: step.is_resume,
            has_remains: false,
            finished: progress.filter(|_| step.is_resume).map(|p| p.finished.clone()).unwrap_or_default(),
            started: Instant::now(),
            n_tries: 1,
            blockage: None,
            told: None,
        }
    }

    async fn run(mut self) -> Result<MigrationDone, ApplyError> {
        let event = Event::MigrationStarted {
            tenant: self.work.tenant.clone(),
            file_name: self.script.file_name.clone(),
            n_statements: self.script.statements.len(),
            n_finished: self.step.n_finished,
        };
        self.work.events.tell(event).await;
        for index in self.step.setup().collect::<Vec<_>>() {
            if let Err(source) = self.execute(index).await {
                return Err(self.give_up(Next::Execute(index), source).await);
            }
        }
        let mut next = Some(Next::Begin);
        while let Some(now) = next {
            next = match self.go(now).await {
                Ok(next) => next,
                Err(source) => Some(self.retry(now, source).await?),
            };
        }
        Ok(MigrationDone {
            version: self.step.migration.version,
            file_name: self.script.file_name.clone(),
            direction: self.step.direction,
            elapsed: self.started.elapsed(),
        })
    }

    /// Does one thing; gives the next, or `None` after the last.
    async fn go(&mut self, now: Next) -> Result<Option<Next>, SessionError> {
        let next = match now {
            Next::Begin => {
                self.begin().await?;
                self.after(self.finished.len())
            }
            Next::Execute(index) => {
                self.execute(index).await?;
                if self.courses[index] == Course::Alone { Next::Commit(index) } else { self.ran(index) }
            }
            Next::Commit(index) => {
                self.session.record(Record::Commit).await?;
                self.ran(index)
            }
            Next::Record(index) => {
                self.record(index).await?;
                // What comes now is another transaction.
                (self.n_tries, self.blockage, self.told) = (1, None, None);
                self.after(index + 1)
            }
            Next::Finish => {
                self.finish().await?;
                return Ok(None);
            }
        };
        Ok(Some(next))
    }

    /// What is next after statement `index` has run.
    fn ran(&mut self, index: usize) -> Next {
        self.finished.push(StatementDigest::of(&self.script.statements[index].text));
        let has_more = index + 1 < self.script.statements.len();
        if self.has_journal && has_more { Next::Record(index) } else { self.after(index + 1) }
    }

    /// What is next where so many statements are done.
    fn after(&self, n_done: usize) -> Next {
        if n_done < self.script.statements.len() { Next::Execute(n_done) } else { Next::Finish }
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        let (n_statements, running) = (self.script.statements.len(), self.running());
        let journal = JournalEntry { n_statements, finished: &self.finished, running, error: None };
        let record = Record::Begin {
            migration: &self.step.migration,
            direction: self.step.direction,
            is_begun: self.is_begun,
            journal: self.has_journal.then_some(journal),
        };
        self.session.record(record).await?;
        // It must not share its transaction with the record that says that it runs.
        if self.courses.get(self.finished.len()) == Some(&Course::Alone) {
            self.session.record(Record::Commit).await?;
        }
        Ok(())
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

    /// Records that statement `index` is done and, if the next one can leave doubt, that it runs.
    async fn record(&mut self, index: usize) -> Result<(), SessionError> {
        let record = Record::StatementDone {
            version: self.step.migration.version,
            direction: self.step.direction,
            statement: index,
            digest: self.finished[index],
            running: self.running(),
            in_transaction: self.courses[index] != Course::Atomic,
        };
        self.session.record(record).await
    }

    async fn finish(&mut self) -> Result<(), SessionError> {
        let last = self.courses.last();
        let record = Record::Finish {
            version: self.step.migration.version,
            direction: self.step.direction,
            elapsed: self.started.elapsed(),
            in_transaction: match last {
                None | Some(Course::Together | Course::Alone) => true,
                // A `CALL` alone is committed with its record, if anything of it is not committed yet.
                Some(Course::Doubtful(_)) => !self.has_journal,
                Some(Course::Atomic) => false,
            },
            has_journal: self.has_journal,
        };
        self.session.record(record).await
    }

    /// The statement after the finished ones, if a crash while it runs would leave doubt about it.
    fn running(&self) -> Option<usize> {
        let next = self.finished.len();
        self.courses.get(next).is_some_and(|course| course.leaves_doubt()).then_some(next)
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
