//! X014.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
    sql::change::{Assignment, Change, Scope},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X014"),
    name: "session-leak",
    severity: Severity::Warning,
    explain: "\
Under sqlx the scripts of a run share a connection: what one sets, the next one finds. `SET foreign_key_checks = 0` without its \
way back lets every later migration put rows without parents into the database, and only where they run in one go. This tool \
gives the next migration a new session.

Set it back at the end of the same file, to DEFAULT or to what it was; drop temporary tables; DEALLOCATE what was PREPAREd.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "SET foreign_key_checks = 0;\nDROP TABLE t;\n")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TEMPORARY TABLE x (id INT);\n")]),
        Example::files(&[("20260101000000_t.up.sql", "PREPARE s FROM 'SELECT 1';\nEXECUTE s;\n")]),
        Example::files(&[("20260101000000_t.up.sql", "LOCK TABLES t WRITE;\n")]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "SET foreign_key_checks = 0;\nDROP TABLE t;\nSET foreign_key_checks = 1;\n",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "SET @old = @@sort_buffer_size, sort_buffer_size = 1000000;\nDO 1;\nSET SESSION sort_buffer_size = @old;\n",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TEMPORARY TABLE x (id INT);\nDROP TEMPORARY TABLE x;\n")]),
        Example::files(&[("20260101000000_t.up.sql", "SET NAMES utf8mb4;\nDO 1;\n")]),
    ],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    let changes = || script.readings.iter().map(|reading| &reading.change);
    let assignments: Vec<&Assignment> = changes()
        .filter_map(|change| match change {
            Change::Set(assignments) => Some(assignments),
            _ => None,
        })
        .flatten()
        .filter(|assignment| assignment.scope == Scope::Session)
        .collect();
    for (at, assignment) in assignments.iter().enumerate() {
        let is_last = !assignments[at + 1..].iter().any(|later| later.name == assignment.name);
        if is_last && !restores(assignment) {
            remarks.push(
                Remark::new(
                    assignment.span.clone(),
                    format!("the next migration finds `{}` set", assignment.name),
                )
                .hint(format!("set it back at the end of the file: `SET {} = DEFAULT`", assignment.name)),
            );
        }
    }
    for (statement, reading) in script.statements() {
        let span = statement.offset..statement.offset + statement.text.len();
        match &reading.change {
            Change::CreateTable(table) if table.temporary => {
                let is_dropped = changes().any(|change| match change {
                    Change::DropTables { names, .. } => names.iter().any(|name| name.name == table.name.name),
                    _ => false,
                });
                if !is_dropped {
                    remarks.push(
                        Remark::new(table.name.span.clone(), "the next migration finds this temporary table")
                            .hint(format!(
                                "`DROP TEMPORARY TABLE {}` at the end of the file",
                                table.name.name
                            )),
                    );
                }
            }
            Change::Prepared(verb, name) if verb == "PREPARE" => {
                let is_freed = changes().any(|change| match change {
                    Change::Prepared(verb, other) => verb == "DEALLOCATE" && other.name == name.name,
                    _ => false,
                });
                if !is_freed {
                    remarks.push(
                        Remark::new(span, "the next migration finds this prepared statement")
                            .hint(format!("`DEALLOCATE PREPARE {}` at the end of the file", name.name)),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Whether it sets back what was set before, or sets what a session of ours has anyway.
fn restores(assignment: &Assignment) -> bool {
    let value = assignment.value.to_ascii_uppercase();
    value.starts_with('@')
        || value == "DEFAULT"
        || assignment.name.ends_with("_checks") && matches!(value.as_str(), "1" | "ON" | "TRUE")
        || assignment.name == "names" && value.starts_with("UTF8MB4")
        || assignment.name == "time_zone" && value == "'+00:00'"
        || assignment.name == "transaction"
}
