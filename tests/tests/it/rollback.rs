//! `migrate:rollback`.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

use crate::corpus;

on_each_server!(
    so_many_steps_down_to_a_version_or_all,
    the_central_database_is_rolled_back,
    a_missing_down_is_refused_before_anything_is_touched,
    a_down_of_comments_alone_is_refused,
    a_dry_run_of_a_rollback_changes_nothing,
    wrong_targets_are_refused,
);

async fn versions(fleet: &Fleet, tenant: &str) -> Vec<String> {
    let sql = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    query::column(&mut fleet.connect(tenant).await, sql).await
}

async fn so_many_steps_down_to_a_version_or_all(server: &'static Server) {
    let fleet = Fleet::new(server, "steps").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet.provision("b").await;
    let output = fleet.run("migrate:rollback --all-tenants --steps 2 --concurrency 1").await;
    output.exits(0);
    assert_output!("so_many_steps_down_to_a_version_or_all", output);
    for tenant in ["a", "b"] {
        assert_eq!(versions(&fleet, tenant).await, corpus::VERSIONS[..3]);
    }
    fleet.run("migrate:rollback --tenant steps-a").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..2]);
    assert_eq!(versions(&fleet, "b").await, corpus::VERSIONS[..3]);
    fleet.run("migrate:all-tenants").await.exits(0);
    fleet.run("migrate:rollback --all-tenants --to 20260101000000").await.exits(0);
    for tenant in ["a", "b"] {
        assert_eq!(versions(&fleet, tenant).await, corpus::VERSIONS[..1]);
    }
    fleet.run("migrate:rollback --all-tenants --to 0 --only steps-b").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..1]);
    assert_eq!(versions(&fleet, "b").await, Vec::<String>::new());
    // More steps than there are: all there are.
    fleet.run("migrate:rollback --tenant steps-a --steps 9").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, Vec::<String>::new());
    fleet.run("migrate:rollback --tenant steps-a").await.exits(0);
}

async fn the_central_database_is_rolled_back(server: &'static Server) {
    let fleet = Fleet::new(server, "centraldown").await;
    let mut central = fleet.connect_central().await;
    fleet.run("migrate:rollback").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'users'").await, Vec::<String>::new());
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'tenants'").await, ["tenants"]);
    fleet.run("migrate:latest").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'users'").await, ["users"]);
    fleet.run("migrate:rollback --to 0").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'tenants'").await, Vec::<String>::new());
}

async fn a_missing_down_is_refused_before_anything_is_touched(server: &'static Server) {
    let fleet = Fleet::new(server, "nodown").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    fleet.write("20260101000000_t.down.sql", "DROP TABLE t;");
    fleet.provision("a").await;
    fleet.provision("b").await;
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT);");
    fleet.run("migrate:tenant nodown-b").await.exits(0);

    // Tenant a could be rolled back, and comes first.
    let output = fleet.run("migrate:rollback --all-tenants --concurrency 1").await;
    output.exits(4);
    assert_output!("a_missing_down_is_refused_before_anything_is_touched", output);
    assert_eq!(versions(&fleet, "a").await, ["20260101000000"]);
    assert_eq!(versions(&fleet, "b").await, ["20260101000000", "20260102000000"]);
    // Where the lack is deeper down, the newest is not undone either.
    fleet.write("20260103000000_v.up.sql", "CREATE TABLE v (id INT);");
    fleet.write("20260103000000_v.down.sql", "DROP TABLE v;");
    fleet.run("migrate:tenant nodown-b").await.exits(0);
    fleet.run("migrate:rollback --tenant nodown-b --steps 2").await.exits(4);
    assert_eq!(versions(&fleet, "b").await.len(), 3);
    fleet.run("migrate:rollback --tenant nodown-b").await.exits(0);
    assert_eq!(versions(&fleet, "b").await.len(), 2);
}

async fn a_down_of_comments_alone_is_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "emptydown").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    fleet.write("20260101000000_t.down.sql", "-- nothing to undo\n");
    fleet.provision("a").await;
    fleet.run("migrate:rollback --tenant emptydown-a").await.exits(4).says("has no statement");
    assert_eq!(versions(&fleet, "a").await, ["20260101000000"]);
    fleet.write("20260101000000_t.down.sql", "-- The table stays.\nDO 0;\n");
    fleet.run("migrate:rollback --tenant emptydown-a").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, Vec::<String>::new());
}

async fn a_dry_run_of_a_rollback_changes_nothing(server: &'static Server) {
    let fleet = Fleet::new(server, "drydown").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    let output = fleet.run("migrate:rollback --tenant drydown-a --steps 2 --dry-run").await;
    output.exits(0);
    assert_output!("a_dry_run_of_a_rollback_changes_nothing", output);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
    assert_eq!(
        query::column(&mut fleet.connect("a").await, "SHOW TABLES LIKE 'big_orders'").await,
        ["big_orders"]
    );
}

async fn wrong_targets_are_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "wrongdown").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet
        .run("migrate:rollback --tenant wrongdown-a --to 20260102000001")
        .await
        .exits(1)
        .says("20260102000001");
    fleet.run("migrate:rollback --tenant wrongdown-a --to 1 --steps 1").await.exits(2);
    fleet.run("migrate:rollback --tenant wrongdown-a --all-tenants").await.exits(2);
    fleet.run("migrate:rollback --only wrongdown-a").await.exits(2);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
}
