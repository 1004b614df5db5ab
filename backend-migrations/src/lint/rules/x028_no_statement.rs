//! X028.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X028"),
    name: "no-statement",
    severity: Severity::Error,
    explain: "\
There are only comments in the file, as in one that `migrate:make` wrote and nobody filled in. It would be recorded on every tenant \
as applied, and once it is recorded the file may not change any more.

Write the statement, or remove both files. Where a migration is meant to do nothing, say so: `DO 0;`. A `down` without a statement is a \
warning: a rollback would change nothing and record that it did. Where nothing can undo the migration, say so in the `up`: \
`-- migration: irreversible <reason>`.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[("20260101000000_backfill.up.sql", "-- backfill priorities\n--\n-- One DDL statement a file.\n")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260101000000_t.down.sql", "-- Undoes: t\n"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "-- Its place is taken by the next one.\nDO 0;\n"),
            ("20260101000000_t.down.sql", "DO 0;\n"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "-- migration: irreversible nobody knows which had none\nUPDATE t SET a = 1 WHERE a IS NULL;"),
            ("20260101000000_t.down.sql", "-- Nothing undoes it.\n"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "/*!50000 CREATE TABLE t (id INT PRIMARY KEY) */;")]),
    ],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    if !script.script.statements.is_empty() {
        return;
    }
    if script.is_up() {
        remarks.push(
            Remark::whole(
                "there is no statement in this file: it would be recorded as applied, and do nothing",
            )
            .hint("write the statement; where a migration is meant to do nothing, say so: `DO 0;`"),
        );
    } else if script.migration.up.does_something() && !script.declared.is_irreversible() {
        remarks.push(
            Remark::whole(
                "there is no statement in this file: a rollback would change nothing, and record that it did",
            )
            .weighs(Severity::Warning)
            .hint("undo what the `up` does, or say in the `up`: `-- migration: irreversible <reason>`"),
        );
    }
}
