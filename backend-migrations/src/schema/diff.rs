//! How two schemas differ.

use std::collections::BTreeSet;

use similar::{Algorithm, ChangeTag, capture_diff_slices};

use super::{ObjectKind, Snapshot};

/// An object that one of two schemas has otherwise than the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is.
    pub object: ObjectKind,
    /// Its name; empty for the database itself.
    pub name: String,
    /// In which way.
    pub kind: DifferenceKind,
    /// Its definition in both, line by line: `-` before what only the first has, `+` before what only the second has, a
    /// space before the rest. Commas at the ends of lines are left out, for a last line has none.
    pub diff: String,
}

/// In which way an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The second schema lacks it.
    Missing,
    /// Only the second schema has it.
    Extra,
    /// Both have it, and it is not the same.
    Changed,
    /// A table whose columns, keys and constraints are the same in another order.
    Reordered,
    /// A table that is the same, whose definition spells out character sets or collations that go without saying; its indexes
    /// may be shown in another order.
    Respelt,
}

impl DifferenceKind {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Changed => "changed",
            Self::Reordered => "reordered",
            Self::Respelt => "respelt",
        }
    }
}

pub(super) fn diff(first: &Snapshot, second: &Snapshot) -> Vec<Difference> {
    let database = difference(ObjectKind::Database, "", Some(&first.options), Some(&second.options));
    let names: BTreeSet<_> = first.objects.keys().chain(second.objects.keys()).collect();
    let objects = names.into_iter().filter_map(|key| {
        let definition = |snapshot: &'_ Snapshot| snapshot.objects.get(key).cloned();
        let mut difference =
            difference(key.0, &key.1, definition(first).as_deref(), definition(second).as_deref())?;
        if difference.kind == DifferenceKind::Changed && is_same(first, second, key) {
            difference.kind = DifferenceKind::Respelt;
        }
        Some(difference)
    });
    database.into_iter().chain(objects).collect()
}

/// Whether a table is the same in both but for what is spelt out and the order in which its indexes and constraints are
/// shown.
pub(super) fn is_same(first: &Snapshot, second: &Snapshot, key: &(ObjectKind, String)) -> bool {
    let sorted = |snapshot: &Snapshot| {
        let definition = unspelt(snapshot.objects.get(key)?);
        let mut lines: Vec<_> = lines(&definition).into_iter().map(str::to_owned).collect();
        lines.sort_unstable();
        Some((lines, snapshot.tables.get(&key.1)?.clone()))
    };
    sorted(first).is_some_and(|table| Some(table) == sorted(second))
}

fn difference(
    object: ObjectKind,
    name: &str,
    first: Option<&str>,
    second: Option<&str>,
) -> Option<Difference> {
    let kind = match (first, second) {
        (first, second) if first == second => return None,
        (_, None) => DifferenceKind::Missing,
        (None, _) => DifferenceKind::Extra,
        (Some(first), Some(second)) if object == ObjectKind::Table && is_reordered(first, second) => {
            DifferenceKind::Reordered
        }
        _ => DifferenceKind::Changed,
    };
    let diff = lines_of(first.unwrap_or_default(), second.unwrap_or_default());
    Some(Difference { object, name: name.to_owned(), kind, diff })
}

/// A definition's lines without the commas between them.
fn lines(definition: &str) -> Vec<&str> {
    definition.lines().map(|line| line.strip_suffix(',').unwrap_or(line)).collect()
}

/// A table's definition without the character sets and collations of its columns, of which its structure tells.
fn unspelt(definition: &str) -> String {
    let mut result = String::with_capacity(definition.len());
    let (mut rest, mut quote) = (definition, None);
    while let Some(c) = rest.chars().next() {
        let word = [" CHARACTER SET ", " COLLATE "].iter().find_map(|word| rest.strip_prefix(word));
        if let Some(after) = word.filter(|_| quote.is_none()) {
            rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
            continue;
        }
        match quote {
            Some(open) if c == open => quote = None,
            None if matches!(c, '\'' | '"' | '`') => quote = Some(c),
            _ => {}
        }
        result.push(c);
        rest = &rest[c.len_utf8()..];
    }
    result
}

