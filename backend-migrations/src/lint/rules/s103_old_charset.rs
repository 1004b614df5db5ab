//! S103: text in a character set that cannot hold all text.

use super::facts::defined_columns;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S103"),
    name: "old-charset",
    severity: Severity::Warning,
    explain: "\
`utf8` is `utf8mb3` on both servers: three bytes a character, so that an emoji or a rare Chinese \
character ends an INSERT with 1366. `latin1` holds Western Europe only. Where text of two character sets \
is compared, indexes are not used, or the query fails with 1267.

Say `utf8mb4`. `ascii` for what is ASCII by nature, such as hashes, is fine.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a TEXT) DEFAULT CHARSET = latin1;",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a VARCHAR(9) CHARACTER SET utf8) COLLATE utf8mb4_bin;",
        )]),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a CHAR(40) CHARACTER SET ascii) DEFAULT CHARSET = utf8mb4;",
        )]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let columns = defined_columns(&at.reading.change);
    let mut charsets: Vec<_> = columns
        .into_iter()
        .filter_map(|column| Some((column.charset.as_ref()?, column.span.clone())))
        .collect();
    match &at.reading.change {
        Change::CreateTable(table) => {
            charsets.extend(table.options.charset.as_ref().map(|charset| (charset, table.name.span.clone())));
        }
        Change::AlterTable(alter) => {
            charsets.extend(alter.clauses.iter().filter_map(|clause| match &clause.clause {
                Clause::Convert { charset, .. } => Some((charset.as_ref()?, clause.span.clone())),
                Clause::Options(options) => Some((options.charset.as_ref()?, clause.span.clone())),
                _ => None,
            }));
        }
        _ => {}
    }
    for (charset, span) in charsets {
        if matches!(charset.as_str(), "utf8" | "utf8mb3" | "latin1") {
            found.push(Remark::new(span, format!("{charset} cannot hold all text")).hint("utf8mb4"));
        }
    }
}
