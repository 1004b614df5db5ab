//! sqlx-cli and we agree on every database: what one applied, the other shows, goes on from and undoes.

use end_to_end::{Fleet, Server, on_each_server, query, schema};
use sqlx::MySqlConnection;

use crate::corpus;

on_each_server!(
    what_sqlx_applied_is_applied_for_us,
    what_we_applied_is_applied_for_sqlx,
    each_goes_on_where_the_other_stopped,
    the_books_are_equal,
    the_schemas_are_equal,
);

async fn versions(connection: &mut MySqlConnection) -> Vec<String> {
    query::column(connection, "SELECT version FROM _sqlx_migrations ORDER BY version").await
}

/// What a tool's history has, apart from when and how long.
async fn books(connection: &mut MySqlConnection) -> Vec<Vec<String>> {
    let sql = "SELECT version, description, success, HEX(checksum) FROM _sqlx_migrations ORDER BY version";
    query::rows(connection, sql).await
}

async fn tables(connection: &mut MySqlConnection) -> Vec<String> {
    query::column(connection, "SHOW TABLES").await
}

async fn what_sqlx_applied_is_applied_for_us(server: &'static Server) {
    let fleet = Fleet::new(server, "twinfrom").await;
    fleet.provision("acme").await;
    corpus::write(&fleet);
    fleet.sqlx("acme", "migrate run").await.await.exits(0).says("Applied 20260105000000/migrate mixed");
    let mut acme = fleet.connect("acme").await;
    let all = "SELECT * FROM _sqlx_migrations ORDER BY version";
    let before = query::rows(&mut acme, all).await;

    fleet.run("migrate:status --exit-code").await.exits(0);
    fleet.run("migrate:all-tenants").await.exits(0);
    assert_eq!(query::rows(&mut acme, all).await, before, "nothing was pending, and something was written");

    fleet.run("migrate:rollback --tenant twinfrom-acme").await.exits(0);
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS[..4]);
    assert_eq!(query::column(&mut acme, "SHOW COLUMNS FROM orders").await, ["id", "note", "total"]);
    fleet.sqlx("acme", "migrate info").await.await.exits(0).says("20260105000000/pending mixed");

    fleet.run("migrate:rollback --tenant twinfrom-acme --to 0").await.exits(0);
    assert_eq!(versions(&mut acme).await, Vec::<String>::new());
    let left = tables(&mut acme).await;
    assert!(left.iter().all(|table| table.starts_with('_')), "{left:?}");
}

async fn what_we_applied_is_applied_for_sqlx(server: &'static Server) {
    let fleet = Fleet::new(server, "twinto").await;
    corpus::write(&fleet);
    fleet.provision("acme").await;
    let mut acme = fleet.connect("acme").await;

    let info = fleet.sqlx("acme", "migrate info").await.await;
    info.exits(0);
    assert_eq!(
        info.stdout,
        "20260101000000/installed create orders\n20260102000000/installed first orders\n\
         20260103000000/installed bodies\n20260104000000/installed view\n20260105000000/installed mixed\n"
    );
    let run = fleet.sqlx("acme", "migrate run").await.await;
    run.exits(0);
    assert_eq!(run.text(), "", "sqlx-cli found something to do");

    fleet.sqlx("acme", "migrate revert").await.await.exits(0).says("Applied 20260105000000/revert mixed");
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS[..4]);
    fleet.sqlx("acme", "migrate revert --target-version 0").await.await.exits(0);
    assert_eq!(versions(&mut acme).await, Vec::<String>::new());
    let left = tables(&mut acme).await;
    assert!(left.iter().all(|table| table.starts_with('_')), "{left:?}");

    // And back again: nothing of ours keeps us from it.
    fleet.run("migrate:all-tenants").await.exits(0);
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS);
}

