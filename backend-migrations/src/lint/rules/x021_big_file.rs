//! X021.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
};

/// MariaDB's `max_allowed_packet` where nothing is set, and a quarter of MySQL's (both servers' manuals, "Server System
/// Variables").
const LIMIT: usize = 16 * 1024 * 1024;

pub(super) static RULE: Rule = Rule {
    code: Code("X021"),
    name: "big-file",
    severity: Severity::Warning,
    explain: "\
sqlx-cli sends a file as one packet, and this tool each statement. A server takes packets up to `max_allowed_packet`: 16 MiB on \
MariaDB and 64 MiB on MySQL where nothing is set. A larger one ends with the connection (error 1153).

Cut a large INSERT into several, or bring the rows in outside of the migrations.",
    check: Check::Script(check),
    fires: &[Example::made(|| vec![("20260101000000_t.up.sql".to_owned(), padded(LIMIT))])],
    passes: &[Example::made(|| vec![("20260101000000_t.up.sql".to_owned(), padded(LIMIT / 100))])],
};

fn padded(n_bytes: usize) -> String {
    format!("INSERT INTO t VALUES (1);{}\n", " ".repeat(n_bytes))
}

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    let n_bytes = script.script.source.len();
    if n_bytes > LIMIT {
        let megabytes = n_bytes / (1024 * 1024);
        remarks.push(
            Remark::whole(format!(
                "{megabytes} MiB are more than a server takes in one packet (16 MiB on MariaDB)"
            ))
            .hint("cut it into several files, or bring the rows in outside of the migrations"),
        );
    }
}
