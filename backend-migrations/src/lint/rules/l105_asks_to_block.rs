//! L105: the statement asks for a copy of the table or for a lock.

use super::facts::may_not_block;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("L105"),
    name: "asks-to-block",
    severity: Severity::Warning,
    explain: "\
`ALGORITHM=COPY` copies every row and keeps writers waiting until it is done; `LOCK=SHARED` keeps \
writers waiting and `LOCK=EXCLUSIVE` readers too, even where the server could do without.

Instead: `ALGORITHM=INSTANT`, or `ALGORITHM=INPLACE, LOCK=NONE`. A server that cannot do it then refuses \
before it touches anything.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ALGORITHM=COPY;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a), LOCK=SHARED;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT NULL, ALGORITHM=INSTANT;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD INDEX idx_t_a (a), ALGORITHM=INPLACE, LOCK=NONE;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !may_not_block(at) {
        return;
    }
    let table = &at.alter.name.name;
    let asks = match &at.clause.clause {
        Clause::Algorithm(word) => word == "COPY",
        Clause::Lock(word) => word == "SHARED" || word == "EXCLUSIVE",
        _ => false,
    };
    if asks {
        found.push(Remark::new(
            at.clause.span.clone(),
            format!("writers of `{table}` wait until this statement is done"),
        ));
    }
}
