//! A definition without the name of the database it is in.

use super::lex::{TokenKind, lex};

/// `definition` without `` `database`. `` before the names that `is_object` knows.
///
/// Servers write the database's name into views, and MariaDB into defaults that use a sequence, whether or not their
/// author did; two databases of different names are to have the same definitions. A table may be called as its database
/// is, so what stands before anything but an object's name is left.
pub fn unqualify(definition: &str, database: &str, is_object: impl Fn(&str) -> bool) -> String {
    let tokens = lex(definition).tokens;
    let text = |at: usize| tokens.get(at).map_or("", |token| &definition[token.start..token.end]);
    let name = |at: usize| {
        let is_identifier = tokens.get(at).is_some_and(|token| token.kind == TokenKind::Identifier);
        let inner = text(at).strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        inner.filter(|_| is_identifier).map(|text| text.replace("``", "`"))
    };
    let mut result = String::with_capacity(definition.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_qualifier = name(at).is_some_and(|name| name == database)
            && text(at + 1) == "."
            && name(at + 2).is_some_and(|name| is_object(&name));
        if is_qualifier {
            at += 2;
        }
        result.push_str(text(at));
        at += 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::unqualify;

    #[test]
    fn only_the_databases_own_objects_lose_it() {
        let check = |definition: &str, expected: &str| {
            let is_object = |name: &str| ["t", "app", "f", "s`q"].contains(&name);
            assert_eq!(unqualify(definition, "app", is_object), expected);
        };
        check("select `app`.`t`.`id` AS `id` from `app`.`t`", "select `t`.`id` AS `id` from `t`");
        check("select `app`.`f`(1)", "select `f`(1)");
        check("`a` int DEFAULT nextval(`app`.`s``q`)", "`a` int DEFAULT nextval(`s``q`)");
        // The table is called as the database is.
        check("select `app`.`app`.`id` from `app`.`app`", "select `app`.`id` from `app`");
        check("select `app`.`id` from `app`", "select `app`.`id` from `app`");
        check("select '`app`.`t`' from `other`.`t`", "select '`app`.`t`' from `other`.`t`");
        check("select `app`.", "select `app`.");
        check("", "");
    }
}
