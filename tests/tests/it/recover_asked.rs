//! The question of `migrate:recover` at a terminal: nothing is done unless somebody says yes.

use end_to_end::{Fleet, Server, Terminal, on_each_server, query};

on_each_server!(
    yes,
    anything_else,
    what_was_typed_before_the_question,
    control_c,
    the_end_of_the_input,
    a_dry_run_asks_nothing,
    one_question_at_a_time,
    nothing_that_runs_is_ended_unasked,
    a_stop_while_it_replays_settles_nothing,
);

const UP: &str = "20260101000000_two.up.sql";
const HALF: &str =
    "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n";
const WHOLE: &str = "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n";

/// Tenants that are half migrated, and a file that is mended.
async fn fleet(server: &'static Server, word: &'static str, tenants: &[&str]) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    for tenant in tenants {
        fleet.provision(tenant).await;
    }
    fleet.write(UP, HALF);
    fleet.run("migrate:all-tenants").await.exits(1);
    fleet.write(UP, WHOLE);
    fleet
}

async fn ask(fleet: &Fleet, args: &str) -> Terminal {
    fleet.run(args).env("NO_COLOR", "1").env("TERM", "dumb").on_a_terminal().await
}

fn question(fleet: &Fleet, tenant: &str) -> String {
    format!("Go this way, --resume, with 20260101000000 in {}? [y/N] ", fleet.database(tenant))
}

async fn is_applied(fleet: &Fleet, tenant: &str) -> bool {
    let sql = "SELECT success FROM _sqlx_migrations WHERE version = 20260101000000";
    let success = query::value(&mut fleet.connect(tenant).await, sql).await;
    let tables = query::column(&mut fleet.connect(tenant).await, "SHOW TABLES LIKE 'b'").await;
    assert_eq!(success == "1", !tables.is_empty(), "history and schema agree");
    success == "1"
}

async fn yes(server: &'static Server) {
    for (word, answer) in [("saysy", "y"), ("saysyes", " YES")] {
        let fleet = fleet(server, word, &["acme"]).await;
        let mut terminal = ask(&fleet, &format!("migrate:recover {word}-acme --resume")).await;
        // What would be done is shown before it is asked for.
        terminal.shows("| CREATE TABLE b (id INT PRIMARY KEY);").shows(&question(&fleet, "acme"));
        assert!(!is_applied(&fleet, "acme").await);
        terminal.enters(answer);
        let (code, screen) = terminal.ends();
        assert_eq!(code, 0, "{screen}");
        assert!(screen.contains("the rest was run; it is applied"), "{screen}");
        assert!(is_applied(&fleet, "acme").await);
    }
}

async fn anything_else(server: &'static Server) {
    let fleet = fleet(server, "saysno", &["acme"]).await;
    for answer in ["n", "", "no", "yess", "--yes"] {
        let mut terminal = ask(&fleet, "migrate:recover saysno-acme --resume").await;
        terminal.shows(&question(&fleet, "acme")).enters(answer);
        let (code, screen) = terminal.ends();
        assert_eq!(code, 1, "{answer:?}\n{screen}");
        assert!(screen.contains("1 migration is still half done; nothing was changed"), "{screen}");
        assert!(!is_applied(&fleet, "acme").await);
    }
}

