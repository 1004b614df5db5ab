//! `cargo xtask …` completed, in the shells themselves.

#[path = "../../backend-migrations/tests/shells/mod.rs"]
mod shells;

use std::{fs, os::unix::fs::symlink, path::Path};

use shells::Shell;
use tempfile::TempDir;

const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// A folder that looks like a checkout of this repository with a built xtask.
fn checkout() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let sources = dir.path().join("backend-migrations/src/cli");
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("completions.rs"), "").unwrap();
    let migrations = dir.path().join("migrations/tenant");
    fs::create_dir_all(&migrations).unwrap();
    fs::write(migrations.join("20260101000000_a.up.sql"), "DO 1;").unwrap();
    fs::create_dir_all(dir.path().join("target/debug")).unwrap();
    symlink(XTASK, dir.path().join("target/debug/xtask")).unwrap();
    dir
}

/// Another project, whose xtask leaves a file behind when it is run.
fn stranger() -> TempDir {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let xtask = dir.path().join("target/debug/xtask");
    fs::create_dir_all(xtask.parent().unwrap()).unwrap();
    fs::write(&xtask, format!("#!/bin/sh\ntouch {}/was-run\n", dir.path().display())).unwrap();
    fs::set_permissions(&xtask, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn completes(name: &'static str, own_completion_of_cargo: &str) {
    let checkout = checkout();
    let Some(mut shell) = Shell::start(name, &checkout.path().join("backend-migrations/src")) else {
        assert_ne!(name, "bash", "bash must be installed for this test");
        return;
    };
    shell.line(own_completion_of_cargo);
    // Twice: a script that is read again must not take itself for cargo's own.
    for _ in 0..2 {
        match name {
            "fish" => shell.line(&format!("{XTASK} completions fish | source")),
            _ => shell.line(&format!("source <({XTASK} completions {name})")),
        };
    }
    shell.show_arguments_of("cargo");
    shell.expect("cargo xtask migrate:al\t--dr\t", "<xtask><migrate:all-tenants><--dry-run>", &[]);
    shell.expect(
        "cargo xtask migrate:ver\t--si\tmain --serv\t",
        "<xtask><migrate:verify><--since><main><--server>",
        &[],
    );
    shell.expect(
        "cargo xtask migrate:verify --server eac\t --only 202601\t",
        "<xtask><migrate:verify><--server><each><--only><20260101000000>",
        &[],
    );
    shell.expect(
        "cargo xtask migrate:lint --only 202601\t",
        "<xtask><migrate:lint><--only><20260101000000>",
        &[],
    );
    shell.expect("cargo xtask dev:u\t", "<xtask><dev:up>", &[]);
    shell.expect("cargo xtask migrate:status --conc\t3", "<xtask><migrate:status><--concurrency><3>", &[]);
    shell.expect("cargo borr\t", "<borrow>", &[]);
    shell.show_arguments_of("xtask");
    shell.expect("xtask migrate:al\t", "<migrate:all-tenants>", &[]);

    let stranger = stranger();
    shell.line(&format!("cd {}", stranger.path().display()));
    shell.expect("cargo xtask migrate:al\t", "<xtask><migrate:al>", &[]);
    assert!(!Path::new(&stranger.path().join("was-run")).exists(), "{name} ran the xtask of another project");
}

#[test]
fn bash_completes() {
    completes("bash", "_cargo() { COMPREPLY=(borrow); }");
}

#[test]
fn zsh_completes() {
    completes("zsh", "_cargo() { compadd borrow }; compdef _cargo cargo");
}

#[test]
fn fish_completes() {
    completes("fish", "complete --command cargo --arguments borrow");
}
