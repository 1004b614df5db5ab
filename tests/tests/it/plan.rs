//! What a run would do, what it may do, and over whom.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

use crate::corpus;

on_each_server!(
    a_dry_run_changes_nothing,
    a_version_is_the_end_of_the_way,
    some_of_the_tenants,
    out_of_order_is_refused_unless_allowed,
    modified_and_missing_are_refused_by_name,
    a_name_that_the_history_cannot_hold_is_refused,
);

async fn versions(fleet: &Fleet, tenant: &str) -> Vec<String> {
    let mut connection = fleet.connect(tenant).await;
    if query::column(&mut connection, "SHOW TABLES LIKE '\\_sqlx\\_migrations'").await.is_empty() {
        return Vec::new();
    }
    query::column(&mut connection, "SELECT version FROM _sqlx_migrations ORDER BY version").await
}

async fn a_dry_run_changes_nothing(server: &'static Server) {
    let fleet = Fleet::new(server, "dry").await;
    fleet.provision("a").await;
    fleet.provision("b").await;
    let tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema LIKE 'dry\\_%\\_db'";
    let mut root = server.connect("").await;
    let before = query::value(&mut root, tables).await;
    corpus::write(&fleet);
    let output = fleet.run("migrate:tenant dry-a --dry-run").await;
    output.exits(0);
    assert_output!("dry_run_of_one", output);
    let output = fleet.run("migrate:all-tenants --dry-run --concurrency 1").await;
    output.exits(0);
    assert_output!("dry_run_of_all", output);
    assert_eq!(query::value(&mut root, tables).await, before);
    fleet.run("migrate:latest --dry-run").await.exits(0);
}

async fn a_version_is_the_end_of_the_way(server: &'static Server) {
    let fleet = Fleet::new(server, "upto").await;
    fleet.provision("a").await;
    corpus::write(&fleet);
    fleet.run("migrate:tenant upto-a --to 20260103000000").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..3]);
    let output = fleet.run("migrate:tenant upto-a --to 20260101000000").await;
    output.exits(1);
    assert_output!("an_older_version", output);
    let output = fleet.run("migrate:all-tenants --to 20260104000001").await;
    output.exits(4);
    assert_output!("a_version_that_is_in_no_file", output);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..3]);
    fleet.run("migrate:all-tenants --to 20260105000000").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
}

async fn some_of_the_tenants(server: &'static Server) {
    let fleet = Fleet::new(server, "some").await;
    for tenant in ["a", "b", "c"] {
        fleet.provision(tenant).await;
    }
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    fleet.run("migrate:all-tenants --only some-a,some-b --exclude some-b").await.exits(0);
    let applied = async || {
        let mut applied = Vec::new();
        for tenant in ["a", "b", "c"] {
            applied.push(versions(&fleet, tenant).await.len());
        }
        applied
    };
    assert_eq!(applied().await, [1, 0, 0]);
    for (name, args) in [
        ("an_unknown_tenant", "--only some-a,some-d"),
        ("an_unknown_tenant_left_out", "--exclude some-d"),
        ("nobody_is_left", "--only some-b --exclude some-b"),
    ] {
        let output = fleet.run(&format!("migrate:all-tenants {args}")).await;
        output.exits(4);
        assert_output!(name, output);
    }
    fleet.run("migrate:all-tenants").arg("--only").arg("").await.exits(2);
    assert_eq!(applied().await, [1, 0, 0]);
    let id = query::value(&mut fleet.connect_central().await, "SELECT id FROM tenants WHERE slug = 'some-c'")
        .await;
    fleet.run("migrate:all-tenants --exclude").arg(id).await.exits(0);
    assert_eq!(applied().await, [1, 1, 0]);
    query::run(
        &mut fleet.connect_central().await,
        "UPDATE tenants SET status = 'SUSPENDED' WHERE slug = 'some-c'",
    )
    .await;
    fleet.run("migrate:all-tenants").await.exits(0);
    assert_eq!(applied().await, [1, 1, 0]);
    let output = fleet.run("migrate:tenant some-c").await;
    output.exits(4);
    assert_output!("a_tenant_that_is_not_active", output);
}

