//! How far a migration got that was begun and not completed, and how that is known.
//!
//! Two things tell: the record (the journal and the row in the history), and a [`Replay`] of the script on a scratch
//! database, whose states are compared with the tenant's schema. Where neither can tell (rows leave no trace in a schema),
//! the answer is "unclear", never a guess.

mod evidence;
mod judge;
mod remarks;
#[cfg(test)]
mod tests;
mod ways;

pub use self::{
    evidence::{Evidence, Presence},
    ways::{Offer, Way},
};

use std::collections::BTreeSet;

use crate::{
    history::{HistoryRow, Progress},
    migration::{Direction, Migration, Script, StatementKind, Version},
    schema::{ObjectKind, Snapshot},
};

/// The name of an object in a schema.
pub type ObjectName = (ObjectKind, String);

/// A migration that was begun and not completed, with everything that is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// The migration as it is on disk now.
    pub migration: &'a Migration,
    /// Which of its scripts was at work.
    pub direction: Direction,
    /// That script.
    pub script: &'a Script,
    /// Its row in the history.
    pub row: &'a HistoryRow,
    /// What the journal says of it.
    pub progress: Option<&'a Progress>,
    /// What a scratch database showed.
    pub replay: Option<&'a Replay>,
    /// How many statements are in the database, as a person says who has looked.
    pub said: Option<usize>,
}

/// What the script did on a scratch database that was as the tenant's had been, and what the tenant's is like.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The schema before the first statement, after it, after the second and so on; ends early at a statement that
    /// defines something and fails.
    pub states: Vec<Snapshot>,
    /// That statement's failure.
    pub refused: Option<Refused>,
    /// Statements about rows that failed, from 0, with the server's words. A scratch database has no rows, so this is no
    /// reason to stop.
    pub rows_refused: Vec<(usize, String)>,
    /// The tenant's schema.
    pub real: Snapshot,
}

/// A statement that failed on the scratch database.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The server's words.
    pub error: String,
    /// The schema after it: on MariaDB a `DROP TABLE` of several tables that fails has dropped those that were there.
    pub left: Snapshot,
}

impl Replay {
    /// The objects that the script makes, changes or removes, as far as it ran. Only these are compared: what else
    /// differs is no work of this migration.
    pub fn touched(&self) -> BTreeSet<&ObjectName> {
        let first = self.states.first();
        let later = self.states.iter().skip(1).chain(self.refused.iter().map(|refused| &refused.left));
        later.zip(first.into_iter().cycle()).flat_map(|(state, first)| differing(state, first)).collect()
    }

    /// The objects that differ from what the history implies though this migration does not touch them.
    pub fn drifted(&self) -> Vec<&ObjectName> {
        let touched = self.touched();
        let first = self.states.first();
        let names = first.map(|first| differing(first, &self.real)).unwrap_or_default();
        names.into_iter().filter(|name| !touched.contains(name)).collect()
    }
}

/// The objects that two schemas do not have in common.
fn differing<'s>(a: &'s Snapshot, b: &'s Snapshot) -> BTreeSet<&'s ObjectName> {
    let names = a.objects.keys().chain(b.objects.keys());
    names.filter(|name| a.objects.get(*name) != b.objects.get(*name)).collect()
}

/// How far a script got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Position {
    /// So many statements are in the database, and what remains may run. Among what remains can be statements that have
    /// run already and change nothing when they run again.
    After(usize),
    /// One statement is there in part.
    Partly {
        /// Which, from 0.
        statement: usize,
        /// What it has done to.
        done: Vec<ObjectName>,
        /// What it has not done to.
        missing: Vec<ObjectName>,
    },
    /// So many statements, or so many: nothing tells them apart.
    OneOf(Vec<usize>),
    /// The schema is as after no statement of the script.
    Unlike {
        /// The number of statements after which it is most alike.
        nearest: usize,
    },
}

/// One statement, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its line in the file, from 1.
    pub line: usize,
    /// Its text, without passwords.
    pub text: String,
    /// What it means for a transaction.
    pub kind: StatementKind,
    /// Whether it is in the database.
    pub presence: Presence,
    /// How that is known, or why it is not.
    pub evidence: Evidence,
}

/// How far a migration got that was begun and not completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// Its version.
    pub version: Version,
    /// The words of its file name.
    pub description: String,
    /// Which of its scripts was at work: a failed revert is no failed apply.
    pub direction: Direction,
    /// The file with that script.
    pub file_name: String,
    /// Its statements.
    pub statements: Vec<Judged>,
    /// How far it got.
    pub position: Position,
    /// Every number of statements that agrees with what is known; a replay's agreement, where there was one.
    pub possible: Vec<usize>,
    /// Whether a replay was compared with the schema.
    pub is_replayed: bool,
    /// Why the finished statements may not be those of the file: they were edited after they ran.
    pub doubts: Vec<String>,
    /// Why the server will refuse the next statement again: it has, a scratch database takes it, and the schema is still not
    /// as after the statements before it.
    pub obstacle: Option<String>,
    /// What a person has said of it and is otherwise, as far as is known.
    pub contradiction: Option<String>,
    /// What else there is to know, a sentence each.
    pub notes: Vec<String>,
    /// How the schema differs from the nearest state, as lines of SQL that begin with `-` (the state), `+` (the tenant's) or
    /// a space.
    pub difference: Option<String>,
}

impl Case<'_> {
    /// Says how far the migration got.
    pub fn judge(&self) -> Diagnosis {
        judge::judge(self)
    }
}
