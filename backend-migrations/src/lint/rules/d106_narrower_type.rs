//! D106.

use super::facts::{charset, in_use};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, Table},
    sql::change::{Clause, DataType},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D106"),
    name: "narrower-type",
    severity: Severity::Warning,
    explain: "\
The new type holds less than the old one: a shorter VARCHAR, a smaller integer, fewer digits, another sign, an ENUM without a \
value it had, a character set with fewer characters. In strict mode the statement fails at the first row that does not fit \
(errors 1265, 1264, 1406, for a character 1366), on some tenants and not on others; without it the values are cut.

Look for rows that do not fit first, and mend them in a migration of their own. Where the values are meant to be cut, say so: \
`-- migration: loses tasks.note <reason>`.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(255) NOT NULL);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY name VARCHAR(100) NOT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id BIGINT PRIMARY KEY, n INT);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t CHANGE n m INT UNSIGNED;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, s ENUM('a', 'b', 'c'));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY s ENUM('a', 'c', 'd');"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, d DECIMAL(10, 4));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY d DECIMAL(10, 2);"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50), note TEXT, code CHAR(2) CHARACTER SET ascii) \
                 DEFAULT CHARSET = utf8mb4;",
            ),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY name VARCHAR(50) CHARACTER SET latin1;"),
            ("20260103000000_t.up.sql", "ALTER TABLE t CONVERT TO CHARACTER SET latin1;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(100), s ENUM('a'));"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY name VARCHAR(255), MODIFY id BIGINT, MODIFY s ENUM('a', 'b');"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t MODIFY name VARCHAR(1);")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARSET = latin1;"),
            ("20260102000000_t.up.sql", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;"),
            (
                "20260103000000_t.up.sql",
                "-- migration: loses t.name checked on 2 May: all ASCII\nALTER TABLE t CONVERT TO CHARACTER SET ascii;",
            ),
        ]),
    ],
};

fn check(clause: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let (old_name, column) = match &clause.clause.clause {
        Clause::ModifyColumn { column, .. } => (&column.name, column),
        Clause::ChangeColumn { old, column, .. } => (old, column),
        Clause::Convert { charset: Some(charset), .. } => {
            remarks.extend(clause.table.and_then(|table| converted(clause, table, charset)));
            return;
        }
        _ => return,
    };
    let Some((table, old)) = clause.table.and_then(|table| Some((table, table.column(old_name)?))) else {
        return;
    };
    // A counter has no negative numbers.
    let is_counter = old.auto_increment && column.data_type.integer_bytes() >= old.data_type.integer_bytes();
    if !in_use(clause) || is_declared(clause, old_name) || is_counter {
        return;
    }
    let characters =
        charset(table, old).zip(charset(table, column)).and_then(|(before, after)| lacking(before, after));
    if let Some(less) = characters.or_else(|| narrower(&old.data_type, &column.data_type)) {
        remarks.push(
            Remark::new(
                column.data_type.span.clone(),
                format!("`{}.{old_name}` held more before: {less}", clause.alter.name.name),
            )
            .hint(HINT),
        );
    }
}

const HINT: &str =
    "look for rows that do not fit, on every tenant, and mend them in a migration before this one";

fn is_declared(clause: &ClauseView<'_>, column: &str) -> bool {
    clause.statement.script.declared.loses(&clause.alter.name.name, Some(column))
}

/// What is said of a table whose text gets a character set with fewer characters.
fn converted(clause: &ClauseView<'_>, table: &Table, to: &str) -> Option<Remark> {
    let text = table
        .columns
        .iter()
        .filter(|column| column.data_type.is_text() && !is_declared(clause, &column.name));
    let less: Vec<_> = text
        .filter_map(|column| Some((column.name.as_str(), lacking(charset(table, column)?, to)?)))
        .collect();
    let (_, what) = less.first().filter(|_| in_use(clause))?;
    let names: Vec<_> = less.iter().map(|(name, _)| format!("`{}.{name}`", clause.alter.name.name)).collect();
    let message = format!("{} held more before: {what}", names.join(", "));
    Some(Remark::new(clause.clause.span.clone(), message).hint(HINT))
}

/// What one character set has and the other does not.
fn lacking(before: &str, after: &str) -> Option<String> {
    (reach(after) < reach(before)).then(|| format!("characters that {after} does not have"))
}

/// What the old type holds and the new one does not.
fn narrower(old: &DataType, new: &DataType) -> Option<String> {
    if let (Some(before), Some(after)) = (old.integer_bytes(), new.integer_bytes()) {
        if after < before {
            return Some(format!("{before} bytes, not {after}"));
        }
        if new.is_unsigned && !old.is_unsigned {
            return Some("negative numbers".to_owned());
        }
        return (old.is_unsigned && !new.is_unsigned && after == before)
            .then(|| "numbers from the middle of its range up".to_owned());
    }
    if old.name == new.name && matches!(old.name.as_str(), "ENUM" | "SET") {
        let gone: Vec<_> = old.arguments.iter().filter(|value| !new.arguments.contains(value)).collect();
        let gone: Vec<_> = gone.iter().map(|value| format!("'{value}'")).collect();
        return (!gone.is_empty()).then(|| gone.join(", "));
    }
    if old.name == "DECIMAL" && new.name == "DECIMAL" {
        let digits = |data_type: &DataType| {
            let (all, scale) = (data_type.number(0).unwrap_or(10), data_type.number(1).unwrap_or(0));
            (all.saturating_sub(scale), scale)
        };
        let (before, after) = (digits(old), digits(new));
        return (after.0 < before.0 || after.1 < before.1).then(|| {
            format!(
                "{} digits before the point and {} after it, not {} and {}",
                before.0, before.1, after.0, after.1
            )
        });
    }
    let (before, after) = (length(old)?, length(new)?);
    (after < before).then(|| format!("{before} characters or bytes, not {after}"))
}

/// How much of Unicode a character set has; a larger one has all that a smaller one has.
fn reach(charset: &str) -> u8 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" => 3,
        "utf8" | "utf8mb3" | "ucs2" => 2,
        "ascii" => 0,
        _ => 1,
    }
}

/// How much a text or binary type holds.
fn length(data_type: &DataType) -> Option<u64> {
    match data_type.name.as_str() {
        "CHAR" | "BINARY" => data_type.number(0).or(Some(1)),
        "VARCHAR" | "VARBINARY" => data_type.number(0),
        "TINYTEXT" | "TINYBLOB" => Some(255),
        "TEXT" | "BLOB" => Some(65_535),
        "MEDIUMTEXT" | "MEDIUMBLOB" => Some(16_777_215),
        "LONGTEXT" | "LONGBLOB" => Some(u64::from(u32::MAX)),
        _ => None,
    }
}
