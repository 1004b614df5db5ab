//! The end-to-end tests: one binary, a module per theme.

mod bad_files;
mod bad_servers;
mod bad_settings;
mod bad_tenants;
mod broken_runs;
mod corpus;
mod deploy;
mod noop;
mod plan;
mod provisioning;
mod resume;
mod rollback;
mod rollout;
mod smoke;
mod status;
mod twin;
mod twin_dirty;
mod twin_lock;

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
    let [alone, built, tested] =
        [("end-to-end", "normal,build"), ("", "normal,build"), ("", "normal,build,dev")].map(features);
    for (few, many) in [(alone, &built), (built.clone(), &tested)] {
        for (name, features) in few {
            let others = many.get(&name).unwrap_or_else(|| panic!("{name} is in no tree"));
            assert_eq!(&features, others, "{name}: ask for the same features in tests/Cargo.toml");
        }
    }
}

/// The crates in the tree of a package, or of all where its name is empty, each with the features of its every build.
fn features((package, edges): (&str, &str)) -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--quiet", "--prefix=none", "--no-dedupe", "--format={p}|{f}", "--edges", edges]);
    match package {
        "" => cargo.arg("--workspace"),
        package => cargo.args(["--package", package]),
    };
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut features: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some((name, list)) = line.split_once('|') {
            features.entry(name.to_owned()).or_default().insert(list.trim_end_matches(" (*)").to_owned());
        }
    }
    features
}
