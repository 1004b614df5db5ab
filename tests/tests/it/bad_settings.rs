//! Settings that are missing or wrong: refused before anything is touched, and no secret is shown.

use backend_migrations::{seal, secret::Key};
use end_to_end::{Fleet, Invocation, KEY, Program, Server, assert_output, canary, on_each_server, query};

on_each_server!(
    a_central_database_without_tables,
    a_central_database_that_is_not_there,
    a_central_account_that_may_not_read,
    a_wrong_central_password,
    a_wrong_key,
    an_administrator_without_a_database,
);

/// In no server's reach: whatever is refused here is refused without one.
fn alone(args: &str) -> Invocation {
    Invocation::new(Program::BackendMigrations, args)
        .env("DB_ENCRYPTION_KEY", KEY)
        .env("MIGRATIONS_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"))
}

#[tokio::test]
async fn no_central_url() {
    let output = alone("migrate:all-tenants").await;
    assert_output!("no_central_url", output);
    let output = alone("migrate:all-tenants --format json").await;
    assert_output!("no_central_url_json", output);
}

#[tokio::test]
async fn central_urls_that_are_none() {
    canary::learn("hunter22-of-the-urls");
    let mut shown = Vec::new();
    for url in [
        "central",
        "localhost:3306/central",
        "postgres://root:hunter22-of-the-urls@localhost/central",
        "root:hunter22-of-the-urls@localhost/central",
        "mysql://root:hunter22-of-the-urls@/central",
        "mysql://root:hunter22-of-the-urls@localhost",
        "mysql://root:hunter22-of-the-urls@localhost:99999/central",
        "mysql://root:hunter22-of-the-urls@localhost/%FF",
        "mysql://root:hunter22-of-the-urls@localhost/central?ssl-mode=REQUIERD",
        "mysql://root:hunter22-of-the-urls@localhost/central?sslmoed=REQUIRED",
        // A password with characters that a URL has other uses for.
        "mysql://root:pass/hunter22-of-the-urls@localhost/central",
        "mysql://root:12/hunter22-of-the-urls@localhost/central",
        "mysql://root:12?hunter22-of-the-urls@localhost/central",
        "mysql://root:12/a?hunter22-of-the-urls@localhost/central",
        "mysql://root:12#hunter22-of-the-urls@localhost/central",
        "mysql://root:%zz-hunter22-of-the-urls@@localhost:x/central",
        // What other programs make of a URL.
        "\"mysql://root:hunter22-of-the-urls@localhost/central\"",
        "'mysql://root:hunter22-of-the-urls@localhost/central'",
        "mysql://root:hunter22-of-the-urls@localhost/central?socket=/run/mysqld/mysqld.sock",
        "mysql://root:hunter22-of-the-urls@%2Frun%2Fmysqld%2Fmysqld.sock/central",
        "root:hunter22-of-the-urls@unix(/run/mysqld/mysqld.sock)/central",
        "mysql://root:hunter22-of-the-urls@localhost/central?connection_limit=5",
        "mysql://root:hunter22-of-the-urls@localhost/central?schema=public",
        "mysql://root:hunter22-of-the-urls@localhost/central?sslaccept=strict",
    ] {
        let output = alone("migrate:latest").env("CENTRAL_DATABASE_URL", url).await;
        let url = url.replace("hunter22-of-the-urls", "SECRET");
        shown.push(format!("{url}\n{output}"));
    }
    assert_output!("central_urls_that_are_none", shown.join("\n"));
}

#[tokio::test]
async fn a_secret_file_that_is_not_there() {
    let output = alone("migrate:latest").env("CENTRAL_DATABASE_URL_FILE", "/run/secrets/none").await;
    assert_output!("a_secret_file_that_is_not_there", output);
}

