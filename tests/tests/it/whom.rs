//! Who is meant: by name, by status, and where two rows are for one database.

use std::sync::Arc;

use end_to_end::{Fleet, Output, Server, on_each_server, query};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
};

on_each_server!(
    one_database_under_two_names_of_its_server_is_worked_on_once,
    two_rows_for_one_database_are_refused,
    a_name_of_two_tenants_means_neither,
    a_name_of_two_tenants_is_not_made,
    another_name_or_id_is_not_the_tenant_that_is_there,
    tenants_are_selected_by_status,
    a_status_that_is_none_is_named,
    an_umlaut_in_a_name_stops_nobody,
);

fn write(fleet: &Fleet, day: usize) {
    fleet.write(
        &format!("2026010{day}000000_t.up.sql"),
        &format!("CREATE TABLE t{day} (id INT PRIMARY KEY);"),
    );
    fleet.write(&format!("2026010{day}000000_t.down.sql"), &format!("DROP TABLE t{day};"));
}

async fn fleet_of(server: &'static Server, word: &'static str, tenants: &[&str]) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    write(&fleet, 1);
    for tenant in tenants {
        fleet.provision(tenant).await;
    }
    fleet
}

/// How many migrations a tenant's history has.
async fn count(fleet: &Fleet, tenant: &str) -> usize {
    let sql = "SELECT version FROM _sqlx_migrations WHERE success";
    query::column(&mut fleet.connect(tenant).await, sql).await.len()
}

/// Adds a row `slug` for the database of tenant `a`, on a host of this name.
async fn twin(fleet: &Fleet, slug: &str, host: &str) {
    let sql = format!(
        "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
         SELECT UUID(), '{slug}', 'Twin', '{host}', db_port, db_name, db_user, db_password, status FROM tenants \
         WHERE slug = '{}'",
        fleet.slug("a")
    );
    query::run(&mut fleet.connect_central().await, &sql).await;
}

fn outcomes(output: &Output, slug: &str) -> String {
    let lines =
        output.stdout.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
    let mut of = lines.filter(|line| line["event"] == "tenant-finished" && line["tenant"]["slug"] == slug);
    of.next().expect("it is told")["outcome"].as_str().expect("a word").to_owned()
}

async fn one_database_under_two_names_of_its_server_is_worked_on_once(server: &'static Server) {
    let fleet = fleet_of(server, "alias", &["a", "c"]).await;
    let other = if server.host() == "localhost" { "127.0.0.1" } else { "localhost" };
    twin(&fleet, "alias-b", other).await;
    // One after the other, and both at once, where the second would wait for the lock of the first.
    write(&fleet, 2);
    let output = fleet.run("migrate:all-tenants --concurrency 1 --format json").await;
    output.exits(0);
    assert_eq!(outcomes(&output, "alias-a"), "migrated");
    assert_eq!(outcomes(&output, "alias-b"), "same-database");
    assert_eq!(outcomes(&output, "alias-c"), "migrated");
    fleet.write("20260103000000_t.up.sql", "CREATE TABLE t3 (id INT PRIMARY KEY);\nDO SLEEP(3);");
    fleet.write("20260103000000_t.down.sql", "DROP TABLE t3;");
    let output = fleet.run("migrate:all-tenants --lock-timeout 1s").await;
    output.exits(0).says("Not worked on again: it is the database of tenant");
    // Nothing pending: told all the same.
    fleet.run("migrate:all-tenants").await.exits(0).says("Not worked on again");
    let output = fleet.run("migrate:rollback --all-tenants").await;
    output.exits(0).says("Not worked on again: it is the database of tenant");
    for tenant in ["a", "c"] {
        assert_eq!(count(&fleet, tenant).await, 2, "{tenant} has lost exactly one\n{output}");
    }
    // Each of them alone is worked on, and looking changes nothing.
    fleet.run("migrate:tenant alias-b").await.exits(0);
    assert_eq!(count(&fleet, "a").await, 3);
    fleet.run("migrate:status").await.exits(0).says("3 tenants");
}

