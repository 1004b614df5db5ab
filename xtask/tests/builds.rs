//! What `cargo xtask` gives to the `cargo` that it starts.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

/// Build scripts look at these, and would be run again, with all that is built on them, each time that two programs of this
/// workspace take turns.
#[test]
fn another_build_is_told_nothing_of_this_program() {
    let folder = tempfile::tempdir().unwrap();
    let cargo = folder.path().join("cargo");
    fs::write(&cargo, "#!/bin/sh\nenv\n").unwrap();
    fs::set_permissions(&cargo, Permissions::from_mode(0o755)).unwrap();
    for task in ["demo", "migrate:verify"] {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        xtask.arg(task).env("CARGO", &cargo).env("CARGO_PKG_NAME", "xtask").env("CARGO_HOME", folder.path());
        let told = String::from_utf8(xtask.output().unwrap().stdout).unwrap();
        let told: Vec<_> = told.lines().filter_map(|line| line.split('=').next()).collect();
        // The user's own settings are passed on.
        assert!(told.contains(&"CARGO_HOME"), "{told:?}");
        let of_this: Vec<_> = told
            .iter()
            .filter(|name| name.starts_with("CARGO_PKG") || name.starts_with("CARGO_MANIFEST"))
            .collect();
        assert!(of_this.is_empty(), "{of_this:?}");
    }
}
