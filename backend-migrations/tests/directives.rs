//! Declarations and suppressions: in the comments of a script, and in `lint.toml`.

use backend_migrations::{
    directive::{Directive, Loss, SideFile, Weight, declarations, suppressions},
    finding::Severity,
    migration::{Script, Version},
    sql::parse_script,
};

fn script(text: &str) -> Script {
    parse_script("20260101000000_t.up.sql", text.as_bytes()).expect("the script is sound")
}

fn loses(table: &str, column: Option<&str>) -> Directive {
    Directive::Loses(Loss { table: table.into(), column: column.map(str::to_owned) })
}

/// The declarations of a text with their lines and reasons.
fn declared(text: &str) -> Vec<(Directive, Option<String>, usize)> {
    declarations(&script(text)).into_iter().map(|d| (d.directive, d.reason, d.at.line)).collect()
}

#[test]
fn comments_outside_of_statements_declare() {
    let rows = [
        (
            "-- migration: irreversible the rows are gone\nSELECT 1;",
            Directive::Irreversible,
            Some("the rows are gone"),
            1,
        ),
        ("SELECT 1;\n\n  -- migration: irreversible\n", Directive::Irreversible, None, 3),
        (
            "SELECT 1; -- migration: loses tasks nobody reads it\nSELECT 2;",
            loses("tasks", None),
            Some("nobody reads it"),
            1,
        ),
        (
            "-- migration: loses `tasks`.`note` moved to notes\r\nSELECT 1;\r\n",
            loses("tasks", Some("note")),
            Some("moved to notes"),
            1,
        ),
        (
            "--\tmigration:   blocks-writes   at night \nSELECT 1;",
            Directive::BlocksWrites,
            Some("at night"),
            1,
        ),
        ("-- migration: loses\nSELECT 1;", Directive::Unknown("loses".into()), None, 1),
        ("-- migration: loses a.b.c why\nSELECT 1;", Directive::Unknown("loses".into()), Some("why"), 1),
        ("-- migration: reversible no\nSELECT 1;", Directive::Unknown("reversible".into()), Some("no"), 1),
        ("-- migration:\nSELECT 1;", Directive::Unknown(String::new()), None, 1),
    ];
    for (text, directive, reason, line) in rows {
        assert_eq!(declared(text), [(directive, reason.map(str::to_owned), line)], "{text}");
    }
}

#[test]
fn what_only_looks_like_a_declaration_declares_nothing() {
    let rows = [
        "INSERT INTO t VALUES ('\n-- migration: irreversible in a string\n');",
        "SELECT\n-- migration: irreversible within a statement\n1;",
        "-- The migration: irreversible, sadly\nSELECT 1;",
        "# migration: irreversible with another mark\nSELECT 1;",
        "-- migrations: irreversible\nSELECT 1;",
        "-- Migration: irreversible\nSELECT 1;",
    ];
    for text in rows {
        assert_eq!(declared(text), [], "{text}");
    }
}

#[test]
fn a_declaration_has_its_span() {
    let text = "SELECT 1;\n  -- migration: irreversible gone  \n";
    let found = declarations(&script(text));
    let span = found[0].at.span.clone().expect("it has one");
    assert_eq!(&text[span], "-- migration: irreversible gone");
    assert_eq!(found[0].at.file_name, "20260101000000_t.up.sql");
}

#[test]
fn suppressions_name_a_code_and_a_reason() {
    let text = "-- lint:ignore D102 nobody reads it\nSELECT 1;\n-- lint:ignore X011\n-- lint:ignored D101 no\n-- lint:ignore\n";
    let found: Vec<_> =
        suppressions(&script(text)).into_iter().map(|s| (s.code, s.reason, s.at.line)).collect();
    let expected = [("D102", Some("nobody reads it"), 1), ("X011", None, 3), ("", None, 5)];
    let expected = expected.map(|(code, reason, line)| (code.to_owned(), reason.map(str::to_owned), line));
    assert_eq!(found, expected);
}

#[test]
fn a_loss_covers_what_it_names() {
    let rows = [
        ("tasks", "tasks", None, true),
        ("tasks", "tasks", Some("note"), true),
        ("tasks.note", "tasks", Some("NOTE"), true),
        ("tasks.note", "tasks", Some("title"), false),
        ("tasks.note", "tasks", None, false),
        ("tasks", "Tasks", None, false),
    ];
    for (loss, table, column, expected) in rows {
        let parsed = Loss::parse(loss).expect("it names something");
        assert_eq!(parsed.covers(table, column), expected, "{loss} {table} {column:?}");
    }
}

const SIDE_FILE: &str = r#"
[severity]
X011 = "off"
D103 = "note"

[[suppress]]
code = "D102"
migration = 20250101000000
reason = "it was empty everywhere"

[[suppress]]
code = "X002"
file = "dump.sql"

[[declare]]
migration = 20250101000000
directive = "loses tasks.note"
reason = "moved to notes"

[[declare]]
migration = 20250102000000
directive = "irreversible the rows are gone"
"#;

#[test]
fn a_side_file_is_read() {
    let file = SideFile::parse("lint.toml", SIDE_FILE).expect("it is sound");
    let weights: Vec<_> =
        file.weights.iter().map(|(code, weight, at)| (code.as_str(), *weight, at.line)).collect();
    assert_eq!(weights, [("D103", Weight::As(Severity::Note), 4), ("X011", Weight::Off, 3)]);
    let suppressed: Vec<_> = file
        .suppressions
        .iter()
        .map(|s| (s.code.as_str(), s.version, s.file_name.as_deref(), s.reason.as_deref(), s.at.line))
        .collect();
    let first = Some(Version(20_250_101_000_000));
    assert_eq!(
        suppressed,
        [
            ("D102", first, None, Some("it was empty everywhere"), 6),
            ("X002", None, Some("dump.sql"), None, 11)
        ]
    );
    let declared: Vec<_> = file
        .declarations_for(Version(20_250_102_000_000))
        .map(|d| (&d.directive, d.reason.as_deref()))
        .collect();
    assert_eq!(declared, [(&Directive::Irreversible, Some("the rows are gone"))]);
    assert_eq!(SideFile::parse("lint.toml", "").expect("empty is sound"), SideFile::default());
}

#[test]
fn what_a_side_file_has_no_place_for_is_refused_with_its_line() {
    let rows = [
        "\n[severity]\nD102 = \"fatal\"\n",
        "[severity]\nD102 = 3\n",
        "\n\n[[supress]]\ncode = \"D102\"\n",
        "[[suppress]]\nreason = \"x\"\n",
        "[[declare]]\nmigration = \"2025\"\ndirective = \"irreversible\"\n",
        "[[declare]\n",
    ];
    let errors = rows.map(|text| SideFile::parse("lint.toml", text).expect_err(text).to_string());
    insta::assert_snapshot!(errors.join("\n"));
}
