//! From the record and the replay to a position, and from that to each statement.

use std::collections::BTreeSet;

use super::{Case, Diagnosis, Evidence, Judged, ObjectName, Position, Presence, Replay, differing};
use crate::{
    history::StatementDigest,
    migration::{Direction, Statement, StatementKind},
    schema::Snapshot,
    sql::without_passwords,
};

pub(super) fn judge(case: &Case<'_>) -> Diagnosis {
    let view = View::new(case);
    let (position, mut notes) = view.locate();
    let possible = view.possible();
    let highest = possible.last().copied().unwrap_or_default();
    let statements = case.script.statements.iter().enumerate().map(|(index, statement)| {
        let (presence, evidence) = view.presence(index, &position, highest);
        Judged {
            line: statement.line,
            text: without_passwords(&statement.text).into_owned(),
            kind: statement.kind,
            presence,
            evidence,
        }
    });
    let statements = statements.collect();
    notes.extend(view.notes());
    Diagnosis {
        version: case.migration.version,
        description: case.migration.description.clone(),
        direction: case.direction,
        file_name: case.script.file_name.clone(),
        statements,
        doubts: view.doubts(&position),
        obstacle: view.obstacle(&position),
        contradiction: view.contradiction(),
        difference: view.difference(&position),
        position,
        possible,
        is_replayed: case.replay.is_some(),
        notes,
    }
}

/// A case, with what follows from it at once.
pub(super) struct View<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) statements: &'a [Statement],
    pub(super) touched: BTreeSet<&'a ObjectName>,
    /// The numbers of statements that the record allows.
    pub(super) recorded: Vec<usize>,
    /// Those after which the scratch database was as the tenant's is; `None` without a replay.
    pub(super) agreeing: Option<Vec<usize>>,
    /// The finished statements whose text in the file is another now.
    pub(super) edited: Vec<usize>,
}

impl<'a> View<'a> {
    fn new(case: &'a Case<'a>) -> Self {
        let statements = &*case.script.statements;
        let touched = case.replay.map(Replay::touched).unwrap_or_default();
        let agreeing = case.replay.map(|replay| {
            let states = replay.states.iter().enumerate();
            let agreeing = states.filter(|(_, state)| is_alike(state, &replay.real, &touched));
            agreeing.map(|(n, _)| n).collect()
        });
        let finished = case.progress.map(|progress| &*progress.finished).unwrap_or_default().iter();
        let edited = finished.enumerate().filter(|(index, digest)| {
            statements.get(*index).is_none_or(|s| StatementDigest::of(&s.text) != **digest)
        });
        let edited = edited.map(|(index, _)| index).collect();
        Self { case, statements, touched, recorded: recorded(case), agreeing, edited }
    }

    /// Whether the record alone says how far it got.
    fn is_exact(&self) -> bool {
        self.case.progress.is_some_and(|progress| progress.running.is_none())
    }

    /// Every number of statements that nothing speaks against; where everything has something against it, what the schema
    /// says.
    pub(super) fn possible(&self) -> Vec<usize> {
        let Some(agreeing) = &self.agreeing else { return self.recorded.clone() };
        let both: Vec<_> = agreeing.iter().copied().filter(|n| self.recorded.contains(n)).collect();
        if both.is_empty() { agreeing.clone() } else { both }
    }

    fn locate(&self) -> (Position, Vec<String>) {
        let possible = self.possible();
        if let Some(said) = self.case.said.filter(|said| *said <= self.statements.len()) {
            return (Position::After(said), Vec::new());
        }
        let Some(agreeing) = &self.agreeing else { return (self.narrow(possible), Vec::new()) };
        if agreeing.iter().any(|n| self.recorded.contains(n)) {
            return (self.narrow(possible), Vec::new());
        }
        if let Some(position) = self.part() {
            return (position, Vec::new());
        }
        if let (Some(lowest), Some(highest)) = (agreeing.first(), agreeing.last()) {
            return self.contradicted(*lowest, *highest, possible);
        }
        match self.recorded.first() {
            // A table that was changed by hand is no reason to forget what was written down when it happened.
            Some(recorded) if self.is_exact() => {
                let note = "the schema is as after none of the statements; the record says how far it got all the same";
                (Position::After(*recorded), vec![note.to_owned()])
            }
            _ => (Position::Unlike { nearest: self.nearest() }, Vec::new()),
        }
    }

    /// The record says one thing and the schema another: somebody has gone on, or back, by hand.
    fn contradicted(&self, lowest: usize, highest: usize, possible: Vec<usize>) -> (Position, Vec<String>) {
        let recorded = self.recorded.first().copied().unwrap_or_default();
        let (from, to) = if lowest > recorded { (recorded, lowest) } else { (highest, recorded) };
        let between = self.statements.get(from..to).unwrap_or_default();
        let note = "the schema is not as the record has it: statements were run or undone by hand".to_owned();
        // Rows that somebody wrote by hand, or did not, cannot be seen.
        if between.iter().all(|s| matches!(s.kind, StatementKind::Ddl | StatementKind::Session)) {
            return (self.narrow(possible), vec![note]);
        }
        (
            Position::OneOf(
                possible.into_iter().chain([recorded]).collect::<BTreeSet<_>>().into_iter().collect(),
            ),
            vec![note],
        )
    }

