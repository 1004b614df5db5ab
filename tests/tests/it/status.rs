//! `migrate:status`.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

on_each_server!(every_state_is_in_one_view, looking_changes_nothing);

const TENANTS: [&str; 9] = ["ahead", "dirty", "gone", "late", "missing", "modified", "new", "ok", "pending"];

/// One tenant in each state there is.
async fn fleet_in_every_state(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    for (version, table) in [("20260101000000", "a"), ("20260102000000", "b"), ("20260103000000", "c")] {
        fleet.write(&format!("{version}_{table}.up.sql"), &format!("CREATE TABLE {table} (id INT);"));
        fleet.write(&format!("{version}_{table}.down.sql"), &format!("DROP TABLE {table};"));
    }
    for tenant in TENANTS {
        fleet.provision(tenant).await;
    }
    let row = |version: &str| {
        format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, 'from elsewhere', TRUE, X'00', 1)"
        )
    };
    for (tenant, sql) in [
        ("ahead", row("20991231000000")),
        (
            "dirty",
            "UPDATE _sqlx_migrations SET success = 0, execution_time = -1 WHERE version = 20260103000000"
                .into(),
        ),
        ("late", "DELETE FROM _sqlx_migrations WHERE version = 20260102000000".into()),
        ("missing", row("20260102120000")),
        ("modified", "UPDATE _sqlx_migrations SET checksum = X'00' WHERE version = 20260101000000".into()),
        ("new", "DROP TABLE _sqlx_migrations".into()),
        ("pending", "DELETE FROM _sqlx_migrations WHERE version = 20260103000000".into()),
    ] {
        query::run(&mut fleet.connect(tenant).await, &sql).await;
    }
    // Port 1 is nobody's.
    let sql = format!("UPDATE tenants SET db_port = 1 WHERE slug = '{}'", fleet.slug("gone"));
    query::run(&mut fleet.connect_central().await, &sql).await;
    fleet
}

async fn every_state_is_in_one_view(server: &'static Server) {
    let fleet = fleet_in_every_state(server, "states").await;
    let output = fleet.run("migrate:status --concurrency 1").await;
    output.exits(1);
    assert_output!("every_state", output);
    fleet.run("migrate:status --exit-code").await.exits(1);
    fleet.run("migrate:status --exclude states-gone").await.exits(0);
    fleet.run("migrate:status --exclude states-gone --exit-code").await.exits(5);
    fleet.run("migrate:status --only states-ok --exit-code").await.exits(0);
    for tenant in ["ahead", "dirty", "late", "missing", "modified", "new", "pending"] {
        let output = fleet.run(&format!("migrate:status --exit-code --tenant states-{tenant}")).await;
        output.exits(5);
        assert_output!(format!("tenant_{tenant}"), output);
    }
    fleet.run("migrate:status --central --exit-code").await.exits(0);
}

async fn looking_changes_nothing(server: &'static Server) {
    let fleet = fleet_in_every_state(server, "readonly").await;
    let everything = "SELECT table_schema, table_name, create_time, update_time FROM information_schema.tables \
                      WHERE table_schema LIKE 'readonly\\_%' ORDER BY 1, 2";
    let mut root = server.connect("").await;
    let before = query::rows(&mut root, everything).await;
    let mut n_connections = Vec::new();
    if server.has_log() {
        for tenant in TENANTS {
            n_connections.push(query::log_of(server, &fleet.account(tenant)).await.len());
        }
    }
    fleet.run("migrate:status").await.exits(1);
    fleet.run("migrate:status --tenant readonly-new").await.exits(0);
    fleet.run("migrate:status --tenant readonly-dirty").await.exits(0);
    assert_eq!(query::rows(&mut root, everything).await, before);
    for (tenant, n_before) in TENANTS.into_iter().zip(n_connections) {
        let connections = query::log_of(server, &fleet.account(tenant)).await;
        assert_eq!(connections.len() == n_before, tenant == "gone");
        for line in connections[n_before..].iter().flatten() {
            // What looks dirty may be somebody's work of this moment.
            let looks_around = tenant == "dirty" && line == "Query: SHOW FULL PROCESSLIST";
            // A session is set up with the second query in it; MariaDB logs the whole packet in one line.
            let asks = ["Query: SELECT ", "Query: SET "].iter().any(|start| line.starts_with(start));
            let changes =
                ["GET_LOCK", "INSERT", "UPDATE ", "DELETE", "REPLACE", "CREATE ", "ALTER ", "DROP "];
            let is_harmless = line == "Connect" || line == "Quit" || asks || looks_around;
            assert!(is_harmless && !changes.iter().any(|word| line.contains(word)), "{tenant}: {line}");
        }
    }
}