async fn each_goes_on_where_the_other_stopped(server: &'static Server) {
    let fleet = Fleet::new(server, "twinturns").await;
    fleet.provision("acme").await;
    corpus::write(&fleet);
    let mut acme = fleet.connect("acme").await;
    fleet.run("migrate:tenant twinturns-acme --to 20260101000000").await.exits(0);
    fleet.sqlx("acme", "migrate run --target-version 20260103000000").await.await.exits(0);
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS[..3]);
    fleet.run("migrate:tenant twinturns-acme").await.exits(0);
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS);
    let notes = "SELECT note FROM orders ORDER BY id";
    // The trigger was made by sqlx-cli and fired for us, the statement after it was run by us: `||` is the same in both.
    assert_eq!(query::column(&mut acme, notes).await, ["one", "two", "three!"]);
    fleet.sqlx("acme", "migrate revert").await.await.exits(0);
    fleet.run("migrate:rollback --tenant twinturns-acme --steps 2").await.exits(0);
    assert_eq!(versions(&mut acme).await, corpus::VERSIONS[..2]);
}

async fn the_books_are_equal(server: &'static Server) {
    let fleet = Fleet::new(server, "twinbooks").await;
    fleet.provision("ours").await;
    fleet.provision("theirs").await;
    fleet.write_samples();
    corpus::write(&fleet);
    fleet.run("migrate:tenant twinbooks-ours").await.exits(0);
    fleet.sqlx("theirs", "migrate run").await.await.exits(0);
    let (mut ours, mut theirs) = (fleet.connect("ours").await, fleet.connect("theirs").await);

    let books_of_ours = books(&mut ours).await;
    assert_eq!(books_of_ours.len(), 16);
    assert_eq!(books_of_ours, books(&mut theirs).await);
    let definition = "SHOW CREATE TABLE _sqlx_migrations";
    assert_eq!(query::rows(&mut ours, definition).await, query::rows(&mut theirs, definition).await);
    // Nanoseconds, and the server's time in UTC.
    let sane = "SELECT COUNT(*) FROM _sqlx_migrations WHERE execution_time BETWEEN 1000 AND 600000000000 \
                AND ABS(TIMESTAMPDIFF(SECOND, installed_on, CURRENT_TIMESTAMP)) < 600";
    assert_eq!(query::value(&mut ours, sane).await, "16");
    assert_eq!(query::value(&mut theirs, sane).await, "16");
}

async fn the_schemas_are_equal(server: &'static Server) {
    let fleet = Fleet::new(server, "twinschema").await;
    fleet.provision("ours").await;
    fleet.provision("theirs").await;
    fleet.write_samples();
    corpus::write(&fleet);
    fleet.run("migrate:tenant twinschema-ours").await.exits(0);
    fleet.sqlx("theirs", "migrate run").await.await.exits(0);
    let [ours, theirs] = [definitions(&fleet, "ours").await, definitions(&fleet, "theirs").await];

    let kinds = |kind: &str| ours.keys().filter(|name| name.starts_with(kind)).count();
    let counts = ["TABLE", "VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"].map(kinds);
    assert_eq!(counts, [10, 2, 3, 1, 1, 1], "{:?}", ours.keys());
    // The mode that sqlx adds is stored, or comparing it would prove nothing.
    for (name, parts) in ours.iter().filter(|(name, _)| name.starts_with("TRIGGER")) {
        assert!(parts[1].contains("PIPES_AS_CONCAT"), "{name}: {parts:?}");
    }
    assert_equal(&ours, &theirs);

    // Undone and done again by the other one, it is still the same.
    fleet.sqlx("ours", "migrate revert --target-version 0").await.await.exits(0);
    fleet.run("migrate:rollback --tenant twinschema-theirs --to 0").await.exits(0);
    fleet.sqlx("ours", "migrate run").await.await.exits(0);
    fleet.run("migrate:tenant twinschema-theirs").await.exits(0);
    assert_equal(&definitions(&fleet, "ours").await, &definitions(&fleet, "theirs").await);
}

type Definitions = std::collections::BTreeMap<String, Vec<String>>;

async fn definitions(fleet: &Fleet, tenant: &str) -> Definitions {
    let (database, account) = (fleet.database(tenant), fleet.account(tenant));
    let names = [(account.as_str(), "ACCOUNT"), (database.as_str(), "DATABASE")];
    schema::definitions(&mut fleet.connect(tenant).await, &database, &names).await
}

/// Names the first definition that differs, rather than all of both.
fn assert_equal(ours: &Definitions, theirs: &Definitions) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (name, definition) in ours {
        assert_eq!(definition, &theirs[name], "{name}: ours is left, sqlx-cli's is right");
    }
}
