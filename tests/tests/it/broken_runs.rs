//! Runs that break in the middle: what is in the database, what is said of it, and that the way on is the one that is said.

use std::time::Duration;

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{Fleet, KEY, Server, assert_output, on_each_server, query};
use sqlx::{Connection as _, MySqlConnection};

on_each_server!(
    a_statement_fails_after_others_are_committed,
    a_statement_fails_in_a_transaction,
    a_statement_fails_among_rows_without_transactions,
    a_connection_is_killed_in_dml,
    a_connection_is_killed_in_ddl,
    a_server_goes_away,
    another_run_holds_the_lock,
    a_table_is_locked,
    what_is_refused_at_once_is_not_unclear,
    an_error_that_is_told_in_a_row_is_an_error,
);

const HISTORY: &str = "SELECT version, success, execution_time >= 0 FROM _sqlx_migrations ORDER BY version";

async fn fleet_with(server: &'static Server, word: &'static str, files: &[(&str, &str)]) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write("20250101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);");
    fleet.provision("acme").await;
    for (file_name, text) in files {
        fleet.write(file_name, text);
    }
    fleet
}

async fn a_statement_fails_after_others_are_committed(server: &'static Server) {
    let five = |third: &str| {
        format!(
            "CREATE TABLE a (id INT PRIMARY KEY);\n\nINSERT INTO a VALUES (1);\n-- The third.\n{third};\n\
             CREATE TABLE b (id INT PRIMARY KEY);\nINSERT INTO b VALUES (1);\n"
        )
    };
    let name = "20260101000000_five.up.sql";
    let fleet = fleet_with(server, "third", &[(name, &five("ALTER TABLE a ADD COLUMN id INT"))]).await;
    let run = || fleet.run("migrate:tenant third-acme");
    assert_output!("third_of_five", run().await);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT id FROM a").await, ["1"]);
    assert_eq!(query::rows(&mut acme, HISTORY).await[1], ["20260101000000", "0", "0"]);
    assert_output!("third_of_five_status", fleet.run("migrate:status --exit-code").await);
    assert_output!("third_of_five_again", run().await);
    // What is committed must not be changed any more.
    fleet.write(name, &five("ALTER TABLE a ADD COLUMN n INT").replace("VALUES (1);\n--", "VALUES (2);\n--"));
    assert_output!("third_of_five_edited_before", run().await);
    fleet.write(name, &five("ALTER TABLE a ADD COLUMN n INT"));
    assert_output!("third_of_five_plan", fleet.run("migrate:tenant third-acme --dry-run").await);
    assert_output!("third_of_five_mended", run().await);
    assert_eq!(query::rows(&mut acme, "SELECT * FROM a").await, [["1", "NULL"]]);
    assert_eq!(query::column(&mut acme, "SELECT id FROM b").await, ["1"]);
    assert_eq!(query::rows(&mut acme, HISTORY).await[1], ["20260101000000", "1", "1"]);
    fleet.sqlx("acme", "migrate run").await.await.exits(0);
}

async fn a_statement_fails_in_a_transaction(server: &'static Server) {
    let text = "INSERT INTO t (n) VALUES (1);\nINSERT INTO t (n) VALUES (2);\nINSERT INTO t (n) VALUES ('x', 3);\n\
                INSERT INTO t (n) VALUES (4);\nINSERT INTO t (n) VALUES (5);";
    let fleet = fleet_with(server, "undone", &[("20260101000000_rows.up.sql", text)]).await;
    assert_output!("third_of_five_dml", fleet.run("migrate:tenant undone-acme").await);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM t").await, "0");
    assert_eq!(query::rows(&mut acme, HISTORY).await.len(), 1);
    assert_output!("third_of_five_dml_status", fleet.run("migrate:status").await);
}

/// As the one above, where nothing can be rolled back: what is there is recorded, and the next run goes on behind it.
async fn a_statement_fails_among_rows_without_transactions(server: &'static Server) {
    let engines: &[&str] =
        if server.is_mysql() { &["MyISAM", "MEMORY"] } else { &["Aria", "MyISAM", "MEMORY"] };
    let fleet = fleet_with(server, "remains", &[]).await;
    for (number, engine) in engines.iter().enumerate() {
        let day = 10 + number;
        fleet.write(
            &format!("202601{day}000000_t.up.sql"),
            &format!("CREATE TABLE t{day} (n INT NOT NULL PRIMARY KEY) ENGINE = {engine};"),
        );
        fleet.run("migrate:tenant remains-acme").await.exits(0);
        let text = |third: &str| {
            format!("INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\nINSERT INTO t VALUES ({third});\nINSERT INTO t VALUES (4);\n")
                .replace("INTO t", &format!("INTO t{day}"))
        };
        let name = format!("202601{day}000001_rows.up.sql");
        // Refused before it did anything, and in the middle of what it did: the rest of that is for a person.
        for third in ["'x', 3", "3), (2"] {
            fleet.write(&name, &text(third));
            let output = fleet.run("migrate:tenant remains-acme").await;
            output.exits(1).says("statement 3 of 4");
        }
        let mut acme = fleet.connect("acme").await;
        let rows = format!("SELECT n FROM t{day} ORDER BY n");
        assert_eq!(query::column(&mut acme, &rows).await, ["1", "2", "3"], "{engine}");
        fleet.write(&name, &text("3"));
        fleet.run("migrate:tenant remains-acme").await.exits(1).says("dirty: ").says("migrate:recover");
        assert_eq!(query::column(&mut acme, &rows).await, ["1", "2", "3"], "{engine}");
        fleet.run("migrate:recover remains-acme --resume --from 4 --yes").await.exits(0);
        fleet.run("migrate:tenant remains-acme").await.exits(0);
        assert_eq!(query::column(&mut acme, &rows).await, ["1", "2", "3", "4"], "{engine}");
    }
}

