//! A statement, fit to be shown: somebody else's without its values, which are somebody's data; a migration's without its
//! passwords.

use std::{borrow::Cow, ops::Range};

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

/// `sql`, which may be several statements, with `?` for every password in it.
pub fn without_passwords(sql: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut from = 0;
    for Range { start, end } in passwords(sql) {
        shown.push_str(&sql[from..start]);
        shown.push('?');
        from = end;
    }
    if from == 0 { Cow::Borrowed(sql) } else { Cow::Owned(shown + &sql[from..]) }
}

/// As [`without_passwords`], with as many bytes in the same places: a `*` for each.
pub fn with_passwords_masked(sql: &str) -> Cow<'_, str> {
    let mut shown = Cow::Borrowed(sql);
    for range in passwords(sql) {
        let stars = "*".repeat(range.len());
        shown.to_mut().replace_range(range, &stars);
    }
    shown
}

/// Where the passwords are: every text that comes, in its statement, after `IDENTIFIED` or after a word with
/// `PASSWORD` in it, be it a keyword, an option's name or a column's.
///
/// MySQL 8.4 manual, "CREATE USER", "SET PASSWORD", "CHANGE REPLICATION SOURCE TO", "CREATE SERVER".
fn passwords(sql: &str) -> Vec<Range<usize>> {
    let is_cue = |text: &str| {
        let text = text.to_ascii_uppercase();
        text == "IDENTIFIED" || text.contains("PASSWORD")
    };
    // Most scripts have none, and may be long.
    let mut words = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if !words.any(is_cue) {
        return Vec::new();
    }
    let (mut passwords, mut is_behind) = (Vec::new(), false);
    for token in lex(sql).tokens {
        let text = &sql[token.start..token.end];
        match token.kind {
            TokenKind::Text if is_behind => passwords.push(token.start..token.end),
            TokenKind::Symbol if text == ";" => is_behind = false,
            TokenKind::Word | TokenKind::Variable => is_behind |= is_cue(text),
            TokenKind::Identifier => is_behind |= is_cue(text.trim_matches('`')),
            _ => {}
        }
    }
    passwords
}

#[cfg(test)]
mod tests {
    use super::{shape, with_passwords_masked, without_passwords};

    #[test]
    fn passwords_are_left_out() {
        let check = |sql: &str, expected: &str| assert_eq!(without_passwords(sql), expected, "{sql}");
        check(
            "CREATE USER 'readonly'@'%' IDENTIFIED WITH mysql_native_password BY 's3cret'",
            "CREATE USER 'readonly'@'%' IDENTIFIED WITH mysql_native_password BY ?",
        );
        check("create user a identified by \"x\" replace 'old'", "create user a identified by ? replace ?");
        check("SET PASSWORD FOR 'a'@'b' = 'x'; SELECT 'y'", "SET PASSWORD FOR ?@? = ?; SELECT 'y'");
        check(
            "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='x'",
            "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD=?",
        );
        check(
            "INSERT INTO users (`db_password`) VALUES ('it''s')",
            "INSERT INTO users (`db_password`) VALUES (?)",
        );
        check("SET @password := 'x'", "SET @password := ?");
        check("CREATE USER a IDENTIFIED BY 'never clos", "CREATE USER a IDENTIFIED BY ?");
        check("/*!50000 CREATE USER a IDENTIFIED BY 'x' */", "/*!50000 CREATE USER a IDENTIFIED BY ? */");
        for sql in ["SELECT 'password', 'x'", "SELECT 1 -- password\n, 'x'", "UPDATE t SET pass = 'x'", ""] {
            check(sql, sql);
        }
        let (sql, masked) = ("SET PASSWORD = 'é'; SELECT 'y'", "SET PASSWORD = ****; SELECT 'y'");
        assert_eq!(with_passwords_masked(sql), masked);
        assert_eq!(sql.len(), masked.len());
    }

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
