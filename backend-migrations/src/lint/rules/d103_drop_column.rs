//! D103.

use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, Generated},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D103"),
    name: "drop-column",
    severity: Severity::Error,
    explain: "\
DROP COLUMN takes the column's values with it, for every tenant; a `down` adds the column again, without them. Instances of \
the application that still name the column fail from that moment on: error 1054 at every INSERT and SELECT.

Two releases: first nothing reads or writes the column any more, then it is dropped. Where the values are meant to go, say so: \
`-- migration: loses tasks.note <reason>`.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[("20260101000000_drop_note.up.sql", "ALTER TABLE tasks DROP COLUMN note;")]),
        Example::files(&[("20260101000000_drop_note.up.sql", "ALTER TABLE tasks ADD COLUMN a INT, DROP note;")]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_drop_note.up.sql",
            "-- migration: loses tasks.note nothing has written it since May\nALTER TABLE tasks DROP COLUMN note;",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT AS (a + 1) VIRTUAL);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t DROP COLUMN b;"),
            ("20260102000000_t.down.sql", "ALTER TABLE t ADD COLUMN b INT AS (a + 1) VIRTUAL;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "ALTER TABLE t ADD COLUMN a INT;"),
            ("20260101000000_t.down.sql", "ALTER TABLE t DROP COLUMN a;"),
        ]),
    ],
};

fn check(clause: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let Clause::DropColumn { name, .. } = &clause.clause.clause else { return };
    let table = &clause.alter.name.name;
    let column = clause.table.and_then(|table| table.column(name));
    let is_computed = column.is_some_and(|column| column.generated == Some(Generated::Virtual));
    let is_declared = clause.statement.script.declared.loses(table, Some(name));
    if clause.is_up() && !is_computed && !is_declared && !clause.is_new_here() {
        remarks.push(
            Remark::new(
                clause.clause.span.clone(),
                format!("the values of `{table}.{name}` are gone after this, for every tenant"),
            )
            .hint(format!("if they are meant to go, say so: `-- migration: loses {table}.{name} <reason>`")),
        );
    }
}