/// Kills the connection that runs a statement with `text` in it.
async fn kill(fleet: &Fleet, text: &str) {
    let mut root = fleet.server().connect("").await;
    let ids = query::rows_once_there(&mut root, &query::running(&fleet.account("acme"), text)).await;
    query::run(&mut root, &format!("KILL CONNECTION {}", ids[0][0])).await;
}

async fn a_connection_is_killed_in_dml(server: &'static Server) {
    let text = "INSERT INTO t (n) VALUES (1);\nINSERT INTO t (n) SELECT SLEEP(100);\n";
    let name = "20260101000000_slow.up.sql";
    let fleet = fleet_with(server, "cutdml", &[(name, text)]).await;
    let run = fleet.run("migrate:tenant cutdml-acme").start().await;
    kill(&fleet, "SLEEP(100)").await;
    assert_output!("killed_in_dml", run.finish().await);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM t").await, "0");
    assert_eq!(query::rows(&mut acme, HISTORY).await.len(), 1);
    fleet.write(name, &text.replace("100", "0"));
    fleet.run("migrate:tenant cutdml-acme").await.exits(0);
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM t").await, "2");
}

/// The statement waits for a table that somebody else has in use.
async fn a_connection_is_killed_in_ddl(server: &'static Server) {
    let text =
        "INSERT INTO t (n) VALUES (1);\nALTER TABLE t ADD COLUMN m INT;\nINSERT INTO t (m) VALUES (2);\n";
    let fleet = fleet_with(server, "cutddl", &[("20260101000000_slow.up.sql", text)]).await;
    let mut user = fleet.connect("acme").await;
    query::run(&mut user, "START TRANSACTION").await;
    query::rows(&mut user, "SELECT * FROM t").await;
    let run = fleet.run("migrate:tenant cutddl-acme --lock-wait 100s").start().await;
    kill(&fleet, "ALTER TABLE t").await;
    assert_output!("killed_in_ddl", run.finish().await);
    query::run(&mut user, "ROLLBACK").await;
    assert_output!("killed_in_ddl_then", fleet.run("migrate:tenant cutddl-acme").await);
    assert_eq!(query::rows(&mut user, HISTORY).await[1], ["20260101000000", "0", "0"]);
    // The way by hand, as `docs/recover.md` has it.
    assert!(query::column(&mut user, "SHOW COLUMNS FROM t LIKE 'm'").await.is_empty());
    let settle = "UPDATE _backend_migrations_journal SET running = NULL WHERE version = 20260101000000";
    query::run(&mut user, settle).await;
    assert_output!("killed_in_ddl_settled", fleet.run("migrate:tenant cutddl-acme").await);
    let rows = query::rows(&mut user, "SELECT n, m FROM t ORDER BY id").await;
    assert_eq!(rows, [["1", "NULL"], ["NULL", "2"]]);
}

/// The tenant lives on a server of its own, which is stopped while a statement runs.
async fn a_server_goes_away(server: &'static Server) {
    let fleet = Fleet::new(server, "goes").await;
    fleet.write(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t SELECT SLEEP(100);",
    );
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    let options = throwaway_server::Options { flavour: Some(server.flavour()), ..Default::default() };
    let doomed = throwaway_server::start(&options).await.expect("a second server");
    if !doomed.is_ours() {
        // The one there is, is not ours to stop.
        return;
    }
    let key = Key::parse(KEY).unwrap();
    let sealed = seal::seal(doomed.root_password(), &key, entropy::random_iv().unwrap());
    let sql = format!(
        "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
         VALUES ('1', 'goes-acme', 'Acme', '{}', {}, 'acme_db', 'root', '{sealed}', 'ACTIVE')",
        doomed.host(),
        doomed.port()
    );
    query::run(&mut fleet.connect_central().await, &sql).await;
    let mut root = MySqlConnection::connect(doomed.root_url()).await.unwrap();
    query::run(&mut root, "CREATE DATABASE acme_db").await;
    let run = fleet.run("migrate:all-tenants").start().await;
    query::rows_once_there(&mut root, &query::running("root", "SELECT SLEEP(100)")).await;
    drop(root);
    doomed.stop().await;
    assert_output!("server_goes_away", run.finish().await);
}

