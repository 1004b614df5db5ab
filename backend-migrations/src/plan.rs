//! What is to be done to one database: decided wholly, as a value, before the first statement runs.

mod problem;

use std::{collections::HashSet, sync::Arc};

pub use self::problem::{ExistingTables, Named, PlanError, Problem};

use crate::{
    history::{Glance, GlanceRow, History, HistoryRow, StatementDigest},
    migration::{Direction, Migration, MigrationSet, Script, Statement, StatementKind, Version},
};

/// Where a database is to be brought.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// As [`Goal::DownTo`], if it is these versions that are undone by it, or none any more; else nothing is.
    Undo {
        /// Every migration newer than this version is undone.
        to: Version,
        /// Those that a person was shown, newest first.
        shown: Arc<[Version]>,
    },
}

impl Goal {
    /// Whether this applies or undoes.
    pub fn direction(&self) -> Direction {
        match self {
            Self::Latest | Self::UpTo(_) => Direction::Up,
            Self::Down { .. } | Self::DownTo(_) | Self::Undo { .. } => Direction::Down,
        }
    }

    /// Whether a migration of this version lies on the way there.
    fn covers(&self, version: Version) -> bool {
        match self {
            Self::Latest | Self::Down { .. } => true,
            Self::UpTo(target) => version <= *target,
            Self::DownTo(target) | Self::Undo { to: target, .. } => version > *target,
        }
    }
}

/// What a plan may contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanOptions {
    /// Where to.
    pub goal: Goal,
    /// Whether a pending migration older than the newest applied one is applied (sqlx always does) or refused.
    pub allow_out_of_order: bool,
    /// Whether the first migration may run in a database that has tables already. The history does not tell of them, so the
    /// executor looks, and refuses with [`Problem::ExistingTables`].
    pub allow_existing_tables: bool,
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

/// What is to be done as far as a glance tells: `None` where something stands against it or is half done, and for which
/// the whole history is to be read.
pub fn plan_at_a_glance(set: &MigrationSet, glance: &Glance, options: &PlanOptions) -> Option<Plan> {
    if glance.rows.iter().any(|row| !row.success) {
        return None;
    }
    // A plan that nothing stands against comes of these three alone.
    let row = |row: &GlanceRow| HistoryRow {
        version: row.version,
        description: String::new(),
        success: row.success,
        checksum: row.checksum.clone(),
        execution_time_ns: -1,
        installed_on_s: 0,
    };
    let rows = glance.rows.iter().map(row).collect();
    plan(set, &History { rows, ..History::default() }, options).ok()
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
    let doubled = history.doubled().map(|row| Problem::Doubled(row.named()));
    let mut problems: Vec<_> = doubled.chain(compare(set, history)).collect();
    let mut steps = Vec::new();
    let direction = options.goal.direction();
    for row in history.rows.iter().filter(|row| !row.success) {
        match resume(set, history, row, &options.goal) {
            Ok(step) => steps.push(step),
            Err(problem) => problems.push(problem),
        }
    }
    let n_resumed = steps.len();
    match direction {
        Direction::Up => add_pending(set, history, options, &mut steps, &mut problems),
        Direction::Down => add_undone(set, history, &options.goal, n_resumed, &mut steps, &mut problems),
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
                let line_ends = migration.up.line_ends_of(&row.checksum);
                Some(Problem::Modified { migration: migration.named(), line_ends })
            }
            Some(_) => None,
        })
        .collect()
}

/// How to go on with a row that was started and not completed.
fn resume(set: &MigrationSet, history: &History, row: &HistoryRow, goal: &Goal) -> Result<Step, Problem> {
    let direction = history.direction(row);
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
                direction,
                file_name: script.file_name.clone(),
                line: statement.or(script.statements.last()).map_or(1, |s| s.line),
                statement: index + 1,
                n_finished,
            });
        }
    }
    let finished = script.statements.iter().take(n_finished).enumerate();
    if n_finished < script.statements.len()
        && let Some((index, statement)) = finished.into_iter().find(|(_, s)| !survives_a_new_session(s))
    {
        return Err(Problem::SessionGone {
            migration: named,
            direction,
            file_name: script.file_name.clone(),
            line: statement.line,
            statement: index + 1,
            n_finished,
            n_statements: script.statements.len(),
        });
    }
    Ok(Step { migration: Arc::clone(migration), direction, is_resume: true, n_finished })
}

