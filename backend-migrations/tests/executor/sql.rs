//! The SQL that the edge to MySQL sends for a record, as a server would take it: a small interpreter of exactly these
//! statements. What it does not know, no server has been asked to take, and it panics.

use backend_migrations::{
    history::HistoryRow,
    migration::Version,
    mysql::books::{JournalRow, StatementRow},
    session::SessionError,
};

use crate::model::{State, server};

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Null,
    Int(i64),
    Bytes(Vec<u8>),
    Text(String),
}

impl Value {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let hex = |text: &str| {
            let digits = text.strip_prefix("X'")?.strip_suffix('\'')?;
            let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
            Some((0..digits.len()).step_by(2).map(byte).collect::<Vec<_>>())
        };
        match text {
            "NULL" => Self::Null,
            "TRUE" => Self::Int(1),
            "FALSE" => Self::Int(0),
            "CONNECTION_ID()" => Self::Int(7),
            _ => {
                if let Some(bytes) = text.strip_prefix("_utf8mb4 ").and_then(hex) {
                    return Self::Text(String::from_utf8(bytes).expect("UTF-8"));
                }
                if let Some(bytes) = hex(text) {
                    return Self::Bytes(bytes);
                }
                if let Some(text) = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
                    return Self::Text(text.to_owned());
                }
                Self::Int(text.parse().unwrap_or_else(|_| panic!("no value that is known: {text}")))
            }
        }
    }

    fn int(&self) -> i64 {
        match self {
            Self::Int(int) => *int,
            other => panic!("no number: {other:?}"),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            other => panic!("no text: {other:?}"),
        }
    }

    fn count(&self) -> usize {
        usize::try_from(self.int()).expect("a count")
    }

    fn nullable<T>(&self, read: impl FnOnce(&Self) -> T) -> Option<T> {
        (*self != Self::Null).then(|| read(self))
    }
}

/// A row of one of the tables.
trait Row: Sized {
    /// The columns of the primary key.
    const KEY: &'static [&'static str];
    fn new() -> Self;
    fn get(&self, column: &str) -> Value;
    fn set(&mut self, column: &str, value: &Value);
}

impl Row for HistoryRow {
    const KEY: &'static [&'static str] = &["version"];

    fn new() -> Self {
        Self {
            version: Version(0),
            description: String::new(),
            success: false,
            checksum: Vec::new(),
            execution_time_ns: 0,
            installed_on_s: 0,
        }
    }

    fn get(&self, column: &str) -> Value {
        match column {
            "version" => Value::Int(self.version.0),
            "success" => Value::Int(self.success.into()),
            column => panic!("not asked for so far: {column}"),
        }
    }

    fn set(&mut self, column: &str, value: &Value) {
        match (column, value) {
            ("version", value) => self.version = Version(value.int()),
            ("description", value) => self.description = value.text(),
            ("success", value) => self.success = value.int() != 0,
            ("checksum", Value::Bytes(bytes)) => self.checksum.clone_from(bytes),
            ("execution_time", value) => self.execution_time_ns = value.int(),
            other => panic!("no such column: {other:?}"),
        }
    }
}

impl Row for JournalRow {
    const KEY: &'static [&'static str] = &["version", "direction"];

    fn new() -> Self {
        Self {
            version: Version(0),
            direction: String::new(),
            n_statements: 0,
            finished: String::new(),
            running: None,
            error: None,
        }
    }

    fn get(&self, column: &str) -> Value {
        match column {
            "version" => Value::Int(self.version.0),
            "direction" => Value::Text(self.direction.clone()),
            column => panic!("not asked for so far: {column}"),
        }
    }

    fn set(&mut self, column: &str, value: &Value) {
        match column {
            "version" => self.version = Version(value.int()),
            "direction" => self.direction = value.text(),
            "n_statements" => self.n_statements = value.count(),
            "finished" => self.finished = value.text(),
            "running" => self.running = value.nullable(Value::count),
            "error" => self.error = value.nullable(Value::text),
            "connection_id" => {}
            column => panic!("no such column: {column}"),
        }
    }
}

impl Row for StatementRow {
    const KEY: &'static [&'static str] = &["version", "direction", "statement"];

    fn new() -> Self {
        Self { version: Version(0), direction: String::new(), statement: 0, digest: String::new() }
    }

    fn get(&self, column: &str) -> Value {
        match column {
            "version" => Value::Int(self.version.0),
            "direction" => Value::Text(self.direction.clone()),
            "statement" => Value::Int(i64::try_from(self.statement).expect("a count")),
            column => panic!("not asked for so far: {column}"),
        }
    }

    fn set(&mut self, column: &str, value: &Value) {
        match column {
            "version" => self.version = Version(value.int()),
            "direction" => self.direction = value.text(),
            "statement" => self.statement = value.count(),
            "digest" => self.digest = value.text(),
            column => panic!("no such column: {column}"),
        }
    }
}

