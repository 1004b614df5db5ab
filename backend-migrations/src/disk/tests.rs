//! Folders as they are found in the field.

use std::{fs, path::Path};

use super::{LoadError, from_files, load};
use crate::migration::{MigrationSet, Version};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

/// Names that sqlx takes, or passes over as we do.
const ODD: &[(&str, &str)] = &[
    ("20250127120000_add_priority_to_tasks.up.sql", "ALTER TABLE tasks ADD priority INT;\n"),
    ("20250127120000_add_priority_to_tasks.down.sql", "ALTER TABLE tasks DROP priority;\n"),
    ("0001_first.sql", "SELECT 1"),
    ("2_crlf.sql", "SELECT 1;\r\nSELECT 2;\r\n"),
    ("+3_plus.sql", "SELECT 3"),
    ("-4_negative.sql", "SELECT 4"),
    ("5_twice.sql.sql", "SELECT 5"),
    ("6_twice.up.sql.up.sql", "SELECT 6"),
    ("7_.sql", "SELECT 7"),
    ("8_up.sql", "SELECT 8"),
    ("9_.up.sql", "SELECT 9"),
    ("10_a__b_ c.d-é.sql", "SELECT 'é'"),
    ("0_zero.sql", "-- nothing yet"),
    ("11_a.up.sql", "SELECT 11"),
    ("11_another_word_for_it.down.sql", "SELECT 11"),
    ("9223372036854775807_last.sql", "SELECT 1"),
    ("-9223372036854775808_least.sql", "SELECT 1"),
    ("README.md", "# Migrations"),
    ("my_notes.txt", "not SQL '"),
    (".gitkeep", ""),
    ("lint.toml", ""),
    ("12_x.sql.bak", "SELECT '"),
];

#[tokio::test]
async fn sqlx_reads_the_same_migrations() {
    let dir = folder(ODD);
    fs::create_dir(dir.path().join("13_folder")).unwrap();
    fs::write(dir.path().join("13_folder/14_below.sql"), "SELECT 1").unwrap();

    let theirs = sqlx::migrate::Migrator::new(dir.path()).await.unwrap();
    let theirs: Vec<_> = theirs
        .iter()
        .filter(|migration| migration.migration_type.is_up_migration())
        .map(|migration| (migration.version, migration.description.to_string(), migration.checksum.to_vec()))
        .collect();
    let ours = load(dir.path()).unwrap();
    let ours: Vec<_> = ours
        .iter()
        .map(|migration| {
            (migration.version.0, migration.description.clone(), migration.up.checksum.0.to_vec())
        })
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 15);
}

#[tokio::test]
async fn sqlx_knows_the_same_down_scripts() {
    let dir = folder(ODD);
    let theirs = sqlx::migrate::Migrator::new(dir.path()).await.unwrap();
    let theirs: Vec<_> = theirs
        .iter()
        .filter(|migration| migration.migration_type.is_down_migration())
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .collect();
    let ours = load(dir.path()).unwrap();
    let ours: Vec<_> = ours
        .iter()
        .filter_map(|migration| Some((migration.version.0, migration.down.as_ref()?.checksum.0.to_vec())))
        .collect();
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 2);
}

#[test]
fn files_in_memory_make_the_set_that_the_folder_makes() {
    let dir = folder(ODD);
    assert_eq!(from_files(ODD.iter().copied()).unwrap(), load(dir.path()).unwrap());
}

