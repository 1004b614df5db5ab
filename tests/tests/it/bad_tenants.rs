//! Tenants that are asked for and not to be had, whose rows are wrong, or whose names are hostile.

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{Fleet, KEY, Output, Server, assert_output, on_each_server, query};

on_each_server!(
    an_unknown_tenant,
    a_tenant_that_is_not_active,
    sealed_passwords_that_are_none,
    rows_that_make_no_sense,
    hostile_names,
    half_of_a_fleet_fails,
);

async fn an_unknown_tenant(server: &'static Server) {
    let fleet = Fleet::new(server, "unknown").await;
    fleet.provision("acme").await;
    fleet.provision("acne").await;
    fleet.provision("techstart").await;
    assert_output!("unknown_tenant", fleet.run("migrate:tenant unknown-acmee").await);
    assert_output!("unknown_tenant_like_none", fleet.run("migrate:tenant zebra").await);
    assert_output!("unknown_tenant_json", fleet.run("migrate:tenant unknown-acmee --format json").await);
    let output = fleet.run("migrate:all-tenants --only unknown-acme,unknown-techstar").await;
    assert_output!("unknown_tenant_in_only", output);
    let output = fleet.run("migrate:all-tenants --exclude unknown-techstar").await;
    assert_output!("unknown_tenant_in_exclude", output);
    assert_output!("only_nobody", fleet.run("migrate:all-tenants --only").arg("").await);
    let output = fleet.run("migrate:all-tenants --only unknown-acme --exclude unknown-acme").await;
    assert_output!("only_and_exclude_leave_nobody", output);
    let hostile = fleet.run("migrate:tenant").arg("x' OR '1'='1\u{1b}[31m\n").await;
    assert_output!("unknown_tenant_hostile", hostile);
}

async fn a_tenant_that_is_not_active(server: &'static Server) {
    let fleet = Fleet::new(server, "inactive").await;
    fleet.provision("acme").await;
    fleet.provision("other").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    let mut shown = Vec::new();
    for status in ["PROVISIONING", "SUSPENDED", "FAILED", "ARCHIVED"] {
        let sql = format!("UPDATE tenants SET status = '{status}' WHERE slug = 'inactive-acme'");
        query::run(&mut fleet.connect_central().await, &sql).await;
        for args in ["migrate:tenant inactive-acme", "migrate:all-tenants --only inactive-acme"] {
            let output = fleet.run(args).await;
            shown.push(format!("{args}\n{output}"));
        }
    }
    assert_output!("a_tenant_that_is_not_active", shown.join("\n"));
    query::run(&mut fleet.connect_central().await, "UPDATE tenants SET status = 'SUSPENDED'").await;
    assert_output!("no_tenant_is_active", fleet.run("migrate:all-tenants").await);
    for tenant in ["acme", "other"] {
        assert!(query::column(&mut fleet.connect(tenant).await, "SHOW TABLES LIKE 't'").await.is_empty());
    }
}

async fn sealed_passwords_that_are_none(server: &'static Server) {
    let fleet = Fleet::new(server, "sealed").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    let iv = "000102030405060708090a0b0c0d0e0f";
    let block = "f77ad91c72a9f0ea0d1cc7d5e4e6ba3b";
    let values = [
        ("one-part", block.to_owned()),
        ("three-parts", format!("{iv}:{block}:{block}")),
        ("odd-hex", format!("{iv}:{}", &block[1..])),
        ("short-iv", format!("{}:{block}", &iv[2..])),
        ("not-hex", format!("{iv}:{}zz", &block[2..])),
        ("empty", String::new()),
        ("no-ciphertext", format!("{iv}:")),
        ("half-a-block", format!("{iv}:{}", &block[..16])),
        ("plain", "secret-in-plain-text".to_owned()),
    ];
    end_to_end::canary::learn("secret-in-plain-text");
    let mut central = fleet.connect_central().await;
    for (name, sealed) in values {
        insert(&mut central, server, &Row { slug: name, name, database: name, sealed: &sealed }).await;
    }
    let good = sealed_root(server);
    query::run(&mut central, "CREATE DATABASE sealed_good_db").await;
    let row = Row { slug: "good", name: "Good", database: "sealed_good_db", sealed: &good };
    insert(&mut central, server, &row).await;
    let output = fleet.run("migrate:all-tenants --concurrency 1").await;
    assert_output!("sealed_passwords_that_are_none", output);
    let mut good = server.connect("sealed_good_db").await;
    assert_eq!(query::column(&mut good, "SHOW TABLES LIKE 't'").await, ["t"]);
}

