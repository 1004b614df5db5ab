//! A tenant is born: with what it may use and nothing else, and again after a failure at any step.

use end_to_end::{
    Fleet, Invocation, KEY, Program, Server, Started, assert_output, canary, on_each_server, query,
};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

on_each_server!(
    a_tenant_is_ready_and_alone,
    again_when_it_is_active,
    a_slug_that_is_none,
    an_administrator_who_may_not,
    a_migration_that_fails,
    the_central_database_goes_away,
    a_database_that_is_there_already,
    an_account_that_is_there_already,
    a_tenant_that_was_archived,
    twice_at_once,
    a_backend_that_provisions,
);

const GOOD: &str = "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);";

async fn fleet_with_migration(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write("20260101000000_t.up.sql", GOOD);
    fleet
}

fn provision(fleet: &Fleet, tenant: &str) -> Invocation {
    let slug = fleet.slug(tenant);
    fleet.run("tenant:provision --name").arg("A Tenant").arg("--slug").arg(slug)
}

async fn status(fleet: &Fleet, tenant: &str) -> String {
    let sql = format!("SELECT status FROM tenants WHERE slug = '{}'", fleet.slug(tenant));
    query::column(&mut fleet.connect_central().await, &sql).await.join(", ")
}

async fn a_tenant_is_ready_and_alone(server: &'static Server) {
    let fleet = fleet_with_migration(server, "born").await;
    assert_output!("provision", provision(&fleet, "a-b").await);
    let json = provision(&fleet, "other").arg("--format=json").arg("--id=cm5a1b2c3d4e5f6g7h8i9j0k").await;
    let last: serde_json::Value = serde_json::from_str(json.exits(0).stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&last["event"], &last["id"]),
        (&"tenant-provisioned".into(), &"cm5a1b2c3d4e5f6g7h8i9j0k".into())
    );
    let sql = "SELECT slug, name, db_name, db_user, status, db_password LIKE '________________________________:%' \
               FROM tenants ORDER BY slug";
    let rows = query::rows(&mut fleet.connect_central().await, sql).await;
    assert_eq!(
        rows,
        [
            ["born-a-b", "A Tenant", "born_a_b_db", "tenant_born_a_b", "ACTIVE", "1"],
            ["born-other", "A Tenant", "born_other_db", "tenant_born_other", "ACTIVE", "1"],
        ]
    );
    // The account sees its own database, and no other: neither another tenant's nor one that its name, taken for a
    // pattern, would match.
    let mut root = server.connect("").await;
    query::run(&mut root, "CREATE DATABASE `born_aXb_db`").await;
    query::run(&mut root, "CREATE TABLE `born_aXb_db`.secrets (id INT)").await;
    let url = fleet.tenant_url("a-b").await;
    let mut account = MySqlConnection::connect(&url).await.unwrap();
    assert_eq!(query::column(&mut account, "SELECT id FROM t").await, ["1"]);
    for database in ["born_other_db", "born_aXb_db", "born_central", "mysql"] {
        let error = account.execute(sqlx::AssertSqlSafe(format!("USE `{database}`"))).await.unwrap_err();
        assert!(error.to_string().contains("Access denied"), "{database}: {error}");
    }
    let mut databases = query::column(&mut account, "SHOW DATABASES").await;
    databases.retain(|name| !["information_schema", "performance_schema"].contains(&name.as_str()));
    assert_eq!(databases, ["born_a_b_db"]);
    for sql in
        ["CREATE DATABASE born_third_db", "CREATE USER tenant_born_third", "SET GLOBAL max_connections = 1"]
    {
        let error = account.execute(sql).await.unwrap_err();
        assert!(error.to_string().contains("denied"), "{sql}: {error}");
    }
}

async fn again_when_it_is_active(server: &'static Server) {
    let fleet = fleet_with_migration(server, "again").await;
    provision(&fleet, "acme").await.exits(0);
    let url = fleet.tenant_url("acme").await;
    assert_output!("provision_again", provision(&fleet, "acme").await);
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    assert_output!("provision_again_pending", provision(&fleet, "acme").await);
    assert_eq!(fleet.tenant_url("acme").await, url, "the password of a tenant in use must not change");
}

async fn a_slug_that_is_none(server: &'static Server) {
    let fleet = fleet_with_migration(server, "slugs").await;
    let mut shown = Vec::new();
    let long = "a".repeat(51);
    for slug in [
        "Acme Corp",
        "acme_corp",
        "-acme",
        "acme--corp",
        "1acme",
        "",
        "株式会社",
        "x`; DROP TABLE t; --",
        "a\u{1b}[31m",
        &long,
    ] {
        let output = fleet.run("tenant:provision --name Acme").arg(format!("--slug={slug}")).await;
        shown.push(format!("{slug:?}\n{output}"));
    }
    shown.push(fleet.run("tenant:provision --slug slugs-acme --name").arg(" ").await.to_string());
    assert_output!("provision_slug_that_is_none", shown.join("\n"));
    assert_eq!(query::value(&mut fleet.connect_central().await, "SELECT COUNT(*) FROM tenants").await, "0");
}

