//! `migrate:recover` where it is hard to tell, or not possible: right, or refused with the reason.

use std::{env, fs, os::unix::fs::PermissionsExt as _, path::Path};

use end_to_end::{Flavour, Fleet, Program, Server, assert_output, on_each_server, query};
use serde_json::Value;
use sqlx::MySqlConnection;

on_each_server!(
    rows_leave_no_trace,
    several_tables_may_be_dropped_in_part,
    an_edited_file_is_named,
    a_temporary_table_cannot_come_back,
    what_sets_up_the_session_is_run_again,
    without_a_scratch_database_only_the_record_speaks,
    a_throwaway_server_is_the_last_resort,
    a_schema_like_none_of_the_states_is_shown,
    what_sqlx_still_runs_is_waited_for,
    every_line_is_json,
    the_central_database_has_its_own,
    what_reaches_out_is_replayed_elsewhere,
    what_is_still_in_the_way_is_named,
    rows_in_doubt_are_not_declared,
    equal_cases_are_told_once,
);

const UP: &str = "20260101000000_hard.up.sql";
const DOWN: &str = "20260101000000_hard.down.sql";

async fn fleet(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write(
        "20250101000000_t.up.sql",
        "CREATE TABLE t (id INT PRIMARY KEY);\nCREATE TABLE u (id INT PRIMARY KEY);\n",
    );
    fleet.provision("acme").await;
    fleet
}

async fn is_applied(connection: &mut MySqlConnection) -> bool {
    let sql = "SELECT success FROM _sqlx_migrations WHERE version = 20260101000000";
    query::column(connection, sql).await == ["1"]
}

async fn rows_leave_no_trace(server: &'static Server) {
    let fleet = fleet(server, "rowless").await;
    let text = "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\n\
                INSERT INTO a VALUES (3);\n";
    fleet.write(UP, text);
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let mut acme = fleet.connect("acme").await;
    // After the first definition sqlx's transaction is over, and each row is committed by itself.
    assert_eq!(query::column(&mut acme, "SELECT id FROM a").await, ["1"]);
    let output = fleet.run("migrate:recover rowless-acme --resume --yes").await;
    output.exits(1);
    assert_output!("recover_rows", output);
    // A person has looked.
    let output = fleet.run("migrate:recover rowless-acme --resume --from 1 --yes").await;
    output.exits(1).says("`--from 1` means that no statement is in the database, but ");
    assert_output!("recover_contradicted", output);
    fleet.write(UP, &text.replace("(1);\nINSERT INTO a VALUES (1)", "(1);\nINSERT INTO a VALUES (2)"));
    fleet.run("migrate:recover rowless-acme --resume --from 3 --yes").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM a ORDER BY id").await, ["1", "2", "3"]);
    assert!(is_applied(&mut acme).await);
}

/// MariaDB drops what it can of a list and fails then; MySQL drops all or nothing.
async fn several_tables_may_be_dropped_in_part(server: &'static Server) {
    let fleet = fleet(server, "dropped").await;
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nDROP TABLE t, nosuch, u;\n");
    fleet.write(DOWN, "DROP TABLE a;\n");
    fleet.run("migrate:tenant dropped-acme").await.exits(1);
    let mut acme = fleet.connect("acme").await;
    let output = fleet.run("migrate:recover dropped-acme --undo --yes").await;
    if server.flavour() == Flavour::MySql {
        output.exits(0);
        assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'a'").await, Vec::<String>::new());
        return;
    }
    output.exits(1).says("statement 2 of 2 is there in part: of table `t`, table `u`");
    assert_output!("recover_dropped_in_part", output);
    // What is there in part is finished by hand: the statement as the file has it now.
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nDROP TABLE t, u;\n");
    let output = fleet.run("migrate:recover dropped-acme --mark-applied --yes").await;
    output.exits(0);
    assert!(is_applied(&mut acme).await);
}

async fn an_edited_file_is_named(server: &'static Server) {
    let fleet = fleet(server, "edited").await;
    let text =
        "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO t VALUES (1);\nINSERT INTO nosuch VALUES (1);\n";
    fleet.write(UP, text);
    fleet.run("migrate:tenant edited-acme").await.exits(1);
    fleet.write(UP, &text.replace("t VALUES (1)", "t VALUES (7)").replace("nosuch", "u"));
    let output = fleet.run("migrate:recover edited-acme --resume --yes").await;
    output.exits(1);
    assert_output!("recover_edited", output);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT id FROM u").await, Vec::<String>::new());
    // A definition that was only written otherwise is the same schema.
    let spaced = text.replace("(id INT", "( id INT").replace("nosuch", "u");
    fleet.write(UP, &spaced);
    fleet.run("migrate:tenant edited-acme").await.exits(1).says("no longer as it ran");
    fleet.run("migrate:recover edited-acme --resume --yes").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM t").await, ["1"]);
    assert_eq!(query::column(&mut acme, "SELECT id FROM u").await, ["1"]);
}

