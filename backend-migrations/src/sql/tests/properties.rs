//! What holds for every text.

use proptest::{prelude::*, sample::select};

use super::STATEMENTS;
use crate::sql::{lex::lex, parse_script, split::split};

/// Pieces that mean something to the lexer or to the grammar, so that random texts get into trouble soon.
const SHARDS: &[&str] = &[
    "'",
    "\"",
    "`",
    "\\",
    ";",
    ";\n",
    "--",
    "-- ",
    "#",
    "\n",
    "\r\n",
    "/*",
    "*/",
    "/*!",
    "/*!50003 ",
    "/*M!",
    "/*+",
    "@",
    "@@",
    ":",
    ":=",
    "(",
    ")",
    ".",
    ",",
    "$$",
    "AS ",
    "BEGIN ",
    "END",
    "END ",
    "IF ",
    "CASE ",
    "THEN ",
    "ELSE ",
    "WHEN ",
    "LOOP ",
    "REPEAT ",
    "UNTIL ",
    "WHILE ",
    "DO ",
    "FOR ",
    "CREATE ",
    "ALTER ",
    "OR REPLACE ",
    "DEFINER = ",
    "PROCEDURE ",
    "FUNCTION ",
    "TRIGGER ",
    "EVENT ",
    "PACKAGE ",
    "BODY ",
    "EACH ROW ",
    "RETURNS ",
    "RETURN ",
    "DECLARE ",
    "EXIT ",
    "HANDLER ",
    "FOR ",
    "SET ",
    "STATEMENT ",
    "SELECT ",
    "TABLE ",
    "GRANT ",
    "ON ",
    "TO ",
    "DELIMITER ",
    "a",
    "1",
    "1.",
    "\0",
    "é",
    "🦀",
    "\u{a0}",
    "\t",
    "NOT ",
    "ATOMIC ",
    "l: ",
    "sql_mode ",
    "autocommit",
    "_sqlx_migrations",
    "/",
    "*",
    "-",
];

fn shards() -> impl Strategy<Value = String> {
    prop::collection::vec(select(SHARDS), 0..60).prop_map(|shards| shards.concat())
}

fn check_total(text: &str) -> Result<(), TestCaseError> {
    let tokens: String = lex(text).tokens.iter().map(|token| &text[token.start..token.end]).collect();
    prop_assert_eq!(&tokens, text);

    let pieces: Vec<_> = split(text).pieces.iter().map(|piece| &text[piece.span.clone()]).collect();
    prop_assert_eq!(&pieces.join(";"), text);

    if let Ok(script) = parse_script("1_x.sql", text.as_bytes()) {
        for statement in &script.statements {
            prop_assert!(!statement.text.is_empty());
            prop_assert!(!statement.text.starts_with(|c: char| c.is_ascii_whitespace() || c == ';'));
            prop_assert!(!statement.text.ends_with(|c: char| c.is_ascii_whitespace() || c == ';'));
            let first = statement.text.lines().next().unwrap_or_default();
            let line = text.split('\n').nth(statement.line - 1).unwrap_or_default();
            prop_assert!(line.contains(first.trim_end_matches('\r')), "{first:?} is not in {line:?}");
            // What is one statement stays one, by itself.
            // Only `--` at its very end, no SQL before a `;`, is a comment where the text ends there.
            if statement.text.ends_with("--") {
                continue;
            }
            let alone = parse_script("1_x.sql", statement.text.as_bytes());
            let texts = alone.map(|script| script.statements.into_iter().map(|s| (s.text, s.kind)).collect());
            prop_assert_eq!(texts, Ok(vec![(statement.text.clone(), statement.kind)]));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_taken_without_a_panic_and_without_loss(text in any::<String>()) {
        check_total(&text)?;
    }

    #[test]
    fn shards_of_sql_are_taken_without_a_panic_and_without_loss(text in shards()) {
        check_total(&text)?;
    }

    #[test]
    fn any_bytes_are_taken_without_a_panic(bytes in any::<Vec<u8>>()) {
        let _ = parse_script("1_x.sql", &bytes);
    }

    #[test]
    fn a_statement_cut_short_is_taken_without_a_panic(
        (_, text) in select(STATEMENTS),
        at in any::<prop::sample::Index>(),
    ) {
        let places: Vec<_> = text.char_indices().map(|(place, _)| place).collect();
        let (left, right) = text.split_at(*at.get(&places));
        check_total(left)?;
        check_total(right)?;
    }

    #[test]
    fn joined_statements_come_apart_again(rows in prop::collection::vec(select(STATEMENTS), 1..8)) {
        let texts: Vec<_> = rows.iter().map(|(_, text)| *text).collect();
        let script = parse_script("1_x.sql", texts.join(";\n").as_bytes());
        let script = script.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let actual: Vec<_> = script.statements.iter().map(|s| (s.kind, s.text.as_str())).collect();
        prop_assert_eq!(actual, rows);
    }
}
