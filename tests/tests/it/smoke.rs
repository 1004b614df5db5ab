//! The way everybody takes: a tenant is born, a migration is added, all tenants get it.

use end_to_end::{Fleet, Server, on_each_server, query};

on_each_server!(a_tenant_is_born_and_migrated);

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
