//! V110: what reads the changed schema still works.
//!
//! MySQL and MariaDB take a change under a view, a trigger or a routine in silence; whoever uses it next meets the error. So
//! after each change of the schema the views that read a changed table are read, its triggers are fired on a row that is
//! there, which is undone, and the routines that name what is gone are called.

use std::collections::BTreeSet;

use super::content::{mentions, quote};
use crate::{
    mysql::{Inspector, Value},
    schema::{ObjectKind, Snapshot, Table},
    session::{SessionError, number},
    sql::{self, change::Change},
};

/// What the server says where a name leads nowhere, and not of a row that it does not like.
const NAME_ERRORS: [u16; 7] = [
    number::BAD_FIELD,
    number::UNKNOWN_TABLE,
    number::NO_SUCH_TABLE,
    number::NO_SUCH_ROUTINE,
    number::INVALID_VIEW,
    number::NO_SUCH_DEFINER,
    number::NO_SUCH_SEQUENCE,
];

/// An object of the database.
pub(super) type Object = (ObjectKind, String);

/// What does not work any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) object: Object,
    /// What was done with it, such as "an `INSERT` into `ticket` fires it".
    pub(super) tried: String,
    /// What the server said; `None` where it was not asked, as it could not be run here.
    pub(super) error: Option<String>,
}

/// Tries what reads the tables and views that `after` has otherwise than `before`, and what was `broken` already.
///
/// # Errors
///
/// The connection's.
pub(super) async fn try_all(
    inspector: &mut Inspector,
    before: &Snapshot,
    after: &Snapshot,
    broken: impl Iterator<Item = &Object>,
) -> Result<Vec<Broken>, SessionError> {
    let changed: BTreeSet<String> =
        before.diff(after).into_iter().map(|difference| difference.name).collect();
    let mut objects: BTreeSet<Object> = readers(after, &changed);
    objects.extend(broken.filter(|object| after.objects.contains_key(*object)).cloned());
    let gone = gone(before, after);
    let mut found = Vec::new();
    for object in objects {
        let (kind, name) = (object.0, object.1.as_str());
        let definition = &after.objects[&object];
        let result = match kind {
            ObjectKind::View => {
                let error = refusal(inspector.rows(format!("SELECT 1 FROM {} LIMIT 0", quote(name))).await)?;
                error.map(|error| ("it is read".to_owned(), Some(error)))
            }
            ObjectKind::Trigger => fire(inspector, after, definition).await?,
            ObjectKind::Function | ObjectKind::Procedure => {
                match gone.iter().find(|gone| gone.is_named(definition)) {
                    Some(gone) => call(inspector, kind, name, definition, gone).await?,
                    None => None,
                }
            }
            ObjectKind::Event => gone
                .iter()
                .find(|gone| gone.is_named(definition))
                .map(|gone| (format!("it names {}, and cannot be run here", gone.words()), None)),
            _ => None,
        };
        found.extend(result.map(|(tried, error)| Broken { object, tried, error }));
    }
    Ok(found)
}

/// What reads one of these tables or views, or reads what reads it; triggers on them, too.
fn readers(schema: &Snapshot, changed: &BTreeSet<String>) -> BTreeSet<Object> {
    let mut names = changed.clone();
    let mut readers = BTreeSet::new();
    loop {
        let new: Vec<_> = schema
            .objects
            .iter()
            .filter(|(object, definition)| {
                !matches!(object.0, ObjectKind::Table | ObjectKind::Sequence)
                    && !readers.contains(*object)
                    && (names.contains(&object.1) || names.iter().any(|name| mentions(definition, name)))
            })
            .map(|(object, _)| object.clone())
            .collect();
        if new.is_empty() {
            return readers;
        }
        names.extend(new.iter().filter(|object| object.0 == ObjectKind::View).map(|object| object.1.clone()));
        readers.extend(new);
    }
}

/// A name that leads nowhere any more.
#[derive(Debug)]
struct Gone<'a> {
    table: &'a str,
    /// `None`: the table itself.
    column: Option<&'a str>,
}

