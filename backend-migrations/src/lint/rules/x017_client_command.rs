//! X017.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X017"),
    name: "client-command",
    severity: Severity::Error,
    explain: "\
`source`, `\\.` and the like are read by the mysql client and unknown to the server. `LOAD DATA LOCAL` asks the client for a \
file, which neither this tool nor sqlx sends.

Write the SQL and the rows into the file.",
    check: Check::Files,
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "source other.sql\n")]),
        Example::files(&[("20260101000000_t.up.sql", "LOAD DATA LOCAL INFILE 'x.csv' INTO TABLE t;\n")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "INSERT INTO source VALUES (1);\n")])],
};
