//! A statement of somebody else's, fit to be shown: without its values, which are somebody's data.

use super::{
    excerpt,
    lex::{TokenKind, lex},
};

/// `statement` in one line of at most `max` characters, with `?` for every text and number in it and without comments.
///
/// What another session runs is read from the server's list of them, and may hold a customer's address or a password.
pub fn shape(statement: &str, max: usize) -> String {
    let mut line = String::new();
    for token in lex(statement).tokens {
        let text = &statement[token.start..token.end];
        match token.kind {
            TokenKind::Comment => line.push(' '),
            TokenKind::Text => line.push('?'),
            TokenKind::Word if text.starts_with(|c: char| c.is_ascii_digit()) => line.push('?'),
            _ => line.push_str(text),
        }
        // Four bytes a character at most, as for the excerpt, and room for white space.
        if line.len() > 16 * max {
            break;
        }
    }
    excerpt(&line, max)
}

#[cfg(test)]
mod tests {
    use super::shape;

    #[test]
    fn values_are_left_out() {
        let check =
            |statement: &str, expected: &str| assert_eq!(shape(statement, 60), expected, "{statement}");
        check("SELECT 1", "SELECT ?");
        check("UPDATE t\n SET a = 'x''y', b = \"z\" WHERE id=12", "UPDATE t SET a = ?, b = ? WHERE id=?");
        check("SELECT /* 'mail@example.org' */ t1.a FROM t1 -- secret", "SELECT t1.a FROM t1");
        check("INSERT INTO t VALUES (-1.5e3, 0xAB, NULL)", "INSERT INTO t VALUES (-?e3, ?, NULL)");
        check("CREATE USER u IDENTIFIED BY 'never clos", "CREATE USER u IDENTIFIED BY ?");
        check("ALTER TABLE `o'clock` ADD n INT", "ALTER TABLE `o'clock` ADD n INT");
        check("", "");
    }
}
