//! What a migration leaves in its session, the next one does not find: two in one run are as two in two runs.

use end_to_end::{Fleet, Server, on_each_server, query};

on_each_server!(
    two_at_once_are_as_two_runs,
    what_fails_alone_fails_behind_another,
    two_undone_at_once_are_as_two_runs
);

/// Leaves all that a session can hold.
const LEAVES: &str = "CREATE TABLE seen (what VARCHAR(60) PRIMARY KEY, value VARCHAR(200));
CREATE TABLE narrow (name VARCHAR(3));
CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, n INT);
INSERT INTO counted VALUES (41, 1);
SET NAMES latin1;
SET sql_mode = '';
SET foreign_key_checks = 0, unique_checks = 0;
SET time_zone = '+09:00';
SET group_concat_max_len = 4;
SET @mine = 'left';
CREATE TEMPORARY TABLE aside (id INT);
PREPARE ours FROM 'SELECT 1';
SELECT GET_LOCK('session-leaks', 0);
";

/// Sees them.
const SEES: &str = "INSERT INTO seen VALUES ('text', 'é'), ('bytes', HEX('é'));
INSERT INTO seen VALUES ('moment', FROM_UNIXTIME(0)), ('mode', @@sql_mode), ('keys', @@foreign_key_checks), ('unique', @@unique_checks);
INSERT INTO seen SELECT 'variable', COALESCE(@mine, 'none');
INSERT INTO seen SELECT 'lock', IS_FREE_LOCK('session-leaks');
INSERT INTO seen SELECT 'newest', LAST_INSERT_ID();
INSERT INTO seen SELECT 'list', GROUP_CONCAT(what ORDER BY what) FROM seen;
CREATE TABLE aside (id INT);
INSERT INTO aside VALUES (7);
";

async fn seen(fleet: &Fleet, tenant: &str) -> Vec<Vec<String>> {
    let mut connection = fleet.connect(tenant).await;
    let mut rows = query::rows(&mut connection, "SELECT what, value FROM seen ORDER BY what").await;
    rows.extend(query::rows(&mut connection, "SELECT 'aside', id FROM aside").await);
    rows
}

async fn two_at_once_are_as_two_runs(server: &'static Server) {
    let fleet = Fleet::new(server, "leaks").await;
    for tenant in ["once", "twice"] {
        fleet.provision(tenant).await;
    }
    fleet.write("20260101000000_leaves.up.sql", LEAVES);
    fleet.run("migrate:tenant leaks-twice").await.exits(0);
    // Rows alone leave one thing: the number of the newest.
    fleet.write("20260102000000_rows.up.sql", "INSERT INTO counted (n) VALUES (2);\n");
    fleet.run("migrate:tenant leaks-twice").await.exits(0);
    fleet.write("20260103000000_sees.up.sql", SEES);
    for slug in ["leaks-twice", "leaks-once"] {
        fleet.run(&format!("migrate:tenant {slug}")).await.exits(0);
    }
    let (once, twice) = (seen(&fleet, "once").await, seen(&fleet, "twice").await);
    assert_eq!(once, twice);
    let value = |what: &str| once.iter().find(|row| row[0] == what).map(|row| row[1].as_str());
    assert_eq!(value("bytes"), Some("C3A9"), "a file is UTF-8");
    assert_eq!(value("newest"), Some("0"));
    assert_eq!(value("aside"), Some("7"));
    fleet.run("migrate:status --exit-code").await.exits(0);
}

async fn what_fails_alone_fails_behind_another(server: &'static Server) {
    let fleet = Fleet::new(server, "leakfails").await;
    fleet.provision("acme").await;
    fleet.write("20260101000000_leaves.up.sql", LEAVES);
    fleet.write("20260102000000_long.up.sql", "INSERT INTO narrow VALUES ('far too long');\n");
    fleet.run("migrate:tenant leakfails-acme").await.exits(1).says("1406").says("20260102000000_long.up.sql");
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT name FROM narrow").await, Vec::<String>::new());
    assert_eq!(query::column(&mut acme, "SELECT version FROM _sqlx_migrations").await, ["20260101000000"]);
}

async fn two_undone_at_once_are_as_two_runs(server: &'static Server) {
    let fleet = Fleet::new(server, "leaksdown").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (what VARCHAR(60));\n");
    fleet.write(
        "20260101000000_t.down.sql",
        "INSERT INTO t SELECT COALESCE(@mine, 'none');\nRENAME TABLE t TO told;\n",
    );
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT);\n");
    fleet.write("20260102000000_u.down.sql", "SET @mine = 'left';\nDROP TABLE u;\n");
    fleet.provision("acme").await;
    fleet.run("migrate:rollback --tenant leaksdown-acme --steps 2").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT what FROM told").await, ["none"]);
    assert_eq!(query::column(&mut acme, "SELECT version FROM _sqlx_migrations").await, Vec::<String>::new());
}
