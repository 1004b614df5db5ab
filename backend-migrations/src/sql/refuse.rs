//! Statements that are sound SQL and still must not be in a migration: the run could no longer tell how far it got.

use std::ops::Range;

use super::{lex::TokenKind, words::Words};

/// Why a statement is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `BEGIN`, `COMMIT`, `SAVEPOINT`, `XA …`, `SET autocommit`.
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
    /// A statement with `_sqlx_migrations` in it.
    #[error("`_sqlx_migrations` is the run's own record")]
    History,
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
            Self::History => {
                "remove it: a script that edits the record makes applied and pending migrations \
                 indistinguishable"
            }
            Self::QuotingMode => {
                "write strings in '…' and identifiers in `…`, which mean the same in every mode, and leave ANSI_QUOTES \
                 and NO_BACKSLASH_ESCAPES alone"
            }
        }
    }
}

/// Why the statement of these words is refused, and the word at fault.
pub(super) fn refusal(words: &Words<'_>, statement: Range<usize>) -> Option<(Refusal, usize)> {
    let history = statement.clone().find(|&at| is_history(words, at));
    if let Some(at) = history {
        return Some((Refusal::History, at));
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
        "USE" => Some((Refusal::Use, at)),
        "LOAD" if words.is(at + 1, "DATA") || words.is(at + 1, "XML") => {
            let local = words.skip(words.skip(at + 2, &["LOW_PRIORITY"]), &["CONCURRENT"]);
            words.is(local, "LOCAL").then_some((Refusal::LocalInfile, at))
        }
        "SET" => assigned(words, at..statement.end),
        _ => None,
    }
}

fn is_history(words: &Words<'_>, at: usize) -> bool {
    let name = match words.kind(at) {
        Some(TokenKind::Word) => words.text(at),
        Some(TokenKind::Identifier) => words.text(at).trim_matches('`'),
        _ => return false,
    };
    name.eq_ignore_ascii_case("_sqlx_migrations")
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
        "autocommit" => Some((Refusal::TransactionControl("SET autocommit".to_owned()), at)),
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
