//! `migrate:lint` and `migrate:restamp` by the real program, on real folders in real git repositories.

use std::{fs, path::PathBuf, process::Command};

use end_to_end::{Invocation, Program, assert_output};
use serde_json::{Value, json};

/// A repository with `migrations/tenant`, and what a branch makes of it.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    /// On a branch `work` of a `main` that has these files and then goes on with `later`.
    fn new(files: &[(&str, &str)], later: &[(&str, &str)]) -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("a folder") };
        repository.git("init --quiet --initial-branch=main");
        for (name, value) in
            [("user.name", "Test"), ("user.email", "test@example.com"), ("commit.gpgsign", "false")]
        {
            repository.git(&format!("config {name} {value}"));
        }
        for (name, text) in files {
            repository.write(name, text);
        }
        repository.commit("first");
        repository.git("branch work");
        for (name, text) in later {
            repository.write(name, text);
        }
        repository.commit("later");
        repository.git("checkout --quiet work");
        repository
    }

    fn git(&self, arguments: &str) {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.folder.path())
            .args(arguments.split(' '))
            .output()
            .expect("git runs");
        assert!(output.status.success(), "git {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn commit(&self, message: &str) {
        self.git("add --all");
        self.git(&format!("commit --quiet --allow-empty --message {message}"));
    }

    fn tenant(&self) -> PathBuf {
        self.folder.path().join("migrations/tenant")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("migrations").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.tenant()).expect("a folder");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn run(&self, args: &str) -> Invocation {
        Invocation::new(Program::BackendMigrations, args).folder(self.folder.path())
    }
}

const CREATE: (&str, &str) = (
    "tenant/20260101000000_create_tasks.up.sql",
    "CREATE TABLE tasks (\n    id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,\n    title VARCHAR(200) NOT NULL,\n    note TEXT\n);\n",
);
const CREATE_DOWN: (&str, &str) = ("tenant/20260101000000_create_tasks.down.sql", "DROP TABLE tasks;\n");

#[tokio::test]
async fn findings_of_every_weight() {
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[]);
    repository.write(
        "tenant/20260102000000_shrink.up.sql",
        "ALTER TABLE tasks\n    MODIFY title VARCHAR(100),\n    DROP COLUMN note;\n",
    );
    repository
        .write("tenant/20260103000000_open.up.sql", "INSERT INTO tasks (title) VALUES ('never closed);\n");
    repository.write("tenant/seed.sql", "DO 1;\n");
    let output = repository.run("migrate:lint").await;
    assert_eq!(output.code, Some(1));
    assert_output!("lint_findings", output);
    let json = repository.run("migrate:lint --format json").await;
    assert_eq!(json.code, Some(1));
    let n_findings = json.stdout.lines().filter(|line| line.contains(r#""event":"finding""#)).count();
    assert_eq!(
        n_findings,
        output.stdout.lines().filter(|line| line.contains("]: ")).count(),
        "{}",
        json.stdout
    );
    assert_output!("lint_github", repository.run("migrate:lint --format github").await);
}

#[tokio::test]
async fn what_is_declared_and_suppressed_is_not_told() {
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[]);
    repository.write(
        "tenant/20260102000000_drop_note.up.sql",
        "-- migration: loses tasks.note nobody reads it\n-- lint:ignore X022 it is meant for people at a prompt\n\
         ALTER TABLE tasks DROP COLUMN note;\nSELECT 'done';\n",
    );
    repository.write("tenant/20260102000000_drop_note.down.sql", "ALTER TABLE tasks ADD COLUMN note TEXT;\n");
    repository.write(
        "lint.toml",
        "[severity]\nX011 = \"off\"\n\n[[suppress]]\ncode = \"D101\"\nmigration = 20260101000000\nreason = \"it was there once\"\n",
    );
    let output = repository.run("migrate:lint").await;
    assert_eq!(output.code, Some(0));
    assert_output!("lint_suppressed", output);
    repository.write("lint.toml", "[severity]\nX011 = \"loud\"\n");
    assert_output!("lint_side_file", repository.run("migrate:lint").await);
}

#[tokio::test]
async fn a_branch_is_held_to_what_the_base_branch_has() {
    let late = ("tenant/20260301000000_on_main.up.sql", "-- migration: irreversible it is a test\nDO 1;\n");
    let other = ("tenant/20260101000001_other.up.sql", "-- migration: irreversible it is a test\nDO 1;\n");
    let repository = Repository::new(&[CREATE, CREATE_DOWN, other], &[late]);
    let sound = repository.run("migrate:lint --since main").await;
    assert_eq!(sound.code, Some(0), "{}", sound.stdout);
    assert!(sound.stdout.contains("0 migrations"), "{}", sound.stdout);

    repository.write(CREATE.0, "CREATE TABLE tasks (id INT PRIMARY KEY);\n");
    fs::remove_file(repository.tenant().join("20260101000001_other.up.sql")).expect("a file");
    repository
        .write("tenant/20260201000000_new.up.sql", "ALTER TABLE tasks ADD COLUMN done_at TIMESTAMP NULL;\n");
    repository.write("tenant/20260201000000_new.down.sql", "ALTER TABLE tasks DROP COLUMN done_at;\n");
    assert_output!("lint_since", repository.run("migrate:lint --since main").await);
    assert_output!("lint_since_nowhere", repository.run("migrate:lint --since origin/main").await);
}

