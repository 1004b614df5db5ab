//! What changes of tables cost, as the servers say: the table of the reference, asked anew.

use std::fmt::Write as _;

use backend_migrations::{
    directive::SideFile,
    disk::survey_files,
    finding::CostClass,
    lint::{Input, lint},
    migration::Migration,
    migration::Version,
    mysql::{Inspector, MySqlConnector, MySqlSession, parse_url},
    schema::Flavour,
    session::{Connect as _, Limits, TenantSession as _},
    sql::parse_script,
    verify::cost::{self, Probe},
};
use end_to_end::{Server, on_each_server, query};
use tokio_util::sync::CancellationToken;

use CostClass::{Copy, InPlace, InPlaceBlocking, Instant, Rebuild};

/// What the table above says, `migrate:lint` says without a server.
#[test]
fn lint_knows_what_each_change_costs() {
    let mut faults = Vec::new();
    for (sql, mysql, mariadb) in CHANGES {
        let files = [("1_t.up.sql", TABLE), ("2_u.up.sql", sql)];
        let survey = survey_files(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())));
        let input = Input {
            files: &survey.files,
            set: &survey.set,
            faults: &survey.faults,
            base: None,
            side_file: &SideFile::default(),
            only: None,
        };
        let found: Vec<_> =
            lint(&input).into_iter().filter(|finding| finding.version == Some(Version(2))).collect();
        for (class, is_mysql) in [(mysql, true), (mariadb, false)] {
            let Some(class) = class else { continue };
            let says = |codes: &[&str]| {
                found.iter().any(|finding| {
                    codes.contains(&finding.code.0) && (is_mysql || !finding.message.contains("on MySQL"))
                })
            };
            let (blocks, rebuilds) =
                (says(&["L101", "L107", "L108", "L113", "L114"]), says(&["L102", "L103"]));
            let expected = (class.blocks_writes(), class == Rebuild);
            if (blocks, rebuilds) != expected {
                faults.push(format!("{sql}: {class}, and lint says {found:?}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

on_each_server!(
    each_change_costs_what_it_costs,
    a_change_that_asks_for_itself_is_taken_at_its_word,
    what_blocks_writes_is_a_finding_unless_declared,
);

const DATABASE: &str = "cost";

/// Two rows in it, as the reference's had.
const TABLE: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT NULL, b INT NOT NULL, v VARCHAR(50) NULL,
         w VARCHAR(50) NOT NULL, e ENUM('x','y') NOT NULL, d DATETIME NULL, n TEXT NULL, parent_id INT NULL,
         KEY kb (b), KEY kw (w), KEY kp (parent_id), CONSTRAINT ck CHECK (b >= 0)) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
     CREATE TABLE p (id INT PRIMARY KEY);
     INSERT INTO p VALUES (1), (2);
     INSERT INTO t (a, b, v, w, e, parent_id) VALUES (1, 1, 'v', 'w', 'x', 1), (2, 2, 'v', 'u', 'y', 2);";

/// The change; what it costs on MySQL 9.7 and on MariaDB 10.11, if the server takes it.
const CHANGES: [(&str, Option<CostClass>, Option<CostClass>); 56] = [
    ("ALTER TABLE t ADD COLUMN z INT", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z INT NOT NULL DEFAULT 5", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z INT FIRST", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z INT AFTER a", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z INT DEFAULT (1+1)", Some(Copy), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z INT AS (a + 1) VIRTUAL", Some(Instant), Some(Instant)),
    (
        "ALTER TABLE t ADD COLUMN z INT AS (a + 1) VIRTUAL, ADD INDEX (z)",
        Some(InPlaceBlocking),
        Some(InPlaceBlocking),
    ),
    ("ALTER TABLE t ADD COLUMN z INT AS (a + 1) STORED", Some(Copy), Some(Copy)),
    ("ALTER TABLE t ADD COLUMN z INT CHECK (z > 0)", Some(Copy), Some(Instant)),
    ("ALTER TABLE t ADD COLUMN z POINT", Some(Instant), Some(Instant)),
    ("ALTER TABLE t DROP COLUMN a", Some(Instant), Some(Instant)),
    ("ALTER TABLE t DROP COLUMN w", Some(Rebuild), Some(InPlace)),
    ("ALTER TABLE t RENAME COLUMN a TO z", Some(Instant), Some(Instant)),
    ("ALTER TABLE t CHANGE a z INT NULL", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ALTER COLUMN a SET DEFAULT 1", Some(Instant), Some(Instant)),
    ("ALTER TABLE t MODIFY a BIGINT NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY a INT UNSIGNED NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY a INT NOT NULL", Some(Rebuild), Some(Rebuild)),
    ("ALTER TABLE t MODIFY b INT NULL", Some(Rebuild), Some(Rebuild)),
    ("ALTER TABLE t MODIFY v VARCHAR(63) NULL", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t MODIFY v VARCHAR(64) NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY v VARCHAR(40) NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY v TEXT NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY e ENUM('x','y','z') NOT NULL", Some(Instant), Some(Instant)),
    ("ALTER TABLE t MODIFY e ENUM('a','x','y') NOT NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY d DATETIME(6) NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t MODIFY a INT NULL FIRST", Some(Rebuild), Some(Instant)),
    ("ALTER TABLE t MODIFY a INT NULL COMMENT 'x'", Some(Instant), Some(Instant)),
    ("ALTER TABLE t MODIFY v VARCHAR(50) COLLATE utf8mb4_unicode_ci NULL", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t MODIFY w VARCHAR(50) COLLATE utf8mb4_unicode_ci NOT NULL", Some(Copy), Some(InPlace)),
    ("ALTER TABLE t MODIFY v VARCHAR(50) CHARACTER SET latin1 NULL", Some(Copy), Some(Copy)),
    ("ALTER TABLE t CONVERT TO CHARACTER SET latin1", Some(Copy), Some(Copy)),
    ("ALTER TABLE t DEFAULT CHARACTER SET latin1", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t COMMENT 'x'", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t AUTO_INCREMENT = 100", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t ADD INDEX k (a)", Some(InPlace), Some(InPlace)),
    ("CREATE INDEX k ON t (a)", Some(InPlace), Some(InPlace)),
    ("CREATE UNIQUE INDEX k ON `t` (a, b) COMMENT 'x'", Some(InPlace), Some(InPlace)),
    ("CREATE FULLTEXT INDEX k ON t (n)", Some(InPlaceBlocking), Some(InPlaceBlocking)),
    ("ALTER TABLE t ADD INDEX k ((a + 1))", Some(InPlaceBlocking), None),
    ("DROP INDEX kb ON t", Some(InPlace), Some(InPlace)),
    ("ALTER TABLE t RENAME INDEX kb TO k", Some(InPlace), Some(Instant)),
    ("ALTER TABLE t ALTER INDEX kb INVISIBLE", Some(InPlace), None),
    ("ALTER TABLE t ALTER INDEX kb IGNORED", None, Some(Instant)),
    ("ALTER TABLE t MODIFY id INT NOT NULL, DROP PRIMARY KEY", Some(Copy), Some(Copy)),
    ("ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (id, b)", Some(Rebuild), Some(Rebuild)),
    ("ALTER TABLE t ADD FOREIGN KEY (parent_id) REFERENCES p (id)", Some(Copy), Some(Copy)),
    ("ALTER TABLE t ADD CHECK (a > 0)", Some(Copy), Some(Copy)),
    ("ALTER TABLE t DROP CONSTRAINT ck", Some(Instant), Some(Instant)),
    ("ALTER TABLE t RENAME TO t2", Some(Instant), Some(Instant)),
    ("ALTER TABLE t ROW_FORMAT=COMPRESSED", Some(Rebuild), Some(Rebuild)),
    ("ALTER TABLE t FORCE", Some(Rebuild), Some(Rebuild)),
    ("ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 2", Some(Copy), Some(Copy)),
    ("ALTER TABLE t ADD COLUMN y INT, ADD INDEX k (a)", Some(Rebuild), Some(Rebuild)),
    (
        "SET foreign_key_checks=0; ALTER TABLE t ADD FOREIGN KEY (parent_id) REFERENCES p (id)",
        Some(InPlace),
        Some(Instant),
    ),
];

struct Bench {
    probe: Probe<MySqlSession>,
    inspector: Inspector,
}

impl Bench {
    async fn new(server: &'static Server, name: &str) -> Self {
        let name = format!("{DATABASE}_{name}");
        let mut root = server.connect("").await;
        query::run(&mut root, &format!("DROP DATABASE IF EXISTS {name}")).await;
        query::run(&mut root, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
        let target = parse_url(&server.url(&name), "cost").expect("a URL");
        let session = connector.connect(target.clone()).await.expect("root can log in");
        let inspector = connector.inspect(&target).await.expect("root can log in");
        let own = connector.inspect(&target).await.expect("root can log in");
        let flavour = if server.is_mysql() { Flavour::MySql } else { Flavour::MariaDb };
        Self { probe: Probe::new(session, own, flavour), inspector }
    }

    async fn make_tables(&mut self) {
        // A foreign key must not say in which order.
        self.inspector.execute("SET foreign_key_checks=0").await.expect("it can be set");
        let sets = self.inspector.rows("SHOW TABLES").await.expect("tables");
        for row in &sets[0] {
            let name = String::from_utf8(row[0].clone().expect("a name")).expect("UTF-8");
            self.inspector.execute(format!("DROP TABLE `{name}`")).await.expect("it can be dropped");
        }
        for statement in parse_script("t.sql", TABLE.as_bytes()).expect("SQL").statements {
            self.inspector.execute(statement.text).await.expect("it can be made");
        }
    }

    /// What the statements of a file cost; or what the server said to one of them.
    async fn cost(&mut self, sql: &str) -> Result<Vec<(CostClass, String)>, String> {
        self.make_tables().await;
        let script = parse_script("1_t.up.sql", sql.as_bytes()).map_err(|error| error.to_string())?;
        self.probe.begin(&script);
        for statement in &script.statements {
            self.probe.execute(&statement.text).await.map_err(|error| error.to_string())?;
        }
        let costs = self.probe.take_costs();
        self.probe.execute("SET foreign_key_checks=1").await.map_err(|error| error.to_string())?;
        Ok(costs.into_iter().map(|cost| (cost.class, cost.reason.unwrap_or_default())).collect())
    }

    async fn end(self, server: &'static Server, name: &str) {
        self.probe.close().await;
        self.inspector.close().await;
        query::run(&mut server.connect("").await, &format!("DROP DATABASE {DATABASE}_{name}")).await;
    }
}

async fn each_change_costs_what_it_costs(server: &'static Server) {
    let mut bench = Bench::new(server, "matrix").await;
    let mut faults = String::new();
    for (sql, on_mysql, on_mariadb) in CHANGES {
        let expected = if server.is_mysql() { on_mysql } else { on_mariadb };
        let found = bench.cost(sql).await;
        let class = found.as_ref().ok().and_then(|costs| costs.last()).map(|(class, _)| *class);
        if class != expected {
            let _ = writeln!(faults, "{sql}: {expected:?} expected, {found:?} found");
        }
        // What is not done at once has a reason; a refusal by syntax has none.
        if let Ok(costs) = &found
            && let Some((Copy, reason)) = costs.last()
            && reason.is_empty()
            && !sql.contains("PARTITION BY")
        {
            let _ = writeln!(faults, "{sql}: no reason");
        }
    }
    assert!(faults.is_empty(), "\n{faults}");
    bench.end(server, "matrix").await;
}

async fn a_change_that_asks_for_itself_is_taken_at_its_word(server: &'static Server) {
    let mut bench = Bench::new(server, "asked").await;
    for (sql, expected) in [
        ("ALTER TABLE t ADD COLUMN z INT, ALGORITHM=INSTANT", Instant),
        ("ALTER TABLE t ADD COLUMN z INT, ALGORITHM=COPY", Copy),
        ("ALTER TABLE t FORCE, ALGORITHM=INPLACE, LOCK=NONE", Rebuild),
        ("CREATE INDEX k ON t (a) ALGORITHM=INPLACE LOCK=SHARED", InPlaceBlocking),
        ("CREATE INDEX k ON t (a) LOCK=NONE", InPlace),
    ] {
        let found = bench.cost(sql).await.expect("the server takes it");
        assert_eq!(found, [(expected, String::new())], "{sql}");
    }
    let refused = bench.cost("ALTER TABLE t MODIFY a BIGINT, ALGORITHM=INSTANT").await;
    assert!(refused.expect_err("it cannot be done").starts_with("184"));
    bench.end(server, "asked").await;
}

async fn what_blocks_writes_is_a_finding_unless_declared(server: &'static Server) {
    let mut bench = Bench::new(server, "finding").await;
    bench.make_tables().await;
    let sql = "CREATE TABLE young (id INT PRIMARY KEY);\nALTER TABLE young MODIFY id BIGINT;\n\
               ALTER TABLE t MODIFY a BIGINT NULL;\nALTER TABLE t ADD COLUMN z INT;\n";
    let up = parse_script("1_t.up.sql", sql.as_bytes()).expect("SQL");
    bench.probe.begin(&up);
    for statement in &up.statements {
        bench.probe.execute(&statement.text).await.expect("the server takes it");
    }
    let costs = bench.probe.take_costs();
    let migration = Migration { version: Version(1), description: "t".into(), up, down: None };
    let findings = cost::findings(&migration, &costs, &[]);
    let [finding] = &findings[..] else { panic!("one finding, not {findings:#?}") };
    assert_eq!(finding.at.as_ref().map(|at| at.line), Some(3), "{finding:#?}");
    assert!(finding.message.contains("copies the whole table"), "{finding:#?}");
    assert!(finding.notes[0].contains("Cannot change column type"), "{finding:#?}");
    assert!(finding.hint.as_deref().is_some_and(|hint| hint.contains("expand and contract")), "{finding:#?}");
    bench.end(server, "finding").await;
}
