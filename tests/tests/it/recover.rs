//! `migrate:recover` on what real runs left half done: what it says, and that each way on ends as if nothing had happened.

use std::fs;

use backend_migrations::migration::Checksum;
use end_to_end::{Fleet, Server, assert_output, on_each_server, query, schema};
use sqlx::MySqlConnection;

on_each_server!(
    nothing_half_done,
    what_sqlx_left_is_finished,
    one_of_several,
    what_sqlx_left_is_undone,
    a_statement_that_was_running_is_looked_at,
    a_failed_revert_is_no_failed_apply,
    a_failed_revert_of_what_was_only_declared,
    what_is_done_by_hand_is_declared,
    a_tenant_that_is_not_active_yet,
);

const UP: &str = "20260101000000_three.up.sql";
const DOWN: &str = "20260101000000_three.down.sql";
const GOOD: &str = "CREATE TABLE a (id INT PRIMARY KEY);\n\
                    ALTER TABLE a ADD COLUMN n INT NOT NULL DEFAULT 0;\n\
                    CREATE TABLE b (id INT PRIMARY KEY);\n";
const BAD: &str = "CREATE TABLE a (id INT PRIMARY KEY);\n\
                   ALTER TABLE a ADD COLUMN n INT NOT NULL DEFAULT 0;\n\
                   CREATE TABLE b (id INT PRIMARY KEY, KEY (nosuch));\n";
const BACK: &str = "DROP TABLE b;\nALTER TABLE a DROP COLUMN n;\nDROP TABLE a;\n";

