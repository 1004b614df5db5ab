//! B106: an ENUM or SET gets a value that old code does not know.

use super::facts::{in_use, redefined};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("B106"),
    name: "new-enum-value",
    severity: Severity::Note,
    explain: "\
Instances with the old code read the new value as soon as a new instance writes it. What they do with a \
value they do not know depends on them: many object mappers throw.

Release code that can read the value before the code that writes it.",
    check: Check::Clause(check),
    fires: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, state ENUM('new', 'done') NOT NULL);",
        ),
        (
            "20260102000000_u.up.sql",
            "ALTER TABLE t MODIFY COLUMN state ENUM('new', 'done', 'late') NOT NULL;",
        ),
    ])],
    passes: &[Example::files(&[
        (
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, state ENUM('new', 'done') NOT NULL);",
        ),
        ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY COLUMN state ENUM('new', 'done') NULL;"),
    ])],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    let Some((old, new)) = redefined(at) else { return };
    if !matches!(new.data_type.name.as_str(), "ENUM" | "SET") || old.data_type.name != new.data_type.name {
        return;
    }
    let (known, given) = (&old.data_type.arguments, &new.data_type.arguments);
    let added: Vec<_> =
        given.iter().filter(|value| !known.contains(value)).map(|value| format!("'{value}'")).collect();
    if !added.is_empty() {
        let message = format!(
            "`{}.{}` may be {} from now on, which the code before this release does not know",
            table,
            new.name,
            added.join(", ")
        );
        found.push(Remark::new(new.data_type.span.clone(), message));
    }
}
