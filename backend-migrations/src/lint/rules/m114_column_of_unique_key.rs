//! M114: a column is dropped that a unique key of several columns has.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, Index},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M114"),
    name: "column-of-unique-key",
    severity: Severity::Warning,
    explain: "\
MariaDB refuses with 1072 to drop one column of a UNIQUE or primary key over several. MySQL takes the column out of the key: what \
is left must be unique by itself, so the statement fails with 1062 at the first two rows that are alike, and where there are none the \
key is a stricter rule from then on.

Say what is meant: drop the key in the same statement, and add the one that is to be there without the column.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY uq_t_a_b (a, b));",
        ),
        ("20260102000000_u.up.sql", "ALTER TABLE t DROP COLUMN b;"),
    ])],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY uq_t_a_b (a, b));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t DROP INDEX uq_t_a_b, DROP COLUMN b, ADD INDEX idx_t_a (a);"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY uq_t_a (a), INDEX idx_t_a_b (a, b));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t DROP COLUMN b;"),
            ("20260103000000_u.up.sql", "ALTER TABLE t DROP COLUMN a;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    let Clause::DropColumn { name, .. } = &at.clause.clause else { return };
    let Some(table) = at.table.filter(|_| in_use(at)) else { return };
    let is_dropped = |index: &Index| {
        at.alter.clauses.iter().any(|clause| match &clause.clause {
            Clause::DropIndex { name, .. } | Clause::DropConstraint { name, .. } => {
                index.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
            }
            Clause::DropPrimaryKey => index.name.is_none(),
            _ => false,
        })
    };
    let has_it = |index: &Index| {
        let columns = index.parts.iter().filter_map(|part| part.column.as_deref());
        index.parts.len() > 1 && columns.into_iter().any(|own| own.eq_ignore_ascii_case(name))
    };
    let key =
        table.indexes.iter().find(|index| index.kind.is_unique() && has_it(index) && !is_dropped(index));
    if let Some(key) = key {
        let key = key.name.as_deref().unwrap_or("PRIMARY");
        let message = format!(
            "`{name}` is one of several columns of `{key}`: MariaDB refuses to drop it (1072), MySQL makes the key stricter"
        );
        found.push(
            Remark::new(at.clause.span.clone(), message)
                .hint("drop the key in the same statement, and add the one that is meant"),
        );
    }
}
