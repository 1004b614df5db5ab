//! A fleet of 300 of which 28 fail, each kind in its own way: the other 272 are migrated, nobody waits for the 28 longer than
//! one of them takes, and every one of them is named with its own reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{Fleet, KEY, Server, filters, insta, on_each_server, query};
use serde_json::Value;
use sqlx::MySqlConnection;

on_each_server!(each_of_28_fails_in_its_own_way_and_the_others_are_migrated);

/// How many fail, the name of what ails them, and the failure's code.
const AILMENTS: [(usize, &str, &str); 6] = [
    (10, "password", "access-denied"),
    (5, "database", "no-database"),
    (5, "host", "connect"),
    (3, "hole", "connect"),
    (3, "locked", "statement"),
    (2, "sealed", "credentials"),
];
const N_GOOD: usize = 272;
/// The slowest of the limits; the others are far below.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

fn seal(password: &str) -> String {
    seal::seal(password, &Key::parse(KEY).expect("a key"), entropy::random_iv().expect("random bytes"))
}

async fn each_of_28_fails_in_its_own_way_and_the_others_are_migrated(server: &'static Server) {
    let fleet = Fleet::new(server, "storm").await;
    // It takes connections and never says a word.
    let hole = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut central = fleet.connect_central().await;
    let ailing: Vec<(String, &str)> = AILMENTS
        .iter()
        .flat_map(|(n, ailment, _)| (0..*n).map(move |i| (format!("{ailment}-{i}"), *ailment)))
        .collect();
    let good = (0..N_GOOD).map(|i| (format!("good-{i}"), "good"));
    let sealed = seal(server.root_password());
    let rows: Vec<String> = ailing
        .iter()
        .cloned()
        .chain(good)
        .map(|(name, ailment)| {
            let slug = fleet.slug(&name);
            let (host, port) = match ailment {
                "host" => ("nowhere.invalid", 3306),
                "hole" => ("127.0.0.1", hole.local_addr().unwrap().port()),
                _ => (server.host(), server.port()),
            };
            let password = match ailment {
                "password" => seal("not the password"),
                "sealed" => "corrupt".to_owned(),
                _ => sealed.clone(),
            };
            let database = fleet.database(&name);
            format!("('{slug}', '{slug}', '{name}', '{host}', {port}, '{database}', 'root', '{password}', 'ACTIVE')")
        })
        .collect();
    let sql = format!(
        "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) VALUES {}",
        rows.join(", ")
    );
    query::run(&mut central, &sql).await;
    let names = (0..N_GOOD).map(|i| format!("good-{i}")).chain((0..3).map(|i| format!("locked-{i}")));
    let databases: Vec<_> = names.map(|name| format!("CREATE DATABASE {}", fleet.database(&name))).collect();
    query::run(&mut central, &databases.join(";")).await;

    // How long the work alone takes.
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, n INT);");
    let others: Vec<_> = ailing.iter().filter(|(_, ailment)| *ailment != "locked").collect();
    let others: Vec<_> = others.iter().map(|(name, _)| fleet.slug(name)).collect();
    let began = Instant::now();
    fleet.run("migrate:all-tenants --exclude").arg(others.join(",")).await.exits(0);
    let work = began.elapsed();

    let mut readers: Vec<MySqlConnection> = Vec::new();
    for i in 0..3 {
        let mut reader = fleet.connect(&format!("locked-{i}")).await;
        query::run(&mut reader, "START TRANSACTION").await;
        query::rows(&mut reader, "SELECT * FROM t").await;
        readers.push(reader);
    }
    fleet.write("20260102000000_m.up.sql", "ALTER TABLE t ADD COLUMN m INT;");
    let limits = "--connect-timeout 15s --lock-wait 2s --lock-wait-retries 1";
    let began = Instant::now();
    let output = fleet.run(&format!("migrate:all-tenants --format json {limits}")).await;
    let elapsed = began.elapsed();
    output.exits(1);
    let bound = CONNECT_TIMEOUT + work * 3 + Duration::from_secs(5);
    assert!(elapsed < bound, "{elapsed:?}, where the work alone takes {work:?}");

    let finished: Value = serde_json::from_str(output.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&finished["n_migrated"], &finished["n_failed"]), (&N_GOOD.into(), &28.into()), "{finished}");
    let count = "SELECT COUNT(*) FROM information_schema.columns WHERE table_schema LIKE 'storm\\_good\\_%' \
                 AND table_name = 't' AND column_name = 'm'";
    assert_eq!(query::value(&mut central, count).await, N_GOOD.to_string());
    check_failures(&fleet, &finished, &ailing);
}

fn check_failures(fleet: &Fleet, finished: &Value, ailing: &[(String, &str)]) {
    let mut reasons: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for failed in finished["failed"].as_array().unwrap() {
        let text = |key: &str| failed[key].as_str().unwrap_or_default().to_owned();
        let slug = failed["tenant"]["slug"].as_str().unwrap();
        let (name, ailment) = ailing.iter().find(|(name, _)| fleet.slug(name) == slug).expect("it ails");
        let (.., code) = AILMENTS.iter().find(|(_, of, _)| of == ailment).expect("it is one of them");
        assert_eq!(text("code"), *code, "{failed}");
        let reason = format!("{}: {}\nhint: {}", text("code"), text("message"), text("hint"));
        let reason = reason.replace(&fleet.database(name), "DATABASE");
        let reason = without_numbers(&reason_of_the_system_left_out(&reason));
        reasons.entry(reason).or_default().insert(slug.to_owned());
    }
    assert_eq!(reasons.values().map(BTreeSet::len).sum::<usize>(), ailing.len());
    let shown = reasons.iter().map(|(reason, slugs)| (reason, slugs.len()));
    let shown: Vec<_> = shown.map(|(reason, n)| format!("{n} x {reason}")).collect();
    let flavour = if fleet.server().is_mysql() { "mysql" } else { "mariadb" };
    insta::with_settings!({ filters => filters(), omit_expression => true }, {
        insta::assert_snapshot!(format!("storm_{flavour}"), shown.join("\n\n"));
    });
}

/// Without the numbers, addresses and times of connections, in which the failures of one kind differ.
fn without_numbers(reason: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit();
    let marks: [(&str, &dyn Fn(char) -> bool); 4] =
        [("connection ", &is_digit), ("KILL ", &is_digit), ("(root@", &|c| c != ')'), (" for ", &is_digit)];
    marks.into_iter().fold(reason.to_owned(), |text, (before, is_cut)| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shown, part| {
            let rest = part.trim_start_matches(is_cut);
            let cut = if rest.len() < part.len() { "…" } else { "" };
            format!("{shown}{before}{cut}{rest}")
        })
    })
}

/// Whether a name server said no or there is none depends on where the tests run.
fn reason_of_the_system_left_out(reason: &str) -> String {
    match reason.split_once("cannot be resolved: ") {
        Some((before, after)) => {
            let (_, hint) = after.split_once('\n').unwrap_or_default();
            format!("{before}cannot be resolved: …\n{hint}")
        }
        None => reason.to_owned(),
    }
}
