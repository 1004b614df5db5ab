//! What a statement does to a table in use, said so that a server can be asked how it would do it.

use super::{
    lex::{self, TokenKind},
    words::Words,
};

/// A statement that changes one table's definition, as an `ALTER TABLE` to which a clause can be added.
///
/// `CREATE INDEX` and `DROP INDEX` are written as `ALTER TABLE` too: MariaDB takes no `ALGORITHM` behind a `DROP INDEX … ON
/// t` (error 1064).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    /// The table, without quotes and without its database.
    pub table: String,
    /// The algorithm that the statement itself asks for, in upper case.
    pub algorithm: Option<String>,
    /// The lock that the statement itself asks for, in upper case.
    pub lock: Option<String>,
    /// `ALTER TABLE t`.
    head: String,
    /// What comes after it.
    body: String,
}

impl TableChange {
    /// Reads a statement; `None` where it is of another kind, or written in a way that leaves no place for a clause.
    pub fn of(statement: &str) -> Option<Self> {
        let words = Words::new(statement, &lex::lex(statement).tokens);
        let change = match words.keyword(0).as_str() {
            "ALTER" => alter(statement, &words),
            "CREATE" => create_index(statement, &words),
            "DROP" => drop_index(&words),
            _ => None,
        }?;
        let option = |name: &str| {
            let at = words.find(3, |at| words.is(at, name))?;
            let value = if words.is_symbol(at + 1, "=") { at + 2 } else { at + 1 };
            Some(words.text(value).to_ascii_uppercase())
        };
        Some(Self { algorithm: option("ALGORITHM"), lock: option("LOCK"), ..change })
    }

    /// The change with `clauses` such as `ALGORITHM=INPLACE, LOCK=NONE`.
    pub fn with(&self, clauses: &str) -> String {
        let Self { head, body, .. } = self;
        let keyword = body.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        // What changes the partitions alone is no member of the list of changes.
        let comma = if matches!(keyword.as_str(), "PARTITION" | "REMOVE") { "" } else { "," };
        format!("{head} {clauses}{comma} {body}")
    }
}

fn alter(statement: &str, words: &Words<'_>) -> Option<TableChange> {
    let table = words.skip(words.skip(1, &["ONLINE"]), &["IGNORE"]);
    if !words.is(table, "TABLE") {
        return None;
    }
    let at = words.skip(table + 1, &["IF", "EXISTS"]);
    let body = words.skip_name(at);
    // MariaDB's own wait would have to stay in front.
    if words.is(body, "WAIT") || words.is(body, "NOWAIT") || words.is_end(body) {
        return None;
    }
    Some(change(words, at, words.between(0, body), &statement[words.offset(body)..]))
}

/// `CREATE UNIQUE INDEX i USING BTREE ON t (a) COMMENT 'x'`.
fn create_index(statement: &str, words: &Words<'_>) -> Option<TableChange> {
    let at = ["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"].iter().fold(1, |at, kind| words.skip(at, &[kind]));
    if !words.is(at, "INDEX") {
        return None;
    }
    let on = words.find(at, |place| words.is(place, "ON"))?;
    let columns = words.skip_name(on + 1);
    let kind = words.between(1, on);
    let rest = &statement[words.offset(columns)..];
    Some(change(words, on + 1, &alter_table(words, on + 1), &format!("ADD {kind} {}", without_options(rest))))
}

fn drop_index(words: &Words<'_>) -> Option<TableChange> {
    if !words.is(1, "INDEX") {
        return None;
    }
    let on = words.find(1, |place| words.is(place, "ON"))?;
    let index = words.between(1, on);
    Some(change(words, on + 1, &alter_table(words, on + 1), &format!("DROP {index}")))
}

/// An index's own definition, up to the `ALGORITHM` or `LOCK` that only the statement around it takes.
fn without_options(rest: &str) -> &str {
    let words = Words::new(rest, &lex::lex(rest).tokens);
    let end = words.find(0, |at| words.is(at, "ALGORITHM") || words.is(at, "LOCK"));
    rest[..end.map_or(rest.len(), |at| words.offset(at))].trim_end()
}