async fn rows_that_make_no_sense(server: &'static Server) {
    let fleet = Fleet::new(server, "rows").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    let mut central = fleet.connect_central().await;
    let sealed = sealed_root(server);
    query::run(&mut central, "CREATE DATABASE rows_good_db").await;
    // A team's own table may be looser than ours.
    for column in [
        "name VARCHAR(255)",
        "db_host VARCHAR(255)",
        "db_port INT",
        "db_name VARCHAR(64)",
        "db_user VARCHAR(128)",
    ] {
        query::run(&mut central, &format!("ALTER TABLE tenants MODIFY {column} NULL")).await;
    }
    for (slug, change) in [
        ("good", "db_name = 'rows_good_db'"),
        ("null-name", "name = NULL, db_name = 'rows_nowhere'"),
        ("null-host", "db_host = NULL"),
        ("empty-host", "db_host = ''"),
        ("null-port", "db_port = NULL"),
        ("wild-port", "db_port = 99999"),
        ("null-database", "db_name = NULL"),
        ("empty-database", "db_name = ''"),
        ("null-user", "db_user = NULL"),
    ] {
        insert(&mut central, server, &Row { slug, name: slug, database: slug, sealed: &sealed }).await;
        let sql = format!("UPDATE tenants SET {change} WHERE slug = '{slug}'");
        query::run(&mut central, &sql).await;
    }
    let output = fleet.run("migrate:all-tenants --concurrency 1").await;
    assert_output!("rows_that_make_no_sense", output);
    let mut good = server.connect("rows_good_db").await;
    assert_eq!(query::column(&mut good, "SHOW TABLES LIKE 't'").await, ["t"]);
}

/// Names as only somebody who writes into the table directly could make them. Each database is there and is migrated.
async fn hostile_names(server: &'static Server) {
    let fleet = Fleet::new(server, "hostile").await;
    fleet.write(
        "20260101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE VIEW v AS SELECT id FROM t;",
    );
    let mut central = fleet.connect_central().await;
    let sealed = sealed_root(server);
    let names = [
        ("quotes'\"x", "hostile_'quo\"tes", "O'Neil \"&\" Sons"),
        ("back`tick", "hostile_`back``tick", "Back`tick"),
        ("red\u{1b}[31m", "hostile_\u{1b}[31mred", "\u{1b}[31mRed\u{1b}[0m \u{7}Alarm"),
        ("new\nline", "hostile_new line", "Fine\n✅ Everyone Else (all): Ran 1 migrations:"),
        ("tür-株", "hostile_tür_株", "Tür & 株式会社 \u{1f680}\u{202e}dlrow"),
        ("back\\slash", "hostile_back\\slash", "C:\\Tenants; DROP TABLE tenants; --"),
        ("'; drop table t; --", "hostile_'; drop table t; --", "Bobby"),
        ("per%cent", "hostile_%_cent", "100 %"),
    ];
    for (slug, database, name) in names {
        let quoted = database.replace('`', "``");
        query::run(&mut central, &format!("CREATE DATABASE `{quoted}`")).await;
        insert(&mut central, server, &Row { slug, name, database, sealed: &sealed }).await;
    }
    let outputs = [
        ("hostile_names_plan", fleet.run("migrate:all-tenants --dry-run --concurrency 1").await),
        ("hostile_names", fleet.run("migrate:all-tenants --concurrency 1").await),
        ("hostile_names_status", fleet.run("migrate:status --concurrency 1").await),
        ("hostile_names_one", fleet.run("migrate:tenant").arg("back`tick").await),
        ("hostile_names_failing", {
            fleet.write(
                "20260102000000_u.up.sql",
                "CREATE TABLE u (id INT PRIMARY KEY);\nCREATE TABLE t (id INT);",
            );
            fleet.run("migrate:tenant").arg("red\u{1b}[31m").await
        }),
        (
            "hostile_names_json",
            fleet.run("migrate:status --tenant").arg("new\nline").arg("--format=json").await,
        ),
    ];
    for (name, output) in outputs {
        check_visible(&output);
        assert_output!(name, output);
    }
    for (_, database, _) in names {
        let quoted = database.replace('`', "``");
        let tables = query::column(&mut central, &format!("SHOW TABLES FROM `{quoted}`")).await;
        assert!(["t", "v"].iter().all(|table| tables.iter().any(|t| t == table)), "{database:?}: {tables:?}");
    }
}

