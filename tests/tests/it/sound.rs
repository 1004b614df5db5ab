//! Verify passes what is sound, and says what rows and writers lose.

use std::{fmt::Write as _, path::Path};

use backend_migrations::{
    directive::SideFile,
    disk,
    finding::{Finding, Severity},
    migration::{Migration, MigrationSet, Version},
    mysql::{MySqlConnector, parse_url},
    scratch,
    session::Limits,
    sql::parse_script,
    verify::{self, Job, Proof},
};
use end_to_end::{Server, on_each_server, tell};
use tokio_util::sync::CancellationToken;

on_each_server!(
    every_kind_of_sound_migration_passes,
    what_is_sound_on_this_server_alone_passes,
    rows_that_are_lost_are_named,
    rows_that_are_kept_or_declared_lost_pass,
    what_blocks_writes_is_named_unless_declared,
);

async fn prove(server: &'static Server, set: &MigrationSet) -> Proof {
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let target = parse_url(&server.url("mysql"), "sound").expect("a URL");
    let job = Job {
        connector: &connector,
        server: &target,
        run: scratch::Run::new().expect("a word"),
        name: "sound",
        folder: "tests/sound",
        set,
        selected: None,
        side_file: &SideFile::default(),
        fixtures: &[],
        seed: 1,
        tell: &|_| {},
    };
    verify::verify(job).await.expect("the server can be worked with")
}

fn told<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    findings.fold(String::new(), |mut text, finding| {
        let file = finding.at.as_ref().map(|at| at.file_name.as_str()).unwrap_or_default();
        let _ = writeln!(text, "{} {} {file}: {}", finding.severity, finding.code, finding.message);
        for more in finding.notes.iter().chain(&finding.diff) {
            let _ = writeln!(text, "    {more}");
        }
        text
    })
}

async fn passes(server: &'static Server, folder: &str, n_at_least: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sound").join(folder);
    let set = disk::load(&folder).expect("the files are sound");
    assert!(set.len() >= n_at_least, "{} migrations", set.len());
    let proof = prove(server, &set).await;
    tell(&format!(
        "{} sound migrations proven on {} in {:?}",
        set.len(),
        server.flavour(),
        proof.suite.elapsed
    ));
    let told = told(proof.suite.findings());
    assert!(told.is_empty(), "\n{told}");
    let n_costs: usize = proof.suite.migrations.iter().map(|migration| migration.costs.len()).sum();
    assert!(n_costs > 0, "costs were asked");
}

async fn every_kind_of_sound_migration_passes(server: &'static Server) {
    passes(server, "common", 60).await;
}

async fn what_is_sound_on_this_server_alone_passes(server: &'static Server) {
    passes(server, if server.is_mysql() { "mysql" } else { "mariadb" }, 5).await;
}

/// Proves a migration after one that makes tables for it; gives the findings of `code`.
async fn findings(server: &'static Server, code: &str, up: &str, down: &str) -> Vec<Finding> {
    const BASE: &str = "CREATE TABLE tasks (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(50) NOT NULL, note VARCHAR(50) NULL,
         size INT NOT NULL DEFAULT 1);
         CREATE TABLE log (line VARCHAR(30) NULL, n INT NULL);";
    let migration = |version, up: &str, down: &str| Migration {
        version: Version(version),
        description: "t".into(),
        up: parse_script(&format!("{version}_t.up.sql"), up.as_bytes()).expect("SQL"),
        down: Some(parse_script(&format!("{version}_t.down.sql"), down.as_bytes()).expect("SQL")),
    };
    let base = migration(1, BASE, "DROP TABLE log;\nDROP TABLE tasks;");
    let set = MigrationSet::new(vec![base, migration(2, up, down)]).expect("two versions");
    let proof = prove(server, &set).await;
    let all: Vec<_> = proof.suite.findings().cloned().collect();
    let others: Vec<_> =
        all.iter().filter(|finding| finding.code.0 != code && finding.code.0 != "V202").collect();
    assert!(others.is_empty(), "{up}\n{}", told(others.into_iter()));
    all.into_iter().filter(|finding| finding.code.0 == code).collect()
}

