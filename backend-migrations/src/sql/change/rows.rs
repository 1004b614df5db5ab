//! Rows, and variables.

use std::ops::Range;

use super::Name;

/// What is done with rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words of the grammar")]
pub enum Verb {
    Insert,
    Replace,
    Update,
    Delete,
    Load,
}

impl Verb {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Replace => "REPLACE",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
            Self::Load => "LOAD",
        }
    }
}

/// A `WHERE`, as far as its words alone tell what it leaves over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// There is none.
    None,
    /// It is true for each row that all of these let pass, and for every row where there are none: `1 = 1`, `TRUE`.
    Always(Vec<Passing>),
    /// What it is depends on the rows, or was not understood.
    Other,
}

/// A test that says little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passing {
    /// The column holds a value: `id IS NOT NULL`, `id = id`.
    NotNull(String),
    /// The column is what a counter gives: `id > 0`.
    Counted(String),
}

/// A statement that changes rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// What is done.
    pub verb: Verb,
    /// The tables named: the one that is changed first, and those joined to it.
    pub tables: Vec<Name>,
    /// The tables that the query of an `INSERT` or `REPLACE` reads, as far as they were found.
    pub sources: Vec<Name>,
    /// The columns that an `UPDATE` sets.
    pub assigned: Vec<String>,
    /// `IGNORE`: where.
    pub ignore: Option<Range<usize>>,
    /// What the `WHERE` leaves over.
    pub condition: Condition,
    /// Whether a join or a subquery says which rows as well.
    pub has_join: bool,
    /// Whether there is a `LIMIT`.
    pub has_limit: bool,
    /// Whether the rows come from a query.
    pub has_query: bool,
    /// From the verb to the table.
    pub span: Range<usize>,
}

/// Where a variable lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `@name`.
    User,
    /// This connection.
    Session,
    /// The server: `GLOBAL`, `PERSIST`, `PERSIST_ONLY`.
    Server,
}

/// One assignment of a `SET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Where it lives.
    pub scope: Scope,
    /// Its name in lower case, without its scope.
    pub name: String,
    /// What is assigned, as it is written.
    pub value: String,
    /// Where it stands.
    pub span: Range<usize>,
}
