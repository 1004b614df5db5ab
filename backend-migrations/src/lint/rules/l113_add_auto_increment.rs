//! L113: a table in use gets a column that the server counts.

use super::facts::may_not_block;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L113"),
    name: "add-auto-increment",
    severity: Severity::Warning,
    explain: "\
Every row is written anew to get its number, and writers wait meanwhile (LOCK=SHARED is the best there \
is). Which row gets which number is not the same on a replica that keeps its rows in another order.

Make a new table with the column, fill it in portions, and change over.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (a INT);"),
        (
            "20260102000000_u.up.sql",
            "ALTER TABLE t ADD COLUMN id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY;",
        ),
    ])],
    passes: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b BIGINT NULL;"),
    ])],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !may_not_block(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::AddColumn { column, .. } = &at.clause.clause
        && column.auto_increment
    {
        found.push(Remark::new(
            at.clause.span.clone(),
            format!("every row of `{table}` is written anew while its writers wait"),
        ));
    }
}
