//! M113: a table goes that a foreign key of another one points to.

use super::keys;
use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, Name},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M113"),
    name: "referenced-table",
    severity: Severity::Error,
    explain: "\
A table that a foreign key of another table points to cannot be dropped (3730, on MariaDB 1451) or emptied by TRUNCATE (1701), even \
where no row is in it. In a `down` that is found out on the day of the rollback. One DROP TABLE may name both: MySQL looks at them \
together, MariaDB drops them one by one in the order they are named in, and stops half way.

Drop the other table first, or the foreign key. For TRUNCATE, write DELETE. `SET foreign_key_checks = 0` lets both pass, and leaves a \
key that points to nothing: every later INSERT that uses it fails with 1452.",
    check: Check::Statement(check),
    fires: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260101000000_t.down.sql", "DROP TABLE p;\nDROP TABLE c;"),
            ("20260102000000_u.up.sql", "TRUNCATE TABLE p;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "DROP TABLE p, c;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260101000000_t.down.sql", "DROP TABLE c;\nDROP TABLE p;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "SET foreign_key_checks = 0;\nDROP TABLE p;\nSET foreign_key_checks = 1;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c DROP FOREIGN KEY fk_p;\nDROP TABLE p;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id));"),
            ("20260102000000_u.up.sql", "TRUNCATE t;"),
            ("20260103000000_u.up.sql", "DROP TABLE t;"),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    let is_meant =
        matches!(at.reading.change, Change::DropTables { .. } | Change::CreateTable(_) | Change::Truncate(_));
    // That is read from the whole script before: not for each of thousands of rows.
    if !is_meant || !keys::are_checked(at) {
        return;
    }
    match &at.reading.change {
        Change::DropTables { names, temporary: false, .. } => {
            for (nth, name) in names.iter().enumerate() {
                found.extend(dropped(at, name, &names[..nth], &names[nth + 1..]));
            }
        }
        Change::CreateTable(table) if table.or_replace && !table.temporary => {
            found.extend(dropped(at, &table.name, &[], &[]));
        }
        Change::Truncate(name) => {
            let other = keys::referring(at.before, &name.name).find(|part| part.child != name.name);
            found.extend(other.filter(|_| name.database.is_none()).map(|part| {
                let message =
                    format!("{} points to `{}`: TRUNCATE is refused with 1701", part.words(), name.name);
                Remark::new(name.span.clone(), message).hint("write DELETE, or drop the foreign key first")
            }));
        }
        _ => {}
    }
}

/// What is said of a table that is dropped after some others of the same statement, and before some.
fn dropped(at: &StatementView<'_>, name: &Name, earlier: &[Name], later: &[Name]) -> Option<Remark> {
    let is_in = |names: &[Name], table: &str| names.iter().any(|name| name.name == table);
    let mut others = keys::referring(at.before, &name.name)
        .filter(|part| name.database.is_none() && part.child != name.name && !is_in(earlier, part.child));
    let part = others.next()?;
    let is_last = !is_in(later, part.child) || others.any(|part| !is_in(later, part.child));
    Some(if is_last {
        let message = format!(
            "{} points to `{}`: dropping it is refused with 3730 (MariaDB: 1451)",
            part.words(),
            name.name
        );
        Remark::new(name.span.clone(), message)
            .hint(format!("drop `{}` or its foreign key first", part.child))
    } else {
        let message = format!(
            "{} points to `{}`: MariaDB drops one table after the other, and refuses this one with 1451",
            part.words(),
            name.name
        );
        Remark::new(name.span.clone(), message)
            .weighs(Severity::Warning)
            .hint(format!("name `{}` before it", part.child))
    })
}