async fn an_administrator_who_may_not(server: &'static Server) {
    let fleet = fleet_with_migration(server, "admin").await;
    canary::learn("password-of-the-admin");
    let mut root = server.connect("").await;
    query::run(&mut root, "CREATE USER tenant_admin_x@'%' IDENTIFIED BY 'password-of-the-admin'").await;
    let url = format!(
        "mysql://tenant_admin_x:password-of-the-admin@{}:{}/admin_x_db",
        server.host(),
        server.port()
    );
    query::run(&mut root, "CREATE DATABASE admin_x_db").await;
    let as_admin = || provision(&fleet, "acme").env("TENANT_ADMIN_URL", &url);
    assert_output!("provision_admin_stranger", as_admin().await);
    assert_eq!(status(&fleet, "acme").await, "");
    query::run(&mut root, "GRANT SELECT ON admin_x_db.* TO tenant_admin_x@'%'").await;
    // Where it may not look whether the account is somebody's, it takes nobody's.
    assert_output!("provision_admin_no_look", as_admin().await);
    assert_eq!(status(&fleet, "acme").await, "");
    query::run(&mut root, "GRANT SELECT ON mysql.user TO tenant_admin_x@'%'").await;
    assert_output!("provision_admin_no_database", as_admin().await);
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    query::run(&mut root, "GRANT CREATE ON *.* TO tenant_admin_x@'%'").await;
    assert_output!("provision_admin_no_account", as_admin().await);
    query::run(&mut root, "GRANT CREATE USER ON *.* TO tenant_admin_x@'%'").await;
    assert_output!("provision_admin_no_grant", as_admin().await);
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    query::run(&mut root, "GRANT ALL PRIVILEGES ON *.* TO tenant_admin_x@'%' WITH GRANT OPTION").await;
    assert_output!("provision_admin_may", as_admin().await);
    assert_eq!(status(&fleet, "acme").await, "ACTIVE");
    let url = fleet.tenant_url("acme").await;
    assert_eq!(
        query::column(&mut MySqlConnection::connect(&url).await.unwrap(), "SELECT id FROM t").await,
        ["1"]
    );
    // The server it is to live on is not there at all.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("mysql://root@127.0.0.1:{closed}/x");
    assert_output!("provision_admin_down", provision(&fleet, "other").env("TENANT_ADMIN_URL", url).await);
    assert_eq!(status(&fleet, "other").await, "");
}

async fn a_migration_that_fails(server: &'static Server) {
    let fleet = fleet_with_migration(server, "cradle").await;
    fleet.write(
        "20260102000000_u.up.sql",
        "CREATE TABLE u (id INT PRIMARY KEY);\nALTER TABLE nowhere ADD COLUMN n INT;",
    );
    assert_output!("provision_migration_fails", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    let skipped = fleet.run("migrate:all-tenants").await;
    skipped.exits(4).says("none of the tenants in the central database is ACTIVE");
    fleet.write(
        "20260102000000_u.up.sql",
        "CREATE TABLE u (id INT PRIMARY KEY);\nALTER TABLE u ADD COLUMN n INT;",
    );
    assert_output!("provision_migration_mended", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "ACTIVE");
}

async fn the_central_database_goes_away(server: &'static Server) {
    let fleet = fleet_with_migration(server, "lost").await;
    fleet.write("20260102000000_u.up.sql", "INSERT INTO t SELECT 2 FROM (SELECT SLEEP(5)) AS s;");
    let run = provision(&fleet, "acme").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running("tenant\\_lost\\_acme", "SLEEP(5)")).await;
    // Its one idle connection to the central database.
    let sql = "SELECT id FROM information_schema.processlist WHERE db = 'lost_central'";
    let ids = query::column(&mut root, sql).await;
    assert_eq!(ids.len(), 1);
    query::run(&mut root, &format!("KILL CONNECTION {}", ids[0])).await;
    let output = run.finish().await;
    assert_output!("provision_central_gone", output);
    assert_eq!(status(&fleet, "acme").await, "PROVISIONING");
    assert_output!("provision_central_back", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "ACTIVE");
}

