//! D102.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("D102"),
    name: "drop-table",
    severity: Severity::Error,
    explain: "\
DROP TABLE takes the rows of every tenant with it; a `down` makes the table again, empty. Code that still runs and reads the \
table fails from that moment on.

Stop using the table in one release. In the next, rename it, so that it can be named back, and drop it later. Where the rows \
are meant to go, say so: `-- migration: loses tasks <reason>`.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_drop_notes.up.sql", "DROP TABLE notes;")]),
        Example::files(&[("20260101000000_drop_notes.up.sql", "CREATE OR REPLACE TABLE notes (id INT PRIMARY KEY);")]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_drop_notes.up.sql",
            "-- migration: loses notes moved to task_comments a month ago\nDROP TABLE notes;",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260101000000_t.down.sql", "DROP TABLE t;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);\nDROP TABLE t;")]),
        Example::files(&[("20260101000000_t.up.sql", "DROP TEMPORARY TABLE t;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    if !statement.script.is_up() {
        return;
    }
    let names = match &statement.reading.change {
        Change::DropTables { names, temporary: false, .. } => names.as_slice(),
        Change::CreateTable(table) if table.or_replace => std::slice::from_ref(&table.name),
        _ => return,
    };
    for name in names {
        if !statement.is_new_here(name) && !statement.script.declared.loses(&name.name, None) {
            remarks.push(
                Remark::new(
                    name.span.clone(),
                    format!("the rows of `{}` are gone after this, for every tenant", name.name),
                )
                .hint(format!(
                    "if they are meant to go, say so: `-- migration: loses {} <reason>`",
                    name.name
                )),
            );
        }
    }
}
