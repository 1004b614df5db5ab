//! Tenants whose servers cannot be reached, refuse the login, or do not let the account do its work.

use std::time::Instant;

use end_to_end::{Fleet, Output, Server, assert_output, on_each_server, query};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

on_each_server!(
    a_server_that_cannot_be_reached,
    a_server_that_never_answers,
    a_server_that_is_something_else,
    a_login_that_is_refused,
    a_database_that_is_missing,
    an_account_without_privileges,
);

/// A fleet of one tenant with one migration pending.
async fn fleet_of_one(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.provision("acme").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    fleet
}

async fn set(fleet: &Fleet, change: &str) {
    query::run(&mut fleet.connect_central().await, &format!("UPDATE tenants SET {change}")).await;
}

async fn has_table(fleet: &Fleet) -> bool {
    !query::column(&mut fleet.connect("acme").await, "SHOW TABLES LIKE 't'").await.is_empty()
}

async fn a_server_that_cannot_be_reached(server: &'static Server) {
    let fleet = fleet_of_one(server, "reach").await;
    set(&fleet, "db_host = 'nowhere.invalid'").await;
    assert_output!("host_unresolvable", fleet.run("migrate:tenant reach-acme").await);
    assert_output!("host_unresolvable_status", fleet.run("migrate:status").await);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    set(&fleet, &format!("db_host = '127.0.0.1', db_port = {port}")).await;
    assert_output!("port_closed", fleet.run("migrate:tenant reach-acme").await);
    assert!(!has_table(&fleet).await);
}

async fn a_server_that_never_answers(server: &'static Server) {
    let fleet = fleet_of_one(server, "blackhole").await;
    let run = async || {
        let began = Instant::now();
        let output: Output = fleet.run("migrate:tenant blackhole-acme --connect-timeout 1s").await;
        assert!(began.elapsed().as_secs() < 5, "{output}");
        output
    };
    // It takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    set(&fleet, &format!("db_host = '127.0.0.1', db_port = {}", silent.local_addr().unwrap().port())).await;
    assert_output!("server_silent", run().await);
    // It does not even take the connection: its queue is full.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = socket.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) =
        tokio::time::timeout(std::time::Duration::from_millis(500), TcpStream::connect(address)).await
    {
        queued.push(stream.unwrap());
        assert!(queued.len() < 64, "the queue is never full");
    }
    set(&fleet, &format!("db_port = {}", address.port())).await;
    assert_output!("server_silent", run().await);
    assert!(!has_table(&fleet).await);
}

async fn a_server_that_is_something_else(server: &'static Server) {
    let fleet = fleet_of_one(server, "other").await;
    let web = TcpListener::bind("127.0.0.1:0").await.unwrap();
    set(&fleet, &format!("db_host = '127.0.0.1', db_port = {}", web.local_addr().unwrap().port())).await;
    let answering = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        while let Ok((mut stream, _)) = web.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.ok();
        }
    });
    assert_output!("server_is_no_database", fleet.run("migrate:tenant other-acme").await);
    answering.abort();
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    set(&fleet, &format!("db_port = {}", rude.local_addr().unwrap().port())).await;
    let closing = tokio::spawn(async move {
        while let Ok((stream, _)) = rude.accept().await {
            drop(stream);
        }
    });
    assert_output!("server_hangs_up", fleet.run("migrate:tenant other-acme").await);
    closing.abort();
}

async fn a_login_that_is_refused(server: &'static Server) {
    let fleet = fleet_of_one(server, "login").await;
    let sql = "ALTER USER 'tenant_login_acme'@'%' IDENTIFIED BY 'changed-behind-our-back'";
    query::run(&mut server.connect("").await, sql).await;
    assert_output!("wrong_password", fleet.run("migrate:tenant login-acme").await);
    assert_output!("wrong_password_status", fleet.run("migrate:status").await);
    let sql = "DROP USER 'tenant_login_acme'@'%'";
    query::run(&mut server.connect("").await, sql).await;
    assert_output!("no_account", fleet.run("migrate:tenant login-acme").await);
    assert!(!has_table(&fleet).await);
}

async fn a_database_that_is_missing(server: &'static Server) {
    let fleet = fleet_of_one(server, "gone").await;
    query::run(&mut server.connect("").await, "DROP DATABASE gone_acme_db").await;
    assert_output!("database_missing", fleet.run("migrate:tenant gone-acme").await);
    // The account may not even know of it.
    set(&fleet, "db_name = 'gone_elsewhere_db'").await;
    assert_output!("database_unknown", fleet.run("migrate:tenant gone-acme").await);
    let sql = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'gone\\_%\\_db'";
    assert_eq!(query::value(&mut server.connect("").await, sql).await, "0");
}

async fn an_account_without_privileges(server: &'static Server) {
    let fleet = fleet_of_one(server, "grant").await;
    let grant = async |privileges: &str| {
        let mut root = server.connect("").await;
        for sql in [
            "REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'tenant_grant_acme'@'%'".to_owned(),
            format!("GRANT {privileges} ON `grant\\_acme\\_db`.* TO 'tenant_grant_acme'@'%'"),
        ] {
            query::run(&mut root, &sql).await;
        }
    };
    grant("SELECT").await;
    assert_output!("select_only", fleet.run("migrate:tenant grant-acme").await);
    assert!(query::column(&mut fleet.connect("acme").await, "SHOW TABLES").await.is_empty());
    grant("SELECT, INSERT, UPDATE, DELETE, CREATE").await;
    fleet.write(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY);\nALTER TABLE t ADD COLUMN n INT;",
    );
    assert_output!("no_alter", fleet.run("migrate:tenant grant-acme").await);
    assert_output!("no_alter_status", fleet.run("migrate:status --tenant grant-acme").await);
    grant("SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP").await;
    assert_output!("alter_granted", fleet.run("migrate:tenant grant-acme").await);
    // The books are there; without CREATE nothing else can be made.
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    grant("SELECT, INSERT, UPDATE, DELETE, ALTER").await;
    assert_output!("no_create", fleet.run("migrate:tenant grant-acme").await);
    let sql = "SELECT version, success FROM _sqlx_migrations";
    assert_eq!(query::rows(&mut fleet.connect("acme").await, sql).await, [["20260101000000", "1"]]);
}
