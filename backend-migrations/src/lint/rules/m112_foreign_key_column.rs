//! M112: a column that a foreign key uses is changed or dropped.

use super::{
    facts::{charset, collation, redefined, sizes, written},
    keys::{self, Part},
};
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule, Table},
    sql::change::{Clause, Column},
};

pub(super) static RULE: Rule = Rule {
    code: Code("M112"),
    name: "foreign-key-column",
    severity: Severity::Error,
    explain: "\
As long as a foreign key uses a column, on either side, both servers refuse to give it another type, sign, length, character \
set or collation (3780, 1832 or 1833), to make it NOT NULL where the key is ON DELETE SET NULL (1830), and to drop it (1828 or \
1829, on MariaDB also 1553). No statement can change both sides at once, and `foreign_key_checks = 0` helps with a character set on \
MySQL only. What is allowed: another default or comment, NULL and NOT NULL, a new name alone, a new value at an ENUM's end, and on \
MySQL a longer VARCHAR.

Drop the foreign key, change the columns on both sides, and add the key again: a migration for each. Where writers cannot wait for \
that, add new columns beside the old ones, fill them in portions, and change over.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE p MODIFY id BIGINT;"),
            ("20260103000000_u.up.sql", "ALTER TABLE c MODIFY p_id INT UNSIGNED;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id VARCHAR(20) PRIMARY KEY) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id VARCHAR(20), CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id) \
                 ON DELETE SET NULL) DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_unicode_ci;",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c MODIFY p_id VARCHAR(30);"),
            ("20260103000000_u.up.sql", "ALTER TABLE p CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"),
            ("20260104000000_u.up.sql", "SET foreign_key_checks = 0; ALTER TABLE c CONVERT TO CHARACTER SET latin1;"),
            ("20260105000000_u.up.sql", "ALTER TABLE c MODIFY p_id VARCHAR(20) NOT NULL;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY, n INT UNIQUE);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, n INT, FOREIGN KEY (n) REFERENCES p (n));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c DROP COLUMN n;"),
            ("20260103000000_u.up.sql", "ALTER TABLE p DROP COLUMN n;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, up INT, CONSTRAINT fk FOREIGN KEY (up) REFERENCES t (id));"),
            ("20260102000000_u.up.sql", "ALTER TABLE t MODIFY id BIGINT, MODIFY up BIGINT;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c DROP FOREIGN KEY fk_p;"),
            ("20260103000000_u.up.sql", "ALTER TABLE p MODIFY id BIGINT;"),
            ("20260104000000_u.up.sql", "ALTER TABLE c MODIFY p_id BIGINT;"),
            ("20260105000000_u.up.sql", "ALTER TABLE c ADD CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id);"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, CONSTRAINT fk_p FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c MODIFY p_id INT(11) NOT NULL COMMENT 'the parent';"),
            ("20260103000000_u.up.sql", "ALTER TABLE p CHANGE id p_id INT;"),
            ("20260104000000_u.up.sql", "ALTER TABLE c DROP FOREIGN KEY fk_p, DROP COLUMN p_id;"),
            ("20260105000000_u.up.sql", "ALTER TABLE p MODIFY p_id BIGINT;"),
        ]),
        Example::files(&[
            (
                "20260101000000_t.up.sql",
                "CREATE TABLE p (id INT PRIMARY KEY);\n\
                 CREATE TABLE c (id INT PRIMARY KEY, p_id INT, FOREIGN KEY (p_id) REFERENCES p (id));",
            ),
            ("20260102000000_u.up.sql", "ALTER TABLE c DROP FOREIGN KEY c_ibfk_1; ALTER TABLE c DROP COLUMN p_id;"),
            ("20260103000000_u.up.sql", "ALTER TABLE p MODIFY id BIGINT;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    found.extend(refusals(at));
}

/// What the servers would refuse of the clause, as a key stands in its way.
pub(super) fn refusals(at: &ClauseView<'_>) -> Vec<Remark> {
    let Some(table) = at.table else { return Vec::new() };
    let span = || at.clause.span.clone();
    let mut found = Vec::new();
    for part in keys::in_force(at) {
        match &at.clause.clause {
            Clause::ModifyColumn { .. } | Clause::ChangeColumn { .. } => {
                let Some((old, new)) = redefined(at).filter(|(old, _)| part.has(&old.name)) else { continue };
                let is_checked = keys::are_checked(at.statement);
                let reasons = [retyped(part, (table, old), new, is_checked), made_not_null(part, old, new)];
                found.extend(
                    reasons
                        .into_iter()
                        .flatten()
                        .map(|(message, severity)| Remark::new(span(), message).weighs(severity)),
                );
            }
            Clause::Convert { charset: Some(charset), collation } => {
                let Some((column, how)) = converted(part, table, charset, collation.as_deref()) else {
                    continue;
                };
                let message = format!("{} uses `{column}`: {how} is {}", part.words(), refused(part));
                found.push(if keys::are_checked(at.statement) {
                    Remark::new(span(), message)
                } else {
                    let (words, code) = (part.words(), own_code(part));
                    let message = format!("{words} uses `{column}`: MariaDB refuses {how} even so ({code})");
                    Remark::new(span(), message).weighs(Severity::Warning)
                });
            }
            Clause::DropColumn { name, .. } if part.has(name) => {
                let code = if part.is_parent { 1829 } else { 1828 };
                let message = format!(
                    "{} uses `{name}`: the server refuses to drop it with {code} or 1553",
                    part.words()
                );
                found.push(Remark::new(span(), message));
            }
            _ => {}
        }
    }
    let hint = match &at.clause.clause {
        Clause::DropColumn { .. } => "drop the foreign key first",
        _ => "drop the foreign key, change the columns on both sides, and add it again: a migration for each",
    };
    found.into_iter().map(|remark| remark.hint(hint)).collect()
}

/// Where the two sides would still fit.
fn own_code(part: Part<'_>) -> u16 {
    if part.is_parent { 1833 } else { 1832 }
}

fn refused(part: Part<'_>) -> &'static str {
    if part.is_parent { "refused with 3780 or 1833" } else { "refused with 3780 or 1832" }
}

/// What is said of a new type.
fn retyped(
    part: Part<'_>,
    (table, old): (&Table, &Column),
    new: &Column,
    is_checked: bool,
) -> Option<(String, Severity)> {
    let words = part.words();
    let error = |how: String| {
        Some((format!("{words} uses this column: {how} is {}", refused(part)), Severity::Error))
    };
    let maria_db = |how: String| {
        let message = format!("{words} uses this column: MariaDB refuses {how} ({})", own_code(part));
        Some((message, Severity::Warning))
    };
    let (one, other) = (&old.data_type, &new.data_type);
    if one.name != other.name || one.is_unsigned != other.is_unsigned {
        return error(format!("{} instead of {}", written(other), written(one)));
    }
    if one.is_text()
        && let Some((before, after)) = differing(charset(table, old).zip(charset(table, new)))
            .or(differing(collation(table, old).zip(collation(table, new))))
    {
        let how = format!("{after} instead of {before}");
        return if is_checked { error(how) } else { maria_db(format!("{how} even so")) };
    }
    if sizes(one) == sizes(other) {
        return None;
    }
    let how = format!("{} instead of {}", written(other), written(one));
    let is_longer = matches!(one.name.as_str(), "VARCHAR" | "VARBINARY") && other.number(0) > one.number(0);
    if is_longer { maria_db(how) } else { error(how) }
}

fn differing<'a>(pair: Option<(&'a str, &'a str)>) -> Option<(&'a str, &'a str)> {
    pair.filter(|(before, after)| before != after)
}

fn made_not_null(part: Part<'_>, old: &Column, new: &Column) -> Option<(String, Severity)> {
    let is_emptied = !part.is_parent && part.key.on_delete.as_deref() == Some("SET NULL");
    (is_emptied && old.may_be_null() && !new.may_be_null()).then(|| {
        let message = format!("{} is ON DELETE SET NULL: NOT NULL is refused with 1830", part.words());
        (message, Severity::Error)
    })
}

/// A column of the key that gets another character set or collation, and which.
fn converted<'a>(part: Part<'a>, table: &Table, to: &str, by: Option<&str>) -> Option<(&'a str, String)> {
    part.columns().iter().find_map(|name| {
        let column = table.column(name).filter(|column| column.is_whole && column.data_type.is_text())?;
        let sets = charset(table, column).map(|own| (own, if to == "utf8" { "utf8mb3" } else { to }));
        let (before, after) = differing(sets).or(differing(collation(table, column).zip(by)))?;
        Some((name.as_str(), format!("{after} instead of {before}")))
    })
}