#[tokio::test]
async fn new_migrations_get_newer_versions() {
    let late = ("tenant/20260301000000_on_main.up.sql", "DO 1;\n");
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[late]);
    repository.write("tenant/20260201000000_new.up.sql", "DO 1;\n");
    repository.write("tenant/20260201000000_new.down.sql", "DO 1;\n");
    let before = repository.names();
    let dry = repository.run("migrate:restamp --since main --dry-run").await;
    assert_eq!((dry.code, repository.names()), (Some(0), before.clone()), "{}", dry.stderr);
    assert_eq!(
        dry.stdout.lines().filter(|line| line.starts_with("Would rename ")).count(),
        2,
        "{}",
        dry.stdout
    );

    let refused = repository.run("migrate:restamp 20260101000000 --since main").await;
    assert_eq!(repository.names(), before);
    assert_output!("restamp_refused", refused);

    let output = repository.run("migrate:restamp --since main").await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let names = repository.names();
    let version = |suffix: &str| {
        let name = names.iter().find(|name| name.ends_with(suffix)).expect("the pair is there");
        name.split('_').next().expect("a version").parse::<i64>().expect("a number")
    };
    assert_eq!(names.len(), before.len());
    assert_eq!(version("_new.up.sql"), version("_new.down.sql"));
    assert!(version("_new.up.sql") > 20_260_301_000_000, "{names:?}");

    let again = repository.run("migrate:restamp --since main").await;
    assert_eq!((again.code, repository.names()), (Some(0), names), "{}", again.stdout);
    let linted = repository.run("migrate:lint --since main").await;
    assert!(!linted.stdout.contains("X005"), "{}", linted.stdout);
}

#[tokio::test]
async fn a_program_is_told_of_a_restamp_whatever_it_comes_to() {
    let late = ("tenant/20260301000000_on_main.up.sql", "DO 1;\n");
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[late]);
    let told = async |args: &str| -> Vec<Value> {
        let output = repository.run(&format!("migrate:restamp --since main --format json {args}")).await;
        output.exits(0);
        output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let finished = |n_files: usize, is_dry_run: bool| {
        json!({
            "schema": 1, "event": "restamp-finished", "n_files": n_files, "side_file": null, "is_dry_run": is_dry_run,
        })
    };
    assert_eq!(told("").await, [finished(0, false)]);
    repository.write("tenant/20260201000000_new.up.sql", "DO 1;\n");
    for (args, is_dry_run) in [("--dry-run", true), ("", false)] {
        let lines = told(args).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["event"], "migration-restamped");
        assert_eq!(lines[0]["is_dry_run"], is_dry_run);
        assert!(lines[0]["from"].as_str().expect("a path").ends_with("20260201000000_new.up.sql"));
        assert_eq!(lines[1], finished(1, is_dry_run));
    }
}

#[tokio::test]
async fn what_is_said_beside_the_files_is_renamed_with_them() {
    let late = ("tenant/20260301000000_on_main.up.sql", "DO 1;\n");
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[late]);
    repository.write("tenant/20260201000000_new.up.sql", "DO 1;\n");
    repository.write("central/20260201000000_new.up.sql", "DO 1;\n");
    let side_file = "# Kept as it is.\n[[declare]]\nmigration = 20260201000000 # the new one\nset = \"tenant\"\ndirective = \
                     \"irreversible\"\nreason = \"20260201000000 does nothing\"\n\n[[declare]]\nmigration = 20260101000000\n\
                     directive = \"loses tasks.note\"\nreason = \"of old\"\n\n[[suppress]]\ncode = \"X022\"\nset = \"tenant\"\n\
                     file = '20260201000000_new.up.sql'\nreason = \"for people\"\n\n[[suppress]]\ncode = \"X011\"\nset = \
                     \"central\"\nmigration = 20260201000000\nreason = \"another one\"\n";
    repository.write("lint.toml", side_file);
    let dry = repository.run("migrate:restamp --since main --dry-run").await;
    dry.exits(0).says("Would change their entries in ");
    let path = repository.folder.path().join("migrations/lint.toml");
    assert_eq!(fs::read_to_string(&path).unwrap(), side_file);

    repository.run("migrate:restamp --since main").await.exits(0).says("Changed their entries in ");
    let names = repository.names();
    let name = names.iter().find(|name| name.ends_with("_new.up.sql")).expect("it is there");
    let version = name.split('_').next().unwrap();
    let expected = side_file
        .replacen("migration = 20260201000000 #", &format!("migration = {version} #"), 1)
        .replace("'20260201000000_new.up.sql'", &format!("\"{name}\""));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
}

