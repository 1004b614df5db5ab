//! L106: ALGORITHM=INSTANT and a LOCK clause together.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause},
};

pub(super) static RULE: Rule = Rule {
    code: Code("L106"),
    name: "instant-with-lock",
    severity: Severity::Warning,
    explain: "\
MySQL refuses any LOCK but DEFAULT beside ALGORITHM=INSTANT with 1221: what is instant needs no lock. \
MariaDB takes it.

Leave the LOCK clause out.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
        ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ALGORITHM=INSTANT, LOCK=NONE;"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ALGORITHM=INSTANT;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ALGORITHM=INPLACE, LOCK=NONE;"),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let Change::AlterTable(alter) = &at.reading.change else { return };
    let clauses = &alter.clauses;
    let is_instant =
        clauses.iter().any(|clause| matches!(&clause.clause, Clause::Algorithm(word) if word == "INSTANT"));
    for clause in clauses {
        if is_instant && matches!(&clause.clause, Clause::Lock(word) if word != "DEFAULT") {
            found.push(
                Remark::new(
                    clause.span.clone(),
                    "MySQL refuses a LOCK clause beside ALGORITHM=INSTANT with 1221",
                )
                .hint("leave it out"),
            );
        }
    }
}
