//! M102: an index becomes unique.

use super::facts::{becomes_unique, in_use};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M102"),
    name: "index-becomes-unique",
    severity: Severity::Warning,
    explain: "\
The old index allowed rows that the new one refuses: the server stops with 1062 at the first two that \
are alike, and the old index is then still there, as both are one statement.

Look in every tenant first, as for M101. Release code that cannot write such rows before the key is made \
unique.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, INDEX idx_t_a (a));"),
        ("20260102000000_u.up.sql", "ALTER TABLE t DROP INDEX idx_t_a, ADD UNIQUE KEY uq_t_a (a);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD UNIQUE KEY uq_t_a (a);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, UNIQUE KEY uq_t_a (a));"),
            ("20260102000000_u.up.sql", "ALTER TABLE t DROP INDEX uq_t_a, ADD UNIQUE KEY uq_a (a);"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddIndex { index, .. } = &at.clause.clause
        && index.kind == IndexKind::Unique
        && becomes_unique(at, index)
    {
        let message = format!(
            "an index of `{table}` becomes unique: the statement fails with 1062 if two rows are alike"
        );
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
