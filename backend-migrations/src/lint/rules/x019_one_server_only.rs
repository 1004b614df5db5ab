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
Only one of MySQL and MariaDB understands this, and the other answers with a syntax error (1064). In a fleet with both, and on \
the way from one to the other, the file fails on a part of the tenants, and no later migration reaches them.

What both understand: `ADD COLUMN`, `DROP COLUMN` and `ADD INDEX` without the `IF [NOT] EXISTS` that MariaDB alone has there \
(the history knows what ran; see X018); in place of MySQL's index on an expression, a generated column with an index on it; \
in place of MariaDB's SEQUENCE, a table with AUTO_INCREMENT; in place of RETURNING, a query of its own.

Where the fleet is of one kind, set `X019 = \"off\"` in `migrations/lint.toml`.",
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
