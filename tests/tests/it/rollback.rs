//! `migrate:rollback`.

use end_to_end::{
    Fleet, Server, Terminal, assert_output, on_each_server, query,
    random::{Random, quantity},
};
use sqlx::MySqlConnection;

use crate::corpus;

on_each_server!(
    so_many_steps_down_to_a_version_or_all,
    the_central_database_is_rolled_back,
    a_missing_down_is_refused_before_anything_is_touched,
    a_down_of_comments_alone_is_refused,
    a_dry_run_of_a_rollback_changes_nothing,
    wrong_targets_are_refused,
    interrupted_at_each_tenant_and_gone_on_with,
    killed_at_each_tenant_and_gone_on_with,
    steps_need_one_version,
    what_was_not_shown_is_not_undone,
    nothing_newer_is_no_failure,
    a_person_is_asked,
    what_was_typed_before_the_question_is_no_answer,
);

fn write(fleet: &Fleet, day: usize) {
    fleet.write(
        &format!("2026010{day}000000_t.up.sql"),
        &format!("CREATE TABLE t{day} (id INT PRIMARY KEY);"),
    );
    fleet.write(&format!("2026010{day}000000_t.down.sql"), &format!("DROP TABLE t{day};"));
}

/// A fleet whose tenants have migrations 1 to 3.
async fn fleet_of(server: &'static Server, word: &'static str, tenants: &[&str]) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    (1..=3).for_each(|day| write(&fleet, day));
    for tenant in tenants {
        fleet.provision(tenant).await;
    }
    fleet
}

const THREE: [&str; 3] = ["20260101000000", "20260102000000", "20260103000000"];

/// Somebody who reads `table` of a tenant, so that it cannot be dropped until they are done.
async fn reader(fleet: &Fleet, tenant: &str, table: &str) -> MySqlConnection {
    let mut reader = fleet.connect(tenant).await;
    query::run(&mut reader, "START TRANSACTION").await;
    query::rows(&mut reader, &format!("SELECT * FROM {table}")).await;
    reader
}

/// Waits until a tenant's account runs a statement with this text.
async fn runs(fleet: &Fleet, tenant: &str, text: &str) {
    let sql = query::running(&fleet.account(tenant).replace('_', "\\_"), text);
    query::rows_once_there(&mut fleet.server().connect("").await, &sql).await;
}

async fn versions(fleet: &Fleet, tenant: &str) -> Vec<String> {
    let sql = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
    query::column(&mut fleet.connect(tenant).await, sql).await
}

async fn so_many_steps_down_to_a_version_or_all(server: &'static Server) {
    let fleet = Fleet::new(server, "steps").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    fleet.provision("b").await;
    let output = fleet.run("migrate:rollback --all-tenants --steps 2 --concurrency 1").await;
    output.exits(0);
    assert_output!("so_many_steps_down_to_a_version_or_all", output);
    for tenant in ["a", "b"] {
        assert_eq!(versions(&fleet, tenant).await, corpus::VERSIONS[..3]);
    }
    fleet.run("migrate:rollback --tenant steps-a").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..2]);
    assert_eq!(versions(&fleet, "b").await, corpus::VERSIONS[..3]);
    fleet.run("migrate:all-tenants").await.exits(0);
    fleet.run("migrate:rollback --all-tenants --to 20260101000000").await.exits(0);
    for tenant in ["a", "b"] {
        assert_eq!(versions(&fleet, tenant).await, corpus::VERSIONS[..1]);
    }
    fleet.run("migrate:rollback --all-tenants --to 0 --only steps-b").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS[..1]);
    assert_eq!(versions(&fleet, "b").await, Vec::<String>::new());
    // More steps than there are: all there are.
    fleet.run("migrate:rollback --tenant steps-a --steps 9").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, Vec::<String>::new());
    fleet.run("migrate:rollback --tenant steps-a").await.exits(0);
}

