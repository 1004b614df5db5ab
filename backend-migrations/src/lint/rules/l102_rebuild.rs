//! L102: a table in use is written anew.

use super::{
    cost::{Cost, cost},
    facts::in_use,
};
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L102"),
    name: "rebuild",
    severity: Severity::Note,
    explain: "\
All of the table and its indexes are written anew: that takes as long as a copy and as much room on the disk, and replicas begin \
when the source is done. Writers go on meanwhile; what they wrote is put in at the end, and where that is more than \
`innodb_online_alter_log_max_size` (128 MiB where nothing is set) the statement fails with 1799. It is so for NULL and NOT NULL, \
another primary key, ROW_FORMAT, ENGINE and FORCE, and on MySQL for a column that is moved (FIRST, AFTER).

Leave out what nobody needs: a column's place, an ENGINE that the table has already. Put what is left into one statement, which \
writes the table once.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY a INT NOT NULL;"),
        ("20260103000000_u.up.sql", "ALTER TABLE t MODIFY b INT FIRST;"),
        ("20260104000000_u.up.sql", "ALTER TABLE t ENGINE = InnoDB;"),
        ("20260105000000_u.up.sql", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a);"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT FIRST;"),
            ("20260103000000_u.up.sql", "ALTER TABLE t MODIFY a INT NULL DEFAULT 3;"),
            ("20260104000000_u.up.sql", "ALTER TABLE t COMMENT = 'things';"),
            ("20260105000000_u.up.sql", "ALTER TABLE t MODIFY a BIGINT NOT NULL, ENGINE = InnoDB;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (a INT PRIMARY KEY); ALTER TABLE t ENGINE = InnoDB;")]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    // A copy writes it anew as well.
    let is_copied =
        at.clauses().any(|clause| matches!(cost(&clause), Some(Cost::Copy(_) | Cost::CopyOnMySql(_))));
    let mut reasons = at.clauses().filter(in_use).filter_map(|clause| match cost(&clause) {
        Some(Cost::Rebuild(why)) => Some((clause.alter.name.name.clone(), clause.clause.span.clone(), why)),
        _ => None,
    });
    if let Some((table, span, why)) = reasons.next().filter(|_| !is_copied) {
        found.push(Remark::new(span, format!("all of `{table}` is written anew: {why}")));
    }
}
