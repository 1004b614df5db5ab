//! M106: rows that are there may break a new CHECK.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M106"),
    name: "check-may-fail",
    severity: Severity::Warning,
    explain: "\
The server tries every row and refuses the statement with 3819 (MariaDB: 4025) at the first that does \
not pass.

Look in every tenant first, with the condition turned round: `SELECT COUNT(*) FROM t WHERE NOT (…)`. On \
MySQL a CHECK may be added NOT ENFORCED, and enforced later.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT ck_t_a CHECK (a > 0);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT ck_t_a CHECK (a > 0) NOT ENFORCED;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT PRIMARY KEY, CHECK (a > 0));")]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddCheck(check) = &at.clause.clause
        && check.is_enforced
    {
        let message =
            format!("the statement fails with 3819 (MariaDB: 4025) if a row of `{table}` does not pass");
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
