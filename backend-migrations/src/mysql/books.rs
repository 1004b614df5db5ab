//! The SQL of the books: sqlx's history table, and our journal beside it.
//!
//! The history table's definition and rows are sqlx-mysql 0.9's (`migrate.rs`: `ensure_migrations_table`, `apply`,
//! `revert`). Values go into the text as hexadecimal literals, which no setting of `sql_mode` can make into anything
//! else.
//!
//! What a record writes is guarded in its own round trip: a guard is a statement that fails unless its condition holds,
//! and with it fails all that follows in the packet, the `COMMIT` first of all. So nothing is written by a connection that
//! has lost the database's lock, and no statement that has changed another number of rows than it must is ever committed.

mod journal;

use std::fmt::Write as _;

pub use self::journal::{JournalRow, StatementRow, progress};
use crate::{
    history::StatementDigest,
    migration::{Direction, Migration, Version},
    session::{JournalEntry, Record},
};

/// The limit of a query that wants all rows: one without a limit gives no more than the server's `sql_select_limit`.
pub(super) const ALL: &str = "18446744073709551615";

/// Reads the history; the columns are named so that a table with more of them is read the same.
pub(super) const SELECT_HISTORY: &str = "SELECT version, description, CAST(success AS SIGNED), checksum, \
     execution_time, CAST(UNIX_TIMESTAMP(installed_on) AS SIGNED) FROM _sqlx_migrations ORDER BY version \
     LIMIT 18446744073709551615";

/// Reads what tells whether there is anything to do. With all six columns twenty rows cost the server 45 µs instead of 32
/// (`docs/benchmark.md`).
pub(super) const SELECT_GLANCE: &str = "SELECT version, CAST(success AS SIGNED), checksum FROM _sqlx_migrations ORDER BY version \
     LIMIT 18446744073709551615";

/// Reads the journal: the scripts, then their statements. The second table has come later than the first.
pub(super) const SELECT_JOURNAL: &str = "SELECT version, direction, n_statements, finished, running, error FROM _backend_migrations_journal \
     LIMIT 18446744073709551615;\
     SELECT version, direction, statement, digest FROM _backend_migrations_statements \
     ORDER BY version, direction, statement LIMIT 18446744073709551615";

/// Reads which tables have no transactions (`table`), what may lead to one unseen (`way`: views, tables with triggers), and
/// whether one that is made without a word about it has none (`default`).
pub(super) const SELECT_UNTRANSACTED: &str = "SELECT IF(ENGINE IS NULL, 'way', 'table'), TABLE_NAME \
     FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND (ENGINE IS NULL OR ENGINE NOT IN \
     (SELECT ENGINE FROM information_schema.ENGINES WHERE TRANSACTIONS = 'YES')) \
     UNION ALL SELECT 'way', EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS \
     WHERE TRIGGER_SCHEMA = DATABASE() \
     UNION ALL SELECT 'default', ENGINE FROM information_schema.ENGINES \
     WHERE ENGINE = @@default_storage_engine AND NOT (TRANSACTIONS <=> 'YES')";

/// sqlx's name for the lock of the current database (sqlx-mysql 0.9, `generate_lock_id`): 0x3d32ad9e times the CRC-32 of
/// the database's name, in hexadecimal. So a run of sqlx's library and one of ours keep each other out.
pub(super) const LOCK_NAME: &str = "LOWER(HEX(1026731422 * CRC32(DATABASE())))";

/// Undoes what is not committed, and tells whether all of it could be (warning 1196).
pub(super) const ROLL_BACK: &str = "ROLLBACK;SHOW WARNINGS";

/// sqlx's `BEGIN` in a word that opens no block under MariaDB's `sql_mode = ORACLE`.
const BEGIN: &str = "START TRANSACTION";

const CREATE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS _sqlx_migrations (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    success BOOLEAN NOT NULL,
    checksum BLOB NOT NULL,
    execution_time BIGINT NOT NULL
)";

