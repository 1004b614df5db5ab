//! X008.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X008"),
    name: "encoding",
    severity: Severity::Error,
    explain: "\
A migration is UTF-8 without a byte order mark, and is not empty: sqlx cannot read anything else, and the server answers a \
byte order mark with error 1064 and an empty file with error 1065. To the server a line comment ends at a line feed alone: with the \
carriage returns of old Macs everything after the first comment is part of it, and would be recorded as applied. Line endings of Windows are sound SQL, but git may give \
every checkout other ones, and the checksum is over the bytes: a migration applied from one machine is \"modified\" on the next.

Save the file as UTF-8, and put `*.sql text eol=lf` into `.gitattributes`. A file that is applied already stays as it is.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "\u{feff}DO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "")]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;\r\n")]),
        Example::files(&[("20260101000000_t.up.sql", "-- makes t\rCREATE TABLE t (id INT PRIMARY KEY);\r")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t VALUES ('naïve');\n")])],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    if let Some(at) = script.script.source.find("\r\n") {
        remarks.push(
            Remark::new(at..at + 2, "lines end as on Windows, and the checksum is over the bytes")
                .weighs(Severity::Warning)
                .hint("save it with `\\n` alone unless it is applied anywhere, and put `*.sql text eol=lf` into `.gitattributes`"),
        );
    }
}
