//! The SQL of the books: sqlx's history table, and our journal beside it.
//!
//! The history table's definition and rows are sqlx-mysql 0.9's (`migrate.rs`: `ensure_migrations_table`, `apply`,
//! `revert`). Values go into the text as hexadecimal literals, which no setting of `sql_mode` can make into anything
//! else.

use std::fmt::Write as _;

use crate::{
    history::StatementDigest,
    migration::{Direction, Version},
    session::{JournalEntry, Limits, Record},
};

/// Reads the history; the columns are named so that a table with more of them is read the same.
pub(super) const SELECT_HISTORY: &str = "SELECT version, description, CAST(success AS SIGNED), checksum, \
     execution_time, CAST(UNIX_TIMESTAMP(installed_on) AS SIGNED) FROM _sqlx_migrations ORDER BY version";

/// Reads what a plan is made of. With all six columns twenty rows cost the server 45 µs instead of 32
/// (`docs/benchmark.md`).
pub(super) const SELECT_GLANCE: &str =
    "SELECT version, CAST(success AS SIGNED), checksum FROM _sqlx_migrations ORDER BY version";

/// Reads the journal.
pub(super) const SELECT_JOURNAL: &str =
    "SELECT version, direction, n_statements, finished, running, error FROM _backend_migrations_journal";

/// What sqlx sets after its login (sqlx-mysql 0.9, `options/connect.rs`), for the end of a `SET`. Procedures, triggers and
/// events keep the `sql_mode` and collation they were made under, so ours must be the same.
pub(super) const SESSION_SETTINGS: &str = "sql_mode=(SELECT CONCAT(@@sql_mode, \
     ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),time_zone='+00:00',NAMES utf8mb4";

/// Sets a migration's session up: sqlx's settings, and no wait for a lock that is longer than it may be.
pub(super) fn set_up(limits: &Limits) -> String {
    let lock_wait_s = limits.lock_wait.as_secs().max(1);
    format!("SET lock_wait_timeout={lock_wait_s},innodb_lock_wait_timeout={lock_wait_s},{SESSION_SETTINGS}")
}

/// sqlx's name for the lock of the current database (sqlx-mysql 0.9, `generate_lock_id`): 0x3d32ad9e times the CRC-32 of
/// the database's name, in hexadecimal. So a run of sqlx's library and one of ours keep each other out.
pub(super) const LOCK_NAME: &str = "LOWER(HEX(1026731422 * CRC32(DATABASE())))";

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

/// The statements that write `record`, one by one, as they are shown.
pub(crate) fn record_sql(record: &Record<'_>) -> Vec<String> {
    // No literal of ours has a `;`: texts are hexadecimal.
    sql(record).split(';').map(str::to_owned).collect()
}

