//! What is to be done to one database: decided wholly, as a value, before the first statement runs.

use std::{fmt, sync::Arc};

use crate::{
    history::{History, HistoryRow, StatementDigest},
    migration::{Direction, Migration, MigrationSet, Script, StatementKind, Version},
};

/// Where a database is to be brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Everything pending is applied.
    Latest,
    /// Everything pending up to this version is applied.
    UpTo(Version),
    /// The newest so many migrations are undone.
    Down {
        /// How many.
        steps: usize,
    },
    /// Every migration newer than this version is undone; version 0 stands for all.
    DownTo(Version),
}

impl Goal {
    /// Whether this applies or undoes.
    pub fn direction(self) -> Direction {
        match self {
            Self::Latest | Self::UpTo(_) => Direction::Up,
            Self::Down { .. } | Self::DownTo(_) => Direction::Down,
        }
    }

    /// Whether a migration of this version lies on the way there.
    fn covers(self, version: Version) -> bool {
        match self {
            Self::Latest | Self::Down { .. } => true,
            Self::UpTo(target) => version <= target,
            Self::DownTo(target) => version > target,
        }
    }
}

/// What a plan may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Where to.
    pub goal: Goal,
    /// Whether a pending migration older than the newest applied one is applied (sqlx always does) or refused.
    pub allow_out_of_order: bool,
}

/// One script to run, whole or from where it stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The migration.
    pub migration: Arc<Migration>,
    /// Which of its scripts.
    pub direction: Direction,
    /// Whether the database has this script half done already.
    pub is_resume: bool,
    /// How many of its statements are in the database already.
    pub n_finished: usize,
}

impl Step {
    /// The script this step runs.
    ///
    /// # Panics
    ///
    /// Never for a step that [`plan`] made: it refuses to undo a migration without a `down`.
    pub fn script(&self) -> &Script {
        self.migration.script(self.direction).expect("a planned step has its script")
    }

    /// The finished statements that only set up the session: a resume on a new connection runs them again.
    pub fn setup(&self) -> impl Iterator<Item = usize> + '_ {
        let finished = self.script().statements.iter().take(self.n_finished).enumerate();
        finished.filter(|(_, statement)| statement.kind == StatementKind::Session).map(|(index, _)| index)
    }
}

/// The scripts to run, in order; empty where nothing is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In the order they run.
    pub steps: Vec<Step>,
}

/// A migration as an error names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its version.
    pub version: Version,
    /// The words of its file name, or what the history has.
    pub description: String,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.version, self.description)
    }
}

/// Why nothing may be done to a database as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Applied from a file with other bytes.
    Modified(Named),
    /// Applied, and its file is gone.
    Missing(Named),
    /// Pending, and older than the newest applied migration.
    OutOfOrder {
        /// The pending migration.
        pending: Named,
        /// The newest applied one.
        newest: Version,
    },
    /// Started, not completed, and nobody recorded how far it got.
    Unclear {
        /// The migration.
        migration: Named,
        /// Which of its scripts ran.
        direction: Direction,
        /// The statement that was running, from 1, of how many; `None` where no record of ours exists.
        statement: Option<(usize, usize)>,
    },
    /// Half applied or half undone; it must be finished before anything in the other direction is begun.
    Unfinished {
        /// The migration.
        migration: Named,
        /// Which of its scripts stopped.
        direction: Direction,
        /// How many of its statements are committed, of how many.
        n_finished: usize,
        /// How many the script had.
        n_statements: usize,
        /// What the server said to the next one.
        error: Option<String>,
    },
    /// Half applied, and a statement that is already in the database has been edited in the file since.
    StatementEdited {
        /// The migration.
        migration: Named,
        /// The file.
        file_name: String,
        /// The edited statement's line; the last line's where the file has fewer statements now.
        line: usize,
        /// The statement, from 1.
        statement: usize,
        /// How many statements are committed.
        n_finished: usize,
    },
    /// To be undone, and there is no `down`.
    NoDown(Named),
    /// The target version is in no file.
    UnknownTarget(Version),
    /// To be brought up to a version that is older than what is applied.
    TargetOlder {
        /// The target.
        target: Version,
        /// The newest applied version.
        newest: Version,
    },
    /// To be brought down to a version that is newer than what is applied.
    TargetNewer {
        /// The target.
        target: Version,
        /// The newest applied version, if any is.
        newest: Option<Version>,
    },
}

/// Why nothing may be done to a database as it is: every reason at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n"))]
pub struct PlanError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl PlanError {
    /// Whether a migration that another run may be working on right now is among the reasons.
    pub fn is_dirty(&self) -> bool {
        self.problems.iter().any(|p| {
            matches!(
                p,
                Problem::Unclear { .. } | Problem::Unfinished { .. } | Problem::StatementEdited { .. }
            )
        })
    }

    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        let mut hints: Vec<_> = self.problems.iter().map(Problem::hint).collect();
        hints.dedup();
        Some(hints.join("\n"))
    }
}

