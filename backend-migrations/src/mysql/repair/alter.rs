//! What makes one table's definition into another: to alter a table takes a fraction of what making it anew does.

use super::identifier;

/// What an entry of a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Column,
    Index,
    ForeignKey,
    Check,
}

/// A line of `SHOW CREATE TABLE` between its parentheses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry<'a> {
    kind: Kind,
    /// As it is written, in quotes.
    name: &'a str,
    text: &'a str,
}

/// The statements that make the table `name`, whose definition is `there`, into what `wanted` says; `None` where it has to be
/// made anew. An index that `is_left_to_server` accepts by its line comes with its foreign key.
pub(super) fn statements(
    name: &str,
    there: &str,
    wanted: &str,
    is_left_to_server: impl Fn(&str) -> bool,
) -> Option<Vec<String>> {
    let ((head, there, options), (other_head, wanted, other_options)) = (parts(there)?, parts(wanted)?);
    let columns = |of: &[Entry<'_>], others: &[Entry<'_>]| {
        let columns = of.iter().filter(|entry| entry.kind == Kind::Column && find(others, entry).is_some());
        columns.map(|entry| entry.name.to_owned()).collect::<Vec<_>>()
    };
    if head != other_head || options != other_options || columns(&there, &wanted) != columns(&wanted, &there)
    {
        return None;
    }
    let (mut first, mut second, mut last) = (Vec::new(), Vec::new(), Vec::new());
    for entry in there.iter().filter(|entry| find(&wanted, entry).is_none_or(|other| other != **entry)) {
        match entry.kind {
            Kind::ForeignKey => first.push(format!("DROP FOREIGN KEY {}", entry.name)),
            Kind::Check => first.push(format!("DROP CONSTRAINT {}", entry.name)),
            Kind::Index => second.push(format!("DROP INDEX {}", entry.name)),
            Kind::Column if find(&wanted, entry).is_none() => {
                second.push(format!("DROP COLUMN {}", entry.name));
            }
            Kind::Column => {}
        }
    }
    let mut place = "FIRST".to_owned();
    for entry in &wanted {
        let before = find(&there, entry);
        let is_changed = before.is_none_or(|other| other != *entry);
        match entry.kind {
            Kind::Column => {
                let verb = if before.is_some() { "MODIFY" } else { "ADD" };
                if is_changed {
                    second.push(format!("{verb} COLUMN {} {place}", entry.text));
                }
                place = format!("AFTER {}", entry.name);
            }
            Kind::Index if is_changed && !is_left_to_server(entry.text) => {
                second.push(format!("ADD {}", entry.text));
            }
            Kind::ForeignKey | Kind::Check if is_changed => last.push(format!("ADD {}", entry.text)),
            _ => {}
        }
    }
    let statements = [first, second, last].into_iter().filter(|clauses| !clauses.is_empty());
    Some(
        statements
            .map(|clauses| format!("ALTER TABLE {} {}", identifier(name), clauses.join(", ")))
            .collect(),
    )
}

/// Its counterpart in another definition.
fn find<'a>(entries: &[Entry<'a>], wanted: &Entry<'_>) -> Option<Entry<'a>> {
    entries.iter().find(|entry| entry.kind == wanted.kind && entry.name == wanted.name).copied()
}

/// What is before the parenthesis with a primary key, which is not altered; the other entries; and what is after it.
fn parts(definition: &str) -> Option<(String, Vec<Entry<'_>>, &str)> {
    let end = definition.rfind("\n)")?;
    let mut lines = definition[..end].lines();
    let mut head = lines.next()?.to_owned();
    let mut entries = Vec::new();
    for line in lines {
        let text = line.trim().trim_end_matches(',');
        if text.starts_with("PRIMARY KEY") {
            head.push_str(text);
        } else {
            entries.push(entry(text)?);
        }
    }
    Some((head, entries, &definition[end..]))
}

fn entry(text: &str) -> Option<Entry<'_>> {
    let quoted = |at: usize| {
        let rest = &text[at..];
        let end = rest.get(1..)?.find('`')? + 2;
        // A name with a quote in it is left alone.
        (!rest[end..].starts_with('`')).then(|| &rest[..end])
    };
    if text.starts_with('`') {
        return Some(Entry { kind: Kind::Column, name: quoted(0)?, text });
    }
    for word in ["KEY ", "UNIQUE KEY ", "FULLTEXT KEY ", "SPATIAL KEY "] {
        if text.starts_with(word) && text[word.len()..].starts_with('`') {
            return Some(Entry { kind: Kind::Index, name: quoted(word.len())?, text });
        }
    }
    let word = "CONSTRAINT ";
    let name =
        text.strip_prefix(word).and_then(|rest| rest.starts_with('`').then(|| quoted(word.len())))??;
    let rest = text[word.len() + name.len()..].trim_start();
    let kind = if rest.starts_with("FOREIGN KEY ") {
        Kind::ForeignKey
    } else if rest.starts_with("CHECK ") {
        Kind::Check
    } else {
        return None;
    };
    Some(Entry { kind, name, text })
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[track_caller]
    fn check(there: &str, wanted: &str, expected: Option<&[&str]>) {
        let table = |entries: &str| {
            format!("CREATE TABLE `t` (\n  {}\n) ENGINE=InnoDB", entries.replace("; ", ",\n  "))
        };
        let found = statements("t", &table(there), &table(wanted), |line| line.starts_with("KEY `fk`"));
        let expected =
            expected.map(|expected| expected.iter().map(|&sql| sql.to_owned()).collect::<Vec<_>>());
        assert_eq!(found, expected, "{there} -> {wanted}");
    }

    #[test]
    fn a_table_is_altered_into_another() {
        check("`a` int; `b` int", "`a` int; `b` int", Some(&[]));
        check("`a` int; `b` int", "`a` int", Some(&["ALTER TABLE `t` DROP COLUMN `b`"]));
        check(
            "`a` int; `c` int",
            "`a` int; `b` int; `c` bigint; KEY `k` (`b`)",
            Some(&[
                "ALTER TABLE `t` ADD COLUMN `b` int AFTER `a`, MODIFY COLUMN `c` bigint AFTER `b`, ADD KEY `k` (`b`)",
            ]),
        );
        check("`b` int", "`a` int; `b` int", Some(&["ALTER TABLE `t` ADD COLUMN `a` int FIRST"]));
        check(
            "`a` int; KEY `k` (`a`); CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`id`); CONSTRAINT `c` CHECK ((`a` > 0))",
            "`a` int; UNIQUE KEY `k` (`a`)",
            Some(&[
                "ALTER TABLE `t` DROP FOREIGN KEY `fk`, DROP CONSTRAINT `c`",
                "ALTER TABLE `t` DROP INDEX `k`, ADD UNIQUE KEY `k` (`a`)",
            ]),
        );
        // The server makes the index of the foreign key.
        check(
            "`a` int",
            "`a` int; KEY `fk` (`a`); CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`id`)",
            Some(&["ALTER TABLE `t` ADD CONSTRAINT `fk` FOREIGN KEY (`a`) REFERENCES `p` (`id`)"]),
        );
    }

    #[test]
    fn what_cannot_be_altered_is_made_anew() {
        check("`a` int; PRIMARY KEY (`a`)", "`a` int", None);
        check("`a` int; `b` int", "`b` int; `a` int", None);
        check("`a` int; PERIOD FOR SYSTEM_TIME (`s`, `e`)", "`a` int", None);
        check("`a``b` int", "`a` int", None);
    }
}