fn is_reordered(first: &str, second: &str) -> bool {
    let sorted = |definition| {
        let mut lines = lines(definition);
        lines.sort_unstable();
        lines
    };
    sorted(first) == sorted(second)
}

fn lines_of(first: &str, second: &str) -> String {
    let (first, second) = (lines(first), lines(second));
    let operations = capture_diff_slices(Algorithm::Myers, &first, &second);
    let changes = operations.iter().flat_map(|operation| operation.iter_changes(&first, &second));
    let signed = changes.map(|change| {
        let sign = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        format!("{sign}{}", change.value())
    });
    signed.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::{Flavour, ServerVersion};

    const T: &str = "CREATE TABLE `t` (\n  `a` int,\n  `b` int,\n  KEY `k` (`a`)\n) ENGINE=InnoDB";

    fn snapshot(objects: &[(ObjectKind, &str, &str)]) -> Snapshot {
        Snapshot {
            server: ServerVersion { flavour: Flavour::MySql, number: (9, 7, 4) },
            options: "DEFAULT CHARACTER SET utf8mb4".into(),
            objects: objects
                .iter()
                .map(|(kind, name, definition)| ((*kind, (*name).to_owned()), (*definition).to_owned()))
                .collect(),
            tables: BTreeMap::new(),
        }
    }

    /// With another type for `b`.
    const WIDER: &str = "CREATE TABLE `t` (\n  `a` int,\n  `b` bigint,\n  KEY `k` (`a`)\n) ENGINE=InnoDB";

    #[test]
    fn each_way_to_differ_is_told() {
        use DifferenceKind::{Changed, Extra, Missing, Reordered};
        use ObjectKind::{Table, View};
        let check = |first: &[_], second: &[_], expected: &[(DifferenceKind, &str)]| {
            let (first, second) = (snapshot(first), snapshot(second));
            let found = first.diff(&second);
            let found: Vec<_> = found.iter().map(|found| (found.kind, found.diff.as_str())).collect();
            assert_eq!(found, expected);
            assert_eq!(first.fingerprint() == second.fingerprint(), expected.is_empty());
        };
        check(&[], &[], &[]);
        check(&[(Table, "t", T)], &[(Table, "t", T)], &[]);
        check(&[(View, "v", "CREATE VIEW `v`")], &[], &[(Missing, "-CREATE VIEW `v`")]);
        check(&[], &[(View, "v", "CREATE VIEW `v`")], &[(Extra, "+CREATE VIEW `v`")]);
        // A view in place of a table is another object of the same name.
        check(&[(Table, "t", "A")], &[(View, "t", "A")], &[(Missing, "-A"), (Extra, "+A")]);
        check(
            &[(Table, "t", T)],
            &[(Table, "t", WIDER)],
            &[(
                Changed,
                " CREATE TABLE `t` (\n   `a` int\n-  `b` int\n+  `b` bigint\n   KEY `k` (`a`)\n ) ENGINE=InnoDB",
            )],
        );
        // The comma that moves with the last place is none of the difference.
        check(
            &[(Table, "t", T)],
            &[(Table, "t", "CREATE TABLE `t` (\n  `a` int,\n  KEY `k` (`a`),\n  `b` int\n) ENGINE=InnoDB")],
            &[(
                Reordered,
                " CREATE TABLE `t` (\n   `a` int\n+  KEY `k` (`a`)\n   `b` int\n-  KEY `k` (`a`)\n ) ENGINE=InnoDB",
            )],
        );
        // The order of a view's lines is its meaning.
        check(&[(View, "v", "a\nb")], &[(View, "v", "b\na")], &[(Changed, "+b\n a\n-b")]);
    }

    #[test]
    fn the_database_itself_can_differ() {
        let first = snapshot(&[]);
        let second = Snapshot { options: "DEFAULT CHARACTER SET latin1".into(), ..first.clone() };
        let found = first.diff(&second);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].object, found[0].kind), (ObjectKind::Database, DifferenceKind::Changed));
        assert_ne!(first.fingerprint(), second.fingerprint());
    }

    #[test]
    fn names_and_definitions_do_not_run_into_each_other() {
        let first = snapshot(&[(ObjectKind::View, "ab", "c")]);
        let second = snapshot(&[(ObjectKind::View, "a", "bc")]);
        assert_ne!(first.fingerprint(), second.fingerprint());
    }
}
