//! What is said where no server is to be had.

use std::process::{Command, Stdio};

/// What the program says with these variables and no others, on a machine that has nothing.
fn told(variables: &[(&str, &str)]) -> String {
    let empty = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_throwaway-server"))
        .env_clear()
        .env("PATH", empty.path())
        .env("THROWAWAY_SERVER_PATH", empty.path())
        .env("DOCKER_HOST", "tcp://127.0.0.1:1")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
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