fn change(words: &Words<'_>, table: usize, head: &str, body: &str) -> TableChange {
    TableChange {
        table: name(words, table),
        algorithm: None,
        lock: None,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn alter_table(words: &Words<'_>, table: usize) -> String {
    let parts: Vec<_> = (table..words.skip_name(table)).map(|at| words.text(at)).collect();
    format!("ALTER TABLE {}", parts.concat())
}

/// The last part of the name at `at`.
fn name(words: &Words<'_>, at: usize) -> String {
    let last = words.skip_name(at) - 1;
    let text = words.text(last);
    if words.kind(last) == Some(TokenKind::Identifier) {
        text.trim_matches('`').replace("``", "`")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(statement: &str, asked: Option<(&str, &str)>) {
        let change = TableChange::of(statement);
        let found = change.as_ref().map(|change| (change.table.as_str(), change.with("ALGORITHM=COPY")));
        assert_eq!(found, asked.map(|(table, sql)| (table, sql.to_owned())), "{statement}");
    }

    #[test]
    fn the_clause_comes_first() {
        check(
            "ALTER TABLE `my``t` ADD COLUMN a INT",
            Some(("my`t", "ALTER TABLE `my``t` ALGORITHM=COPY, ADD COLUMN a INT")),
        );
        check(
            "alter table db.t drop a, drop b",
            Some(("t", "alter table db.t ALGORITHM=COPY, drop a, drop b")),
        );
        check(
            "ALTER TABLE IF EXISTS t ENGINE=InnoDB",
            Some(("t", "ALTER TABLE IF EXISTS t ALGORITHM=COPY, ENGINE=InnoDB")),
        );
        // A comment that ends with its line must not take the clause with it.
        check(
            "ALTER TABLE t -- the \"old\" ones\n  ADD a INT, # it's\n  ADD b INT",
            Some(("t", "ALTER TABLE t ALGORITHM=COPY, ADD a INT, # it's\n  ADD b INT")),
        );
        check(
            "CREATE INDEX i # of t\nON t -- its\n(a)",
            Some(("t", "ALTER TABLE t ALGORITHM=COPY, ADD INDEX i (a)")),
        );
        check("DROP INDEX i -- of\nON t", Some(("t", "ALTER TABLE t ALGORITHM=COPY, DROP INDEX i")));
        check(
            "ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4",
            Some(("t", "ALTER TABLE t ALGORITHM=COPY PARTITION BY HASH (id) PARTITIONS 4")),
        );
        check(
            "ALTER TABLE t ADD PARTITION (x)",
            Some(("t", "ALTER TABLE t ALGORITHM=COPY, ADD PARTITION (x)")),
        );
    }

    #[test]
    fn indexes_are_changes_of_their_table() {
        check("CREATE INDEX i ON t (a, b)", Some(("t", "ALTER TABLE t ALGORITHM=COPY, ADD INDEX i (a, b)")));
        check(
            "CREATE UNIQUE INDEX i USING BTREE ON `d`.`t` (a(3)) COMMENT 'x' LOCK=NONE",
            Some((
                "t",
                "ALTER TABLE `d`.`t` ALGORITHM=COPY, ADD UNIQUE INDEX i USING BTREE (a(3)) COMMENT 'x'",
            )),
        );
        check(
            "DROP INDEX i ON t ALGORITHM=INPLACE",
            Some(("t", "ALTER TABLE t ALGORITHM=COPY, DROP INDEX i")),
        );
    }

    #[test]
    fn others_are_left_alone() {
        for statement in [
            "CREATE TABLE t (a INT)",
            "DROP TABLE t",
            "ALTER VIEW v AS SELECT 1",
            "SELECT 1",
            "",
            "ALTER",
            "ALTER TABLE t",
        ] {
            check(statement, None);
        }
        check("ALTER TABLE t WAIT 5 ADD a INT", None);
    }

    #[test]
    fn what_it_asks_for_itself_is_told() {
        let options = |statement: &str| {
            let change = TableChange::of(statement).expect("it is one");
            (change.algorithm.unwrap_or_default(), change.lock.unwrap_or_default())
        };
        assert_eq!(options("ALTER TABLE t ADD a INT, ALGORITHM=INSTANT"), ("INSTANT".into(), String::new()));
        assert_eq!(
            options("CREATE INDEX i ON t (a) ALGORITHM INPLACE LOCK = none"),
            ("INPLACE".into(), "NONE".into())
        );
        assert_eq!(options("ALTER TABLE t ADD COLUMN a INT"), (String::new(), String::new()));
    }
}
