//! What a statement does, as far as its text says: the words that rules speak about.
//!
//! A span is the bytes of the file, not of the statement. Names are without their quotes. What is not said is `None`;
//! what is said and not understood is [`Change::Unknown`], [`Clause::Unknown`] or `is_whole: false`, and no rule may
//! conclude anything from it.

mod column;
mod rows;
mod table;

use std::ops::Range;

use crate::tenant::Flavour;

pub use self::{
    column::{Column, DataType, Default, Generated, Place},
    rows::{Assignment, Condition, Passing, Rows, Scope, Verb},
    table::{
        AlterTable, Check, Clause, ClauseAt, CreateTable, ForeignKey, Index, IndexKind, Part, TableOptions,
        Written,
    },
};

/// A name, qualified or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What stands before the dot.
    pub database: Option<String>,
    /// The name itself.
    pub name: String,
    /// Both.
    pub span: Range<usize>,
}

/// All that was read in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What it does.
    pub change: Change,
    /// What only one of the two servers understands.
    pub dialects: Vec<Dialect>,
    /// The functions it calls, in upper case, and the words that are functions without parentheses
    /// (`CURRENT_TIMESTAMP`). Those in a stored program's body are not among them.
    pub calls: Vec<(String, Range<usize>)>,
    /// The variables of a user that it names, such as `@n`.
    pub variables: Vec<Range<usize>>,
}

/// Syntax of one of the two servers alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The server that understands it.
    pub only: Flavour,
    /// What it is.
    pub what: &'static str,
    /// Where.
    pub span: Range<usize>,
}

/// What a statement does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// `CREATE TABLE`.
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE`, `CREATE INDEX`, `DROP INDEX`.
    AlterTable(AlterTable),
    /// `DROP TABLE`.
    DropTables {
        /// The tables.
        names: Vec<Name>,
        /// `IF EXISTS`.
        if_exists: bool,
        /// `TEMPORARY`.
        temporary: bool,
    },
    /// `RENAME TABLE`: old and new names.
    RenameTables(Vec<(Name, Name)>),
    /// `TRUNCATE`.
    Truncate(Name),
    /// `CREATE` of a view, trigger, routine, event or sequence.
    Create(Object),
    /// `ALTER` of such a thing.
    Alter(Object),
    /// `DROP` of such a thing.
    Drop {
        /// What they are.
        kind: ObjectKind,
        /// Their names.
        names: Vec<Name>,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `CREATE`, `ALTER` or `DROP DATABASE`.
    Database {
        /// Its first word.
        verb: DatabaseVerb,
        /// The database; `ALTER` may leave it out.
        name: Option<Name>,
        /// Where its first two words are.
        span: Range<usize>,
    },
    /// `INSERT`, `UPDATE`, `DELETE`, …
    Rows(Rows),
    /// `SELECT` and whatever else gives rows to the client alone.
    Query {
        /// `INTO @x`: nothing is given to the client.
        into: bool,
    },
    /// `SET`.
    Set(Vec<Assignment>),
    /// `PREPARE`, `EXECUTE`, `DEALLOCATE`: in upper case, and the prepared statement's name.
    Prepared(String, Name),
    /// `CALL`.
    Call(Name),
    /// Accounts, plugins, other connections, logs: the whole server. The words that say so, in upper case.
    Server(String),
    /// `ANALYZE`, `OPTIMIZE`, `REPAIR`, `CHECK`: that word, in upper case.
    Maintenance(String),
    /// What was not understood.
    Unknown,
}

impl Change {
    /// The names of tables and other things that it speaks of, as far as they were read.
    pub fn names(&self) -> Vec<&Name> {
        match self {
            Self::CreateTable(table) => {
                let parents = table.foreign_keys.iter().map(|key| &key.parent);
                std::iter::once(&table.name).chain(&table.like).chain(parents).collect()
            }
            Self::AlterTable(alter) => {
                let others = alter.clauses.iter().filter_map(|at| match &at.clause {
                    Clause::RenameTo(name) => Some(name),
                    Clause::AddForeignKey(key) => Some(&key.parent),
                    _ => None,
                });
                std::iter::once(&alter.name).chain(others).collect()
            }
            Self::DropTables { names, .. } | Self::Drop { names, .. } => names.iter().collect(),
            Self::RenameTables(pairs) => pairs.iter().flat_map(|(old, new)| [old, new]).collect(),
            Self::Truncate(name) => vec![name],
            Self::Create(object) | Self::Alter(object) => {
                std::iter::once(&object.name).chain(&object.table).collect()
            }
            Self::Rows(rows) => rows.tables.iter().chain(&rows.sources).collect(),
            _ => Vec::new(),
        }
    }
}

/// The first word of a statement about a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseVerb {
    /// `CREATE`.
    Create,
    /// `ALTER`.
    Alter,
    /// `DROP`.
    Drop,
}

/// A thing in a database that is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say all")]
pub enum ObjectKind {
    View,
    Trigger,
    Procedure,
    Function,
    Event,
    Sequence,
}

impl ObjectKind {
    /// Its name in a sentence.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Trigger => "trigger",
            Self::Procedure => "procedure",
            Self::Function => "function",
            Self::Event => "event",
            Self::Sequence => "sequence",
        }
    }
}

/// A view, trigger, routine, event or sequence that is created or altered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: Name,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `DEFINER = …`: where the account is, and whether it is `CURRENT_USER`.
    pub definer: Option<(Range<usize>, bool)>,
    /// The table of a trigger.
    pub table: Option<Name>,
    /// The columns that a view gives, where the text names each; `*` and what was not understood give `None`.
    pub columns: Option<Vec<String>>,
}