async fn the_central_database_is_rolled_back(server: &'static Server) {
    let fleet = Fleet::new(server, "centraldown").await;
    let mut central = fleet.connect_central().await;
    fleet.run("migrate:rollback").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'users'").await, Vec::<String>::new());
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'tenants'").await, ["tenants"]);
    fleet.run("migrate:latest").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'users'").await, ["users"]);
    fleet.run("migrate:rollback --to 0").await.exits(0);
    assert_eq!(query::column(&mut central, "SHOW TABLES LIKE 'tenants'").await, Vec::<String>::new());
}

async fn a_missing_down_is_refused_before_anything_is_touched(server: &'static Server) {
    let fleet = Fleet::new(server, "nodown").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    fleet.write("20260101000000_t.down.sql", "DROP TABLE t;");
    fleet.provision("a").await;
    fleet.provision("b").await;
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT);");
    fleet.run("migrate:tenant nodown-b").await.exits(0);

    // Tenant a could be rolled back, and comes first.
    let output = fleet.run("migrate:rollback --all-tenants --concurrency 1").await;
    output.exits(4);
    assert_output!("a_missing_down_is_refused_before_anything_is_touched", output);
    assert_eq!(versions(&fleet, "a").await, ["20260101000000"]);
    assert_eq!(versions(&fleet, "b").await, ["20260101000000", "20260102000000"]);
    // Where the lack is deeper down, the newest is not undone either.
    fleet.write("20260103000000_v.up.sql", "CREATE TABLE v (id INT);");
    fleet.write("20260103000000_v.down.sql", "DROP TABLE v;");
    fleet.run("migrate:tenant nodown-b").await.exits(0);
    fleet.run("migrate:rollback --tenant nodown-b --steps 2").await.exits(4);
    assert_eq!(versions(&fleet, "b").await.len(), 3);
    fleet.run("migrate:rollback --tenant nodown-b").await.exits(0);
    assert_eq!(versions(&fleet, "b").await.len(), 2);
}

async fn a_down_of_comments_alone_is_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "emptydown").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    fleet.write("20260101000000_t.down.sql", "-- nothing to undo\n");
    fleet.provision("a").await;
    fleet.run("migrate:rollback --tenant emptydown-a").await.exits(4).says("has no statement");
    assert_eq!(versions(&fleet, "a").await, ["20260101000000"]);
    fleet.write("20260101000000_t.down.sql", "-- The table stays.\nDO 0;\n");
    fleet.run("migrate:rollback --tenant emptydown-a").await.exits(0);
    assert_eq!(versions(&fleet, "a").await, Vec::<String>::new());
}

async fn a_dry_run_of_a_rollback_changes_nothing(server: &'static Server) {
    let fleet = Fleet::new(server, "drydown").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    let output = fleet.run("migrate:rollback --tenant drydown-a --steps 2 --dry-run").await;
    output.exits(0);
    assert_output!("a_dry_run_of_a_rollback_changes_nothing", output);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
    assert_eq!(
        query::column(&mut fleet.connect("a").await, "SHOW TABLES LIKE 'big_orders'").await,
        ["big_orders"]
    );
}

async fn wrong_targets_are_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "wrongdown").await;
    corpus::write(&fleet);
    fleet.provision("a").await;
    for command in [
        "migrate:rollback --tenant wrongdown-a",
        "migrate:rollback --all-tenants",
        "migrate:rollback",
        "migrate:tenant wrongdown-a",
        "migrate:all-tenants",
        "migrate:latest",
    ] {
        let output = fleet.run(&format!("{command} --to 20260102000001")).await;
        output.exits(4).says("no file has version 20260102000001");
    }
    fleet.run("migrate:rollback --tenant wrongdown-a --to 1 --steps 1").await.exits(2);
    fleet.run("migrate:rollback --tenant wrongdown-a --all-tenants").await.exits(2);
    fleet.run("migrate:rollback --only wrongdown-a").await.exits(2);
    assert_eq!(versions(&fleet, "a").await, corpus::VERSIONS);
}

