//! M101: rows that are there may be alike in what becomes unique.

use super::facts::{added_column, becomes_unique, in_use, is_already_unique};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M101"),
    name: "unique-may-fail",
    severity: Severity::Warning,
    explain: "\
The server reads the whole table and refuses the statement with 1062 at the first two rows with the same \
values. Test data seldom has such rows, and production often does: the migration then fails for some \
tenants only.

Look in every tenant first: `SELECT a, COUNT(*) FROM t GROUP BY a HAVING COUNT(*) > 1`. A nullable \
column may hold any number of NULLs: pass over that group.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD UNIQUE KEY uq_t_a (a);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "CREATE UNIQUE INDEX uq_t_a ON t (a);"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD UNIQUE KEY uq_t_a_id (a, id);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "CREATE INDEX idx_t_a ON t (a);"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT PRIMARY KEY, b INT); CREATE UNIQUE INDEX uq ON t (b);",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Clause::AddIndex { index, .. } = &at.clause.clause else { return };
    if index.kind != IndexKind::Unique || becomes_unique(at, index) || is_already_unique(at, index) {
        return;
    }
    let Some(columns) = index.columns() else { return };
    // NULL is not like NULL: a column that comes with this statement and holds nothing else is no matter.
    if columns.iter().any(|column| {
        added_column(at.alter, column).is_some_and(|added| added.may_be_null() && added.default.is_none())
    }) {
        return;
    }
    let columns = columns.join("`, `");
    let message = format!("the statement fails with 1062 if two rows of `{table}` have the same `{columns}`");
    let hint =
        format!("look first: SELECT `{columns}` FROM `{table}` GROUP BY `{columns}` HAVING COUNT(*) > 1");
    found.push(Remark::new(at.clause.span.clone(), message).hint(hint));
}
