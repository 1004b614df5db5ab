//! Reads what a statement does.
//!
//! Total: a statement that is not understood is [`Change::Unknown`]. What is read is the words that both servers'
//! manuals have for it; whether the server takes the statement is not asked.

mod alter;
mod column;
mod condition;
mod cursor;
mod key;
mod object;
mod rows;
mod table;
#[cfg(test)]
mod tests;

use std::{cell::RefCell, ops::Range};

use self::cursor::Cursor;
use super::{
    change::{Change, DatabaseVerb, Name, ObjectKind, Reading},
    compound,
    lex::{TokenKind, lex},
    words::Words,
};
use crate::migration::Statement;
use crate::tenant::Flavour;

/// Reads `statement`.
///
/// ```
/// use backend_migrations::sql::{change::Change, parse_script, read};
///
/// let script = parse_script("1_t.up.sql", b"-- Gone.\nDROP TABLE `old notes`;\n")?;
/// let Change::DropTables { names, .. } = read(&script.statements[0]).change else { panic!("it drops a table") };
/// assert_eq!(names[0].name, "old notes");
/// assert_eq!(&script.source[names[0].span.clone()], "`old notes`");
/// # Ok::<(), backend_migrations::sql::ScriptError>(())
/// ```
pub fn read(statement: &Statement) -> Reading {
    let words = Words::new(&statement.text, &lex(&statement.text).tokens);
    let dialects = RefCell::new(Vec::new());
    let mut cursor = Cursor::new(&words, statement.offset, &dialects);
    cursor.set_statement();
    let change = change(&mut cursor).unwrap_or(Change::Unknown);
    // What a stored program does, it does later.
    let has_body = compound::has_body(&words, 0);
    let (calls, variables) = if has_body {
        (Vec::new(), Vec::new())
    } else {
        (calls(&words, statement.offset), variables(&words, statement.offset))
    };
    Reading { change, dialects: dialects.into_inner(), calls, variables }
}

fn change(cursor: &mut Cursor<'_>) -> Option<Change> {
    match cursor.keyword().as_str() {
        "CREATE" => create(cursor),
        "ALTER" => alter(cursor),
        "DROP" => drop(cursor),
        "RENAME" => rename(cursor),
        "TRUNCATE" => {
            cursor.skip();
            cursor.eat(&["TABLE"]);
            let name = cursor.name()?;
            alter::wait(cursor);
            Some(Change::Truncate(name))
        }
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => rows::rows(cursor).map(Change::Rows),
        "LOAD" if cursor.next_is("DATA") || cursor.next_is("XML") => rows::rows(cursor).map(Change::Rows),
        "WITH" => {
            cursor.find_any(&["SELECT", "UPDATE", "DELETE"]).then_some(())?;
            if cursor.is("SELECT") { Some(query(cursor)) } else { rows::rows(cursor).map(Change::Rows) }
        }
        "SELECT" | "VALUES" | "TABLE" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" => Some(query(cursor)),
        "DO" => Some(Change::Query { into: true }),
        "SET" => set(cursor),
        "PREPARE" | "EXECUTE" | "DEALLOCATE" => {
            let verb = cursor.keyword();
            cursor.skip();
            cursor.eat(&["PREPARE"]);
            if verb == "EXECUTE" && cursor.is("IMMEDIATE") {
                return None;
            }
            Some(Change::Prepared(verb, cursor.name()?))
        }
        "CALL" => {
            cursor.skip();
            Some(Change::Call(cursor.name()?))
        }
        verb @ ("ANALYZE" | "OPTIMIZE" | "REPAIR" | "CHECK") => {
            let verb = verb.to_owned();
            cursor.skip();
            cursor.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
            cursor.is_any(&["TABLE", "TABLES", "VIEW"]).then_some(Change::Maintenance(verb))
        }
        "GRANT" | "REVOKE" | "FLUSH" | "RESET" | "KILL" | "PURGE" | "SHUTDOWN" | "RESTART" | "INSTALL"
        | "UNINSTALL" | "CHANGE" | "START" | "STOP" | "CLONE" | "BINLOG" => Some(server(cursor, 1)),
        _ if cursor.is_symbol("(") => {
            let mut first = cursor.clone();
            while first.eat_symbol("(") {}
            first.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]).then(|| query(cursor))
        }
        _ => None,
    }
}

fn query(cursor: &mut Cursor<'_>) -> Change {
    let into = cursor.has_any(&["INTO"]);
    cursor.skip_rest();
    Change::Query { into }
}

/// The first words as they say what is done to the server.
fn server(cursor: &mut Cursor<'_>, n_words: usize) -> Change {
    let mut words = Vec::new();
    for _ in 0..n_words {
        words.push(cursor.keyword());
        cursor.skip();
    }
    Change::Server(words.join(" "))
}

fn set(cursor: &mut Cursor<'_>) -> Option<Change> {
    if cursor.next_is("PASSWORD") || cursor.next_is("RESOURCE") || cursor.are(&["SET", "DEFAULT", "ROLE"]) {
        return Some(server(cursor, 2));
    }
    cursor.skip();
    rows::assignments(cursor).map(Change::Set)
}

