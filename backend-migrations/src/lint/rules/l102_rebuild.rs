//! L102: a table in use is written anew.

use super::{
    cost::{Work, cost},
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
another primary key, ROW_FORMAT, ENGINE and FORCE, and on MySQL for a column that is moved (FIRST, AFTER) or dropped with an index over it.

Leave out what nobody needs: a column's place, an ENGINE that the table has already. Put what is left into one statement, which \
writes the table once.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY a INT NOT NULL;"),
        ("20260103000000_u.up.sql", "ALTER TABLE t MODIFY b INT FIRST;"),
        ("20260104000000_u.up.sql", "ALTER TABLE t ENGINE = InnoDB;"),
        ("20260105000000_u.up.sql", "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, a);"),
        ("20260106000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_b (b);"),
        ("20260107000000_u.up.sql", "ALTER TABLE t DROP COLUMN b;"),
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
    let costs = at.clauses().filter(in_use).filter_map(|clause| {
        cost(&clause).map(|cost| (clause.alter.name.name.clone(), clause.clause.span.clone(), cost))
    });
    let costs: Vec<_> = costs.collect();
    // A copy writes it anew as well.
    if costs.iter().any(|(_, _, cost)| cost.work == Work::Copy) {
        return;
    }
    if let Some((table, span, cost)) = costs.into_iter().next() {
        let message = format!("all of `{table}` is written anew{}: {}", cost.who(), cost.why);
        found.push(Remark::new(span, message));
    }
}
