//! L114: a table in use is partitioned, or no longer.

use super::facts::may_not_block;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L114"),
    name: "partition",
    severity: Severity::Warning,
    explain: "\
All rows move: the table is copied while its writers wait. A foreign key cannot be on or point to a \
partitioned table (1506, on MariaDB 1005 or 1217), and every unique key must contain the partition's columns (1503).

Make a partitioned table beside it, fill it in portions, and change over.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t REMOVE PARTITIONING;"),
        ]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 4;",
    )])],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !may_not_block(at) {
        return;
    }
    let table = &at.alter.name.name;
    if matches!(at.clause.clause, Clause::PartitionBy | Clause::RemovePartitioning) {
        found
            .push(Remark::new(at.clause.span.clone(), format!("`{table}` is copied while its writers wait")));
    }
}
