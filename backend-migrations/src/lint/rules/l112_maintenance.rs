//! L112: a statement of maintenance in a migration.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L112"),
    name: "maintenance",
    severity: Severity::Warning,
    explain: "\
OPTIMIZE TABLE writes the whole table anew, and CHECK and REPAIR lock it. Before MySQL 8.0.24 and MariaDB 10.5.4, no new query could \
use a table after ANALYZE until those that were running had ended. None of them changes the schema, so they need no version, and they run \
in every tenant at the same time.

Run them from where maintenance is planned.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "OPTIMIZE TABLE t;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ANALYZE TABLE t;"),
        ]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    if let Change::Maintenance(word) = &at.reading.change {
        found.push(Remark::new(at.span(), format!("{word} TABLE is maintenance and changes no schema")));
    }
}
