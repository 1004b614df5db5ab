//! X001.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X001"),
    name: "bad-file-name",
    severity: Severity::Error,
    explain: "\
What stands before the first `_` of a `.sql` file's name is its version, an integer. sqlx ends every command with an error \
for a file where it is none, this tool refuses the folder.

Name the file `<YYYYMMDDHHMMSS>_<what it does>.up.sql`, or move it out of the folder.",
    check: Check::Files,
    fires: &[
        Example::files(&[("seed_data.sql", "INSERT INTO t VALUES (1);")]),
        Example::files(&[("99999999999999999999_t.up.sql", "SELECT 1 INTO @n;")]),
    ],
    passes: &[Example::files(&[("20260101000000_seed_data.up.sql", "INSERT INTO t VALUES (1);")])],
};
