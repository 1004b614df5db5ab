//! What a program is told to end by, how often, and what is waited for when it is.

use std::time::{Duration, Instant};

use end_to_end::{
    Fleet, Output, Server, on_each_server,
    proxy::{Cut, How, Proxy},
    query,
};
use sqlx::MySqlConnection;
use tokio::time::timeout;

on_each_server!(
    a_closed_terminal_and_quit_are_as_sigterm,
    under_nohup_a_closed_terminal_means_nothing,
    two_kinds_at_once_are_two,
    the_third_signal_ends_the_program,
    the_second_signal_ends_the_wait_for_a_database,
    the_second_signal_ends_the_wait_for_an_answer,
    a_record_that_is_not_answered_is_told_as_such,
    the_second_signal_ends_the_wait_for_a_kill,
);

/// Far less than any of the limits of a wait, and than its sum with a killed statement's.
const AT_ONCE: Duration = Duration::from_secs(15);

/// Takes longer than any test, and is ended by a kill.
const LONG: &str = "INSERT INTO t (n) SELECT id FROM one WHERE SLEEP(100) = 0;";

async fn fleet_of(server: &'static Server, word: &'static str, text: &str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write(
        "20250101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);\nCREATE TABLE one (id INT PRIMARY KEY);\n\
         INSERT INTO one VALUES (1);",
    );
    fleet.provision("acme").await;
    fleet.write("20260101000000_n.up.sql", text);
    fleet
}

/// Waits until the tenant's account runs a statement with this text.
async fn once_it_runs(fleet: &Fleet, text: &str) {
    let sql = query::running(&fleet.account("acme"), text);
    query::rows_once_there(&mut fleet.server().connect("").await, &sql).await;
}

/// What a run says that gets these signals while a statement of it sleeps.
async fn signalled(fleet: &Fleet, names: &[&str]) -> Output {
    let run = fleet.run("migrate:all-tenants").start().await;
    once_it_runs(fleet, "SLEEP(").await;
    run.signals(names).await;
    run.finish().await
}

async fn history(tenant: &mut MySqlConnection) -> Vec<Vec<String>> {
    query::rows(tenant, "SELECT version, success FROM _sqlx_migrations ORDER BY version").await
}

