//! The books are true: what a backup, a table without transactions, a routine or a damaged history does to a run.

use end_to_end::{Fleet, Server, on_each_server, proxy::Proxy, query};
use sqlx::{Connection as _, MySqlConnection};

on_each_server!(
    a_backup_before_the_first_definition,
    a_backup_before_a_commit,
    a_long_backup_leaves_what_is_said,
    rows_without_transactions_that_fail,
    rows_without_transactions_behind_a_trigger,
    rows_without_transactions_are_tried_again_once,
    rows_without_transactions_and_a_killed_client,
    a_call_that_does_not_parse_inside,
    a_routine_that_lets_go_of_the_lock,
    the_lock_is_not_given_away,
    a_row_that_is_there_twice,
    a_table_that_is_no_history,
    a_revert_of_what_was_only_declared_is_known,
);

const VERSION: &str = "20260101000000";
const UP: &str = "20260101000000_m.up.sql";

/// A tenant `acme` with a table `t` and, without transactions, a table `m`.
async fn fleet(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write(
        "20250101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY, n INT);\nCREATE TABLE m (id INT PRIMARY KEY) ENGINE=MyISAM;",
    );
    fleet.provision("acme").await;
    fleet
}

/// A proxy before the tenant's server, by which the tenant is found from now on.
async fn proxy(fleet: &Fleet) -> Proxy {
    let server = fleet.server();
    let proxy = Proxy::before(server.host(), server.port()).await;
    let sql = format!("UPDATE tenants SET db_host = '127.0.0.1', db_port = {}", proxy.port());
    query::run(&mut fleet.connect_central().await, &sql).await;
    proxy
}

async fn success(acme: &mut MySqlConnection) -> Vec<String> {
    query::column(acme, &format!("SELECT success FROM _sqlx_migrations WHERE version = {VERSION}")).await
}

/// How each flavour's backup keeps everybody from committing, and lets go.
fn backups(server: &Server) -> Vec<(&'static [&'static str], &'static str)> {
    let mut backups: Vec<(&[&str], _)> = vec![(&["FLUSH TABLES WITH READ LOCK"], "UNLOCK TABLES")];
    if !server.is_mysql() {
        backups.push((
            &[
                "BACKUP STAGE START",
                "BACKUP STAGE FLUSH",
                "BACKUP STAGE BLOCK_DDL",
                "BACKUP STAGE BLOCK_COMMIT",
            ],
            "BACKUP STAGE END",
        ));
    }
    backups
}

/// Runs the migrations with a backup that begins before the request with this text and ends after the run has failed once.
async fn beside_a_backup(fleet: &Fleet, proxy: &Proxy, text: &str, begin: &[&str], end: &str) {
    let mut backup = fleet.server().connect("").await;
    proxy.hold(text);
    let args =
        format!("migrate:tenant {} --lock-wait 1s --lock-wait-retries 60 --format json", fleet.slug("acme"));
    let mut run = fleet.run(&args).env("TENANT_SSL_MODE", "DISABLED").start().await;
    proxy.stalled().await;
    for statement in begin {
        query::run(&mut backup, statement).await;
    }
    proxy.let_go();
    while !run.line().await.contains("try 2 of 61 after 1205") {}
    query::run(&mut backup, end).await;
    run.finish().await.exits(0);
}

/// The definition commits the history's row before it, in vain, and the row is gone with that.
async fn a_backup_before_the_first_definition(server: &'static Server) {
    let fleet = fleet(server, "backup").await;
    let proxy = proxy(&fleet).await;
    let mut acme = fleet.connect("acme").await;
    for (number, (begin, end)) in backups(server).into_iter().enumerate() {
        let version = format!("2026010{}000000", number + 1);
        fleet.write(&format!("{version}_m.up.sql"), &format!("ALTER TABLE t ADD COLUMN c{number} INT;"));
        beside_a_backup(&fleet, &proxy, "ALTER TABLE t ADD", begin, end).await;
        let sql = format!("SELECT success FROM _sqlx_migrations WHERE version = {version}");
        assert_eq!(query::column(&mut acme, &sql).await, ["1"], "{begin:?}");
    }
    fleet.run("migrate:tenant backup-acme").await.exits(0).says("up to date");
}