const CREATE_JOURNAL: &str = "CREATE TABLE IF NOT EXISTS _backend_migrations_journal (
    version BIGINT NOT NULL,
    direction VARCHAR(4) CHARACTER SET ascii NOT NULL,
    n_statements INT NOT NULL,
    finished MEDIUMTEXT CHARACTER SET ascii NOT NULL,
    running INT NULL,
    error TEXT CHARACTER SET utf8mb4 NULL,
    connection_id BIGINT UNSIGNED NOT NULL,
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (version, direction)
) ENGINE=InnoDB";

const CREATE_STATEMENTS: &str = "CREATE TABLE IF NOT EXISTS _backend_migrations_statements (
    version BIGINT NOT NULL,
    direction VARCHAR(4) CHARACTER SET ascii NOT NULL,
    statement INT NOT NULL,
    digest CHAR(16) CHARACTER SET ascii NOT NULL,
    PRIMARY KEY (version, direction, statement)
) ENGINE=InnoDB";

/// What must hold for what follows in a round trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The connection holds the database's lock.
    Lock,
    /// The statement before has changed so many rows. A row that had the values already counts: sqlx logs in with
    /// `CLIENT_FOUND_ROWS`.
    Rows(u64),
}

/// One statement of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its text.
    pub sql: String,
    /// What it makes sure of, if it is a guard.
    pub guard: Option<Guard>,
}

impl Part {
    fn guard(guard: Guard) -> Self {
        let condition = match guard {
            Guard::Lock => format!("IS_USED_LOCK({LOCK_NAME}) <=> CONNECTION_ID()"),
            Guard::Rows(n) => format!("ROW_COUNT() = {n}"),
        };
        // EXP(1000) is too large for a DOUBLE: the server raises error 1690 where the condition is false, in every `sql_mode`.
        // A `SET` is answered with one packet where a `SELECT` takes five, and fails where a `DO` would not.
        let sql = format!("SET @backend_migrations = EXP(IF({condition}, 0, 1000))");
        Self { sql, guard: Some(guard) }
    }
}

/// A record in the making.
struct Parts(Vec<Part>);

impl Parts {
    /// Nothing is written without the lock.
    fn under_the_lock() -> Self {
        Self(vec![Part::guard(Guard::Lock)])
    }

    fn and(mut self, sql: impl Into<String>) -> Self {
        self.0.push(Part { sql: sql.into(), guard: None });
        self
    }

    fn and_if(self, is_wanted: bool, sql: impl Into<String>) -> Self {
        if is_wanted { self.and(sql) } else { self }
    }

    /// An `UPDATE` or `DELETE` that must change one row. (An `INSERT` of values makes every row that it names or fails.)
    fn one(self, sql: impl Into<String>) -> Self {
        let mut parts = self.and(sql);
        parts.0.push(Part::guard(Guard::Rows(1)));
        parts
    }

    fn each(self, sql: impl IntoIterator<Item = String>) -> Self {
        sql.into_iter().fold(self, Self::and)
    }
}

/// The statements that write `record`, one by one, as they are shown to a person: without the guards.
pub(crate) fn record_sql(record: &Record<'_>) -> Vec<String> {
    parts(record).into_iter().filter(|part| part.guard.is_none()).map(|part| part.sql).collect()
}

