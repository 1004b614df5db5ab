//! The programs under test, built once per process.

use std::{
    collections::HashMap,
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

use crate::server::tell;

/// A program of this workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The release binary.
    BackendMigrations,
    /// `cargo xtask`.
    Xtask,
    /// What `cargo xtask migrate:verify` and its like start.
    Workbench,
    /// What `cargo xtask migrate:recover` starts where it needs a server.
    ThrowawayServer,
    /// sqlx-cli.
    Sqlx,
    /// The example of a backend.
    AxumBackend,
}

impl Program {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::BackendMigrations => "backend-migrations",
            Self::Xtask => "xtask",
            Self::Workbench => "workbench",
            Self::ThrowawayServer => "throwaway-server",
            Self::Sqlx => "sqlx",
            Self::AxumBackend => "axum-backend",
        }
    }

    /// Where it is, freshly built.
    pub fn path(self) -> &'static Path {
        static BUILT: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(build);
        BUILT.get(self.name()).unwrap_or_else(|| panic!("cargo built no `{}`", self.name()))
    }
}

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in a workspace")
}

/// Cargo tells by itself where it puts what, whatever settings it has.
fn build() -> HashMap<String, PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["build", "--quiet", "--message-format=json", "--profile", &profile()]);
    // The features are the whole workspace's, as they are for the tests, though only these are built.
    cargo.arg("--workspace");
    for program in [
        Program::BackendMigrations,
        Program::Xtask,
        Program::Workbench,
        Program::ThrowawayServer,
        Program::Sqlx,
        Program::AxumBackend,
    ] {
        cargo.args(["--bin", program.name()]);
    }
    // What cargo tells the tests about themselves is news to build scripts that look at it, such as ring's, and so a
    // reason to compile them and all above them anew.
    let told = |name: &str| {
        ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "RUSTC_BOOTSTRAP"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(told)) {
        cargo.env_remove(name);
    }
    let output = cargo.output().expect("cargo can be run");
    assert!(output.status.success(), "cargo build failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let messages = output.stdout.split(|byte| *byte == b'\n');
    let messages: Vec<Value> = messages.filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let compiled = messages.iter().filter(|message| message["fresh"] == false);
    let compiled: Vec<_> = compiled.filter_map(|message| message["target"]["name"].as_str()).collect();
    if !compiled.is_empty() {
        // Under `cargo test --workspace` that would be a waste of everybody's time.
        tell(&format!("compiled again for the programs under test: {}", compiled.join(", ")));
    }
    messages
        .iter()
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, message["executable"].as_str()?.into()))
        })
        .collect()
}

/// The profile that the tests themselves are built with: their folder `target/<profile>/deps` tells.
fn profile() -> String {
    let tests = env::current_exe().expect("a test knows where it is");
    let folder = tests.ancestors().nth(2).and_then(Path::file_name).and_then(OsStr::to_str);
    match folder {
        None | Some("debug") => "dev".to_owned(),
        Some(profile) => profile.to_owned(),
    }
}
