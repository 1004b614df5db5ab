//! The words of a migration: version, script, statement, set.
//!
//! Nothing here reads a file, a clock or a database. A [`MigrationSet`] is sorted and has each version once by
//! construction, so nothing later has to ask.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha384};

/// A migration's number: the integer before the first `_` of its file name, `YYYYMMDDHHMMSS` in UTC by custom.
///
/// sqlx reads it as an `i64` and so do we; a negative one is legal there, if odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// SHA-384 of a script's bytes as they are on disk: what sqlx stores in `_sqlx_migrations.checksum`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Checksum(pub [u8; 48]);

impl Checksum {
    /// The checksum of a file with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha384::digest(bytes).into())
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Up applies a migration, down undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The migration is applied.
    Up,
    /// The migration is undone.
    Down,
}

/// What a statement means for the transaction it runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementKind {
    /// Commits before and after itself, and is all or nothing (MySQL 8.0 manual, "Atomic Data Definition Statement
    /// Support").
    Ddl,
    /// As [`StatementKind::Ddl`] for the transaction, but a failure may leave a part of it done.
    Opaque(Opacity),
    /// Reads or writes rows; runs in a transaction and can be rolled back.
    Dml,
    /// Changes only this session (`SET @x`, `SET SESSION …`, `PREPARE`, a temporary table): gone with the connection.
    Session,
}

/// Why a failure of a statement may leave a part of it done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opacity {
    /// It does several things, or one that no server takes back: a `DROP TABLE` of several tables on MariaDB, `SET GLOBAL`.
    Several,
    /// It runs statements that its own text does not show (`CALL`, `EXECUTE`) or that are statements of their own
    /// (MariaDB's compound statements outside of routines). An error of any number may come from one of these.
    Program,
    /// It makes a table and fills it from a query (`CREATE TABLE … SELECT`): a server that is killed in it may leave the table
    /// (MariaDB), one that answers with an error has removed it.
    Filling,
    /// It puts away what was there, and then runs a query, and what that calls, which may fail (MariaDB's `CREATE OR REPLACE TABLE
    /// … SELECT`).
    Replacing,
    /// Nothing is known of its first word.
    Unknown,
}

/// One statement of a script, without its terminator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The text to send: no leading or trailing white space, no trailing `;`.
    pub text: String,
    /// The line of the file it begins on, from 1: that of its first word, not of a comment before it.
    pub line: usize,
    /// The byte of the file it begins at.
    pub offset: usize,
    /// What it means for the transaction it runs in.
    pub kind: StatementKind,
}

/// How the lines of a file end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineEnds {
    /// With a line feed, as everywhere but on Windows.
    Lf,
    /// With a carriage return before it; git's `core.autocrlf` makes these.
    CrLf,
}

/// One file: its text and the statements in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file's name without its folder, such as `20250127120000_add_priority_to_tasks.up.sql`.
    pub file_name: String,
    /// All of it, comments included.
    pub source: Arc<str>,
    /// SHA-384 of the file's bytes.
    pub checksum: Checksum,
    /// Its statements, in order; none where the file holds comments only.
    pub statements: Vec<Statement>,
}

impl Script {
    /// Whether the whole script runs as one transaction: every statement can be rolled back or leaves no trace.
    pub fn is_transactional(&self) -> bool {
        self.statements.iter().all(|s| matches!(s.kind, StatementKind::Dml | StatementKind::Session))
    }

    /// The line ends with which this script would have this checksum; `None` where more than they differ.
    pub fn line_ends_of(&self, checksum: &[u8]) -> Option<LineEnds> {
        let lf = self.source.replace("\r\n", "\n");
        let crlf = lf.replace('\n', "\r\n");
        let forms = [(LineEnds::Lf, lf), (LineEnds::CrLf, crlf)];
        let is_it = |(_, text): &(LineEnds, String)| Checksum::of(text.as_bytes()).0 == checksum;
        forms.into_iter().find(is_it).map(|(line_ends, _)| line_ends)
    }

    /// Whether it has a statement that could change anything: not `SELECT 1`, `DO 0` or `SET @x = 1`.
    pub fn does_something(&self) -> bool {
        self.statements.iter().any(|statement| {
            let word: String = statement.text.chars().take_while(char::is_ascii_alphabetic).collect();
            !["SELECT", "DO", "SET", "SHOW"].iter().any(|idle| word.eq_ignore_ascii_case(idle))
                || statement.text.to_ascii_uppercase().contains("PASSWORD")
        })
    }
}

/// One migration: the script that applies it and, if there is one, the script that undoes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: Version,
    /// What sqlx stores beside it: the file name's rest with spaces for `_`.
    pub description: String,
    /// Applies it.
    pub up: Script,
    /// Undoes it; `None` for a migration of sqlx's "simple" form or one whose `.down.sql` is missing.
    pub down: Option<Script>,
}

impl Migration {
    /// The script for `direction`.
    pub fn script(&self, direction: Direction) -> Option<&Script> {
        match direction {
            Direction::Up => Some(&self.up),
            Direction::Down => self.down.as_ref(),
        }
    }
}

/// All migrations of one kind, oldest first, each version once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationSet {
    migrations: Vec<Arc<Migration>>,
}

impl MigrationSet {
    /// Sorts by version.
    ///
    /// # Errors
    ///
    /// The versions that occur more than once, with the names of their files.
    pub fn new(mut migrations: Vec<Migration>) -> Result<Self, DuplicateVersions> {
        migrations.sort_by(|a, b| (a.version, &a.up.file_name).cmp(&(b.version, &b.up.file_name)));
        let duplicates: Vec<_> = migrations
            .windows(2)
            .filter(|pair| pair[0].version == pair[1].version)
            .map(|pair| (pair[0].version, pair[0].up.file_name.clone(), pair[1].up.file_name.clone()))
            .collect();
        if !duplicates.is_empty() {
            return Err(DuplicateVersions(duplicates));
        }
        Ok(Self { migrations: migrations.into_iter().map(Arc::new).collect() })
    }

    /// All migrations, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Migration>> + ExactSizeIterator {
        self.migrations.iter()
    }

    /// The migration with this version.
    pub fn get(&self, version: Version) -> Option<&Arc<Migration>> {
        let at = self.migrations.binary_search_by_key(&version, |m| m.version).ok()?;
        self.migrations.get(at)
    }

    /// Those of them that `keep` says yes to.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Migration) -> bool) -> Self {
        Self { migrations: self.migrations.iter().filter(|migration| keep(migration)).cloned().collect() }
    }

    /// The newest migration's version.
    pub fn newest(&self) -> Option<Version> {
        self.migrations.last().map(|m| m.version)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.migrations.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.migrations.is_empty()
    }
}

/// Versions that more than one file carries.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duplicate versions: {}", .0.iter().map(|(v, a, b)| format!("{v} is in both `{a}` and `{b}`")).collect::<Vec<_>>().join("; "))]
pub struct DuplicateVersions(pub Vec<(Version, String, String)>);
