//! M109: a table in use gets a primary key.

use super::facts::{added_column, in_use, is_already_unique};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M109"),
    name: "add-primary-key",
    severity: Severity::Warning,
    explain: "\
The statement fails with 1062 if two rows have the same values, and columns that may hold NULL become \
NOT NULL on the way. InnoDB keeps the rows in the order of the primary key, so all of the table is \
written anew.

Look for rows that are alike first. Where the table has no column for it, add one: `ADD COLUMN id BIGINT \
UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY`; writers wait for that (L113).",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (a INT NOT NULL);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD PRIMARY KEY (a);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT NOT NULL);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, id);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (a INT);"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN id BIGINT NOT NULL AUTO_INCREMENT, ADD PRIMARY KEY (id);",
            ),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddIndex { index, .. } = &at.clause.clause
        && index.kind == IndexKind::Primary
        && !is_already_unique(at, index)
    {
        let counted = |column: &str| added_column(at.alter, column).is_some_and(|added| added.auto_increment);
        if !index.columns().is_some_and(|columns| columns.into_iter().any(counted)) {
            let message = format!(
                "the statement fails with 1062 if two rows of `{table}` are alike, and writes the table anew"
            );
            found.push(Remark::new(at.clause.span.clone(), message));
        }
    }
}
