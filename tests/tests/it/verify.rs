//! `migrate:verify`: broken migrations are found, sound ones pass, and what is broken hides nothing else.

use std::{fs, path::Path};

use backend_migrations::{
    directive::SideFile,
    disk,
    finding::{Finding, Suite},
    mysql::{MySqlConnector, parse_url},
    scratch,
    session::Limits,
    verify::{self, Job},
};
use end_to_end::{Fleet, Invocation, Program, Server, on_each_server};
use tokio_util::sync::CancellationToken;

on_each_server!(
    each_broken_migration_is_found_and_hides_no_other,
    a_change_over_several_files_is_proven_as_a_whole_too,
    a_table_that_is_dropped_below_excuses_no_step,
    what_the_whole_set_leaves_is_found,
    sound_migrations_pass,
    a_selection_is_proven_and_the_rest_applied,
    the_command_proves_this_repositorys_migrations,
    the_program_itself_is_run_over_sample_tenants,
);

/// The codes that these tests are about; rows and costs have tests of their own.
const CODES: [&str; 7] = ["V101", "V102", "V103", "V104", "V105", "V107", "V108"];

/// A migration: its `up` and its `down`, which is missing where it is empty.
pub(crate) type Pair = (&'static str, &'static str);

pub(crate) async fn prove(server: &Server, pairs: &[Pair], only: Option<i64>) -> Suite {
    prove_at(&server.url("mysql"), pairs, only).await
}

/// On the server at this URL.
pub(crate) async fn prove_at(url: &str, pairs: &[Pair], only: Option<i64>) -> Suite {
    let mut files = Vec::new();
    for (at, (up, down)) in pairs.iter().enumerate() {
        files.push((format!("{}_x.up.sql", at + 1), (*up).to_owned()));
        if !down.is_empty() {
            files.push((format!("{}_x.down.sql", at + 1), (*down).to_owned()));
        }
    }
    prove_files(url, files, only).await
}

/// Files by their names and texts.
pub(crate) async fn prove_files(url: &str, files: Vec<(String, String)>, only: Option<i64>) -> Suite {
    let files: Vec<_> = files.iter().map(|(name, text)| (name.clone(), text.as_str())).collect();
    let set = disk::from_files(files).expect("sound files");
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let admin = parse_url(url, "verify").expect("a URL");
    let selected = only.map(|version| [backend_migrations::migration::Version(version)].into());
    let job = Job {
        connector: &connector,
        server: &admin,
        run: scratch::Run::new().expect("a word"),
        name: "tenant",
        folder: "migrations/tenant",
        set: &set,
        selected: selected.as_ref(),
        side_file: &SideFile::default(),
        fixtures: &[],
        seed: 7,
        tell: &|_| {},
    };
    verify::verify(job).await.expect("the server can be worked with").suite
}

/// What was found, a line each: the migration, the code, the weight, and on which tenants.
pub(crate) fn found(suite: &Suite) -> Vec<String> {
    let line = |finding: &Finding| {
        let version = finding.version.map_or_else(|| "set".to_owned(), |version| version.to_string());
        let on = finding.notes.iter().find_map(|note| note.strip_prefix("seen on ")).unwrap_or("-");
        let on = on.replace("a tenant with rows", "rows").replace("an empty tenant", "empty");
        let on = on.replace("a tenant that lags behind", "lagging").replace(" and on ", "+");
        format!("{version} {} {} {on}", finding.code, finding.severity)
    };
    let findings = suite.findings().filter(|finding| CODES.contains(&finding.code.0));
    findings.map(line).collect()
}

