//! L116: a lock of its own in a migration.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L116"),
    name: "own-lock",
    severity: Severity::Warning,
    explain: "\
Each tenant's database is locked already while a migration runs. GET_LOCK of another name lives until \
the connection ends, and of two migrations that wait for \
each other's lock one fails (3058, on MariaDB 1213).

Leave it out.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "SELECT GET_LOCK('x', 10) INTO @got;")]),
        Example::files(&[("20260101000000_t.up.sql", "DO GET_LOCK('x', 10), RELEASE_LOCK('x');")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "SELECT 1 INTO @got;")])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    for (function, span) in &at.reading.calls {
        if matches!(function.as_str(), "GET_LOCK" | "RELEASE_LOCK") {
            found.push(Remark::new(
                span.clone(),
                format!("{function} in a migration, which runs under a lock already"),
            ));
        }
    }
}
