//! X012.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X012"),
    name: "transaction-control",
    severity: Severity::Error,
    explain: "\
BEGIN, COMMIT, ROLLBACK, SAVEPOINT and SET autocommit end the run's own transaction, in which the history row stands: it is \
committed as \"not successful\", and the migration is half done for good.

Take them out. A file of INSERT, UPDATE and DELETE alone is one transaction already, and MySQL commits every DDL by itself.",
    check: Check::Files,
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "START TRANSACTION;\nUPDATE t SET a = 1 WHERE b = 2;\nCOMMIT;\n")]),
        Example::files(&[("20260101000000_t.up.sql", "SET autocommit = 0;\n")]),
    ],
    passes: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "CREATE PROCEDURE p() BEGIN START TRANSACTION; UPDATE t SET a = 1; COMMIT; END;\n",
    )])],
};
