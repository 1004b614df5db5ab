//! Rows that are made up, and rows compared.

use std::fmt::Write as _;

use backend_migrations::{
    mysql::{Inspector, MySqlConnector, parse_url},
    session::Limits,
    sql::parse_script,
    verify::{
        content::{Content, Difference},
        fill::Filler,
    },
};
use end_to_end::{Server, on_each_server, query};
use tokio_util::sync::CancellationToken;

on_each_server!(
    each_type_takes_rows,
    foreign_keys_of_every_shape_are_kept,
    checks_that_can_be_read_or_tried_are_met,
    what_no_row_fits_is_said_and_taken_from_fixtures,
    columns_that_come_later_get_values_too,
    nothing_differs_where_nothing_was_done,
    what_is_lost_is_named,
);

/// An empty database that is removed with this.
struct Database {
    server: &'static Server,
    name: String,
    inspector: Inspector,
}

impl Database {
    async fn new(server: &'static Server, name: &str) -> Self {
        let name = format!("rows_{name}");
        let mut root = server.connect("").await;
        query::run(&mut root, &format!("DROP DATABASE IF EXISTS {name}")).await;
        query::run(&mut root, &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
        let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
        let target = parse_url(&server.url(&name), "rows").expect("a URL");
        let inspector = connector.inspect(&target).await.expect("root can log in");
        Self { server, name, inspector }
    }

    async fn execute(&mut self, sql: &str) {
        for statement in parse_script("test.sql", sql.as_bytes()).expect("SQL").statements {
            let result = self.inspector.execute(&*statement.text).await;
            result.unwrap_or_else(|error| panic!("{error}\n{}", statement.text));
        }
    }

    /// Fills the tables and gives what was said of those that stay empty.
    async fn fill(&mut self, filler: &mut Filler<'_>) -> String {
        let snapshot = self.inspector.snapshot().await.expect("a snapshot");
        let unfilled = filler.fill(&mut self.inspector, &snapshot).await.expect("the connection holds");
        unfilled.iter().fold(String::new(), |mut text, unfilled| {
            let _ = writeln!(text, "{}: {}", unfilled.table, unfilled.error);
            text
        })
    }

    async fn content(&mut self) -> Content {
        let snapshot = self.inspector.snapshot().await.expect("a snapshot");
        Content::read(&mut self.inspector, &snapshot, |_| true).await.expect("the rows")
    }

    async fn count(&mut self, what: &str) -> u64 {
        let sets = self.inspector.rows(format!("SELECT COUNT(*) FROM {what}")).await.expect("a count");
        let bytes = sets[0][0][0].clone().expect("a number");
        String::from_utf8(bytes).expect("text").parse().expect("a number")
    }

    async fn remove(self) {
        self.inspector.close().await;
        query::run(&mut self.server.connect("").await, &format!("DROP DATABASE {}", self.name)).await;
    }
}

const TYPES: [&str; 41] = [
    "TINYINT",
    "TINYINT UNSIGNED",
    "BOOLEAN",
    "SMALLINT",
    "MEDIUMINT UNSIGNED",
    "INT",
    "INT(5) UNSIGNED ZEROFILL",
    "BIGINT",
    "BIGINT UNSIGNED",
    "DECIMAL(10,2)",
    "DECIMAL(65,30)",
    "DECIMAL(3,3) UNSIGNED",
    "FLOAT",
    "FLOAT(7,4)",
    "DOUBLE",
    "BIT(1)",
    "BIT(64)",
    "CHAR(1)",
    "CHAR(36) CHARACTER SET ascii",
    "VARCHAR(255)",
    "VARCHAR(200) CHARACTER SET latin1",
    "VARCHAR(2) CHARACTER SET utf8mb3",
    "VARCHAR(100) CHARACTER SET ucs2",
    "VARCHAR(100) CHARACTER SET gbk",
    "TINYTEXT",
    "TEXT",
    "MEDIUMTEXT",
    "LONGTEXT",
    "BINARY(16)",
    "VARBINARY(3)",
    "TINYBLOB",
    "BLOB",
    "LONGBLOB",
    "ENUM('a','it''s','','ü')",
    "SET('r','w','x')",
    "DATE",
    "DATETIME(6)",
    "TIMESTAMP(3)",
    "TIME(2)",
    "YEAR",
    "JSON",
];

const GEOMETRIES: [&str; 8] = [
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
];

async fn each_type_takes_rows(server: &'static Server) {
    let mut database = Database::new(server, "types").await;
    let own: &[&str] = if server.is_mysql() {
        &["VECTOR(3)", "POINT SRID 4326", "GEOMETRY SRID 3857"]
    } else {
        &["UUID", "INET4", "INET6"]
    };
    let types: Vec<_> = TYPES.iter().chain(&GEOMETRIES).chain(own).collect();
    for (n, column_type) in types.iter().enumerate() {
        let timestamp =
            if column_type.starts_with("TIMESTAMP") { "DEFAULT '2000-01-01 00:00:00'" } else { "" };
        let sql = format!(
            "CREATE TABLE t{n} (id INT AUTO_INCREMENT PRIMARY KEY, \
             must {column_type} NOT NULL {timestamp}, may {column_type} NULL)"
        );
        database.execute(&sql).await;
    }
    assert_eq!(database.fill(&mut Filler::new(7, &[])).await, "");
    for (n, column_type) in types.iter().enumerate() {
        let n_rows = database.count(&format!("t{n}")).await;
        assert!(n_rows >= 3, "{column_type}: {n_rows} rows");
        assert!(database.count(&format!("t{n} WHERE may IS NULL")).await > 0, "{column_type}: no NULL");
        assert!(
            database.count(&format!("t{n} WHERE may IS NOT NULL")).await > 0,
            "{column_type}: NULL alone"
        );
    }
    // The same values serve as keys.
    for (n, column_type) in types.iter().enumerate() {
        let has_text = ["TEXT", "BLOB"].iter().any(|word| column_type.contains(word));
        let is_too_small = ["BOOLEAN", "BIT(1)", "SET", "ENUM", "JSON", "FLOAT", "VECTOR"];
        let is_geometry = column_type.contains("SRID") || GEOMETRIES.contains(column_type);
        if has_text || is_geometry || is_too_small.iter().any(|word| column_type.starts_with(word)) {
            continue;
        }
        let sql = format!("CREATE TABLE k{n} (must {column_type} NOT NULL PRIMARY KEY)")
            .replace("VARCHAR(255)", "VARCHAR(190)");
        database.execute(&sql).await;
    }
    assert_eq!(database.fill(&mut Filler::new(8, &[])).await, "");
    database.remove().await;
}

async fn foreign_keys_of_every_shape_are_kept(server: &'static Server) {
    let mut database = Database::new(server, "links").await;
    database
        .execute(
            "CREATE TABLE tenant (id CHAR(36) PRIMARY KEY);
             CREATE TABLE project (tenant_id CHAR(36) NOT NULL, number INT NOT NULL, PRIMARY KEY (tenant_id, number),
                 FOREIGN KEY (tenant_id) REFERENCES tenant (id));
             CREATE TABLE person (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, tenant_id CHAR(36) NOT NULL,
                 boss_id BIGINT UNSIGNED NULL, team_id INT NOT NULL, UNIQUE KEY uq (tenant_id, id),
                 FOREIGN KEY (tenant_id) REFERENCES tenant (id), FOREIGN KEY (boss_id) REFERENCES person (id));
             CREATE TABLE team (id INT AUTO_INCREMENT PRIMARY KEY, lead_id BIGINT UNSIGNED NULL,
                 FOREIGN KEY (lead_id) REFERENCES person (id));
             ALTER TABLE person ADD FOREIGN KEY (team_id) REFERENCES team (id);
             CREATE TABLE member (tenant_id CHAR(36) NOT NULL, project INT NOT NULL, person BIGINT UNSIGNED NOT NULL,
                 PRIMARY KEY (tenant_id, project, person),
                 FOREIGN KEY (tenant_id, project) REFERENCES project (tenant_id, number),
                 FOREIGN KEY (tenant_id, person) REFERENCES person (tenant_id, id));
             CREATE TABLE profile (person_id BIGINT UNSIGNED PRIMARY KEY, FOREIGN KEY (person_id) REFERENCES person (id));
             CREATE TABLE egg (id INT AUTO_INCREMENT PRIMARY KEY, hen_id INT NOT NULL);
             CREATE TABLE hen (id INT AUTO_INCREMENT PRIMARY KEY, egg_id INT NOT NULL, FOREIGN KEY (egg_id) REFERENCES egg (id));
             ALTER TABLE egg ADD FOREIGN KEY (hen_id) REFERENCES hen (id);
             CREATE TABLE own (id INT PRIMARY KEY, root_id INT NOT NULL, FOREIGN KEY (root_id) REFERENCES own (id));",
        )
        .await;
    assert_eq!(database.fill(&mut Filler::new(1, &[])).await, "");
    for orphans in [
        "egg e LEFT JOIN hen h ON h.id = e.hen_id WHERE h.id IS NULL",
        "own o LEFT JOIN own r ON r.id = o.root_id WHERE r.id IS NULL",
        "team WHERE lead_id IS NULL",
    ] {
        assert_eq!(database.count(orphans).await, 0, "{orphans}");
    }
    for rows in ["person WHERE boss_id IS NOT NULL", "person WHERE boss_id IS NULL", "member", "profile"] {
        assert!(database.count(rows).await > 0, "{rows}");
    }
    database.remove().await;
}

async fn checks_that_can_be_read_or_tried_are_met(server: &'static Server) {
    let mut database = Database::new(server, "checks").await;
    database
        .execute(
            "CREATE TABLE c1 (state VARCHAR(20) NOT NULL, CHECK (state IN ('new', 'it''s', 'done')));
             CREATE TABLE c2 (a INT NOT NULL, b INT NOT NULL, CHECK (a < b AND a >= 10 AND b <> 12));
             CREATE TABLE c3 (code VARCHAR(30) NOT NULL, CHECK (CHAR_LENGTH(code) = 7 OR code = 'none'));
             CREATE TABLE c4 (mail VARCHAR(60) NOT NULL, CHECK (mail REGEXP '^[^@]+@[^@]+[.][a-z]+$'));
             CREATE TABLE c5 (a INT NULL, b INT NULL, CHECK ((a IS NULL) <> (b IS NULL)));
             CREATE TABLE c6 (share DECIMAL(5,2) NOT NULL CHECK (share BETWEEN 0 AND 100));
             CREATE TABLE c7 (starts DATE NOT NULL, ends DATE NULL, CHECK (ends IS NULL OR ends > starts));
             CREATE TABLE c8 (kind CHAR(3) NOT NULL CHECK (kind LIKE 'A__'));
             CREATE TABLE c9 (n INT NOT NULL CHECK (n % 7 = 0 AND n > 0));",
        )
        .await;
    assert_eq!(database.fill(&mut Filler::new(1, &[])).await, "");
    database.remove().await;
}

async fn what_no_row_fits_is_said_and_taken_from_fixtures(server: &'static Server) {
    let mut database = Database::new(server, "fixtures").await;
    database
        .execute(
            "CREATE TABLE odd (id INT PRIMARY KEY, word VARCHAR(40) NOT NULL,
                 CHECK (REVERSE(word) = 'drow cigam'));
             CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, odd_id INT NOT NULL,
                 FOREIGN KEY (odd_id) REFERENCES odd (id));",
        )
        .await;
    let said = database.fill(&mut Filler::new(1, &[])).await;
    assert!(said.contains("odd: ") && said.contains("child: "), "{said}");
    let script = parse_script("odd.sql", b"INSERT INTO odd VALUES (1, 'magic word');").expect("SQL");
    assert_eq!(database.fill(&mut Filler::new(1, &[script])).await, "");
    assert!(database.count("child").await > 0);
    database.remove().await;
}

