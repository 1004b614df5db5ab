//! L101: a table in use is copied while its writers wait.

use super::{
    cost::{Work, cost},
    facts::may_not_block,
    m112_foreign_key_column::refusals,
};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L101"),
    name: "copy-blocks-writes",
    severity: Severity::Warning,
    explain: "\
Each row is copied into a new table, and whoever writes to the old one waits until all are: minutes for some millions of rows, and \
no algorithm does without. That is so for another type, sign or character set of a column, a VARCHAR that grows over 255 bytes, an ENUM or \
SET whose values change anywhere but at the end, CONVERT TO CHARACTER SET, a STORED generated column, an enforced CHECK, and a primary \
key that is dropped without another. On MySQL also for a new column with a CHECK or a computed default. MariaDB 11.2 and newer copy \
while writers go on.

Expand and contract: add a column as it should be, let the code write both, fill it in portions, read the new one, drop the old \
one in a later release. A VIRTUAL column costs nothing, and can have an index. A computed default that is for new rows alone \
can be set once the column is there: ADD COLUMN … NULL, then ALTER COLUMN … SET DEFAULT (…). Tools that copy a table beside it (gh-ost, pt-online-schema-change) do it outside of \
migrations. Where writers may wait, say so: `-- migration: blocks-writes <reason>`.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY a BIGINT;"),
            ("20260103000000_u.up.sql", "ALTER TABLE t ADD COLUMN b BIGINT AS (a + 1) STORED;"),
            ("20260104000000_u.up.sql", "ALTER TABLE t ADD CONSTRAINT ck_t_a CHECK (a > 0);"),
            ("20260105000000_u.up.sql", "ALTER TABLE t ADD COLUMN s JSON NOT NULL DEFAULT (JSON_OBJECT());"),
            ("20260106000000_u.up.sql", "ALTER TABLE t DROP PRIMARY KEY;"),
            ("20260107000000_u.up.sql", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(50), e ENUM('a', 'b'), d DATETIME, INDEX idx_t_v (v)) \
                 DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY v VARCHAR(64);"),
            ("20260103000000_u.up.sql", "ALTER TABLE t MODIFY e ENUM('a', 'c', 'b');"),
            ("20260104000000_u.up.sql", "ALTER TABLE t MODIFY d DATETIME(6);"),
            ("20260105000000_u.up.sql", "ALTER TABLE t MODIFY v VARCHAR(64) COLLATE utf8mb4_bin, MODIFY d DATE;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE t (id INT PRIMARY KEY, a INT, v VARCHAR(50), e ENUM('a', 'b')) DEFAULT CHARSET = utf8mb4 \
                 COLLATE = utf8mb4_unicode_ci;",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY v VARCHAR(63);"),
            ("20260103000000_u.up.sql", "ALTER TABLE t MODIFY e ENUM('a', 'b', 'c');"),
            ("20260104000000_u.up.sql", "ALTER TABLE t MODIFY a INT(11) NOT NULL DEFAULT 3;"),
            ("20260105000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT AS (a + 1) VIRTUAL;"),
            ("20260106000000_u.up.sql", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            (
                "20260102000000_u.up.sql",
                "-- migration: blocks-writes the largest tenant has 800 rows\nALTER TABLE t MODIFY a BIGINT;",
            ),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t MODIFY a BIGINT;")]),
        Example::files(&[("20260101000000_u.up.sql", "ALTER TABLE t MODIFY a BIGINT;")]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    // What is refused costs nothing.
    let is_refused = |clause: &ClauseView<'_>| {
        refusals(clause).iter().any(|remark| remark.severity == Some(Severity::Error))
    };
    let clauses = at.clauses().filter(|clause| may_not_block(clause) && !is_refused(clause));
    let mut reasons = clauses.filter_map(|clause| {
        let cost = cost(&clause).filter(|cost| cost.work == Work::Copy)?;
        let (table, who, why) = (&clause.alter.name.name, cost.who(), &cost.why);
        let message = format!("`{table}` is copied{who} while its writers wait: {why}");
        Some((clause.clause.span.clone(), message, cost.why))
    });
    // It is copied once for all of its clauses.
    if let Some((span, message, _)) = reasons.next() {
        let others = reasons.map(|(_, _, why)| why);
        found
            .push(others.fold(Remark::new(span, message), |remark, why| remark.note(format!("also: {why}"))));
    }
}
