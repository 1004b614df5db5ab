//! L103: a clause that would be instant is in one statement with some that are not.

use super::facts::added_column;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, ClauseAt, Default, Generated},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L103"),
    name: "instant-spoilt",
    severity: Severity::Note,
    explain: "\
All clauses of an ALTER TABLE run by the slowest one's algorithm. A column that would be there in an \
instant is written into every row if an index is added in the same statement.

Instead: a statement for the columns, and one, in a migration of its own, for the rest.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ADD INDEX idx_t_a (a);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ADD INDEX idx_t_b (b);"),
            (
                "20260103000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN up INT, ADD CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id);",
            ),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let Change::AlterTable(alter) = &at.reading.change else { return };
    if at.is_new_here(&alter.name) {
        return;
    }
    let (table, clauses) = (&alter.name.name, &alter.clauses);
    let is_instant = |clause: &&ClauseAt| match &clause.clause {
        Clause::AddColumn { column, .. } => {
            column.generated != Some(Generated::Stored)
                && column.check.is_none()
                && !matches!(column.default, Some(Default::Expression(_)))
                && !column.auto_increment
                && !column.is_primary
                && !column.is_unique
                && column.is_whole
        }
        Clause::DropColumn { .. }
        | Clause::RenameColumn { .. }
        | Clause::SetDefault { .. }
        | Clause::DropDefault { .. } => true,
        _ => false,
    };
    let is_slow = |clause: &ClauseAt| match &clause.clause {
        // An index over a column that comes with it cannot be made before it.
        Clause::AddIndex { index, .. } => !index
            .columns()
            .is_some_and(|columns| columns.into_iter().any(|column| added_column(alter, column).is_some())),
        Clause::AddForeignKey(key) => !key.columns.iter().any(|column| added_column(alter, column).is_some()),
        Clause::Convert { .. } | Clause::Force | Clause::DropPrimaryKey => true,
        Clause::AddCheck(check) => check.is_enforced,
        _ => false,
    };
    if let Some(instant) = clauses.iter().find(is_instant)
        && clauses.iter().any(is_slow)
    {
        let message = format!(
            "this clause alone would be instant on `{table}`; with the others of its statement it is not"
        );
        found.push(
            Remark::new(instant.span.clone(), message).hint("two statements, each in a migration of its own"),
        );
    }
}
