//! B103: a new column must be given by every INSERT, and old code does not know it.

use super::facts::{in_use, is_required};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("B103"),
    name: "required-column",
    severity: Severity::Warning,
    explain: "\
A column that is NOT NULL and has no default makes every INSERT that leaves it out fail with 1364 in \
strict mode. Instances with the old code leave it out until the last of them is gone.

Instead: add it nullable or with a default, release the code that writes it, and take the default away \
later if nobody may leave it out.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NOT NULL;"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NOT NULL DEFAULT 0;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NOT NULL AUTO_INCREMENT UNIQUE;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN b INT GENERATED ALWAYS AS (a + 1) VIRTUAL NOT NULL;",
            ),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t ADD COLUMN b INT NOT NULL;",
        )]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddColumn { column, .. } = &at.clause.clause
        && is_required(column)
    {
        let message = format!(
            "column `{}.{}` is NOT NULL without a default: every INSERT of the code before fails with 1364",
            table, column.name
        );
        found.push(Remark::new(at.clause.span.clone(), message).hint("add it with a DEFAULT, or as NULL"));
    }
}