async fn out_of_order_is_refused_unless_allowed(server: &'static Server) {
    let fleet = Fleet::new(server, "order").await;
    fleet.write("20260102000000_second.up.sql", "CREATE TABLE second (id INT);");
    fleet.provision("a").await;
    fleet.write("20260101000000_first.up.sql", "CREATE TABLE first (id INT);");
    fleet.write("20260103000000_third.up.sql", "CREATE TABLE third (id INT);");
    let output = fleet.run("migrate:all-tenants").await;
    output.exits(1);
    assert_output!("out_of_order_is_refused_unless_allowed", output);
    assert_eq!(versions(&fleet, "a").await, ["20260102000000"]);
    fleet.run("migrate:all-tenants --allow-out-of-order").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, ["20260101000000", "20260102000000", "20260103000000"]);
}

async fn modified_and_missing_are_refused_by_name(server: &'static Server) {
    let fleet = Fleet::new(server, "byname").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet.write("20260104000000_view.up.sql", "CREATE VIEW big_orders AS SELECT 1 AS one;\n");
    fleet.delete("20260102000000_first_orders.up.sql");
    fleet.delete("20260102000000_first_orders.down.sql");
    fleet.write("20260106000000_new.up.sql", "CREATE TABLE new (id INT);");
    let output = fleet.run("migrate:all-tenants").await;
    output.exits(1);
    assert_output!("modified_and_missing_are_refused_by_name", output);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
}

/// One that nobody can record is told before the ones before it have run.
async fn a_name_that_the_history_cannot_hold_is_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "unheld").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    for tenant in ["holds", "latin", "new"] {
        fleet.provision(tenant).await;
    }
    let modify = |charset| {
        format!("ALTER TABLE _sqlx_migrations MODIFY description TEXT CHARACTER SET {charset} NOT NULL")
    };
    let mut latin = fleet.connect("latin").await;
    query::run(&mut latin, &modify("latin1")).await;
    let database = fleet.database("new");
    let sql = format!("DROP DATABASE {database};CREATE DATABASE {database} CHARACTER SET latin1");
    query::run(&mut server.connect("").await, &sql).await;
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    fleet.write("20260103000000_größe.up.sql", "CREATE TABLE v (id INT PRIMARY KEY);");
    fleet.run("migrate:tenant unheld-latin --to 20260102000000 --dry-run").await.exits(0);
    fleet.run("migrate:tenant unheld-latin --dry-run").await.exits(0);
    fleet.write("20260104000000_数量.up.sql", "CREATE TABLE w (id INT PRIMARY KEY);");
    for args in ["migrate:tenant unheld-latin --dry-run", "migrate:tenant unheld-new --dry-run"] {
        fleet.run(args).await.exits(1).says("20260104000000 (数量) cannot be recorded").says("latin1");
    }
    let output = fleet.run("migrate:all-tenants --concurrency 1").await;
    output.exits(1);
    assert_output!("a_name_that_cannot_be_held", output);
    assert_eq!(versions(&fleet, "latin").await, ["20260101000000"]);
    assert!(query::column(&mut fleet.connect("new").await, "SHOW TABLES").await.is_empty());
    // As the hint says.
    query::run(&mut latin, &modify("utf8mb4")).await;
    let sql = format!("ALTER DATABASE {database} CHARACTER SET utf8mb4");
    query::run(&mut server.connect("").await, &sql).await;
    fleet.run("migrate:all-tenants").await.exits(0);
    for tenant in ["holds", "latin", "new"] {
        let sql = "SELECT CONVERT(description USING utf8mb4) FROM _sqlx_migrations ORDER BY version";
        let names = query::column(&mut fleet.connect(tenant).await, sql).await;
        assert_eq!(names, ["t", "u", "größe", "数量"], "{tenant}");
    }
}