const BROKEN: [Pair; 14] = [
    ("CREATE TABLE t1 (id INT PRIMARY KEY);", ""),
    ("-- migration: irreversible\nCREATE TABLE t2 (id INT PRIMARY KEY);", ""),
    ("CREATE TABLE t3 (id INT PRIMARY KEY);", "SELECT 1;"),
    ("CREATE TABLE t4 (id INT PRIMARY KEY, x NOSUCHTYPE);", "DROP TABLE t4;"),
    ("CREATE TABLE t5 (id INT PRIMARY KEY, note INT NULL);", "DROP TABLE t5;"),
    ("ALTER TABLE t5 MODIFY note INT NOT NULL;", "ALTER TABLE t5 MODIFY note INT NULL;"),
    ("CREATE TABLE t7 (id INT PRIMARY KEY);", "DROP TABLE t7;\nDROP TABLE nowhere;"),
    ("ALTER TABLE t5 ADD n INT NULL, ADD KEY k (n);", "ALTER TABLE t5 DROP KEY k;"),
    ("CREATE TABLE t9 (a INT PRIMARY KEY, b INT NULL, c INT NULL);", "DROP TABLE t9;"),
    ("ALTER TABLE t9 DROP COLUMN b;", "ALTER TABLE t9 ADD COLUMN b INT NULL;"),
    (
        // Depends on the rows that the first time left behind.
        "SET @s = IF((SELECT COUNT(*) FROM t9) = 0, 'CREATE TABLE t11 (a INT)', 'CREATE TABLE t11 (b INT)');\n\
         PREPARE s FROM @s;\nEXECUTE s;\nINSERT IGNORE INTO t9 (a) VALUES (1);",
        "DROP TABLE t11;",
    ),
    (
        // Depends on a session that is gone when it is taken up again.
        "CREATE TABLE t12 (id INT AUTO_INCREMENT PRIMARY KEY);\nINSERT INTO t12 VALUES ();\n\
         SET @s = IF(LAST_INSERT_ID() > 0, 'ALTER TABLE t12 ADD a INT', 'ALTER TABLE t12 ADD b INT');\n\
         PREPARE s FROM @s;\nEXECUTE s;",
        "DROP TABLE t12;",
    ),
    (
        "CREATE TABLE t13 (id INT PRIMARY KEY);\nCREATE TABLE u13 (id INT PRIMARY KEY);",
        "DROP TABLE u13;\nDROP TABLE t13;",
    ),
    (
        "-- migration: irreversible it is kept for ever\nCREATE TABLE t14 (id INT PRIMARY KEY);",
        "DROP TABLE t14;",
    ),
];

async fn each_broken_migration_is_found_and_hides_no_other(server: &'static Server) {
    let suite = prove(server, &BROKEN, None).await;
    let expected = [
        "1 V101 error -",
        "2 V101 error -",
        "3 V101 error -",
        "3 V104 error empty+rows",
        "4 V102 error empty+rows+lagging",
        "6 V102 error rows",
        "7 V103 error empty+rows",
        "8 V104 error empty+rows",
        "10 V104 warning empty+rows",
        "11 V105 error empty+rows",
        "11 V107 warning empty",
        "12 V107 warning empty",
        "12 V107 error empty",
        "14 V101 warning empty",
    ];
    assert_eq!(found(&suite), expected, "{:#?}", suite.findings().collect::<Vec<_>>());
    let finding = |version: usize, code: &str| {
        let findings = &suite.migrations[version - 1].findings;
        findings.iter().find(|finding| finding.code.0 == code).expect("it was found")
    };
    let refused = finding(7, "V103");
    assert_eq!(refused.at.as_ref().map(|at| (at.file_name.as_str(), at.line)), Some(("7_x.down.sql", 2)));
    assert!(
        refused.message.contains("statement 2 of 2") && refused.message.contains("nowhere"),
        "{refused:?}"
    );
    let diff = finding(8, "V104").diff.as_deref().expect("a diff");
    assert!(diff.lines().any(|line| line.starts_with("+  `n` int")), "{diff}");
    let moved = finding(10, "V104");
    assert!(moved.message.contains("in another order"), "{}", moved.message);
}

async fn a_change_over_several_files_is_proven_as_a_whole_too(server: &'static Server) {
    let pairs = [
        ("CREATE TABLE other (id INT PRIMARY KEY);", "DROP TABLE other;"),
        ("CREATE TABLE a (id INT PRIMARY KEY);", "SELECT 1;"),
        ("ALTER TABLE a ADD n INT NULL;", "DROP TABLE a;"),
    ];
    let suite = prove(server, &pairs, None).await;
    let expected = ["2 V101 error -", "2 V104 warning empty+rows", "3 V104 warning empty+rows"];
    assert_eq!(found(&suite), expected, "{:#?}", suite.findings().collect::<Vec<_>>());
    let whole = "the step alone does not come back; 2 to 3, applied and undone together, do";
    for migration in &suite.migrations[1..] {
        let step = migration.findings.iter().find(|finding| finding.code.0 == "V104").expect("it was found");
        assert!(step.notes.iter().any(|note| note == whole), "{:?}", step.notes);
    }
}

