//! What one tool left half done, the other sees and leaves alone.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};
use sqlx::MySqlConnection;

use crate::corpus::{self, FAILS_AT_3_OF_5};

on_each_server!(
    what_sqlx_left_half_done_is_refused_by_us,
    what_we_left_half_done_is_refused_by_sqlx,
    what_sqlx_left_half_undone_is_refused_by_us,
    what_we_left_half_undone_is_refused_by_sqlx,
    rows_alone_leave_nothing_behind_by_either,
);

const UP: &str = "20260110000000_half.up.sql";
const DOWN: &str = "20260110000000_half.down.sql";
const SQLX_REFUSES: &str =
    "migration 20260110000000 is partially applied; fix and remove row from `_sqlx_migrations` table";

/// `success` and whether `execution_time` is -1, or a time.
async fn row(connection: &mut MySqlConnection) -> Vec<Vec<String>> {
    let sql = "SELECT success, IF(execution_time = -1, '-1', IF(execution_time > 0, 'time', 'wrong')) \
               FROM _sqlx_migrations WHERE version = 20260110000000";
    query::rows(connection, sql).await
}

async fn what_sqlx_left_half_done_is_refused_by_us(server: &'static Server) {
    let fleet = Fleet::new(server, "dirtyfrom").await;
    fleet.provision("acme").await;
    fleet.write(UP, FAILS_AT_3_OF_5);
    fleet.write(DOWN, "SELECT 1;");
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(row(&mut acme).await, [["0", "-1"]]);

    fleet.write(UP, &corpus::mended());
    let output = fleet.run("migrate:tenant dirtyfrom-acme").await;
    output.exits(1);
    assert_output!("what_sqlx_left_half_done_is_refused_by_us", output);
    fleet.run("migrate:rollback --tenant dirtyfrom-acme").await.exits(1);
    fleet.run("migrate:status --exit-code").await.exits(5).says("dirty");
    assert_eq!(row(&mut acme).await, [["0", "-1"]]);
    assert_eq!(query::column(&mut acme, "SHOW TABLES").await, ["_sqlx_migrations", "first", "second"]);
}

async fn what_we_left_half_done_is_refused_by_sqlx(server: &'static Server) {
    let fleet = Fleet::new(server, "dirtyto").await;
    fleet.provision("acme").await;
    fleet.write(UP, FAILS_AT_3_OF_5);
    fleet.write(DOWN, "SELECT 1;");
    fleet.run("migrate:tenant dirtyto-acme").await.exits(1);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(row(&mut acme).await, [["0", "-1"]]);
    for args in ["migrate run", "migrate revert"] {
        let output = fleet.sqlx("acme", args).await.await;
        output.exits(1);
        assert_eq!(output.stdout, format!("error: {SQLX_REFUSES}\n"));
    }
    // Which is what sqlx-cli shows of a row that is there, dirty or not.
    fleet.sqlx("acme", "migrate info").await.await.exits(0).says("20260110000000/installed half");

    fleet.write(UP, &corpus::mended());
    fleet.run("migrate:tenant dirtyto-acme").await.exits(0);
    assert_eq!(row(&mut acme).await, [["1", "time"]]);
    let info = fleet.sqlx("acme", "migrate info").await.await;
    info.exits(0);
    assert_eq!(
        info.stdout, "20260110000000/installed half\n",
        "the row keeps the checksum of the mended file"
    );
    assert_eq!(fleet.sqlx("acme", "migrate run").await.await.exits(0).text(), "");
}

async fn what_sqlx_left_half_undone_is_refused_by_us(server: &'static Server) {
    let fleet = Fleet::new(server, "undofrom").await;
    fleet.write(UP, "CREATE TABLE a (id INT);\nCREATE TABLE b (id INT);\n");
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE nosuch;\nDROP TABLE a;\n");
    fleet.provision("acme").await;
    fleet.sqlx("acme", "migrate revert").await.await.exits(1);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(row(&mut acme).await, [["0", "time"]]);
    let output = fleet.run("migrate:rollback --tenant undofrom-acme").await;
    output.exits(1);
    assert_output!("what_sqlx_left_half_undone_is_refused_by_us", output);
    fleet.run("migrate:tenant undofrom-acme").await.exits(1);
    assert_eq!(row(&mut acme).await, [["0", "time"]]);
}

async fn what_we_left_half_undone_is_refused_by_sqlx(server: &'static Server) {
    let fleet = Fleet::new(server, "undoto").await;
    fleet.write(UP, "CREATE TABLE a (id INT);\nCREATE TABLE b (id INT);\n");
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE nosuch;\nDROP TABLE a;\n");
    fleet.provision("acme").await;
    let output = fleet.run("migrate:rollback --tenant undoto-acme").await;
    output.exits(1);
    assert_output!("what_we_left_half_undone_is_refused_by_sqlx", output);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(row(&mut acme).await, [["0", "time"]]);
    for args in ["migrate run", "migrate revert"] {
        let output = fleet.sqlx("acme", args).await.await;
        output.exits(1);
        assert_eq!(output.stdout, format!("error: {SQLX_REFUSES}\n"));
    }
    fleet.write(DOWN, "DROP TABLE b;\nDROP TABLE a;\n");
    fleet.run("migrate:rollback --tenant undoto-acme").await.exits(0);
    assert_eq!(row(&mut acme).await, Vec::<Vec<String>>::new());
    fleet.sqlx("acme", "migrate run").await.await.exits(0).says("Applied 20260110000000/migrate half");
}

async fn rows_alone_leave_nothing_behind_by_either(server: &'static Server) {
    let fleet = Fleet::new(server, "dirtyrows").await;
    fleet.write("20260109000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    fleet.provision("acme").await;
    fleet.write(UP, "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\nINSERT INTO t VALUES (1);\n");
    let mut acme = fleet.connect("acme").await;
    fleet.sqlx("acme", "migrate run").await.await.exits(1);
    assert_eq!(row(&mut acme).await, Vec::<Vec<String>>::new());
    let output = fleet.run("migrate:tenant dirtyrows-acme").await;
    output.exits(1);
    assert_output!("rows_alone_leave_nothing_behind_by_either", output);
    assert_eq!(row(&mut acme).await, Vec::<Vec<String>>::new());
    assert_eq!(query::column(&mut acme, "SELECT id FROM t").await, Vec::<String>::new());
    fleet.write(UP, "INSERT INTO t VALUES (1);\nINSERT INTO t VALUES (2);\nINSERT INTO t VALUES (3);\n");
    fleet.run("migrate:tenant dirtyrows-acme").await.exits(0);
    assert_eq!(query::column(&mut acme, "SELECT id FROM t ORDER BY id").await, ["1", "2", "3"]);
    assert_eq!(fleet.sqlx("acme", "migrate run").await.await.exits(0).text(), "");
}
