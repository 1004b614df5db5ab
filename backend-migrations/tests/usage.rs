//! Command lines that are wrong: exit code 2, and a text that says what would be right.

use std::{fmt::Write as _, process::Command};

const WRONG: &[&[&str]] = &[
    &["migrate:all-tenant"],
    &["migrate-all-tenants"],
    &["migrate"],
    &["tenant:seal-pasword"],
    &["statsu"],
    &["migrate:tenant"],
    &["migrate:tenant", "acme-corp", "techstart"],
    &["migrate:all-tenants", "acme-corp"],
    &["migrate:all-tenants", "--only", ""],
    &["migrate:all-tenants", "--only", " , "],
    &["migrate:all-tenants", "--exclude", ""],
    &["migrate:all-tenants", "--concurrency", "0"],
    &["migrate:all-tenants", "--per-server", "-1"],
    &["migrate:all-tenants", "--failure-budget", "0"],
    &["migrate:all-tenants", "--concurency", "8"],
    &["migrate:all-tenants", "--to", "add_priority_to_tasks"],
    &["migrate:rollback", "--to", "-1"],
    &["migrate:all-tenants", "--format", "yaml"],
    &["migrate:all-tenants", "--connect-timeout", "10x"],
    &["migrate:all-tenants", "--lock-timeout", "0"],
    &["migrate:all-tenants", "--lock-wait", "721h"],
    &["migrate:all-tenants", "--statement-timeout", "-1s"],
    &["migrate:all-tenants", "--statement-timeout="],
    &["migrate:rollback", "--tenant", "acme-corp", "--all-tenants"],
    &["migrate:rollback", "--steps", "2", "--to", "20250127120000"],
    &["migrate:rollback", "--steps", "0"],
    &["migrate:rollback", "--only", "acme-corp"],
    &["migrate:rollback", "acme-corp"],
    &["migrate:status", "acme-corp"],
    &["migrate:status", "--tenant", "acme-corp", "--central"],
    &["migrate:status", "--central", "--only", "acme-corp"],
    &["migrate:recover"],
    &["migrate:recover", "acme-corp", "last"],
    &["migrate:recover", "acme-corp", "--all-tenants"],
    &["migrate:recover", "acme-corp", "--only", "techstart"],
    &["migrate:recover", "acme-corp", "--yes"],
    &["migrate:recover", "acme-corp", "--kill", "--wait"],
    &["migrate:recover", "acme-corp", "--resume", "--undo"],
    &["migrate:recover", "acme-corp", "--resume", "--from", "0"],
    &["tenant:provision", "--name", "Acme Corp"],
    &["tenant:provision", "--slug", "acme-corp", "--name", " "],
    &["tenant:provision", "--slug", "acme-corp", "--name", "Acme", "--db-port", "65536"],
    &["tenant:seal-password", "hunter2"],
    &["completions", "tcsh"],
];

/// What standard error has, and the exit code. No server, no settings and no `.env` are there, so that nothing but the
/// command line can be what is complained about.
fn run(args: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend-migrations"));
    let output = command.args(args).env_clear().current_dir(dir.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?}: standard output is for data");
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_wrong_command_line_is_told_what_would_be_right() {
    let mut text = String::new();
    for args in WRONG {
        let shown = args.iter().map(|arg| {
            if arg.contains(' ') || arg.is_empty() { format!("'{arg}'") } else { (*arg).to_owned() }
        });
        writeln!(text, "$ backend-migrations {}", shown.collect::<Vec<_>>().join(" ")).unwrap();
        writeln!(text, "{}\n", run(args).trim_end()).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn nothing_at_all_gives_the_list_of_commands() {
    let text = run(&[]);
    assert!(text.contains("Usage: backend-migrations [OPTIONS] <COMMAND>"), "{text}");
    assert!(text.contains("migrate:all-tenants   Bring every active tenant up to date"), "{text}");
}
