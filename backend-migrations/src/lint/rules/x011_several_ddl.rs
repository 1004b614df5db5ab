//! X011.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, ScriptView},
    migration::StatementKind,
};

pub(super) static RULE: Rule = Rule {
    code: Code("X011"),
    name: "several-ddl",
    severity: Severity::Warning,
    explain: "\
MySQL and MariaDB commit every DDL statement by itself, so a file with several, or with one and rows besides, can be left half \
done. This tool records how far it got and goes on there; sqlx-cli does not, and leaves the migration dirty.

One DDL statement a file: it is applied or it is not. Rows go into a file of their own, which is one transaction.",
    check: Check::Script(check),
    fires: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY);\n",
        )]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "ALTER TABLE t ADD COLUMN a INT;\nUPDATE t SET a = 1;\n",
        )]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "SET foreign_key_checks = 0;\nCREATE TABLE t (id INT PRIMARY KEY);\n")]),
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO t VALUES (1);\nUPDATE u SET a = 1 WHERE b = 2;\n")]),
    ],
};

fn check(script: &ScriptView<'_>, remarks: &mut Vec<Remark>) {
    let is_ddl = |kind: StatementKind| matches!(kind, StatementKind::Ddl | StatementKind::Opaque(_));
    let statements = &script.script.statements;
    let n_ddl = statements.iter().filter(|statement| is_ddl(statement.kind)).count();
    let has_rows = statements.iter().any(|statement| statement.kind == StatementKind::Dml);
    if n_ddl < 2 && !(n_ddl == 1 && has_rows) {
        return;
    }
    let lasting = statements.iter().filter(|statement| statement.kind != StatementKind::Session);
    let Some(second) = lasting.into_iter().nth(1) else { return };
    let first_line = second.text.lines().next().unwrap_or_default();
    let message = if n_ddl > 1 {
        format!("{n_ddl} statements of this file commit by themselves: it can be left half done")
    } else {
        "rows and DDL in one file: it can be left half done".to_owned()
    };
    remarks.push(
        Remark::new(second.offset..second.offset + first_line.len(), message)
            .hint("put this statement, and each after it, into a migration of its own"),
    );
}