/// Decides what `history` lacks, or has too much, of `set`.
///
/// Takes the migrations there are, what the database remembers and where it is to be brought; gives the scripts to run
/// in order. A migration that stopped half-way is resumed at the statement that failed.
///
/// # Errors
///
/// [`PlanError`] with every reason why the history and the files do not fit. Nothing may run then.
pub fn plan(set: &MigrationSet, history: &History, options: &PlanOptions) -> Result<Plan, PlanError> {
    let mut problems = compare(set, history);
    let mut steps = Vec::new();
    let direction = options.goal.direction();
    for row in history.rows.iter().filter(|row| !row.success) {
        match resume(set, history, row, options.goal) {
            Ok(step) => steps.push(step),
            Err(problem) => problems.push(problem),
        }
    }
    let n_resumed = steps.len();
    match direction {
        Direction::Up => add_pending(set, history, options, &mut steps, &mut problems),
        Direction::Down => add_undone(set, history, options.goal, n_resumed, &mut steps, &mut problems),
    }
    if problems.is_empty() { Ok(Plan { steps }) } else { Err(PlanError { problems }) }
}

/// The completed rows whose file is gone or has other bytes.
fn compare(set: &MigrationSet, history: &History) -> Vec<Problem> {
    let completed = history.rows.iter().filter(|row| row.success);
    completed
        .filter_map(|row| match set.get(row.version) {
            None => Some(Problem::Missing(row.named())),
            Some(migration) if row.checksum != migration.up.checksum.0 => {
                Some(Problem::Modified(migration.named()))
            }
            Some(_) => None,
        })
        .collect()
}

/// How to go on with a row that was started and not completed.
fn resume(set: &MigrationSet, history: &History, row: &HistoryRow, goal: Goal) -> Result<Step, Problem> {
    // Only a revert leaves the time of a completed apply behind (sqlx-mysql 0.9, migrate.rs, `revert`). A journal row,
    // where there is one, knows better: sqlx writes -1 for migrations that were only declared.
    let direction = match (history.progress(row.version, Direction::Up), row.execution_time_ns) {
        (None, 0..) => Direction::Down,
        (None, _) if history.progress(row.version, Direction::Down).is_some() => Direction::Down,
        _ => Direction::Up,
    };
    let Some(migration) = set.get(row.version) else { return Err(Problem::Missing(row.named())) };
    let named = migration.named();
    let Some(progress) = history.progress(row.version, direction) else {
        return Err(Problem::Unclear { migration: named, direction, statement: None });
    };
    if let Some(running) = progress.running {
        let statement = Some((running + 1, progress.n_statements));
        return Err(Problem::Unclear { migration: named, direction, statement });
    }
    let n_finished = progress.finished.len();
    if direction != goal.direction() || !goal.covers(row.version) {
        return Err(Problem::Unfinished {
            migration: named,
            direction,
            n_finished,
            n_statements: progress.n_statements,
            error: progress.error.clone(),
        });
    }
    let Some(script) = migration.script(direction) else { return Err(Problem::NoDown(named)) };
    for (index, digest) in progress.finished.iter().enumerate() {
        let statement = script.statements.get(index);
        if statement.is_none_or(|s| StatementDigest::of(&s.text) != *digest) {
            return Err(Problem::StatementEdited {
                migration: named,
                file_name: script.file_name.clone(),
                line: statement.or(script.statements.last()).map_or(1, |s| s.line),
                statement: index + 1,
                n_finished,
            });
        }
    }
    Ok(Step { migration: Arc::clone(migration), direction, is_resume: true, n_finished })
}

fn add_pending(
    set: &MigrationSet,
    history: &History,
    options: &PlanOptions,
    steps: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) {
    let newest = history.newest_applied();
    let target = match options.goal {
        Goal::UpTo(target) => Some(target),
        _ => None,
    };
    if let Some(target) = target {
        if set.get(target).is_none() {
            problems.push(Problem::UnknownTarget(target));
        } else if let Some(newest) = newest.filter(|newest| target < *newest) {
            problems.push(Problem::TargetOlder { target, newest });
        }
    }
    for migration in set.iter().filter(|m| target.is_none_or(|target| m.version <= target)) {
        if history.row(migration.version).is_some() {
            continue;
        }
        if let Some(newest) = newest.filter(|n| migration.version < *n && !options.allow_out_of_order) {
            problems.push(Problem::OutOfOrder { pending: migration.named(), newest });
        }
        steps.push(Step {
            migration: Arc::clone(migration),
            direction: Direction::Up,
            is_resume: false,
            n_finished: 0,
        });
    }
    steps.sort_by_key(|step| step.migration.version);
}

