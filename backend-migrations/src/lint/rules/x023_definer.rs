//! X023.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::Change,
};

pub(super) static RULE: Rule = Rule {
    code: Code("X023"),
    name: "definer",
    severity: Severity::Warning,
    explain: "\
A DEFINER other than the account that runs the migration needs a privilege that tenants' accounts do not have \
(MySQL: SET_ANY_DEFINER, before 8.2 SET_USER_ID; MariaDB: SET USER), and an account of that name on every server. Where it is missing the view or trigger is made and fails when \
it is used (error 1449). Dumps write these clauses.

Leave DEFINER out: it is the account that runs the migration then. For views and routines, SQL SECURITY INVOKER is better still.",
    check: Check::Statement(check),
    fires: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE DEFINER = 'root'@'localhost' VIEW v AS SELECT id FROM t;",
    )])],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE SQL SECURITY INVOKER VIEW v AS SELECT id FROM t;")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE DEFINER = CURRENT_USER VIEW v AS SELECT id FROM t;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    if let Change::Create(object) | Change::Alter(object) = &statement.reading.change
        && let Some((span, false)) = &object.definer
    {
        remarks.push(
            Remark::new(
                span.clone(),
                format!(
                    "this {} belongs to an account that other servers may not have",
                    object.kind.as_str()
                ),
            )
            .hint("leave DEFINER out: it is the account that runs the migration then"),
        );
    }
}