async fn another_run_holds_the_lock(server: &'static Server) {
    let text = "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a SELECT SLEEP(8);\n";
    let fleet = fleet_with(server, "held", &[("20260101000000_slow.up.sql", text)]).await;
    let first = fleet.run("migrate:tenant held-acme").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running("tenant\\_held\\_acme", "SELECT SLEEP(8)")).await;
    let second = fleet.run("migrate:tenant held-acme --lock-timeout 1s").await;
    assert_output!("lock_held", second);
    // A third waits, and finds the work done.
    let third = fleet.run("migrate:tenant held-acme --lock-timeout 100s").await;
    assert_output!("lock_waited_for", third);
    first.finish().await.exits(0);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM a").await, "1");
    // A holder that is no run of ours.
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    query::run(&mut acme, "DO GET_LOCK(LOWER(HEX(1026731422 * CRC32(DATABASE()))), 0)").await;
    assert_output!("lock_held_by_root", fleet.run("migrate:tenant held-acme --lock-timeout 1s").await);
    // One of the tenant's own account, on a database whose lock has the same name.
    query::run(&mut acme, "DO RELEASE_ALL_LOCKS()").await;
    let mut own = MySqlConnection::connect(&fleet.tenant_url("acme").await).await.unwrap();
    query::run(&mut own, "DO GET_LOCK(LOWER(HEX(1026731422 * CRC32(DATABASE()))), 0)").await;
    query::run(&mut own, "USE information_schema").await;
    assert_output!("lock_held_elsewhere", fleet.run("migrate:tenant held-acme --lock-timeout 1s").await);
}

async fn a_table_is_locked(server: &'static Server) {
    let fleet =
        fleet_with(server, "busy", &[("20260101000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;")]).await;
    let mut user = fleet.connect("acme").await;
    query::run(&mut user, "START TRANSACTION").await;
    query::rows(&mut user, "SELECT * FROM t").await;
    let flavour = if server.is_mysql() { "mysql" } else { "mariadb" };
    let output = fleet.run("migrate:tenant busy-acme --lock-wait 1s").await;
    assert!(output.took < Duration::from_secs(15), "{output}");
    assert_output!(format!("table_locked_{flavour}"), output);
    query::run(&mut user, "ROLLBACK").await;
    assert_eq!(query::rows(&mut user, HISTORY).await.len(), 1);
    fleet.run("migrate:tenant busy-acme").await.exits(0);
}

/// Statements of which a failure may leave a part, and that failed before they did anything, or took it back.
async fn what_is_refused_at_once_is_not_unclear(server: &'static Server) {
    let fleet = fleet_with(server, "atonce", &[]).await;
    let mut root = server.connect("").await;
    for table in ["a", "b"] {
        query::run(&mut fleet.connect("acme").await, &format!("CREATE TABLE {table} (id INT)")).await;
    }
    let grant = |verb: &str, to: &str| {
        format!(
            "{verb} DROP ON `{}`.* {to} '{}'@'%'",
            fleet.database("acme").replace('_', "\\_"),
            fleet.account("acme")
        )
    };
    query::run(&mut root, &grant("REVOKE", "FROM")).await;
    let twice = "CREATE TABLE c (id INT PRIMARY KEY) AS SELECT 1 AS id UNION ALL SELECT 1";
    for (number, statement) in
        [("1142", "DROP TABLE a, b"), ("1227", "SET GLOBAL max_connections = 100"), ("1062", twice)]
    {
        fleet.write("20260101000000_x.up.sql", &format!("{statement};"));
        let output = fleet.run("migrate:tenant atonce-acme").await;
        output.exits(1).says(&format!("{number} (")).says("nothing of this file is in the database");
    }
    assert!(query::rows(&mut fleet.connect("acme").await, "SHOW TABLES LIKE 'c'").await.is_empty());
    query::run(&mut root, &grant("GRANT", "TO")).await;
    fleet.write("20260101000000_x.up.sql", "DROP TABLE a, b;");
    fleet.run("migrate:tenant atonce-acme").await.exits(0);
}

/// `OPTIMIZE TABLE` of a table that is not there ends without an error, and has a row that says so.
async fn an_error_that_is_told_in_a_row_is_an_error(server: &'static Server) {
    let fleet = fleet_with(server, "inarow", &[]).await;
    for verb in ["OPTIMIZE", "ANALYZE", "CHECK", "REPAIR"] {
        fleet.write("20260101000000_x.up.sql", &format!("{verb} TABLE nosuch;"));
        let output = fleet.run("migrate:tenant inarow-acme").await;
        output.exits(1).says("nosuch' doesn't exist").says("nothing of this file is in the database");
    }
    fleet.write("20260101000000_x.up.sql", "OPTIMIZE TABLE t;");
    fleet.run("migrate:tenant inarow-acme").await.exits(0);
}
