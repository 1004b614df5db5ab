//! A tenant is born: with what it may use and nothing else, and again after a failure at any step.

use std::time::{Duration, Instant};

use end_to_end::{
    Fleet, Invocation, KEY, Program, Server, Started, assert_output, canary, on_each_server,
    proxy::{Cut, How, Proxy},
    query,
    random::{Random, quantity},
    tell,
};
use sqlx::{Connection as _, Executor as _, MySqlConnection};
use throwaway_server::Options;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
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
    killed_at_any_statement,
    encrypted_as_all_others,
    an_anonymous_account_in_the_way,
    a_signal_ends_the_wait_for_a_server,
    a_signal_ends_the_wait_for_the_slug,
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

/// `kill -9` at each request of a call, before and after it has reached the server; the same call again is enough.
async fn killed_at_any_statement(server: &'static Server) {
    let fleet = Fleet::new(server, "killedbirth").await;
    // Rows between definitions, a definition alone, one that a replay must tell apart, and rows alone.
    let mixed = "CREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\n\
                 ALTER TABLE t ADD COLUMN n INT NOT NULL DEFAULT 0;\nUPDATE t SET n = n + 1;\n\
                 CREATE TABLE u (id INT PRIMARY KEY);";
    fleet.write("20260101000000_mixed.up.sql", mixed);
    fleet.write("20260102000000_view.up.sql", "CREATE VIEW v AS SELECT id FROM t;");
    fleet.write("20260103000000_rows.up.sql", "INSERT INTO u VALUES (1), (2);");
    let two =
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 7;\nALTER TABLE u ADD KEY by_id (id);";
    fleet.write("20260104000000_two.up.sql", two);
    let proxy = Proxy::before(server.host(), server.port()).await;
    let central = server.url(&fleet.central_database());
    let (login, _) = central.rsplit_once('@').expect("an account");
    let url = format!("{login}@127.0.0.1:{}/{}?ssl-mode=DISABLED", proxy.port(), fleet.central_database());
    let call = |tenant: &str| provision(&fleet, tenant).env("CENTRAL_DATABASE_URL", &url);
    proxy.arm(None);
    call("whole").await.exits(0);
    let packets = proxy.packets();
    let requests = (1..).zip(&packets).filter(|(_, packet)| packet.is_request).map(|(at, _)| at);
    let hows = [How::Stall, How::StallAfter(Duration::from_millis(50))];
    let cuts: Vec<_> = requests.flat_map(|at| hows.map(|how| Cut { at, how })).collect();
    let n_all = cuts.len();
    let mut random = Random::for_test("a call of provisioning, killed at any statement");
    let cuts = random.sample(cuts, quantity(24, usize::MAX));
    let mut n_killed = 0;
    for (number, cut) in cuts.iter().enumerate() {
        let tenant = format!("k{number}");
        proxy.arm(Some(*cut));
        let first = call(&tenant).start().await.finish_or_kill(proxy.stalled()).await;
        proxy.arm(None);
        n_killed += usize::from(first.code.is_none());
        let again = call(&tenant).await;
        assert_eq!(again.code, Some(0), "{cut:?} of {n_all}\n{first}\n{again}");
        assert_eq!(status(&fleet, &tenant).await, "ACTIVE", "{cut:?}\n{first}\n{again}");
        let mut connection = fleet.connect(&tenant).await;
        for (sql, expected) in [
            ("SELECT CONCAT(id, n) FROM t", vec!["11"]),
            ("SELECT id FROM u ORDER BY id", vec!["1", "2"]),
            ("SELECT id FROM v", vec!["1"]),
            ("SELECT success FROM _sqlx_migrations ORDER BY version", vec!["1", "1", "1", "1"]),
            ("SELECT version FROM _backend_migrations_journal", vec![]),
            (
                "SELECT trigger_name FROM information_schema.triggers WHERE trigger_schema = DATABASE()",
                vec!["g"],
            ),
        ] {
            let rows = query::column(&mut connection, sql).await;
            assert_eq!(rows, expected, "{sql}: {cut:?}\n{first}\n{again}");
        }
    }
    assert!(n_killed > 0, "no call was killed");
    let flavour = server.flavour();
    tell(&format!(
        "{flavour}: {n_killed} calls of provisioning were killed at {} of {n_all} places",
        cuts.len()
    ));
}

/// The account's own connection is made as those of all other commands are.
async fn encrypted_as_all_others(server: &'static Server) {
    let fleet = fleet_with_migration(server, "sealedway").await;
    let strict = provision(&fleet, "acme")
        .env("TENANT_SSL_MODE", "VERIFY_CA")
        .env("TENANT_SSL_CA", fleet.migrations("tenant").join("20260101000000_t.up.sql"))
        .await;
    // One has a certificate that nobody trusts, the other none.
    let reasons = ["no TLS connection", "invalid peer certificate"];
    assert!(
        strict.exits(1).text().lines().any(|line| reasons.iter().any(|reason| line.contains(reason))),
        "{strict}"
    );
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    provision(&fleet, "acme").await.exits(0);
}