/// The statements that write `record`, in one round trip. For the tests, whose model of a database runs these.
#[doc(hidden)]
pub fn parts(record: &Record<'_>) -> Vec<Part> {
    let parts = Parts::under_the_lock();
    let parts = match record {
        Record::CreateTables { history, journal } => parts
            .and_if(*history, CREATE_HISTORY)
            .and_if(*journal, CREATE_JOURNAL)
            .and_if(*journal, CREATE_STATEMENTS),
        Record::Forget { version, direction } => {
            parts.and(BEGIN).each(forget(*version, Some(*direction))).and("COMMIT")
        }
        Record::Begin { migration, direction, is_begun, journal } => {
            let version = migration.version;
            let parts = begin_row(parts.and(BEGIN), migration, *direction, *is_begun);
            match journal {
                Some(entry) => write_entry(parts, version, *direction, entry),
                None => parts,
            }
        }
        Record::Leave { migration, direction, is_begun, journal } => {
            let parts = begin_row(parts.and(BEGIN), migration, *direction, *is_begun);
            write_entry(parts, migration.version, *direction, journal).and("COMMIT")
        }
        Record::StatementDone { version, direction, statement, digest, running, in_transaction } => parts
            .and_if(!in_transaction, BEGIN)
            .and(finished(*version, *direction, *statement, std::slice::from_ref(digest)))
            .one(note(*version, *direction, *running, None))
            .and("COMMIT")
            .and(BEGIN),
        Record::Commit => parts.and("COMMIT").and(BEGIN),
        Record::Finish { version, direction, elapsed, in_transaction, has_journal } => {
            let row = match direction {
                Direction::Up => format!(
                    "UPDATE _sqlx_migrations SET success = TRUE, execution_time = {} WHERE version = {version}",
                    elapsed.as_nanos()
                ),
                Direction::Down => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
            };
            // A `CALL` alone may or may not have left a transaction open; to begin another commits it.
            let parts = parts.and_if(!in_transaction, BEGIN).one(row);
            close_entry(parts, *version, *direction, *has_journal).and("COMMIT")
        }
        Record::Fail { version, direction, running, error } => {
            parts.and(BEGIN).one(note(*version, *direction, *running, Some(error))).and("COMMIT")
        }
        Record::Abandon { version, direction, has_journal } => {
            let row = match direction {
                Direction::Up => {
                    format!("DELETE FROM _sqlx_migrations WHERE version = {version} AND success = FALSE")
                }
                Direction::Down => {
                    format!("UPDATE _sqlx_migrations SET success = TRUE WHERE version = {version}")
                }
            };
            close_entry(parts.and(BEGIN).one(row), *version, *direction, *has_journal).and("COMMIT")
        }
        Record::Settle { version, direction, journal } => {
            let row = format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {version}");
            let parts = parts.and(BEGIN).one(row).each(forget(*version, None));
            write_entry(parts, *version, *direction, journal).and("COMMIT")
        }
        Record::Declare { version, applied, has_journal } => {
            let row = match applied {
                Some(checksum) => format!(
                    "UPDATE _sqlx_migrations SET success = TRUE, checksum = {} WHERE version = {version}",
                    bytes(&checksum.0)
                ),
                None => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
            };
            let journal = has_journal.then(|| forget(*version, None));
            parts.and(BEGIN).one(row).each(journal.into_iter().flatten()).and("COMMIT")
        }
    };
    parts.0
}

/// Says in the history that a script has begun, or that it goes on.
fn begin_row(parts: Parts, migration: &Migration, direction: Direction, is_begun: bool) -> Parts {
    let version = migration.version;
    match (direction, is_begun) {
        (Direction::Up, false) => parts.and(format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, {}, FALSE, {}, -1)",
            text(&migration.description),
            bytes(&migration.up.checksum.0)
        )),
        // The statement that failed may have been mended since: the row keeps the bytes that run now.
        (Direction::Up, true) => parts.one(format!(
            "UPDATE _sqlx_migrations SET checksum = {} WHERE version = {version}",
            bytes(&migration.up.checksum.0)
        )),
        (Direction::Down, _) => {
            parts.one(format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {version}"))
        }
    }
}

