//! Many tenants: the limits hold, a stop is safe, every tenant is accounted for.

use std::time::Duration;

use end_to_end::{Fleet, Output, Server, assert_output, on_each_server, query};

on_each_server!(
    limits_hold,
    a_failure_budget_stops_admission,
    the_first_signal_lets_statements_finish,
    the_second_signal_kills_statements,
    after_the_second_signal_no_statement_begins,
    a_signal_when_all_is_done_has_stopped_nothing,
    a_statement_runs_too_long,
    a_closed_output_stops_admission,
    two_runs_at_once,
);

/// Takes longer than any test, and is ended by a kill: a bare `SELECT SLEEP(…)` that is killed has succeeded on MySQL.
const LONG: &str = "INSERT INTO t (n) SELECT id FROM one WHERE SLEEP(100) = 0;";

const TENANTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

async fn fleet_of(server: &'static Server, word: &'static str, n_tenants: usize) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write(
        "20250101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);\nCREATE TABLE one (id INT PRIMARY KEY);\n\
         INSERT INTO one VALUES (1);",
    );
    for tenant in &TENANTS[..n_tenants] {
        fleet.provision(tenant).await;
    }
    fleet
}

/// The query for the tenants' statements that run now.
fn sleeping(word: &str) -> String {
    query::running(&format!("tenant\\_{word}\\_%"), "SLEEP(")
}

/// The most statements that ran at once while `run` did.
async fn most_at_once(fleet: &Fleet, word: &str, args: &str) -> usize {
    let mut root = fleet.server().connect("").await;
    let mut run = std::pin::pin!(fleet.run(args).into_future());
    let mut most = 0;
    loop {
        tokio::select! {
            output = &mut run => {
                output.exits(0);
                return most;
            }
            () = tokio::time::sleep(Duration::from_millis(20)) => {
                most = most.max(query::rows(&mut root, &sleeping(word)).await.len());
            }
        }
    }
}

async fn limits_hold(server: &'static Server) {
    let fleet = fleet_of(server, "limits", 8).await;
    let write = |day: u8| {
        fleet.write(&format!("202601{day:02}000000_n.up.sql"), "INSERT INTO t (n) SELECT SLEEP(0.5);");
    };
    for (day, args, n_most) in
        [(1, "--per-server 2", 2), (2, "--concurrency 3", 3), (3, "--concurrency 6 --per-server 4", 4)]
    {
        write(day);
        assert_eq!(
            most_at_once(&fleet, "limits", &format!("migrate:all-tenants {args}")).await,
            n_most,
            "{args}"
        );
    }
    // Two names are two servers as far as anyone can tell: each has its own limit, and takes its turn.
    let sql = "UPDATE tenants SET db_host = 'localhost' WHERE slug < 'limits-e'";
    query::run(&mut fleet.connect_central().await, sql).await;
    write(4);
    assert_eq!(most_at_once(&fleet, "limits", "migrate:all-tenants --per-server 1").await, 2);
    for tenant in TENANTS {
        assert_eq!(query::value(&mut fleet.connect(tenant).await, "SELECT COUNT(*) FROM t").await, "4");
    }
}

