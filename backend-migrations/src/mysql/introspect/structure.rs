//! What there is in a database, and the tables as structure: `information_schema`.

use std::collections::BTreeMap;

use super::{NOT_SCHEMA, Names, Value, definition::Defaults, server_version};
use crate::mysql::books;
use crate::schema::{Check, Column, Flavour, ForeignKey, Key, KeyPart, ObjectKind, Table};

/// What there is, one result for each, in this order; the names of MySQL's columns are upper case and MariaDB's are not, so
/// nothing goes by name.
pub(super) const SELECT_NAMES: [&str; 6] = [
    "SELECT VERSION(), DATABASE(), CURRENT_USER(), @@sql_mode, @@character_set_client, @@collation_connection, \
     @@time_zone;",
    // `@@collation_database` is that of the moment of the `USE`.
    "SELECT default_collation_name FROM information_schema.schemata WHERE schema_name = DATABASE();",
    "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = DATABASE();",
    "SELECT trigger_name, event_object_table, action_timing, event_manipulation, action_order \
     FROM information_schema.triggers WHERE trigger_schema = DATABASE();",
    "SELECT routine_name, routine_type FROM information_schema.routines WHERE routine_schema = DATABASE();",
    // `created` is in the session's time zone, which is UTC; `starts` in the event's own.
    "SELECT event_name, ABS(TIMESTAMPDIFF(SECOND, created, CONVERT_TZ(starts, time_zone, '+00:00'))) <= 1, \
     CAST(starts AS CHAR) FROM information_schema.events WHERE event_schema = DATABASE();",
];

/// The structure of these tables, with `TABLES` for their names; likewise.
const SELECT_STRUCTURE: [&str; 4] = [
    "SELECT table_name, column_name, column_type, character_set_name, is_nullable, column_default IS NOT NULL, \
     extra, collation_name FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name IN (TABLES) \
     ORDER BY table_name, ordinal_position;",
    "SELECT table_name, index_name, non_unique, column_name, sub_part FROM information_schema.statistics \
     WHERE table_schema = DATABASE() AND table_name IN (TABLES) ORDER BY table_name, index_name, seq_in_index;",
    "SELECT table_name, constraint_name, column_name, referenced_table_name, referenced_column_name \
     FROM information_schema.key_column_usage WHERE table_schema = DATABASE() AND table_name IN (TABLES) \
     AND referenced_table_schema = DATABASE() ORDER BY table_name, constraint_name, ordinal_position;",
    // On MySQL a name is one of the whole database. On MariaDB it is one of its table, which only MariaDB's view names: what
    // stands in the comment is for MariaDB alone.
    "SELECT t.table_name, c.constraint_name, c.check_clause FROM information_schema.check_constraints c \
     JOIN information_schema.table_constraints t ON t.constraint_schema = c.constraint_schema \
     AND t.constraint_name = c.constraint_name AND t.constraint_type = 'CHECK' /*M! AND t.table_name = c.table_name */ \
     WHERE c.constraint_schema = DATABASE() AND t.table_name IN (TABLES) ORDER BY t.table_name, c.constraint_name",
];

/// Reads the structure of these tables, of which there is one at least, given with their definitions: of what no
/// definition speaks, nobody needs to be asked.
pub(super) fn select(tables: &[(&str, &str)]) -> String {
    let speak_of = |words: &str| tables.iter().any(|(_, sql)| sql.to_ascii_uppercase().contains(words));
    let [columns, keys, foreign_keys, checks] = SELECT_STRUCTURE;
    let sql = [
        columns,
        keys,
        if speak_of("FOREIGN KEY") { foreign_keys } else { "DO 0;" },
        if speak_of("CHECK") { checks } else { "DO 0" },
    ];
    let names: Vec<_> = tables.iter().map(|(name, _)| books::text(name)).collect();
    sql.concat().replace("TABLES", &names.join(","))
}

type Row = Vec<Value>;

