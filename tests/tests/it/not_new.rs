//! A database with tables and without a history of migrations is not new, and is not taken for it.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

on_each_server!(a_tenants_tables_are_left_alone, the_central_databases_tables_are_left_alone);

const FIRST: &str = "INSERT INTO customers VALUES (7);";

async fn a_tenants_tables_are_left_alone(server: &'static Server) {
    let fleet = Fleet::new(server, "notnew").await;
    // Without a file there is no history.
    fleet.provision("acme").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "CREATE TABLE customers (id INT PRIMARY KEY); INSERT INTO customers VALUES (1)")
        .await;
    query::run(&mut acme, "CREATE VIEW everybody AS SELECT id FROM customers").await;
    fleet.write("20260101000000_first.up.sql", FIRST);
    assert_output!("not_new", fleet.run("migrate:tenant notnew-acme").await);
    for args in [
        "migrate:tenant notnew-acme --dry-run",
        "migrate:all-tenants",
        "tenant:provision --slug notnew-acme --name acme",
    ] {
        let output = fleet.run(args).await;
        output.exits(1).says("there are 2 tables in it (`customers`, `everybody`)");
    }
    let tables = query::column(&mut acme, "SHOW TABLES").await;
    assert_eq!(tables, ["customers", "everybody"], "nothing was changed");
    assert_eq!(query::column(&mut acme, "SELECT id FROM customers").await, ["1"]);
    fleet.run("migrate:tenant notnew-acme --allow-existing-tables").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM customers").await, ["1", "7"]);
    // From here on there is a history.
    fleet.write("20260102000000_second.up.sql", "DELETE FROM customers WHERE id = 7;");
    fleet.run("migrate:all-tenants").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM customers").await, ["1"]);
}

async fn the_central_databases_tables_are_left_alone(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "centralnotnew").await;
    let mut central = fleet.connect_central().await;
    query::run(&mut central, "CREATE TABLE invoices (id INT PRIMARY KEY)").await;
    fleet.run("migrate:latest").await.exits(1).says("there is 1 table in it (`invoices`)");
    assert_eq!(query::column(&mut central, "SHOW TABLES").await, ["invoices"]);
    fleet.run("migrate:latest --allow-existing-tables").await.exits(0);
    fleet.run("migrate:latest").await.exits(0);
}