async fn a_table_that_is_dropped_below_excuses_no_step(server: &'static Server) {
    let pairs = [
        ("CREATE TABLE a (id INT PRIMARY KEY, n INT NULL, KEY k (n));", "DROP TABLE a;"),
        ("ALTER TABLE a DROP COLUMN n;", "ALTER TABLE a ADD COLUMN n INT NULL;"),
    ];
    let suite = prove(server, &pairs, None).await;
    assert_eq!(found(&suite), ["2 V104 error empty+rows"], "{:#?}", suite.findings().collect::<Vec<_>>());
}

async fn what_the_whole_set_leaves_is_found(server: &'static Server) {
    let pairs = [
        ("CREATE TABLE a (id INT PRIMARY KEY);", "DROP TABLE a;"),
        ("CREATE TABLE b (id INT PRIMARY KEY);", "DO 0;"),
    ];
    let suite = prove(server, &pairs, None).await;
    let expected =
        ["set V108 error lagging", "2 V101 error -", "2 V104 error empty+rows", "2 V105 error lagging"];
    assert_eq!(found(&suite), expected, "{:#?}", suite.findings().collect::<Vec<_>>());
    assert!(
        suite.findings[0].message.contains("does not leave an empty database"),
        "{:?}",
        suite.findings[0]
    );
}

const SOUND: [Pair; 9] = [
    ("CREATE TABLE a (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x');", "DROP TABLE a;"),
    (
        "CREATE TABLE b (id INT PRIMARY KEY, a_id INT NULL);\nALTER TABLE b ADD KEY k (a_id);\n\
         ALTER TABLE b ADD CONSTRAINT fk FOREIGN KEY (a_id) REFERENCES a (id);",
        "DROP TABLE b;",
    ),
    (
        "CREATE TABLE c (id INT PRIMARY KEY, name VARCHAR(20) NOT NULL);\n\
         INSERT INTO c (id, name) VALUES (1, 'one'), (2, 'two');",
        "DELETE FROM c WHERE id IN (1, 2);\nDROP TABLE c;",
    ),
    ("ALTER TABLE a ADD note TEXT NULL AFTER id;", "ALTER TABLE a DROP COLUMN note;"),
    ("CREATE VIEW v AS SELECT id, name FROM a;", "DROP VIEW v;"),
    ("ALTER VIEW v AS SELECT id FROM a;", "ALTER VIEW v AS SELECT id, name FROM a;"),
    ("CREATE TRIGGER g BEFORE INSERT ON b FOR EACH ROW SET NEW.id = NEW.id;", "DROP TRIGGER g;"),
    ("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM b WHERE id < 0;", "DROP EVENT e;"),
    ("-- migration: irreversible the names are gone\nALTER TABLE a DROP COLUMN name;", ""),
];

async fn sound_migrations_pass(server: &'static Server) {
    let suite = prove(server, &SOUND, None).await;
    assert_eq!(found(&suite), Vec::<String>::new(), "{:#?}", suite.findings().collect::<Vec<_>>());
    assert_eq!(suite.migrations.len(), SOUND.len());
    assert!(suite.migrations.iter().all(|migration| migration.elapsed.is_some()));
    let reversible = prove(server, &SOUND[..8], None).await;
    assert_eq!(found(&reversible), Vec::<String>::new(), "{:#?}", reversible.findings().collect::<Vec<_>>());
}