async fn a_temporary_table_cannot_come_back(server: &'static Server) {
    let fleet = fleet(server, "temporary").await;
    fleet.write(
        UP,
        "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id;\nCREATE TABLE a (id INT PRIMARY KEY);\n\
         INSERT INTO a SELECT id FROM nosuch;\n",
    );
    fleet.write(DOWN, "DROP TABLE a;\n");
    fleet.run("migrate:tenant temporary-acme").await.exits(1);
    fleet.write(
        UP,
        "CREATE TEMPORARY TABLE scratch AS SELECT 1 AS id;\nCREATE TABLE a (id INT PRIMARY KEY);\n\
         INSERT INTO a SELECT id FROM scratch;\n",
    );
    let output = fleet.run("migrate:recover temporary-acme --resume --yes").await;
    output.exits(1);
    assert_output!("recover_session_gone", output);
    // Back to before, and all of it again.
    fleet.run("migrate:recover temporary-acme --undo --yes").await.exits(0);
    fleet.run("migrate:tenant temporary-acme").await.exits(0);
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SELECT id FROM a").await, ["1"]);
}

/// The statement that remains refers to a table that is not there yet, which an earlier one allows.
async fn what_sets_up_the_session_is_run_again(server: &'static Server) {
    let fleet = fleet(server, "setagain").await;
    let text = "CREATE TABLE a (id INT PRIMARY KEY);\nSET SESSION foreign_key_checks = 0;\n\
                CREATE TABLE b (id INT PRIMARY KEY, c INT, FOREIGN KEY (c) REFERENCES c (id), KEY (nosuch));\n\
                CREATE TABLE c (id INT PRIMARY KEY);\n";
    fleet.write(UP, text);
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    fleet.write(UP, &text.replace(", KEY (nosuch)", ""));
    fleet.run("migrate:recover setagain-acme --resume --yes").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    assert!(is_applied(&mut acme).await);
    for table in ["a", "b", "c"] {
        assert_eq!(query::column(&mut acme, &format!("SHOW TABLES LIKE '{table}'")).await, [table]);
    }
}

async fn without_a_scratch_database_only_the_record_speaks(server: &'static Server) {
    let fleet = fleet(server, "scratchless").await;
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n",
    );
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE a;\n");
    // The tenant's own account, which may make no database, and nobody else.
    let tenant_url = fleet.tenant_url("acme").await;
    let run = |args: &str| fleet.run(args).env("SCRATCH_URL", &tenant_url);
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let output = run("migrate:recover scratchless-acme").await;
    output.exits(1);
    assert_output!("recover_without_scratch", output);
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "DROP TABLE a; DELETE FROM _sqlx_migrations WHERE success = 0").await;
    fleet.run("migrate:tenant scratchless-acme").await.exits(1);
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    run("migrate:recover scratchless-acme --undo --yes").await.exits(1).says("proven on a scratch database");
    run("migrate:recover scratchless-acme --resume --yes").await.exits(0);
    assert!(is_applied(&mut acme).await);
}