async fn a_database_that_is_there_already(server: &'static Server) {
    let fleet = fleet_with_migration(server, "taken").await;
    query::run(&mut server.connect("").await, "CREATE DATABASE taken_acme_db").await;
    assert_output!("provision_database_taken", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "");
    assert!(query::column(&mut fleet.connect("acme").await, "SHOW TABLES").await.is_empty());
}

async fn an_account_that_is_there_already(server: &'static Server) {
    let fleet = fleet_with_migration(server, "somebody").await;
    let mut root = server.connect("").await;
    query::run(&mut root, "CREATE USER tenant_somebody_acme@'%' IDENTIFIED BY 'a-password-of-somebody'")
        .await;
    assert_output!("provision_account_taken", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "");
    let url =
        format!("mysql://tenant_somebody_acme:a-password-of-somebody@{}:{}", server.host(), server.port());
    MySqlConnection::connect(&url).await.expect("the account is as it was");
}

async fn a_tenant_that_was_archived(server: &'static Server) {
    let fleet = fleet_with_migration(server, "archived").await;
    provision(&fleet, "acme").await.exits(0);
    query::run(&mut fleet.connect_central().await, "UPDATE tenants SET status = 'ARCHIVED'").await;
    assert_output!("provision_archived", provision(&fleet, "acme").await);
    assert_eq!(status(&fleet, "acme").await, "ARCHIVED");
}

async fn twice_at_once(server: &'static Server) {
    let fleet = fleet_with_migration(server, "twins").await;
    let run = || provision(&fleet, "acme").into_future();
    let (first, second) = tokio::join!(run(), run());
    first.exits(0);
    second.exits(0);
    let n_who_waited =
        [&first, &second].iter().filter(|output| output.text().contains("was ACTIVE already")).count();
    assert_eq!(n_who_waited, 1, "{first}\n{second}");
    let url = fleet.tenant_url("acme").await;
    assert_eq!(
        query::column(&mut MySqlConnection::connect(&url).await.unwrap(), "SELECT id FROM t").await,
        ["1"]
    );
    // One that does not wait long enough says so.
    fleet.write("20260102000000_u.up.sql", "INSERT INTO t SELECT 2 FROM (SELECT SLEEP(8)) AS s;");
    let first = provision(&fleet, "other").start().await;
    let mut root = server.connect("").await;
    query::rows_once_there(&mut root, &query::running("tenant\\_twins\\_other", "SLEEP(8)")).await;
    assert_output!("provision_in_progress", provision(&fleet, "other").arg("--lock-timeout=1s").await);
    first.finish().await.exits(0);
}

/// The example of a backend: `POST /tenants`.
async fn a_backend_that_provisions(server: &'static Server) {
    let fleet = fleet_with_migration(server, "backend").await;
    let mut backend = Invocation::new(Program::AxumBackend, "")
        .env("CENTRAL_DATABASE_URL", server.url(&fleet.central_database()))
        .env("DB_ENCRYPTION_KEY", KEY)
        .env("MIGRATIONS_DIR", fleet.migrations("tenant").parent().unwrap())
        .env("LISTEN", "127.0.0.1:0")
        .start()
        .await;
    let line = backend.line().await;
    let address = line.trim().strip_prefix("listening on http://").expect(&line).to_owned();
    let mut shown = Vec::new();
    for body in [
        r#"{"slug":"backend-acme","name":"Acme"}"#,
        r#"{"slug":"backend-acme","name":"Acme"}"#,
        r#"{"slug":"Backend Acme","name":"Acme"}"#,
        r#"{"slug":"backend-acme"}"#,
        "{",
    ] {
        shown.push(format!("{body}\n{}", post(&address, body).await));
    }
    query::run(&mut server.connect("").await, "CREATE DATABASE backend_taken_db").await;
    let body = r#"{"slug":"backend-taken","name":"Taken"}"#;
    shown.push(format!("{body}\n{}", post(&address, body).await));
    // What fails is said to be passing, and the same request goes on with it.
    let body = r#"{"slug":"backend-broken","name":"Broken"}"#;
    let mut central = fleet.connect_central().await;
    query::run(&mut central, "RENAME TABLE tenants TO tenants_away").await;
    shown.push(format!("{body}\n{}", post(&address, body).await));
    query::run(&mut central, "RENAME TABLE tenants_away TO tenants").await;
    shown.push(format!("{body}\n{}", post(&address, body).await));
    assert_eq!(status(&fleet, "broken").await, "ACTIVE");
    assert_output!("backend_answers", shown.join("\n"));
    stop(backend).await;
}

async fn post(address: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST /tenants HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    canary::check("POST /tenants", body);
    format!("{}\n{body}", head.lines().next().unwrap_or_default())
}

async fn stop(backend: Started) {
    backend.signal("INT").await;
    backend.finish().await.exits(0);
}