async fn a_selection_is_proven_and_the_rest_applied(server: &'static Server) {
    let pairs = [
        ("CREATE TABLE a (id INT PRIMARY KEY);", "DROP TABLE a;"),
        ("ALTER TABLE a ADD n INT NULL;", "ALTER TABLE a ADD m INT NULL;"),
        ("ALTER TABLE a ADD o INT NULL;", "ALTER TABLE a DROP COLUMN o;"),
    ];
    let suite = prove(server, &pairs, Some(3)).await;
    let versions: Vec<_> = suite.migrations.iter().map(|migration| migration.version.0).collect();
    assert_eq!(versions, [3]);
    assert!(found(&suite).iter().all(|line| line.starts_with("set ")), "{:?}", found(&suite));
}

fn workbench(fleet: &Fleet, args: &str) -> Invocation {
    let folder = fleet.migrations("tenant");
    let migrations = folder.parent().map(Path::to_owned).expect("a folder");
    Invocation::new(Program::Workbench, args)
        .arg("--server")
        .arg(fleet.server().url(""))
        .arg("--migrations")
        .arg(migrations)
}

async fn the_command_proves_this_repositorys_migrations(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "verifycommand").await;
    fleet.write_samples();
    let schema = fleet.migrations("tenant").with_file_name("tenant.schema.sql");
    let output = workbench(&fleet, "migrate:verify --update --seed 3").await;
    output.exits(0).says("nothing found in 13 migrations").says("--seed 3");
    let written = fs::read_to_string(&schema).expect("it was written");
    assert!(written.contains("CREATE TABLE `tasks`") && written.contains("VIEW `open_tasks`"), "{written}");
    // What is committed is held to what the migrations give.
    fs::write(&schema, written.replace("`due_on` date", "`due_on` datetime")).unwrap();
    let output = workbench(&fleet, "migrate:verify --format json").await;
    output.exits(1).says("V301").says("due_on");
    fs::write(&schema, written).unwrap();
    // A folder alone, with what is wrong in it, for machines.
    fleet.write("20260101000000_odd.up.sql", "CREATE TABLE odd (id INT);");
    fleet.write("20260101000000_odd.down.sql", "DROP TABLE tasks_gone;");
    let (junit, markdown) = (schema.with_file_name("junit.xml"), schema.with_file_name("summary.md"));
    let output = workbench(&fleet, "migrate:verify --only 20260101000000 --format github")
        .arg("--dir")
        .arg(fleet.migrations("tenant"))
        .arg("--junit")
        .arg(&junit)
        .arg("--markdown")
        .arg(&markdown)
        .await;
    output.exits(1).says("::error").says("V103").says("tasks_gone");
    assert!(fs::read_to_string(junit).unwrap().contains("V103"));
    assert!(fs::read_to_string(markdown).unwrap().contains("V103"));
    // Folders that make no sense are refused.
    workbench(&fleet, "migrate:verify --dir nowhere").await.exits(4).says("nowhere");
}

/// On a server of its own, for the sample tenants have fixed names.
async fn the_program_itself_is_run_over_sample_tenants(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "verifyprogram").await;
    fleet.write_samples();
    let folder = fleet.migrations("tenant");
    let verify = || {
        let flavour = server.flavour().to_string().to_ascii_lowercase();
        let settings = ["THROWAWAY_SERVER", "THROWAWAY_MYSQL_IMAGE", "THROWAWAY_MARIADB_IMAGE"];
        let run = Invocation::new(Program::Workbench, &format!("migrate:verify --seed 3 --server {flavour}"));
        let run = run.arg("--migrations").arg(folder.parent().expect("a folder"));
        settings.iter().fold(run, |run, name| run.env(name, std::env::var_os(name).unwrap_or_default()))
    };
    let sound = verify().await;
    assert!(!sound.text().contains("V109"), "{sound}");
    // It fails where there are rows, so more tenants fail than the one that was broken.
    fleet.write(
        "20260101000000_add_effort_to_tasks.up.sql",
        "ALTER TABLE tasks ADD COLUMN effort INT NOT NULL, ADD CONSTRAINT ck_effort CHECK (effort > 0);",
    );
    fleet.write(
        "20260101000000_add_effort_to_tasks.down.sql",
        "ALTER TABLE tasks DROP CONSTRAINT ck_effort, DROP COLUMN effort;",
    );
    let broken = verify().await;
    broken.exits(1).says("V109").says("does not fail for the broken tenant alone").says("bright_health_db");
}