/// In the place of `cargo` is the program that it would compile and run.
async fn a_throwaway_server_is_the_last_resort(server: &'static Server) {
    let fleet = fleet(server, "lastresort").await;
    let text = "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n";
    fleet.write(UP, text);
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE a;\n");
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let tenant_url = fleet.tenant_url("acme").await;
    let program = tokio::task::spawn_blocking(|| Program::ThrowawayServer.path()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cargo = &folder.path().join("cargo");
    fs::write(cargo, format!("#!/bin/sh\nexec '{}'\n", program.display())).unwrap();
    fs::set_permissions(cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let run = |args: &str, cargo: &Path| {
        let settings = ["THROWAWAY_SERVER", "THROWAWAY_SERVER_URL", "THROWAWAY_MARIADB_IMAGE"];
        let run = fleet.xtask(args).env("TENANT_ADMIN_URL", &tenant_url).env("CARGO", cargo);
        let run = settings.iter().fold(run, |run, name| run.env(name, env::var_os(name).unwrap_or_default()));
        // The image of the tenant's version is taken, whichever is set.
        let image = env::var("THROWAWAY_MYSQL_IMAGE").unwrap_or_default();
        let other = image.rsplit_once(':').map(|(name, _)| format!("{name}:nosuch"));
        run.env("THROWAWAY_MYSQL_IMAGE", other.unwrap_or(image))
    };
    let output = run("migrate:recover lastresort-acme", Path::new("/bin/false")).await;
    output
        .exits(1)
        .says("may make no database on")
        .says("no throwaway server: `/bin/false` has started none");
    let output = run("migrate:recover lastresort-acme", cargo).await;
    output
        .exits(1)
        .says("the scratch database is made on a throwaway server")
        .says("1 of 2 statements is in");
    assert_eq!(output.text().matches("made on a throwaway server").count(), 1, "{output}");
    assert!(!output.text().contains("mysql://"), "{output}");
    assert!(!output.text().contains("the scratch database is on"), "another version\n{output}");
    let output = run("migrate:recover lastresort-acme --undo --yes", cargo).await;
    output.exits(0).says("what was there is undone");
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'a'").await, Vec::<String>::new());
}

async fn a_schema_like_none_of_the_states_is_shown(server: &'static Server) {
    let fleet = fleet(server, "unlike").await;
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n",
    );
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "ALTER TABLE a ADD COLUMN by_hand INT; ALTER TABLE t ADD COLUMN aside INT").await;
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    let output = fleet.run("migrate:recover unlike-acme --resume --yes").await;
    output.exits(1).says("+  `by_hand` int").says("not touched by this migration: table `t`");
    fleet.run("migrate:recover unlike-acme --resume --from 2 --yes").await.exits(1);
    fleet.run("migrate:recover unlike-acme --resume --from 2 --force --yes").await.exits(0);
    assert!(is_applied(&mut acme).await);
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'b'").await, ["b"]);
}

/// sqlx-cli takes no lock, and the server goes on with a file after its client is gone.
async fn what_sqlx_still_runs_is_waited_for(server: &'static Server) {
    let fleet = fleet(server, "stillsqlx").await;
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a SELECT SLEEP(8);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    let run = fleet.sqlx("acme", "migrate run").await.start().await;
    let running = query::running(&fleet.account("acme").replace('_', "\\_"), "SELECT SLEEP(8)");
    query::rows_once_there(&mut server.connect("").await, &running).await;
    run.signal("KILL").await;
    drop(run.finish().await);
    let output = fleet.run("migrate:recover stillsqlx-acme").await;
    output
        .exits(1)
        .says("still running, so not half done: connection ")
        .says("INSERT INTO a SELECT SLEEP(?)");
    // Whoever waits can stop waiting.
    let mut waiting = fleet.run("migrate:recover stillsqlx-acme --wait").start().await;
    while !waiting.line().await.contains("waiting for what is still running: connection ") {}
    waiting.signal("INT").await;
    waiting.finish().await.exits(3);
    let output = fleet.run("migrate:recover stillsqlx-acme --wait --resume --yes").await;
    output.exits(0).says("waiting for what is still running: connection ");
    let mut acme = fleet.connect("acme").await;
    assert!(is_applied(&mut acme).await);
    assert_eq!(query::column(&mut acme, "SELECT id FROM a").await, ["0"]);
    assert_eq!(query::column(&mut acme, "SHOW TABLES LIKE 'b'").await, ["b"]);
}

async fn every_line_is_json(server: &'static Server) {
    let fleet = fleet(server, "lines").await;
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n",
    );
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    let output = fleet.run("migrate:recover --all-tenants --resume --yes --format json").await;
    output.exits(0);
    let lines: Vec<Value> = output.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<_> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let shown = words.iter().position(|word| *word == "migration-diagnosed").expect("it is shown");
    // What it does meanwhile is told as well.
    let before: Vec<_> = words[..shown].iter().filter(|word| **word != "waiting").collect();
    assert_eq!(before, [&"rollout-started", &"tenant-started"]);
    assert!(words[..shown].contains(&"waiting"), "{words:?}");
    assert_eq!(words[words.len() - 3..], ["migration-settled", "tenant-finished", "rollout-finished"]);
    let (diagnosed, settled) = (&lines[shown], &lines[lines.len() - 3]);
    assert_eq!(diagnosed["position"], "known");
    assert_eq!(diagnosed["n_finished"], 1);
    assert_eq!(diagnosed["statements"][0]["presence"], "yes");
    assert_eq!(diagnosed["ways"][0]["way"], "resume");
    assert_eq!(diagnosed["ways"][0]["objection"], Value::Null);
    assert_eq!((&settled["way"], &settled["is_applied"]), (&"resume".into(), &true.into()));
    assert_eq!(lines[lines.len() - 2]["outcome"], "recovered");
}

