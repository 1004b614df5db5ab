//! Tables, and what changes in them.

use std::ops::Range;

use super::{Column, Default, Name, Place};

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the grammar that is there or not")]
pub struct CreateTable {
    /// The table.
    pub name: Name,
    /// `TEMPORARY`.
    pub temporary: bool,
    /// `OR REPLACE`.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its indexes, the primary key among them; those beside a column are in the column.
    pub indexes: Vec<Index>,
    /// Its foreign keys; those beside a column are in the column.
    pub foreign_keys: Vec<ForeignKey>,
    /// Its checks; those beside a column are in the column.
    pub checks: Vec<Check>,
    /// Its options.
    pub options: TableOptions,
    /// `LIKE` this table.
    pub like: Option<Name>,
    /// Whether columns and rows come from a query.
    pub has_query: bool,
    /// `PARTITION BY`.
    pub is_partitioned: bool,
    /// Whether all of it was understood.
    pub is_whole: bool,
}

/// A table's options, as far as rules ask for them. Words in lower case.
#[derive(Clone, Debug, std::default::Default, PartialEq, Eq)]
pub struct TableOptions {
    /// `ENGINE`.
    pub engine: Option<String>,
    /// `DEFAULT CHARACTER SET`.
    pub charset: Option<String>,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// `ROW_FORMAT`.
    pub row_format: Option<String>,
    /// `AUTO_INCREMENT = …` is said.
    pub auto_increment: bool,
    /// The other options' words, in upper case.
    pub others: Vec<String>,
}

/// How the words of an [`AlterTable`] begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// `ALTER TABLE`.
    AlterTable,
    /// `CREATE INDEX`: to both servers an `ALTER TABLE … ADD INDEX`.
    CreateIndex,
    /// `DROP INDEX`.
    DropIndex,
}

/// `ALTER TABLE` and what both servers take for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterTable {
    /// The table.
    pub name: Name,
    /// How it is written.
    pub written: Written,
    /// `IF EXISTS` after `TABLE`.
    pub if_exists: bool,
    /// Its clauses in order.
    pub clauses: Vec<ClauseAt>,
}

/// A clause with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseAt {
    /// What it does.
    pub clause: Clause,
    /// Where it is.
    pub span: Range<usize>,
}

/// One clause of an `ALTER TABLE`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words of the grammar")]
pub enum Clause {
    AddColumn {
        column: Box<Column>,
        place: Option<Place>,
        if_not_exists: bool,
    },
    ModifyColumn {
        column: Box<Column>,
        place: Option<Place>,
        if_exists: bool,
    },
    ChangeColumn {
        old: String,
        column: Box<Column>,
        place: Option<Place>,
        if_exists: bool,
    },
    RenameColumn {
        old: String,
        new: String,
    },
    DropColumn {
        name: String,
        if_exists: bool,
    },
    SetDefault {
        column: String,
        default: Default,
    },
    DropDefault {
        column: String,
    },
    /// Something else about a column that leaves its values alone, such as `SET INVISIBLE`.
    ColumnOption {
        column: String,
    },
    AddIndex {
        index: Index,
        if_not_exists: bool,
    },
    DropIndex {
        name: String,
        if_exists: bool,
    },
    DropPrimaryKey,
    RenameIndex {
        old: String,
        new: String,
    },
    /// `ALTER INDEX … INVISIBLE` or `IGNORED` and back.
    IndexVisibility {
        name: String,
    },
    AddForeignKey(ForeignKey),
    DropForeignKey {
        name: String,
        if_exists: bool,
    },
    AddCheck(Check),
    /// `DROP CHECK`, and `DROP CONSTRAINT`, which may drop a key as well.
    DropConstraint {
        name: String,
        if_exists: bool,
    },
    /// `ALTER CHECK … ENFORCED`.
    AlterConstraint {
        name: String,
    },
    RenameTo(Name),
    Convert {
        charset: Option<String>,
        collation: Option<String>,
    },
    /// Options of the table.
    Options(TableOptions),
    /// In upper case.
    Algorithm(String),
    /// In upper case.
    Lock(String),
    /// `FORCE`: the table is written anew.
    Force,
    OrderBy,
    PartitionBy,
    RemovePartitioning,
    AddPartition,
    DropPartitions(Vec<String>),
    TruncatePartitions(Vec<String>),
    /// Another clause about partitions, by its first word in upper case.
    Partitions(String),
    /// A clause that is known and that no rule asks about.
    Other,
    Unknown,
}

/// What an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all")]
pub enum IndexKind {
    Primary,
    Unique,
    Plain,
    FullText,
    Spatial,
    Vector,
}

impl IndexKind {
    /// Whether no two rows may have the same values.
    pub fn is_unique(self) -> bool {
        matches!(self, Self::Primary | Self::Unique)
    }
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// What it is.
    pub kind: IndexKind,
    /// Its name, if it is given one.
    pub name: Option<String>,
    /// What it is over.
    pub parts: Vec<Part>,
    /// Where it is defined.
    pub span: Range<usize>,
}

impl Index {
    /// The columns it is over, in order; `None` if a part is computed.
    pub fn columns(&self) -> Option<Vec<&str>> {
        self.parts.iter().map(|part| part.column.as_deref()).collect()
    }
}

/// One part of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The column; `None` for an expression.
    pub column: Option<String>,
    /// How many characters or bytes of it, where that is said.
    pub length: Option<u64>,
    /// `DESC`.
    pub is_descending: bool,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name, if it is given one.
    pub name: Option<String>,
    /// The columns here.
    pub columns: Vec<String>,
    /// The table there.
    pub parent: Name,
    /// The columns there.
    pub parent_columns: Vec<String>,
    /// `ON DELETE`, in upper case.
    pub on_delete: Option<String>,
    /// Where it is defined.
    pub span: Range<usize>,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, if it is given one.
    pub name: Option<String>,
    /// `NOT ENFORCED`.
    pub is_enforced: bool,
    /// Where it is defined.
    pub span: Range<usize>,
}