/// Writes a script's row into the journal, whatever was there of it, with the statements that are finished.
fn write_entry(parts: Parts, version: Version, direction: Direction, entry: &JournalEntry<'_>) -> Parts {
    let JournalEntry { n_statements, finished: digests, running, error } = entry;
    let row = format!(
        "INSERT INTO _backend_migrations_journal \
         (version, direction, n_statements, finished, running, error, connection_id) \
         VALUES ({version}, '{}', {n_statements}, '{}', {}, {}, CONNECTION_ID())",
        word(direction),
        journal::IN_ROWS,
        number(*running),
        nullable_text(*error),
    );
    let parts = parts.each(forget(version, Some(direction))).and(row);
    if digests.is_empty() { parts } else { parts.and(finished(version, direction, 0, digests)) }
}

/// Removes a script's row from the journal, which must be there, and those of its statements.
fn close_entry(parts: Parts, version: Version, direction: Direction, has_journal: bool) -> Parts {
    if !has_journal {
        return parts;
    }
    let [statements, row] = forget(version, Some(direction));
    parts.and(statements).one(row)
}

/// Adds statements to those of a script that are finished, `from` being the number of the first, from 0.
fn finished(version: Version, direction: Direction, from: usize, digests: &[StatementDigest]) -> String {
    let row = |(at, digest): (usize, &StatementDigest)| {
        format!("({version}, '{}', {at}, '{:016x}')", word(direction), digest.0)
    };
    let rows: Vec<_> = (from..).zip(digests).map(row).collect();
    format!(
        "INSERT INTO _backend_migrations_statements (version, direction, statement, digest) VALUES {}",
        rows.join(", ")
    )
}

/// Says which statement of a script runs, and what the server said to it.
fn note(version: Version, direction: Direction, running: Option<usize>, error: Option<&str>) -> String {
    format!(
        "UPDATE _backend_migrations_journal SET running = {}, error = {}, connection_id = CONNECTION_ID() \
         WHERE version = {version} AND direction = '{}'",
        number(running),
        nullable_text(error),
        word(direction),
    )
}

/// Removes what the journal has of one script of a migration, or of both.
fn forget(version: Version, direction: Option<Direction>) -> [String; 2] {
    let direction = direction.map(|direction| format!(" AND direction = '{}'", word(direction)));
    let direction = direction.unwrap_or_default();
    ["_backend_migrations_statements", "_backend_migrations_journal"]
        .map(|table| format!("DELETE FROM {table} WHERE version = {version}{direction}"))
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

fn number(value: Option<usize>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

fn nullable_text(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), text)
}

/// The character set of the history's descriptions, as `charset`: of the column, or of the database where there is none yet;
/// NULL where it holds bytes.
pub(super) const SELECT_DESCRIPTION_CHARSET: &str = "\
     SELECT CONVERT(IF(COUNT(*) = 0, @@character_set_database, MAX(character_set_name)) USING utf8mb4) \
     AS charset FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '_sqlx_migrations' \
     AND column_name = 'description'";

/// Selects for each text whether it is the same after a turn through this character set; `None` where every text is.
pub(super) fn can_hold(charset: &str, texts: &[&str]) -> Option<String> {
    let is_word = charset.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !is_word || matches!(charset, "" | "utf8mb4" | "binary") {
        return None;
    }
    let columns = texts.iter().map(|value| {
        let value = text(value);
        let turned = format!("CONVERT(CONVERT({value} USING {charset}) USING utf8mb4)");
        format!("CAST(CAST({turned} AS BINARY) = CAST({value} AS BINARY) AS SIGNED)")
    });
    Some(format!("SELECT {}", columns.collect::<Vec<_>>().join(", ")))
}

/// A string literal that means `value` whatever `sql_mode` and the connection's character set are.
pub(super) fn text(value: &str) -> String {
    // `X''` is legal, and the empty string.
    format!("_utf8mb4 {}", bytes(value.as_bytes()))
}

fn bytes(value: &[u8]) -> String {
    let mut literal = String::with_capacity(value.len() * 2 + 3);
    literal.push_str("X'");
    for byte in value {
        write!(literal, "{byte:02x}").expect("writing to a string cannot fail");
    }
    literal.push('\'');
    literal
}

#[cfg(test)]
mod tests;