async fn columns_that_come_later_get_values_too(server: &'static Server) {
    let mut database = Database::new(server, "later").await;
    let mut filler = Filler::new(1, &[]);
    database
        .execute("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL UNIQUE)")
        .await;
    assert_eq!(database.fill(&mut filler).await, "");
    assert_eq!(database.count("t").await, 3);
    assert_eq!(database.fill(&mut filler).await, "");
    assert_eq!(database.count("t").await, 3, "what is full is left alone");
    database.execute("ALTER TABLE t ADD COLUMN note VARCHAR(20) NULL").await;
    assert_eq!(database.fill(&mut filler).await, "");
    assert_eq!(database.count("t").await, 6);
    assert!(database.count("t WHERE note IS NOT NULL").await > 0);
    database.remove().await;
}

const CONTENT: &str = "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL, note VARCHAR(20),
         size INT AS (CHAR_LENGTH(name)), seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP);
     CREATE TABLE bag (n INT, word VARCHAR(9));
     CREATE TABLE log (t_id INT);
     CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW INSERT INTO log VALUES (NEW.id);
     INSERT INTO t (name, note, seen) VALUES ('a', 'x', '2020-01-01'), ('b', NULL, '2020-01-01'), ('c', 'z', '2020-01-01');
     INSERT INTO bag VALUES (1, 'a'), (1, 'a'), (NULL, NULL), (2, 'b');";