/// Each kind of commit of a script of rows and definitions.
async fn a_backup_before_a_commit(server: &'static Server) {
    let fleet = fleet(server, "backupcommit").await;
    let proxy = proxy(&fleet).await;
    let mut acme = fleet.connect("acme").await;
    let mut day = 0;
    for (begin, end) in backups(server) {
        for text in [
            "INSERT INTO _backend_migrations_statements",
            "SET success = TRUE",
            "INSERT INTO _sqlx_migrations",
        ] {
            day += 1;
            let table = format!("d{day}");
            let script = format!(
                "INSERT INTO t (id, n) VALUES ({day}, 1);\nCREATE TABLE {table} (id INT);\nUPDATE t SET n = n + 1 WHERE id = {day};"
            );
            fleet.write(&format!("202601{day:02}000000_m.up.sql"), &script);
            beside_a_backup(&fleet, &proxy, text, begin, end).await;
            let sql = format!("SELECT n FROM t WHERE id = {day}");
            assert_eq!(query::column(&mut acme, &sql).await, ["2"], "{begin:?} before {text}");
        }
    }
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM _backend_migrations_statements").await, "0");
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM _backend_migrations_journal").await, "0");
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM _sqlx_migrations WHERE NOT success").await, "0");
    fleet.run("migrate:tenant backupcommit-acme").await.exits(0).says("up to date");
}

/// One that takes longer than we wait leaves a failure, and not a success without a row.
async fn a_long_backup_leaves_what_is_said(server: &'static Server) {
    let fleet = fleet(server, "longbackup").await;
    let proxy = proxy(&fleet).await;
    let mut acme = fleet.connect("acme").await;
    fleet.write(UP, "ALTER TABLE t ADD COLUMN c INT;");
    let mut backup = server.connect("").await;
    proxy.hold("ALTER TABLE t ADD");
    let args = "migrate:tenant longbackup-acme --lock-wait 1s --lock-wait-retries 1";
    let run = fleet.run(args).env("TENANT_SSL_MODE", "DISABLED").start().await;
    proxy.stalled().await;
    query::run(&mut backup, "FLUSH TABLES WITH READ LOCK").await;
    proxy.let_go();
    let output = run.finish().await;
    output.exits(1);
    assert_eq!(success(&mut acme).await, Vec::<String>::new(), "{output}");
    assert!(query::column(&mut acme, "SHOW COLUMNS FROM t LIKE 'c'").await.is_empty());
    query::run(&mut backup, "UNLOCK TABLES").await;
    fleet.run("migrate:tenant longbackup-acme").await.exits(0);
    assert_eq!(success(&mut acme).await, ["1"]);
}

async fn rows_without_transactions_that_fail(server: &'static Server) {
    let fleet = fleet(server, "isamfails").await;
    let mut acme = fleet.connect("acme").await;
    fleet.write(UP, "INSERT INTO m VALUES (1), (2), (1);");
    let output = fleet.run("migrate:tenant isamfails-acme").await;
    output.exits(1).says("tables without transactions").says("migrate:recover");
    assert!(!output.text().contains("nothing of this file is in the database"), "{output}");
    assert_eq!(query::column(&mut acme, "SELECT id FROM m ORDER BY id").await, ["1", "2"]);
    // It must not run again unasked.
    fleet.write(UP, "INSERT INTO m VALUES (3);");
    fleet.run("migrate:tenant isamfails-acme").await.exits(1).says("migrate:recover");
    assert_eq!(query::column(&mut acme, "SELECT id FROM m ORDER BY id").await, ["1", "2"]);
    // A statement that the server does not begin has left nothing.
    let fleet = self::fleet(server, "isamunbegun").await;
    fleet.write(UP, "INSERT INTO t VALUES (1, 1);\nINSERT INTO m (nosuch) VALUES (1);");
    fleet
        .run("migrate:tenant isamunbegun-acme")
        .await
        .exits(1)
        .says("statement 1 of 2 is committed and recorded");
    fleet.write(UP, "INSERT INTO t VALUES (1, 1);\nINSERT INTO m (id) VALUES (1);");
    fleet.run("migrate:tenant isamunbegun-acme").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT id FROM m").await, ["1"]);
    assert_eq!(query::column(&mut acme, "SELECT id FROM t").await, ["1"]);
}

/// The file names a table with transactions alone.
async fn rows_without_transactions_behind_a_trigger(server: &'static Server) {
    let fleet = fleet(server, "isamtrigger").await;
    let mut acme = fleet.connect("acme").await;
    // GTIDs allow no statement that writes into both kinds of table.
    let sql = if server.is_mysql() { "SELECT @@global.enforce_gtid_consistency" } else { "SELECT 'OFF'" };
    if query::value(&mut acme, sql).await == "ON" {
        return;
    }
    query::run(&mut acme, "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW INSERT INTO m VALUES (NEW.n)")
        .await;
    fleet.write(UP, "INSERT INTO t VALUES (1, 7), (1, 8);");
    let output = fleet.run("migrate:tenant isamtrigger-acme").await;
    output.exits(1).says("tables without transactions");
    assert_eq!(query::column(&mut acme, "SELECT id FROM m").await, ["7"]);
    assert!(query::column(&mut acme, "SELECT id FROM t").await.is_empty());
    fleet.run("migrate:tenant isamtrigger-acme").await.exits(1).says("migrate:recover");
}