/// Two tenants with a table: one for the disturbed run, one for the undisturbed.
async fn fleet(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write("20250101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    fleet.write("20250101000000_t.down.sql", "DROP TABLE t;");
    for tenant in ["acme", "twin"] {
        fleet.provision(tenant).await;
    }
    fleet
}

async fn history(connection: &mut MySqlConnection) -> Vec<Vec<String>> {
    let sql = "SELECT version, success, HEX(checksum) FROM _sqlx_migrations ORDER BY version";
    query::rows(connection, sql).await
}

/// Fails unless the disturbed tenant is as the other one is after an undisturbed run.
async fn is_as_undisturbed(fleet: &Fleet) {
    let mut both = Vec::new();
    for tenant in ["acme", "twin"] {
        let (database, account) = (fleet.database(tenant), fleet.account(tenant));
        let mut connection = fleet.connect(tenant).await;
        let names = [(&*database, "DATABASE"), (&*account, "ACCOUNT")];
        let definitions = schema::definitions(&mut connection, &database, &names).await;
        both.push((definitions, history(&mut connection).await));
    }
    assert_eq!(both[0], both[1]);
    let mut acme = fleet.connect("acme").await;
    let journal = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND \
                   table_name = '_backend_migrations_journal'";
    if query::value(&mut acme, journal).await == "1" {
        let rows = query::value(&mut acme, "SELECT COUNT(*) FROM _backend_migrations_journal").await;
        assert_eq!(rows, "0", "at rest the journal is empty");
    }
}

fn slug(fleet: &Fleet) -> String {
    fleet.slug("acme")
}

async fn nothing_half_done(server: &'static Server) {
    let fleet = fleet(server, "sound").await;
    assert_output!("recover_nothing", fleet.run("migrate:recover sound-acme").await);
    assert_output!("recover_nothing_fleet", fleet.run("migrate:recover --all-tenants").await);
    fleet.run("migrate:recover --central").await.exits(0).says("Nothing is half done");
    fleet.run("migrate:recover").await.exits(2).says("whose migrations");
    // A version that is mistyped is no version that is in order.
    for whose in ["sound-acme", "--all-tenants", "--central"] {
        let output = fleet.run(&format!("migrate:recover {whose} 20250101000001")).await;
        output.exits(4).says("no file has version 20250101000001").says("hint: `migrate:status --");
    }
    fleet.run("migrate:recover sound-acme 20250101000000").await.exits(0).says("Nothing is half done");
    fleet.run("migrate:recover sound-acme --yes").await.exits(2).says("--resume");
}

async fn what_sqlx_left_is_finished(server: &'static Server) {
    let fleet = fleet(server, "finish").await;
    fleet.write(DOWN, BACK);
    fleet.write(UP, BAD);
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let output = fleet.run("migrate:recover finish-acme").await;
    output.exits(1);
    assert_output!("recover_what_sqlx_left", output);
    fleet.write(UP, GOOD);
    // Nobody can be asked, and nothing is changed.
    let output = fleet.run("migrate:recover finish-acme --resume").await;
    output.exits(1).says("nobody can be asked here; `--yes` does it");
    assert_eq!(history(&mut fleet.connect("acme").await).await[1][1], "0");
    let output = fleet.run("migrate:recover finish-acme --resume --yes").await;
    output.exits(0);
    assert_output!("recover_resumed", output);
    fleet.run(&format!("migrate:tenant {}", fleet.slug("twin"))).await.exits(0);
    is_as_undisturbed(&fleet).await;
}

async fn one_of_several(server: &'static Server) {
    let fleet = fleet(server, "several").await;
    let other = "20260102000000_other.up.sql";
    fleet.write(UP, GOOD);
    fleet.write(other, "CREATE TABLE c (id INT PRIMARY KEY);\nCREATE TABLE d (id INT PRIMARY KEY);\n");
    let mut acme = fleet.connect("acme").await;
    // As somebody leaves it who works by hand.
    let rows = "INSERT INTO _sqlx_migrations (version, description, success, checksum, \
                execution_time) VALUES (20260101000000, 'three', FALSE, X'00', -1), (20260102000000, 'other', FALSE, X'00', -1)";
    query::run(&mut acme, rows).await;
    for name in [UP, other] {
        let sql = format!(
            "UPDATE _sqlx_migrations SET checksum = X'{}' WHERE version = {}",
            Checksum::of(&fs::read(fleet.migrations("tenant").join(name)).unwrap()),
            &name[..14],
        );
        query::run(&mut acme, &sql).await;
    }
    let output = fleet.run("migrate:recover several-acme 20260101000000 --resume --yes").await;
    output.exits(1).says("20260102000000 (other) was begun").says("; that one has to be settled first");
    let output = fleet.run("migrate:recover several-acme 20260102000000 --undo --yes").await;
    output
        .exits(1)
        .says("half done as well, and not looked at: 20260101000000 (three)")
        .says("20260102000000 (other): what was there is undone; it is not applied")
        .says("1 migration is still half done");
    assert!(!output.text().contains("nothing was changed"), "{output}");
    fleet.run("migrate:recover several-acme --resume --yes").await.exits(0);
    fleet.run("migrate:all-tenants --only several-acme,several-twin").await.exits(0);
    is_as_undisturbed(&fleet).await;
}

async fn what_sqlx_left_is_undone(server: &'static Server) {
    let fleet = fleet(server, "goneback").await;
    fleet.write(DOWN, BACK);
    fleet.write(UP, BAD);
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let output = fleet.run("migrate:recover goneback-acme 20260101000000 --undo --yes").await;
    output.exits(0);
    assert_output!("recover_undone", output);
    is_as_undisturbed(&fleet).await;
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SHOW TABLES LIKE 'a'").await.len(), 0);
}

/// The connection is killed while an ALTER waits for the table: whether it ran, the journal does not know.
async fn a_statement_that_was_running_is_looked_at(server: &'static Server) {
    let fleet = fleet(server, "running").await;
    fleet.write(
        UP,
        "INSERT INTO t VALUES (1);\nALTER TABLE t ADD COLUMN m INT;\nINSERT INTO t VALUES (2, 2);\n",
    );
    fleet.write(DOWN, "DELETE FROM t;\nALTER TABLE t DROP COLUMN m;\n");
    let mut user = fleet.connect("acme").await;
    query::run(&mut user, "START TRANSACTION").await;
    query::rows(&mut user, "SELECT * FROM t").await;
    let run = fleet.run("migrate:tenant running-acme --lock-wait 100s").start().await;
    let running = query::running(&fleet.account("acme").replace('_', "\\_"), "ALTER TABLE t");
    let id = query::rows_once_there(&mut server.connect("").await, &running).await[0][0].clone();

    // It still runs: its connection is named, and nothing is changed.
    let output = fleet.run("migrate:recover running-acme --resume --yes").await;
    output
        .exits(1)
        .says("still running, so not half done: connection ")
        .says("ALTER TABLE t ADD COLUMN m INT");
    for flags in ["--kill --dry-run", "--kill"] {
        let output = fleet.run(&format!("migrate:recover running-acme {flags}")).await;
        output.exits(1).says("still running, so not half done: connection ");
        let is_told = output.stderr.contains("hint: nobody can be asked here; `--yes` does it");
        assert_eq!(is_told, flags == "--kill", "{output}");
    }
    // Nor does anything else take it for half done.
    let output = fleet.run("migrate:status --only running-acme").await;
    output
        .exits(0)
        .says("1 running")
        .says("ALTER TABLE t ADD COLUMN m INT")
        .says(&format!("connection {id} "));
    assert!(!output.stdout.contains("dirty"), "{output}");
    let output = fleet.run("migrate:status --tenant running-acme --exit-code").await;
    output.exits(5).says(&format!("running: connection {id} "));
    assert!(!output.stdout.contains("migrate:recover"), "{output}");
    let output = fleet.run("migrate:recover running-acme --kill --yes").await;
    output.exits(1).says(&format!("ended what was still running: connection {id} "));
    run.finish().await.exits(1);
    query::run(&mut user, "ROLLBACK").await;

    let output = fleet.run("migrate:recover running-acme").await;
    output.exits(1);
    assert_output!("recover_was_running", output);
    fleet.run("migrate:recover running-acme --resume --yes").await.exits(0);
    fleet.run("migrate:tenant running-twin").await.exits(0);
    is_as_undisturbed(&fleet).await;
    let rows = query::rows(&mut user, "SELECT id, m FROM t ORDER BY id").await;
    assert_eq!(rows, [["1", "NULL"], ["2", "2"]]);
}

async fn a_failed_revert_is_no_failed_apply(server: &'static Server) {
    let fleet = fleet(server, "revert").await;
    fleet.write(UP, GOOD);
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE nosuch;\nALTER TABLE a DROP COLUMN n;\nDROP TABLE a;\n");
    fleet.run("migrate:all-tenants").await.exits(0);
    for (round, way) in ["--resume", "--undo"].into_iter().enumerate() {
        fleet.sqlx("acme", "migrate revert").await.await.exits(1);
        if round == 0 {
            let output = fleet.run("migrate:recover revert-acme").await;
            output.exits(1);
            assert_output!("recover_failed_revert", output);
            fleet.run(&format!("migrate:recover {} --undo --yes", slug(&fleet))).await.exits(0);
            is_as_undisturbed(&fleet).await;
            fleet.sqlx("acme", "migrate revert").await.await.exits(1);
        }
        fleet.write(DOWN, BACK);
        fleet.run(&format!("migrate:recover {} {way} --yes", slug(&fleet))).await.exits(0);
        if way == "--resume" {
            fleet.run("migrate:rollback --tenant revert-twin").await.exits(0);
            is_as_undisturbed(&fleet).await;
            fleet.run("migrate:all-tenants").await.exits(0);
            fleet.write(
                DOWN,
                "DROP TABLE b;\nDROP TABLE nosuch;\nALTER TABLE a DROP COLUMN n;\nDROP TABLE a;\n",
            );
        } else {
            is_as_undisturbed(&fleet).await;
        }
    }
}

/// The time of an apply tells a revert from an apply, and a migration that was only declared applied has none.
async fn a_failed_revert_of_what_was_only_declared(server: &'static Server) {
    let fleet = fleet(server, "untimed").await;
    fleet.write(UP, GOOD);
    let fails_after =
        |statement: &str| format!("{statement};\nDROP TABLE nosuch;\nDROP TABLE IF EXISTS a, b;\n");
    fleet.write(DOWN, &fails_after("DROP TABLE a"));
    fleet.run("migrate:all-tenants").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    // What sqlx's own `skip` writes.
    let declared = "UPDATE _sqlx_migrations SET execution_time = -1 WHERE version = 20260101000000";
    query::run(&mut acme, declared).await;
    fleet.sqlx("acme", "migrate revert").await.await.exits(1);
    // A table `b` without `a` is there in the middle of a revert, never of an apply.
    let output = fleet.run("migrate:recover untimed-acme").await;
    output.exits(1);
    assert_output!("recover_untimed_revert", output);
    fleet.run("migrate:recover untimed-acme --undo --yes").await.exits(1);
    query::run(&mut acme, "CREATE TABLE a (id INT PRIMARY KEY, n INT NOT NULL DEFAULT 0)").await;

    // `b` is gone: so it is in the middle of an apply too.
    fleet.write(DOWN, &fails_after("DROP TABLE b"));
    let output = fleet.run("migrate:recover untimed-acme --mark-applied --yes").await;
    output.exits(0);
    fleet.sqlx("acme", "migrate revert").await.await.exits(1);
    let output = fleet.run("migrate:recover untimed-acme").await;
    output
        .exits(1)
        .says("is half applied")
        .says("note: had it only been declared applied, a revert that failed");
    fleet.write(DOWN, BACK);
    fleet.run("migrate:recover untimed-acme --undo --yes").await.exits(0);
    fleet.run("migrate:rollback --tenant untimed-twin").await.exits(0);
    is_as_undisturbed(&fleet).await;
}

async fn what_is_done_by_hand_is_declared(server: &'static Server) {
    let fleet = fleet(server, "byhand").await;
    fleet.write(DOWN, BACK);
    fleet.write(UP, BAD);
    fleet.run("migrate:tenant byhand-acme").await.exits(1);
    fleet.write(UP, GOOD);
    let mut acme = fleet.connect("acme").await;
    // Not while the schema says otherwise.
    let output = fleet.run("migrate:recover byhand-acme --mark-applied --yes").await;
    output.exits(1);
    assert_output!("recover_declared_falsely", output);
    query::run(&mut acme, "CREATE TABLE b (id INT PRIMARY KEY)").await;
    let output = fleet.run("migrate:recover byhand-acme --mark-applied --yes").await;
    output.exits(0);
    assert_output!("recover_declared_applied", output);
    fleet.run("migrate:tenant byhand-twin").await.exits(0);
    is_as_undisturbed(&fleet).await;

    // And the other way round, with a record that nobody can explain.
    query::run(&mut acme, "DROP TABLE a, b; UPDATE _sqlx_migrations SET success = FALSE, execution_time = -1 WHERE version > 20260000000000").await;
    fleet.run("migrate:recover byhand-acme --mark-not-applied --yes").await.exits(0);
    fleet.run("migrate:rollback --tenant byhand-twin").await.exits(0);
    is_as_undisturbed(&fleet).await;
}

/// Provisioning that went wrong leaves FAILED or PROVISIONING: recovery is for those too, and leaves the status to provisioning.
async fn a_tenant_that_is_not_active_yet(server: &'static Server) {
    let fleet = fleet(server, "unborn").await;
    for (number, status) in (1..).zip(["FAILED", "PROVISIONING"]) {
        let (up, three) = (format!("2026010{number}000000_x.up.sql"), "CREATE TABLE x");
        let text = |bad: &str| format!("{three}{number} (id INT);\nCREATE TABLE y{number} (id INT{bad});\n");
        fleet.write(&up, &text(", KEY (nosuch)"));
        fleet.sqlx("acme", "migrate run").await.await.exits(1);
        fleet.write(&up, &text(""));
        let mut central = fleet.connect_central().await;
        let sql = format!("UPDATE tenants SET status = '{status}' WHERE slug = 'unborn-acme'");
        query::run(&mut central, &sql).await;
        fleet.run("migrate:recover unborn-acme").await.exits(1).says("--resume");
        assert_eq!(history(&mut fleet.connect("acme").await).await[number][1], "0");
        fleet.run("migrate:recover unborn-acme --resume --yes").await.exits(0);
        let sql = "SELECT status FROM tenants WHERE slug = 'unborn-acme'";
        assert_eq!(query::value(&mut central, sql).await, status);
        fleet.run("tenant:provision --slug unborn-acme --name acme").await.exits(0);
        assert_eq!(query::value(&mut central, sql).await, "ACTIVE");
        fleet.run(&format!("migrate:tenant {}", fleet.slug("twin"))).await.exits(0);
        is_as_undisturbed(&fleet).await;
    }
}
