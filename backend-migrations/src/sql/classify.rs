//! What a statement means for the transaction it runs in.
//!
//! Sources: MySQL 8.4 manual, "Statements That Cause an Implicit Commit" and "Atomic Data Definition Statement
//! Support"; MariaDB's "SQL statements That Cause an Implicit Commit" and "Atomic DDL". Where the two servers differ the
//! weaker promise is taken, so [`StatementKind::Opaque`] may be said of what one of them does whole.

use super::{lex::TokenKind, refuse::assignments, words::Words};
use crate::migration::{Opacity, StatementKind};

/// The kind of the statement whose first word is at `from`.
pub(super) fn kind(words: &Words<'_>, from: usize) -> StatementKind {
    use StatementKind::{Ddl, Dml, Opaque, Session};

    let at = words.skip_set_statement(from);
    match words.keyword(at).as_str() {
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" | "SELECT" | "WITH" | "VALUES" | "TABLE" | "DO"
        | "SHOW" | "EXPLAIN" | "DESCRIBE" | "DESC" => Dml,
        "LOAD" if words.is(at + 1, "DATA") || words.is(at + 1, "XML") => Dml,
        "LOAD" | "CACHE" if words.is(at + 1, "INDEX") => Ddl,
        "SET" => set(words, at),
        "PREPARE" | "DEALLOCATE" => Session,
        "CREATE" => create(words, at),
        "ALTER" => alter(words, at),
        "DROP" => drop(words, at),
        "RENAME" => one_or_opaque(words, at),
        "TRUNCATE" => Ddl,
        "GRANT" | "REVOKE" => grant(words, at),
        "ANALYZE" | "OPTIMIZE" | "CHECK" | "REPAIR" => maintenance(words, at),
        "CALL" | "EXECUTE" | "BEGIN" | "DECLARE" | "IF" | "CASE" | "LOOP" | "WHILE" | "REPEAT" | "FOR" => {
            Opaque(Opacity::Program)
        }
        _ if words.is_symbol(at, "(") => parenthesised(words, at),
        // A label, of a block.
        _ if words.is_symbol(at + 1, ":") => Opaque(Opacity::Program),
        _ => Opaque(Opacity::Unknown),
    }
}

const SEVERAL: StatementKind = StatementKind::Opaque(Opacity::Several);

fn one_or_opaque(words: &Words<'_>, at: usize) -> StatementKind {
    let names_several = words.find(at, |place| words.is_symbol(place, ",")).is_some();
    if names_several { SEVERAL } else { StatementKind::Ddl }
}

fn is_account(words: &Words<'_>, at: usize) -> bool {
    words.is(at, "USER") || words.is(at, "ROLE")
}

fn set(words: &Words<'_>, at: usize) -> StatementKind {
    let lasts = |keyword: &str| matches!(keyword, "GLOBAL" | "PERSIST" | "PERSIST_ONLY");
    let reaches_further = assignments(words, at).any(|target| {
        let scope = words.text(target).to_ascii_uppercase();
        match scope.strip_prefix("@@") {
            Some(scope) => lasts(scope.split('.').next().unwrap_or_default()),
            None => words.kind(target) == Some(TokenKind::Word) && lasts(&scope),
        }
    });
    let is_account = words.is(at + 1, "PASSWORD") || words.are(at + 1, &["DEFAULT", "ROLE"]);
    if reaches_further || is_account { SEVERAL } else { StatementKind::Session }
}

fn create(words: &Words<'_>, create: usize) -> StatementKind {
    let at = words.skip(create + 1, &["OR", "REPLACE"]);
    let replaces = at > create + 1;
    if words.is(at, "TEMPORARY") {
        return StatementKind::Session;
    }
    if is_account(words, at) {
        return one_or_opaque(words, at);
    }
    match (words.keyword(at).as_str(), replaces) {
        // MariaDB drops the old one first, and may fail after that.
        ("TABLE", true) if takes_rows(words, at) => StatementKind::Opaque(Opacity::Replacing),
        ("TABLE" | "SEQUENCE", true) => SEVERAL,
        ("TABLE", false) if takes_rows(words, at) => StatementKind::Opaque(Opacity::Filling),
        _ => StatementKind::Ddl,
    }
}

/// Whether a `CREATE TABLE` fills itself from a query: atomic since MySQL 8.0.21, not on MariaDB.
fn takes_rows(words: &Words<'_>, table: usize) -> bool {
    (table..words.len()).take_while(|&at| !words.is_end(at)).any(|at| {
        let queries = ["VALUES", "TABLE", "WITH"];
        words.keyword(at) == "SELECT"
            || words.is(at, "AS") && queries.iter().any(|query| words.is(at + 1, query))
    })
}

fn alter(words: &Words<'_>, at: usize) -> StatementKind {
    if words.is(at + 1, "TEMPORARY") {
        StatementKind::Session
    } else if words.is(at + 1, "INSTANCE") {
        SEVERAL
    } else if is_account(words, at + 1) {
        one_or_opaque(words, at)
    } else {
        StatementKind::Ddl
    }
}

fn drop(words: &Words<'_>, at: usize) -> StatementKind {
    match words.keyword(at + 1).as_str() {
        "TEMPORARY" | "PREPARE" => StatementKind::Session,
        "DATABASE" | "SCHEMA" => SEVERAL,
        _ => one_or_opaque(words, at),
    }
}

/// Privileges may be many; accounts and roles must be one.
fn grant(words: &Words<'_>, at: usize) -> StatementKind {
    let accounts = words
        .find(at, |place| words.is(place, "ON"))
        .and_then(|on| words.find(on, |place| words.is(place, "TO") || words.is(place, "FROM")));
    one_or_opaque(words, accounts.unwrap_or(at))
}

fn maintenance(words: &Words<'_>, first: usize) -> StatementKind {
    let at = words.skip(words.skip(first + 1, &["NO_WRITE_TO_BINLOG"]), &["LOCAL"]);
    if words.is(at, "TABLE") || words.is(at, "TABLES") {
        one_or_opaque(words, at)
    } else if words.is(at, "VIEW") {
        StatementKind::Ddl
    } else if words.is(first, "ANALYZE") {
        // MariaDB's way to say EXPLAIN ANALYZE.
        StatementKind::Dml
    } else {
        StatementKind::Opaque(Opacity::Unknown)
    }
}

fn parenthesised(words: &Words<'_>, from: usize) -> StatementKind {
    let first = (from..words.len()).find(|&at| !words.is_symbol(at, "("));
    match first.map(|at| words.keyword(at)).as_deref() {
        Some("SELECT" | "WITH" | "VALUES" | "TABLE") => StatementKind::Dml,
        _ => StatementKind::Opaque(Opacity::Unknown),
    }
}
