//! L117: a table is made from a query.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L117"),
    name: "create-table-select",
    severity: Severity::Warning,
    explain: "\
The rows that are read stay locked until the table is filled. The new table has no keys, no \
AUTO_INCREMENT and no foreign keys but those that are written beside the query. With GTIDs, MySQL before \
8.0.21 refuses it.

Instead: CREATE TABLE with its columns and keys, and fill it in portions.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
        ("20260102000000_u.up.sql", "CREATE TABLE u AS SELECT id, a FROM t;"),
    ])],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    if let Change::CreateTable(table) = &at.reading.change
        && table.has_query
        && !table.temporary
    {
        let message = format!("`{}` gets its rows and most of its definition from a query", table.name.name);
        found.push(Remark::new(table.name.span.clone(), message));
    }
}