async fn a_closed_terminal_and_quit_are_as_sigterm(server: &'static Server) {
    let text = "INSERT INTO t (n) SELECT SLEEP(3);\nCREATE TABLE u (id INT);";
    let fleet = fleet_of(server, "hangup", text).await;
    fleet.write("20260102000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    signalled(&fleet, &["HUP"]).await.exits(3).says("Stopping: interrupted");
    let mut acme = fleet.connect("acme").await;
    assert_eq!(history(&mut acme).await, [["20250101000000", "1"], ["20260101000000", "1"]]);
    fleet.write("20260102000000_m.up.sql", "INSERT INTO t (n) SELECT SLEEP(3);");
    fleet.write("20260103000000_l.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    signalled(&fleet, &["QUIT"]).await.exits(3).says("Stopping: interrupted");
    assert_eq!(history(&mut acme).await.len(), 3);
    fleet.run("migrate:all-tenants").await.exits(0);
}

async fn under_nohup_a_closed_terminal_means_nothing(server: &'static Server) {
    let fleet = fleet_of(server, "nohup", "INSERT INTO t (n) SELECT SLEEP(3);").await;
    fleet.write("20260102000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    let run = fleet.run("migrate:all-tenants").under("nohup").start().await;
    once_it_runs(&fleet, "SLEEP(").await;
    run.signal("HUP").await;
    run.finish().await.exits(0);
    assert_eq!(history(&mut fleet.connect("acme").await).await.len(), 3);
}

/// Those of one kind the kernel may make one of.
async fn two_kinds_at_once_are_two(server: &'static Server) {
    let fleet = fleet_of(server, "twokinds", LONG).await;
    let began = Instant::now();
    signalled(&fleet, &["TERM", "HUP"]).await.exits(1).says("interrupted twice");
    assert!(began.elapsed() < Duration::from_mins(1), "the statement was not killed");
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::value(&mut acme, "SELECT COUNT(*) FROM t").await, "0");
    assert_eq!(history(&mut acme).await.len(), 1);
}

async fn the_third_signal_ends_the_program(server: &'static Server) {
    let fleet = fleet_of(server, "thrice", LONG).await;
    let output = signalled(&fleet, &["TERM", "INT", "HUP"]).await;
    output.exits(130);
    begins_anew(&fleet).await;
}

/// What a run has left behind ends on the server, and the next one begins anew.
async fn begins_anew(fleet: &Fleet) {
    fleet.write("20260101000000_n.up.sql", "INSERT INTO t (n) VALUES (1);");
    let sql = query::running(&fleet.account("acme"), "SLEEP(");
    let mut root = fleet.server().connect("").await;
    for id in query::column(&mut root, &sql).await {
        // It may be at its end already.
        sqlx::query(sqlx::AssertSqlSafe(format!("KILL {id}"))).execute(&mut root).await.ok();
    }
    fleet.run("migrate:all-tenants --lock-timeout 60s").await.exits(0);
    assert_eq!(query::value(&mut fleet.connect("acme").await, "SELECT COUNT(*) FROM t").await, "1");
}

/// The lock's name is sqlx's.
async fn the_second_signal_ends_the_wait_for_a_database(server: &'static Server) {
    let fleet = fleet_of(server, "lockwait", "ALTER TABLE t ADD COLUMN m INT;").await;
    let mut holder = fleet.connect("acme").await;
    let sql = "SELECT GET_LOCK(LOWER(HEX(1026731422 * CRC32(DATABASE()))), 0)";
    assert_eq!(query::value(&mut holder, sql).await, "1");
    for args in ["migrate:tenant lockwait-acme --lock-timeout 30m", "migrate:all-tenants --lock-timeout 30m"]
    {
        let run = fleet.run(args).start().await;
        once_it_runs(&fleet, "GET_LOCK").await;
        let began = Instant::now();
        run.signals(&["TERM", "INT"]).await;
        let output = run.finish().await;
        assert!(began.elapsed() < AT_ONCE, "{output}");
        output.exits(3).says("Stopped before anything was begun");
        // It is not left waiting on the server, where it would be given the lock.
        let mut root = server.connect("").await;
        let waiting = query::running(&fleet.account("acme"), "GET_LOCK");
        let began = Instant::now();
        while !query::rows(&mut root, &waiting).await.is_empty() {
            assert!(began.elapsed() < Duration::from_mins(1), "the server still waits for it");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A fleet whose tenant is reached by a proxy, and the packets of a run.
async fn by_proxy(fleet: &Fleet) -> Proxy {
    let server = fleet.server();
    let proxy = Proxy::before(server.host(), server.port()).await;
    let sql = format!("UPDATE tenants SET db_host = '127.0.0.1', db_port = {}", proxy.port());
    query::run(&mut fleet.connect_central().await, &sql).await;
    proxy
}

const PLAIN: (&str, &str) = ("TENANT_SSL_MODE", "DISABLED");

async fn the_second_signal_ends_the_wait_for_an_answer(server: &'static Server) {
    let fleet = fleet_of(server, "noanswer", "ALTER TABLE t ADD COLUMN m INT;").await;
    let proxy = by_proxy(&fleet).await;
    proxy.arm(None);
    fleet.run("migrate:all-tenants --dry-run").env(PLAIN.0, PLAIN.1).await.exits(0);
    let at = 1 + proxy.packets().iter().position(|packet| packet.asks("_sqlx_migrations")).unwrap();
    for args in ["migrate:all-tenants", "migrate:all-tenants --dry-run", "migrate:status"] {
        proxy.arm(Some(Cut { at, how: How::Stall }));
        let run = fleet.run(args).env(PLAIN.0, PLAIN.1).start().await;
        proxy.stalled().await;
        let began = Instant::now();
        run.signals(&["TERM", "INT"]).await;
        let output = run.finish().await;
        assert!(began.elapsed() < AT_ONCE, "{args}\n{output}");
        output.exits(3);
    }
    assert_eq!(history(&mut fleet.connect("acme").await).await.len(), 1);
}

/// The last record of a migration goes to the server, and its answer does not come back.
async fn a_record_that_is_not_answered_is_told_as_such(server: &'static Server) {
    let fleet = fleet_of(server, "norecord", "ALTER TABLE t ADD COLUMN m INT;").await;
    let proxy = by_proxy(&fleet).await;
    proxy.arm(None);
    let run = || fleet.run("migrate:all-tenants").env(PLAIN.0, PLAIN.1);
    run().await.exits(0);
    let is_last_record = |packet: &end_to_end::proxy::Packet| packet.asks("UPDATE _sqlx_migrations");
    let at = 1 + proxy.packets().iter().position(is_last_record).expect("a record");
    // Once more from the same beginning, so that the packets are the same.
    fleet.write("20260101000000_n.down.sql", "ALTER TABLE t DROP COLUMN m;");
    fleet.run("migrate:rollback --tenant norecord-acme").env(PLAIN.0, PLAIN.1).await.exits(0);
    proxy.arm(Some(Cut { at, how: How::Stall }));
    let run_that_stalls = run().start().await;
    proxy.stalled().await;
    let began = Instant::now();
    run_that_stalls.signals(&["TERM", "INT"]).await;
    let output = run_that_stalls.finish().await;
    assert!(began.elapsed() < AT_ONCE, "{output}");
    output.exits(1).says("the run was told twice to stop before the server answered");
    output
        .says("statement 1 of 1 is committed, but that could not be recorded")
        .says("`migrate:recover` finds out");
}

/// A statement is in flight, and so is what would end it: the second connection's greeting, its look for the first one, or its
/// `KILL` comes to a stall.
async fn the_second_signal_ends_the_wait_for_a_kill(server: &'static Server) {
    /// Less than the limits of a connection and of a look.
    const SECONDS: Duration = Duration::from_secs(8);
    let fleet = fleet_of(server, "nokill", LONG).await;
    let proxy = by_proxy(&fleet).await;
    for stalls in [None, Some("IS_USED_LOCK"), Some("KILL QUERY")] {
        fleet.write("20260101000000_n.up.sql", LONG);
        // Nobody looks who is in the way before the signals come.
        let run = fleet.run("migrate:all-tenants --lock-wait 100s").env(PLAIN.0, PLAIN.1).start().await;
        once_it_runs(&fleet, "SLEEP(").await;
        match stalls {
            None => proxy.arm(Some(Cut { at: 1, how: How::Stall })),
            Some(text) => proxy.hold(text),
        }
        let began = Instant::now();
        run.signals(&["TERM", "INT"]).await;
        timeout(SECONDS, proxy.stalled()).await.expect("a second connection is opened");
        let output = run.finish().await;
        assert!(began.elapsed() < SECONDS, "{stalls:?}: {:?}\n{output}", began.elapsed());
        output
            .exits(1)
            .says("interrupted twice")
            .says("it may still run as connection")
            .says("told twice to stop");
        proxy.let_go();
        begins_anew(&fleet).await;
        fleet.write("20260101000000_n.down.sql", "DELETE FROM t;");
        fleet.run("migrate:rollback --tenant nokill-acme").env(PLAIN.0, PLAIN.1).await.exits(0);
    }
}
