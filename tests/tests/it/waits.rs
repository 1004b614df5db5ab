//! Nothing waits without end or without a name: locks of tables and rows, of the fleet, and servers that are away.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};
use sqlx::{Connection as _, MySqlConnection};
use tokio::net::{TcpListener, TcpStream};

on_each_server!(
    the_blocker_of_a_table_is_named,
    an_administrator_sees_more,
    a_blocked_statement_goes_on_when_it_can,
    a_deadlock_is_tried_again,
    a_row_is_locked,
    one_rollout_at_a_time,
    a_lost_fleet_lock_stops_admission,
    a_lost_lock_stops_the_work,
    a_statement_that_is_given_up_is_ended,
    a_server_that_is_back_in_a_moment_is_waited_for,
);

async fn fleet_with(server: &'static Server, word: &'static str, files: &[(&str, &str)]) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write("20250101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);");
    fleet.provision("acme").await;
    for (file_name, text) in files {
        fleet.write(file_name, text);
    }
    fleet
}

/// A user in the middle of a transaction that has read `t`.
async fn reader(url: &str) -> MySqlConnection {
    let mut user = MySqlConnection::connect(url).await.unwrap();
    query::run(&mut user, "START TRANSACTION").await;
    query::rows(&mut user, "SELECT * FROM t WHERE n = 12345").await;
    user
}

fn name(server: &Server, name: &str) -> String {
    format!("{name}_{}", if server.is_mysql() { "mysql" } else { "mariadb" })
}

/// The application logs in as the tenant's own account, so the tenant's account sees it.
async fn the_blocker_of_a_table_is_named(server: &'static Server) {
    let files = [("20260101000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;")];
    let fleet = fleet_with(server, "blocked", &files).await;
    let mut user = reader(&fleet.tenant_url("acme").await).await;
    let id = query::value(&mut user, "SELECT CONNECTION_ID()").await;
    let output = fleet.run("migrate:tenant blocked-acme --lock-wait 2s --lock-wait-retries 1").await;
    output.exits(1).says(&format!("connection {id} "));
    assert_output!(name(server, "blocked_by_own_account"), output);
    let args = "migrate:tenant blocked-acme --lock-wait 2s --lock-wait-retries 0 --format json";
    let output = fleet.run(args).await;
    output.exits(1).says("\"event\":\"waiting\"").says("probably held by connection");
    assert!(!output.text().contains("12345"), "somebody's value is told");
}

async fn an_administrator_sees_more(server: &'static Server) {
    let files = [("20260101000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;")];
    let fleet = fleet_with(server, "adminsees", &files).await;
    let mut user = reader(&server.url(&fleet.database("acme"))).await;
    let id = query::value(&mut user, "SELECT CONNECTION_ID()").await;
    let run = || fleet.run("migrate:tenant adminsees-acme --lock-wait 2s --lock-wait-retries 0");
    let output = run().await;
    output.exits(1);
    assert_output!(name(server, "blocked_by_nobody_seen"), output);
    let output = run().env("TENANT_ADMIN_URL", server.url("mysql")).await;
    output.exits(1).says(&format!("connection {id} (root@")).says("idle in a transaction");
    assert_output!(name(server, "blocked_seen_by_administrator"), output);
}

async fn a_blocked_statement_goes_on_when_it_can(server: &'static Server) {
    let files =
        [("20260101000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;\nALTER TABLE t ADD COLUMN o INT;")];
    let fleet = fleet_with(server, "letgo", &files).await;
    let user = reader(&fleet.tenant_url("acme").await).await;
    let mut run = fleet
        .run("migrate:tenant letgo-acme --lock-wait 1s --lock-wait-retries 60 --format json")
        .start()
        .await;
    // Let go of after the first try has failed for certain.
    while !run.line().await.contains("try 2 of 61 after 1205") {}
    user.close().await.unwrap();
    run.finish().await.exits(0);
    let history =
        query::rows(&mut fleet.connect("acme").await, "SELECT version, success FROM _sqlx_migrations").await;
    assert_eq!(history[1], ["20260101000000", "1"]);
}