async fn two_rows_for_one_database_are_refused(server: &'static Server) {
    let fleet = fleet_of(server, "samerow", &["a", "c"]).await;
    query::run(&mut fleet.connect_central().await, "ALTER TABLE tenants DROP KEY uq_tenants_database").await;
    twin(&fleet, "samerow-b", server.host()).await;
    // Nobody can log in, so whoever tries fails otherwise.
    query::run(&mut fleet.connect_central().await, "UPDATE tenants SET db_password = 'none'").await;
    let error = "tenants \"samerow-a\" and \"samerow-b\" have the same database: `samerow_a_db` on ";
    for command in [
        "migrate:all-tenants",
        "migrate:all-tenants --dry-run",
        "migrate:all-tenants --only samerow-a,samerow-b",
        "migrate:rollback --all-tenants",
        "migrate:recover --all-tenants",
    ] {
        fleet.run(command).await.exits(4).says(error).says("--exclude samerow-b");
    }
    fleet.run("migrate:status").await.exits(1).says(error);
    let output = fleet.run("migrate:all-tenants --exclude samerow-b").await;
    output.exits(1).says("invalid encrypted password");
}

async fn a_name_of_two_tenants_means_neither(server: &'static Server) {
    let fleet = fleet_of(server, "twonames", &["a", "b"]).await;
    write(&fleet, 2);
    let sql = "UPDATE tenants SET id = 'twonames-a' WHERE slug = 'twonames-b'";
    query::run(&mut fleet.connect_central().await, sql).await;
    for command in [
        "migrate:tenant twonames-a",
        "migrate:all-tenants --only twonames-a",
        "migrate:all-tenants --exclude twonames-a",
        "migrate:rollback --tenant twonames-a",
        "migrate:rollback --all-tenants --only twonames-a",
        "migrate:status --tenant twonames-a",
        "migrate:status --only twonames-a",
        "migrate:recover twonames-a",
    ] {
        let output = fleet.run(command).await;
        output.exits(4).says("\"twonames-a\" names more than one tenant");
        output.says("slug \"twonames-b\" and id \"twonames-a\"").says("by its slug \"twonames-b\"");
    }
    for tenant in ["a", "b"] {
        assert_eq!(count(&fleet, tenant).await, 1);
    }
    fleet.run("migrate:tenant twonames-b").await.exits(0);
    assert_eq!((count(&fleet, "a").await, count(&fleet, "b").await), (1, 2));
    // Nobody named one of them.
    fleet.run("migrate:all-tenants").await.exits(0);
    assert_eq!((count(&fleet, "a").await, count(&fleet, "b").await), (2, 2));
}

async fn a_name_of_two_tenants_is_not_made(server: &'static Server) {
    let fleet = fleet_of(server, "nonames", &["a"]).await;
    let provision = |slug: &str, id: &str| {
        fleet.run("tenant:provision --name New").arg("--slug").arg(slug).arg("--id").arg(id)
    };
    query::run(&mut fleet.connect_central().await, "UPDATE tenants SET id = 'nonames-x'").await;
    provision("nonames-x", "1").await.exits(4).says("its slug is the id of tenant \"nonames-a\"");
    provision("nonames-b", "nonames-a")
        .await
        .exits(4)
        .says("its id \"nonames-a\" is the slug or the id of tenant \"nonames-a\"");
    provision("nonames-b", "nonames-x").await.exits(4).says("is the slug or the id of tenant \"nonames-a\"");
    let slugs = query::column(&mut fleet.connect_central().await, "SELECT slug FROM tenants").await;
    assert_eq!(slugs, ["nonames-a"]);
    // Its own slug is nobody else's.
    provision("nonames-b", "nonames-b").await.exits(0);
    provision("nonames-b", "nonames-b").await.exits(0);
}

