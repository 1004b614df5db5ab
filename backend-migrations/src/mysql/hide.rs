//! A server's message without the values that it repeats: they are a customer's, or a password.
//!
//! What is a name (of a table, a column, a key) stays: it is the migration's. The texts are those of MySQL 8.4
//! (`share/messages_to_clients.txt`) and of MariaDB 10.11 (`sql/share/errmsg-utf8.txt`).

use crate::{
    session::number::{self, NO_PARTITION, OUT_OF_RANGE, PARSE_ERROR, SYNTAX_ERROR},
    sql::{excerpt, shape},
};

/// As long as a server's message is (MySQL 8.4, `mysqld_error.h`: `MYSQL_ERRMSG_SIZE` is 512 bytes).
const N_CHARS_MAX: usize = 512;

/// What may be shown of the message `text` of error `number`, in one line.
pub(super) fn without_values(number: u16, text: &str) -> String {
    let shown = match number {
        number if number::quotes_a_value(number) => without_quoted(text),
        // Its value has no quotes.
        NO_PARTITION => replaced(text, "value ", "", |_| "?".to_owned()),
        // These repeat the statement from where it was not understood, and an expression.
        PARSE_ERROR | SYNTAX_ERROR => replaced(text, "near '", "' at line", |rest| shape(rest, N_CHARS_MAX)),
        OUT_OF_RANGE => replaced(text, "'", "'", |expression| shape(expression, N_CHARS_MAX)),
        // Somebody's own words, made from anything.
        number if number::is_signal(number) => shape(text, N_CHARS_MAX),
        _ => text.to_owned(),
    };
    excerpt(&shown, N_CHARS_MAX)
}

/// The value stands in quotes that nothing in it is escaped for, and a name may come after it.
fn without_quoted(text: &str) -> String {
    const AFTER_A_VALUE: [&str; 5] =
        ["' for key ", "' for column ", "' for function ", "' value found ", "' from "];
    let ends = AFTER_A_VALUE.iter().filter_map(|after| text.rfind(after));
    let quoted = |quote: char| {
        let start = text.find(quote)? + 1;
        let end = ends.clone().max().or_else(|| text.rfind(quote))?;
        (start <= end).then(|| format!("{}?{}", &text[..start], &text[end..]))
    };
    quoted('\'').or_else(|| quoted('"')).unwrap_or_else(|| text.to_owned())
}

/// `text` with what is between the first `from` and the last `to` behind it (its end, where `to` is empty) as `show` has it.
fn replaced(text: &str, from: &str, to: &str, show: impl Fn(&str) -> String) -> String {
    let Some(start) = text.find(from).map(|at| at + from.len()) else { return text.to_owned() };
    // A message that was cut has no end.
    let end = if to.is_empty() { None } else { text[start..].rfind(to).map(|at| start + at) };
    let end = end.unwrap_or(text.len());
    format!("{}{}{}", &text[..start], show(&text[start..end]), &text[end..])
}

#[cfg(test)]
mod tests {
    use super::without_values;

    #[test]
    fn values_are_left_out_and_names_are_not() {
        let check =
            |number, text: &str, shown: &str| assert_eq!(without_values(number, text), shown, "{text}");
        check(
            1062,
            "Duplicate entry 'alice@example.org' for key 'users.email'",
            "Duplicate entry '?' for key 'users.email'",
        );
        check(
            1062,
            "Duplicate entry 'it's' for key 'k' for key 'email'",
            "Duplicate entry '?' for key 'email'",
        );
        check(
            1366,
            "Incorrect integer value: 'a\nb' for column `d`.`t`.`n` at row 1",
            "Incorrect integer value: '?' for column `d`.`t`.`n` at row 1",
        );
        check(
            1292,
            "Incorrect datetime value: '31.12.1999' for column 'born' at row 7",
            "Incorrect datetime value: '?' for column 'born' at row 7",
        );
        check(1292, "Truncated incorrect DOUBLE value: '12 apples'", "Truncated incorrect DOUBLE value: '?'");
        check(1265, "Data truncated for column 'n' at row 1", "Data truncated for column 'n' at row 1");
        check(1406, "Data too long for column 'n' at row 1", "Data too long for column 'n' at row 1");
        check(1048, "Column 'n' cannot be null", "Column 'n' cannot be null");
        check(1526, "Table has no partition for value 4711", "Table has no partition for value ?");
        check(
            1690,
            "BIGINT UNSIGNED value is out of range in '(`d`.`t`.`n` - 5)'",
            "BIGINT UNSIGNED value is out of range in '(`d`.`t`.`n` - ?)'",
        );
        check(1644, "order 12 of 'alice' is closed", "order ? of ? is closed");
        check(
            3854,
            "Cannot convert string 'caf\\xC3' from utf8mb4 to binary",
            "Cannot convert string '?' from utf8mb4 to binary",
        );
    }

    #[test]
    fn a_statement_that_is_repeated_has_no_values() {
        let check = |text: &str, shown: &str| assert_eq!(without_values(1064, text), shown, "{text}");
        check(
            "You have an error in your SQL syntax; check the manual near 'BYY 's3cret'' at line 1",
            "You have an error in your SQL syntax; check the manual near 'BYY ?' at line 1",
        );
        check("syntax; near ''s3cret' AND\n\tx = 12' at line 3", "syntax; near '? AND x = ?' at line 3");
        check("syntax; near '' at line 1", "syntax; near '' at line 1");
        // Cut by the server in the middle.
        check("syntax; near 'IDENTIFIED BY 's3cr", "syntax; near 'IDENTIFIED BY ?");
    }

    #[test]
    fn other_words_are_kept_in_one_bounded_line() {
        assert_eq!(without_values(1050, "Table 't' already exists"), "Table 't' already exists");
        assert_eq!(without_values(1105, "two\nlines\u{1b}[31m"), "two lines\\u{1b}[31m");
        assert_eq!(without_values(1105, &"e".repeat(8 << 20)).chars().count(), 512);
    }
}