/// Nothing in it that a terminal would obey.
fn check_visible(output: &Output) {
    let text = output.text();
    let raw = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
    assert_eq!(raw, None, "{output}");
}

/// Four of eight fail, each for a reason of its own; the other four are migrated.
async fn half_of_a_fleet_fails(server: &'static Server) {
    let fleet = Fleet::new(server, "half").await;
    for tenant in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        fleet.provision(tenant).await;
    }
    let mut central = fleet.connect_central().await;
    let (mut d, mut root) = (fleet.connect("d").await, server.connect("").await);
    for sql in [
        "UPDATE tenants SET db_password = 'not-sealed' WHERE slug = 'half-a'",
        "UPDATE tenants SET db_host = 'nowhere.invalid' WHERE slug = 'half-b'",
    ] {
        query::run(&mut central, sql).await;
    }
    query::run(&mut root, "DROP DATABASE half_c_db").await;
    query::run(&mut d, "CREATE TABLE notes (id INT PRIMARY KEY)").await;
    fleet.write("20260101000000_notes.up.sql", "CREATE TABLE notes (id INT PRIMARY KEY);");
    let output = fleet.run("migrate:all-tenants --concurrency 1").await;
    assert_output!("half_of_a_fleet_fails", output);
    for tenant in ["e", "f", "g", "h"] {
        let mut tenant = fleet.connect(tenant).await;
        assert_eq!(query::column(&mut tenant, "SELECT success FROM _sqlx_migrations").await, ["1"]);
    }
    let rows = query::column(&mut d, "SHOW TABLES LIKE '\\_sqlx\\_migrations'").await;
    if !rows.is_empty() {
        assert!(query::column(&mut d, "SELECT version FROM _sqlx_migrations").await.is_empty());
    }
    let output = fleet.run("migrate:all-tenants --format json").await;
    output.exits(1);
    let last = output.stdout.lines().last().unwrap();
    assert!(last.contains("\"failed\":4") || last.contains("\"n_failed\":4"), "{last}");
}

/// A tenant's row as somebody might write it by hand.
struct Row<'a> {
    slug: &'a str,
    name: &'a str,
    database: &'a str,
    sealed: &'a str,
}

async fn insert(central: &mut sqlx::MySqlConnection, server: &Server, row: &Row<'_>) {
    let hex = |text: &str| {
        let digits = text.bytes().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"));
        format!("CONVERT(x'{digits}' USING utf8mb4)")
    };
    let Row { slug, name, database, sealed } = row;
    let sql = format!(
        "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
         VALUES ({}, {}, {}, '{}', {}, {}, 'root', {}, 'ACTIVE')",
        hex(&format!("id-of-{slug}")),
        hex(slug),
        hex(name),
        server.host(),
        server.port(),
        hex(database),
        hex(sealed),
    );
    query::run(central, &sql).await;
}

fn sealed_root(server: &Server) -> String {
    let key = Key::parse(KEY).expect("a key");
    seal::seal(server.root_password(), &key, entropy::random_iv().expect("random bytes"))
}
