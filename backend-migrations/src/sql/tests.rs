//! What the splitter makes of what people write.

mod corpus;
mod errors;
mod properties;

use self::corpus::STATEMENTS;
use super::{excerpt, parse_script};

/// Asserts the statements of `input`, each as `Kind line: text`, with `\n` and with `\r\n` at its lines' ends.
#[track_caller]
fn check(input: &str, expected: &[&str]) {
    for (input, expected) in [
        (input.to_owned(), expected.iter().map(|&row| row.to_owned()).collect::<Vec<_>>()),
        (crlf(input), expected.iter().map(|row| crlf(row)).collect()),
    ] {
        let script = parse_script("1_x.sql", input.as_bytes()).unwrap_or_else(|e| panic!("{input:?}: {e}"));
        let actual: Vec<_> =
            script.statements.iter().map(|s| format!("{:?} {}: {}", s.kind, s.line, s.text)).collect();
        assert_eq!(actual, expected, "{input:?}");
    }
}

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

#[test]
fn each_of_the_corpus_is_one_statement() {
    for (kind, text) in STATEMENTS {
        let expected = format!("{kind:?} 1: {text}");
        for input in
            [text.to_string(), format!("{text};"), format!("{text} ;\n"), format!("{text}\n-- end\n;;")]
        {
            check(&input, &[&expected]);
        }
        // The next statement is found, too.
        let line = 2 + text.matches('\n').count();
        check(&format!("{text};\nSELECT 2;"), &[&expected, &format!("Dml {line}: SELECT 2")]);
        check(&format!("-- first\n/* then */ {text};"), &[&format!("{kind:?} 2: {text}")]);
    }
}

#[test]
fn statements_end_at_semicolons() {
    check("SELECT 1; SELECT 2", &["Dml 1: SELECT 1", "Dml 1: SELECT 2"]);
    check("SELECT 1;SELECT 2;", &["Dml 1: SELECT 1", "Dml 1: SELECT 2"]);
    check("SELECT 1;;;SELECT 2;;", &["Dml 1: SELECT 1", "Dml 1: SELECT 2"]);
    check("; ;SELECT 1", &["Dml 1: SELECT 1"]);
    check("SELECT 1 /*! + 1 */ ; SELECT 2", &["Dml 1: SELECT 1 /*! + 1 */", "Dml 1: SELECT 2"]);
    check("SELECT 1--;SELECT 2", &["Dml 1: SELECT 1--", "Dml 1: SELECT 2"]);
    check(
        "SELECT ')('; SELECT ((1; SELECT 2",
        &["Dml 1: SELECT ')('", "Dml 1: SELECT ((1", "Dml 1: SELECT 2"],
    );
}

#[test]
fn comments_around_a_statement_are_left_out() {
    check(
        "-- a\n# b\n/* c\n d */\n\n  SELECT 1 -- e\n  ;\n-- f\nSELECT 2 /* g */",
        &["Dml 6: SELECT 1", "Dml 9: SELECT 2"],
    );
    check("SELECT 1; -- why\n", &["Dml 1: SELECT 1"]);
    check("SELECT 1\n--", &["Dml 1: SELECT 1"]);
    check("-- only a comment", &[]);
    check("/* only; a comment */;\n# another", &[]);
    check("/*!40101 */;\nSELECT 1", &["Dml 2: SELECT 1"]);
    check("/*M!999999\\- enable the sandbox mode */ \nSELECT 1;", &["Dml 2: SELECT 1"]);
    check("/*!999999 SELECT 3; */ SELECT 1;", &["Dml 1: SELECT 1"]);
}

#[test]
fn lines_are_those_of_first_words() {
    check(
        "SELECT 'a\nb';\n\n\nSELECT\n2;\n/* x\n*/ SELECT 3",
        &["Dml 1: SELECT 'a\nb'", "Dml 5: SELECT\n2", "Dml 8: SELECT 3"],
    );
}

#[test]
fn a_missing_end_inside_a_body_is_left_to_the_server() {
    check(
        "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END; SELECT 2;",
        &["Ddl 1: CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END", "Dml 1: SELECT 2"],
    );
}

#[test]
fn an_excerpt_is_one_harmless_line() {
    assert_eq!(excerpt("SELECT\r\n\t 1 ", 20), "SELECT 1");
    assert_eq!(excerpt("a\u{1b}[31mb\u{202e}c", 40), r"a\u{1b}[31mb\u{202e}c");
    assert_eq!(excerpt("größer", 6), "größer");
    assert_eq!(excerpt("größere", 6), "größe…");
    assert_eq!(excerpt("日本語", 0), "…");
    assert_eq!(excerpt("", 0), "");
}
