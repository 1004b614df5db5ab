//! D104.

use super::facts::takes_every_row;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Verb},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D104"),
    name: "all-rows",
    severity: Severity::Error,
    explain: "\
TRUNCATE and a DELETE without WHERE take every row of the table, for every tenant; an UPDATE without WHERE writes over what \
each row had. More often than not the WHERE was forgotten. `WHERE 1`, and `WHERE id > 0` on a column that counts, leave out \
no row either. TRUNCATE cannot even be rolled back.

Say which rows. Where all are meant to go, say so: `-- migration: loses tasks <reason>`, or `loses tasks.note` for an UPDATE. \
An UPDATE that fills a column that was added before, and nothing else, is no finding.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "DELETE FROM tasks;")]),
        Example::files(&[("20260101000000_t.up.sql", "TRUNCATE TABLE tasks;")]),
        Example::files(&[("20260101000000_t.up.sql", "UPDATE tasks SET status = 'OPEN';")]),
        Example::files(&[("20260101000000_t.up.sql", "DELETE FROM tasks WHERE 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "UPDATE tasks SET status = 'OPEN' WHERE 1 = 1;")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT AUTO_INCREMENT, a INT, PRIMARY KEY (id));"),
            ("20260102000000_t.up.sql", "DELETE FROM t WHERE id > 0;"),
            ("20260103000000_t.up.sql", "UPDATE t SET a = 3 WHERE id IS NOT NULL;"),
        ]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "DELETE FROM tasks WHERE status = 'CANCELLED';")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "-- migration: loses tasks they are made anew by the importer\nDELETE FROM tasks;",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t ADD COLUMN a INT NULL;"),
            ("20260103000000_t.up.sql", "UPDATE t SET a = 3;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "DELETE FROM tasks WHERE note IS NOT NULL;")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_t.up.sql", "DELETE FROM t WHERE a > 0; UPDATE t SET a = 1 WHERE a IS NOT NULL;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "UPDATE t JOIN u ON u.id = t.u_id SET t.a = u.a;")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);\nDELETE FROM t;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    if !statement.script.is_up() {
        return;
    }
    let declared = statement.script.declared;
    match &statement.reading.change {
        Change::Truncate(name) if !statement.is_new_here(name) && !declared.loses(&name.name, None) => {
            remarks.push(
                Remark::new(
                    statement.span(),
                    format!("every row of `{}` is gone after this, for every tenant", name.name),
                )
                .hint(format!(
                    "if all are meant to go, say so: `-- migration: loses {} <reason>`",
                    name.name
                )),
            );
        }
        Change::Rows(rows) if takes_every_row(statement, rows) && rows.tables.len() == 1 => {
            let name = &rows.tables[0];
            if statement.is_new_here(name) || declared.loses(&name.name, None) {
                return;
            }
            let table = statement.before.table(name);
            match rows.verb {
                Verb::Delete => remarks.push(
                    Remark::new(rows.span.clone(), format!("every row of `{}` is gone after this, for every tenant", name.name))
                        .hint(format!(
                            "say which rows with WHERE; if all are meant to go, say so: `-- migration: loses {} <reason>`",
                            name.name
                        )),
                ),
                Verb::Update => {
                    let is_filled = |column: &String| {
                        table.is_some_and(|table| table.is_fresh(column)) || declared.loses(&name.name, Some(column))
                    };
                    let over: Vec<_> = rows.assigned.iter().filter(|column| !is_filled(column)).collect();
                    if let Some(column) = over.first() {
                        remarks.push(
                            Remark::new(
                                rows.span.clone(),
                                format!("what each row of `{}` has in `{column}` is written over, for every tenant", name.name),
                            )
                            .weighs(Severity::Warning)
                            .hint(format!(
                                "say which rows with WHERE; if all are meant, say so: `-- migration: loses {}.{column} <reason>`",
                                name.name
                            )),
                        );
                    }
                }
                _ => {}
            }
        }
        _ => {}
    }
}