/// The statements that write `record`, for one round trip.
pub(super) fn sql(record: &Record<'_>) -> String {
    match record {
        Record::CreateTables { history, journal } => {
            let wanted = [(history, CREATE_HISTORY), (journal, CREATE_JOURNAL)];
            join(wanted.into_iter().filter(|(is_wanted, _)| **is_wanted).map(|(_, sql)| sql.to_owned()))
        }
        // `COMMIT` for servers whose sessions begin without autocommit.
        Record::Forget { version, direction } => join([delete(*version, *direction), "COMMIT".into()]),
        Record::Begin { migration, direction, is_resume, journal } => {
            let version = migration.version;
            let description = text(&migration.description);
            let checksum = bytes(&migration.up.checksum.0);
            let row = match (direction, is_resume) {
                (Direction::Up, false) => format!(
                    "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                     VALUES ({version}, {description}, FALSE, {checksum}, -1)"
                ),
                // The statement that failed may have been mended since: the row keeps the bytes that run now.
                (Direction::Up, true) => {
                    format!("UPDATE _sqlx_migrations SET checksum = {checksum} WHERE version = {version}")
                }
                (Direction::Down, _) => {
                    format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {version}")
                }
            };
            let journal = journal.as_ref().map(|entry| replace(version, *direction, entry));
            join([BEGIN.to_owned(), row].into_iter().chain(journal))
        }
        Record::StatementDone { version, direction, journal } => {
            join([update(*version, *direction, journal), "COMMIT".into(), BEGIN.into()])
        }
        Record::Finish { version, direction, elapsed, in_transaction, has_journal } => {
            let row = match direction {
                Direction::Up => format!(
                    "UPDATE _sqlx_migrations SET success = TRUE, execution_time = {} WHERE version = {version}",
                    elapsed.as_nanos()
                ),
                Direction::Down => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
            };
            let journal = has_journal.then(|| delete(*version, *direction));
            // A `CALL` alone may or may not have left a transaction open; where none is, this commits nothing.
            let begin = (!in_transaction && *has_journal).then(|| BEGIN.to_owned());
            join(begin.into_iter().chain([row]).chain(journal).chain(["COMMIT".to_owned()]))
        }
        Record::Fail { version, direction, journal } => {
            join(["ROLLBACK".to_owned(), update(*version, *direction, journal), "COMMIT".into()])
        }
        Record::StartOver => join(["ROLLBACK".to_owned(), BEGIN.into()]),
        Record::Abandon { version, direction, has_journal } => {
            let row = match direction {
                Direction::Up => {
                    format!("DELETE FROM _sqlx_migrations WHERE version = {version} AND success = FALSE")
                }
                Direction::Down => {
                    format!("UPDATE _sqlx_migrations SET success = TRUE WHERE version = {version}")
                }
            };
            let journal = has_journal.then(|| delete(*version, *direction));
            join(
                ["ROLLBACK".to_owned(), BEGIN.into(), row]
                    .into_iter()
                    .chain(journal)
                    .chain(["COMMIT".into()]),
            )
        }
        Record::Settle { version, direction, journal } => join([
            BEGIN.to_owned(),
            format!("UPDATE _sqlx_migrations SET success = FALSE WHERE version = {version}"),
            delete_all(*version),
            replace(*version, *direction, journal),
            "COMMIT".into(),
        ]),
        Record::Declare { version, applied, has_journal } => {
            let row = match applied {
                Some(checksum) => format!(
                    "UPDATE _sqlx_migrations SET success = TRUE, checksum = {} WHERE version = {version}",
                    bytes(&checksum.0)
                ),
                None => format!("DELETE FROM _sqlx_migrations WHERE version = {version}"),
            };
            let journal = has_journal.then(|| delete_all(*version));
            join([BEGIN.to_owned(), row].into_iter().chain(journal).chain(["COMMIT".to_owned()]))
        }
    }
}

fn replace(version: Version, direction: Direction, entry: &JournalEntry<'_>) -> String {
    let JournalEntry { n_statements, finished, running, error } = entry;
    format!(
        "REPLACE INTO _backend_migrations_journal \
         (version, direction, n_statements, finished, running, error, connection_id) \
         VALUES ({version}, '{}', {n_statements}, '{}', {}, {}, CONNECTION_ID())",
        word(direction),
        digests(finished),
        number(*running),
        nullable_text(*error),
    )
}

fn update(version: Version, direction: Direction, entry: &JournalEntry<'_>) -> String {
    let JournalEntry { n_statements, finished, running, error } = entry;
    format!(
        "UPDATE _backend_migrations_journal SET n_statements = {n_statements}, finished = '{}', running = {}, \
         error = {}, connection_id = CONNECTION_ID() WHERE version = {version} AND direction = '{}'",
        digests(finished),
        number(*running),
        nullable_text(*error),
        word(direction),
    )
}

fn delete(version: Version, direction: Direction) -> String {
    let direction = word(direction);
    format!("DELETE FROM _backend_migrations_journal WHERE version = {version} AND direction = '{direction}'")
}

fn delete_all(version: Version) -> String {
    format!("DELETE FROM _backend_migrations_journal WHERE version = {version}")
}

fn join(statements: impl IntoIterator<Item = String>) -> String {
    statements.into_iter().collect::<Vec<_>>().join(";")
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// The direction that the journal's word stands for.
pub(super) fn parse_word(word: &str) -> Option<Direction> {
    [Direction::Up, Direction::Down].into_iter().find(|direction| self::word(*direction) == word)
}

fn digests(finished: &[StatementDigest]) -> String {
    let words: Vec<_> = finished.iter().map(|digest| format!("{:016x}", digest.0)).collect();
    words.join(",")
}

/// The digests that the journal's text stands for; `None` where it is not ours.
pub(super) fn parse_digests(text: &str) -> Option<Vec<StatementDigest>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    // A text that was cut short must not pass for a shorter list: those statements would run again.
    let digest = |word: &str| {
        let is_whole = word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_whole.then(|| u64::from_str_radix(word, 16).ok().map(StatementDigest)).flatten()
    };
    text.split(',').map(digest).collect()
}

fn number(value: Option<usize>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| value.to_string())
}

fn nullable_text(value: Option<&str>) -> String {
    value.map_or_else(|| "NULL".to_owned(), text)
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
