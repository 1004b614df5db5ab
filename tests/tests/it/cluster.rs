//! A server that is one of a group: the lock that keeps runs apart is the node's own, and whoever migrates is told.

use end_to_end::{Flavour, Fleet, Invocation, KEY, Program, Server, on_each_server, query, tell};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use throwaway_server::Options;

on_each_server!(a_node_of_a_group_is_told_as_such, a_server_of_its_own_is_not);

const CAVEAT: &str = "where the lock that keeps two runs apart is the node's own";

/// A node that has not met the others yet says the same of itself as one that has.
async fn a_node_of_a_group_is_told_as_such(server: &'static Server) {
    let arguments = match server.flavour() {
        Flavour::MySql => [].as_slice(),
        Flavour::MariaDb => ["--wsrep-on=ON", "--wsrep-provider=none", "--binlog-format=ROW"].as_slice(),
    };
    let server_arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
    let options = Options { flavour: Some(server.flavour()), server_arguments, ..Options::default() };
    let node = throwaway_server::start(&options).await.expect("another of the kind");
    if !node.is_ours() {
        return tell("a node of a group is NOT tested: the server is not ours to make one of");
    }
    end_to_end::canary::learn(node.root_password());
    let root = node.root_url().trim_end_matches('/');
    let mut connection = MySqlConnection::connect(root).await.expect("it answers");
    if server.is_mysql() {
        let plugin = "INSTALL PLUGIN group_replication SONAME 'group_replication.so'";
        if let Err(error) = connection.execute(plugin).await {
            return tell(&format!("a node of a group is NOT tested on MySQL: {error}"));
        }
        let name = "SET GLOBAL group_replication_group_name = '7d9e6f0c-3b0a-4f5e-9d1c-1f2e3d4c5b6a'";
        query::run(&mut connection, name).await;
    }
    query::run(&mut connection, "CREATE DATABASE central").await;
    let fleet = Fleet::without_tables(server, "clusternode").await;
    let migrate = || {
        Invocation::new(Program::BackendMigrations, "migrate:latest")
            .env("CENTRAL_DATABASE_URL", format!("{root}/central"))
            .env("DB_ENCRYPTION_KEY", KEY)
            .env("MIGRATIONS_DIR", fleet.migrations("central").parent().expect("a folder"))
    };
    let kind = if server.is_mysql() { "a replication group" } else { "a Galera cluster" };
    migrate().await.exits(0).says(&format!("is a node of {kind}, {CAVEAT}"));
    // Nothing is pending, so nothing is locked, and there is nothing to warn of.
    let output = migrate().await;
    output.exits(0);
    assert!(!output.text().contains(CAVEAT), "{output}");
    node.stop().await;
}

async fn a_server_of_its_own_is_not(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "clusterless").await;
    let output = fleet.run("migrate:latest").await;
    output.exits(0);
    assert!(!output.text().contains(CAVEAT), "{output}");
}
