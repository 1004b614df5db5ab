//! A file that fails in the middle: what is told, what is left, and how the next run goes on.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};
use sqlx::MySqlConnection;

use crate::corpus::{self, FAILS_AT_3_OF_5};

on_each_server!(
    the_next_run_goes_on_at_the_statement_that_failed,
    an_executed_statement_that_was_edited_is_refused,
    the_last_statement_that_failed_may_be_taken_out,
    rows_and_definitions_in_one_file,
    rows_without_transactions_and_definitions_in_one_file,
    the_first_statement_leaves_nothing,
    what_sets_up_the_session_is_run_again,
    bodies_need_no_delimiter,
    the_others_are_migrated_all_the_same,
);

const FILE: &str = "20260101000000_five.up.sql";

async fn journal(connection: &mut MySqlConnection) -> Vec<String> {
    query::column(connection, "SELECT version FROM _backend_migrations_journal").await
}

async fn success(connection: &mut MySqlConnection) -> Vec<String> {
    query::column(connection, "SELECT success FROM _sqlx_migrations").await
}

async fn tables(connection: &mut MySqlConnection) -> Vec<String> {
    let tables = query::column(connection, "SHOW TABLES").await;
    tables.into_iter().filter(|table| !table.starts_with('_')).collect()
}

async fn the_next_run_goes_on_at_the_statement_that_failed(server: &'static Server) {
    let fleet = Fleet::new(server, "resume").await;
    fleet.provision("acme").await;
    fleet.write(FILE, FAILS_AT_3_OF_5);
    let output = fleet.run("migrate:tenant resume-acme").await;
    output.exits(1);
    assert_output!("statement_3_of_5_fails", output);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(tables(&mut acme).await, ["first", "second"]);
    assert_eq!(success(&mut acme).await, ["0"]);
    assert_eq!(journal(&mut acme).await, ["20260101000000"]);

    // As it is, it fails at the same place, and the statements before it do not run again.
    fleet.run("migrate:tenant resume-acme").await.exits(1).says("statement 3 of 5");
    fleet.write(FILE, &corpus::mended());
    let output = fleet.run("migrate:tenant resume-acme --dry-run").await;
    output.exits(0);
    assert_output!("dry_run_of_the_rest", output);
    assert_eq!(tables(&mut acme).await, ["first", "second"]);
    let output = fleet.run("migrate:tenant resume-acme").await;
    output.exits(0);
    assert_output!("the_rest_is_applied", output);
    assert_eq!(tables(&mut acme).await, ["first", "fourth", "second"]);
    assert_eq!(query::column(&mut acme, "SELECT id FROM fourth").await, ["4"]);
    assert_eq!(success(&mut acme).await, ["1"]);
    assert_eq!(journal(&mut acme).await, Vec::<String>::new());
    fleet.run("migrate:status --exit-code").await.exits(0);
}

async fn the_last_statement_that_failed_may_be_taken_out(server: &'static Server) {
    let fleet = Fleet::new(server, "takenout").await;
    fleet.provision("acme").await;
    let sound = "CREATE TABLE a (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);\n";
    fleet.write(FILE, &format!("{sound}CREATE TABLE a (id INT);\n"));
    fleet.run("migrate:tenant takenout-acme").await.exits(1).says("statement 3 of 3");
    fleet.write(FILE, sound);
    let note =
        "20260101000000_five.up.sql: all statements are in the database already; only the record is missing";
    fleet.run("migrate:tenant takenout-acme --dry-run").await.exits(0).says(note);
    fleet.run("migrate:tenant takenout-acme").await.exits(0).says(note);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(success(&mut acme).await, ["1"]);
    assert_eq!(journal(&mut acme).await, Vec::<String>::new());
    fleet.run("migrate:status --exit-code").await.exits(0);
}

async fn an_executed_statement_that_was_edited_is_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "reworded").await;
    fleet.provision("acme").await;
    fleet.write(FILE, FAILS_AT_3_OF_5);
    fleet.run("migrate:tenant reworded-acme").await.exits(1);
    fleet.write(
        FILE,
        &corpus::mended().replace("CREATE TABLE second (id INT", "CREATE TABLE second (id BIGINT"),
    );
    let output = fleet.run("migrate:tenant reworded-acme").await;
    output.exits(1);
    assert_output!("an_executed_statement_that_was_edited_is_refused", output);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(tables(&mut acme).await, ["first", "second"]);
    assert_eq!(success(&mut acme).await, ["0"]);
    // White space and comments between statements are nobody's statement.
    fleet.write(FILE, &format!("-- mended\n\n{}", corpus::mended().replace(";\n", ";\n\n-- next\n")));
    fleet.run("migrate:tenant reworded-acme").await.exits(0);
    assert_eq!(tables(&mut acme).await, ["first", "fourth", "second"]);
}

async fn rows_and_definitions_in_one_file(server: &'static Server) {
    rows_and_definitions(server, "mixed", "InnoDB").await;
}

async fn rows_without_transactions_and_definitions_in_one_file(server: &'static Server) {
    rows_and_definitions(server, "mixedmyisam", "MyISAM").await;
}

