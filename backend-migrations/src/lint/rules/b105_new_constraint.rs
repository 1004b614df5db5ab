//! B105: old code may write what a new constraint refuses.

use super::facts::{in_use, is_already_unique};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("B105"),
    name: "new-constraint",
    severity: Severity::Note,
    explain: "\
A UNIQUE key, a CHECK or a foreign key on a table in use is obeyed from that moment on, also by the \
instances with the old code. What they may still write, they are refused: 1062, 3819 (MariaDB: 4025) or \
1452.

Release code that keeps to the rule first, and let the database enforce it a release later.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD UNIQUE KEY uq_t_a (a);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT ck_t_a CHECK (a > 0);"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a);"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let what = match &at.clause.clause {
        Clause::AddIndex { index, .. }
            if index.kind == IndexKind::Unique && !is_already_unique(at, index) =>
        {
            "a UNIQUE key"
        }
        Clause::AddForeignKey(_) => "a foreign key",
        Clause::AddCheck(check) if check.is_enforced => "a CHECK",
        _ => return,
    };
    let message = format!("{what} on `{table}` is obeyed at once, by the code before this release too");
    found.push(Remark::new(at.clause.span.clone(), message));
}
