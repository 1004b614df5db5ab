//! B104: a column loses its default.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("B104"),
    name: "drop-default",
    severity: Severity::Warning,
    explain: "\
Code that leaves the column out relied on the default. Without it the INSERT fails with 1364 in strict \
mode; only MariaDB stores NULL where the column may hold it.

Instead: release code that always gives a value first, and drop the default a release later.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
        ),
        ("20260102000000_u.up.sql", "ALTER TABLE t ALTER COLUMN name DROP DEFAULT;"),
    ])],
    passes: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50) NOT NULL DEFAULT '');",
        ),
        ("20260102000000_u.up.sql", "ALTER TABLE t ALTER COLUMN name SET DEFAULT 'x';"),
    ])],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::DropDefault { column } = &at.clause.clause {
        let message =
            format!("`{table}.{column}` loses its default: code that leaves the column out relied on it");
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
