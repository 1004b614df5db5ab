//! X013.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, DatabaseVerb, Name},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X013"),
    name: "other-database",
    severity: Severity::Error,
    explain: "\
Every tenant has its own database, and a migration runs in each. A name with a database before it means the same one from \
everywhere: one tenant's, or none. `USE` leaves the tenant's database, and the record of what is done goes to the other.

Name tables without their database, and make databases outside of the migrations.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE acme_corp_db.tasks ADD COLUMN a INT;")]),
        Example::files(&[("20260101000000_t.up.sql", "CREATE DATABASE reports;")]),
        Example::files(&[("20260101000000_t.up.sql", "INSERT INTO tasks (a) SELECT a FROM acme_corp_db.tasks;")]),
        Example::files(&[("20260101000000_t.up.sql", "USE reports;\nDROP TABLE t;")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "CREATE TABLE t (id INT PRIMARY KEY, a INT, CONSTRAINT fk FOREIGN KEY (a) REFERENCES other.u (id));",
        )]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE tasks ADD COLUMN a INT;")]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "INSERT INTO t (name) SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE();",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER DATABASE CHARACTER SET utf8mb4;")]),
        Example::files(&[("20260101000000_t.up.sql", "UPDATE tasks t JOIN apps a ON a.id = t.app_id SET t.a = 1;")]),
    ],
};

fn check(statement: &StatementView<'_>, remarks: &mut Vec<Remark>) {
    let change = &statement.reading.change;
    if let Change::Database { verb: DatabaseVerb::Create | DatabaseVerb::Alter, name: Some(name), .. } =
        change
    {
        remarks.push(
            Remark::new(name.span.clone(), "a migration is about the database it runs in, and no other")
                .hint("make and alter databases outside of the migrations"),
        );
    }
    for name in change.names() {
        if let Name { database: Some(database), name, span } = name
            // Every server has it, and shows in it what the tenant may see.
            && !database.eq_ignore_ascii_case("information_schema")
        {
            remarks.push(
                Remark::new(
                    span.clone(),
                    format!("every tenant's migration would go to the database `{database}`"),
                )
                .hint(format!("write `{name}` alone")),
            );
        }
    }
}