/// Ctrl-C, then the command that was printed: whoever has lost its newest migration loses no other.
async fn interrupted_at_each_tenant_and_gone_on_with(server: &'static Server) {
    const TENANTS: [&str; 4] = ["a", "b", "c", "d"];
    let fleet = fleet_of(server, "interrupted", &TENANTS).await;
    for (place, tenant) in TENANTS.into_iter().enumerate() {
        fleet.run("migrate:all-tenants").await.exits(0);
        let mut reader = reader(&fleet, tenant, "t3").await;
        let command = "migrate:rollback --all-tenants --concurrency 1 --lock-wait 100s";
        let run = fleet.run(&format!("{command} --format json")).start().await;
        runs(&fleet, tenant, "DROP TABLE t3").await;
        run.signal("INT").await;
        query::run(&mut reader, "ROLLBACK").await;
        let output = run.finish().await;
        let is_last = place == TENANTS.len() - 1;
        output.exits(if is_last { 0 } else { 3 });
        let lines: Vec<serde_json::Value> =
            output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let (first, last) = (&lines[0], &lines[lines.len() - 1]);
        let go_on = first["go_on"].as_str().expect("it is told when the run begins").to_owned();
        assert_eq!(last["go_on"], first["go_on"]);
        assert_eq!(go_on, format!("backend-migrations {command} --format json --to {}", THREE[1]));
        for (other, name) in TENANTS.into_iter().enumerate() {
            let n = if other <= place { 2 } else { 3 };
            assert_eq!(versions(&fleet, name).await, THREE[..n], "{name}, interrupted at {tenant}");
        }
        if !is_last {
            // The same command again would undo another migration where one was undone.
            fleet.run(command).await.exits(4).says("the tenants stand at different versions").says(THREE[1]);
        }
        let args = go_on.strip_prefix("backend-migrations ").expect("the program's name");
        for _ in 0..2 {
            fleet.run(args).await.exits(0);
            for name in TENANTS {
                assert_eq!(versions(&fleet, name).await, THREE[..2], "{name}, interrupted at {tenant}");
            }
        }
    }
    // A person reads it too.
    fleet.run("migrate:all-tenants").await.exits(0);
    let mut reader = reader(&fleet, "a", "t3").await;
    let run = fleet.run("migrate:rollback --all-tenants --concurrency 1 --lock-wait 100s").start().await;
    runs(&fleet, "a", "DROP TABLE t3").await;
    run.signal("TERM").await;
    query::run(&mut reader, "ROLLBACK").await;
    assert_output!("interrupted_rollback", run.finish().await);
}

/// `kill -9` while a tenant's migration is undone, of one statement and of several; then the command that was printed. Where it
/// refuses, as nobody has heard what became of the statement, `migrate:recover` finds out.
async fn killed_at_each_tenant_and_gone_on_with(server: &'static Server) {
    const TENANTS: [&str; 3] = ["a", "b", "c"];
    let fleet = fleet_of(server, "killeddown", &TENANTS).await;
    let several = "INSERT INTO t1 VALUES (3);\nDROP TABLE t3;\nINSERT INTO t2 VALUES (3);\n";
    let single = "DROP TABLE t3;\n";
    let mut cases = Vec::new();
    for tenant in TENANTS {
        for down in [single, several] {
            cases.extend(["InnoDB", "MyISAM"].map(|engine| (tenant, down, engine)));
        }
    }
    let n_cases = quantity(3, cases.len());
    let mut random = Random::for_test("kill -9 in a rollback");
    for (tenant, down, engine) in random.sample(cases, n_cases) {
        let what = format!("killed at {tenant}, {engine}: {down}");
        for name in TENANTS {
            let tables = format!(
                "ALTER TABLE t1 ENGINE = {engine}; ALTER TABLE t2 ENGINE = {engine}; DELETE FROM t1; DELETE FROM t2"
            );
            query::run(&mut fleet.connect(name).await, &tables).await;
        }
        fleet.write("20260103000000_t.down.sql", down);
        fleet.run("migrate:all-tenants").await.exits(0);
        let mut reader = reader(&fleet, tenant, "t3").await;
        let command = "migrate:rollback --all-tenants --concurrency 1 --lock-wait 100s";
        let mut run = fleet.run(&format!("{command} --format json")).start().await;
        let first: serde_json::Value = serde_json::from_str(&run.line().await).expect("JSON");
        let go_on = first["go_on"].as_str().expect("it is told when the run begins").to_owned();
        runs(&fleet, tenant, "DROP TABLE t3").await;
        run.signal("KILL").await;
        assert_eq!(run.finish().await.code, None, "{what}");
        // The server works on for a client that is gone, or finds out that it is.
        query::run(&mut reader, "ROLLBACK").await;
        let args = go_on.strip_prefix("backend-migrations ").expect("the program's name");
        gone_on_with(&fleet, args, tenant, &what).await;
        for _ in 0..2 {
            for name in TENANTS {
                let is_once = if down == several { "1" } else { "0" };
                assert_eq!(versions(&fleet, name).await, THREE[..2], "{name}, {what}");
                let mut connection = fleet.connect(name).await;
                for table in ["t1", "t2"] {
                    let sql = format!("SELECT COUNT(*) FROM {table}");
                    let n = query::value(&mut connection, &sql).await;
                    assert_eq!(n, is_once, "{table} of {name}, {what}");
                }
            }
            fleet.run(args).await.exits(0);
        }
    }
}