async fn a_failure_budget_stops_admission(server: &'static Server) {
    let fleet = fleet_of(server, "budget", 8).await;
    for tenant in ["b", "d", "f"] {
        query::run(&mut fleet.connect(tenant).await, "DROP TABLE t").await;
    }
    fleet.write("20260101000000_n.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    let output = fleet.run("migrate:all-tenants --concurrency 1 --failure-budget 2").await;
    assert_output!("failure_budget", output);
    assert_eq!(
        tables_with_column(&fleet, "m").await,
        [true, false, true, false, false, false, false, false],
        "a and c are migrated, b and d failed, the others were not begun"
    );
    // Many at once: those in flight when the budget is used up run to their end, and all are accounted for.
    let output = fleet.run("migrate:all-tenants --failure-budget 1 --concurrency 3 --format json").await;
    output.exits(1);
    let finished = finished(&output);
    let count = |key: &str| finished[key].as_u64().unwrap();
    assert_eq!(count("n_successful") + count("n_failed") + count("n_not_started"), 8, "{finished}");
    assert!(count("n_failed") >= 1 && count("n_not_started") >= 1, "{finished}");
    assert_eq!(finished["stop_reason"], "failure-budget", "{finished}");
}

async fn tables_with_column(fleet: &Fleet, column: &str) -> Vec<bool> {
    let mut central = fleet.connect_central().await;
    let mut have = Vec::new();
    for tenant in TENANTS {
        let sql = format!(
            "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = '{}' AND column_name = '{column}'",
            fleet.database(tenant)
        );
        have.push(query::value(&mut central, &sql).await == "1");
    }
    have
}

/// The last event.
fn finished(output: &Output) -> serde_json::Value {
    let last = output.stdout.lines().last().expect("a last event");
    serde_json::from_str(last).expect("JSON")
}

async fn the_first_signal_lets_statements_finish(server: &'static Server) {
    let fleet = fleet_of(server, "once", 3).await;
    fleet.write(
        "20260101000000_n.up.sql",
        "INSERT INTO t (n) SELECT SLEEP(5);\nINSERT INTO t (n) VALUES (1);",
    );
    fleet.write("20260102000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    for (signal, tenant) in [("TERM", "a"), ("INT", "b")] {
        let run = fleet.run("migrate:all-tenants --concurrency 1").start().await;
        let sql = query::running(&fleet.account(tenant), "SELECT SLEEP(");
        query::rows_once_there(&mut server.connect("").await, &sql).await;
        run.signal(signal).await;
        let output = run.finish().await;
        assert_output!(format!("signal_{signal}"), output);
        // The migration in flight is complete and recorded, the next was not begun.
        let mut tenant = fleet.connect(tenant).await;
        assert_eq!(query::value(&mut tenant, "SELECT COUNT(*) FROM t").await, "2");
        let sql = "SELECT version, success FROM _sqlx_migrations ORDER BY version";
        let history = query::rows(&mut tenant, sql).await;
        assert_eq!(history, [["20250101000000", "1"], ["20260101000000", "1"]]);
    }
    let mut c = fleet.connect("c").await;
    assert_eq!(query::value(&mut c, "SELECT COUNT(*) FROM t").await, "0");
    fleet.run("migrate:all-tenants").await.exits(0);
}

/// What a run says that gets so many signals while a statement of it sleeps.
async fn signalled(fleet: &Fleet, server: &Server, word: &str, n_signals: usize) -> Output {
    let run = fleet.run("migrate:all-tenants --concurrency 1").start().await;
    query::rows_once_there(&mut server.connect("").await, &sleeping(word)).await;
    // The kernel may make one of two of a kind.
    run.signals(&["INT", "TERM"][..n_signals]).await;
    run.finish().await
}

async fn the_second_signal_kills_statements(server: &'static Server) {
    let fleet = fleet_of(server, "twice", 3).await;
    fleet.write("20260101000000_n.up.sql", &format!("CREATE TABLE u (id INT);\n{LONG}"));
    let output = signalled(&fleet, server, "twice", 2).await;
    assert_output!("signal_twice", output);
    let running = query::rows(&mut server.connect("").await, &sleeping("twice")).await;
    assert!(running.is_empty(), "it still runs");
    let mut a = fleet.connect("a").await;
    assert_eq!(query::value(&mut a, "SELECT COUNT(*) FROM t").await, "0");
    fleet.write("20260101000000_n.up.sql", "CREATE TABLE u (id INT);\nINSERT INTO t (n) VALUES (1);");
    fleet.run("migrate:all-tenants").await.exits(0);
}

/// A bare `SLEEP` that is killed has succeeded on MySQL, and what stands behind it would be next.
async fn after_the_second_signal_no_statement_begins(server: &'static Server) {
    let fleet = fleet_of(server, "nomore", 1).await;
    fleet.write("20260101000000_n.up.sql", "DO SLEEP(100);\nCREATE TABLE late (id INT);");
    signalled(&fleet, server, "nomore", 2).await.exits(1);
    let mut a = fleet.connect("a").await;
    assert!(query::rows(&mut a, "SHOW TABLES LIKE 'late'").await.is_empty(), "it was begun");
}

async fn a_signal_when_all_is_done_has_stopped_nothing(server: &'static Server) {
    let fleet = fleet_of(server, "donealready", 1).await;
    fleet.write("20260101000000_n.up.sql", "INSERT INTO t (n) SELECT SLEEP(3);");
    let output = signalled(&fleet, server, "donealready", 1).await;
    output.exits(0).says("All tenant migrations completed successfully");
}

async fn a_statement_runs_too_long(server: &'static Server) {
    let fleet = fleet_of(server, "toolong", 1).await;
    fleet.write("20260101000000_n.up.sql", LONG);
    let output = fleet.run("migrate:all-tenants --statement-timeout 1s").await;
    assert_output!("statement_timeout", output);
    let running = query::rows(&mut server.connect("").await, &sleeping("toolong")).await;
    assert!(running.is_empty(), "it still runs");
    let mut a = fleet.connect("a").await;
    assert_eq!(query::value(&mut a, "SELECT COUNT(*) FROM t").await, "0");
    assert_eq!(query::value(&mut a, "SELECT COUNT(*) FROM _sqlx_migrations").await, "1");
}

/// `migrate:all-tenants | head -1`
async fn a_closed_output_stops_admission(server: &'static Server) {
    let fleet = fleet_of(server, "pipe", 4).await;
    fleet.write("20260101000000_n.up.sql", "CREATE TABLE u (id INT);\nINSERT INTO t (n) SELECT SLEEP(0.5);");
    let mut run = fleet.run("migrate:all-tenants --concurrency 1").start().await;
    assert_eq!(run.line().await, "🚀 Starting migration for all tenants...\n");
    run.close_stdout();
    let output = run.finish().await;
    // It depends on how soon the one who tells finds it out.
    let count = |n: i32| format!("{n} successful, 0 failed, {} to go", 4 - n);
    let shown = (1..4)
        .fold(output.to_string(), |shown, n| shown.replace(&count(n), "N successful, 0 failed, M to go"));
    assert_output!("output_closed", shown);
    let mut n_migrated = 0;
    for tenant in &TENANTS[..4] {
        let mut tenant = fleet.connect(tenant).await;
        let history = query::column(&mut tenant, "SELECT success FROM _sqlx_migrations").await;
        assert!(history.iter().all(|success| success == "1"), "{history:?}");
        n_migrated += history.len() - 1;
    }
    assert!((1..4).contains(&n_migrated), "{n_migrated} of 4 are migrated");
    fleet.run("migrate:all-tenants").await.exits(0);
}

async fn two_runs_at_once(server: &'static Server) {
    let fleet = fleet_of(server, "both", 8).await;
    for day in 1..=5 {
        let name = format!("202601{day:02}000000_n.up.sql");
        fleet.write(&name, &format!("INSERT INTO t (n) VALUES ({day});\nCREATE TABLE n{day} (id INT);"));
    }
    let run = || fleet.run("migrate:all-tenants").into_future();
    let (first, second) = tokio::join!(run(), run());
    first.exits(0);
    second.exits(0);
    for tenant in TENANTS {
        let mut tenant = fleet.connect(tenant).await;
        assert_eq!(
            query::column(&mut tenant, "SELECT n FROM t ORDER BY id").await,
            ["1", "2", "3", "4", "5"]
        );
    }
}