/// A value as text; empty where it is NULL or none.
pub(super) fn text(row: &[Value], at: usize) -> String {
    let bytes = row.get(at).and_then(Option::as_deref).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

fn number<T: std::str::FromStr>(row: &[Value], at: usize) -> Option<T> {
    row.get(at)?.as_ref()?;
    text(row, at).parse().ok()
}

fn is(row: &[Value], at: usize, word: &str) -> bool {
    text(row, at).eq_ignore_ascii_case(word)
}

/// What there is; `None` where the server answered less than it was asked.
pub(super) fn names(sets: &[Vec<Row>]) -> Option<Names> {
    let [session, database, tables, triggers, routines, events] = sets else { return None };
    let session = session.first()?;
    let defaults = Defaults {
        database: text(session, 1),
        account: text(session, 2),
        sql_mode: text(session, 3),
        character_set_client: text(session, 4),
        collation_connection: text(session, 5),
        time_zone: text(session, 6),
        database_collation: database.first().map(|row| text(row, 0)).unwrap_or_default(),
    };
    let mut objects = Vec::new();
    for row in tables.iter().filter(|row| !NOT_SCHEMA.contains(&&*text(row, 0))) {
        let kind = match text(row, 1).to_ascii_uppercase().as_str() {
            "VIEW" | "SYSTEM VIEW" => ObjectKind::View,
            "SEQUENCE" => ObjectKind::Sequence,
            // Gone with their session, and shown by MariaDB from 11.2 on.
            "TEMPORARY" | "TEMPORARY SEQUENCE" => continue,
            _ => ObjectKind::Table,
        };
        objects.push((kind, text(row, 0), None));
    }
    for row in triggers {
        let rivals = triggers.iter().filter(|other| (1..4).all(|at| text(other, at) == text(row, at)));
        // Which one fires first is no part of what the server shows of any.
        let order = (rivals.count() > 1).then(|| format!("fires as number {}", text(row, 4)));
        objects.push((ObjectKind::Trigger, text(row, 0), order));
    }
    for row in routines {
        let kind = match text(row, 1).to_ascii_uppercase().as_str() {
            "FUNCTION" => ObjectKind::Function,
            "PACKAGE" => ObjectKind::Package,
            "PACKAGE BODY" => ObjectKind::PackageBody,
            _ => ObjectKind::Procedure,
        };
        objects.push((kind, text(row, 0), None));
    }
    for row in events {
        let birth = is(row, 1, "1").then(|| text(row, 2));
        objects.push((ObjectKind::Event, text(row, 0), birth));
    }
    Some(Names { server: server_version(&text(session, 0)), defaults, objects })
}

/// The tables' structure in the answers to [`select`].
pub(super) fn tables(flavour: Flavour, sets: &[Vec<Row>]) -> BTreeMap<String, Table> {
    let [columns, keys, foreign_keys, checks] = sets else { return BTreeMap::new() };
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for row in columns {
        tables.entry(text(row, 0)).or_default().columns.push(column(row));
    }
    for row in keys {
        let Some(table) = tables.get_mut(&text(row, 0)) else { continue };
        let name = text(row, 1);
        if table.keys.last().is_none_or(|key| key.name != name) {
            table.keys.push(Key { name, is_unique: is(row, 2, "0"), parts: Vec::new() });
        }
        let column = row.get(3).and_then(Option::as_ref).map(|_| text(row, 3));
        let part = KeyPart { column, prefix: number(row, 4) };
        table.keys.last_mut().expect("one was just put there").parts.push(part);
    }
    for row in foreign_keys {
        let Some(table) = tables.get_mut(&text(row, 0)) else { continue };
        let name = text(row, 1);
        if table.foreign_keys.last().is_none_or(|key| key.name != name) {
            let referenced_table = text(row, 3);
            let (columns, referenced_columns) = (Vec::new(), Vec::new());
            table.foreign_keys.push(ForeignKey { name, columns, referenced_table, referenced_columns });
        }
        let key = table.foreign_keys.last_mut().expect("one was just put there");
        key.columns.push(text(row, 2));
        key.referenced_columns.push(text(row, 4));
    }
    for row in checks {
        let Some(table) = tables.get_mut(&text(row, 0)) else { continue };
        let expression = match flavour {
            Flavour::MySql => unescape(&text(row, 2)),
            Flavour::MariaDb => text(row, 2),
        };
        table.checks.push(Check { name: text(row, 1), expression });
    }
    tables
}

fn column(row: &[Value]) -> Column {
    let extra = text(row, 6).to_ascii_uppercase();
    let (is_nullable, is_auto_increment) = (is(row, 4, "YES"), extra.contains("AUTO_INCREMENT"));
    Column {
        name: text(row, 1),
        column_type: text(row, 2),
        character_set: row.get(3).and_then(Option::as_ref).map(|_| text(row, 3)),
        collation: row.get(7).and_then(Option::as_ref).map(|_| text(row, 7)),
        is_nullable,
        has_default: is_nullable || is_auto_increment || is(row, 5, "1"),
        // `DEFAULT_GENERATED` is a default that is an expression.
        is_generated: ["VIRTUAL GENERATED", "STORED GENERATED"].iter().any(|word| extra.contains(word)),
        is_auto_increment,
    }
}

/// MySQL's `information_schema` has a check's expression with `\'` for each quote.
fn unescape(clause: &str) -> String {
    let mut result = String::with_capacity(clause.len());
    let mut chars = clause.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => result.extend(chars.next()),
            c => result.push(c),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::unescape;

    #[test]
    fn mysql_escapes_the_quotes_of_a_check() {
        assert_eq!(
            unescape(r"(`s` in (_utf8mb4\'a\',_utf8mb4\'b\\c\'))"),
            r"(`s` in (_utf8mb4'a',_utf8mb4'b\c'))"
        );
    }
}
