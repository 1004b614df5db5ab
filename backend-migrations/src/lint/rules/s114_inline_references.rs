//! S114: REFERENCES beside a column.

use super::facts::defined_columns;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("S114"),
    name: "inline-references",
    severity: Severity::Warning,
    explain: "\
MySQL before 9.0 reads it and forgets it: there is no foreign key, and nobody is told. MySQL 9.0, and \
MariaDB from 10.5, make one. Tenants on two servers then keep different rules.

Write `CONSTRAINT fk_… FOREIGN KEY (…) REFERENCES … (…)` as a line of its own.",
    check: Check::Statement(check),
    fires: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE c (id INT PRIMARY KEY, p_id INT REFERENCES p (id));",
    )])],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id));",
    )])],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    for column in defined_columns(&at.reading.change) {
        if let Some((span, parent)) = &column.references {
            let message = format!(
                "MySQL before 9.0 makes no foreign key of this: `{}` may point to no row of `{parent}`",
                column.name
            );
            found.push(
                Remark::new(span.clone(), message)
                    .hint("CONSTRAINT … FOREIGN KEY (…) REFERENCES … as a line of its own"),
            );
        }
    }
}
