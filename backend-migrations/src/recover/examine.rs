//! One half-done migration, examined: which of its scripts was at work, how far it got, and which ways lead on.

use std::sync::Arc;

use super::{
    Consent, Recover, Turn,
    offers::{Offers, Prepared},
    refusal,
    replay::Stage,
};
use crate::{
    diagnosis::{Case, Diagnosis, Replay},
    event::Failure,
    history::{History, HistoryRow},
    migration::{Direction, Migration, MigrationSet, Script, Version},
    plan::Problem,
    sql::reaches_out,
};

/// A half-done migration, and what there is to do about it.
pub(super) struct Found {
    pub(super) migration: Arc<Migration>,
    pub(super) diagnosis: Arc<Diagnosis>,
    pub(super) replay: Option<Replay>,
    pub(super) prepared: Vec<Prepared>,
}

/// What follows if this script was at work.
struct Reading<'a> {
    script: &'a Script,
    stage: Result<Stage<'a>, String>,
    replay: Option<Replay>,
    diagnosis: Diagnosis,
}

/// The first statement of all that a replay may run that would change more than its own database.
fn reach(base: &MigrationSet, migration: &Migration) -> Option<String> {
    let before = base.iter().map(|migration| &migration.up);
    let scripts = before.chain([&migration.up]).chain(&migration.down);
    scripts.into_iter().find_map(|script| {
        let statements = script.statements.iter().enumerate();
        statements.into_iter().find_map(|(index, statement)| {
            let why = reaches_out(statement)?;
            Some(format!("statement {} ({}:{}) {why}", index + 1, script.file_name, statement.line))
        })
    })
}

impl<C: Consent> Turn<'_, C> {
    pub(super) async fn examine(&self, history: &History, row: &HistoryRow) -> Result<Found, Box<Failure>> {
        let set = self.recover.set;
        let missing = || refusal(&Problem::Missing(row.named()));
        let migration = set.get(row.version).ok_or_else(missing)?;
        let read = async |direction| {
            let script = migration.script(direction)?;
            Some(self.read(history, row, migration, script, direction).await)
        };
        let direction = history.direction(row);
        let mut reading =
            read(direction).await.ok_or_else(|| refusal(&Problem::NoDown(migration.named())))?;
        if history.may_be_a_revert(row)
            && direction == Direction::Up
            && let Some(other) = read(Direction::Down).await
        {
            let fits = [&reading, &other].map(|reading| reading.diagnosis.fits_the_schema());
            let note = match fits {
                [true, false] => None,
                [false, true] => {
                    reading = other;
                    Some(
                        "the history does not say whether an apply or a revert of it failed; the schema does",
                    )
                }
                [true, true] | [false, false] => Some(
                    "had it only been declared applied, a revert that failed would have left the same; if that is what \
                     happened, `--resume` still means the `.up.sql`",
                ),
            };
            reading.diagnosis.notes.extend(note.map(str::to_owned));
        }
        let Reading { script, stage, replay, diagnosis } = reading;
        let offers =
            Offers { set, history, migration, script, diagnosis: &diagnosis, replay: replay.as_ref() };
        let prepared = offers.prepare(stage.as_ref().ok()).await;
        Ok(Found { migration: Arc::clone(migration), diagnosis: Arc::new(diagnosis), replay, prepared })
    }

    /// How far `script` got, if it was the one at work.
    async fn read<'a>(
        &'a self,
        history: &History,
        row: &HistoryRow,
        migration: &'a Migration,
        script: &'a Script,
        direction: Direction,
    ) -> Reading<'a> {
        let stage = self.stage(history, migration, direction);
        let (replay, why_not) = match &stage {
            Ok(stage) => match stage.replay(script).await {
                Ok(replay) => (Some(replay), None),
                Err(why_not) => (None, Some(why_not)),
            },
            Err(why_not) => (None, Some(why_not.clone())),
        };
        let case = Case {
            migration,
            direction,
            script,
            row,
            progress: history.progress(row.version, direction),
            replay: replay.as_ref(),
            said: self.recover.options.said,
        };
        let mut diagnosis = case.judge();
        let why_not = why_not.map(|why_not| format!("not compared with a scratch database: {why_not}"));
        diagnosis.notes.extend(why_not);
        Reading { script, stage, replay, diagnosis }
    }

    /// The ground on which the script of a half-done migration is replayed: what the history says ran before it.
    fn stage(
        &self,
        history: &History,
        migration: &Migration,
        direction: Direction,
    ) -> Result<Stage<'_>, String> {
        let Recover { set, options, connector, servers, .. } = self.recover;
        let is_before = |version: Version| {
            let row = history.row(version);
            (version == migration.version && direction == Direction::Down)
                || row.is_some_and(|row| row.success)
        };
        if let Some(row) =
            history.rows.iter().find(|row| is_before(row.version) && set.get(row.version).is_none())
        {
            return Err(format!("there is no file for {}, which ran before", row.named()));
        }
        let base = set.filtered(|migration| is_before(migration.version));
        let reach = reach(&base, migration);
        let server = &self.target.label.server;
        let admin = options.admin.iter().filter(|admin| admin.label.server == *server);
        let places = match (&options.scratch, &reach) {
            // Whatever it is called, it is the server that is not to be changed.
            (Some(scratch), Some(_)) if scratch.label.server == *server => Vec::new(),
            (Some(scratch), _) => vec![scratch.clone()],
            (None, Some(_)) => Vec::new(),
            (None, None) => std::iter::once(&self.target).chain(admin).cloned().collect(),
        };
        Ok(Stage {
            connector,
            tenant: &self.target,
            places,
            reach,
            servers: *servers,
            lent: &self.lent,
            events: self.events,
            base,
        })
    }
}