impl Gone<'_> {
    fn is_named(&self, definition: &str) -> bool {
        mentions(definition, self.table) && self.column.is_none_or(|column| mentions(definition, column))
    }

    fn words(&self) -> String {
        match self.column {
            Some(column) => format!("`{}`.`{column}`, which is gone", self.table),
            None => format!("`{}`, which is gone", self.table),
        }
    }
}

fn gone<'a>(before: &'a Snapshot, after: &Snapshot) -> Vec<Gone<'a>> {
    let mut gone = Vec::new();
    for (table, was) in &before.tables {
        let Some(is) = after.tables.get(table) else {
            gone.push(Gone { table, column: None });
            continue;
        };
        let is_there = |name: &str| is.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name));
        let columns = was.columns.iter().filter(|column| !is_there(&column.name));
        gone.extend(columns.map(|column| Gone { table, column: Some(&column.name) }));
    }
    gone
}

/// The server's words, where it cannot resolve a name.
fn refusal<T>(result: Result<T, SessionError>) -> Result<Option<String>, SessionError> {
    match result {
        Err(error @ SessionError::Server { number, .. }) if NAME_ERRORS.contains(&number) => {
            Ok(Some(error.to_string()))
        }
        Ok(_) | Err(SessionError::Server { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

type Tried = Option<(String, Option<String>)>;

/// Fires a trigger on a row that is there, and undoes that.
async fn fire(inspector: &mut Inspector, schema: &Snapshot, definition: &str) -> Result<Tried, SessionError> {
    let Some((name, event)) = trigger(definition) else { return Ok(None) };
    let Some(table) = schema.tables.get(&name) else { return Ok(None) };
    let is_undone = schema
        .objects
        .get(&(ObjectKind::Table, name.clone()))
        .is_some_and(|definition| definition.contains("ENGINE=InnoDB"));
    let Some(statements) = firing(&name, table, event, is_undone) else { return Ok(None) };
    let mut error = None;
    for statement in statements {
        error = refusal(inspector.execute(statement).await)?;
        if error.is_some() {
            break;
        }
    }
    for statement in
        ["ROLLBACK", "SET foreign_key_checks=1", "DROP TEMPORARY TABLE IF EXISTS _backend_migrations_row"]
    {
        refusal(inspector.execute(statement).await)?;
    }
    let how = match event {
        "INSERT" => "an `INSERT` into",
        "UPDATE" => "an `UPDATE` of",
        _ => "a `DELETE` from",
    };
    Ok(error.map(|error| (format!("{how} `{name}` fires it"), Some(error))))
}

/// The statements after which a trigger for `event` on this table has been fired, and which a `ROLLBACK` undoes; `None`
/// where there are none.
fn firing(name: &str, table: &Table, event: &str, is_undone: bool) -> Option<Vec<String>> {
    let columns: Vec<_> = table
        .columns
        .iter()
        .filter(|column| !column.is_generated)
        .map(|column| quote(&column.name))
        .collect();
    let first = columns.first()?;
    let key = table.keys.iter().find(|key| key.name == "PRIMARY");
    let key: Vec<_> =
        key.iter().flat_map(|key| &key.parts).filter_map(|part| Some(quote(part.column.as_ref()?))).collect();
    let order = if key.is_empty() { String::new() } else { format!(" ORDER BY {}", key.join(",")) };
    let (name, columns) = (quote(name), columns.join(","));
    let begin = ["SET foreign_key_checks=0".to_owned(), "START TRANSACTION".to_owned()];
    let row = "_backend_migrations_row";
    let work = match event {
        "UPDATE" => vec![format!("UPDATE {name} SET {first}={first}{order} LIMIT 1")],
        _ if !is_undone => return None,
        "DELETE" => vec![format!("DELETE FROM {name}{order} LIMIT 1")],
        // The same row once more, which nothing of the table can have against it.
        _ => vec![
            format!("CREATE TEMPORARY TABLE {row} AS SELECT {columns} FROM {name}{order} LIMIT 1"),
            format!("DELETE FROM {name}{order} LIMIT 1"),
            format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {row}"),
        ],
    };
    Some(begin.into_iter().chain(work).collect())
}

/// The table and the event of a trigger.
fn trigger(definition: &str) -> Option<(String, &'static str)> {
    let script = sql::parse_script("trigger.sql", definition.as_bytes()).ok()?;
    let Change::Create(object) = sql::read(script.statements.first()?).change else { return None };
    let words: Vec<_> = definition.split_whitespace().map(str::to_ascii_uppercase).collect();
    let at = words.iter().position(|word| matches!(word.as_str(), "BEFORE" | "AFTER"))?;
    let event = ["INSERT", "UPDATE", "DELETE"]
        .into_iter()
        .find(|event| words.get(at + 1).is_some_and(|w| w == event))?;
    Some((object.table?.name, event))
}

/// Calls a routine that names what is gone, in a transaction that is undone; one whose body would end it is only named.
async fn call(
    inspector: &mut Inspector,
    kind: ObjectKind,
    name: &str,
    definition: &str,
    gone: &Gone<'_>,
) -> Result<Tried, SessionError> {
    let named = (format!("it names {}, and cannot be run here", gone.words()), None);
    if ends_transaction(definition) {
        return Ok(Some(named));
    }
    let select = format!(
        "SELECT parameter_mode FROM information_schema.parameters WHERE specific_schema = DATABASE() \
         AND specific_name = {} AND ordinal_position > 0 ORDER BY ordinal_position",
        text(name)
    );
    let modes: Vec<Vec<Value>> = inspector.rows(select).await?.into_iter().flatten().collect();
    let arguments = modes.iter().map(|row| match row.first().and_then(Option::as_deref) {
        Some(b"OUT" | b"INOUT") => "@backend_migrations_out",
        _ => "NULL",
    });
    let arguments = arguments.collect::<Vec<_>>().join(",");
    let sql = match kind {
        ObjectKind::Function => format!("DO {}({arguments})", quote(name)),
        _ => format!("CALL {}({arguments})", quote(name)),
    };
    refusal(inspector.execute("START TRANSACTION").await)?;
    let error = refusal(inspector.rows(sql).await)?;
    refusal(inspector.execute("ROLLBACK").await)?;
    // Without an error it may have gone another way than past the name.
    Ok(Some(error.map_or(named, |error| ("it is called".to_owned(), Some(error)))))
}

/// Whether a body has a word that may end a transaction, wait, or run what is not seen here.
fn ends_transaction(definition: &str) -> bool {
    const WORDS: [&str; 16] = [
        "COMMIT",
        "ROLLBACK",
        "TRANSACTION",
        "CREATE",
        "ALTER",
        "DROP",
        "TRUNCATE",
        "RENAME",
        "GRANT",
        "REVOKE",
        "LOCK",
        "PREPARE",
        "SLEEP",
        "GET_LOCK",
        "LOAD",
        "CALL",
    ];
    let text = definition.to_ascii_uppercase();
    // The first word is its own.
    let body = text.split_once("CREATE").map_or(text.as_str(), |(_, body)| body);
    WORDS.iter().any(|word| mentions(body, word))
}

fn text(name: &str) -> String {
    format!("'{}'", name.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_says_where_and_when_it_fires() {
        let check = |definition: &str, expected: Option<(&str, &'static str)>| {
            let expected = expected.map(|(table, event)| (table.to_owned(), event));
            assert_eq!(trigger(definition), expected, "{definition}");
        };
        check("CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1", Some(("t", "INSERT")));
        check(
            "-- fires as number 2\nCREATE TRIGGER `g`\nAFTER DELETE ON `a b`\nFOR EACH ROW SET @n = 1",
            Some(("a b", "DELETE")),
        );
        check("CREATE VIEW v AS SELECT 1", None);
    }

    #[test]
    fn a_body_that_ends_the_transaction_is_not_run() {
        assert!(!ends_transaction("CREATE PROCEDURE p() BEGIN UPDATE t SET created = 1; END"));
        assert!(ends_transaction("CREATE PROCEDURE p() BEGIN DROP TABLE t; END"));
        assert!(ends_transaction("CREATE PROCEDURE p() BEGIN SELECT 1; COMMIT; END"));
    }
}
