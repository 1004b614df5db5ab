//! The ways on from a half-done migration, and what stands against each.

use super::{Diagnosis, Position};
use crate::migration::Direction;

/// A way on from a migration that was begun and not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// Run the rest of its script.
    Resume,
    /// Return to before: run the end of the other script that undoes what is there.
    Undo,
    /// Declare it applied.
    MarkApplied,
    /// Declare it not applied.
    MarkNotApplied,
}

impl Way {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Resume, Self::Undo, Self::MarkApplied, Self::MarkNotApplied];

    /// The word for it, which is its flag's name as well.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::Undo => "undo",
            Self::MarkApplied => "mark-applied",
            Self::MarkNotApplied => "mark-not-applied",
        }
    }

    /// Whether the migration is applied once this way is gone, for a script of this direction.
    pub fn is_applied_after(self, direction: Direction) -> bool {
        match self {
            Self::Resume => direction == Direction::Up,
            Self::Undo => direction == Direction::Down,
            Self::MarkApplied => true,
            Self::MarkNotApplied => false,
        }
    }
}

/// A way on from one half-done migration in one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Which.
    pub way: Way,
    /// What stands against it.
    pub objection: Option<String>,
    /// Whether `--force` goes it all the same.
    pub may_be_forced: bool,
    /// What would be sent to the database, in order.
    pub sql: Vec<String>,
}

impl Diagnosis {
    /// What stands against going `way`, as far as the diagnosis tells; `None` where nothing does.
    ///
    /// A declaration wants a schema that agrees with it, and no doubt about a statement that a schema does not show. To run
    /// anything, it must be known what has run, and that the server will not refuse it again.
    pub fn objection(&self, way: Way) -> Option<String> {
        if let Some(doubt) = self.doubts.first().or(self.contradiction.as_ref()) {
            return Some(doubt.clone());
        }
        match way {
            Way::Resume => self.objection_to_run().or_else(|| self.obstacle.clone()),
            Way::Undo => self.objection_to_run(),
            Way::MarkApplied | Way::MarkNotApplied => self.objection_to_declare(way),
        }
    }

    /// How many statements are in the database, if that is known.
    pub fn n_finished(&self) -> Option<usize> {
        match self.position {
            Position::After(n) => Some(n),
            Position::Partly { .. } | Position::OneOf(_) | Position::Unlike { .. } => None,
        }
    }

    /// Whether the schema was compared and is as in the course of this script.
    pub fn fits_the_schema(&self) -> bool {
        self.is_replayed && self.difference.is_none()
    }

    /// What a person can do so that a way opens; `None` where that is said of the way itself.
    pub fn hint(&self) -> Option<String> {
        let hint = match &self.position {
            _ if !self.doubts.is_empty() => {
                "put the file back as it ran; or look what is in the database, and say with `--from N` at which statement to \
                 go on"
            }
            _ if self.contradiction.is_some() => {
                "look again what is in the database, and say with `--from N` at which statement to go on"
            }
            Position::After(n) if self.obstacle.is_some() => {
                return Some(format!(
                    "look what statement {} meets and at the rows it holds; move it out of the way (`RENAME TABLE`) or mend the \
                     statement, and run `migrate:recover` again; where it is what the statement means, `--from {}` says so",
                    n + 1,
                    n + 2
                ));
            }
            Position::After(_) => return None,
            _ if !self.is_replayed => {
                "name a server where databases may be made in `SCRATCH_URL`, so that the schema can be compared \
                 (docs/recover.md: how to have one for minutes); or look yourself, and say with `--from N` at which \
                 statement to go on"
            }
            Position::Partly { statement, .. } => {
                return Some(format!(
                    "do by hand what is missing of statement {}; or undo by hand what it has done, once you have looked that \
                     no row of it is needed; then run `migrate:recover` again",
                    statement + 1
                ));
            }
            Position::OneOf(_) => {
                "look which of these statements' work is in the database, then say with `--from N` at which one to go on"
            }
            Position::Unlike { .. } => {
                "look where the difference comes from and whether it holds rows that are needed, mend it by hand and run \
                 `migrate:recover` again; or look what is in the database, and say with \
                 `--from N --force` at which statement to go on"
            }
        };
        Some(hint.to_owned())
    }

    fn objection_to_run(&self) -> Option<String> {
        match &self.position {
            Position::After(_) => None,
            Position::Partly { statement, .. } => {
                Some(format!("statement {} is there in part, and no statement runs in part", statement + 1))
            }
            Position::OneOf(numbers) => {
                let (first, last) = (numbers.first().copied()?, numbers.last().copied()?);
                Some(match last - first {
                    0 | 1 => format!("whether statement {} is in the database is not known", first + 1),
                    _ => format!(
                        "which of the statements {} to {last} are in the database is not known",
                        first + 1
                    ),
                })
            }
            Position::Unlike { .. } => Some("the schema is as after none of the statements".to_owned()),
        }
    }

    fn objection_to_declare(&self, way: Way) -> Option<String> {
        let is_whole = (way == Way::MarkApplied) == (self.direction == Direction::Up);
        let n = if is_whole { self.statements.len() } else { 0 };
        let (file, state) = (&self.file_name, if is_whole { "after all" } else { "before anything" });
        if !self.is_replayed {
            return Some(format!(
                "whether the schema is as {state} of {file} was not compared on a scratch database"
            ));
        }
        match &self.position {
            Position::After(_) if self.possible.contains(&n) => None,
            // The schema would be the same without the statements that nobody knows of.
            Position::OneOf(numbers) if numbers.contains(&n) => self.objection_to_run(),
            _ => Some(format!("the schema is not as {state} of {file}")),
        }
    }
}
