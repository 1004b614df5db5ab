//! What is read in some hundred statements of both servers' manuals and of the cost table's measurements.

mod brief;

use proptest::prelude::*;

use self::brief::brief;
use super::read;
use crate::sql::{change::Change, parse_script};

/// One statement after the other, as both servers have them in their manuals.
const STATEMENTS: &str = include_str!("tests/statements.sql");

#[test]
fn every_statement_is_understood() {
    let script = parse_script("statements.sql", STATEMENTS.as_bytes()).expect("the statements are sound");
    assert!(script.statements.len() > 250, "only {}", script.statements.len());
    let mut told = String::new();
    for statement in &script.statements {
        let reading = read(statement);
        assert_ne!(reading.change, Change::Unknown, "line {}: {}", statement.line, statement.text);
        let read = brief(&reading);
        assert!(!read.contains('?'), "line {}: {}\n{read}", statement.line, statement.text);
        told.extend(statement.text.split_whitespace().flat_map(|word| [word, " "]));
        told.extend(["\n    ", &read, "\n"]);
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_not_understood_is_said_to_be_unknown() {
    let rows = [
        ("FROBNICATE t", "?"),
        ("ALTER TABLE t FROBNICATE", "alter t: ?"),
        ("ALTER TABLE t ADD COLUMN a INT FROBNICATE, DROP COLUMN b", "alter t: +a INT ?; -b"),
        ("CREATE TABLE t (a INT, FROBNICATE 3 x)", "table t (a INT) ?"),
        ("CREATE TABLE t (a FROBNICATE, b INT)", "table t (b INT) ?"),
        ("CREATE TABLE t (a INT) FROBNICATE = 3", "table t (a INT) ?"),
        ("EXECUTE IMMEDIATE 'SELECT 1'", "?"),
        ("ALTER TABLE t ADD COLUMN a INT DEFAULT 1 + 1", "alter t: +a INT ?"),
        ("ALTER TABLE", "?"),
        ("CREATE", "?"),
        ("INSERT INTO", "?"),
        ("HANDLER t OPEN", "?"),
    ];
    for (sql, expected) in rows {
        let script = parse_script("t.sql", sql.as_bytes()).expect(sql);
        assert_eq!(brief(&read(&script.statements[0])), expected, "{sql}");
    }
}

#[test]
fn a_condition_that_leaves_nothing_out_is_known() {
    let rows = [
        ("1", " always"),
        ("1 = 1", " always"),
        ("TRUE", " always"),
        ("NOT FALSE", " always"),
        ("((1))", " always"),
        ("'a' = 'a' AND 2 <> 3", " always"),
        ("1 = 1 ORDER BY a LIMIT 5", " always limit"),
        ("a = 3 OR 1", " always"),
        ("id IS NOT NULL", " always id-is-there"),
        ("t.`id` = ID AND TRUE", " always id-is-there"),
        ("id > 0", " always id-is-counted"),
        ("id >= 1", " always id-is-counted"),
        ("id != 0", " always id-is-counted"),
        ("id > -1 AND a IS NOT NULL", " always id-is-counted a-is-there"),
        ("0", " where"),
        ("FALSE", " where"),
        ("1 = 2", " where"),
        ("NULL", " where"),
        ("a", " where"),
        ("NOT a", " where"),
        ("a = b", " where"),
        ("a IS NULL", " where"),
        ("id > 7", " where"),
        ("1 = 1 AND a = 3", " where"),
        ("a = 3 OR b IS NOT NULL", " where"),
        ("a BETWEEN 1 AND 2 OR 1 = 2", " where"),
        ("CASE WHEN a THEN 1 OR 1 ELSE 0 END", " where"),
        ("EXISTS (SELECT 1)", " where"),
        ("(SELECT 1)", " where"),
        ("a = (1)", " where"),
        ("RAND() < 1", " where"),
        ("1 = 1 = 0", " where"),
        ("@all", " where"),
        ("", " where"),
    ];
    for (condition, expected) in rows {
        let sql = format!("DELETE FROM t WHERE {condition}");
        let script = parse_script("t.sql", sql.as_bytes()).expect(&sql);
        assert_eq!(brief(&read(&script.statements[0])), format!("DELETE t{expected}"), "{sql}");
    }
    for sql in
        [format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)), format!("{}1", "NOT ".repeat(20_000))]
    {
        let script = parse_script("t.sql", format!("DELETE FROM t WHERE {sql}").as_bytes()).expect("SQL");
        assert_eq!(brief(&read(&script.statements[0])), "DELETE t where");
    }
}

#[test]
fn spans_are_bytes_of_the_file() {
    let text = "-- ä\nSELECT 1;\nALTER TABLE `tä` ADD COLUMN c VARCHAR(10) NOT NULL, DROP COLUMN d;";
    let script = parse_script("t.sql", text.as_bytes()).expect("the text is sound");
    let Change::AlterTable(alter) = read(&script.statements[1]).change else { panic!("it alters a table") };
    assert_eq!(&text[alter.name.span], "`tä`");
    let clauses: Vec<_> = alter.clauses.iter().map(|clause| &text[clause.span.clone()]).collect();
    assert_eq!(clauses, ["ADD COLUMN c VARCHAR(10) NOT NULL", "DROP COLUMN d"]);
    let super::super::change::Clause::AddColumn { column, .. } = &alter.clauses[0].clause else {
        panic!("it adds a column")
    };
    assert_eq!(&text[column.name_span.clone()], "c");
    assert_eq!(&text[column.data_type.span.clone()], "VARCHAR(10)");
    assert_eq!(&text[column.span.clone()], "c VARCHAR(10) NOT NULL");
}

proptest! {
    /// Cut short anywhere, or with a piece taken out, a statement is read all the same, and every span lies in the file
    /// between characters.
    #[test]
    fn reading_is_total(at in 0..STATEMENTS.len(), length in 0_usize..400, cut in 0_usize..400) {
        let text: String = STATEMENTS.bytes().skip(at).take(length).map(char::from).collect();
        let text = text.chars().enumerate().filter(|(n, _)| n % 97 != cut % 97).map(|(_, c)| c).collect::<String>();
        if let Ok(script) = parse_script("t.sql", text.as_bytes()) {
            for statement in &script.statements {
                let reading = read(statement);
                for (_, span) in &reading.calls {
                    prop_assert!(text.get(span.clone()).is_some());
                }
                if let Change::AlterTable(alter) = &reading.change {
                    for clause in &alter.clauses {
                        prop_assert!(text.get(clause.span.clone()).is_some(), "{:?}", clause);
                    }
                }
            }
        }
    }
}
