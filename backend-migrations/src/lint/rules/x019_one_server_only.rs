//! X019.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X019"),
    name: "one-server-only",
    severity: Severity::Note,
    explain: "\
Only one of MySQL and MariaDB understands this. In a fleet with both, and on the way from one to the other, the file fails on \
half of the tenants.

Where the fleet is of one kind, set `X019 = \"off\"` in `migrations/lint.toml`; else write what both understand.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT;")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE INDEX idx_lower ON t ((LOWER(a)));")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE SEQUENCE s;")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t ADD COLUMN a INT;")])],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    for dialect in &statement.reading.dialects {
        let message = format!("{} alone understands {}", dialect.only.as_str(), dialect.what);
        remarks.push(Remark::new(dialect.span.clone(), message));
    }
}
