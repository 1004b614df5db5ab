//! Statements that are sound SQL and still must not be in a migration: the run could no longer tell how far it got.

use std::ops::Range;

use super::{lex::TokenKind, words::Words};
use crate::history::BOOKS;

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `BEGIN`, `COMMIT`, `SAVEPOINT`, `XA …`, `SET autocommit`, `SET completion_type`.
    #[error("`{0}` controls the transaction, which belongs to the run")]
    TransactionControl(String),
    /// `LOCK TABLES`, `UNLOCK TABLES`.
    #[error("`{0}` shuts the run out of its own tables")]
    TableLock(String),
    /// `USE other_database`.
    #[error("`USE` leaves the database that is being migrated")]
    Use,
    /// `LOAD DATA LOCAL`, `LOAD XML LOCAL`.
    #[error("`LOAD … LOCAL` asks the client for a file, which neither this tool nor sqlx sends")]
    LocalInfile,
    /// A statement with one of the tables of the run's own record in it.
    #[error("`{0}` is the run's own record")]
    Books(&'static str),
    /// `RELEASE_ALL_LOCKS()`, or `RELEASE_LOCK` of a name that may be that of the run's lock.
    #[error("`{0}` may let go of the lock that keeps other runs out of this database")]
    LockRelease(&'static str),
    /// `FLUSH TABLES … WITH READ LOCK`, `LOCK INSTANCE FOR BACKUP`, `BACKUP STAGE`.
    #[error("`{0}` blocks the run's own writes")]
    BackupLock(&'static str),
    /// `SET sql_mode = 'ANSI_QUOTES'` and its like.
    #[error("this `sql_mode` changes what quotes and backslashes mean")]
    QuotingMode,
}

impl Refusal {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::TransactionControl(_) => {
                "remove it: a file of INSERT, UPDATE and DELETE alone runs as one transaction, and MySQL commits every \
                 DDL by itself; a commit in between would mark the migration as half done for good"
            }
            Self::TableLock(_) => {
                "remove it: the run holds a lock per database already, and LOCK TABLES commits the transaction and \
                 locks out `_sqlx_migrations`"
            }
            Self::Use => "remove it and name no database: every tenant's migration runs in the tenant's own",
            Self::LocalInfile => {
                "write the rows as INSERT statements, or load the file outside of the migrations"
            }
            Self::Books(_) => {
                "remove it: a script that edits the record makes applied and pending migrations \
                 indistinguishable"
            }
            Self::LockRelease(_) => {
                "remove it; a lock of your own is let go of with its name in quotes, `RELEASE_LOCK('my-lock')`, or ends \
                 with the connection"
            }
            Self::BackupLock(_) => "remove it: a backup takes its locks on a connection of its own",
            Self::QuotingMode => {
                "write strings in '…' and identifiers in `…`, which mean the same in every mode, and leave ANSI_QUOTES \
                 and NO_BACKSLASH_ESCAPES alone"
            }
        }
    }
}

/// Why the statement of these words is refused, and the word at fault.
pub(super) fn refusal(words: &Words<'_>, statement: Range<usize>) -> Option<(Refusal, usize)> {
    let anywhere = |at| {
        let refusal = books(words, at).map(Refusal::Books);
        Some((refusal.or_else(|| releases_lock(words, at).map(Refusal::LockRelease))?, at))
    };
    if let Some(refused) = statement.clone().find_map(anywhere) {
        return Some(refused);
    }
    let at = words.skip_set_statement(statement.start);
    let transaction = |n_words: usize| {
        let named: Vec<_> = (at..at + n_words).map(|at| words.keyword(at)).collect();
        Some((Refusal::TransactionControl(named.join(" ")), at))
    };
    match words.keyword(at).as_str() {
        "BEGIN" if !words.are(at + 1, &["NOT", "ATOMIC"]) => transaction(1),
        "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "XA" => transaction(1),
        "START" if words.is(at + 1, "TRANSACTION") => transaction(2),
        "RELEASE" if words.is(at + 1, "SAVEPOINT") => transaction(2),
        first @ ("LOCK" | "UNLOCK") if words.is(at + 1, "TABLES") || words.is(at + 1, "TABLE") => {
            Some((Refusal::TableLock(format!("{first} TABLES")), at))
        }
        "LOCK" | "UNLOCK" if words.is(at + 1, "INSTANCE") => Some((Refusal::BackupLock("LOCK INSTANCE"), at)),
        "BACKUP" => Some((Refusal::BackupLock("BACKUP"), at)),
        "FLUSH" => {
            let locks = |at| words.are(at, &["READ", "LOCK"]) || words.are(at, &["FOR", "EXPORT"]);
            words.find(at, locks).map(|_| (Refusal::BackupLock("FLUSH TABLES WITH READ LOCK"), at))
        }
        "USE" => Some((Refusal::Use, at)),
        "LOAD" if words.is(at + 1, "DATA") || words.is(at + 1, "XML") => {
            let local = words.skip(words.skip(at + 2, &["LOW_PRIORITY"]), &["CONCURRENT"]);
            words.is(local, "LOCAL").then_some((Refusal::LocalInfile, at))
        }
        "SET" => assigned(words, at..statement.end),
        _ => None,
    }
}