    /// One position where those that are possible differ only by statements that may run twice.
    fn narrow(&self, possible: Vec<usize>) -> Position {
        match *possible {
            [] => Position::OneOf(possible),
            [only] => Position::After(only),
            [lowest, .., highest] => {
                let is_gapless = highest - lowest + 1 == possible.len();
                let between = &self.statements[lowest..highest];
                if is_gapless && self.agreeing.is_some() && between.iter().all(may_run_twice) {
                    Position::After(lowest)
                } else {
                    Position::OneOf(possible)
                }
            }
        }
    }

    /// The one statement that is there in part, if one is: of some objects the schema has what it does, of others not.
    fn part(&self) -> Option<Position> {
        let replay = self.case.replay?;
        let left = replay.refused.iter().map(|refused| &refused.left);
        let states: Vec<_> = replay.states.iter().chain(left).collect();
        let steps = states.windows(2).enumerate();
        let opaque = steps.filter(|(at, _)| {
            self.statements.get(*at).is_some_and(|s| matches!(s.kind, StatementKind::Opaque(_)))
        });
        opaque.into_iter().find_map(|(statement, pair)| {
            let [before, after] = *pair else { return None };
            let changed = differing(before, after);
            let others: BTreeSet<_> = self.touched.difference(&changed).copied().collect();
            if changed.is_empty() || !is_alike(before, &replay.real, &others) {
                return None;
            }
            let is_as_in = |state: &Snapshot, name: &ObjectName| {
                state.objects.get(name) == replay.real.objects.get(name)
            };
            let (done, rest): (Vec<&ObjectName>, Vec<_>) =
                changed.into_iter().partition(|name| is_as_in(after, name));
            let is_explained = !done.is_empty() && rest.iter().all(|name| is_as_in(before, name));
            // Where the statement fails on the scratch database as well, what it does there is what it does.
            let is_whole = rest.is_empty() && replay.refused.is_none();
            let owned = |names: Vec<&ObjectName>| names.into_iter().cloned().collect();
            (is_explained && !is_whole).then(|| Position::Partly {
                statement,
                done: owned(done),
                missing: owned(rest),
            })
        })
    }

    pub(super) fn nearest(&self) -> usize {
        let Some(replay) = self.case.replay else { return 0 };
        let distances = replay.states.iter().map(|state| distance(state, &replay.real, &self.touched));
        distances.enumerate().min_by_key(|(_, distance)| *distance).map_or(0, |(n, _)| n)
    }

    /// Whether the replay shows that statement `index` changes the schema.
    fn is_visible(&self, index: usize) -> bool {
        let states = self.case.replay.map(|replay| &*replay.states).unwrap_or_default();
        match (states.get(index), states.get(index + 1)) {
            (Some(before), Some(after)) => !differing(before, after).is_empty(),
            _ => false,
        }
    }

    pub(super) fn agrees(&self, n: usize) -> bool {
        self.agreeing.as_ref().is_some_and(|agreeing| agreeing.contains(&n))
    }

    fn presence(&self, index: usize, position: &Position, highest: usize) -> (Presence, Evidence) {
        if self.statements[index].kind == StatementKind::Session {
            return (Presence::Nothing, Evidence::SessionOnly);
        }
        match position {
            Position::After(n) if index < *n && self.is_in_doubt(index, *n) => {
                (Presence::Unclear, Evidence::Edited)
            }
            Position::After(n) if index < *n => (Presence::Yes, self.why_there(index, *n)),
            // It may have run, and may run again.
            Position::After(_) if self.case.said.is_none() && index < highest => {
                (Presence::Unclear, Evidence::SameSchema)
            }
            Position::After(n) => (Presence::No, self.why_not_there(index, *n)),
            Position::Partly { statement, .. } if index == *statement => {
                (Presence::Partly, Evidence::PartlyInSchema)
            }
            Position::Partly { statement, .. } if index < *statement => {
                (Presence::Yes, self.why_there(index, *statement))
            }
            Position::Partly { statement, .. } => (Presence::No, Evidence::Behind(statement + 1)),
            Position::OneOf(numbers) => match (numbers.first(), numbers.last()) {
                (Some(lowest), _) if index < *lowest => (Presence::Yes, self.why_there(index, *lowest)),
                (_, Some(highest)) if index >= *highest => {
                    (Presence::No, self.why_not_there(index, *highest))
                }
                _ => (Presence::Unclear, self.why_unclear(index)),
            },
            Position::Unlike { .. } => (Presence::Unclear, Evidence::UnlikeAll),
        }
    }

