//! M110: the two sides of a foreign key have types that do not fit.

use super::facts::{after, charset, collation, new_foreign_keys, written};
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView, Table},
    sql::change::Column,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M110"),
    name: "foreign-key-types",
    severity: Severity::Error,
    explain: "\
Both sides must be of one kind: a DATE does not fit a DATETIME, nor a DECIMAL an INT. Whole numbers must have \
the same size and both be signed or both unsigned; text must have the same character set and collation. \
Otherwise the server refuses the key with 3780, older ones and MariaDB with \
1005 and errno 150, which does not say why.

Define the column as the one it points to is defined.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (id BIGINT UNSIGNED PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, p_id BIGINT, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (at DATETIME PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, day DATE, CONSTRAINT fk FOREIGN KEY (day) REFERENCES p (at));",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN up BIGINT NULL, ADD CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id);",
            ),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (at DATETIME PRIMARY KEY, code CHAR(5) UNIQUE);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, at TIMESTAMP(3) NULL, code VARCHAR(9), CONSTRAINT fk_at FOREIGN KEY (at) \
                 REFERENCES p (at), CONSTRAINT fk_code FOREIGN KEY (code) REFERENCES p (code));",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (id BIGINT UNSIGNED PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, p_id BIGINT UNSIGNED, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE c (id INT PRIMARY KEY, p_id BIGINT, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES elsewhere (id));",
        )]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let after = after(at);
    for (child, key) in new_foreign_keys(&at.reading.change) {
        let (Some(child_table), Some(parent_table)) = (after.table(child), after.table(&key.parent)) else {
            continue;
        };
        for (here, there) in key.columns.iter().zip(&key.parent_columns) {
            let (Some(one), Some(other)) = (child_table.column(here), parent_table.column(there)) else {
                continue;
            };
            if let Some(how) = misfit((child_table, one), (parent_table, other)) {
                let message =
                    format!("`{}.{here}` and `{}.{there}` do not fit: {how}", child.name, key.parent.name);
                found.push(Remark::new(key.span.clone(), message));
            }
        }
    }
}

/// Why the server would refuse a key between the two; `None` where it would not, or where that is not known.
fn misfit((child, here): (&Table, &Column), (parent, there): (&Table, &Column)) -> Option<String> {
    if !here.is_whole || !there.is_whole {
        return None;
    }
    let (one, other) = (&here.data_type, &there.data_type);
    if one.is_integer() && other.is_integer() {
        let is_same = one.name == other.name && one.is_unsigned == other.is_unsigned;
        return (!is_same).then(|| format!("{} and {}", written(one), written(other)));
    }
    if one.is_text() && other.is_text() {
        let sets = charset(child, here).zip(charset(parent, there)).filter(|(one, other)| one != other);
        let collations =
            collation(child, here).zip(collation(parent, there)).filter(|(one, other)| one != other);
        return sets.or(collations).map(|(one, other)| format!("{one} and {other}"));
    }
    let kinds = kind(&one.name).zip(kind(&other.name));
    kinds.is_some_and(|(one, other)| one != other).then(|| format!("{} and {}", one.name, other.name))
}

/// Types between which there can be a key, by one name; `None` where that was not tried.
fn kind(name: &str) -> Option<&'static str> {
    Some(match name {
        "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" => "integer",
        "DECIMAL" => "decimal",
        "DATE" => "date",
        "DATETIME" | "TIMESTAMP" => "time",
        "CHAR" | "VARCHAR" => "text",
        _ => return None,
    })
}
