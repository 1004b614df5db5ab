//! X028.

use crate::{
    directive::{COLUMN_TO_WRITE, PARENT_TO_WRITE, TABLE_TO_WRITE},
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X028"),
    name: "unfinished",
    severity: Severity::Error,
    explain: "\
`migrate:make` wrote the file, and nobody finished it. Where there are only comments it would be recorded on every tenant as applied, \
and once it is recorded the file may not change any more. Where a comment stands in place of a column's type or a table's columns, the \
server refuses the statement with 1064: in a `down`, on the day of the rollback. `migrate:rollback` refuses a `down` \
without a statement; one whose statements change nothing (`SELECT 1`, a warning) makes a rollback that changes nothing and records that \
it did.

Write what is missing, or remove both files. Where a migration is meant to do nothing, say so: `DO 0;`. Where nothing can undo it, say so \
in the `up`: `-- migration: irreversible <reason>`.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[("20260101000000_backfill.up.sql", "-- backfill priorities\n--\n-- One DDL statement a file.\n")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260101000000_t.down.sql", "-- Undoes: t\n"),
            ("20260102000000_u.up.sql", "INSERT INTO t VALUES (1);"),
            ("20260102000000_u.down.sql", "SELECT 1;\n"),
        ]),
        Example::files(&[
            ("20260101000000_drop_note_from_t.up.sql", "ALTER TABLE t DROP COLUMN note;\n"),
            (
                "20260101000000_drop_note_from_t.down.sql",
                "ALTER TABLE t ADD COLUMN note /* its type and default as they were */;\n",
            ),
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
    for placeholder in [COLUMN_TO_WRITE, TABLE_TO_WRITE, PARENT_TO_WRITE] {
        for (at, _) in script.script.source.match_indices(placeholder) {
            remarks.push(
                Remark::new(
                    at..at + placeholder.len(),
                    "this is still to be written: the server refuses it with 1064",
                )
                .hint(
                    "write it in place of the comment; SHOW CREATE TABLE has it where the `up` has not run",
                ),
            );
        }
    }
    let is_empty = script.script.statements.is_empty();
    if script.is_up() && is_empty {
        remarks.push(
            Remark::whole(
                "there is no statement in this file: it would be recorded as applied, and do nothing",
            )
            .hint("write the statement; where a migration is meant to do nothing, say so: `DO 0;`"),
        );
    }
    let must_undo = script.migration.up.does_something() && !script.declared.is_irreversible();
    if !script.is_up() && must_undo && !script.script.does_something() {
        let (what, then) = if is_empty {
            ("there is no statement in this file", "`migrate:rollback` refuses it")
        } else {
            ("nothing in this file changes anything", "a rollback would do nothing, and record that it did")
        };
        remarks.push(
            Remark::whole(format!("{what}: {then}"))
                .weighs(if is_empty { Severity::Error } else { Severity::Warning })
                .hint("undo what the `up` does, or say in the `up`: `-- migration: irreversible <reason>`"),
        );
    }
}
