//! Every rule by its own examples, the project's own migrations, and `docs/lint.md`.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use backend_migrations::{
    directive::SideFile,
    disk::{Survey, survey, survey_files},
    finding::{Finding, Severity},
    lint::{BaseFiles, Example, Files, Input, Rule, lint, rules},
    make,
};

fn findings(example: &Example) -> Vec<Finding> {
    let files = example.contents().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let survey = survey_files(files);
    let known: Option<BTreeMap<_, _>> = example.base.map(|files| {
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
    });
    let base = known.as_ref().map(|known| BaseFiles { reference: "origin/main", forked: known, tip: known });
    let side_file =
        SideFile::parse("lint.toml", example.side_file).expect("the example's side file is sound");
    told(&survey, base, &side_file)
}

fn told(survey: &Survey, base: Option<BaseFiles<'_>>, side_file: &SideFile) -> Vec<Finding> {
    let Survey { files, set, faults } = survey;
    lint(&Input { files, set, faults, base, side_file, only: None })
}

#[test]
fn every_rule_fires_and_passes_as_its_examples_say() {
    let mut faults = Vec::new();
    for rule in rules() {
        let of_it = |example: &Example| findings(example).into_iter().filter(|f| f.code == rule.code).count();
        assert!(!rule.fires.is_empty() && !rule.passes.is_empty(), "{} has no examples", rule.code);
        for (at, example) in rule.fires.iter().enumerate() {
            if of_it(example) == 0 {
                faults.push(format!("{}: does not object to its example {at}", rule.code));
            }
        }
        for (at, example) in rule.passes.iter().enumerate() {
            let found = findings(example);
            for finding in found.iter().filter(|finding| finding.code == rule.code) {
                faults.push(format!("{}: objects to its sound example {at}: {}", rule.code, finding.message));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// Those that are small.
fn written(examples: &'static [Example]) -> impl Iterator<Item = &'static Example> {
    examples.iter().filter(|example| matches!(example.files, Files::Written(_)))
}

/// What a person reads, of every example.
#[test]
fn what_is_said_of_the_examples() {
    for rule in rules() {
        let mut said = String::new();
        for example in written(rule.fires) {
            for finding in findings(example).iter().filter(|finding| finding.code == rule.code) {
                write_finding(&mut said, finding);
            }
        }
        insta::assert_snapshot!(rule.code.0, said);
    }
}

fn write_finding(text: &mut String, finding: &Finding) {
    let at = finding.at.as_ref().map_or_else(String::new, |at| format!("{}:{}: ", at.file_name, at.line));
    writeln!(text, "{}[{}]: {at}{}", finding.severity, finding.code, finding.message)
        .expect("a string takes all");
    for note in &finding.notes {
        writeln!(text, "  note: {note}").expect("a string takes all");
    }
    if let Some(hint) = &finding.hint {
        writeln!(text, "  hint: {hint}").expect("a string takes all");
    }
}

#[test]
fn a_span_is_in_its_line() {
    for rule in rules() {
        for example in written(rule.fires) {
            let files: BTreeMap<_, _> = example.contents().into_iter().collect();
            for finding in findings(example) {
                let Some(at) = &finding.at else { continue };
                let (Some(span), Some(text)) = (&at.span, files.get(&at.file_name)) else { continue };
                assert!(text.get(span.clone()).is_some(), "{}: {span:?}", rule.code);
                assert_eq!(at.line, 1 + text[..span.start].matches('\n').count(), "{}", rule.code);
            }
        }
    }
}

#[test]
fn codes_are_in_order_and_once() {
    let codes: Vec<_> = rules().iter().map(|rule| rule.code.0).collect();
    assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
    let mut names: Vec<_> = rules().iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
}

/// Files as a team writes them: what is told of them was looked at one by one, and each finding is true.
#[test]
fn what_is_said_of_a_teams_migrations() {
    insta::assert_snapshot!("saas", said_of("saas", 40));
}

/// Files with the mistakes that teams make, each beside some that are well done.
#[test]
fn what_is_said_of_common_mistakes() {
    insta::assert_snapshot!("mistakes", said_of("mistakes", 48));
}

/// A line for each finding in a folder of so many migrations.
fn said_of(folder: &str, n_migrations: usize) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests").join(folder);
    let survey = survey(&folder).expect("the folder is there");
    assert_eq!(survey.set.len(), n_migrations);
    let mut text = String::new();
    for finding in told(&survey, None, &SideFile::default()) {
        let at = finding.at.as_ref().expect("it is about a place");
        let source = std::str::from_utf8(&survey.files[&at.file_name]).expect("UTF-8");
        let marked = at.span.clone().map_or("-", |span| source[span].lines().next().unwrap_or_default());
        writeln!(text, "{} {} {}:{} {marked}", finding.code, finding.severity, at.file_name, at.line)
            .expect("a string takes all");
    }
    text
}

#[test]
fn what_make_writes_and_nobody_finishes_is_found() {
    for (name, n_places) in [
        ("backfill_priorities", 1),
        ("remove_a_and_b_from_t", 2),
        ("drop_projects", 1),
        ("drop_foreign_key_from_tasks_on_app_id", 1),
        ("create_projects", 0),
        ("add_priority_to_tasks", 0),
    ] {
        let skeleton = make::skeleton(&make::MigrationName::parse(name).expect("a name"));
        let files = [("up", skeleton.up), ("down", skeleton.down)];
        let files =
            files.map(|(kind, text)| (format!("20260101000000_{name}.{kind}.sql"), text.into_bytes()));
        let found = told(&survey_files(files), None, &SideFile::default());
        let found: Vec<_> = found.iter().filter(|finding| finding.code.0 == "X028").collect();
        assert_eq!(found.len(), n_places, "{name}: {found:?}");
        assert!(found.iter().all(|finding| finding.severity == Severity::Error), "{name}: {found:?}");
    }
}

#[test]
fn the_projects_own_migrations_are_clean() {
    for folder in ["central", "tenant"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(folder);
        let found = told(&survey(&folder).expect("the folder is there"), None, &SideFile::default());
        let mut said = String::new();
        // A note asks for nothing: that the history of tasks is written by a trigger is known to cost something (L118).
        for finding in found.iter().filter(|finding| finding.severity > Severity::Note) {
            write_finding(&mut said, finding);
        }
        assert_eq!(said, "", "{}", folder.display());
    }
}

const PREFACE: &str = "\
# The rules of `migrate:lint`

This page is written by `backend-migrations/tests/lint.rs` from the rules themselves; `migrate:lint --explain CODE` says the
same. The examples are the rules' own tests. An **error** ends `migrate:lint` with exit code 1, a *warning* and a note do not.

A rule says nothing of a statement that was not understood, and of a table that it does not know.

## What is written where

* `-- lint:ignore X011 <reason>` in a comment outside of the statements of a file: the findings of that rule in that file are
  not told.
* `-- migration: irreversible <reason>`, `-- migration: loses TABLE <reason>`, `-- migration: loses TABLE.COLUMN <reason>`,
  `-- migration: blocks-writes <reason>`: what the author declares of the migration. `migrate:verify` reads them too. Where writes
  may wait, L101, L105, L107, L108, L113 and L114 say nothing.
* `migrations/lint.toml`, for what is true of the project, and for files whose bytes may not change any more:

```toml
[severity]
X019 = \"off\"        # error, warning, note or off

[[suppress]]
code = \"X011\"
migration = 20250101000000     # or: file = \"20250101000000_create_tenants.up.sql\"
reason = \"applied everywhere before there was this rule\"

[[declare]]
migration = 20250102000000
set = \"tenant\"                 # or \"central\"; needed where both have a migration of this version
directive = \"loses tasks.note\"
reason = \"moved to the table notes\"
```

A suppression or a declaration without a reason, or that nothing needs, is itself a finding (X026, X027).

";

/// One rule as a section.
fn section(rule: &Rule) -> String {
    let mut text = format!("### {} {} ({})\n\n{}\n", rule.code, rule.name, rule.severity, rule.explain);
    for (title, example) in [("It objects to", rule.fires.first()), ("and not to", rule.passes.first())] {
        let Some(example) = example else { continue };
        let files = example.contents();
        if files.iter().any(|(_, contents)| contents.len() > 2_000) {
            continue;
        }
        write!(text, "\n{title}\n\n```sql\n").expect("a string takes all");
        for (name, contents) in files {
            writeln!(text, "-- {name}\n{}", contents.trim_end()).expect("a string takes all");
        }
        text += "```\n";
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the reference is this test's subject")]
fn the_reference_is_up_to_date() {
    let themes = [
        ('X', "Files, and what sqlx makes of them"),
        ('D', "What is lost"),
        ('B', "Code that still runs"),
        ('M', "What may fail"),
        ('L', "Locks and cost"),
        ('S', "The schema itself"),
    ];
    let mut text = PREFACE.to_owned();
    for (letter, title) in themes {
        let of_it: Vec<_> = rules().iter().filter(|rule| rule.code.0.starts_with(letter)).collect();
        if of_it.is_empty() {
            continue;
        }
        write!(text, "## {letter}: {title}\n\n").expect("a string takes all");
        text += "| code | | weight |\n|---|---|---|\n";
        for rule in &of_it {
            let weight = match rule.severity {
                Severity::Error => "**error**",
                Severity::Warning => "*warning*",
                Severity::Note => "note",
            };
            writeln!(text, "| {} | {} | {weight} |", rule.code, rule.name).expect("a string takes all");
        }
        for rule in of_it {
            write!(text, "\n{}", section(rule)).expect("a string takes all");
        }
        text.push('\n');
    }
    let text = format!("{}\n", text.trim_end());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/lint.md");
    if fs::read_to_string(&path).unwrap_or_default() != text {
        fs::write(&path, text).expect("docs/lint.md can be written");
        panic!("docs/lint.md was stale and is written anew: look at the change and commit it");
    }
}
