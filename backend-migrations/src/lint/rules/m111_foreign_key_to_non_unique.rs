//! M111: a foreign key points to columns that are not unique.

use super::facts::{after, new_foreign_keys};
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Index,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M111"),
    name: "foreign-key-to-non-unique",
    severity: Severity::Warning,
    explain: "\
MySQL 8.4 and newer refuse it with 6125 (`restrict_fk_on_non_standard_key`); older ones and MariaDB take \
it, and what a row then points to is not one row but several.

Point to the primary key or to a UNIQUE key of just these columns.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE p (id INT PRIMARY KEY, a INT, INDEX idx_p_a (a));"),
        (
            "20260102000000_u.up.sql",
            "CREATE TABLE c (id INT PRIMARY KEY, a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (a));",
        ),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (id INT PRIMARY KEY, a INT UNIQUE);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (a));",
            ),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE p (id INT PRIMARY KEY);"),
            (
                "20260102000000_u.up.sql",
                "CREATE TABLE c (id INT PRIMARY KEY, a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES p (id));",
            ),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let after = after(at);
    for (child, key) in new_foreign_keys(&at.reading.change) {
        let Some(parent) = after.table(&key.parent).filter(|parent| parent.is_whole) else { continue };
        let is_this = |index: &&Index| {
            index.columns().is_some_and(|columns| is_same_set(&columns, &key.parent_columns))
        };
        if !parent.indexes.iter().filter(|index| index.kind.is_unique()).any(|index| is_this(&index)) {
            let message = format!(
                "`{}` points to `{}` ({}), which is no unique key: MySQL refuses that with 6125 from 8.4 on",
                child.name,
                key.parent.name,
                key.parent_columns.join(", ")
            );
            found.push(Remark::new(key.span.clone(), message));
        }
    }
}

fn is_same_set(columns: &[&str], others: &[String]) -> bool {
    columns.len() == others.len()
        && columns.iter().all(|column| others.iter().any(|other| other.eq_ignore_ascii_case(column)))
}