async fn another_name_or_id_is_not_the_tenant_that_is_there(server: &'static Server) {
    let fleet = fleet_of(server, "othername", &[]).await;
    let provision = |name: &str| fleet.run("tenant:provision --slug othername-a").arg("--name").arg(name);
    provision("Acme").arg("--id=1").await.exits(0);
    write(&fleet, 2);
    let output = provision("Acme Corp").await;
    output.exits(4).says("it exists with name \"Acme\", and this call says \"Acme Corp\"");
    let output = provision("Acme").arg("--id=2").await;
    output.exits(4).says("it exists with id \"1\", and this call says \"2\"").says("nothing was changed");
    assert_eq!(count(&fleet, "a").await, 1);
    for status in ["FAILED", "ACTIVE"] {
        let sql = format!("UPDATE tenants SET status = '{status}'");
        query::run(&mut fleet.connect_central().await, &sql).await;
        provision("Acme Corp").await.exits(4);
        provision("Acme").arg("--id=1").await.exits(0);
    }
    provision("Acme").await.exits(0);
    assert_eq!(count(&fleet, "a").await, 2);
}

async fn tenants_are_selected_by_status(server: &'static Server) {
    let fleet = fleet_of(server, "bystatus", &["a", "b", "c", "d"]).await;
    for (tenant, status) in [("b", "SUSPENDED"), ("c", "FAILED"), ("d", "SUSPENDED")] {
        let sql = format!("UPDATE tenants SET status = '{status}' WHERE slug = 'bystatus-{tenant}'");
        query::run(&mut fleet.connect_central().await, &sql).await;
    }
    write(&fleet, 2);
    let left_out = "Left out: 2 SUSPENDED, 1 FAILED";
    for command in [
        "migrate:all-tenants --dry-run",
        "migrate:all-tenants",
        "migrate:status",
        "migrate:recover --all-tenants",
    ] {
        fleet.run(command).await.exits(0).says(left_out);
    }
    let output = fleet.run("migrate:all-tenants --format json").await;
    let last: serde_json::Value =
        serde_json::from_str(output.exits(0).stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["left_out"], serde_json::json!({ "SUSPENDED": 2, "FAILED": 1 }));
    let counts = async || (count(&fleet, "a").await, count(&fleet, "b").await, count(&fleet, "c").await);
    assert_eq!(counts().await, (2, 1, 1));
    let output = fleet.run("migrate:all-tenants --status active,SUSPENDED --exclude bystatus-d").await;
    output.exits(0).says("Found 2 tenant(s) with status ACTIVE, SUSPENDED");
    output.says("Left out: 1 FAILED, 1 by `--exclude`");
    assert_eq!(counts().await, (2, 2, 1));
    // One tenant by name.
    for command in ["migrate:tenant bystatus-c", "migrate:rollback --tenant bystatus-c"] {
        fleet.run(command).await.exits(4).says("tenant \"bystatus-c\" is FAILED, not ACTIVE");
    }
    fleet.run("migrate:tenant bystatus-c --status FAILED").await.exits(0);
    assert_eq!(counts().await, (2, 2, 2));
    fleet.run("migrate:rollback --tenant bystatus-c --status FAILED").await.exits(0);
    fleet
        .run("migrate:rollback --all-tenants --status ACTIVE,SUSPENDED --only bystatus-a,bystatus-b")
        .await
        .exits(0);
    assert_eq!(counts().await, (1, 1, 1));
    // To look is allowed whatever the status is.
    fleet.run("migrate:status --tenant bystatus-c").await.exits(0).says("20260102000000");
    fleet.run("migrate:recover bystatus-c").await.exits(0);
    fleet.run("migrate:status --status SUSPENDED,FAILED").await.exits(0).says("Left out: 1 ACTIVE");
    fleet
        .run("migrate:all-tenants --status TRIAL")
        .await
        .exits(2)
        .says("the statuses are PROVISIONING, ACTIVE");
    fleet.run("migrate:rollback --status ACTIVE").await.exits(2).says("--status");
    fleet.run("migrate:recover bystatus-c --status FAILED").await.exits(2);
}

