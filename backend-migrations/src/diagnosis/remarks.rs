//! What is said of a case beside how far it got.

use super::{Position, judge::View};

impl View<'_> {
    /// Why the finished statements may not be those of the file.
    pub(super) fn doubts(&self, position: &Position) -> Vec<String> {
        let n = match position {
            Position::After(n) | Position::Partly { statement: n, .. } => *n,
            Position::OneOf(numbers) => numbers.first().copied().unwrap_or_default(),
            Position::Unlike { .. } => 0,
        };
        let file = &self.case.script.file_name;
        let known =
            (0..n.min(self.statements.len())).filter(|index| self.is_in_doubt(*index, n)).map(|index| {
                let (number, line) = (index + 1, self.statements[index].line);
                if self.edited.contains(&index) {
                    format!("statement {number} ({file}:{line}) is no longer as it ran")
                } else {
                    format!(
                        "statement {number} ({file}:{line}) may not be as it ran: the file was edited since"
                    )
                }
            });
        // A file that was cut short has no such line any more.
        let cut = self.edited.iter().filter(|index| **index >= self.statements.len());
        let cut = cut.map(|index| format!("statement {} ran and is no longer in {file}", index + 1));
        known.chain(cut).collect()
    }

    /// Why the next statement will be refused again.
    pub(super) fn obstacle(&self, position: &Position) -> Option<String> {
        let Position::After(n) = position else { return None };
        let progress = self.case.progress.filter(|progress| {
            self.case.said.is_none() && progress.running.is_none() && progress.finished.len() == *n
        })?;
        let error = progress.error.as_ref()?;
        let is_taken = self.case.replay?.states.len() > n + 1;
        (is_taken && !self.agrees(*n)).then(|| {
            format!(
                "the server has refused statement {} here, a scratch database takes it, and what it meets here is still there: \
                 {error}",
                n + 1
            )
        })
    }

    /// What a person says is in the database, where the record or the schema says otherwise.
    pub(super) fn contradiction(&self) -> Option<String> {
        let said = self.case.said.filter(|said| !self.possible().contains(said))?;
        let total = self.statements.len();
        let from = format!("`--from {}` means that {}", said + 1, in_the_database(said));
        if said > total {
            let file = &self.case.script.file_name;
            return Some(format!("{from}, and {file} has {total}"));
        }
        let record = (!self.recorded.contains(&said)).then(|| self.record());
        let schema = self.agreeing.as_ref().filter(|agreeing| !agreeing.contains(&said)).map(|agreeing| {
            let numbers: Vec<_> = agreeing.iter().map(usize::to_string).collect();
            match &*numbers {
                [] => "the schema is as after none of the statements".to_owned(),
                [only] => format!("the schema is as after {only} of {total}"),
                [first @ .., last] => {
                    format!("the schema is as after {} or {last} of {total}", first.join(", "))
                }
            }
        });
        let otherwise: Vec<_> = record.into_iter().chain(schema).collect();
        Some(format!("{from}, but {}", otherwise.join(", and ")))
    }

    /// What the record says.
    fn record(&self) -> String {
        match self.case.progress {
            Some(progress) if progress.finished.is_empty() && progress.running.is_some() => {
                "the record has statement 1 as begun".to_owned()
            }
            Some(progress) => {
                let n = progress.finished.len();
                let begun = progress.running.map(|_| format!(", and statement {} as begun", n + 1));
                format!("the record has {} as committed{}", statements(n), begun.unwrap_or_default())
            }
            None => {
                let n = self.recorded.first().copied().unwrap_or_default();
                format!("the history's row was committed together with {}", statements(n))
            }
        }
    }

    /// What else there is to know.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.is_other_file() {
            notes.push(
                "the file was edited after it was begun; what is compared is the file as it is now"
                    .to_owned(),
            );
        }
        let progress = self.case.progress;
        if let Some(error) = progress.and_then(|progress| progress.error.as_ref()) {
            let next = progress.map_or(0, |progress| progress.finished.len()) + 1;
            notes.push(format!("the server said to statement {next}: {error}"));
        }
        let Some(replay) = self.case.replay else { return notes };
        let (scratch, real) = (replay.states[0].server, replay.real.server);
        if (scratch.number.0, scratch.number.1) != (real.number.0, real.number.1) {
            notes.push(format!("the scratch database is on {scratch}, the tenant's on {real}"));
        }
        if let Some(refused) = &replay.refused {
            let number = replay.states.len();
            notes.push(format!("statement {number} fails on a scratch database: {}", refused.error));
        }
        for (index, error) in &replay.rows_refused {
            notes.push(format!(
                "statement {} failed on the scratch database, which has no rows: {error}",
                index + 1
            ));
        }
        let drifted: Vec<_> =
            replay.drifted().into_iter().map(|(kind, name)| format!("{kind} `{name}`")).collect();
        if !drifted.is_empty() {
            let names = drifted.join(", ");
            notes.push(format!("not as the history implies, and not touched by this migration: {names}"));
        }
        notes
    }

    /// How the schema differs from the nearest state, where it is as after none.
    pub(super) fn difference(&self, position: &Position) -> Option<String> {
        let replay = self.case.replay?;
        if matches!(self.agreeing.as_deref(), Some([_, ..])) || matches!(position, Position::Partly { .. }) {
            return None;
        }
        let differences = replay.states[self.nearest()].diff(&replay.real).into_iter();
        let touched = differences.filter(|d| self.touched.contains(&(d.object, d.name.clone())));
        Some(touched.map(|difference| difference.diff).collect())
    }
}

/// The first `n` statements.
fn statements(n: usize) -> String {
    match n {
        0 => "no statement".to_owned(),
        1 => "statement 1".to_owned(),
        n => format!("statements 1 to {n}"),
    }
}

fn in_the_database(n: usize) -> String {
    match n {
        0 => "no statement is in the database".to_owned(),
        1 => "statement 1 is in the database and no other".to_owned(),
        n => format!("{} are in the database and no other", statements(n)),
    }
}
