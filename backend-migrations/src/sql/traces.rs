//! What a script leaves in the session that it ran in.

use super::{lex::lex, words::Words};
use crate::migration::{Script, Statement, StatementKind};

/// Whether a statement of `script` may have left something in its session that a later one finds: a setting, a variable, a
/// temporary table, a prepared statement, a lock. To say so of one that left nothing costs a connection; what
/// `LAST_INSERT_ID()` gives is not counted, as it takes a `SET` to forget it.
///
/// A trigger or a stored function of the database may set a variable, too. That no text of a migration shows.
pub fn leaves_session_state(script: &Script) -> bool {
    script.statements.iter().any(leaves_something)
}

fn leaves_something(statement: &Statement) -> bool {
    match statement.kind {
        StatementKind::Session => true,
        // What is in the body of a routine is run by whoever calls it.
        StatementKind::Ddl => false,
        StatementKind::Opaque(_) | StatementKind::Dml => {
            let lexed = lex(&statement.text);
            let words = Words::new(&statement.text, &lexed.tokens);
            let is_known = statement.kind == StatementKind::Dml || defines(&words);
            !is_known || (0..words.len()).any(|at| notes_something(&words, at))
        }
    }
}

/// Whether there is a variable, or a function that keeps something for its session.
fn notes_something(words: &Words<'_>, at: usize) -> bool {
    let functions = ["GET_LOCK", "NEXTVAL", "SETVAL"];
    words.is_variable(at)
        || functions.iter().any(|function| words.is(at, function))
        || words.are(at, &["NEXT", "VALUE"])
}

/// Whether it makes, changes or removes objects and accounts, or looks after tables. The others among the opaque ones run
/// code (`CALL`, `EXECUTE`), hold something (`HANDLER`, `FLUSH … WITH READ LOCK`), or are not known.
fn defines(words: &Words<'_>) -> bool {
    let first = words.keyword(words.skip_set_statement(0));
    let defining =
        ["CREATE", "ALTER", "DROP", "RENAME", "GRANT", "REVOKE", "ANALYZE", "OPTIMIZE", "CHECK", "REPAIR"];
    defining.contains(&first.as_str())
}

#[cfg(test)]
mod tests {
    use super::leaves_session_state;
    use crate::sql::parse_script;

    #[track_caller]
    fn check(sql: &str, expected: bool) {
        let script = parse_script("1_test.up.sql", sql.as_bytes()).expect("it can be read");
        assert_eq!(leaves_session_state(&script), expected, "{sql}");
    }

    #[test]
    fn what_stays_in_the_session() {
        for sql in [
            "SET NAMES latin1",
            "SET @a = 1",
            "SET SESSION foreign_key_checks = 0",
            "SET ROLE editor",
            "CREATE TEMPORARY TABLE t (id INT)",
            "PREPARE s FROM 'SELECT 1'",
            "CALL p()",
            "EXECUTE s",
            "HANDLER t OPEN",
            "BEGIN NOT ATOMIC SET @a = 1; END",
            "INSERT INTO t SELECT @n := @n + 1 FROM u",
            "SELECT id INTO @id FROM t",
            "SELECT GET_LOCK('a', 1)",
            "INSERT INTO t VALUES (NEXTVAL(s))",
            "INSERT INTO t VALUES (NEXT VALUE FOR s)",
            "CREATE TABLE t (id INT);\nSET @a = 1;\nDROP TABLE t",
            "/*!50003 SET sql_mode = '' */",
        ] {
            check(sql, true);
        }
    }

    #[test]
    fn what_does_not() {
        for sql in [
            "CREATE TABLE t (id INT)",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
            "CREATE PROCEDURE p() BEGIN SET @a = 1; END",
            "INSERT INTO t VALUES ('someone@example.org', '@a := 1')",
            "UPDATE t SET a = 1 -- @a",
            "DROP TABLE a, b",
            "RENAME TABLE a TO b, c TO d",
            "GRANT SELECT ON t TO 'a'@'%', 'b'@'%'",
            "SELECT `GET_LOCK` FROM t",
            "SET STATEMENT max_statement_time = 1 FOR UPDATE t SET a = 1",
        ] {
            check(sql, false);
        }
    }
}
