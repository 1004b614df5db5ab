//! `.github/workflows/migrations.yml` as a runner runs it, in a checkout of its own.
//!
//! What differs from a runner is said here and nowhere else: the programs are built already, so `cargo` is a script that
//! starts them; the servers of the matrix are those of these tests; and GitHub's expressions have the values in
//! [`Checkout::value`]. Not covered: the actions that the workflow uses.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use end_to_end::{Invocation, Program, Server, canary, on_each_server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{process::Command, time::timeout};

/// No step waits for ever, either.
const LIMIT: Duration = Duration::from_mins(5);
const VERSION: &str = "20990101000000";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in a workspace")
}

fn workflow() -> Value {
    let text = fs::read_to_string(root().join(".github/workflows/migrations.yml")).expect("it is there");
    serde_saphyr::from_str(&text).expect("it is YAML")
}

/// A clone of a repository with this project's migrations, on a branch of its own.
struct Checkout {
    folder: TempDir,
    /// The server in the matrix that stands for the one of the test.
    server: String,
}

/// What came of a step.
struct Step {
    code: Option<i32>,
    text: String,
}

impl Checkout {
    async fn new(server: &str) -> Self {
        let checkout = Self { folder: tempfile::tempdir().expect("a folder"), server: server.to_owned() };
        for set in ["central", "tenant"] {
            let (from, to) = (root().join("migrations").join(set), checkout.path("migrations").join(set));
            fs::create_dir_all(&to).expect("a folder");
            for entry in fs::read_dir(from).expect("the folder is there") {
                let entry = entry.expect("it can be read");
                fs::copy(entry.path(), to.join(entry.file_name())).expect("a file can be copied");
            }
        }
        // The build makes it on a runner.
        fs::create_dir(checkout.path("target")).expect("a folder");
        fs::write(checkout.path(".gitignore"), "/target\n/bin\n").expect("a file");
        checkout.write_cargo().await;
        // The base branch has schema files that are up to date.
        checkout.update().await;
        checkout.git("init --quiet --initial-branch=main").await;
        checkout.commit().await;
        checkout.git("update-ref refs/remotes/origin/main HEAD").await;
        checkout.git("checkout --quiet -b work").await;
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn write_cargo(&self) {
        let path = |program: Program| async move {
            let path = tokio::task::spawn_blocking(move || program.path()).await.expect("it is built");
            path.display().to_string()
        };
        let (xtask, workbench) = (path(Program::Xtask).await, path(Program::Workbench).await);
        let script = format!(
            "#!/bin/sh\n[ \"$1\" = xtask ] || exit 64\nshift\ncase $1 in\n  migrate:verify) exec '{workbench}' \"$@\" ;;\n  \
             *) exec '{xtask}' \"$@\" ;;\nesac\n"
        );
        fs::create_dir(self.path("bin")).expect("a folder");
        fs::write(self.path("bin/cargo"), script).expect("a file");
        fs::set_permissions(self.path("bin/cargo"), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// Adds a migration of the tenants, as a developer does: with the schema file.
    async fn add(&self, up: &str, down: &str) {
        for (direction, text) in [("up", up), ("down", down)] {
            let name = format!("migrations/tenant/{VERSION}_notes.{direction}.sql");
            fs::write(self.path(&name), text).expect("a file");
        }
        self.update().await;
        self.commit().await;
    }

    /// Writes the schema files. What else is found is not asked for here.
    async fn update(&self) {
        let command = format!("cargo xtask migrate:verify --update --server '{}' || [ $? = 1 ]", self.server);
        let step = self.bash(&command, &[]).await;
        assert_eq!(step.code, Some(0), "{}", step.text);
    }

    async fn git(&self, args: &str) {
        let step = self.bash(&format!("git {args}"), &[]).await;
        assert_eq!(step.code, Some(0), "git {args}: {}", step.text);
    }

    async fn commit(&self) {
        self.git("add --all").await;
        self.git("-c user.name=Test -c user.email=test@example.com -c commit.gpgsign=false commit --quiet --message=x")
            .await;
    }

    /// The value of an entry of `env` in the workflow.
    fn value(&self, text: &str, results: &str) -> String {
        match text {
            "${{ github.base_ref && format('origin/{0}', github.base_ref) }}" => "origin/main".to_owned(),
            "${{ matrix.server }}" => self.server.clone(),
            "${{ join(needs.*.result, ' ') }}" => results.to_owned(),
            text if !text.contains("${{") => text.to_owned(),
            text => panic!("{text} has no value here"),
        }
    }

    /// Runs what a job runs, step by step, until one fails.
    async fn job(&self, name: &str, results: &str) -> Step {
        let workflow = workflow();
        let steps = workflow["jobs"][name]["steps"].as_array().expect("steps");
        let mut text = String::new();
        let mut n_run = 0;
        for step in steps {
            let Some(run) = step["run"].as_str() else { continue };
            assert!(!run.contains("${{"), "an expression in a command is put there as text: {run}");
            let env = [&workflow["env"], &step["env"]];
            let env = env.iter().filter_map(|env| env.as_object()).flatten();
            let env: Vec<_> = env
                .map(|(name, value)| (name.as_str(), self.value(value.as_str().expect("text"), results)))
                .collect();
            let step = self.bash(run, &env).await;
            text += &step.text;
            n_run += 1;
            if step.code != Some(0) {
                return Step { text, ..step };
            }
        }
        assert!(n_run > 0, "the job {name} runs nothing");
        Step { code: Some(0), text }
    }

    /// As a runner starts a step's command.
    async fn bash(&self, command: &str, env: &[(&str, String)]) -> Step {
        let path = std::env::var("PATH").expect("a PATH");
        let child = Command::new("bash")
            .args(["--noprofile", "--norc", "-e", "-c", command])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("MIGRATIONS_DIR", self.path("migrations"))
            .env("GITHUB_STEP_SUMMARY", self.path("target/summary.md"))
            .envs(env.iter().map(|(name, value)| (*name, value)))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(LIMIT, child).await.expect("it ends in time").expect("bash can be run");
        let text =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        canary::check(command, &text);
        Step { code: output.status.code(), text }
    }

    fn read(&self, name: &str) -> String {
        let text = fs::read_to_string(self.path(name)).unwrap_or_default();
        canary::check(name, &text);
        text
    }
}

on_each_server!(a_pull_request_is_checked);

async fn a_pull_request_is_checked(server: &'static Server) {
    let checkout = Checkout::new(server.url("").trim_end_matches('/')).await;
    let up = "CREATE TABLE notes (\n    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,\n    body TEXT NOT NULL,\n    PRIMARY \
              KEY (id)\n) ENGINE = InnoDB DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_ci;\n";
    checkout.add(up, "DROP TABLE notes;\n").await;
    for job in ["lint", "verify"] {
        let step = checkout.job(job, "").await;
        assert_eq!(step.code, Some(0), "{job}: {}", step.text);
    }
    let summary = checkout.read("target/summary.md");
    assert!(summary.contains(&format!("{VERSION}_notes.up.sql")), "{summary}");
    assert!(!summary.contains("20250102090000"), "only what is new: {summary}");
    assert!(checkout.read("target/migrations.xml").contains("failures=\"0\""));

    // The undo forgets the table.
    checkout.add(up, "DROP TABLE IF EXISTS note;\n").await;
    let step = checkout.job("verify", "").await;
    assert_eq!(step.code, Some(1), "{}", step.text);
    let annotation = format!("::error file=migrations/tenant/{VERSION}_notes.");
    assert!(step.text.lines().any(|line| line.starts_with(&annotation)), "{}", step.text);
    assert!(checkout.read("target/summary.md").contains("❌ V104"));
    assert!(checkout.read("target/migrations.xml").contains("type=\"V104\""));

    // A migration of the base branch is edited.
    let name = "migrations/tenant/20250102090000_create_users.up.sql";
    let text = checkout.read(name);
    fs::write(checkout.path(name), format!("{text}-- later\n")).expect("a file");
    checkout.commit().await;
    let step = checkout.job("lint", "").await;
    assert_eq!(step.code, Some(1), "{}", step.text);
    let annotation = format!("::error file={name},");
    assert!(
        step.text.lines().any(|line| line.starts_with(&annotation) && line.contains("X006")),
        "{}",
        step.text
    );
}

#[tokio::test]
async fn one_check_stands_for_all() {
    let workflow = workflow();
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let needed = workflow["jobs"]["migrations"]["needs"].as_array().expect("a list");
    let others: Vec<_> = jobs.keys().filter(|job| *job != "migrations").collect();
    assert_eq!(needed.iter().filter_map(Value::as_str).collect::<Vec<_>>(), others);
    let matrix = workflow["jobs"]["verify"]["strategy"]["matrix"]["include"].as_array().expect("a list");
    let servers: Vec<_> = matrix.iter().filter_map(|entry| entry["server"].as_str()).collect();
    assert_eq!(servers, ["mysql:8.4", "mariadb:10.11"]);
    assert_eq!(workflow["permissions"], serde_json::json!({ "contents": "read" }));
    let run = jobs["migrations"]["steps"][0]["run"].as_str().expect("a command");
    for (results, is_well) in
        [("success success", true), ("success failure", false), ("cancelled success", false)]
    {
        let status = Command::new("bash").args(["-e", "-c", run]).env("RESULTS", results).status();
        assert_eq!(status.await.expect("bash can be run").success(), is_well, "{results}");
    }
}

#[tokio::test]
async fn the_local_command_has_the_same_options() {
    let output = Invocation::new(Program::Xtask, "ci --help").await;
    output.exits(0);
    for option in ["--since", "--only", "--dir", "--server", "--seed", "--junit", "--markdown"] {
        assert!(output.stdout.contains(option), "{option}\n{output}");
    }
}
