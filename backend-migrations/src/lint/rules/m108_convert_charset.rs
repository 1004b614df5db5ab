//! M108: a table's text gets another character set.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M108"),
    name: "convert-charset",
    severity: Severity::Warning,
    explain: "\
Every text is converted and every index over text written anew. Keys may be alike under the new \
collation that were not under the old one (1062), an index may grow over 3072 bytes (1071), and a \
character that the new set lacks ends the statement (1366). A table with a foreign key over one of the \
columns, or that one points to, is refused (3780, on MariaDB 1833), and between a table that is converted \
and one that is not none can be made.

Look for keys that become alike first: `SELECT CONVERT(a USING utf8mb4) COLLATE …, COUNT(*) FROM t GROUP \
BY 1 HAVING COUNT(*) > 1`.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        (
            "20260102000000_u.up.sql",
            "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        ),
    ])],
    passes: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t DEFAULT CHARACTER SET utf8mb4;"),
    ])],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if matches!(at.clause.clause, Clause::Convert { .. }) {
        let message =
            format!("all text of `{table}` is converted: keys may become alike (1062) or too long (1071)");
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
