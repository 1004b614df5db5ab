//! Completions, in the shells themselves.

mod shells;

use std::{io::Write as _, path::Path};

use shells::Shell;

const PROGRAM: &str = env!("CARGO_BIN_EXE_backend-migrations");

/// A shell that has read the script of `backend-migrations completions`.
fn shell(name: &'static str, dir: &Path) -> Option<Shell> {
    let mut shell = Shell::start(name, dir)?;
    match name {
        "fish" => shell.line(&format!("{PROGRAM} completions fish | source")),
        _ => shell.line(&format!("source <({PROGRAM} completions {name})")),
    };
    shell.show_arguments_of("backend-migrations");
    Some(shell)
}

/// `list` is what a user types to see the candidates.
fn completes(shell: &mut Shell, list: &str) {
    // A name that is the only one left is followed by a blank, which is the shell's.
    shell.expect("backend-migrations migrate:al\t--dr\t", "<migrate:all-tenants><--dry-run>", &[]);
    shell.expect("backend-migrations mig\tro\t", "<migrate:rollback>", &[]);
    shell.expect("backend-migrations tenant:s\t", "<tenant:seal-password>", &[]);
    shell.expect(
        "backend-migrations migrate:all-tenants --conc\t7 --pe\t2",
        "<migrate:all-tenants><--concurrency><7><--per-server><2>",
        &[],
    );
    shell.expect("backend-migrations migrate:status --format js\t", "<migrate:status><--format><json>", &[]);
    shell.expect("backend-migrations migrate:status --format=js\t", "<migrate:status><--format=json>", &[]);
    shell.expect("backend-migrations migrate:lint --explain D11\t", "<migrate:lint><--explain><D110>", &[]);
    shell.expect("backend-migrations completions z\t", "<completions><zsh>", &[]);
    shell.expect(
        &format!("backend-migrations migrate:{list}"),
        "<migrate:>",
        &["all-tenants", "latest", "make", "rollback", "status", "tenant"],
    );
}

#[test]
fn bash_completes_without_the_package() {
    let dir = tempfile::tempdir().unwrap();
    let mut shell = shell("bash", dir.path()).expect("bash must be installed for this test");
    completes(&mut shell, "\t\t");
    // Where ':' is no end of a word, nothing must be cut off.
    shell.line("COMP_WORDBREAKS=${COMP_WORDBREAKS//:}");
    completes(&mut shell, "\t\t");
    // What is right of the cursor does not count. Ctrl-A, then four words (of letters) forward.
    let forward = "\x01\x1bf\x1bf\x1bf\x1bf";
    shell.expect(
        &format!("backend-migrations migrate:st --central{forward}\t"),
        "<migrate:status><--central>",
        &[],
    );
}

#[test]
fn bash_completes_beside_the_package() {
    const PACKAGE: &str = "/usr/share/bash-completion/bash_completion";
    if !Path::new(PACKAGE).exists() {
        writeln!(std::io::stderr(), "NOT TESTED: completions beside the bash-completion package").ok();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut shell = shell("bash", dir.path()).expect("bash must be installed for this test");
    shell.line(&format!("source {PACKAGE}"));
    completes(&mut shell, "\t\t");
}

#[test]
fn zsh_completes() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut shell) = shell("zsh", dir.path()) else { return };
    completes(&mut shell, "\t");
}

#[test]
fn fish_completes() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut shell) = shell("fish", dir.path()) else { return };
    completes(&mut shell, "\t");
}
