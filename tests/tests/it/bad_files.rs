//! Migration files that cannot be run as they are: all that is wrong is said at once, before anything is touched.

use end_to_end::{Fleet, Server, assert_output, on_each_server, query};

on_each_server!(
    files_that_are_refused,
    files_that_look_wrong_and_are_right,
    a_file_that_was_edited,
    a_file_that_was_deleted,
    a_folder_that_is_not_there,
);

/// Names and contents.
type Files = &'static [(&'static str, &'static [u8])];

const GOOD: &str = "CREATE TABLE t (id INT PRIMARY KEY);\n";

async fn tables(fleet: &Fleet) -> Vec<String> {
    query::column(&mut fleet.connect("acme").await, "SHOW TABLES").await
}

async fn files_that_are_refused(server: &'static Server) {
    let fleet = Fleet::new(server, "files").await;
    fleet.provision("acme").await;
    let cases: [(&str, Files); 16] = [
        ("file_not_utf8", &[("20260101000000_t.up.sql", b"INSERT INTO t VALUES ('\xe4\xf6');")]),
        ("file_utf16", &[("20260101000000_t.up.sql", b"\xff\xfeC\0R\0E\0A\0T\0E\0")]),
        (
            "file_old_mac",
            &[("20260101000000_t.up.sql", b"-- makes the table\rCREATE TABLE lost (id INT);\r")],
        ),
        ("file_bom", &[("20260101000000_t.up.sql", b"\xef\xbb\xbfCREATE TABLE t (id INT);")]),
        ("file_empty", &[("20260101000000_t.up.sql", b"")]),
        ("file_blank", &[("20260101000000_t.up.sql", b" \r\n\t;\n")]),
        (
            "file_unclosed_string",
            &[("20260101000000_t.up.sql", b"CREATE TABLE t (id INT);\nINSERT INTO t VALUES ('x);\n")],
        ),
        (
            "file_bad_name",
            &[
                ("add_t.up.sql", b"SELECT 1;"),
                ("t.sql", b"SELECT 1;"),
                ("20260101000000.up.sql", b"SELECT 1;"),
                ("20260101000001_t.up.SQL", b"SELECT 1;"),
                ("20260101000002_\x1b[31m.up.sql", b"SELECT '"),
            ],
        ),
        (
            "file_version_too_large",
            &[
                ("99999999999999999999_t.up.sql", b"SELECT 1;"),
                ("9223372036854775808_t.up.sql", b"SELECT 1;"),
            ],
        ),
        (
            "file_duplicate",
            &[("20260101000000_t.up.sql", b"SELECT 1;"), ("20260101000000_u.up.sql", b"SELECT 1;")],
        ),
        (
            "file_duplicate_forms",
            &[("20260101000000_t.up.sql", b"SELECT 1;"), ("20260101000000_u.sql", b"SELECT 1;")],
        ),
        ("file_orphan_down", &[("20260101000000_t.down.sql", b"DROP TABLE t;")]),
        (
            "file_delimiter",
            &[(
                "20260101000000_t.up.sql",
                b"DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\nDELIMITER ;\n",
            )],
        ),
        (
            "file_transaction_control",
            &[("20260101000000_t.up.sql", b"BEGIN;\nUPDATE t SET n = 1;\nCOMMIT;\n")],
        ),
        ("file_client_command", &[("20260101000000_t.up.sql", b"source other.sql\n")]),
        (
            "file_unclosed_body",
            &[(
                "20260101000000_t.up.sql",
                b"CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN\n  SET NEW.id = 1;\n",
            )],
        ),
    ];
    for (name, files) in cases {
        fleet.write("20250101000000_good.up.sql", GOOD);
        for (file_name, bytes) in files {
            fleet.write_bytes(file_name, bytes);
        }
        let output = fleet.run("migrate:all-tenants").await;
        assert_output!(name, output);
        for args in ["migrate:all-tenants --dry-run", "migrate:tenant files-acme", "migrate:status"] {
            let other = fleet.run(args).await;
            assert_eq!((other.code, &other.stderr), (Some(4), &output.stderr), "{args}");
        }
        for (file_name, _) in files {
            fleet.delete(file_name);
        }
    }
    assert_eq!(tables(&fleet).await, Vec::<String>::new());
}

async fn files_that_look_wrong_and_are_right(server: &'static Server) {
    let fleet = Fleet::new(server, "odd").await;
    fleet.provision("acme").await;
    fleet.write(
        "20260101000000_crlf.up.sql",
        "-- Windows\r\nCREATE TABLE t (\r\n  id INT PRIMARY KEY\r\n);\r\nINSERT INTO t VALUES (1);\r\n",
    );
    fleet.write("20260102000000_comment.up.sql", "-- Nothing here: the table was never needed.\n");
    fleet.write("20260103000000_no_terminator.up.sql", "INSERT INTO t VALUES (2)");
    fleet.write("README.md", "not a migration");
    assert_output!("files_that_look_wrong_and_are_right", fleet.run("migrate:tenant odd-acme").await);
    let mut acme = fleet.connect("acme").await;
    assert_eq!(query::column(&mut acme, "SELECT id FROM t ORDER BY id").await, ["1", "2"]);
    let sql = "SELECT success FROM _sqlx_migrations";
    assert_eq!(query::column(&mut acme, sql).await, ["1", "1", "1"]);
}

async fn a_file_that_was_edited(server: &'static Server) {
    let fleet = Fleet::new(server, "bytes").await;
    fleet.write("20260101000000_t.up.sql", GOOD);
    fleet.provision("acme").await;
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id BIGINT PRIMARY KEY);\n");
    fleet.write("20260102000000_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    assert_output!("file_edited", fleet.run("migrate:tenant bytes-acme").await);
    assert_output!("file_edited_status", fleet.run("migrate:status --exit-code").await);
    assert_output!("file_edited_list", fleet.run("migrate:status --tenant bytes-acme").await);
    assert_eq!(tables(&fleet).await, ["_sqlx_migrations", "t"]);
}

async fn a_file_that_was_deleted(server: &'static Server) {
    let fleet = Fleet::new(server, "deleted").await;
    fleet.write("20260101000000_t.up.sql", GOOD);
    fleet.write("20260101000100_u.up.sql", "CREATE TABLE u (id INT PRIMARY KEY);");
    fleet.provision("acme").await;
    fleet.delete("20260101000000_t.up.sql");
    fleet.write("20260102000000_w.up.sql", "CREATE TABLE w (id INT PRIMARY KEY);");
    assert_output!("file_deleted", fleet.run("migrate:tenant deleted-acme").await);
    assert_output!("file_deleted_list", fleet.run("migrate:status --tenant deleted-acme").await);
    assert_eq!(tables(&fleet).await, ["_sqlx_migrations", "t", "u"]);
}

async fn a_folder_that_is_not_there(server: &'static Server) {
    let fleet = Fleet::new(server, "folder").await;
    fleet.provision("acme").await;
    let output = fleet.run("migrate:all-tenants --migrations /nowhere/at/all").await;
    assert_output!("folder_not_there", output);
    // A folder without files is no mistake of its own: a project begins like this.
    assert_output!("folder_empty", fleet.run("migrate:all-tenants").await);
}