async fn rows_and_definitions(server: &'static Server, word: &'static str, engine: &str) {
    let fleet = Fleet::new(server, word).await;
    fleet.provision("acme").await;
    let command = format!("migrate:tenant {word}-acme");
    let text = "CREATE TABLE t (id INT PRIMARY KEY) ENGINE = InnoDB;\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\n\
                INSERT INTO t VALUES (1);\nALTER TABLE t ADD COLUMN n INT;\nUPDATE t SET n = id;\n";
    let text = &text.replace("InnoDB", engine);
    fleet.write(FILE, text);
    let output = fleet.run(&command).await;
    output.exits(1);
    if engine == "InnoDB" {
        assert_output!("rows_and_definitions_in_one_file", output);
    } else {
        output.says("statement 4 of 6").says("3 of 6 are committed and recorded");
    }
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT id FROM t ORDER BY id").await, ["1", "2"]);
    fleet.write(FILE, &text.replace("(1);\nALTER", "(3);\nALTER"));
    fleet.run(&command).await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT n FROM t ORDER BY id").await, ["1", "2", "3"]);
    assert_eq!(success(&mut acme).await, ["1"]);
    assert_eq!(journal(&mut acme).await, Vec::<String>::new());
}

async fn the_first_statement_leaves_nothing(server: &'static Server) {
    let fleet = Fleet::new(server, "nothing").await;
    fleet.provision("acme").await;
    fleet.write(FILE, "ALTER TABLE nosuch ADD COLUMN x INT;\nCREATE TABLE t (id INT);\n");
    let output = fleet.run("migrate:tenant nothing-acme").await;
    output.exits(1);
    assert_output!("the_first_statement_leaves_nothing", output);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(success(&mut acme).await, Vec::<String>::new());
    assert_eq!(journal(&mut acme).await, Vec::<String>::new());
    // Nothing was done, so nothing that was done can have been edited.
    fleet.write(FILE, "CREATE TABLE u (id INT);\nCREATE TABLE t (id INT);\n");
    fleet.run("migrate:tenant nothing-acme").await.exits(0);
    assert_eq!(tables(&mut acme).await, ["t", "u"]);
}

async fn what_sets_up_the_session_is_run_again(server: &'static Server) {
    let fleet = Fleet::new(server, "setup").await;
    fleet.provision("acme").await;
    let text = "SET @n = 7;\nCREATE TABLE t (id INT PRIMARY KEY);\nINSERT INTO nosuch VALUES (@n);\n";
    fleet.write(FILE, text);
    fleet.run("migrate:tenant setup-acme").await.exits(1).says("statement 3 of 3");
    fleet.write(FILE, &text.replace("nosuch", "t"));
    fleet.run("migrate:tenant setup-acme").await.exits(0);
    assert_eq!(query::column(&mut fleet.connect("acme").await, "SELECT id FROM t").await, ["7"]);
}

async fn bodies_need_no_delimiter(server: &'static Server) {
    let fleet = Fleet::new(server, "bodies").await;
    fleet.provision("acme").await;
    corpus::write(&fleet);
    fleet.run("migrate:tenant bodies-acme").await.exits(0);
    let mut acme = fleet.connect("acme").await;
    // Root's session has another sql_mode; what was made keeps the one it was made under.
    query::run(&mut acme, "SET sql_mode = ''; CALL add_order('by hand')").await;
    let notes = "SELECT note FROM orders WHERE note LIKE 'by hand%'";
    assert_eq!(query::column(&mut acme, notes).await, ["by hand!", "by hand!"]);
    assert_eq!(query::value(&mut acme, "SELECT twice(21)").await, "42");
    let order = query::value(&mut acme, "SELECT id FROM orders WHERE note = 'one'").await;
    query::run(&mut acme, &format!("INSERT INTO items VALUES (1, {order})")).await;
    let total = format!("SELECT total FROM orders WHERE id = {order}");
    assert_eq!(query::value(&mut acme, &total).await, "1.00");
    let event = "SELECT COUNT(*) FROM information_schema.events WHERE event_schema = DATABASE()";
    assert_eq!(query::value(&mut acme, event).await, "1");
    fleet.run("migrate:rollback --tenant bodies-acme --to 0").await.exits(0);
    assert_eq!(query::value(&mut acme, event).await, "0");
    assert_eq!(tables(&mut acme).await, Vec::<String>::new());
}

async fn the_others_are_migrated_all_the_same(server: &'static Server) {
    let fleet = Fleet::new(server, "others").await;
    for tenant in ["a", "b", "c"] {
        fleet.provision(tenant).await;
    }
    query::run(&mut fleet.connect("b").await, "CREATE TABLE t (taken INT)").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT);");
    let output = fleet.run("migrate:all-tenants --concurrency 1").await;
    output.exits(1);
    assert_output!("the_others_are_migrated_all_the_same", output);
    for (tenant, n_columns) in [("a", ["id"]), ("b", ["taken"]), ("c", ["id"])] {
        assert_eq!(query::column(&mut fleet.connect(tenant).await, "SHOW COLUMNS FROM t").await, n_columns);
    }
}