/// The part of `text` before `mark`, and that after it.
fn cut<'t>(text: &'t str, mark: &str) -> (&'t str, &'t str) {
    text.split_once(mark).unwrap_or_else(|| panic!("`{mark}` is wanted in: {text}"))
}

fn matches<R: Row>(row: &R, conditions: &str) -> bool {
    conditions.split(" AND ").all(|condition| {
        let (column, value) = cut(condition, " = ");
        row.get(column) == Value::read(value)
    })
}

/// Runs the rest of `INSERT INTO table `.
fn insert<R: Row>(rows: &mut Vec<R>, rest: &str) -> Result<u64, SessionError> {
    let (columns, values) = cut(rest, " VALUES ");
    let columns: Vec<_> = columns.trim_matches(['(', ')']).split(", ").collect();
    let lists =
        values.strip_prefix('(').and_then(|values| values.strip_suffix(')')).expect("a list of values");
    let mut n = 0;
    for list in lists.split("), (") {
        let values: Vec<_> = list.split(", ").map(Value::read).collect();
        assert_eq!(columns.len(), values.len(), "{rest}");
        let mut row = R::new();
        columns.iter().zip(&values).for_each(|(column, value)| row.set(column, value));
        if rows.iter().any(|other| R::KEY.iter().all(|column| other.get(column) == row.get(column))) {
            return Err(server(1062, "duplicate entry for key PRIMARY"));
        }
        rows.push(row);
        n += 1;
    }
    Ok(n)
}

/// Runs the rest of `UPDATE table SET `; a row that has the values already counts (`CLIENT_FOUND_ROWS`).
fn update<R: Row>(rows: &mut [R], rest: &str) -> u64 {
    let (assignments, conditions) = cut(rest, " WHERE ");
    let mut n = 0;
    for row in rows.iter_mut().filter(|row| matches(*row, conditions)) {
        for assignment in assignments.split(", ") {
            let (column, value) = cut(assignment, " = ");
            row.set(column, &Value::read(value));
        }
        n += 1;
    }
    n
}

/// Runs the rest of `DELETE FROM table WHERE `.
fn delete<R: Row>(rows: &mut Vec<R>, conditions: &str) -> u64 {
    let before = rows.len();
    rows.retain(|row| !matches(row, conditions));
    (before - rows.len()) as u64
}

/// Runs an `INSERT`, `UPDATE` or `DELETE` on `rows`, being what follows the table's name.
fn change<R: Row>(
    rows: Option<&mut Vec<R>>,
    verb: &str,
    rest: &str,
    table: &str,
) -> Result<u64, SessionError> {
    let rows = rows.ok_or_else(|| server(1146, &format!("no `{table}`")))?;
    match verb {
        "INSERT INTO" => insert(rows, rest),
        "UPDATE" => Ok(update(rows, rest.strip_prefix("SET ").expect("SET"))),
        "DELETE FROM" => Ok(delete(rows, rest.strip_prefix("WHERE ").expect("WHERE"))),
        verb => panic!("not known: {verb}"),
    }
}

/// The condition without which a guard fails.
pub(crate) fn guarded(sql: &str) -> &str {
    let condition = sql.strip_prefix("SET @backend_migrations = EXP(IF(");
    let condition = condition.and_then(|rest| rest.strip_suffix(", 0, 1000))"));
    condition.unwrap_or_else(|| panic!("no guard: {sql}"))
}

/// Makes the table of a `CREATE TABLE IF NOT EXISTS`; commits, as the caller sees to.
pub(crate) fn create(state: &mut State, sql: &str) {
    match sql.split(' ').nth(5) {
        Some("_sqlx_migrations") => drop(state.rows.get_or_insert_default()),
        Some("_backend_migrations_journal") => drop(state.journal.get_or_insert_default()),
        Some("_backend_migrations_statements") => drop(state.statements.get_or_insert_default()),
        table => panic!("no such table: {table:?}"),
    }
}

/// Runs one statement that changes rows of the books; gives how many it has changed.
pub(crate) fn write(state: &mut State, sql: &str) -> Result<u64, SessionError> {
    let verb = ["INSERT INTO", "UPDATE", "DELETE FROM"].into_iter().find(|verb| sql.starts_with(verb));
    let verb = verb.unwrap_or_else(|| panic!("not known: {sql}"));
    let (table, rest) = cut(sql[verb.len()..].trim_start(), " ");
    let changed = match table {
        "_sqlx_migrations" => change(state.rows.as_mut(), verb, rest, table),
        "_backend_migrations_journal" => change(state.journal.as_mut(), verb, rest, table),
        "_backend_migrations_statements" => change(state.statements.as_mut(), verb, rest, table),
        table => panic!("no such table: {table}"),
    };
    state.rows.iter_mut().for_each(|rows| rows.sort_by_key(|row| row.version));
    changed
}
