//! What a refused file is told.

use crate::sql::{ScriptError, parse_script};

fn error(input: impl AsRef<[u8]>) -> ScriptError {
    let input = input.as_ref();
    parse_script("1_x.up.sql", input).expect_err(&String::from_utf8_lossy(input))
}

/// The messages of these inputs, a line each.
fn told(inputs: &[&str]) -> String {
    inputs
        .iter()
        .map(|input| {
            assert_eq!(error(input.replace('\n', "\r\n")).line, error(input).line, "{input:?}");
            error(input).to_string()
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn bytes_that_are_no_text() {
    insta::assert_snapshot!(error(b"SELECT 1;\nSELECT '\xff'"), @r#"1_x.up.sql:2: byte 18 of the file is not UTF-8"#);
    insta::assert_snapshot!(error("\u{feff}SELECT 1"), @r#"1_x.up.sql:1: the file begins with a byte order mark"#);
    insta::assert_snapshot!(error("S\0E\0L\0"), @r#"1_x.up.sql:1: byte 1 of the file is zero"#);
    insta::assert_snapshot!(told(&["", " \r\n\t ", ";;\n;"]), @r#"
    1_x.up.sql:1: the file holds neither a statement nor a comment
    1_x.up.sql:1: the file holds neither a statement nor a comment
    1_x.up.sql:1: the file holds neither a statement nor a comment
    "#);
}

#[test]
fn comments_that_go_on() {
    insta::assert_snapshot!(told(&[
        "-- makes the table\rCREATE TABLE lost (id INT);\r",
        "DO 1;\n# makes the table\u{2028}CREATE TABLE lost (id INT);",
        "DO 1; -- a\r-- b",
    ]), @r#"
    1_x.up.sql:1: a comment goes on after what looks like the end of its line
    1_x.up.sql:2: a comment goes on after what looks like the end of its line
    1_x.up.sql:1: a comment goes on after what looks like the end of its line
    "#);
    insta::assert_snapshot!(error("-- a\rDO 1;").hint(), @"end the line with a line feed: to the server a carriage return alone, U+2028 and U+2029 end no comment, so it sees nothing of what follows; a migration that is applied was applied without it");
    for sound in
        ["-- a\r\nDO 1;\r\n", "-- a \r\r\nDO 1;", "/* a\rb */ DO 1;", "DO '-- a\rb'", "DO 1;\rDO 2;\r"]
    {
        assert!(parse_script("1_x.up.sql", sound.as_bytes()).is_ok(), "{sound:?}");
    }
}

#[test]
fn what_is_never_closed() {
    insta::assert_snapshot!(told(&[
        "SELECT 1;\nSELECT 'a;\nSELECT 2;",
        "SELECT \"a",
        r"SELECT 'a\'",
        "\nSELECT `a",
        "SELECT 1;\n\n/* a\nSELECT 2;",
        "SELECT /*/",
        "SELECT 1;\n/*!40101 SET NAMES utf8mb4;",
        "SELECT 1;\nCREATE PROCEDURE p()\nBEGIN\n  SELECT 1;\n",
        "CREATE PROCEDURE p() BEGIN\n  IF 1 THEN SELECT 1;\nSELECT 2;",
        "CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW\nwhile 1 do SET @a = 1;",
    ]), @r#"
    1_x.up.sql:2: a string begins here and never ends
    1_x.up.sql:1: a string begins here and never ends
    1_x.up.sql:1: a string begins here and never ends
    1_x.up.sql:2: an identifier in backticks begins here and never ends
    1_x.up.sql:3: a comment begins here and never ends
    1_x.up.sql:1: a comment begins here and never ends
    1_x.up.sql:2: a comment begins here and never ends
    1_x.up.sql:3: `BEGIN` begins here and never meets its END
    1_x.up.sql:2: `IF` begins here and never meets its END
    1_x.up.sql:2: `while` begins here and never meets its END
    "#);
}

#[test]
fn terminators_in_version_comments() {
    insta::assert_snapshot!(told(&[
        "/*! SELECT 1; */",
        "SELECT 1;\nSELECT 2 /*M!100100 + 1;\n*/;",
        "/*!50003 DROP TABLE t; DROP TABLE u */;",
    ]), @r#"
    1_x.up.sql:1: a `;` stands within a version comment
    1_x.up.sql:2: a `;` stands within a version comment
    1_x.up.sql:1: a `;` stands within a version comment
    "#);
    insta::assert_snapshot!(error("/*! SELECT 1; */").hint(), @r#"put the `;` after the `*/`: the server would run the first part and fail at the rest"#);
}

#[test]
fn commands_of_the_mysql_client() {
    insta::assert_snapshot!(told(&[
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; END //\nDELIMITER ;\n",
        "SELECT 1;\n  delimiter $$\n",
        "DROP PROCEDURE p\nDELIMITER ;;\nCREATE PROCEDURE p() BEGIN SELECT 'a",
        "DELIMITER",
        "SELECT 1;\nsource other.sql",
        "SELECT 1;\n\\. other.sql",
        "SELECT 1\\G",
        "SELECT 1\\g\nSELECT 2",
        "system rm x;",
    ]), @r#"
    1_x.up.sql:1: DELIMITER is a command of the mysql client, not SQL
    1_x.up.sql:2: DELIMITER is a command of the mysql client, not SQL
    1_x.up.sql:2: DELIMITER is a command of the mysql client, not SQL
    1_x.up.sql:1: DELIMITER is a command of the mysql client, not SQL
    1_x.up.sql:2: `source` is a command of the mysql client, not SQL
    1_x.up.sql:2: `\.` is a command of the mysql client, not SQL
    1_x.up.sql:1: `\G` is a command of the mysql client, not SQL
    1_x.up.sql:1: `\g` is a command of the mysql client, not SQL
    1_x.up.sql:1: `system` is a command of the mysql client, not SQL
    "#);
}

#[test]
fn what_would_break_the_bookkeeping() {
    insta::assert_snapshot!(told(&[
        "BEGIN;",
        "begin work;",
        "BEGIN",
        "SELECT 1;\nSTART TRANSACTION;\nSELECT 2;",
        "COMMIT",
        "/*!40000 COMMIT */;",
        "ROLLBACK TO a",
        "SAVEPOINT a",
        "RELEASE SAVEPOINT a",
        "XA BEGIN 'x'",
        "SET autocommit = 0",
        "SET @a = 1, SESSION autocommit = 0",
        "SET @@autocommit = 0",
        "SET @@session.autocommit = 0",
        "SET `autocommit` = 0",
        "SET @@session.`autocommit` = 0",
        "SET STATEMENT a=1 FOR COMMIT",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "USE other",
        "LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
        "LOAD DATA LOW_PRIORITY LOCAL INFILE 'x' INTO TABLE t",
        "DELETE FROM _sqlx_migrations",
        "ALTER TABLE a.`_SQLX_migrations`\nADD b INT",
        "CREATE PROCEDURE p() BEGIN\nDELETE FROM _sqlx_migrations; END;",
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET SESSION sql_mode = CONCAT(@@sql_mode, ',no_backslash_escapes')",
    ]), @r#"
    1_x.up.sql:1: `BEGIN` controls the transaction, which belongs to the run
    1_x.up.sql:1: `BEGIN` controls the transaction, which belongs to the run
    1_x.up.sql:1: `BEGIN` controls the transaction, which belongs to the run
    1_x.up.sql:2: `START TRANSACTION` controls the transaction, which belongs to the run
    1_x.up.sql:1: `COMMIT` controls the transaction, which belongs to the run
    1_x.up.sql:1: `COMMIT` controls the transaction, which belongs to the run
    1_x.up.sql:1: `ROLLBACK` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SAVEPOINT` controls the transaction, which belongs to the run
    1_x.up.sql:1: `RELEASE SAVEPOINT` controls the transaction, which belongs to the run
    1_x.up.sql:1: `XA` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `SET autocommit` controls the transaction, which belongs to the run
    1_x.up.sql:1: `COMMIT` controls the transaction, which belongs to the run
    1_x.up.sql:1: `LOCK TABLES` shuts the run out of its own tables
    1_x.up.sql:1: `UNLOCK TABLES` shuts the run out of its own tables
    1_x.up.sql:1: `USE` leaves the database that is being migrated
    1_x.up.sql:1: `LOAD … LOCAL` asks the client for a file, which neither this tool nor sqlx sends
    1_x.up.sql:1: `LOAD … LOCAL` asks the client for a file, which neither this tool nor sqlx sends
    1_x.up.sql:1: `_sqlx_migrations` is the run's own record
    1_x.up.sql:1: `_sqlx_migrations` is the run's own record
    1_x.up.sql:2: `_sqlx_migrations` is the run's own record
    1_x.up.sql:1: this `sql_mode` changes what quotes and backslashes mean
    1_x.up.sql:1: this `sql_mode` changes what quotes and backslashes mean
    "#);
}

#[test]
fn the_first_fault_is_the_one_named() {
    insta::assert_snapshot!(told(&[
        "USE a;\nCOMMIT;\nSELECT 'a",
        "DELIMITER //\nSELECT 'a",
    ]), @r#"
    1_x.up.sql:1: `USE` leaves the database that is being migrated
    1_x.up.sql:1: DELIMITER is a command of the mysql client, not SQL
    "#);
}

#[test]
fn hints_say_the_next_step() {
    let inputs: [&[u8]; 16] = [
        b"\xff",
        b"\xef\xbb\xbfSELECT 1",
        b"\0",
        b"",
        b"SELECT '",
        b"SELECT `",
        b"/*",
        b"CREATE PROCEDURE p() BEGIN",
        b"DELIMITER //",
        b"source x",
        b"COMMIT",
        b"LOCK TABLES t READ",
        b"USE x",
        b"LOAD DATA LOCAL INFILE 'x' INTO TABLE t",
        b"DROP TABLE _sqlx_migrations",
        b"SET sql_mode = ANSI",
    ];
    let hints: Vec<_> = inputs.iter().map(|input| error(input).hint()).collect();
    insta::assert_snapshot!(hints.join("\n"), @r#"
    save the file as UTF-8; its checksum changes with that, so do it before it is applied anywhere
    save the file as UTF-8 without a byte order mark, which the server would answer with error 1064; a migration that is applied has its checksum back with that
    if every second byte is zero the file is UTF-16: save it as UTF-8; in a string write `\0`
    write its statements; where one is meant to do nothing, say so: `DO 0;`
    close it with the quote it begins with; inside, write that quote twice or with a backslash before it
    close it with a backtick; inside, write a backtick twice
    close it with `*/`; a `*/` within a string or a `--` comment does not count
    close it with its END and a `;`: `END;`, `END IF;`, `END CASE;`, `END LOOP;`, `END WHILE;`
    remove the DELIMITER lines and end each body with `END;`: where a body ends is found without them
    write the SQL itself into the file, and end its statements with `;`
    remove it: a file of INSERT, UPDATE and DELETE alone runs as one transaction, and MySQL commits every DDL by itself; a commit in between would mark the migration as half done for good
    remove it: the run holds a lock per database already, and LOCK TABLES commits the transaction and locks out `_sqlx_migrations`
    remove it and name no database: every tenant's migration runs in the tenant's own
    write the rows as INSERT statements, or load the file outside of the migrations
    remove it: a script that edits the record makes applied and pending migrations indistinguishable
    write strings in '…' and identifiers in `…`, which mean the same in every mode, and leave ANSI_QUOTES and NO_BACKSLASH_ESCAPES alone
    "#);
}

#[test]
fn what_would_let_go_of_the_lock_or_shut_the_run_out() {
    let inputs = [
        "DO RELEASE_ALL_LOCKS()",
        "SELECT release_lock(LOWER(HEX(1)))",
        "SET @a = RELEASE_LOCK(@b)",
        "SELECT RELEASE_LOCK('0123abcd')",
        "CREATE PROCEDURE p() BEGIN\n  DO RELEASE_ALL_LOCKS();\nEND",
        "DELETE FROM _backend_migrations_journal",
        "DELETE FROM `_BACKEND_MIGRATIONS_STATEMENTS`",
        "FLUSH TABLES WITH READ LOCK",
        "FLUSH TABLES t FOR EXPORT",
        "LOCK INSTANCE FOR BACKUP",
        "BACKUP STAGE START",
    ];
    let told: Vec<_> = inputs.iter().map(|input| format!("{}", error(input))).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    1_x.up.sql:1: `RELEASE_ALL_LOCKS()` may let go of the lock that keeps other runs out of this database
    1_x.up.sql:1: `RELEASE_LOCK` may let go of the lock that keeps other runs out of this database
    1_x.up.sql:1: `RELEASE_LOCK` may let go of the lock that keeps other runs out of this database
    1_x.up.sql:1: `RELEASE_LOCK` may let go of the lock that keeps other runs out of this database
    1_x.up.sql:2: `RELEASE_ALL_LOCKS()` may let go of the lock that keeps other runs out of this database
    1_x.up.sql:1: `_backend_migrations_journal` is the run's own record
    1_x.up.sql:1: `_backend_migrations_statements` is the run's own record
    1_x.up.sql:1: `FLUSH TABLES WITH READ LOCK` blocks the run's own writes
    1_x.up.sql:1: `FLUSH TABLES WITH READ LOCK` blocks the run's own writes
    1_x.up.sql:1: `LOCK INSTANCE` blocks the run's own writes
    1_x.up.sql:1: `BACKUP` blocks the run's own writes
    ");
    // A lock of the migration's own is its own.
    for sound in
        ["DO GET_LOCK('mine', 1), RELEASE_LOCK('mine')", "FLUSH TABLES", "SELECT release_lock FROM t"]
    {
        parse_script("1_x.up.sql", sound.as_bytes()).expect(sound);
    }
}
