//! A database's schema, as its server describes it.
//!
//! A [`Snapshot`] holds every object twice: as the server's own SQL, by which two schemas are compared to the letter, and
//! its tables as structure, for whoever has to fill them. Nothing here asks a server.

mod diff;

use std::{collections::BTreeMap, fmt};

use sha2::{Digest as _, Sha256};

pub use self::diff::{Difference, DifferenceKind};
pub use crate::tenant::Flavour;

/// What a server says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerVersion {
    /// Which of the two.
    pub flavour: Flavour,
    /// Major, minor and patch, such as 10.11.6.
    pub number: (u16, u16, u16),
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.number;
        write!(f, "{} {major}.{minor}.{patch}", self.flavour)
    }
}

/// The kinds of things a schema consists of, in an order in which they can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// The database itself: its character set and collation.
    Database,
    /// A sequence (MariaDB).
    Sequence,
    /// A table.
    Table,
    /// A stored function.
    Function,
    /// A stored procedure.
    Procedure,
    /// A package's declarations (MariaDB, `sql_mode = ORACLE`).
    Package,
    /// A package's code.
    PackageBody,
    /// A view.
    View,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
}

impl ObjectKind {
    /// What SQL calls it, as in `SHOW CREATE TABLE`.
    pub fn as_sql(self) -> &'static str {
        match self {
            Self::Database => "DATABASE",
            Self::Sequence => "SEQUENCE",
            Self::Table => "TABLE",
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::Package => "PACKAGE",
            Self::PackageBody => "PACKAGE BODY",
            Self::View => "VIEW",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
        }
    }

    /// What people call it, as in "table `tasks`".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Sequence => "sequence",
            Self::Table => "table",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Package => "package",
            Self::PackageBody => "package body",
            Self::View => "view",
            Self::Trigger => "trigger",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Everything a database consists of, without its rows and without the tables of the migration history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The server it was taken on: SQL of different ones does not compare.
    pub server: ServerVersion,
    /// The database's own character set and collation: what stands behind its name in `CREATE DATABASE`.
    pub options: String,
    /// Every object's definition in the server's words, normalised: what is no part of the schema (the next
    /// `AUTO_INCREMENT`, an event's moment of birth) is left out.
    pub objects: BTreeMap<(ObjectKind, String), String>,
    /// The tables once more, as structure.
    pub tables: BTreeMap<String, Table>,
}

/// The SHA-256 of a schema: two databases with the same have the same schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Snapshot {
    /// The fingerprint of everything that [`Snapshot::diff`] compares.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = Sha256::new();
        // Each with its length, so that no text can pass for two.
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        add(self.server.flavour.as_str());
        add(&self.options);
        for ((kind, name), definition) in &self.objects {
            add(kind.as_sql());
            add(name);
            add(definition);
        }
        Fingerprint(hash.finalize().into())
    }

    /// Whether there is no object at all: a database nobody has made anything in.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// What `other` has otherwise than this one, object by object in the order of [`ObjectKind`]; empty where the two are
    /// the same schema. `-` stands for what is here and not there.
    ///
    /// Snapshots of servers of different flavours compare as texts, and so differ in nearly everything.
    pub fn diff(&self, other: &Self) -> Vec<Difference> {
        diff::diff(self, other)
    }

    /// Whether a table of this name is in both, and the same but for what its definition spells out and the order in which
    /// its indexes and constraints are shown.
    pub fn has_same_table(&self, other: &Self, name: &str) -> bool {
        diff::is_same(self, other, &(ObjectKind::Table, name.to_owned()))
    }

    /// All definitions as one text, a `;` and an empty line after each, for people and for version control.
    pub fn to_sql(&self) -> String {
        let definitions = self.objects.values().map(|definition| format!("{definition};\n"));
        definitions.collect::<Vec<_>>().join("\n")
    }
}

/// A table's structure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// In the table's order.
    pub columns: Vec<Column>,
    /// By name; the primary key is called `PRIMARY`.
    pub keys: Vec<Key>,
    /// By name; those that point to other databases are left out.
    pub foreign_keys: Vec<ForeignKey>,
    /// By name.
    pub checks: Vec<Check>,
}

/// A column.
#[expect(clippy::struct_excessive_bools, reason = "four facts that have nothing to do with each other")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// As `information_schema.columns.column_type` has it, such as `decimal(10,2) unsigned` or `enum('a','b')`.
    pub column_type: String,
    /// Its character set, if it has one.
    pub character_set: Option<String>,
    /// Its collation, if it has one.
    pub collation: Option<String>,
    /// Whether it takes NULL.
    pub is_nullable: bool,
    /// Whether a row may leave it out: a default, an expression, `AUTO_INCREMENT`.
    pub has_default: bool,
    /// Whether the server computes it, so that no row may give it.
    pub is_generated: bool,
    /// Whether the server counts it.
    pub is_auto_increment: bool,
}

/// A key (an index).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: String,
    /// Whether no two rows may have the same.
    pub is_unique: bool,
    /// Its parts, in order.
    pub parts: Vec<KeyPart>,
}

/// A part of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// The column; `None` for an expression.
    pub column: Option<String>,
    /// How many characters or bytes of it count, if not all.
    pub prefix: Option<u32>,
}

/// A foreign key within the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// The table they point to.
    pub referenced_table: String,
    /// That table's columns, in the same order.
    pub referenced_columns: Vec<String>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// What must be true, as the server prints it.
    pub expression: String,
}
