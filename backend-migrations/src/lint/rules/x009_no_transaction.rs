//! X009.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
};

/// What sqlx looks for at a file's very beginning.
const HEADER: &str = "-- no-transaction";

pub(super) static RULE: Rule = Rule {
    code: Code("X009"),
    name: "no-transaction-header",
    severity: Severity::Warning,
    explain: "\
sqlx reads `-- no-transaction` at the top of a file, and its MySQL driver takes no notice: the file runs in a transaction as \
any other, and each DDL statement commits it. Whoever wrote the line expects something else.

Take the line out.",
    check: Check::Script(check),
    fires: &[Example::files(&[("20260101000000_t.up.sql", "-- no-transaction\nDO 1;")])],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "-- There is no-transaction in this file.\nDO 1;")])],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    if script.script.source.starts_with(HEADER) {
        remarks.push(
            Remark::new(0..HEADER.len(), "`-- no-transaction` does nothing on MySQL and MariaDB")
                .hint("take the line out"),
        );
    }
}