/// Whether the statements after this one find on a new connection what they found on the one it ran on.
///
/// A `SET` of plain values is run again. A temporary table, a prepared statement or a variable that was computed from the
/// data of its moment cannot be made again as it was. A `:=` inside a string is taken for one too: to refuse is safe.
pub(crate) fn survives_a_new_session(statement: &Statement) -> bool {
    let text = statement.text.to_ascii_uppercase();
    let words: Vec<_> = text.split_whitespace().collect();
    let fills_variable =
        text.contains(":=") || words.windows(2).any(|pair| pair[0] == "INTO" && pair[1].starts_with('@'));
    match statement.kind {
        StatementKind::Session => {
            words.first() == Some(&"SET") && !text.contains(['(', '?']) && !fills_variable
        }
        StatementKind::Ddl | StatementKind::Opaque(_) | StatementKind::Dml => !fills_variable,
    }
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
    let newest_begun = history.newest();
    let known: HashSet<Version> = history.rows.iter().map(|row| row.version).collect();
    for migration in set.iter().filter(|m| target.is_none_or(|target| m.version <= target)) {
        if known.contains(&migration.version) {
            continue;
        }
        if let Some(newest) = newest_begun.filter(|n| migration.version < *n && !options.allow_out_of_order) {
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
    goal: &Goal,
    n_resumed: usize,
    steps: &mut Vec<Step>,
    problems: &mut Vec<Problem>,
) {
    if let Goal::DownTo(target) = goal
        && target.0 != 0
        && set.get(*target).is_none()
    {
        problems.push(Problem::UnknownTarget(*target));
    }
    if let Goal::Undo { to, shown } = goal {
        let newer = history.rows.iter().rev().map(|row| row.version).filter(|version| version > to);
        let found: Vec<_> = newer.collect();
        // Where none of them is there any more, somebody else has undone what was to be undone.
        if !found.is_empty() && found[..] != shown[..] {
            problems.push(Problem::Changed { shown: shown.to_vec(), found });
        }
    }
    let completed = history.rows.iter().rev().filter(|row| row.success);
    let undone: Vec<_> = match goal {
        // A half-undone migration is one of the steps asked for: it was counted when the run that stopped began.
        Goal::Down { steps } => completed.take(steps.saturating_sub(n_resumed)).collect(),
        Goal::DownTo(target) | Goal::Undo { to: target, .. } => {
            completed.filter(|row| row.version > *target).collect()
        }
        Goal::Latest | Goal::UpTo(_) => Vec::new(),
    };
    for row in undone {
        match set.get(row.version) {
            None => {} // named as missing already
            Some(migration) if migration.down.is_none() => problems.push(Problem::NoDown(migration.named())),
            Some(migration) if has_empty_down(migration) => {
                problems.push(Problem::EmptyDown(migration.named()));
            }
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

/// Whether there is something to undo and the `down` has no statement at all.
///
/// An `up` without a statement is applied all the same, as sqlx applies it: its bytes are in the history of other tenants,
/// and a new one has to get past it.
fn has_empty_down(migration: &Migration) -> bool {
    let is_empty = |script: &Script| script.statements.is_empty();
    !is_empty(&migration.up) && migration.down.as_ref().is_some_and(is_empty)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::parse_script;

    #[test]
    fn what_a_new_session_lacks_is_known() {
        let check = |text: &str, survives: bool| {
            let script = parse_script("1_x.up.sql", text.as_bytes()).expect("a sound statement");
            assert_eq!(survives_a_new_session(&script.statements[0]), survives, "{text}");
        };
        check("SET @n = 5", true);
        check("SET foreign_key_checks = 0", true);
        check("SET NAMES utf8mb4", true);
        check("ALTER TABLE t ADD n INT", true);
        check("INSERT INTO t SELECT * FROM u", true);
        check("SET @id = LAST_INSERT_ID()", false);
        check("SET @n = (SELECT MAX(n) FROM t)", false);
        check("SELECT MAX(n) INTO @n FROM t", false);
        check("SELECT @n := n FROM t", false);
        check("PREPARE s FROM 'SELECT 1'", false);
        check("CREATE TEMPORARY TABLE t (n INT)", false);
    }
}