fn create(cursor: &mut Cursor<'_>) -> Option<Change> {
    let start = cursor.place();
    cursor.skip();
    let or_replace = cursor.eat(&["OR", "REPLACE"]);
    if cursor.is_any(&["USER", "ROLE", "TABLESPACE", "SERVER", "LOGFILE", "UNDO"])
        || cursor.are(&["RESOURCE", "GROUP"])
    {
        return Some(server(&mut cursor.back_at(start), 2));
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let span = cursor.span_from(start);
        cursor.eat(&["IF", "NOT", "EXISTS"]);
        let name = cursor.name();
        return Some(Change::Database { verb: DatabaseVerb::Create, name, span });
    }
    let temporary = cursor.eat(&["TEMPORARY"]);
    if cursor.eat(&["TABLE"]) {
        if or_replace {
            cursor.only(Flavour::MariaDb, "CREATE OR REPLACE TABLE", start);
        }
        return table::create(cursor, or_replace, temporary)
            .map(|table| Change::CreateTable(Box::new(table)));
    }
    cursor.eat_any(&["ONLINE", "OFFLINE"]);
    if cursor.is_any(&["INDEX", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]) {
        if or_replace {
            cursor.only(Flavour::MariaDb, "CREATE OR REPLACE INDEX", start);
        }
        return alter::create_index(cursor).map(Change::AlterTable);
    }
    object::create(cursor, or_replace).map(Change::Create)
}

fn alter(cursor: &mut Cursor<'_>) -> Option<Change> {
    let start = cursor.place();
    cursor.skip();
    if cursor.is_any(&["USER", "ROLE", "TABLESPACE", "SERVER", "INSTANCE", "LOGFILE", "UNDO"])
        || cursor.are(&["RESOURCE", "GROUP"])
    {
        return Some(server(&mut cursor.back_at(start), 2));
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let span = cursor.span_from(start);
        let is_named =
            !cursor.is_any(&["CHARACTER", "CHARSET", "DEFAULT", "COLLATE", "ENCRYPTION", "READ", "COMMENT"]);
        let name = if is_named { cursor.name() } else { None };
        return Some(Change::Database { verb: DatabaseVerb::Alter, name, span });
    }
    while cursor.eat_any(&["ONLINE", "IGNORE"]) {}
    if cursor.eat(&["TABLE"]) {
        return alter::alter(cursor).map(Change::AlterTable);
    }
    object::create(cursor, false).map(Change::Alter)
}

fn drop(cursor: &mut Cursor<'_>) -> Option<Change> {
    let start = cursor.place();
    cursor.skip();
    if cursor.is_any(&["USER", "ROLE", "TABLESPACE", "SERVER", "LOGFILE", "UNDO"])
        || cursor.are(&["RESOURCE", "GROUP"])
    {
        return Some(server(&mut cursor.back_at(start), 2));
    }
    if cursor.eat_any(&["DATABASE", "SCHEMA"]) {
        let span = cursor.span_from(start);
        cursor.eat(&["IF", "EXISTS"]);
        return Some(Change::Database { verb: DatabaseVerb::Drop, name: cursor.name(), span });
    }
    if cursor.eat(&["PREPARE"]) {
        return Some(Change::Prepared("DEALLOCATE".to_owned(), cursor.name()?));
    }
    let temporary = cursor.eat(&["TEMPORARY"]);
    if cursor.eat_any(&["TABLE", "TABLES"]) {
        let if_exists = cursor.eat(&["IF", "EXISTS"]);
        let names = cursor.names()?;
        alter::wait(cursor);
        return Some(Change::DropTables { names, if_exists, temporary });
    }
    if cursor.eat(&["INDEX"]) {
        return alter::drop_index(cursor).map(Change::AlterTable);
    }
    let kind = object::kind(cursor)?;
    let if_exists = cursor.eat(&["IF", "EXISTS"]);
    Some(Change::Drop { kind, names: cursor.names()?, if_exists })
}

fn rename(cursor: &mut Cursor<'_>) -> Option<Change> {
    if cursor.next_is("USER") {
        return Some(server(cursor, 2));
    }
    cursor.skip();
    cursor.eat_any(&["TABLE", "TABLES"]).then_some(())?;
    cursor.eat(&["IF", "EXISTS"]);
    let mut pairs = Vec::new();
    loop {
        let old = cursor.name()?;
        alter::wait(cursor);
        cursor.eat(&["TO"]).then_some(())?;
        pairs.push((old, cursor.name()?));
        if !cursor.eat_symbol(",") {
            return cursor.is_done().then_some(Change::RenameTables(pairs));
        }
    }
}

/// Words that are functions without parentheses.
const BARE_FUNCTIONS: [&str; 7] = [
    "CURRENT_TIMESTAMP",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_USER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "UTC_TIMESTAMP",
];

fn calls(words: &Words<'_>, base: usize) -> Vec<(String, Range<usize>)> {
    let is_call = |at: usize| {
        words.kind(at) == Some(TokenKind::Word)
            && (words.is_symbol(at + 1, "(") || BARE_FUNCTIONS.iter().any(|function| words.is(at, function)))
    };
    let span = |at: usize| words.token(at).map(|token| base + token.start..base + token.end);
    (0..words.len())
        .filter(|&at| is_call(at))
        .filter_map(|at| Some((words.keyword(at), span(at)?)))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

fn variables(words: &Words<'_>, base: usize) -> Vec<Range<usize>> {
    (0..words.len())
        .filter_map(|at| words.token(at))
        .filter(|token| token.kind == TokenKind::Variable)
        .map(|token| base + token.start..base + token.end)
        .collect()
}

impl ObjectKind {
    const ALL: [(&'static str, Self); 6] = [
        ("VIEW", Self::View),
        ("TRIGGER", Self::Trigger),
        ("PROCEDURE", Self::Procedure),
        ("FUNCTION", Self::Function),
        ("EVENT", Self::Event),
        ("SEQUENCE", Self::Sequence),
    ];
}