/// Runs the command again, and recovers the tenant where that refuses it.
async fn gone_on_with(fleet: &Fleet, args: &str, tenant: &str, what: &str) {
    let next = fleet.run(args).await;
    if next.code == Some(0) {
        return;
    }
    assert!(next.code == Some(1) && next.text().contains("dirty: "), "{what}\n{next}");
    let slug = fleet.slug(tenant);
    let recovered = fleet.run(&format!("migrate:recover {slug} --resume --yes --wait")).await;
    assert_eq!(recovered.code, Some(0), "{what}\n{next}\n{recovered}");
    fleet.run(args).await.exits(0);
}

async fn steps_need_one_version(server: &'static Server) {
    let fleet = fleet_of(server, "onestep", &["a", "b", "c"]).await;
    fleet.run("migrate:rollback --tenant onestep-b").await.exits(0);
    for args in ["", " --steps 1", " --dry-run"] {
        let output = fleet.run(&format!("migrate:rollback --all-tenants{args}")).await;
        output.exits(4);
        if args.is_empty() {
            assert_output!("steps_need_one_version", output);
        }
    }
    for (tenant, n) in [("a", 3), ("b", 2), ("c", 3)] {
        assert_eq!(versions(&fleet, tenant).await, THREE[..n]);
    }
    fleet.run("migrate:rollback --all-tenants --only onestep-a,onestep-c").await.exits(0);
    for tenant in ["a", "b", "c"] {
        assert_eq!(versions(&fleet, tenant).await, THREE[..2]);
    }
}

/// Between the look at a tenant and its turn somebody brings it up to date.
async fn what_was_not_shown_is_not_undone(server: &'static Server) {
    let fleet = fleet_of(server, "meanwhile", &["a", "b"]).await;
    fleet.run("migrate:rollback --tenant meanwhile-b").await.exits(0);
    let mut reader = reader(&fleet, "a", "t3").await;
    let command =
        format!("migrate:rollback --all-tenants --concurrency 1 --lock-wait 100s --to {}", THREE[0]);
    let run = fleet.run(&command).start().await;
    runs(&fleet, "a", "DROP TABLE t3").await;
    fleet.run("migrate:tenant meanwhile-b").await.exits(0);
    query::run(&mut reader, "ROLLBACK").await;
    let output = run.finish().await;
    output.exits(1);
    assert_output!("what_was_not_shown_is_not_undone", output);
    assert_eq!(versions(&fleet, "a").await, THREE[..1]);
    assert_eq!(versions(&fleet, "b").await, THREE, "nothing was undone");
    // One and the other at the same time: what was to be undone is.
    fleet.run("migrate:all-tenants").await.exits(0);
    let both = || fleet.run("migrate:rollback --tenant meanwhile-a").into_future();
    let (first, second) = tokio::join!(both(), both());
    let codes = [first.code, second.code];
    assert!(codes.contains(&Some(0)), "{first}\n{second}");
    let n_undone = 3 - versions(&fleet, "a").await.len();
    // Whoever looked after the other was done has shown, and undone, the next one.
    let shown = [&first, &second].iter().filter(|output| output.stdout.contains("Rolled back")).count();
    assert_eq!(n_undone, shown, "{first}\n{second}");
}

