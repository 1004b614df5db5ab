//! X015.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Scope},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X015"),
    name: "server-wide",
    severity: Severity::Error,
    explain: "\
SET GLOBAL and PERSIST, accounts and privileges, plugins, RESET, KILL and FLUSH are about the whole server. A tenant's \
migration runs once for each tenant, mostly as an account that may not do this, and in a fleet against several servers.

Do it once, where servers are set up.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "SET GLOBAL max_connections = 500;")]),
        Example::files(&[("20260101000000_t.up.sql", "GRANT SELECT ON tasks TO 'report'@'%';")]),
        Example::files(&[("20260101000000_t.up.sql", "FLUSH TABLES;")]),
    ],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "SET SESSION foreign_key_checks = 1;")])],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    let hint = "do it once, where the server is set up, and not once for each tenant";
    match &statement.reading.change {
        Change::Server(words) => {
            let span = statement.span();
            let start = span.start;
            remarks.push(
                Remark::new(
                    start..(start + words.len()).min(span.end),
                    format!("{words} is about the whole server"),
                )
                .hint(hint),
            );
        }
        Change::Set(assignments) => {
            for assignment in assignments.iter().filter(|assignment| assignment.scope == Scope::Server) {
                let message = format!("`{}` is set for the whole server", assignment.name);
                remarks.push(Remark::new(assignment.span.clone(), message).hint(hint));
            }
        }
        _ => {}
    }
}
