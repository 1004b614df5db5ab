//! X016.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X016"),
    name: "history-table",
    severity: Severity::Error,
    explain: "\
`_sqlx_migrations` is the record of what is applied. A script that touches it makes applied and pending migrations \
indistinguishable, and can lock out the run itself.

Take the statement out.",
    check: Check::Files,
    fires: &[Example::files(&[("20260101000000_t.up.sql", "DELETE FROM _sqlx_migrations WHERE version = 1;")])],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "DELETE FROM migrations WHERE version = 1;")])],
};
