//! The ways on, each as far as it can be told before it is gone: its SQL, and what stands against it.

use super::{digests, replay::Stage};
use crate::{
    diagnosis::{Diagnosis, Offer, Replay, Way},
    history::{History, Progress},
    migration::{Direction, Migration, MigrationSet, Script, StatementKind},
    mysql::record_sql,
    plan::{self, Goal, PlanOptions},
    session::{JournalEntry, Record},
    sql::without_passwords,
};

/// What going a way means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The script of this direction goes on after so many statements.
    GoOn { direction: Direction, from: usize },
    /// Only the record changes.
    Declare { is_applied: bool },
}

/// A way on, and how it is gone.
pub(super) struct Prepared {
    pub(super) offer: Offer,
    pub(super) action: Option<Action>,
}

/// What the offers are made from.
pub(super) struct Offers<'a> {
    pub(super) set: &'a MigrationSet,
    pub(super) history: &'a History,
    pub(super) migration: &'a Migration,
    pub(super) script: &'a Script,
    pub(super) diagnosis: &'a Diagnosis,
    pub(super) replay: Option<&'a Replay>,
}

/// The migrations that the history knows: with these alone, nothing pending is applied.
pub(super) fn known(set: &MigrationSet, history: &History) -> MigrationSet {
    set.filtered(|migration| history.row(migration.version).is_some())
}

/// What brings a migration of [`known`] that is half done in this direction to its end.
pub(super) fn plan_options(direction: Direction) -> PlanOptions {
    let goal = match direction {
        Direction::Up => Goal::Latest,
        Direction::Down => Goal::Down { steps: 1 },
    };
    PlanOptions { goal, allow_out_of_order: true, allow_existing_tables: true }
}

impl Offers<'_> {
    pub(super) async fn prepare(&self, stage: Option<&Stage<'_>>) -> Vec<Prepared> {
        let mut prepared = Vec::new();
        for way in Way::ALL {
            prepared.push(match way {
                Way::Resume => self.resume(),
                Way::Undo => self.undo(stage).await,
                Way::MarkApplied | Way::MarkNotApplied => self.declaration(way),
            });
        }
        prepared
    }

    fn direction(&self) -> Direction {
        self.diagnosis.direction
    }

    fn resume(&self) -> Prepared {
        let objection = self.diagnosis.objection(Way::Resume);
        let Some(n) = self.diagnosis.n_finished() else { return closed(Way::Resume, objection) };
        let objection = objection.or_else(|| self.failure_to_come(n));
        let direction = self.direction();
        let action = if n == self.script.statements.len() {
            Action::Declare { is_applied: direction == Direction::Up }
        } else {
            Action::GoOn { direction, from: n }
        };
        self.checked(Way::Resume, objection, action)
    }

    /// The statement among the rest that has failed on the scratch database.
    fn failure_to_come(&self, n: usize) -> Option<String> {
        let replay = self.replay?;
        let refused = replay.refused.as_ref().filter(|_| replay.states.len() > n)?;
        let (number, file) = (replay.states.len(), &self.script.file_name);
        let line = self.script.statements.get(number - 1)?.line;
        Some(format!(
            "statement {number} ({file}:{line}) fails on a scratch database; mend it first: {}",
            refused.error
        ))
    }

    async fn undo(&self, stage: Option<&Stage<'_>>) -> Prepared {
        let objection = self.diagnosis.objection(Way::Undo);
        let Some(n) = self.diagnosis.n_finished() else { return closed(Way::Undo, objection) };
        let direction = self.direction();
        if n == 0 {
            let action = Action::Declare { is_applied: direction == Direction::Down };
            return self.checked(Way::Undo, objection, action);
        }
        let back = match direction {
            Direction::Up => Direction::Down,
            Direction::Down => Direction::Up,
        };
        let Some(back_script) = self.migration.script(back) else {
            return closed(Way::Undo, Some("there is no `.down.sql`".to_owned()));
        };
        let (Some(stage), Some(replay)) = (stage, self.replay) else {
            return closed(Way::Undo, Some("it can only be proven on a scratch database".to_owned()));
        };
        match stage.prove(self.script, n, back_script, &replay.states[0]).await {
            Err(why_not) => closed(Way::Undo, Some(why_not)),
            Ok(from) => {
                let objection = objection.or_else(|| self.rows_objection(n, back_script, from));
                self.checked(Way::Undo, objection, Action::GoOn { direction: back, from })
            }
        }
    }

    /// What is undone of rows must be what was done to them, and of that a schema shows nothing.
    fn rows_objection(&self, n: usize, back: &Script, from: usize) -> Option<String> {
        let writes = |script: &Script, from: usize| {
            let rest = script.statements.iter().enumerate().skip(from);
            rest.into_iter().find(|(_, s)| s.kind == StatementKind::Dml).map(|(index, _)| index + 1)
        };
        let (undoing, undone) = (writes(back, from)?, writes(self.script, n)?);
        Some(format!(
            "statement {undoing} of {} changes rows, and statement {undone} of {}, which it may belong to, is not in the \
             database",
            back.file_name, self.script.file_name
        ))
    }

    fn declaration(&self, way: Way) -> Prepared {
        let objection = self.diagnosis.objection(way);
        self.checked(way, objection, Action::Declare { is_applied: way == Way::MarkApplied })
    }

    /// Adds the SQL, and what the plan has against it.
    fn checked(&self, way: Way, objection: Option<String>, action: Action) -> Prepared {
        let refusal = match action {
            Action::GoOn { direction, from } => self.refusal(direction, from),
            Action::Declare { .. } => None,
        };
        let may_be_forced = refusal.is_none();
        let objection = refusal.or(objection);
        let offer = Offer { way, may_be_forced, sql: self.sql(action), objection };
        Prepared { offer, action: may_be_forced.then_some(action) }
    }

    /// Why the executor would not go on from there: what `SET` or a temporary table left is gone, or another migration
    /// does not fit.
    fn refusal(&self, direction: Direction, from: usize) -> Option<String> {
        let script = self.migration.script(direction)?;
        let version = self.migration.version;
        let mut history = self.history.clone();
        history.progress.retain(|progress| progress.version != version);
        history.progress.push(Progress {
            version,
            direction,
            n_statements: script.statements.len(),
            finished: digests(script, from),
            running: None,
            error: None,
        });
        let error = plan::plan(&known(self.set, &history), &history, &plan_options(direction)).err()?;
        let is_alone = self.history.rows.iter().all(|row| row.success || row.version == version);
        let first = if is_alone { "" } else { "; that one has to be settled first" };
        Some(format!("{error}{first}"))
    }

    fn sql(&self, action: Action) -> Vec<String> {
        let version = self.migration.version;
        match action {
            Action::Declare { is_applied } => {
                let applied = is_applied.then_some(&self.migration.up.checksum);
                record_sql(&Record::Declare { version, applied, has_journal: self.history.has_journal })
            }
            Action::GoOn { direction, from } => {
                let Some(script) = self.migration.script(direction) else { return Vec::new() };
                let finished = digests(script, from);
                let n_statements = script.statements.len();
                let journal = JournalEntry { n_statements, finished: &finished, running: None, error: None };
                let mut sql = record_sql(&Record::Settle { version, direction, journal });
                let left = script.statements.iter().skip(from);
                sql.extend(left.map(|statement| without_passwords(&statement.text).into_owned()));
                sql
            }
        }
    }
}

/// A way that is not open, and that nobody can force.
fn closed(way: Way, objection: Option<String>) -> Prepared {
    let offer = Offer { way, objection, may_be_forced: false, sql: Vec::new() };
    Prepared { offer, action: None }
}