#[tokio::test]
async fn an_entry_says_which_set_it_means() {
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[]);
    let drop = "ALTER TABLE tasks DROP COLUMN note;\n";
    for set in ["central", "tenant"] {
        repository.write(&format!("{set}/20260101000000_create_tasks.up.sql"), CREATE.1);
        repository.write(&format!("{set}/20260101000000_create_tasks.down.sql"), CREATE_DOWN.1);
        repository.write(&format!("{set}/20260102000000_drop_note.up.sql"), drop);
        let down = "ALTER TABLE tasks ADD COLUMN note TEXT;\n";
        repository.write(&format!("{set}/20260102000000_drop_note.down.sql"), down);
    }
    let entry = |set: &str| {
        format!(
            "[[declare]]\nmigration = 20260102000000\n{set}directive = \"loses tasks.note\"\nreason = \"nobody reads it\"\n"
        )
    };
    repository.write("lint.toml", &entry(""));
    assert_output!("lint_which_set", repository.run("migrate:lint").await);
    repository.write("lint.toml", &entry("set = \"tenants\"\n"));
    assert_output!("lint_no_such_set", repository.run("migrate:lint").await);
    repository.write("lint.toml", &entry("set = \"tenant\"\n"));
    let output = repository.run("migrate:lint").await;
    let d103: Vec<_> = output.stdout.lines().filter(|line| line.contains("drop_note.up.sql")).collect();
    assert!(!d103.is_empty() && d103.iter().all(|line| line.contains("central")), "{output}");
    // Where one folder alone is looked at, the others' entries are nobody's.
    repository.write("lint.toml", &entry("set = \"central\"\n"));
    let output = repository.run("migrate:lint --dir migrations/tenant").await;
    output.exits(1).says("D103");
    assert!(!output.stdout.contains("X027"), "{output}");
    // A proof is not suppressed.
    let suppress =
        "[[suppress]]\ncode = \"V104\"\nmigration = 20260101000000\nset = \"tenant\"\nreason = \"x\"\n";
    repository.write("lint.toml", suppress);
    repository.run("migrate:lint").await.says("V104 is a proof and no rule");
}

#[tokio::test]
async fn what_cannot_be_linted_is_refused() {
    let repository = Repository::new(&[CREATE, CREATE_DOWN], &[]);
    fs::create_dir(repository.folder.path().join("empty")).expect("a folder");
    for (args, says) in [
        ("--only 42", "there is no migration 42"),
        ("--dir empty", "there are no migrations in `empty`"),
        ("--dir nowhere", "cannot read the migrations folder `nowhere`"),
        ("--since nowhere", "there is no `nowhere` in this repository"),
        (
            "--since main --only 20260101000000",
            "migration 20260101000000 is neither new nor changed against main",
        ),
    ] {
        let output = repository.run(&format!("migrate:lint {args}")).await;
        output.exits(4).says(says).says("hint: ");
        assert_eq!(output.stdout, "", "{output}");
    }
}

#[tokio::test]
async fn a_rule_is_explained() {
    let run = |args| Invocation::new(Program::BackendMigrations, args);
    assert_output!("lint_explain", run("migrate:lint --explain d103").await);
    assert_output!("lint_explain_nothing", run("migrate:lint --explain Z999").await);
    assert_output!("lint_format", run("migrate:make add_a_to_b --format github").await);
}

/// The bound is far above what it takes, and far below what would be felt as waiting.
#[tokio::test]
async fn a_thousand_files_are_linted_while_one_looks() {
    let repository = Repository::new(&[], &[]);
    for table in 0..250_i64 {
        let version = 20_260_101_000_000 + 2 * table;
        repository.write(
            &format!("tenant/{version}_create.up.sql"),
            &format!("CREATE TABLE t{table} (\n    id BIGINT NOT NULL AUTO_INCREMENT,\n    name VARCHAR(100) NOT NULL,\n    PRIMARY KEY (id)\n);\n"),
        );
        repository.write(&format!("tenant/{version}_create.down.sql"), &format!("DROP TABLE t{table};\n"));
        let version = version + 1;
        repository.write(
            &format!("tenant/{version}_add.up.sql"),
            &format!("ALTER TABLE t{table} ADD COLUMN a INT NULL;\n"),
        );
        repository.write(
            &format!("tenant/{version}_add.down.sql"),
            &format!("ALTER TABLE t{table} DROP COLUMN a;\n"),
        );
    }
    let started = std::time::Instant::now();
    let output = repository.run("migrate:lint").await;
    assert!(output.stdout.contains("500 migrations"), "{}", output.stdout);
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "{:?}", started.elapsed());
}
