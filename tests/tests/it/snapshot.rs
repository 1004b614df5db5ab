//! Schema snapshots: every kind of object is in them, equal schemas are equal, different ones differ.

use backend_migrations::{
    mysql::{Inspector, MySqlConnector, parse_url},
    schema::{DifferenceKind, Flavour, ObjectKind, Snapshot},
    session::Limits,
};
use end_to_end::{Fleet, Server, on_each_server, query};
use sqlx::MySqlConnection;
use tokio_util::sync::CancellationToken;

on_each_server!(
    every_kind_of_object_is_in_it,
    names_of_databases_and_makers_do_not_count,
    what_differs_is_told,
    a_tenants_account_sees_its_database,
    tables_are_there_as_structure,
);

async fn inspector(url: &str) -> Inspector {
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let target = parse_url(url, "snapshot").expect("a URL");
    connector.inspect(&target).await.expect("the account can log in")
}

/// A database that is gone when the next run makes it again, and one's connection to it.
async fn database(server: &Server, name: &str) -> MySqlConnection {
    let mut root = server.connect("").await;
    query::run(&mut root, &format!("DROP DATABASE IF EXISTS {name}")).await;
    query::run(
        &mut root,
        &format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
    )
    .await;
    server.connect(name).await
}

async fn remove(server: &Server, names: &[&str]) {
    for name in names {
        query::run(&mut server.connect("").await, &format!("DROP DATABASE {name}")).await;
    }
}

/// One of each.
const OBJECTS: [&str; 11] = [
    "CREATE TABLE parent (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'x', \
     size INT GENERATED ALWAYS AS (CHAR_LENGTH(name)) STORED, UNIQUE KEY uq_name (name(10)), \
     CONSTRAINT ck_name CHECK (name <> 'it''s'))",
    "CREATE TABLE child (id INT PRIMARY KEY, parent_id INT UNSIGNED NULL, note TEXT, KEY k (parent_id), FULLTEXT KEY f (note), \
     CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE CASCADE)",
    "CREATE TABLE parted (id INT NOT NULL PRIMARY KEY) PARTITION BY RANGE (id) \
     (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
    "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n * 2",
    "CREATE PROCEDURE nothing() BEGIN SELECT 1; END",
    "CREATE VIEW names AS SELECT parent.name, twice(parent.id) AS double_id FROM parent",
    "CREATE VIEW names_of_names AS SELECT name FROM names",
    "CREATE TRIGGER first BEFORE INSERT ON child FOR EACH ROW SET NEW.note = 'a'",
    "CREATE TRIGGER second BEFORE INSERT ON child FOR EACH ROW SET NEW.note = CONCAT(NEW.note, 'b')",
    "CREATE EVENT sweep ON SCHEDULE EVERY 1 DAY DISABLE DO DELETE FROM child",
    "INSERT INTO parent (name) VALUES ('one'), ('two')",
];

