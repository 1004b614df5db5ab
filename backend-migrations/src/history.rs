//! What a database remembers: sqlx's history table and, beside it, how far a migration got.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::migration::{Direction, MigrationSet, Script, Version};

/// The tables that a database remembers its migrations in: sqlx's, and the two of our journal.
pub const BOOKS: [&str; 3] =
    ["_sqlx_migrations", "_backend_migrations_journal", "_backend_migrations_statements"];

/// One row of `_sqlx_migrations`, as sqlx defines its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The migration's version.
    pub version: Version,
    /// The words of its file name.
    pub description: String,
    /// False from the first moment of an apply or a revert to its last.
    pub success: bool,
    /// SHA-384 of the up file that was applied.
    pub checksum: Vec<u8>,
    /// Nanoseconds; -1 while it runs, after a failed apply, and for a row that was only declared.
    pub execution_time_ns: i64,
    /// When the row was written, in seconds since 1970 UTC by the server's clock.
    pub installed_on_s: i64,
}

/// Sixty-four bits of a statement's SHA-256: enough to see that its text was edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementDigest(pub u64);

impl StatementDigest {
    /// The digest of a statement's text.
    pub fn of(text: &str) -> Self {
        let hash = Sha256::digest(text.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Self(u64::from_be_bytes(first))
    }
}

/// How far a script of several statements got: one row of our journal table.
///
/// It is there from a script's first commit to its end, so at rest the table is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The migration's version.
    pub version: Version,
    /// Which of its scripts ran.
    pub direction: Direction,
    /// How many statements that script had.
    pub n_statements: usize,
    /// The digests of the statements that are committed, in order.
    pub finished: Vec<StatementDigest>,
    /// The statement that was begun and whose end nobody recorded, from 0; set only where a crash leaves doubt, so
    /// never for a statement that is rolled back with its record.
    pub running: Option<usize>,
    /// What the server said to the statement after the finished ones.
    pub error: Option<String>,
}

/// Everything a database remembers about its migrations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The rows of `_sqlx_migrations`, oldest version first; empty also where there is no such table.
    pub rows: Vec<HistoryRow>,
    /// The journal's rows; read only where a row is dirty or the lock is held.
    pub progress: Vec<Progress>,
    /// Whether `_sqlx_migrations` exists.
    pub has_table: bool,
    /// Whether the journal's tables exist.
    pub has_journal: bool,
    /// Where it keeps rows that no rollback brings back; `None` where it was not asked.
    pub untransacted: Option<Untransacted>,
}

/// Where a database keeps rows that no rollback brings back: in tables of an engine without transactions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untransacted {
    /// Those tables, if there are any, and with them what may lead to one unseen: views, and tables with triggers.
    pub names: BTreeSet<String>,
    /// Whether a table that is made without a word about its engine is such.
    pub is_default: bool,
}

/// What a database with nothing to do is asked for: enough to see that, and too little for anything else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// Oldest version first; empty also where there is no history.
    pub rows: Vec<GlanceRow>,
}

/// Of a row of `_sqlx_migrations`, what tells whether anything is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GlanceRow {
    /// The migration's version.
    pub version: Version,
    /// False from the first moment of an apply or a revert to its last.
    pub success: bool,
    /// SHA-384 of the up file that was applied.
    pub checksum: Vec<u8>,
}

impl From<&History> for Glance {
    fn from(history: &History) -> Self {
        let brief = |row: &HistoryRow| GlanceRow {
            version: row.version,
            success: row.success,
            checksum: row.checksum.clone(),
        };
        Self { rows: history.rows.iter().map(brief).collect() }
    }
}

impl History {
    /// The row of `version`.
    pub fn row(&self, version: Version) -> Option<&HistoryRow> {
        self.rows.iter().find(|row| row.version == version)
    }

    /// How far `version` got in `direction`.
    pub fn progress(&self, version: Version, direction: Direction) -> Option<&Progress> {
        self.progress.iter().find(|p| p.version == version && p.direction == direction)
    }

    /// Which script of a migration that was begun and not completed was at work.
    ///
    /// Only a revert leaves the time of a completed apply behind (sqlx-mysql 0.9, migrate.rs, `revert`). A journal row, where
    /// there is one, knows better: sqlx writes -1 for migrations that were only declared.
    pub fn direction(&self, row: &HistoryRow) -> Direction {
        match (self.progress(row.version, Direction::Up), row.execution_time_ns) {
            (None, 0..) => Direction::Down,
            (None, _) if self.progress(row.version, Direction::Down).is_some() => Direction::Down,
            _ => Direction::Up,
        }
    }

    /// Whether a migration that was begun and not completed may be a failed revert though [`Self::direction`] takes it for an
    /// apply: nothing but its row is there, which looks the same for one that had only been declared applied (sqlx-mysql
    /// 0.9, `skip`).
    pub fn may_be_a_revert(&self, row: &HistoryRow) -> bool {
        let has_journal = self.progress.iter().any(|progress| progress.version == row.version);
        // The newest one is reverted first, and nothing is applied while one is half done.
        !row.success && row.execution_time_ns < 0 && !has_journal && self.newest() == Some(row.version)
    }

    /// The scripts that may have been at work on what was begun and not completed, each with its migration's version.
    pub fn unfinished<'a>(&self, set: &'a MigrationSet) -> Vec<(Version, &'a Script)> {
        let dirty = self.rows.iter().filter(|row| !row.success);
        let scripts = dirty.flat_map(|row| {
            let revert = self.may_be_a_revert(row).then_some(Direction::Down);
            let directions = std::iter::once(self.direction(row)).chain(revert);
            directions.filter_map(|direction| Some((row.version, set.get(row.version)?.script(direction)?)))
        });
        scripts.collect()
    }

    /// The newest version that has a row, complete or not.
    pub fn newest(&self) -> Option<Version> {
        self.rows.iter().map(|row| row.version).max()
    }

    /// The newest version that is recorded as complete.
    pub fn newest_applied(&self) -> Option<Version> {
        self.rows.iter().filter(|row| row.success).map(|row| row.version).max()
    }

    /// The versions that have more than one row, which only a history without a primary key can have.
    pub fn doubled(&self) -> impl Iterator<Item = &HistoryRow> {
        let is_second = |pair: &&[HistoryRow]| pair[0].version == pair[1].version;
        let mut doubled: Vec<_> = self.rows.windows(2).filter(is_second).map(|pair| &pair[1]).collect();
        doubled.dedup_by_key(|row| row.version);
        doubled.into_iter()
    }

    /// Whether a migration was started and not completed.
    pub fn is_dirty(&self) -> bool {
        self.rows.iter().any(|row| !row.success)
    }
}