    fn why_there(&self, index: usize, n: usize) -> Evidence {
        let finished = self.case.progress.map_or(0, |progress| progress.finished.len());
        if index < finished && !self.edited.contains(&index) {
            return Evidence::Recorded;
        }
        let is_shown = self.agrees(n) || matches!(self.agreeing.as_deref(), Some([]));
        if is_shown && self.is_visible(index) {
            return Evidence::InSchema;
        }
        if self.case.progress.is_none() && self.first_commit().is_some_and(|first| index < first) {
            return Evidence::CommittedWithRow;
        }
        match (index + 1..n).find(|later| is_shown && self.is_visible(*later)) {
            Some(later) => Evidence::Before(later + 1),
            None if self.case.said.is_some() => Evidence::Said,
            None if index < finished => Evidence::Recorded,
            None => self.why_unclear(index),
        }
    }

    fn why_not_there(&self, index: usize, n: usize) -> Evidence {
        let is_shown = self.agrees(n);
        let is_refused = self.case.replay.is_some_and(|r| r.refused.is_some() && index + 1 == r.states.len());
        if is_shown && (self.is_visible(index) || is_refused) {
            return Evidence::NotInSchema;
        }
        let earlier = (n..index).find(|earlier| is_shown && self.is_visible(*earlier));
        match earlier {
            _ if self.case.progress.is_some() && self.case.said.is_none() => Evidence::NotRecorded,
            Some(earlier) => Evidence::Behind(earlier + 1),
            None if self.case.said.is_some() => Evidence::Said,
            None if index > n => Evidence::Behind(n + 1),
            None => Evidence::NotInSchema,
        }
    }

    fn why_unclear(&self, index: usize) -> Evidence {
        match self.statements[index].kind {
            _ if self.agreeing.is_none() => Evidence::NotCompared,
            StatementKind::Dml => Evidence::NoTrace,
            StatementKind::Ddl | StatementKind::Opaque(_) | StatementKind::Session => Evidence::SameSchema,
        }
    }

    /// The first statement that commits what was begun before it.
    fn first_commit(&self) -> Option<usize> {
        self.statements.iter().position(commits)
    }

    /// Whether another file may have been at work, and no record says with which statements.
    pub(super) fn is_other_file(&self) -> bool {
        let Case { direction, row, migration, progress, .. } = self.case;
        // sqlx hashes the up file alone.
        *direction == Direction::Up && progress.is_none() && row.checksum != migration.up.checksum.0
    }

    /// Whether statement `index`, one of the first `n`, may not be what ran.
    pub(super) fn is_in_doubt(&self, index: usize, n: usize) -> bool {
        if self.case.said.is_some() || !(self.edited.contains(&index) || self.is_other_file()) {
            return false;
        }
        // What a definition does, the schema shows.
        let kind = self.statements[index].kind;
        !(kind == StatementKind::Session || (kind == StatementKind::Ddl && self.agrees(n)))
    }
}

/// The numbers of statements that the record allows.
fn recorded(case: &Case<'_>) -> Vec<usize> {
    let n = case.script.statements.len();
    match case.progress {
        Some(progress) => {
            let finished = progress.finished.len().min(n);
            // The one after it is not begun before the record of this one is written.
            let last = if progress.running.is_some() { (finished + 1).min(n) } else { finished };
            (finished..=last).collect()
        }
        // sqlx writes the row in a transaction that the first such statement commits, before it does anything itself.
        None => (case.script.statements.iter().position(commits).unwrap_or(0)..=n).collect(),
    }
}

fn commits(statement: &Statement) -> bool {
    matches!(statement.kind, StatementKind::Ddl | StatementKind::Opaque(_))
}

/// Whether a statement that leaves the schema as it is may run once more.
fn may_run_twice(statement: &Statement) -> bool {
    let text = statement.text.to_ascii_uppercase();
    match statement.kind {
        StatementKind::Session => true,
        // `SELECT 1` stands where a file would be empty; with a function it may write.
        StatementKind::Dml => {
            text.starts_with("SELECT") && !text.contains(['(', ':']) && !text.contains("INTO")
        }
        StatementKind::Ddl => !text.contains("TRUNCATE"),
        StatementKind::Opaque(_) => false,
    }
}

fn is_alike(a: &Snapshot, b: &Snapshot, names: &BTreeSet<&ObjectName>) -> bool {
    names.iter().all(|name| a.objects.get(*name) == b.objects.get(*name))
}

/// How many of these objects only one of the two schemas has, then how many lines.
fn distance(a: &Snapshot, b: &Snapshot, names: &BTreeSet<&ObjectName>) -> (usize, usize) {
    let lines = |of: &Snapshot, name: &ObjectName| -> BTreeSet<String> {
        let text = of.objects.get(name).map(String::as_str).unwrap_or_default();
        text.lines().map(|line| line.trim_end_matches(',').to_owned()).collect()
    };
    let is_lonely = |name: &&&ObjectName| a.objects.contains_key(**name) != b.objects.contains_key(**name);
    let n_lines = |name: &&ObjectName| lines(a, name).symmetric_difference(&lines(b, name)).count();
    (names.iter().filter(is_lonely).count(), names.iter().map(n_lines).sum())
}
