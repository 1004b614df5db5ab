//! S104: a table with text does not say its character set.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("S104"),
    name: "no-charset",
    severity: Severity::Note,
    explain: "\
What is not said is the server's: utf8mb4_0900_ai_ci on MySQL 8, utf8mb4_uca1400_ai_ci on MariaDB 11.6, \
latin1_swedish_ci on older ones; or the database's. Tenants on two servers then compare and sort \
differently, and a foreign key over text between an old and a new table fails with 3780.

Say both: `DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`, a collation that every server has.",
    check: Check::Statement(check),
    fires: &[Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a TEXT);")])],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, name TEXT) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a TEXT COLLATE utf8mb4_bin);",
        )]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    if let Change::CreateTable(table) = &at.reading.change
        && table.is_whole
        && !table.temporary
        && table.like.is_none()
        && table.options.charset.is_none()
        && table.options.collation.is_none()
        && table.columns.iter().any(|column| {
            column.data_type.is_text() && column.charset.is_none() && column.collation.is_none()
        })
    {
        let message =
            format!("the text of `{}` gets the character set of whatever server it is on", table.name.name);
        found.push(
            Remark::new(table.name.span.clone(), message).hint("DEFAULT CHARACTER SET utf8mb4 COLLATE …"),
        );
    }
}