#[tokio::test]
async fn keys_that_are_none() {
    let run = |key: &str| {
        Invocation::new(Program::BackendMigrations, "migrate:all-tenants")
            .env("CENTRAL_DATABASE_URL", "mysql://root@localhost/central")
            .env("DB_ENCRYPTION_KEY", key)
    };
    let short = "31-characters-are-not-enough-xx";
    let long = "33-characters-are-one-too-many-xx";
    let wide = "32-characters-ä-but-33-bytes-xxx";
    assert_eq!([short, long, wide].map(|key| key.chars().count()), [31, 33, 32]);
    let quoted = "'0123456789-key-of-the-quotes-012'";
    let hex = "5a7e1c0d9b8f4e6a2d3c5b7a9f8e6d4c1b0a2f3e5d7c9b8a6f4e2d0c1b3a5f7e";
    let base64 = "c2VjcmV0LW9mLXRoZS1iYXNlNjQta2V5LTMyLWJ5dGU=";
    assert_eq!([quoted.len(), hex.len(), base64.len()], [34, 64, 44]);
    for key in [short, long, wide, quoted, hex, base64] {
        canary::learn(key);
    }
    assert_output!("a_key_that_is_missing", run("").await);
    assert_output!("a_key_of_31_characters", run(short).await);
    assert_output!("a_key_of_33_characters", run(long).await);
    assert_output!("a_key_of_32_characters_and_33_bytes", run(wide).await);
    assert_output!("a_key_in_quotes", run(quoted).await);
    assert_output!("a_key_in_hex", run(hex).await);
    assert_output!("a_key_in_base64", run(base64).await);
    assert_output!("a_key_and_a_line_end", run(&format!("{KEY}\n")).await);
}

/// The backend's `.env` has much that is no setting of ours.
#[tokio::test]
async fn a_dotenv_of_somebody_else() {
    let folder = tempfile::tempdir().unwrap();
    let run = |text: &str| {
        std::fs::write(folder.path().join(".env"), text).unwrap();
        Invocation::new(Program::BackendMigrations, "migrate:latest")
            .env("MIGRATIONS_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations"))
            .folder(folder.path())
    };
    canary::learn("hunter22-of-the-dotenv");
    let foreign =
        "APP_NAME=Acme Corp's\nPEM=\"-----BEGIN\nCENTRAL_DATABASE_URL=no\n-----END\"\nexport A B\n$(date)\n";
    let url = "mysql://root:hunter22-of-the-dotenv@127.0.0.1:1/central";
    let output = run(&format!("{foreign}export CENTRAL_DATABASE_URL='{url}'\nCONNECT_RETRIES=0\n")).await;
    output.exits(4).says("127.0.0.1:1 refused the connection");
    let output = run(&format!("{foreign}CENTRAL_DATABASE_URL='{url}\n")).await;
    assert_output!("a_dotenv_with_an_open_quote", output);
    let output = run(&format!("{foreign}CENTRAL_DATABASE_URL={url}#1\n")).await;
    assert_output!("a_dotenv_with_a_hash", output);
}

#[tokio::test]
async fn a_central_database_that_is_down() {
    // Nobody listens on a port that was just let go.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("mysql://root:secret-of-the-port@127.0.0.1:{port}/central");
    canary::learn("secret-of-the-port");
    let output = alone("migrate:all-tenants").env("CENTRAL_DATABASE_URL", &url).await;
    assert_output!("central_is_down", output);
    let output = alone("migrate:latest").env("CENTRAL_DATABASE_URL", &url).await;
    assert_output!("central_is_down_for_latest", output);
    let output = alone("migrate:status").env("CENTRAL_DATABASE_URL", &url).await;
    output.exits(4);
    let url = "mysql://root:secret-of-the-port@central.invalid/central";
    let output = alone("migrate:all-tenants").env("CENTRAL_DATABASE_URL", url).await;
    assert_output!("central_is_nowhere", output);
}