/// The table of the run's own record that is named there.
fn books(words: &Words<'_>, at: usize) -> Option<&'static str> {
    let name = match words.kind(at)? {
        TokenKind::Word => words.text(at),
        TokenKind::Identifier => words.text(at).trim_matches('`'),
        _ => return None,
    };
    BOOKS.into_iter().find(|table| name.eq_ignore_ascii_case(table))
}

/// The function that is called there and may let go of the run's lock, in a routine's body too. That lock's name is a
/// hexadecimal number; a literal that is none is somebody else's.
fn releases_lock(words: &Words<'_>, at: usize) -> Option<&'static str> {
    if !words.is_symbol(at + 1, "(") {
        return None;
    }
    if words.is(at, "RELEASE_ALL_LOCKS") {
        return Some("RELEASE_ALL_LOCKS()");
    }
    let name = words.text(at + 2).trim_matches(['\'', '"']);
    let is_another = words.kind(at + 2) == Some(TokenKind::Text)
        && words.is_symbol(at + 3, ")")
        && !name.bytes().all(|byte| byte.is_ascii_hexdigit());
    (words.is(at, "RELEASE_LOCK") && !is_another).then_some("RELEASE_LOCK")
}

/// The places of a `SET`'s assignments: after `SET` itself and after each comma outside of parentheses.
pub(super) fn assignments(words: &Words<'_>, set: usize) -> impl Iterator<Item = usize> {
    let mut next = Some(set + 1);
    std::iter::from_fn(move || {
        let at = next?;
        next = words.find(at, |place| words.is_symbol(place, ",")).map(|comma| comma + 1);
        Some(at)
    })
}

/// The variable that an assignment is to, in lower case, without its scope.
fn target(words: &Words<'_>, at: usize) -> String {
    let scopes = ["SESSION", "LOCAL", "GLOBAL", "PERSIST", "PERSIST_ONLY"];
    let at = if scopes.iter().any(|scope| words.is(at, scope)) { at + 1 } else { at };
    let written = words.text(at).to_ascii_lowercase();
    match written.strip_prefix("@@") {
        // @@`autocommit`, @@session.`autocommit`
        Some(scope) if scope.is_empty() || scope.ends_with('.') => {
            words.text(at + 1).trim_matches('`').to_ascii_lowercase()
        }
        Some(name) => name.rsplit('.').next().unwrap_or_default().to_owned(),
        None => written.trim_matches('`').to_owned(),
    }
}

fn assigned(words: &Words<'_>, set: Range<usize>) -> Option<(Refusal, usize)> {
    assignments(words, set.start).find_map(|at| match target(words, at).as_str() {
        name @ ("autocommit" | "completion_type") => {
            Some((Refusal::TransactionControl(format!("SET {name}")), at))
        }
        "sql_mode" => {
            let end = words.find(at, |place| words.is_symbol(place, ",")).unwrap_or(set.end);
            let changes_quoting = (at..end).any(|place| names_quoting_mode(words, place));
            changes_quoting.then_some((Refusal::QuotingMode, at))
        }
        _ => None,
    })
}

/// `ANSI` and the modes called after other products bring `ANSI_QUOTES` with them (MariaDB's "SQL_MODE").
fn names_quoting_mode(words: &Words<'_>, at: usize) -> bool {
    let text = words.text(at).to_ascii_uppercase();
    matches!(words.kind(at), Some(TokenKind::Text | TokenKind::Word))
        && text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|mode| {
            matches!(
                mode,
                "ANSI"
                    | "ANSI_QUOTES"
                    | "NO_BACKSLASH_ESCAPES"
                    | "DB2"
                    | "MAXDB"
                    | "MSSQL"
                    | "ORACLE"
                    | "POSTGRESQL"
            )
        })
}
