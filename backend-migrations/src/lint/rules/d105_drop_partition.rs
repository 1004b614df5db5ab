//! D105.

use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("D105"),
    name: "drop-partition",
    severity: Severity::Error,
    explain: "\
DROP PARTITION and TRUNCATE PARTITION take the rows in it with them, for every tenant, and no `down` brings them back.

REORGANIZE PARTITION and COALESCE keep the rows. Where they are meant to go, say so: `-- migration: loses tasks <reason>`.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE visits DROP PARTITION p2020, p2021;")]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE visits TRUNCATE PARTITION p2020;")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE visits COALESCE PARTITION 2;")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "-- migration: loses visits older than the law lets us keep\nALTER TABLE visits DROP PARTITION p2020;",
        )]),
    ],
};

fn check(clause: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let (Clause::DropPartitions(names) | Clause::TruncatePartitions(names)) = &clause.clause.clause else {
        return;
    };
    let table = &clause.alter.name.name;
    if clause.is_up() && !clause.statement.script.declared.loses(table, None) {
        let message =
            format!("the rows of `{table}` in {} are gone after this, for every tenant", names.join(", "));
        remarks.push(
            Remark::new(clause.clause.span.clone(), message)
                .hint(format!("if they are meant to go, say so: `-- migration: loses {table} <reason>`")),
        );
    }
}