#[tokio::test]
async fn a_central_database_that_never_answers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://root@{}/central", listener.local_addr().unwrap());
    let output = alone("migrate:all-tenants --connect-timeout 1s").env("CENTRAL_DATABASE_URL", url).await;
    assert!(output.took.as_secs() < 5, "{output}");
    assert_output!("central_never_answers", output);
}

async fn a_central_database_without_tables(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "bare").await;
    assert_output!("central_without_tables", fleet.run("migrate:all-tenants").await);
    let output = fleet.run("tenant:provision --slug bare-acme --name Acme").await;
    assert_output!("central_without_tables_provision", output);
    assert!(query::column(&mut fleet.connect_central().await, "SHOW TABLES").await.is_empty());
}

async fn a_central_database_that_is_not_there(server: &'static Server) {
    let fleet = Fleet::without_tables(server, "nodb").await;
    let run = |args: &str| fleet.run(args).env("CENTRAL_DATABASE_URL", server.url("nodb_nowhere"));
    assert_output!("central_is_not_there", run("migrate:all-tenants").await);
    assert_output!("central_is_not_there_latest", run("migrate:latest").await);
}

async fn a_central_account_that_may_not_read(server: &'static Server) {
    let fleet = Fleet::new(server, "deaf").await;
    let (mut root, database) = (server.connect("").await, fleet.central_database());
    for sql in [
        "CREATE USER tenant_deaf_reader@'%' IDENTIFIED BY 'reader-of-nothing'".to_owned(),
        format!("GRANT SELECT ON {database}.users TO tenant_deaf_reader@'%'"),
    ] {
        query::run(&mut root, &sql).await;
    }
    canary::learn("reader-of-nothing");
    let url = format!(
        "mysql://tenant_deaf_reader:reader-of-nothing@{}:{}/{database}",
        server.host(),
        server.port()
    );
    let run = |args: &str| fleet.run(args).env("CENTRAL_DATABASE_URL", &url);
    assert_output!("a_central_account_that_may_not_read", run("migrate:all-tenants").await);
    assert_output!("a_central_account_that_may_not_migrate", run("migrate:latest").await);
}

async fn a_wrong_central_password(server: &'static Server) {
    let fleet = Fleet::new(server, "guess").await;
    canary::learn("not-the-root-password");
    let url = format!("mysql://root:not-the-root-password@{}:{}/guess_central", server.host(), server.port());
    let run = |args: &str| fleet.run(args).env("CENTRAL_DATABASE_URL", &url);
    assert_output!("a_wrong_central_password", run("migrate:all-tenants").await);
    assert_output!("a_wrong_central_password_latest", run("migrate:latest").await);
}

/// It makes databases, and needs none.
async fn an_administrator_without_a_database(server: &'static Server) {
    let fleet = Fleet::new(server, "nodbadmin").await;
    fleet.write_samples();
    let url = server.url("");
    let args = "tenant:provision --slug nodbadmin-acme --name Acme";
    fleet.run(args).env("TENANT_ADMIN_URL", url.trim_end_matches('/')).await.exits(0);
    fleet.run("migrate:all-tenants").env("TENANT_ADMIN_URL", url).await.exits(0);
}

/// A wrong key makes noise of a password, which one time in 256 looks like a sealed value all the same. This one never
/// does: password, keys and IV are fixed.
async fn a_wrong_key(server: &'static Server) {
    let fleet = Fleet::new(server, "wrongkey").await;
    fleet.write_samples();
    fleet.provision("acme").await;
    let other_key = Key::parse("another-key-of-the-tests-9876543").unwrap();
    let sealed = seal::seal("sealed-by-somebody-else", &other_key, [7; 16]);
    let sql = format!("UPDATE tenants SET db_password = '{sealed}'");
    query::run(&mut fleet.connect_central().await, &sql).await;
    assert_output!("a_wrong_key", fleet.run("migrate:all-tenants").await);
    assert_output!("a_wrong_key_status", fleet.run("migrate:status").await);
}
