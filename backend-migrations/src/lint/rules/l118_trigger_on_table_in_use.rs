//! L118: a trigger on a table in use.

use super::facts::is_known;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, ObjectKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L118"),
    name: "trigger-on-table-in-use",
    severity: Severity::Note,
    explain: "\
From now on every row that is written pays for the trigger, also by the code before this release, and \
making it waits for all open transactions on the table. A bulk load or a backfill fires it once a row.

Look at what the table's busiest writers will pay.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "CREATE TRIGGER t_bi BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;"),
    ])],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, a INT); CREATE TRIGGER t_bi BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1;",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    if let Change::Create(object) = &at.reading.change
        && object.kind == ObjectKind::Trigger
        && let Some(table) = &object.table
        && is_known(at, table)
    {
        let message = format!("every row written to `{}` pays for this trigger from now on", table.name);
        found.push(Remark::new(object.name.span.clone(), message));
    }
}
