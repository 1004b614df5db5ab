//! L104: a change of a table in use does not say what it may cost.

use super::{cost::cost, m112_foreign_key_column::refusals};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, ClauseAt, IndexKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L104"),
    name: "no-algorithm",
    severity: Severity::Note,
    explain: "\
Which algorithm the server takes depends on its version and on the table's history. What is done in \
place on one may be a copy, with writers waiting, on another.

Say what you expect: `ALGORITHM=INSTANT`, or `ALGORITHM=INPLACE, LOCK=NONE`. A server that cannot do it \
refuses (1845, 1846) before it touches anything, and nothing waits.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a), ALGORITHM=INPLACE, LOCK=NONE;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL;"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t ADD INDEX idx_t_a (a);",
        )]),
        // No server does this in place (L101).
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY a BIGINT, ADD INDEX idx_t_a (a);"),
            (
                "20260103000000_u.up.sql",
                "ALTER TABLE t ADD COLUMN up INT, ADD INDEX idx_t_up (up), ADD CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id);",
            ),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let Change::AlterTable(alter) = &at.reading.change else { return };
    let is_told = |clause: &ClauseAt| matches!(clause.clause, Clause::Algorithm(_) | Clause::Lock(_));
    let may_copy = |clause: &ClauseView<'_>| match &clause.clause.clause {
        Clause::ModifyColumn { .. } | Clause::ChangeColumn { .. } => true,
        // The others are L108's.
        Clause::AddIndex { index, .. } => {
            matches!(index.kind, IndexKind::Plain | IndexKind::Unique) && index.columns().is_some()
        }
        _ => false,
    };
    // What is known to cost something is said elsewhere, and asking for less would end the statement.
    let is_known = |clause: &ClauseView<'_>| match &clause.clause.clause {
        Clause::AddForeignKey(_) | Clause::PartitionBy | Clause::RemovePartitioning => true,
        Clause::AddColumn { column, .. } if column.auto_increment => true,
        Clause::AddIndex { index, .. }
            if index.columns().is_none()
                || matches!(index.kind, IndexKind::FullText | IndexKind::Spatial | IndexKind::Vector) =>
        {
            true
        }
        _ => cost(clause).is_some() || !refusals(clause).is_empty(),
    };
    if !at.is_new_here(&alter.name)
        && !alter.clauses.iter().any(is_told)
        && !at.clauses().any(|clause| is_known(&clause))
        && let Some(clause) = at.clauses().find(may_copy)
    {
        let message = format!("whether `{}` is copied for this is left to the server", alter.name.name);
        found.push(Remark::new(clause.clause.span.clone(), message).hint("ALGORITHM=INPLACE, LOCK=NONE"));
    }
}
