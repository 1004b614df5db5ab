//! What is said where no server is to be had, or none is wanted.

use std::process::{Command, Output, Stdio};

/// The program with these arguments and variables and no others, on a machine that has nothing.
fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let empty = tempfile::tempdir().expect("a folder");
    Command::new(env!("CARGO_BIN_EXE_throwaway-server"))
        .args(args)
        .env_clear()
        .env("PATH", empty.path())
        .env("THROWAWAY_SERVER_PATH", empty.path())
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn told(variables: &[(&str, &str)]) -> String {
    let output = run(&[], variables);
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    // The number of an error is the operating system's.
    text.replace(&format!(" (os error {})", rustix::io::Errno::CONNREFUSED.raw_os_error()), "")
}

#[test]
fn every_choice_is_named_with_its_reason() {
    insta::assert_snapshot!(told(&[]));
}

#[test]
fn a_forced_choice_does_not_fall_through() {
    insta::assert_snapshot!(told(&[("THROWAWAY_SERVER", "local"), ("THROWAWAY_FLAVOUR", "mysql")]));
}

#[test]
fn a_server_that_is_named_and_down_is_not_replaced() {
    let told = told(&[("THROWAWAY_SERVER_URL", "mysql://root:swordfish@127.0.0.1:1")]);
    assert!(!told.contains("swordfish"), "the password is told");
    insta::assert_snapshot!(told);
}

#[test]
fn a_setting_that_is_not_understood_is_refused() {
    insta::assert_snapshot!(told(&[("THROWAWAY_SERVER", "podman")]));
}

#[test]
fn help_starts_nothing_and_names_every_variable() {
    for flag in ["--help", "-h"] {
        let output = run(&[flag], &[]);
        assert!(output.status.success());
        assert!(output.stderr.is_empty());
        let help = String::from_utf8(output.stdout).expect("UTF-8");
        let documented =
            include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! | `"));
        let documented: Vec<_> = documented.filter_map(|row| row.split('`').next()).collect();
        assert!(documented.len() > 5);
        for variable in documented {
            assert!(help.contains(variable), "{variable}");
        }
    }
}

#[test]
fn an_argument_is_refused() {
    let output = run(&["--flavour", "mariadb"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    insta::assert_snapshot!(String::from_utf8(output.stderr).expect("UTF-8"));
}