/// A lock that is waited for in vain before the first row is changed.
async fn rows_without_transactions_are_tried_again_once(server: &'static Server) {
    let fleet = fleet(server, "isamretry").await;
    let mut acme = fleet.connect("acme").await;
    let mut other = fleet.connect("acme").await;
    query::run(&mut other, "LOCK TABLES m WRITE").await;
    fleet.write(UP, "INSERT INTO m VALUES (1);\nINSERT INTO m VALUES (2);");
    let args = "migrate:tenant isamretry-acme --lock-wait 1s --lock-wait-retries 60 --format json";
    let mut run = fleet.run(args).start().await;
    while !run.line().await.contains("try 2 of 61 after 1205") {}
    query::run(&mut other, "UNLOCK TABLES").await;
    run.finish().await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM m ORDER BY id").await, ["1", "2"]);
    assert_eq!(success(&mut acme).await, ["1"]);
}

/// The server works on after `kill -9` of this tool, and nothing is rolled back.
async fn rows_without_transactions_and_a_killed_client(server: &'static Server) {
    let fleet = fleet(server, "isamkilled").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "INSERT INTO t VALUES (1, 1), (2, 2)").await;
    fleet.write(UP, "INSERT INTO m SELECT id FROM t WHERE SLEEP(1) = 0;");
    let run = fleet.run("migrate:tenant isamkilled-acme").start().await;
    let running = query::running(&fleet.account("acme"), "SLEEP(1)");
    let ids = query::rows_once_there(&mut acme, &running).await;
    run.signal("KILL").await;
    drop(run.finish().await);
    query::run(&mut acme, &format!("KILL {}", ids[0][0])).await;
    let gone = format!("SELECT 1 FROM DUAL WHERE NOT EXISTS ({running})");
    query::rows_once_there(&mut acme, &gone).await;
    let before = query::column(&mut acme, "SELECT id FROM m").await;
    let output = fleet.run("migrate:tenant isamkilled-acme").await;
    output.exits(1).says("migrate:recover");
    assert_eq!(query::column(&mut acme, "SELECT id FROM m").await, before, "nothing runs again");
    // A person who has looked says how far it got.
    query::run(&mut acme, "DELETE FROM m").await;
    fleet.run("migrate:recover isamkilled-acme --resume --from 1 --force --yes").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM m").await, ["1", "2"]);
    assert_eq!(success(&mut acme).await, ["1"]);
}

/// The usual way to add a column if it is not there, with a mistake in the text that is put together.
async fn a_call_that_does_not_parse_inside(server: &'static Server) {
    let fleet = fleet(server, "callparse").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "INSERT INTO t VALUES (1, 1)").await;
    fleet.write(
        "20250201000000_p.up.sql",
        "CREATE PROCEDURE p() BEGIN UPDATE t SET n = n + 1; ALTER TABLE t ADD COLUMN c INT; SET @s = 'ALTER TABL x'; \
         PREPARE q FROM @s; END;",
    );
    fleet.run("migrate:tenant callparse-acme").await.exits(0);
    fleet.write(UP, "CALL p();");
    let output = fleet.run("migrate:tenant callparse-acme").await;
    output.exits(1).says("1064");
    assert!(!output.text().contains("nothing of this file is in the database"), "{output}");
    fleet.run("migrate:tenant callparse-acme").await.exits(1).says("migrate:recover");
    assert_eq!(query::column(&mut acme, "SELECT n FROM t").await, ["2"], "once");
    // Where nothing of it was committed, its row was not either, and that is known.
    let fleet = self::fleet(server, "callnothing").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "INSERT INTO t VALUES (1, 1)").await;
    fleet.write(
        "20250201000000_p.up.sql",
        "CREATE PROCEDURE p() BEGIN UPDATE t SET n = n + 1; SET @s = 'ALTER TABL x'; PREPARE q FROM @s; END;",
    );
    fleet.run("migrate:tenant callnothing-acme").await.exits(0);
    fleet.write(UP, "CALL p();");
    fleet
        .run("migrate:tenant callnothing-acme")
        .await
        .exits(1)
        .says("nothing of this file is in the database");
    assert_eq!(query::column(&mut acme, "SELECT n FROM t").await, ["1"]);
}

/// No text of the migration shows it.
async fn a_routine_that_lets_go_of_the_lock(server: &'static Server) {
    let fleet = fleet(server, "letsgo").await;
    let mut acme = fleet.connect("acme").await;
    let routine = "CREATE PROCEDURE p() BEGIN DO RELEASE_ALL_LOCKS(); END";
    query::run(&mut acme, routine).await;
    fleet.write(UP, "CREATE TABLE a (id INT);\nCALL p();\nCREATE TABLE b (id INT);");
    let output = fleet.run("migrate:tenant letsgo-acme").await;
    output.exits(1).says("has lost the lock");
    assert!(query::column(&mut acme, "SHOW TABLES LIKE 'b'").await.is_empty(), "nothing runs after it");
    assert_eq!(success(&mut acme).await, ["0"]);
    fleet.run("migrate:tenant letsgo-acme").await.exits(1).says("migrate:recover");
}

