//! S113: a default that is no date.

use super::facts::defined_columns;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Clause, Default},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S113"),
    name: "zero-date",
    severity: Severity::Warning,
    explain: "\
'0000-00-00' is refused with 1067 under NO_ZERO_DATE, which is in MySQL's default sql_mode and not in \
MariaDB's. Where it is off, the value comes back as NULL or an error from most drivers, and a later ALTER \
of any other column fails with 1292 on those rows.

Say NULL, or CURRENT_TIMESTAMP.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00');",
        )]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN due DATE NOT NULL DEFAULT '0000-00-00';"),
        ]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, a DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP, b DATE DEFAULT '2000-01-01');",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let columns = defined_columns(&at.reading.change);
    let mut defaults: Vec<_> = columns
        .into_iter()
        .filter_map(|column| Some((column.default.as_ref()?, column.span.clone())))
        .collect();
    if let Change::AlterTable(alter) = &at.reading.change {
        defaults.extend(alter.clauses.iter().filter_map(|clause| match &clause.clause {
            Clause::SetDefault { default, .. } => Some((default, clause.span.clone())),
            _ => None,
        }));
    }
    for (default, span) in defaults {
        if let Default::Literal(text) = default
            && text.trim_matches(['\'', '"']).starts_with("0000-00-00")
        {
            found.push(
                Remark::new(
                    span,
                    "this default is no date: MySQL refuses it with 1067 where sql_mode is as it comes",
                )
                .hint("DEFAULT NULL, or DEFAULT CURRENT_TIMESTAMP"),
            );
        }
    }
}