async fn make(inspector: &mut Inspector) {
    for sql in OBJECTS {
        inspector.execute(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
    }
}

async fn every_kind_of_object_is_in_it(server: &'static Server) {
    let mut connection = database(server, "snapshot_kinds").await;
    let mut inspector = inspector(&server.url("snapshot_kinds")).await;
    assert!(inspector.snapshot().await.unwrap().is_empty());
    query::run(&mut connection, "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY)").await;
    assert!(inspector.snapshot().await.unwrap().is_empty(), "the history is no part of the schema");
    make(&mut inspector).await;
    let mut expected = vec![
        (ObjectKind::Table, "child"),
        (ObjectKind::Table, "parent"),
        (ObjectKind::Table, "parted"),
        (ObjectKind::Function, "twice"),
        (ObjectKind::Procedure, "nothing"),
        (ObjectKind::View, "names"),
        (ObjectKind::View, "names_of_names"),
        (ObjectKind::Trigger, "first"),
        (ObjectKind::Trigger, "second"),
        (ObjectKind::Event, "sweep"),
    ];
    if !server.is_mysql() {
        query::run(&mut connection, "CREATE SEQUENCE counter START WITH 5").await;
        query::run(&mut connection, "CREATE TABLE counted (id INT DEFAULT NEXTVAL(counter))").await;
        expected.extend([(ObjectKind::Sequence, "counter"), (ObjectKind::Table, "counted")]);
        expected.sort();
    }
    let snapshot = inspector.snapshot().await.unwrap();
    let found: Vec<_> = snapshot.objects.keys().map(|(kind, name)| (*kind, name.as_str())).collect();
    assert_eq!(found, expected);
    let flavour = if server.is_mysql() { Flavour::MySql } else { Flavour::MariaDb };
    assert_eq!(snapshot.server.flavour, flavour);
    let text = snapshot.to_sql();
    for absent in ["snapshot_kinds", "DEFINER=", "AUTO_INCREMENT=", " STARTS "] {
        assert!(!text.contains(absent), "{absent} in\n{text}");
    }
    // Rows are no part of it, nor where the counters stand.
    query::run(&mut connection, "INSERT INTO parent (name) VALUES ('three'), ('four')").await;
    assert_eq!(inspector.snapshot().await.unwrap(), snapshot);
    inspector.close().await;
    remove(server, &["snapshot_kinds"]).await;
}

async fn names_of_databases_and_makers_do_not_count(server: &'static Server) {
    let names = ["snapshot_one", "snapshot_another"];
    for name in names {
        let _ = database(server, name).await;
    }
    let mut one = inspector(&server.url(names[0])).await;
    make(&mut one).await;
    let first = one.snapshot().await.unwrap();
    // Some other account makes the same, in one packet, as sqlx does, and later: an event remembers its birth.
    let mut root = server.connect("").await;
    query::run(&mut root, "DROP USER IF EXISTS 'snapshot_maker'@'%'").await;
    query::run(&mut root, "CREATE USER 'snapshot_maker'@'%' IDENTIFIED BY 'maker-of-snapshots'").await;
    query::run(&mut root, "GRANT ALL ON snapshot_another.* TO 'snapshot_maker'@'%'").await;
    if server.is_mysql() {
        query::run(&mut root, "SET GLOBAL log_bin_trust_function_creators = 1").await;
    }
    let (host, port) = (server.host(), server.port());
    let url = format!("mysql://snapshot_maker:maker-of-snapshots@{host}:{port}/{}", names[1]);
    let mut another = inspector(&url).await;
    query::rows_once_there(&mut root, &birth_has_passed(names[0])).await;
    another.rows(OBJECTS.join(";\n") + ";\n").await.unwrap();
    let second = another.snapshot().await.unwrap();
    assert_eq!(first.diff(&second), []);
    assert_eq!(first, second);
    assert_eq!(first.fingerprint(), second.fingerprint());
    query::run(&mut root, "DROP USER 'snapshot_maker'@'%'").await;
    remove(server, &names).await;
}

/// Has a row once an event made now is seen to be made later than the one in `database`.
fn birth_has_passed(database: &str) -> String {
    format!(
        "SELECT 1 FROM information_schema.events WHERE event_schema = '{database}' AND created < NOW() - INTERVAL 1 SECOND"
    )
}

type Sql = &'static [&'static str];
type Named = (DifferenceKind, ObjectKind, &'static str);

async fn what_differs_is_told(server: &'static Server) {
    use DifferenceKind::{Changed, Extra, Missing, Reordered};
    use ObjectKind::{Database, Event, Function, Procedure, Table, Trigger, View};

    let _ = database(server, "snapshot_differs").await;
    let mut inspector = inspector(&server.url("snapshot_differs")).await;
    make(&mut inspector).await;
    let before = inspector.snapshot().await.unwrap();
    let check = |after: &Snapshot, expected: &[(DifferenceKind, ObjectKind, &str)], sql: &str| {
        let found = before.diff(after);
        let found: Vec<_> = found.iter().map(|d| (d.kind, d.object, d.name.as_str())).collect();
        assert_eq!(found, expected, "{sql}");
        assert_ne!(before.fingerprint(), after.fingerprint(), "{sql}");
    };
    // What is done, what it makes different, how it is undone.
    let cases: &[(Sql, Named, Sql)] = &[
        (
            &["ALTER TABLE child MODIFY note MEDIUMTEXT"],
            (Changed, Table, "child"),
            &["ALTER TABLE child MODIFY note TEXT"],
        ),
        (
            &["ALTER TABLE child MODIFY note TEXT AFTER id"],
            (Reordered, Table, "child"),
            &["ALTER TABLE child MODIFY note TEXT AFTER parent_id"],
        ),
        (&["ALTER TABLE child COMMENT 'c'"], (Changed, Table, "child"), &["ALTER TABLE child COMMENT ''"]),
        (
            &["ALTER TABLE parent ALTER name SET DEFAULT 'y'"],
            (Changed, Table, "parent"),
            &["ALTER TABLE parent ALTER name SET DEFAULT 'x'"],
        ),
        (
            &["ALTER TABLE parted DROP PARTITION p0"],
            (Changed, Table, "parted"),
            &[
                "ALTER TABLE parted REORGANIZE PARTITION p1 INTO (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
            ],
        ),
        (&["CREATE TABLE more (id INT)"], (Extra, Table, "more"), &["DROP TABLE more"]),
        (&["DROP VIEW names_of_names"], (Missing, View, "names_of_names"), &[OBJECTS[6]]),
        (
            &["ALTER VIEW names_of_names AS SELECT double_id AS name FROM names"],
            (Changed, View, "names_of_names"),
            &["ALTER VIEW names_of_names AS SELECT name FROM names"],
        ),
        (&["DROP TRIGGER second"], (Missing, Trigger, "second"), &[OBJECTS[8]]),
        (
            &["SET sql_mode = ''", "DROP PROCEDURE nothing", OBJECTS[4]],
            (Changed, Procedure, "nothing"),
            &["SET sql_mode = @was", "DROP PROCEDURE nothing", OBJECTS[4]],
        ),
        (
            &["DROP FUNCTION twice", "CREATE FUNCTION twice(n INT) RETURNS INT DETERMINISTIC RETURN n + n"],
            (Changed, Function, "twice"),
            &["DROP FUNCTION twice", OBJECTS[3]],
        ),
        (&["ALTER EVENT sweep COMMENT 'c'"], (Changed, Event, "sweep"), &["ALTER EVENT sweep COMMENT ''"]),
        (
            &["ALTER EVENT sweep ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00'"],
            (Changed, Event, "sweep"),
            &["DROP EVENT sweep", OBJECTS[9]],
        ),
        (
            &["ALTER DATABASE CHARACTER SET latin1"],
            (Changed, Database, ""),
            &["ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"],
        ),
    ];
    inspector.execute("SET @was = @@sql_mode").await.unwrap();
    for (sql, expected, undo) in cases {
        for sql in *sql {
            inspector.execute(*sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
        }
        let mut other = self::inspector(&server.url("snapshot_differs")).await;
        let after = other.snapshot().await.unwrap();
        let mut found = vec![*expected];
        if expected.1 == Database {
            // What was made under the other collation says so.
            let has_collation = |kind| matches!(kind, Function | Procedure | Trigger | Event);
            let others = before.objects.keys().filter(|(kind, _)| has_collation(*kind));
            found.extend(others.map(|(kind, name)| (Changed, *kind, name.as_str())));
        }
        if expected.2 == "second" {
            // Alone, the other one has no number.
            found.insert(0, (Changed, Trigger, "first"));
        }
        check(&after, &found, sql[sql.len() - 1]);
        for sql in *undo {
            inspector.execute(*sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
        }
        assert_eq!(before.diff(&other.snapshot().await.unwrap()), [], "{undo:?}");
    }
    remove(server, &["snapshot_differs"]).await;
}

async fn a_tenants_account_sees_its_database(server: &'static Server) {
    let fleet = Fleet::new(server, "snapshotaccount").await;
    fleet.write_samples();
    fleet.provision("a").await;
    let snapshot = inspector(&fleet.tenant_url("a").await).await.snapshot().await.unwrap();
    assert!(!snapshot.to_sql().contains("may not see"), "{}", snapshot.to_sql());
    assert_eq!(snapshot.objects.len(), 9, "{:#?}", snapshot.objects.keys());
    assert!(!snapshot.to_sql().contains("DEFINER="), "it made all of them itself");
    // Root sees the same, and that somebody else made it.
    let seen_by_root = inspector(&server.url(&fleet.database("a"))).await.snapshot().await.unwrap();
    let differing: Vec<_> = snapshot.diff(&seen_by_root).into_iter().map(|d| d.object).collect();
    assert_eq!(differing, [ObjectKind::View, ObjectKind::Trigger]);
}

async fn tables_are_there_as_structure(server: &'static Server) {
    let _ = database(server, "snapshot_structure").await;
    let mut inspector = inspector(&server.url("snapshot_structure")).await;
    make(&mut inspector).await;
    let tables = inspector.snapshot().await.unwrap().tables;
    assert_eq!(tables.keys().collect::<Vec<_>>(), ["child", "parent", "parted"]);
    let parent = &tables["parent"];
    let facts: Vec<_> = parent
        .columns
        .iter()
        .map(|c| (c.name.as_str(), c.is_nullable, c.has_default, c.is_generated, c.is_auto_increment))
        .collect();
    let expected = [
        ("id", false, true, false, true),
        ("name", false, true, false, false),
        ("size", true, true, true, false),
    ];
    assert_eq!(facts, expected);
    assert_eq!(parent.columns[1].character_set.as_deref(), Some("utf8mb4"));
    let keys: Vec<_> =
        parent.keys.iter().map(|k| (k.name.as_str(), k.is_unique, k.parts[0].prefix)).collect();
    assert_eq!(keys, [("PRIMARY", true, None), ("uq_name", true, Some(10))]);
    assert_eq!(parent.checks.len(), 1);
    assert!(parent.checks[0].expression.contains("'it"), "{:?}", parent.checks);
    assert!(!parent.checks[0].expression.contains(r"_utf8mb4\'"), "{:?}", parent.checks);
    let [key] = &*tables["child"].foreign_keys else { panic!("{:?}", tables["child"]) };
    assert_eq!((&*key.name, &*key.referenced_table), ("fk", "parent"));
    assert_eq!(
        (&*key.columns, &*key.referenced_columns),
        (&["parent_id".to_owned()][..], &["id".to_owned()][..])
    );
    remove(server, &["snapshot_structure"]).await;
}
