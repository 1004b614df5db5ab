//! What git has of a folder, in real repositories.

use std::{fs, path::Path, process::Command};

use backend_migrations::{
    disk,
    git::{Base, GitError, prefix},
    migration::Version,
};

/// A repository of its own.
struct Repository {
    folder: tempfile::TempDir,
}

impl Repository {
    fn new() -> Self {
        let repository = Self { folder: tempfile::tempdir().expect("a folder can be made") };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.git(&["config", "user.name", "Test"]);
        repository.git(&["config", "user.email", "test@example.com"]);
        repository.git(&["config", "commit.gpgsign", "false"]);
        repository
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn tenant(&self) -> std::path::PathBuf {
        self.path().join("migrations/tenant")
    }

    fn git(&self, arguments: &[&str]) {
        let output =
            Command::new("git").arg("-C").arg(self.path()).args(arguments).output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    #[expect(clippy::disallowed_methods, reason = "a test writes its files")]
    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.tenant()).expect("a folder can be made");
        fs::write(self.tenant().join(name), text).expect("a file can be written");
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }
}

#[test]
fn new_and_changed_are_told_apart_from_what_the_base_got_since() {
    let repository = Repository::new();
    repository.write("1_a.up.sql", "SELECT 1;");
    repository.write("1_a.down.sql", "SELECT 1;");
    repository.write("2_b.up.sql", "SELECT 2;\0\n");
    repository.write("3_c.up.sql", "SELECT 3;");
    repository.commit("first");
    repository.git(&["checkout", "--quiet", "-b", "work"]);
    repository.git(&["checkout", "--quiet", "main"]);
    repository.write("5_on_main.up.sql", "SELECT 5;");
    repository.commit("main goes on");
    repository.git(&["checkout", "--quiet", "work"]);
    repository.write("1_a.down.sql", "SELECT 11;");
    repository.write("2_b.up.sql", "SELECT 2;\n");
    repository.write("4_d.up.sql", "SELECT 4;");

    let base = Base::read(&repository.tenant(), "main").expect("git answers");
    let names = |files: &backend_migrations::git::Files| files.keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(names(&base.forked), "1_a.down.sql 1_a.up.sql 2_b.up.sql 3_c.up.sql");
    assert_eq!(names(&base.tip), "1_a.down.sql 1_a.up.sql 2_b.up.sql 3_c.up.sql 5_on_main.up.sql");
    assert_eq!(base.forked["2_b.up.sql"], b"SELECT 2;\0\n");
    let set = disk::load(&repository.tenant()).expect("the files are sound");
    let changed: Vec<_> = base.changed(&set).into_iter().collect();
    assert_eq!(changed, [Version(1), Version(2), Version(4)]);
    assert_eq!(prefix(&repository.tenant()).expect("git answers"), "migrations/tenant/");
    assert_eq!(prefix(repository.path()).expect("git answers"), "");
}

#[test]
fn a_folder_that_was_not_there_had_no_files() {
    let repository = Repository::new();
    repository.git(&["commit", "--quiet", "--allow-empty", "--message", "first"]);
    repository.write("1_a.up.sql", "SELECT 1;");
    let base = Base::read(&repository.tenant(), "HEAD").expect("git answers");
    assert!(base.forked.is_empty() && base.tip.is_empty());
}

#[test]
fn what_git_cannot_answer_is_said_with_the_next_step() {
    let repository = Repository::new();
    repository.write("1_a.up.sql", "SELECT 1;");
    repository.commit("first");
    repository.git(&["checkout", "--quiet", "--orphan", "other"]);
    repository.commit("another beginning");
    let elsewhere = tempfile::tempdir().expect("a folder can be made");
    let errors = [
        Base::read(&repository.tenant(), "origin/main"),
        Base::read(&repository.tenant(), "--help"),
        Base::read(&repository.tenant(), "main"),
        Base::read(elsewhere.path(), "main"),
    ]
    .map(|result| result.expect_err("there is no answer"));
    assert!(matches!(errors[3], GitError::NoRepository { .. }));
    let folder = elsewhere.path().display().to_string();
    insta::assert_snapshot!(errors.map(|error| error.to_string().replace(&folder, "FOLDER")).join("\n"));
}