async fn what_was_typed_before_the_question(server: &'static Server) {
    let fleet = fleet(server, "saysearly", &["acme"]).await;
    let mut root = fleet.connect("acme").await;
    query::run(&mut root, "LOCK TABLES _sqlx_migrations WRITE").await;
    let mut terminal = ask(&fleet, "migrate:recover saysearly-acme --resume").await;
    let running = query::running(&fleet.account("acme").replace('_', "\\_"), "\\_sqlx\\_migrations");
    query::rows_once_there(&mut server.connect("").await, &running).await;
    terminal.enters("y");
    query::run(&mut root, "UNLOCK TABLES").await;
    terminal.shows(&question(&fleet, "acme")).enters("n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(!is_applied(&fleet, "acme").await);
}

async fn control_c(server: &'static Server) {
    let fleet = fleet(server, "saysstop", &["acme", "beta"]).await;
    let mut terminal = ask(&fleet, "migrate:recover --all-tenants --resume").await;
    terminal.shows("[y/N] ").presses_control('c');
    let (code, screen) = terminal.ends();
    assert_eq!(code, 3, "{screen}");
    assert_eq!(screen.matches("[y/N]").count(), 1, "{screen}");
    for tenant in ["acme", "beta"] {
        assert!(!is_applied(&fleet, tenant).await);
    }
}

async fn the_end_of_the_input(server: &'static Server) {
    let fleet = fleet(server, "saysnothing", &["acme"]).await;
    let mut terminal = ask(&fleet, "migrate:recover saysnothing-acme --resume").await;
    terminal.shows(&question(&fleet, "acme")).presses_control('d');
    let (code, screen) = terminal.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(!is_applied(&fleet, "acme").await);
}

async fn a_dry_run_asks_nothing(server: &'static Server) {
    let fleet = fleet(server, "asksnothing", &["acme"]).await;
    for args in ["--resume --dry-run", "--resume --format json", ""] {
        let terminal = ask(&fleet, &format!("migrate:recover asksnothing-acme {args}")).await;
        let (code, screen) = terminal.ends();
        assert_eq!(code, 1, "{screen}");
        assert!(!screen.contains("[y/N]"), "{screen}");
        assert!(!is_applied(&fleet, "acme").await);
    }
}

async fn one_question_at_a_time(server: &'static Server) {
    let fleet = fleet(server, "askseach", &["acme", "beta"]).await;
    let mut terminal = ask(&fleet, "migrate:recover --all-tenants --resume").await;
    terminal.shows(&question(&fleet, "acme")).enters("n").shows(&question(&fleet, "beta")).enters("y");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(!is_applied(&fleet, "acme").await);
    assert!(is_applied(&fleet, "beta").await);
}

async fn nothing_that_runs_is_ended_unasked(server: &'static Server) {
    let fleet = Fleet::new(server, "asksend").await;
    fleet.provision("acme").await;
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nDROP TABLE b;\n");
    // Somebody reads a table that is to be dropped.
    let mut reader = fleet.connect("acme").await;
    query::run(&mut reader, "CREATE TABLE b (id INT PRIMARY KEY)").await;
    query::run(&mut reader, "START TRANSACTION").await;
    query::rows(&mut reader, "SELECT * FROM b").await;
    let run = fleet.run("migrate:tenant asksend-acme --allow-existing-tables --lock-wait 100s").start().await;
    let running = query::running(&fleet.account("acme").replace('_', "\\_"), "DROP TABLE b");
    let id = query::rows_once_there(&mut server.connect("").await, &running).await[0][0].clone();

    let mut terminal = ask(&fleet, "migrate:recover asksend-acme --kill").await;
    terminal.shows(&format!("Still running in {}: connection {id} ", fleet.database("acme")));
    terminal.shows("End it? [y/N] ").enters("n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("still running, so not half done: connection "), "{screen}");
    assert_eq!(query::column(&mut server.connect("").await, &running).await, [&*id]);

    let mut terminal = ask(&fleet, "migrate:recover asksend-acme --kill").await;
    terminal.shows("End it? [y/N] ").enters("y");
    let (_, screen) = terminal.ends();
    assert!(screen.contains(&format!("ended what was still running: connection {id} ")), "{screen}");
    run.finish().await.exits(1);
    assert_eq!(query::column(&mut server.connect("").await, &running).await, Vec::<String>::new());
}

/// Whoever has said yes beforehand is asked nothing that a stop could answer.
async fn a_stop_while_it_replays_settles_nothing(server: &'static Server) {
    let fleet = Fleet::new(server, "sayslate").await;
    fleet.provision("acme").await;
    // Long enough to be seen, and to be told to stop in.
    let gate = "DO SLEEP(4), 'gate_sayslate';\n";
    let gated = |text: &str| text.replacen('\n', &format!("\n{gate}"), 1);
    fleet.write(UP, &gated(HALF));
    fleet.run("migrate:all-tenants").await.exits(1);
    fleet.write(UP, &gated(WHOLE));
    let recover = || {
        let args = "migrate:recover sayslate-acme --resume --yes";
        fleet.run(args).env("TENANT_ADMIN_URL", server.url("mysql"))
    };
    let run = recover().start().await;
    query::rows_once_there(&mut server.connect("").await, &query::running("%", "gate_sayslate")).await;
    run.signal("INT").await;
    let output = run.finish().await;
    output.exits(3);
    assert!(!output.text().contains("the rest was run"), "{output}");
    assert!(!is_applied(&fleet, "acme").await);
    recover().await.exits(0).says("the rest was run; it is applied");
    assert!(is_applied(&fleet, "acme").await);
}
