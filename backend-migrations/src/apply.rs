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
mod error;
mod retry;
mod run;
mod work;

use self::{
    course::{Course, needs_journal},
    run::Run,
};
pub use self::{
    error::{Aftermath, Applied, ApplyError, StatementError},
    work::{Work, write},
};
use crate::{
    event::{Event, MigrationDone},
    history::History,
    migration::Direction,
    plan::{self, ExistingTables, Goal, Plan, PlanError, PlanOptions, Problem, Step},
    session::{Reads, Record, SessionError, TenantSession},
    sql,
};

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