async fn the_central_database_has_its_own(server: &'static Server) {
    let fleet = fleet(server, "centralone").await;
    let file = fleet.migrations("central").join("20990101000000_x.up.sql");
    fs::write(
        &file,
        "CREATE TABLE x (id INT PRIMARY KEY);\nCREATE TABLE y (id INT PRIMARY KEY, KEY (nosuch));\n",
    )
    .unwrap();
    fleet.run("migrate:latest").await.exits(1);
    fleet
        .run("migrate:recover --central 20990101000000")
        .await
        .exits(1)
        .says("1 of 2 statements is in the database");
    fs::write(&file, "CREATE TABLE x (id INT PRIMARY KEY);\nCREATE TABLE y (id INT PRIMARY KEY);\n").unwrap();
    fleet.run("migrate:recover --central --resume --yes").await.exits(0).says("it is applied");
    fleet.run("migrate:latest").await.exits(0);
}

/// A look changes nothing, on the server either: whatever the administrator's account may do.
async fn what_reaches_out_is_replayed_elsewhere(server: &'static Server) {
    let fleet = fleet(server, "reaches").await;
    let mut acme = fleet.connect("acme").await;
    let value = "SELECT @@GLOBAL.max_connect_errors";
    let before = query::value(&mut acme, value).await;
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nSET GLOBAL max_connect_errors = 54321;\nCREATE TABLE b (id INT PRIMARY KEY);\n",
    );
    fleet.run("migrate:tenant reaches-acme").await.exits(1);
    for args in ["", "--resume --yes", "--undo --yes"] {
        let output = fleet.run(&format!("migrate:recover reaches-acme {args}")).await;
        output.says(
            "statement 2 (20260101000000_hard.up.sql:2) sets `max_connect_errors` for the whole server",
        );
        assert_eq!(query::value(&mut acme, value).await, before, "{args}\n{output}");
    }
    // By another name it is the same server.
    let output = fleet.run("migrate:recover reaches-acme").env("SCRATCH_URL", server.url("mysql")).await;
    output.exits(1).says("not compared with a scratch database");
    assert_eq!(query::value(&mut acme, value).await, before, "{output}");
}

async fn what_is_still_in_the_way_is_named(server: &'static Server) {
    let fleet = fleet(server, "inthe").await;
    let mut acme = fleet.connect("acme").await;
    query::run(&mut acme, "CREATE TABLE b (customer TEXT)").await;
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    fleet.run("migrate:tenant inthe-acme").await.exits(1);
    let output = fleet.run("migrate:recover inthe-acme").await;
    output.exits(1).says("✗ --resume").says("hint: look what statement 2 meets and at the rows it holds");
    assert!(!output.text().contains('✓'), "{output}");
    let output = fleet.run("migrate:recover inthe-acme --resume --yes").await;
    output.exits(1).says("the server has refused statement 2 here");
    query::run(&mut acme, "RENAME TABLE b TO kept").await;
    fleet.run("migrate:recover inthe-acme --resume --yes").await.exits(0);
    assert!(is_applied(&mut acme).await);
}

/// A schema is the same with a row and without it.
async fn rows_in_doubt_are_not_declared(server: &'static Server) {
    let fleet = fleet(server, "indoubt").await;
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nINSERT INTO a VALUES (1);\nINSERT INTO a VALUES (1);\n",
    );
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let output = fleet.run("migrate:recover indoubt-acme --mark-applied --yes").await;
    output.exits(1).says("which of the statements 2 to 3 are in the database is not known");
    assert!(!is_applied(&mut fleet.connect("acme").await).await);
    fleet.run("migrate:recover indoubt-acme --mark-applied --from 4 --yes").await.exits(0);
    assert!(is_applied(&mut fleet.connect("acme").await).await);
}

async fn equal_cases_are_told_once(server: &'static Server) {
    let fleet = fleet(server, "equal").await;
    for tenant in ["beta", "gamma"] {
        fleet.provision(tenant).await;
    }
    fleet.write(
        UP,
        "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n",
    );
    fleet.run("migrate:all-tenants").await.exits(1);
    query::run(&mut fleet.connect("gamma").await, "ALTER TABLE a ADD COLUMN n INT").await;
    let output = fleet.run("migrate:recover --all-tenants --concurrency 1").await;
    output.exits(1);
    output.says("🩺 2 tenants (acme, beta): 20260101000000 (hard) is half applied");
    output.says("🩺 gamma (equal_gamma_db): 20260101000000 (hard) is half applied");
    assert_eq!(output.text().matches("The ways on:").count(), 2, "{output}");
    fleet.write(UP, "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n");
    let output =
        fleet.run("migrate:recover --all-tenants --exclude equal-gamma --concurrency 1 --resume --yes").await;
    output.exits(0).says("20260101000000 is as with acme");
}
