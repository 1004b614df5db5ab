//! What each statement of a file costs that is recorded statement by statement: as much in a long file as in a short one.

use std::fmt::Write as _;

use end_to_end::{Fleet, Server, on_each_server, proxy::Proxy, query};

on_each_server!(each_statement_costs_the_same);

/// Request and answer of a statement; the request of its record, and an answer to each of that one's six statements.
const N_PACKETS: usize = 9;

/// What a run of a file with so many statements after its first sends and gets.
struct Sent {
    n_packets: usize,
    n_bytes: usize,
}

async fn run(fleet: &Fleet, proxy: &Proxy, number: u32, n_statements: usize) -> Sent {
    let mut script = format!("CREATE TABLE t{number} (id INT PRIMARY KEY);\n");
    for id in 0..n_statements {
        // As long as any other.
        writeln!(script, "INSERT INTO t{number} VALUES (1{id:04});").expect("a string takes it");
    }
    fleet.write(&format!("2026010{number}000000_m.up.sql"), &script);
    let n_before = proxy.packets().len();
    fleet.run("migrate:all-tenants").env("TENANT_SSL_MODE", "DISABLED").await.exits(0);
    let packets = proxy.packets().split_off(n_before);
    Sent { n_packets: packets.len(), n_bytes: packets.iter().map(|packet| packet.payload.len()).sum() }
}

async fn each_statement_costs_the_same(server: &'static Server) {
    let fleet = Fleet::new(server, "manystatements").await;
    fleet.write("20250101000000_first.up.sql", "CREATE TABLE first (id INT);");
    fleet.provision("acme").await;
    let proxy = Proxy::before(server.host(), server.port()).await;
    let sql = format!("UPDATE tenants SET db_host = '127.0.0.1', db_port = {}", proxy.port());
    query::run(&mut fleet.connect_central().await, &sql).await;
    // The first of them makes the journal's tables.
    run(&fleet, &proxy, 1, 1).await;
    let (short, long) = (run(&fleet, &proxy, 2, 100).await, run(&fleet, &proxy, 3, 300).await);
    // The history has a row more, which is read twice.
    assert_eq!(long.n_packets - short.n_packets, 200 * N_PACKETS + 2);
    // Each of the first hundred, with all that the run sends besides, is no less than one of the next two hundred.
    let each = (long.n_bytes - short.n_bytes) / 200;
    assert!(each <= short.n_bytes / 100, "{} and {} bytes", short.n_bytes, long.n_bytes);
}