async fn nothing_differs_where_nothing_was_done(server: &'static Server) {
    let mut database = Database::new(server, "same").await;
    database.execute(CONTENT).await;
    let before = database.content().await;
    let after = database.content().await;
    assert_eq!(before.compare(&after), []);
    // A column in another place, a change that is undone, a column that is new.
    database
        .execute(
            "ALTER TABLE t MODIFY name VARCHAR(30) NOT NULL AFTER note; UPDATE t SET name = UPPER(name);
             UPDATE t SET name = LOWER(name); ALTER TABLE t ADD COLUMN weight INT NOT NULL DEFAULT 1;
             CREATE TABLE copy AS SELECT * FROM bag; DELETE FROM bag;
             INSERT INTO bag SELECT * FROM copy ORDER BY n DESC; DROP TABLE copy;",
        )
        .await;
    let after = database.content().await;
    assert_eq!(before.compare(&after), []);
    database.remove().await;
}

async fn what_is_lost_is_named(server: &'static Server) {
    let mut database = Database::new(server, "lost").await;
    database.execute(CONTENT).await;
    let before = database.content().await;
    let (t, bag) = ("t".to_owned(), "bag".to_owned());
    let changed = |table: &str, column: &str, n_rows, n_before| Difference::Changed {
        table: table.into(),
        column: column.into(),
        n_rows,
        n_before,
    };
    for (sql, expected) in [
        (
            "ALTER TABLE t DROP COLUMN note; ALTER TABLE t ADD COLUMN note VARCHAR(20)",
            vec![changed("t", "note", 2, 3)],
        ),
        (
            "UPDATE t SET note = 'x', name = 'q' WHERE id = 1; DELETE FROM t WHERE id = 3",
            vec![
                Difference::Gone { table: t.clone(), n_rows: 1, n_before: 3 },
                changed("t", "name", 1, 3),
                changed("t", "note", 0, 3),
            ],
        ),
        ("INSERT INTO t (name) VALUES ('more')", vec![Difference::Added { table: t.clone(), n_rows: 1 }]),
        ("UPDATE bag SET word = 'a' WHERE word = 'b'", vec![changed("bag", "word", 1, 4)]),
        (
            "DELETE FROM bag WHERE n = 1 LIMIT 1",
            vec![Difference::Gone { table: bag.clone(), n_rows: 1, n_before: 4 }],
        ),
        ("DROP TABLE bag", vec![Difference::Gone { table: bag.clone(), n_rows: 4, n_before: 4 }]),
    ] {
        database.execute("DROP TABLE t, log; DROP TABLE IF EXISTS bag").await;
        database.execute(CONTENT).await;
        database.execute(sql).await;
        let after = database.content().await;
        let expected: Vec<_> = expected
            .into_iter()
            .filter(|difference| !matches!(difference, Difference::Changed { n_rows: 0, .. }))
            .collect();
        assert_eq!(before.compare(&after), expected, "{sql}");
    }
    database.remove().await;
}