async fn a_status_that_is_none_is_named(server: &'static Server) {
    let fleet = fleet_of(server, "oddstatus", &["a", "b"]).await;
    let sql = "ALTER TABLE tenants MODIFY status VARCHAR(20) NULL; \
               UPDATE tenants SET status = 'TRIAL' WHERE slug = 'oddstatus-b'";
    query::run(&mut fleet.connect_central().await, sql).await;
    write(&fleet, 2);
    for command in ["migrate:all-tenants", "migrate:status", "migrate:tenant oddstatus-b"] {
        fleet.run(command).await.exits(4).says("tenant \"oddstatus-b\" has the status \"TRIAL\"");
    }
    assert_eq!(count(&fleet, "a").await, 1);
    fleet.run("migrate:all-tenants --exclude oddstatus-b").await.exits(0);
    query::run(
        &mut fleet.connect_central().await,
        "UPDATE tenants SET status = NULL WHERE slug = 'oddstatus-b'",
    )
    .await;
    fleet.run("migrate:all-tenants").await.exits(4).says("tenant \"oddstatus-b\" has the status \"\"");
    assert_eq!((count(&fleet, "a").await, count(&fleet, "b").await), (2, 1));
}

/// A way to the server on which every login asks for the character set `latin1`, as all of them get it where the server
/// runs with `skip-character-set-client-handshake`.
async fn latin1_way(server: &'static Server) -> u16 {
    /// Header, capabilities, the longest packet: then the character set (MySQL's `Protocol::HandshakeResponse41`).
    const CHARACTER_SET: usize = 4 + 4 + 4;
    const LATIN1_SWEDISH_CI: u8 = 8;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let at = Arc::new((server.host().to_owned(), server.port()));
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let at = Arc::clone(&at);
            tokio::spawn(async move {
                let mut server = TcpStream::connect((at.0.as_str(), at.1)).await?;
                let mut greeting = vec![0; 64 * 1024];
                let n = server.read(&mut greeting).await?;
                client.write_all(&greeting[..n]).await?;
                let mut response = vec![0; 64 * 1024];
                let n = client.read(&mut response).await?;
                response[CHARACTER_SET] = LATIN1_SWEDISH_CI;
                server.write_all(&response[..n]).await?;
                copy_bidirectional(&mut client, &mut server).await
            });
        }
    });
    port
}

async fn an_umlaut_in_a_name_stops_nobody(server: &'static Server) {
    let fleet = fleet_of(server, "umlaut", &["a", "b"]).await;
    write(&fleet, 2);
    let sql = "UPDATE tenants SET name = 'M\u{fc}ller' WHERE slug = 'umlaut-a'";
    query::run(&mut fleet.connect_central().await, sql).await;
    let port = latin1_way(server).await;
    let address = format!("@{}:{}/", server.host(), server.port());
    let url = server.url(&fleet.central_database());
    // Its host is this machine's, which the server's need not be: a container's is its bridge's.
    assert!(url.contains(&address), "{url}");
    let url = format!("{}?ssl-mode=DISABLED", url.replace(&address, &format!("@127.0.0.1:{port}/")));
    let run = |args: &str| fleet.run(args).env("CENTRAL_DATABASE_URL", &url);
    run("migrate:status").await.exits(0).says("M\u{fc}ller").says("2 tenants");
    run("migrate:all-tenants").await.exits(0).says("M\u{fc}ller");
    assert_eq!((count(&fleet, "a").await, count(&fleet, "b").await), (2, 2));
    // Bytes that are no text in the column's own character set: that tenant alone is named strangely.
    let sql = "ALTER TABLE tenants MODIFY name VARBINARY(255); \
               UPDATE tenants SET name = X'4DFC6C' WHERE slug = 'umlaut-a'";
    query::run(&mut fleet.connect_central().await, sql).await;
    run("migrate:status").await.exits(0).says("2 tenants");
}
