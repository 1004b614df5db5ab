//! X024.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("X024"),
    name: "nondeterministic",
    severity: Severity::Warning,
    explain: "\
RAND(), UUID() and their like give every tenant other rows, and another value on every try: what one tenant has cannot be \
compared with what another has, and where the server replicates statements, a replica has other rows than its source.

Write constants. Where each row needs a value of its own, let the application give it.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "UPDATE tasks SET token = UUID() WHERE token IS NULL;")]),
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t (a) VALUES (FLOOR(RAND() * 100));")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t (a) VALUES (7);")]),
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t (created_at) VALUES (NOW());")]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t ADD COLUMN a CHAR(36) DEFAULT (UUID());")]),
    ],
};

const FUNCTIONS: [&str; 9] = [
    "RAND",
    "UUID",
    "UUID_SHORT",
    "UUID_V4",
    "UUID_V7",
    "SYS_GUID",
    "SYSDATE",
    "CONNECTION_ID",
    "RANDOM_BYTES",
];

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    if !matches!(statement.reading.change, Change::Rows(_)) {
        return;
    }
    for (name, span) in statement.reading.calls.iter().filter(|(name, _)| FUNCTIONS.contains(&name.as_str()))
    {
        remarks.push(
            Remark::new(span.clone(), format!("{name}() gives every tenant, and every try, another value"))
                .hint("write a constant, or let the application fill it"),
        );
    }
}
