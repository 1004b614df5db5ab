//! V301: the schema that the migrations give, kept as a file beside them, so that a change of migrations shows what it
//! does to the schema.

use similar::TextDiff;

use crate::{
    finding::{Code, Finding, Severity, Spot},
    schema::Snapshot,
};

const UP_TO_DATE: Code = Code("V301");

/// How the line begins that names the server.
const SERVER: &str = "-- Server: ";

/// How many equal lines stand around a difference.
const N_CONTEXT: usize = 2;

/// The text of the file for a schema.
pub fn render(set: &str, schema: &Snapshot) -> String {
    format!(
        "-- The schema that the {set} migrations give. Written by `cargo xtask migrate:verify --update`; do not edit.\n\
         {SERVER}{}\n\n{}",
        schema.server,
        schema.to_sql()
    )
}

/// Compares the file's text with the schema that the migrations give. `file_name` is for the finding, `committed` is
/// `None` where there is no such file.
///
/// Servers of the two flavours print the same schema differently, and so may versions: a file is held to the letter only
/// by a server of the series that wrote it, such as 8.4.
pub fn compare(set: &str, file_name: &str, committed: Option<&str>, schema: &Snapshot) -> Option<Finding> {
    let hint = "`cargo xtask migrate:verify --update` writes it; commit it with the migrations";
    let finding = |severity, message: String| Finding {
        code: UP_TO_DATE,
        severity,
        version: None,
        at: Some(Spot { file_name: file_name.to_owned(), line: 1, span: None }),
        message,
        notes: Vec::new(),
        diff: None,
        hint: Some(hint.to_owned()),
    };
    let Some(committed) = committed else {
        return Some(finding(
            Severity::Warning,
            "there is no file with the schema that the migrations give".into(),
        ));
    };
    let rendered = render(set, schema);
    let (written_by, now) = (server(committed), schema.server.to_string());
    if body(committed) == body(&rendered) {
        return None;
    }
    let Some(written_by) = written_by else {
        return Some(finding(Severity::Error, "the schema file does not say which server wrote it".into()));
    };
    if !now.starts_with(flavour(written_by)) {
        let message = format!("not compared: the schema file was written on {written_by}, this is {now}");
        return Some(Finding { hint: None, ..finding(Severity::Note, message) });
    }
    let severity = if series(written_by) == series(&now) { Severity::Error } else { Severity::Warning };
    let message = match severity {
        Severity::Error => "the schema file is not what the migrations give".to_owned(),
        _ => format!("the schema file, written on {written_by}, is not what the migrations give on {now}"),
    };
    let diff = TextDiff::from_lines(body(committed), body(&rendered));
    let mut lines = String::new();
    for group in diff.grouped_ops(N_CONTEXT) {
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            lines += &format!("{}{}\n", change.tag(), change.value().trim_end_matches('\n'));
        }
    }
    Some(Finding { diff: Some(lines.trim_end().to_owned()), ..finding(severity, message) })
}

/// What stands behind the two lines of the head.
fn body(text: &str) -> &str {
    text.split_once("\n\n").map_or(text, |(_, body)| body)
}

fn server(text: &str) -> Option<&str> {
    text.lines().take(3).find_map(|line| line.strip_prefix(SERVER)).map(str::trim)
}

fn flavour(server: &str) -> &str {
    server.split(' ').next().unwrap_or_default()
}

/// `MySQL 9.7.4` is of the series `MySQL 9.7`.
fn series(server: &str) -> &str {
    server.rsplit_once('.').map_or(server, |(series, _)| series)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::schema::{Flavour, ObjectKind, ServerVersion};

    fn schema(flavour: Flavour, number: (u16, u16, u16), table: &str) -> Snapshot {
        Snapshot {
            server: ServerVersion { flavour, number },
            options: String::new(),
            objects: BTreeMap::from([((ObjectKind::Table, "t".to_owned()), table.to_owned())]),
            tables: BTreeMap::new(),
        }
    }

    #[test]
    fn a_file_is_held_to_what_wrote_it() {
        use Flavour::{MariaDb, MySql};
        let (old, new) = ("CREATE TABLE `t` (\n  `a` int\n)", "CREATE TABLE `t` (\n  `b` int\n)");
        let committed = render("tenant", &schema(MySql, (8, 4, 6), old));
        let check = |schema: &Snapshot, expected: Option<(Severity, bool)>| {
            let found = compare("tenant", "tenant.schema.sql", Some(&committed), schema);
            assert_eq!(found.map(|found| (found.severity, found.diff.is_some())), expected);
        };
        check(&schema(MySql, (8, 4, 6), old), None);
        check(&schema(MySql, (9, 7, 4), old), None);
        check(&schema(MySql, (8, 4, 9), new), Some((Severity::Error, true)));
        check(&schema(MySql, (9, 7, 4), new), Some((Severity::Warning, true)));
        check(&schema(MariaDb, (11, 8, 2), new), Some((Severity::Note, false)));
        let found = compare("tenant", "tenant.schema.sql", None, &schema(MySql, (8, 4, 6), old));
        assert_eq!(found.map(|found| found.severity), Some(Severity::Warning));
        let found = compare("tenant", "f", Some(&committed), &schema(MySql, (8, 4, 6), new)).unwrap();
        assert_eq!(found.diff.unwrap(), " CREATE TABLE `t` (\n-  `a` int\n+  `b` int\n );");
    }
}
