//! X003.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X003"),
    name: "duplicate-version",
    severity: Severity::Error,
    explain: "\
Two migrations have one version, which happens when two branches are merged. sqlx applies the first and fails at the second \
with error 1062, a duplicate key in its history. This tool refuses the folder.

Give the one that is applied nowhere a newer version: `migrate:restamp`.",
    check: Check::Files,
    fires: &[Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260101000000_u.up.sql", "DO 1;")])],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260101000000_t.down.sql", "DO 1;")])],
};