async fn the_lock_is_not_given_away(server: &'static Server) {
    let fleet = Fleet::new(server, "givesaway").await;
    for text in [
        "DO RELEASE_ALL_LOCKS();",
        "SELECT RELEASE_LOCK(LOWER(HEX(1026731422 * CRC32(DATABASE()))));",
        "SET @a = RELEASE_LOCK(@b);",
        "CREATE PROCEDURE p() BEGIN DO RELEASE_ALL_LOCKS(); END;",
        "DELETE FROM _backend_migrations_journal;",
        "DELETE FROM `_backend_migrations_statements`;",
        "FLUSH TABLES WITH READ LOCK;",
    ] {
        fleet.write(UP, text);
        fleet.run("migrate:all-tenants").await.exits(4).says(UP);
    }
    fleet.write(UP, "DO GET_LOCK('my-own', 1), RELEASE_LOCK('my-own');");
    fleet.run("migrate:all-tenants").await.exits(0);
}

async fn a_row_that_is_there_twice(server: &'static Server) {
    let fleet = Fleet::new(server, "twice2").await;
    fleet.write(UP, "CREATE TABLE t (id INT PRIMARY KEY, n INT);");
    fleet.write("20260101000000_m.down.sql", "DROP TABLE IF EXISTS t;");
    fleet.provision("acme").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "ALTER TABLE _sqlx_migrations DROP PRIMARY KEY").await;
    query::run(&mut acme, "INSERT INTO _sqlx_migrations SELECT * FROM _sqlx_migrations").await;
    for command in ["migrate:tenant twice2-acme", "migrate:rollback --tenant twice2-acme --steps 1"] {
        fleet
            .run(command)
            .await
            .exits(1)
            .says("20260101000000 (m) has more than one row")
            .says("ADD PRIMARY KEY");
    }
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 't'").await, ["t"]);
}

async fn a_table_that_is_no_history(server: &'static Server) {
    let fleet = Fleet::new(server, "foreign").await;
    fleet.provision("acme").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "DROP TABLE IF EXISTS _sqlx_migrations").await;
    query::run(&mut acme, "CREATE TABLE _sqlx_migrations (id INT)").await;
    fleet.write(UP, "CREATE TABLE t (id INT);");
    fleet
        .run("migrate:tenant foreign-acme")
        .await
        .exits(1)
        .says("does not have the columns that sqlx gives it");
    assert!(query::column(&mut acme, "SHOW TABLES LIKE 't'").await.is_empty());
}

/// A row that was declared has no time by which a revert would be told from an apply, so the journal says it.
async fn a_revert_of_what_was_only_declared_is_known(server: &'static Server) {
    let fleet = fleet(server, "declareddown").await;
    fleet.write(UP, "ALTER TABLE t ADD COLUMN c INT;");
    fleet.write("20260101000000_m.down.sql", "ALTER TABLE t DROP COLUMN c;");
    fleet.run("migrate:tenant declareddown-acme").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "UPDATE _sqlx_migrations SET execution_time = -1").await;
    // Somebody reads the table, so the revert waits, and is killed.
    let mut user = MySqlConnection::connect(&fleet.tenant_url("acme").await).await.unwrap();
    query::run(&mut user, "START TRANSACTION").await;
    query::rows(&mut user, "SELECT * FROM t").await;
    let run =
        fleet.run("migrate:rollback --tenant declareddown-acme --steps 1 --lock-wait 100s").start().await;
    let running = query::running(&fleet.account("acme"), "DROP COLUMN c");
    let ids = query::rows_once_there(&mut acme, &running).await;
    run.signal("KILL").await;
    drop(run.finish().await);
    query::run(&mut acme, &format!("KILL {}", ids[0][0])).await;
    let gone = format!("SELECT 1 FROM DUAL WHERE NOT EXISTS ({running})");
    query::rows_once_there(&mut acme, &gone).await;
    query::run(&mut user, "ROLLBACK").await;
    assert_eq!(query::column(&mut acme, "SELECT direction FROM _backend_migrations_journal").await, ["down"]);
    // An apply would add the column that is there.
    fleet.run("migrate:tenant declareddown-acme").await.exits(1).says("half undone");
    let recover = "migrate:recover declareddown-acme --resume --yes";
    fleet.run(recover).env("TENANT_ADMIN_URL", server.url("mysql")).await.exits(0);
    assert!(query::column(&mut acme, "SHOW COLUMNS FROM t LIKE 'c'").await.is_empty());
    assert_eq!(success(&mut acme).await, Vec::<String>::new());
}