#[test]
fn an_empty_folder_is_an_empty_set() {
    assert_eq!(load(folder(&[]).path()).unwrap(), MigrationSet::default());
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_followed() {
    let dir = folder(&[]);
    let elsewhere = folder(&[("file", "SELECT 1")]);
    std::os::unix::fs::symlink(elsewhere.path().join("file"), dir.path().join("1_linked.sql")).unwrap();
    let set = load(dir.path()).unwrap();
    assert_eq!(set.get(Version(1)).unwrap().up.statements[0].text, "SELECT 1");

    std::os::unix::fs::symlink(elsewhere.path().join("nowhere"), dir.path().join("2_broken.sql")).unwrap();
    insta::assert_snapshot!(load(dir.path()).unwrap_err(), @r#"
    a migration file is not as it should be:
      2_broken.sql: cannot be read: No such file or directory (os error 2)
        hint: check that the file, or what a symbolic link points to, is there and readable
    "#);
}

/// sqlx passes over them in silence. A pipe is not opened: there would be no end to the wait for its writer.
#[test]
fn what_is_no_file_and_has_a_migrations_name_is_refused() {
    let dir = folder(&[("1_first.sql", "SELECT 1")]);
    fs::create_dir(dir.path().join("2_folder.up.sql")).unwrap();
    fs::create_dir(dir.path().join("archive")).unwrap();
    let pipe = dir.path().join("3_pipe.sql");
    assert!(std::process::Command::new("mkfifo").arg(pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/null", dir.path().join("4_device.sql")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("5_socket.sql")).unwrap();
    insta::assert_snapshot!(told(dir.path()));
    let survey = super::survey(dir.path()).unwrap();
    let faults: Vec<_> = survey.faults.iter().map(|fault| (fault.code.0, &*fault.file_name)).collect();
    let named = ["2_folder.up.sql", "3_pipe.sql", "4_device.sql", "5_socket.sql"];
    assert_eq!(faults, named.map(|name| ("X002", name)));
}

fn told(dir: &Path) -> String {
    let error = load(dir).unwrap_err();
    let message = error.to_string();
    message.replace(&*dir.to_string_lossy(), "<dir>")
}

#[test]
fn a_folder_that_cannot_be_read_is_named() {
    let dir = folder(&[("file", "")]);
    let error = load(&dir.path().join("nowhere")).unwrap_err();
    assert!(
        matches!(&error, LoadError::Folder { cause, .. } if cause.kind() == std::io::ErrorKind::NotFound)
    );
    assert!(error.problems().is_empty());
    let not_there = error.to_string().replace(&*dir.path().to_string_lossy(), "<dir>");
    insta::assert_snapshot!(not_there, @r#"
    cannot read the migrations folder `<dir>/nowhere`: No such file or directory (os error 2)
      hint: there is no such folder: name the right one with `--migrations` or `MIGRATIONS_DIR`, or make it with a first migration
    "#);
    let file = load(&dir.path().join("file")).unwrap_err();
    insta::assert_snapshot!(file.to_string().replace(&*dir.path().to_string_lossy(), "<dir>"), @r#"
    cannot read the migrations folder `<dir>/file`: Not a directory (os error 20)
      hint: this is a file: name the folder that the migrations are in
    "#);
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let dir = folder(&[
        ("1_ok.up.sql", "SELECT 1"),
        ("2_same.sql", "SELECT 1"),
        ("02_same_again.sql", "SELECT 1"),
        ("3_up.up.sql", "SELECT 1"),
        ("3_up.down.sql", "SELECT 1"),
        ("3_down_again.down.sql", "SELECT 1"),
        ("4_orphan.down.sql", "SELECT 1"),
        ("5_mixed.sql", "SELECT 1"),
        ("5_mixed.up.sql", "SELECT 1"),
        ("6_mixed.sql", "SELECT 1"),
        ("6_mixed.down.sql", "SELECT 1"),
        ("seed_data.sql", "SELECT 1"),
        ("_x.sql", "SELECT 1"),
        ("9223372036854775808_too_large.sql", "SELECT 1"),
        ("nounder.sql", "SELECT 1"),
        ("20250127120000.up.sql", "SELECT 1"),
        ("9_UP.SQL", "SELECT 1"),
        ("10_x.UP.sql", "SELECT 1"),
        ("10_x.Down.sql", "SELECT 1"),
        ("11_empty.up.sql", ""),
        ("12_broken.up.sql", "SELECT 1;\nSELECT 'a;\n"),
        ("13_broken.down.sql", "COMMIT;"),
        ("13_broken.up.sql", "SELECT 1;\n\nDELIMITER //\n"),
        ("14_\u{1b}[31mred.sql", "BEGIN;"),
    ]);
    insta::assert_snapshot!(told(dir.path()), @r#"
    18 problems in the migration files:
      10_x.Down.sql: the suffix is not in lower case
        hint: sqlx would not run it as meant: rename it to `10_x.down.sql`, or move it out of the folder
      10_x.UP.sql: the suffix is not in lower case
        hint: sqlx would not run it as meant: rename it to `10_x.up.sql`, or move it out of the folder
      11_empty.up.sql:1: the file holds neither a statement nor a comment
        hint: write its statements; where one is meant to do nothing, say so: `DO 0;`
      12_broken.up.sql:2: a string begins here and never ends
        hint: close it with the quote it begins with; inside, write that quote twice or with a backslash before it
      13_broken.down.sql:1: `COMMIT` controls the transaction, which belongs to the run
        hint: remove it: a file of INSERT, UPDATE and DELETE alone runs as one transaction, and MySQL commits every DDL by itself; a commit in between would mark the migration as half done for good
      13_broken.up.sql:3: DELIMITER is a command of the mysql client, not SQL
        hint: remove the DELIMITER lines and end each body with `END;`: where a body ends is found without them
      14_\u{1b}[31mred.sql:1: `BEGIN` controls the transaction, which belongs to the run
        hint: remove it: a file of INSERT, UPDATE and DELETE alone runs as one transaction, and MySQL commits every DDL by itself; a commit in between would mark the migration as half done for good
      20250127120000.up.sql: there is no `_` after a version
        hint: sqlx would not run it as meant: rename it to `20250127120000_<what it does>.up.sql`, or move it out of the folder
      2_same.sql: version 2 is in `02_same_again.sql` as well
        hint: give the one that is applied nowhere a newer version; a pair of up and down shares one
      3_up.down.sql: version 3 is in `3_down_again.down.sql` as well
        hint: give the one that is applied nowhere a newer version; a pair of up and down shares one
      4_orphan.down.sql: nothing to undo: there is no `.up.sql` of this version
        hint: restore the `.up.sql`, or check that both carry the same version; else remove this file
      5_mixed.sql: version 5 has a reversible form as well, in `5_mixed.up.sql`
        hint: keep one form: `….sql` alone, or the pair `….up.sql` and `….down.sql`
      6_mixed.sql: version 6 has a reversible form as well, in `6_mixed.down.sql`
        hint: keep one form: `….sql` alone, or the pair `….up.sql` and `….down.sql`
      9223372036854775808_too_large.sql: the version `9223372036854775808` does not fit: 9223372036854775807 is the largest
        hint: use the UTC time as YYYYMMDDHHMMSS, 14 digits
      9_UP.SQL: the suffix is not in lower case
        hint: sqlx would not run it as meant: rename it to `9_UP.sql`, or move it out of the folder
      _x.sql: ``, what stands before the first `_`, is no integer
        hint: sqlx would stop at it with every command: name it `<YYYYMMDDHHMMSS>_<what it does>.up.sql`, or move it out of the folder
      nounder.sql: there is no `_` after a version
        hint: sqlx would not run it as meant: rename it to `<YYYYMMDDHHMMSS>_nounder.sql`, or move it out of the folder
      seed_data.sql: `seed`, what stands before the first `_`, is no integer
        hint: sqlx would stop at it with every command: name it `<YYYYMMDDHHMMSS>_<what it does>.up.sql`, or move it out of the folder
    "#);
}

#[test]
fn one_problem_is_one() {
    insta::assert_snapshot!(told(folder(&[("1_x.sql", "\u{feff}SELECT 1")]).path()), @r#"
    a migration file is not as it should be:
      1_x.sql:1: the file begins with a byte order mark
        hint: save the file as UTF-8 without a byte order mark, which the server would answer with error 1064; a migration that is applied has its checksum back with that
    "#);
}
