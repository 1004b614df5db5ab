//! A file of `src` uses lower floors only: never a neighbour on its own floor, never upwards.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// The floors, lowest first, as in `ARCHITECTURE.md`. A module is what `src/` has a file or a folder for; what lies under
/// `x/` belongs to `x`.
///
/// The words of floor 0 alone may use each other: a history speaks of versions, a target holds a secret. None of them
/// decides or does anything, so there is no order to keep among them.
const FLOORS: &[&[&str]] = &[
    &["finding", "history", "migration", "secret", "tenant"],
    &["directive", "schema", "seal", "sql"],
    &["diagnosis", "lint", "plan", "rows", "selection", "standing"],
    &["entropy", "event", "fault", "session"],
    &["disk", "git", "make", "mysql"],
    &["apply"],
    &["failure", "scratch", "summary"],
    &["fleet"],
    &["recover", "rollback", "verify"],
    &["provision"],
    &["report"],
    &["cli"],
    &["lib", "main"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the sources are this test's subject")]
fn a_file_uses_lower_floors_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = files_under(&source);
    assert!(files.len() > 10, "found only {files:?}");
    let mut faults = Vec::new();
    for path in files {
        let path_in_source = path.strip_prefix(&source).expect("it lies there");
        let text = fs::read_to_string(&path).expect("a source file is UTF-8");
        faults.extend(faults_of(&path_in_source.display().to_string(), &text));
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

/// What is wrong with a file that lies at `path` in `src`.
fn faults_of(path: &str, text: &str) -> Vec<String> {
    let module = path.split(['/', '\\']).next().unwrap_or(path).trim_end_matches(".rs");
    let Some(own) = floor(module) else {
        return vec![format!(
            "src/{path}: the module `{module}` is on no floor: give it one in FLOORS of tests/floors.rs and in \
             ARCHITECTURE.md"
        )];
    };
    // The roof holds everything together.
    if own + 1 == FLOORS.len() {
        return Vec::new();
    }
    let used = used_modules(text);
    let foreign = used.into_iter().filter(|(used, _)| used != module);
    foreign
        .filter_map(|(used, line)| match floor(&used) {
            Some(other) if other < own || (own == 0 && other == 0) => None,
            Some(other) => Some(format!(
                "src/{path}:{line}: `{module}` (floor {own}) uses `{used}` (floor {other}); only lower floors may be used"
            )),
            None => Some(format!("src/{path}:{line}: uses `crate::{used}`, which is on no floor")),
        })
        .collect()
}

/// The top-level modules that a file names after `crate::`, each with the line of its first use.
fn used_modules(text: &str) -> BTreeMap<String, usize> {
    let mut modules = BTreeMap::new();
    let code = without_comments(text);
    for (at, path) in code.match_indices("crate::") {
        // `this_crate::` is another crate.
        if code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let line = code[..at].matches('\n').count() + 1;
        for module in first_segments(&code[at + path.len()..]) {
            modules.entry(module).or_insert(line);
        }
    }
    modules
}

/// `a::b` gives `a`; `{a::{b, c}, d}` gives `a` and `d`.
fn first_segments(rest: &str) -> BTreeSet<String> {
    let word =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = rest.strip_prefix('{') else { return BTreeSet::from([word(rest)]) };
    let mut depth = 0_usize;
    let mut segments = BTreeSet::new();
    let mut is_start = true;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => is_start = true,
            c if is_start && !c.is_whitespace() => {
                segments.insert(word(&group[at..]));
                is_start = false;
            }
            _ => {}
        }
    }
    segments
}

/// Line comments become empty: what documentation links to, code need not use.
fn without_comments(text: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

#[expect(clippy::disallowed_methods, reason = "the sources are this test's subject")]
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            files.extend(files_under(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn each_module_is_on_one_floor() {
    let mut seen = BTreeSet::new();
    assert!(FLOORS.iter().copied().flatten().all(|module| seen.insert(module)));
}

#[test]
fn what_is_forbidden_is_found() {
    let faults = |path: &str, text: &str| faults_of(path, text).join("\n");
    assert_eq!(faults("plan.rs", "use crate::{history::{History, Row}, migration::Version};"), "");
    assert_eq!(faults("history.rs", "use crate::migration::Version;"), "");
    assert_eq!(faults("plan/problem.rs", "use crate::plan::Plan;"), "");
    assert_eq!(faults("main.rs", "use crate::cli;"), "");
    assert_eq!(faults("plan.rs", "/// See [`Standing`](crate::standing::Standing).\nstruct A;"), "");
    assert!(
        faults("plan.rs", "\nuse crate::standing::State;")
            .contains("src/plan.rs:2: `plan` (floor 2) uses `standing`")
    );
    assert!(
        faults("apply.rs", "use crate::{\n    event::{\n        Event,\n    },\n    fleet::Fleet,\n};")
            .contains("`fleet`")
    );
    assert!(faults("mysql/books.rs", "fn f() -> crate::report::R {}").contains("`report`"));
    assert!(faults("mysql/books.rs", "pub(in crate::apply) fn f() {}").contains("`apply`"));
    assert!(faults("novel.rs", "").contains("give it one in FLOORS"));
    assert!(faults("apply.rs", "use crate::novel::Novel;").contains("on no floor"));
}
