//! The way everybody takes: a tenant is born, a migration is added, all tenants get it.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

on_each_server!(
    a_tenant_is_born_and_migrated,
    a_birth_that_stops_is_told_line_by_line,
    a_fleet_leaves_nothing
);

async fn a_tenant_is_born_and_migrated(server: &'static Server) {
    let fleet = Fleet::new(server, "smoke").await;
    fleet.write_samples();
    fleet.provision("acme").await;
    fleet.write("20260101000000_note.up.sql", "CREATE TABLE notes (id INT PRIMARY KEY);");
    fleet.write("20260101000000_note.down.sql", "DROP TABLE notes;");
    fleet.run("migrate:all-tenants").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'notes'").await, ["notes"]);
    let info = fleet.sqlx("acme", "migrate info").await.await;
    info.exits(0);
    assert!(info.stdout.lines().all(|line| line.contains("/installed ")), "{info}");
}

async fn a_birth_that_stops_is_told_line_by_line(server: &'static Server) {
    let fleet = Fleet::new(server, "birth").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT,\n    oops\n);\n");
    let output = fleet.run("tenant:provision --slug birth-acme --name acme").await;
    output.exits(1);
    assert_output!("a_birth_that_stops", output);
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);\n");
    fleet.provision("acme").await;
    fleet.run("migrate:status --exit-code").await.exits(0);
}

/// The harness itself: the next test, or the owner of a server that is not ours, finds nothing of it.
async fn a_fleet_leaves_nothing(server: &'static Server) {
    let mut root = server.connect("").await;
    let left = "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'leaves\\_%' \
                UNION SELECT user FROM mysql.user WHERE user LIKE 'tenant\\_leaves\\_%'";
    let fleet = Fleet::new(server, "leaves").await;
    fleet.provision("acme").await;
    assert_eq!(query::column(&mut root, left).await.len(), 3);
    drop(fleet);
    assert_eq!(query::column(&mut root, left).await, Vec::<String>::new());
}
