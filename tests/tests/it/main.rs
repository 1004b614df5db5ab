//! The end-to-end tests: one binary, a module per theme.

mod activity;
mod bad_files;
mod bad_servers;
mod bad_settings;
mod bad_tenants;
mod books;
mod broken_runs;
mod cluster;
mod corpus;
mod cost;
mod course;
mod cut_everywhere;
mod deploy;
mod explorer;
mod full_disk;
mod guarantees;
mod hostile;
mod lint;
mod lint_claims;
mod many_runners;
mod many_statements;
mod noop;
mod not_new;
mod outputs;
mod own_servers;
mod plan;
mod provisioning;
mod pull_request;
mod recover;
mod recover_asked;
mod recover_hard;
mod resume;
mod rollback;
mod rollout;
mod rows;
mod scratch;
mod server_defaults;
mod server_kills;
mod session_leaks;
mod signals;
mod smoke;
mod snapshot;
mod sound;
mod splitter_and_server;
mod stall_everywhere;
mod status;
mod storm;
mod twin;
mod twin_dirty;
mod twin_lock;
mod two_servers;
mod verify;
mod verify_cases;
mod verify_command;
mod verify_hard;
mod verify_looks;
mod waits;
mod whom;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

#[test]
fn some_server_is_there() {
    end_to_end::some_server_is_there();
}

/// A file that no `mod` names is compiled by nobody, and its tests pass for ever.
#[test]
fn no_module_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let files: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "main")
        .collect();
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    let modules = main
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert_eq!(files, modules);
}

/// The programs under test are built while the tests run. Were the features of a crate others then than for the tests,
/// half the tree would be compiled a second time; `tests/Cargo.toml` says how they are kept the same.
#[test]
fn nothing_is_built_twice() {
    let (for_the_programs, for_the_tests) = (features("normal,build"), features("normal,build,dev"));
    let differing: Vec<_> = for_the_programs
        .iter()
        .filter(|(name, features)| for_the_tests[*name] != **features)
        .map(|(name, features)| format!("{name}: {features:?}, for the tests {:?}", for_the_tests[name]))
        .collect();
    assert!(differing.is_empty(), "ask for the same features in tests/Cargo.toml: {differing:#?}");
}

/// The crates in the tree of the workspace, each with the features of its every build.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--quiet",
            "--color=never",
            "--workspace",
            "--prefix=none",
            "--format={p}|{f}",
            "--edges",
            edges,
        ])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some((name, list)) = line.split_once('|') {
            features.entry(name.to_owned()).or_default().insert(list.trim_end_matches(" (*)").to_owned());
        }
    }
    features
}
