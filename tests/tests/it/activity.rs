//! Who is at work in a database, seen from a second connection, and ended from there.

use std::time::Duration;

use backend_migrations::{
    mysql::{Monitor, MySqlConnector, parse_url},
    session::Limits,
};
use end_to_end::{Fleet, Server, on_each_server, query};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio_util::sync::CancellationToken;

on_each_server!(the_holder_of_the_lock_is_seen_and_ended, others_are_seen_as_far_as_may_be);

const LOCK: &str = "LOWER(HEX(0x3d32ad9e * CRC32(DATABASE())))";

async fn monitor(fleet: &Fleet, tenant: &str) -> Monitor {
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let target = parse_url(&fleet.tenant_url(tenant).await, "acme").expect("a URL");
    Monitor::connect(&connector, &target).await.expect("the account can log in")
}

async fn the_holder_of_the_lock_is_seen_and_ended(server: &'static Server) {
    let fleet = Fleet::new(server, "holder").await;
    fleet.provision("acme").await;
    let mut monitor = monitor(&fleet, "acme").await;
    assert_eq!(monitor.at_work().await.unwrap(), []);
    let mut holder = MySqlConnection::connect(&fleet.tenant_url("acme").await).await.unwrap();
    let id: u64 = query::value(&mut holder, "SELECT CONNECTION_ID()").await.parse().unwrap();
    query::run(&mut holder, &format!("DO GET_LOCK({LOCK}, 0)")).await;
    // The answer is here before the server lists the connection as idle.
    let mut root = server.connect("").await;
    let idle = format!("SELECT id FROM information_schema.processlist WHERE id = {id} AND command = 'Sleep'");
    query::rows_once_there(&mut root, &idle).await;
    let [idle] = <[_; 1]>::try_from(monitor.at_work().await.unwrap()).expect("one");
    assert!(idle.holds_lock && idle.connection_id == id && idle.statement.is_none(), "{idle:?}");
    assert!(idle.account.as_ref().unwrap().starts_with("tenant_holder_acme@"), "{idle:?}");

    let running = tokio::spawn(async move { holder.execute("SELECT SLEEP(100), 'mail@example.org'").await });
    query::rows_once_there(&mut root, &query::running("tenant\\_holder\\_acme", "SLEEP(100)")).await;
    let busy = monitor.find(id).await.unwrap().expect("it is there");
    assert_eq!(busy.statement.as_deref(), Some("SELECT SLEEP(100), 'mail@example.org'"));
    let shown = busy.to_string();
    assert!(shown.ends_with(": SELECT SLEEP(?), ?"), "{shown}");

    assert!(!monitor.wait_until_gone(id, Duration::from_millis(300)).await.unwrap());
    assert!(monitor.kill(&busy).await.unwrap());
    assert!(monitor.wait_until_gone(id, Duration::from_secs(30)).await.unwrap());
    running.await.unwrap().unwrap_err();
    assert_eq!(monitor.at_work().await.unwrap(), []);
    // Whoever is gone cannot be ended, and is.
    assert!(!monitor.kill(&busy).await.unwrap());
    monitor.close().await;
}

/// A tenant's account has no PROCESS: it sees that root holds the lock, and no more.
async fn others_are_seen_as_far_as_may_be(server: &'static Server) {
    let fleet = Fleet::new(server, "lookedat").await;
    fleet.provision("acme").await;
    let mut monitor = monitor(&fleet, "acme").await;
    let mut root = fleet.connect("acme").await;
    query::run(&mut root, &format!("DO GET_LOCK({LOCK}, 0)")).await;
    let [holder] = <[_; 1]>::try_from(monitor.at_work().await.unwrap()).expect("one");
    assert!(holder.holds_lock && holder.account.is_none(), "{holder:?}");
    let error = monitor.kill(&holder).await.unwrap_err().to_string();
    assert!(error.starts_with("1095 "), "{error}");
    monitor.close().await;
}