/// MariaDB's installer makes `''@'localhost'`, which a login from there is taken for, whatever its name.
async fn an_anonymous_account_in_the_way(server: &'static Server) {
    let fleet = fleet_with_migration(server, "shadowed").await;
    // Everybody who logs in from here is taken for it.
    let options = Options { flavour: Some(server.flavour()), ..Options::default() };
    let shadowed = throwaway_server::start(&options).await.expect("a server of its own");
    if !shadowed.is_ours() {
        tell("an anonymous account is NOT tested: the server is not ours");
        return;
    }
    let url = format!("{}/mysql", shadowed.root_url().trim_end_matches('/'));
    let mut root = MySqlConnection::connect(&url).await.unwrap();
    let host = query::value(&mut root, "SELECT SUBSTRING_INDEX(USER(), '@', -1)").await;
    canary::learn("password-of-the-keeper");
    for sql in [
        format!("CREATE USER keeper@'{host}' IDENTIFIED BY 'password-of-the-keeper'"),
        format!("GRANT ALL ON *.* TO keeper@'{host}' WITH GRANT OPTION"),
        format!("CREATE USER ''@'{host}'"),
    ] {
        query::run(&mut root, &sql).await;
    }
    let (at, port) = (shadowed.host(), shadowed.port());
    let keeper = format!("mysql://keeper:password-of-the-keeper@{at}:{port}/mysql");
    let call = || provision(&fleet, "acme").env("TENANT_ADMIN_URL", &keeper);
    let output = call().await;
    output.exits(1).says(&format!("''@'{host}'")).says("'tenant_shadowed_acme'@'%'");
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    query::run(&mut root, &format!("DROP USER ''@'{host}'")).await;
    call().await.exits(0);
    assert_eq!(status(&fleet, "acme").await, "ACTIVE");
}

/// The server that the tenant is to be made on takes connections and says nothing.
async fn a_signal_ends_the_wait_for_a_server(server: &'static Server) {
    let fleet = fleet_with_migration(server, "patience").await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mysql://root@{}/x", silent.local_addr().unwrap());
    let call = |tenant: &str| {
        let call = provision(&fleet, tenant).arg("--connect-timeout=1h").env("TENANT_ADMIN_URL", &url);
        call.arg(format!("--db-host={}", server.host())).arg(format!("--db-port={}", server.port()))
    };
    let stopped = async |tenant: &str| {
        let run = call(tenant).start().await;
        let _held = silent.accept().await.unwrap();
        run.signal("INT").await;
        run.finish().await
    };
    let output = stopped("acme").await;
    output.exits(3).says("the run was stopped").says("nothing was changed");
    assert_eq!(status(&fleet, "acme").await, "");
    // One of which something is there.
    fleet.write("20260102000000_u.up.sql", "ALTER TABLE nowhere ADD COLUMN n INT;");
    provision(&fleet, "acme").await.exits(1);
    fleet.delete("20260102000000_u.up.sql");
    let output = stopped("acme").await;
    output
        .exits(3)
        .says("the run was stopped")
        .says("row of tenant \"patience-acme\"")
        .says("goes on where it stopped");
    assert_eq!(status(&fleet, "acme").await, "FAILED");
    provision(&fleet, "acme").await.exits(0);
    assert_eq!(status(&fleet, "acme").await, "ACTIVE");
}

/// Another call works on the same slug.
async fn a_signal_ends_the_wait_for_the_slug(server: &'static Server) {
    let fleet = fleet_with_migration(server, "queue").await;
    let mut holder = fleet.connect_central().await;
    let lock =
        "SELECT GET_LOCK(CONCAT('provision:', LEFT(SHA2(CONCAT(DATABASE(), '/queue-acme'), 256), 40)), 0)";
    assert_eq!(query::value(&mut holder, lock).await, "1");
    let waiting = format!("{} AND db = '{}'", query::running("%", "provision:"), fleet.central_database());
    for signals in [&["INT"][..], &["TERM", "INT"]] {
        let run = provision(&fleet, "acme").arg("--lock-timeout=20s").start().await;
        query::rows_once_there(&mut server.connect("").await, &waiting).await;
        let began = Instant::now();
        run.signals(signals).await;
        let output = run.finish().await;
        assert!(began.elapsed() < Duration::from_secs(10), "{output}");
        output.exits(3).says("the run was stopped").says("nothing was changed");
        assert_eq!(status(&fleet, "acme").await, "");
    }
    query::run(&mut holder, "DO RELEASE_ALL_LOCKS()").await;
    provision(&fleet, "acme").await.exits(0);
}
