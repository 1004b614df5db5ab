//! L109: several statements alter one table in use.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L109"),
    name: "several-alters",
    severity: Severity::Note,
    explain: "\
Each of them waits for the table anew, and each that rebuilds or copies does it again.

Put what rebuilds the table into one ALTER TABLE, separated by commas. Keep apart what is instant: in \
one statement with the others it would not be (L103).",
    check: Check::Script(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT; ALTER TABLE t ADD COLUMN c INT;"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT, ADD COLUMN c INT;"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t ADD COLUMN b INT; ALTER TABLE t ADD COLUMN c INT;",
        )]),
    ],
};

fn check(at: &ScriptView<'_>, found: &mut Vec<Remark>) {
    if !at.is_up() {
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    let mut new: Vec<&str> = Vec::new();
    for (statement, reading) in at.statements() {
        match &reading.change {
            Change::CreateTable(table) => new.push(&table.name.name),
            Change::AlterTable(alter) if !new.contains(&alter.name.name.as_str()) => {
                if seen.contains(&alter.name.name.as_str()) {
                    let span = statement.offset..statement.offset + statement.text.len();
                    found.push(Remark::new(
                        span,
                        format!("`{}` was altered in this file already", alter.name.name),
                    ));
                }
                seen.push(&alter.name.name);
            }
            _ => {}
        }
    }
}
