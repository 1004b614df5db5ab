//! `docs/guarantees.md` names a test for each promise; here each of them is looked for.

use std::{fs, path::Path};

/// Where the tests are that a name begins with.
const PLACES: [(&str, &str); 5] = [
    ("it", "tests/tests/it"),
    ("harness", "tests/src"),
    ("executor", "backend-migrations/tests/executor"),
    ("library", "backend-migrations/src"),
    ("fuzz", "fuzz/targets"),
];

#[test]
fn every_promise_is_shown_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = fs::read_to_string(root.join("docs/guarantees.md")).unwrap();
    // The first table; one with numbers follows.
    let table =
        page.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let rows: Vec<_> = table.filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() > 10, "the table is not to be found");
    for row in rows {
        let [_, _, _, tests, _] = row.split('|').collect::<Vec<_>>()[..] else {
            panic!("three columns: {row}")
        };
        let names: Vec<_> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "nothing shows it: {row}");
        for name in names {
            assert!(is_a_test(root, name), "there is no test {name}");
        }
    }
}

fn is_a_test(root: &Path, name: &str) -> bool {
    let (place, path) = name.split_once("::").unwrap_or_else(|| panic!("{name} has no place"));
    let folder =
        PLACES.iter().find(|(known, _)| *known == place).unwrap_or_else(|| panic!("{place} is no place")).1;
    if place == "fuzz" {
        return root.join(folder).join(format!("{path}.rs")).is_file();
    }
    let (module, function) = path.rsplit_once("::").unwrap_or_else(|| panic!("{name} has no module"));
    // A module of tests may be in a file of its own or in the file it tests.
    let files = [module, module.trim_end_matches("::tests")]
        .map(|module| format!("{}.rs", module.replace("::", "/")));
    files.iter().filter_map(|file| fs::read_to_string(root.join(folder).join(file)).ok()).any(|text| {
        let lines: Vec<_> = text.lines().map(str::trim).collect();
        let is_marked = lines.windows(2).any(|pair| {
            (pair[0].ends_with("test]") || pair[0].starts_with("#[should_panic"))
                && pair[1].trim_start_matches("async ").starts_with(&format!("fn {function}("))
        });
        let macros = text.split("on_each_server!(").skip(1).filter_map(|rest| rest.split(");").next());
        is_marked || macros.flat_map(|names| names.split(',')).any(|listed| listed.trim() == function)
    })
}
