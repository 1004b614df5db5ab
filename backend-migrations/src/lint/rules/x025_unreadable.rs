//! X025.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X025"),
    name: "unreadable-script",
    severity: Severity::Error,
    explain: "\
The file cannot be read, or a string, a comment, an identifier or a body in it begins and never ends. The server would answer \
with a syntax error far from the place, or run something else than is meant.

Mend what the message points at.",
    check: Check::Files,
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t VALUES ('x);\n")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n  SET NEW.a = 1;\n")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t VALUES ('it''s');\n")])],
};