/// Two transactions take two rows in opposite order; which of them the server ends is the server's choice, so the other
/// side is one that it never chooses: it has changed many rows.
async fn a_deadlock_is_tried_again(server: &'static Server) {
    let rows = "INSERT INTO t (id, n) VALUES (1, 0), (2, 0);\nCREATE TABLE many (id INT PRIMARY KEY AUTO_INCREMENT);";
    let fleet = fleet_with(server, "deadlock", &[("20250102000000_rows.up.sql", rows)]).await;
    fleet.run("migrate:tenant deadlock-acme").await.exits(0);
    fleet.write(
        "20260101000000_n.up.sql",
        "UPDATE t SET n = n + 1 WHERE id = 1;\nDO GET_LOCK('gate_deadlock', 60), RELEASE_LOCK('gate_deadlock');\n\
         UPDATE t SET n = n + 1 WHERE id = 2;",
    );
    let mut other = fleet.connect("acme").await;
    query::run(&mut other, "DO GET_LOCK('gate_deadlock', 0)").await;
    query::run(&mut other, "START TRANSACTION").await;
    let many = vec!["()"; 200].join(",");
    query::run(&mut other, &format!("INSERT INTO many VALUES {many}")).await;
    query::run(&mut other, "UPDATE t SET n = n + 10 WHERE id = 2").await;
    let run = fleet.run("migrate:tenant deadlock-acme --lock-wait 50s --format json").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running(&fleet.account("acme"), "gate_deadlock")).await;
    query::run(&mut other, "DO RELEASE_LOCK('gate_deadlock')").await;
    query::rows_once_there(&mut root, &query::running(&fleet.account("acme"), "WHERE id = 2")).await;
    // Either side of the circle may close it.
    query::run(&mut other, "UPDATE t SET n = n + 10 WHERE id = 1").await;
    query::run(&mut other, "COMMIT").await;
    run.finish().await.exits(0).says("try 2 of 4 after 1213");
    assert_eq!(query::column(&mut other, "SELECT n FROM t ORDER BY id").await, ["11", "11"]);
}

async fn a_row_is_locked(server: &'static Server) {
    let rows = "INSERT INTO t (id, n) VALUES (1, 0);";
    let fleet = fleet_with(server, "rowlock", &[("20250102000000_rows.up.sql", rows)]).await;
    fleet.run("migrate:tenant rowlock-acme").await.exits(0);
    fleet.write(
        "20260101000000_n.up.sql",
        "INSERT INTO t (id, n) VALUES (2, 0);\nUPDATE t SET n = n + 1 WHERE id = 1;",
    );
    let mut other = fleet.connect("acme").await;
    query::run(&mut other, "START TRANSACTION").await;
    query::run(&mut other, "UPDATE t SET n = 5 WHERE id = 1").await;
    let run = || fleet.run("migrate:tenant rowlock-acme --lock-wait 2s --lock-wait-retries 1");
    let output = run().await;
    output.exits(1);
    assert_output!(name(server, "row_locked"), output);
    let output = run().env("TENANT_ADMIN_URL", server.url("mysql")).await;
    output.exits(1);
    assert_output!(name(server, "row_locked_seen_by_administrator"), output);
    query::run(&mut other, "COMMIT").await;
    run().await.exits(0);
    assert_eq!(query::column(&mut other, "SELECT n FROM t ORDER BY id").await, ["6", "0"]);
}

/// A migration that goes on when `gate` is let go of.
fn gated(gate: &str) -> String {
    format!("CREATE TABLE g (id INT);\nDO GET_LOCK('{gate}', 60);\nINSERT INTO g VALUES (1);")
}

async fn one_rollout_at_a_time(server: &'static Server) {
    let fleet = fleet_with(server, "rollouts", &[]).await;
    fleet.provision("beta").await;
    let mut gate = server.connect("").await;
    query::run(&mut gate, "DO GET_LOCK('gate_rollouts', 0)").await;
    fleet.write("20260101000000_g.up.sql", &gated("gate_rollouts"));
    let first = fleet.run("migrate:all-tenants --only rollouts-acme").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running(&fleet.account("acme"), "gate_rollouts")).await;
    let second = fleet.run("migrate:all-tenants --only rollouts-beta --lock-timeout 1s").await;
    assert_output!("another_rollout", second);
    let second = fleet.run("migrate:rollback --all-tenants --lock-timeout 1s --format json").await;
    second.exits(4).says("another rollout is at work");
    // To look is free, and so is one tenant.
    fleet.run("migrate:all-tenants --dry-run --lock-timeout 1s").await.exits(0);
    fleet.run("migrate:status --lock-timeout 1s").await.exits(0);
    fleet.run("migrate:tenant rollouts-beta --to 20250101000000 --lock-timeout 1s").await.exits(0);
    // One that waits long enough has its turn.
    let patient = fleet.run("migrate:all-tenants --lock-timeout 1m").start().await;
    gate.close().await.unwrap();
    first.finish().await.exits(0);
    patient.finish().await.exits(0);
}

/// The connection that holds the fleet's lock: it is the oldest idle one of root in the central database.
const LOCK_HOLDER: &str =
    "SELECT IS_USED_LOCK(CONCAT('backend-migrations:', LEFT(SHA2(DATABASE(), 256), 32)))";