fn add_undone(
    set: &MigrationSet,
    history: &History,
    goal: Goal,
    n_resumed: usize,
    steps: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) {
    let newest = history.rows.iter().map(|row| row.version).max();
    if let Goal::DownTo(target) = goal
        && target.0 != 0
    {
        if set.get(target).is_none() {
            problems.push(Problem::UnknownTarget(target));
        } else if newest.is_none_or(|newest| target > newest) {
            problems.push(Problem::TargetNewer { target, newest });
        }
    }
    let completed = history.rows.iter().rev().filter(|row| row.success);
    let undone: Vec<_> = match goal {
        // A half-undone migration is one of the steps asked for: it was counted when the run that stopped began.
        Goal::Down { steps } => completed.take(steps.saturating_sub(n_resumed)).collect(),
        Goal::DownTo(target) => completed.filter(|row| row.version > target).collect(),
        Goal::Latest | Goal::UpTo(_) => Vec::new(),
    };
    for row in undone {
        match set.get(row.version) {
            None => {} // named as missing already
            Some(migration) if migration.down.is_none() => problems.push(Problem::NoDown(migration.named())),
            Some(migration) => steps.push(Step {
                migration: Arc::clone(migration),
                direction: Direction::Down,
                is_resume: false,
                n_finished: 0,
            }),
        }
    }
    steps.sort_by_key(|step| std::cmp::Reverse(step.migration.version));
}

impl Migration {
    /// How an error calls it.
    pub fn named(&self) -> Named {
        Named { version: self.version, description: self.description.clone() }
    }
}

impl HistoryRow {
    /// How an error calls it.
    pub fn named(&self) -> Named {
        Named { version: self.version, description: self.description.clone() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Modified(m) => write!(f, "modified: {m} was applied from a file with other bytes"),
            Self::Missing(m) => write!(f, "missing: {m} was applied and its file is gone"),
            Self::OutOfOrder { pending, newest } => {
                write!(f, "out of order: {pending} is pending and older than {newest}, which is applied")
            }
            Self::Unclear { migration, direction, statement } => {
                let verb = if *direction == Direction::Up { "applied" } else { "undone" };
                write!(f, "dirty: {migration} was begun to be {verb}, and nobody recorded ")?;
                match statement {
                    Some((index, total)) => {
                        write!(
                            f,
                            "the end of its statement {index} of {total} (those before it are committed)"
                        )
                    }
                    None => f.write_str("how far it got"),
                }
            }
            Self::Unfinished { migration, direction, n_finished, n_statements, error } => {
                let verb = if *direction == Direction::Up { "applied" } else { "undone" };
                write!(f, "dirty: {migration} is half {verb}, {n_finished} of {n_statements} statements")?;
                error.iter().try_for_each(|error| write!(f, "; the next one failed: {error}"))
            }
            Self::StatementEdited { migration, file_name, line, statement, n_finished } => write!(
                f,
                "dirty: {migration} is half applied, {n_finished} statements are committed, and statement {statement} \
                 of them has been edited since at {file_name}:{line}"
            ),
            Self::NoDown(m) => write!(f, "no down: {m} has no `.down.sql`, so it cannot be undone"),
            Self::UnknownTarget(version) => write!(f, "unknown target: no file has version {version}"),
            Self::TargetOlder { target, newest } => {
                write!(f, "wrong target: {target} is older than {newest}, which is applied")
            }
            Self::TargetNewer { target, newest: Some(newest) } => {
                write!(f, "wrong target: {target} is newer than {newest}, the newest applied")
            }
            Self::TargetNewer { target, newest: None } => {
                write!(f, "wrong target: nothing is applied, so there is nothing to undo down to {target}")
            }
        }
    }
}

impl Problem {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Modified(_) => {
                "restore the file as it was applied (`git log -- <file>`) and put the change \
                                  into a new migration"
                    .into()
            }
            Self::Missing(_) => "bring the file back, or run the version of the program that has it".into(),
            Self::OutOfOrder { .. } => "give the file a newer version, or pass `--allow-out-of-order` where \
                                        the order does not matter"
                .into(),
            Self::Unclear { migration, direction, .. } => {
                let version = migration.version;
                let (settled, unsettled) = match direction {
                    Direction::Up => ("in the database", "not in it"),
                    Direction::Down => ("undone", "not undone"),
                };
                let done = match direction {
                    Direction::Up => {
                        format!("UPDATE _sqlx_migrations SET success = TRUE WHERE version = {version}")
                    }
                    Direction::Down => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
                };
                let not_done = match direction {
                    Direction::Up => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
                    Direction::Down => {
                        format!("UPDATE _sqlx_migrations SET success = TRUE WHERE version = {version}")
                    }
                };
                format!(
                    "look at the tables that the file changes; if all of it is {settled}: `{done}`; \
                     if all of it is {unsettled}: `{not_done}`; then run again"
                )
            }
            Self::Unfinished { migration, direction: Direction::Up, .. } => {
                format!(
                    "finish {} first: run the migration again after mending the statement",
                    migration.version
                )
            }
            Self::Unfinished { migration, direction: Direction::Down, .. } => {
                format!("finish undoing {} first: run the rollback again", migration.version)
            }
            Self::StatementEdited { .. } => {
                "put that statement back as it ran; mend only the statement that failed and those after it"
                    .into()
            }
            Self::NoDown(_) => {
                "write the `.down.sql` beside the `.up.sql`; its bytes are not part of the checksum".into()
            }
            Self::UnknownTarget(_) => "`migrate:status --tenant …` lists the versions there are".into(),
            Self::TargetOlder { .. } => "to go back, use `migrate:rollback --to VERSION`".into(),
            Self::TargetNewer { .. } => "to go forward, use `migrate:tenant --to VERSION`".into(),
        }
    }
}
