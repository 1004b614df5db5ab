//! D110.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Verb},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D110"),
    name: "ignored-errors",
    severity: Severity::Warning,
    explain: "\
IGNORE turns errors into warnings that nobody sees: rows that break a key are left out, values that do not fit are cut. REPLACE \
deletes the row that is in the way, with all its columns, and by ON DELETE CASCADE the rows that refer to it (MySQL 9.7 leaves those).

Say what is to happen to a row that is there already: INSERT … ON DUPLICATE KEY UPDATE, or SELECT the rows that are not.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "INSERT IGNORE INTO roles (id, name) VALUES (5, 'auditor');")]),
        Example::files(&[("20260101000000_t.up.sql", "REPLACE INTO roles (id, name) VALUES (5, 'auditor');")]),
        Example::files(&[("20260101000000_t.up.sql", "UPDATE IGNORE t SET a = 1 WHERE b = 2;")]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "INSERT INTO roles (id, name) VALUES (5, 'auditor') ON DUPLICATE KEY UPDATE name = 'auditor';",
    )])],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    let Change::Rows(rows) = &statement.reading.change else { return };
    if let Some(ignore) = &rows.ignore {
        remarks.push(
            Remark::new(
                ignore.clone(),
                format!("{} IGNORE hides rows that are left out and values that are cut", rows.verb.as_str()),
            )
            .hint("say what is to happen to a row that is in the way: ON DUPLICATE KEY UPDATE, or a WHERE"),
        );
    } else if rows.verb == Verb::Replace {
        remarks.push(
            Remark::new(
                rows.span.clone(),
                "REPLACE deletes the row that is in the way, and on most servers what refers to it with ON DELETE CASCADE",
            )
            .hint("INSERT … ON DUPLICATE KEY UPDATE changes it instead"),
        );
    }
}
