//! S116: a foreign key or CHECK without a name.

use std::ops::Range;

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, Column},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S116"),
    name: "unnamed-constraint",
    severity: Severity::Warning,
    explain: "\
The server makes one up: `t_ibfk_1`, `t_chk_1` on MySQL, `CONSTRAINT_1` on MariaDB, counted by what was \
there before. A later migration, or this one's `down`, then cannot name what it drops on every tenant.

Begin it with `CONSTRAINT` and a name.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id));",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD CHECK (a > 0);"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE c (id INT PRIMARY KEY CHECK (id > 0));")]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id), CONSTRAINT ck CHECK (id > 0));",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let mut unnamed = Vec::new();
    match &at.reading.change {
        Change::CreateTable(table) if !table.temporary => {
            unnamed.extend(
                table
                    .foreign_keys
                    .iter()
                    .filter(|key| key.name.is_none())
                    .map(|key| ("foreign key", &key.span)),
            );
            unnamed.extend(
                table.checks.iter().filter(|check| check.name.is_none()).map(|check| ("CHECK", &check.span)),
            );
            unnamed.extend(table.columns.iter().filter_map(of_column));
        }
        Change::AlterTable(alter) => {
            for clause in &alter.clauses {
                match &clause.clause {
                    Clause::AddForeignKey(key) if key.name.is_none() => {
                        unnamed.push(("foreign key", &key.span));
                    }
                    Clause::AddCheck(check) if check.name.is_none() => unnamed.push(("CHECK", &check.span)),
                    Clause::AddColumn { column, .. } => unnamed.extend(of_column(column)),
                    _ => {}
                }
            }
        }
        _ => {}
    }
    for (what, span) in unnamed {
        found.push(
            Remark::new(span.clone(), format!("this {what} gets a name that is not the same everywhere"))
                .hint("CONSTRAINT … before it"),
        );
    }
}

fn of_column(column: &Column) -> Option<(&'static str, &Range<usize>)> {
    match &column.check {
        Some((span, false)) => Some(("CHECK", span)),
        _ => None,
    }
}
