//! D107.

use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::{Clause, Column, Default, Index},
};

pub(super) static RULE: Rule = Rule {
    code: Code("D107"),
    name: "forgotten-attribute",
    severity: Severity::Warning,
    explain: "\
MODIFY and CHANGE take the whole definition of the column: NOT NULL, DEFAULT, ON UPDATE, AUTO_INCREMENT, COMMENT and the \
character set are gone where they are not said again. `MODIFY status VARCHAR(30)` makes a NOT NULL column nullable.

Say the full definition. Where an attribute is meant to go, say what takes its place: NULL, DEFAULT NULL. To change a default \
alone, ALTER COLUMN … SET DEFAULT leaves the rest as it is.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, status VARCHAR(20) NOT NULL DEFAULT 'OPEN');"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY status VARCHAR(30);"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY);"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY id BIGINT NOT NULL;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, status VARCHAR(20) NOT NULL DEFAULT 'OPEN');"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY status VARCHAR(30) NOT NULL DEFAULT 'OPEN';"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, status VARCHAR(20) NOT NULL DEFAULT 'OPEN');"),
            ("20260102000000_t.up.sql", "ALTER TABLE t MODIFY status VARCHAR(30) NULL DEFAULT NULL;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "ALTER TABLE t MODIFY status VARCHAR(30);")]),
    ],
};

fn check(clause: &ClauseView<'_>, remarks: &mut Vec<Remark>) {
    let (old_name, column) = match &clause.clause.clause {
        Clause::ModifyColumn { column, .. } => (&column.name, column),
        Clause::ChangeColumn { old, column, .. } => (old, column),
        _ => return,
    };
    let Some(table) = clause.table else { return };
    let Some(old) = table.column(old_name) else { return };
    if !column.is_whole || !old.is_whole || !clause.is_up() {
        return;
    }
    // What a key forces stays, said or not.
    let is_key =
        table.primary().and_then(Index::columns).is_some_and(|columns| columns.contains(&old.name.as_str()));
    let forgotten = forgotten(old, column, is_key, table.charset.as_deref());
    if !forgotten.is_empty() {
        let table = &clause.alter.name.name;
        remarks.push(
            Remark::new(
                column.span.clone(),
                format!("`{table}.{old_name}` loses what is not said again: {}", forgotten.join(", ")),
            )
            .hint("say the full definition of the column; if an attribute is meant to go, say NULL or DEFAULT NULL instead"),
        );
    }
}

fn forgotten(old: &Column, new: &Column, is_key: bool, table_charset: Option<&str>) -> Vec<&'static str> {
    let mut forgotten = Vec::new();
    if old.null == Some(false) && new.null.is_none() && !is_key && new.generated.is_none() {
        forgotten.push("NOT NULL");
    }
    if old.default.is_some()
        && old.default != Some(Default::Null)
        && new.default.is_none()
        && new.generated.is_none()
    {
        forgotten.push("DEFAULT");
    }
    if old.on_update && !new.on_update {
        forgotten.push("ON UPDATE");
    }
    if old.auto_increment && !new.auto_increment {
        forgotten.push("AUTO_INCREMENT");
    }
    if old.comment.is_some() && new.comment.is_none() {
        forgotten.push("COMMENT");
    }
    let is_own = |column: &Column| column.charset.as_deref().is_some_and(|own| Some(own) != table_charset);
    if is_own(old) && new.charset.is_none() && new.collation.is_none() && new.data_type.is_text() {
        forgotten.push("CHARACTER SET");
    } else if old.collation.is_some()
        && new.collation.is_none()
        && new.charset == old.charset
        && new.data_type.is_text()
    {
        forgotten.push("COLLATE");
    }
    forgotten
}