async fn rows_that_are_lost_are_named(server: &'static Server) {
    for (up, down, expected) in [
        (
            "ALTER TABLE tasks DROP COLUMN note;",
            "ALTER TABLE tasks ADD COLUMN note VARCHAR(50) NULL AFTER title;",
            "2 of 3 rows have another value in `tasks`.`note`",
        ),
        (
            "UPDATE tasks SET title = 'gone';",
            "UPDATE tasks SET size = size;",
            "3 of 3 rows have another value in `tasks`.`title`",
        ),
        ("DELETE FROM log;", "UPDATE tasks SET size = size;", "3 of 3 rows are gone from table `log`"),
        (
            "DELETE FROM tasks WHERE id = 1;",
            "UPDATE tasks SET size = size;",
            "1 of 3 rows is gone from table `tasks`",
        ),
    ] {
        let found = findings(server, "V106", up, down).await;
        let [finding] = &found[..] else { panic!("one finding for {up}, not\n{}", told(found.iter())) };
        assert!(finding.message.starts_with(expected), "{up}: {}", finding.message);
        assert_eq!(finding.severity, Severity::Error);
        assert!(
            finding.hint.as_deref().is_some_and(|hint| hint.contains("-- migration: loses ")),
            "{finding:?}"
        );
    }
    let found = findings(server, "V106", "INSERT INTO log VALUES ('a', 1);", "UPDATE log SET n = n;").await;
    assert_eq!(found[0].message, "`down` leaves 1 row in table `log` that `up` put there");
    assert_eq!(found[0].severity, Severity::Warning);
}

async fn rows_that_are_kept_or_declared_lost_pass(server: &'static Server) {
    for (up, down) in [
        ("UPDATE tasks SET size = size + 1;", "UPDATE tasks SET size = size - 1;"),
        ("INSERT INTO log VALUES ('mine', 1);", "DELETE FROM log WHERE line = 'mine';"),
        (
            "CREATE TABLE kept AS SELECT id, note FROM tasks; ALTER TABLE tasks DROP COLUMN note;",
            "ALTER TABLE tasks ADD COLUMN note VARCHAR(50) NULL AFTER title;
             UPDATE tasks t JOIN kept k ON k.id = t.id SET t.note = k.note; DROP TABLE kept;",
        ),
        (
            "-- migration: loses tasks.note nobody reads it\nALTER TABLE tasks DROP COLUMN note;",
            "ALTER TABLE tasks ADD COLUMN note VARCHAR(50) NULL AFTER title;",
        ),
        ("-- migration: loses log it is a log\nDELETE FROM log;", "UPDATE log SET n = n;"),
    ] {
        let found = findings(server, "V106", up, down).await;
        assert!(found.is_empty(), "{up}\n{}", told(found.iter()));
    }
    let needless = "-- migration: loses tasks.note it is in the way\nUPDATE tasks SET size = size + 1;";
    let found = findings(server, "V106", needless, "UPDATE tasks SET size = size - 1;").await;
    assert_eq!(found[0].message, "a loss in `tasks` is declared, and nothing is lost");
}

async fn what_blocks_writes_is_named_unless_declared(server: &'static Server) {
    let (up, down) = (
        "ALTER TABLE tasks MODIFY size BIGINT NOT NULL DEFAULT 1;",
        "ALTER TABLE tasks MODIFY size INT NOT NULL DEFAULT 1;",
    );
    let found = findings(server, "V202", up, down).await;
    let [finding] = &found[..] else { panic!("one finding, not\n{}", told(found.iter())) };
    assert_eq!(
        finding.message,
        "this change of `tasks` copies the whole table, and blocks writes to it until that is over"
    );
    assert_eq!(finding.severity, Severity::Error);
    let declared = format!("-- migration: blocks-writes it is small\n{up}");
    assert!(findings(server, "V202", &declared, down).await.is_empty());
    let cheap = ("ALTER TABLE tasks ADD COLUMN due DATE NULL;", "ALTER TABLE tasks DROP COLUMN due;");
    assert!(findings(server, "V202", cheap.0, cheap.1).await.is_empty());
    let needless = format!("-- migration: blocks-writes it is small\n{}", cheap.0);
    let found = findings(server, "V202", &needless, cheap.1).await;
    assert_eq!(found[0].severity, Severity::Note);
    // A table that the migration makes has no users.
    let new = "CREATE TABLE young (id INT PRIMARY KEY); ALTER TABLE young MODIFY id BIGINT;";
    assert!(findings(server, "V202", new, "DROP TABLE young;").await.is_empty());
}
