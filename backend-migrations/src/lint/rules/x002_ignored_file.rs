//! X002.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X002"),
    name: "ignored-file",
    severity: Severity::Error,
    explain: "\
sqlx passes over a `.sql` file without a `_` in its name, with a suffix in upper case, or in a folder below. Whoever wrote it \
believes that it runs, and it never does. This tool refuses the first two and does not look into folders.

Rename it to `<YYYYMMDDHHMMSS>_<what it does>.up.sql`, or move it out of the migrations.",
    check: Check::Files,
    fires: &[
        Example::files(&[("20260101000000.up.sql", "DO 1;")]),
        Example::files(&[("20260101000000_t.up.SQL", "DO 1;")]),
        Example::files(&[("later/20260101000000_t.up.sql", "DO 1;")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("README.md", "")]),
        Example::files(&[("notes/README.md", "")]),
    ],
};