async fn a_lost_fleet_lock_stops_admission(server: &'static Server) {
    let fleet = fleet_with(server, "fleetlost", &[]).await;
    fleet.provision("beta").await;
    let mut gate = server.connect("").await;
    query::run(&mut gate, "DO GET_LOCK('gate_fleetlost', 0)").await;
    fleet.write("20260101000000_g.up.sql", &gated("gate_fleetlost"));
    let mut run = fleet.run("migrate:all-tenants --concurrency 1 --format json").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running(&fleet.account("acme"), "gate_fleetlost")).await;
    let mut central = fleet.connect_central().await;
    let holder = query::value(&mut central, LOCK_HOLDER).await;
    query::run(&mut central, &format!("KILL {holder}")).await;
    while !run.line().await.contains("\"reason\":\"fleet-lock-lost\"") {}
    gate.close().await.unwrap();
    run.finish().await.exits(3);
    let (mut acme, mut beta) = (fleet.connect("acme").await, fleet.connect("beta").await);
    let tables = "SHOW TABLES LIKE 'g'";
    assert_eq!(query::column(&mut acme, tables).await, ["g"], "what was begun is finished");
    assert!(query::column(&mut beta, tables).await.is_empty(), "nothing is begun after it");
}

/// The lock of a database is on the connection that works: who has lost the one has lost the other.
async fn a_lost_lock_stops_the_work(server: &'static Server) {
    let fleet = fleet_with(server, "locklost", &[]).await;
    let mut gate = server.connect("").await;
    query::run(&mut gate, "DO GET_LOCK('gate_locklost', 0)").await;
    fleet.write("20260101000000_g.up.sql", &gated("gate_locklost"));
    let run = fleet.run("migrate:tenant locklost-acme").start().await;
    let mut acme = fleet.connect("acme").await;
    let sql = query::running(&fleet.account("acme"), "gate_locklost");
    let ids = query::rows_once_there(&mut acme, &sql).await;
    let holder = "SELECT IS_USED_LOCK(LOWER(HEX(0x3d32ad9e * CRC32(DATABASE()))))";
    assert_eq!(query::value(&mut acme, holder).await, ids[0][0], "the lock is on the connection that works");
    query::run(&mut acme, &format!("KILL {}", ids[0][0])).await;
    let output = run.finish().await;
    assert_output!("lost_lock", output);
    gate.close().await.unwrap();
    assert_eq!(query::value(&mut acme, holder).await, "NULL");
    assert!(query::rows(&mut acme, "SELECT * FROM g").await.is_empty(), "nothing ran after it");
    fleet.run("migrate:tenant locklost-acme").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM g").await, ["1"]);
}

/// A time-out ends the statement on the server, and says what it left.
async fn a_statement_that_is_given_up_is_ended(server: &'static Server) {
    let text = "CREATE TABLE u (id INT);\nINSERT INTO t (n) SELECT SLEEP(100) FROM u;\nALTER TABLE t ADD COLUMN m INT;";
    let fleet = fleet_with(server, "givenup", &[("20260101000000_m.up.sql", text)]).await;
    let mut user = reader(&fleet.tenant_url("acme").await).await;
    let args = "migrate:tenant givenup-acme --lock-wait 100s --statement-timeout 1s";
    let output = fleet.run(args).await;
    // Whether who is in the way is told before the second is over, the machine decides.
    output
        .exits(1)
        .says("the statement ran longer than 1 s and was killed")
        .says("at 20260101000000_m.up.sql:3, statement 3 of 3")
        .says("statements 1 to 2 of 3 are committed and recorded; the rest is not; the migration is half applied");
    let mut root = server.connect("").await;
    let sql = query::running(&fleet.account("acme"), "ALTER TABLE");
    assert!(query::rows(&mut root, &sql).await.is_empty(), "it still runs");
    query::run(&mut user, "ROLLBACK").await;
    assert!(query::column(&mut user, "SHOW COLUMNS FROM t LIKE 'm'").await.is_empty());
    fleet.run("migrate:tenant givenup-acme").await.exits(0);
}

async fn a_server_that_is_back_in_a_moment_is_waited_for(server: &'static Server) {
    let fleet = fleet_with(server, "comesback", &[]).await;
    // A port of ours, closed until the run has met it.
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        listener.local_addr().expect("it listens").port()
    };
    let move_away =
        format!("UPDATE tenants SET db_host = '127.0.0.1', db_port = {port} WHERE slug = 'comesback-acme'");
    query::run(&mut fleet.connect_central().await, &move_away).await;
    fleet.write("20260101000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    let none = fleet.run("migrate:tenant comesback-acme --connect-retries 0").await;
    none.exits(1).says("refused the connection");
    assert!(!none.text().contains("waits for try"), "{none}");

    let mut run = fleet.run("migrate:tenant comesback-acme --connect-retries 8 --format json").start().await;
    while !run.line().await.contains("waiting") {}
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is still free");
    let upstream = format!("{}:{}", server.host(), server.port());
    let forwarding = tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&upstream).await.expect("the server is there");
            tokio::spawn(async move { tokio::io::copy_bidirectional(&mut client, &mut server).await });
        }
    });
    run.finish().await.exits(0);
    forwarding.abort();
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SELECT COUNT(m) FROM t").await, ["0"]);
}