async fn nothing_newer_is_no_failure(server: &'static Server) {
    let fleet = fleet_of(server, "nothingnewer", &["a", "b"]).await;
    fleet.run(&format!("migrate:rollback --tenant nothingnewer-b --to {}", THREE[0])).await.exits(0);
    for command in ["--all-tenants", "--all-tenants", "--tenant nothingnewer-b", "--tenant nothingnewer-a"] {
        let output = fleet.run(&format!("migrate:rollback {command} --to {}", THREE[1])).await;
        output.exits(0);
    }
    assert_eq!(versions(&fleet, "a").await, THREE[..2]);
    assert_eq!(versions(&fleet, "b").await, THREE[..1]);
}

async fn on_a_terminal(fleet: &Fleet, args: &str) -> Terminal {
    fleet.run(args).env("NO_COLOR", "1").env("TERM", "dumb").on_a_terminal().await
}

async fn a_person_is_asked(server: &'static Server) {
    let fleet = fleet_of(server, "asksdown", &["a", "b"]).await;
    let mut central = fleet.connect_central().await;
    let users = "SHOW TABLES LIKE 'users'";
    for (answer, code) in [("n", 4), ("", 4), ("y", 0)] {
        let mut terminal = on_a_terminal(&fleet, "migrate:rollback").await;
        terminal
            .shows("This undoes in the central database asksdown_central:")
            .shows("it names ")
            .shows("users");
        assert_eq!(query::column(&mut central, users).await, ["users"]);
        terminal.shows("Undo? [y/N] ").enters(answer);
        let (found, screen) = terminal.ends();
        assert_eq!(found, code, "{screen}");
        assert_eq!(query::column(&mut central, users).await.is_empty(), code == 0, "{screen}");
    }
    let mut terminal = on_a_terminal(&fleet, "migrate:rollback --all-tenants").await;
    terminal.shows("This undoes in 2 databases (asksdown_a_db, asksdown_b_db):").shows("it names t3");
    terminal.shows("Undo? [y/N] ").presses_control('c');
    let (code, screen) = terminal.ends();
    assert_eq!(code, 3, "{screen}");
    for tenant in ["a", "b"] {
        assert_eq!(versions(&fleet, tenant).await, THREE);
    }
    let mut terminal = on_a_terminal(&fleet, "migrate:rollback --tenant asksdown-a --to 0").await;
    terminal.shows("This undoes in asksdown_a_db:").shows("Undo? [y/N] ").enters("no");
    assert_eq!(terminal.ends().0, 4);
    assert_eq!(versions(&fleet, "a").await, THREE);
    // Neither with `--yes`, nor where less is at stake, nor where there is nothing to undo.
    for args in [
        "migrate:rollback --all-tenants --yes",
        "migrate:rollback --tenant asksdown-a",
        "migrate:rollback --all-tenants --only asksdown-b --to 20260102000000",
        "migrate:rollback --tenant asksdown-b --to 0 --dry-run",
    ] {
        let (code, screen) = on_a_terminal(&fleet, args).await.ends();
        assert_eq!(code, 0, "{screen}");
        assert!(!screen.contains("[y/N]"), "{screen}");
    }
    assert_eq!(versions(&fleet, "a").await, THREE[..1]);
    assert_eq!(versions(&fleet, "b").await, THREE[..2]);
}

async fn what_was_typed_before_the_question_is_no_answer(server: &'static Server) {
    let fleet = fleet_of(server, "typedbefore", &["a"]).await;
    // The look waits for the table, so what is typed meanwhile is typed before the question.
    let mut root = fleet.connect("a").await;
    query::run(&mut root, "LOCK TABLES _sqlx_migrations WRITE").await;
    let mut terminal = on_a_terminal(&fleet, "migrate:rollback --all-tenants").await;
    runs(&fleet, "a", "\\_sqlx\\_migrations").await;
    terminal.enters("y");
    query::run(&mut root, "UNLOCK TABLES").await;
    terminal.shows("Undo? [y/N] ");
    assert_eq!(versions(&fleet, "a").await, THREE);
    terminal.enters("n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 4, "{screen}");
    assert_eq!(versions(&fleet, "a").await, THREE, "{screen}");
}
