//! The end-to-end tests: one binary, a module per theme.

mod bad_files;
mod bad_servers;
mod bad_settings;
mod bad_tenants;
mod broken_runs;
mod corpus;
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

use std::{collections::BTreeSet, fs, path::Path};

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
