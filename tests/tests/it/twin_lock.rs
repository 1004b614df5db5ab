//! The lock of sqlx's library, which sqlx-cli does not take, and ours are one.

use std::{pin::pin, time::Duration};

use end_to_end::{Fleet, Server, Started, assert_output, on_each_server, query};
use sqlx::{Connection as _, MySqlConnection, migrate::Migrate as _};
use tokio::time::timeout;

on_each_server!(a_lock_of_sqlx_keeps_us_out, our_lock_keeps_sqlx_out, a_second_run_waits_and_names_the_first);

/// sqlx-mysql 0.9's `generate_lock_id`, in SQL.
const HOLDER: &str = "SELECT IS_USED_LOCK(LOWER(HEX(0x3d32ad9e * CRC32(DATABASE()))))";

/// For what has to happen: long enough for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A migration that goes on when the lock `NAME` is let go of, so that a test decides when.
const WAITS: &str = "CREATE TABLE t (id INT);\nDO GET_LOCK('NAME', 60);\nINSERT INTO t VALUES (1);\n";

async fn a_lock_of_sqlx_keeps_us_out(server: &'static Server) {
    let fleet = Fleet::new(server, "lockfrom").await;
    fleet.provision("acme").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    let mut sqlx = MySqlConnection::connect(&fleet.tenant_url("acme").await).await.unwrap();
    sqlx.lock().await.unwrap();
    let id = query::value(&mut sqlx, "SELECT CONNECTION_ID()").await;
    if server.is_mysql() {
        assert_eq!(query::value(&mut sqlx, HOLDER).await, id, "sqlx's lock has another name");
    } else {
        // MariaDB takes no negative timeout, and sqlx does not read the answer: it holds nothing.
        assert_eq!(query::value(&mut sqlx, HOLDER).await, "NULL");
        query::run(&mut sqlx, "DO GET_LOCK(LOWER(HEX(0x3d32ad9e * CRC32(DATABASE()))), 1)").await;
        assert_eq!(query::value(&mut sqlx, HOLDER).await, id);
    }
    let output = fleet.run("migrate:tenant lockfrom-acme --lock-timeout 1s").await;
    output.exits(1).says(&format!("connection {id}"));
    assert_output!("a_lock_of_sqlx_keeps_us_out", output);
    sqlx.unlock().await.unwrap();
    fleet.run("migrate:tenant lockfrom-acme --lock-timeout 1s").await.exits(0);
}

async fn our_lock_keeps_sqlx_out(server: &'static Server) {
    let fleet = Fleet::new(server, "lockto").await;
    fleet.provision("acme").await;
    let mut sqlx = MySqlConnection::connect(&fleet.tenant_url("acme").await).await.unwrap();
    let (gate, started) = start_and_wait(&fleet, "lockto").await;
    if server.is_mysql() {
        let mut lock = pin!(sqlx.lock());
        assert!(
            timeout(Duration::from_millis(500), &mut lock).await.is_err(),
            "sqlx has the lock that we hold"
        );
        gate.close().await.unwrap();
        started.finish().await.exits(0);
        timeout(PATIENCE, lock).await.expect("the lock is free").unwrap();
    } else {
        // Nothing keeps sqlx out on MariaDB (see above); the name at least is taken.
        assert_ne!(query::value(&mut sqlx, HOLDER).await, "NULL");
        gate.close().await.unwrap();
        started.finish().await.exits(0);
    }
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SELECT id FROM t").await, ["1"]);
}

async fn a_second_run_waits_and_names_the_first(server: &'static Server) {
    let fleet = Fleet::new(server, "locktwo").await;
    fleet.provision("acme").await;
    let (gate, first) = start_and_wait(&fleet, "locktwo").await;
    let output = fleet.run("migrate:tenant locktwo-acme --lock-timeout 1s").await;
    output.exits(1);
    assert_output!("a_second_run_waits_and_names_the_first", output);
    // A patient one finds nothing to do any more when its turn comes.
    let patient = fleet.run("migrate:tenant locktwo-acme --lock-timeout 1m").start().await;
    gate.close().await.unwrap();
    first.finish().await.exits(0);
    patient.finish().await.exits(0);
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SELECT id FROM t").await, ["1"]);
}

/// A run that is in the middle of its migration, and the connection whose end lets it go on.
async fn start_and_wait(fleet: &Fleet, word: &str) -> (MySqlConnection, Started) {
    let name = format!("gate_{word}");
    let mut gate = fleet.connect("acme").await;
    assert_eq!(query::value(&mut gate, &format!("SELECT GET_LOCK('{name}', 1)")).await, "1");
    fleet.write("20260101000000_t.up.sql", &WAITS.replace("NAME", &name));
    let started = fleet.run(&format!("migrate:tenant {word}-acme")).start().await;
    let waiting = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO GET\\_LOCK%' AND db = DATABASE()";
    let is_waiting = async {
        while query::value(&mut gate, waiting).await == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, is_waiting).await.expect("the migration begins");
    (gate, started)
}
