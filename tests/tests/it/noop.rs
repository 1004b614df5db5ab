//! What a tenant with nothing to do costs its server, read in the server's general log.

use end_to_end::{Fleet, Server, on_each_server, query};

use crate::corpus;

on_each_server!(nothing_pending_costs_one_query, a_look_costs_one_query, work_is_done_under_the_lock);

/// What the tenant's account asked of the server in connections begun after the first `n_before`.
async fn asked(fleet: &Fleet, tenant: &str, n_before: usize) -> Vec<Vec<String>> {
    query::log_of(fleet.server(), &fleet.account(tenant)).await.split_off(n_before)
}

/// Fails unless there is one connection with one query, which reads the history.
fn assert_one_query(connections: &[Vec<String>]) {
    let [lines] = connections else { panic!("{} connections: {connections:#?}", connections.len()) };
    let [connect, query, quit] = lines.as_slice() else { panic!("{lines:#?}") };
    assert_eq!((connect.as_str(), quit.as_str()), ("Connect", "Quit"));
    assert!(query.starts_with("Query: SELECT ") && query.contains("FROM _sqlx_migrations"), "{query}");
}

async fn nothing_pending_costs_one_query(server: &'static Server) {
    if !server.has_log() {
        return;
    }
    let fleet = Fleet::new(server, "noop").await;
    corpus::write(&fleet);
    for tenant in ["a", "b", "c"] {
        fleet.provision(tenant).await;
    }
    let mut before = Vec::new();
    for tenant in ["a", "b", "c"] {
        before.push(asked(&fleet, tenant, 0).await.len());
    }
    fleet.run("migrate:all-tenants").await.exits(0);
    for (tenant, n_before) in ["a", "b", "c"].into_iter().zip(before) {
        assert_one_query(&asked(&fleet, tenant, n_before).await);
    }
}

async fn a_look_costs_one_query(server: &'static Server) {
    if !server.has_log() {
        return;
    }
    let fleet = Fleet::new(server, "look").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet.write("20270101000000_pending.up.sql", "CREATE TABLE pending (id INT);");
    for args in ["migrate:status", "migrate:status --tenant look-a", "migrate:all-tenants --dry-run"] {
        let n_before = asked(&fleet, "a", 0).await.len();
        fleet.run(args).await.exits(0);
        assert_one_query(&asked(&fleet, "a", n_before).await);
    }
}

/// The other half of the proof: the log does show what a run with work does.
async fn work_is_done_under_the_lock(server: &'static Server) {
    if !server.has_log() {
        return;
    }
    let fleet = Fleet::new(server, "work").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet.write("20270101000000_pending.up.sql", "CREATE TABLE pending (id INT);");
    let n_before = asked(&fleet, "a", 0).await.len();
    fleet.run("migrate:all-tenants").await.exits(0);
    let connections = asked(&fleet, "a", n_before).await;
    let [lines] = connections.as_slice() else { panic!("{connections:#?}") };
    let place = |word: &str| {
        let place = lines.iter().position(|line| line.contains(word));
        place.unwrap_or_else(|| panic!("no {word} in {lines:#?}"))
    };
    assert!(place("GET_LOCK") < place("INSERT INTO _sqlx_migrations"), "{lines:#?}");
    assert!(place("INSERT INTO _sqlx_migrations") < place("CREATE TABLE pending"), "{lines:#?}");
    assert!(place("CREATE TABLE pending") < place("UPDATE _sqlx_migrations"), "{lines:#?}");
}
