//! What verify does for its speed, seen from outside: it looks at what a script names, and proves a set in two halves.

use end_to_end::{Server, on_each_server, tell};
use throwaway_server::Options;

use crate::verify::{Pair, found, prove, prove_at};

on_each_server!(
    names_in_another_case_are_seen_all_the_same,
    views_are_looked_at_as_tables_are,
    broken_ones_in_a_large_set_hide_no_other,
    a_schema_that_depends_on_rows_is_found,
);

/// Where names have no case, a table is not called in the schema as it is in the script: what was looked at is then not
/// all that changed.
async fn names_in_another_case_are_seen_all_the_same(server: &'static Server) {
    let options = Options {
        flavour: Some(server.flavour()),
        server_arguments: vec!["--lower-case-table-names=1".to_owned()],
        ..Options::default()
    };
    let caseless = throwaway_server::start(&options).await.expect("another of the kind");
    if !caseless.is_ours() {
        return tell("names without case are NOT tested: the server is not ours to set up");
    }
    end_to_end::canary::learn(caseless.root_password());
    let pairs: [Pair; 4] = [
        ("CREATE TABLE Users (id INT PRIMARY KEY, n INT NULL);", "DROP TABLE USERS;"),
        ("ALTER TABLE USERS ADD m INT NULL;", "ALTER TABLE users DROP COLUMN m;"),
        ("ALTER TABLE Users ADD o INT NULL, ADD KEY k (o);", "ALTER TABLE Users DROP KEY k;"),
        ("CREATE VIEW Seen AS SELECT id FROM Users;", "DROP VIEW Seen;"),
    ];
    let suite = prove_at(&format!("{}/mysql", caseless.root_url().trim_end_matches('/')), &pairs, None).await;
    caseless.stop().await;
    let of_steps: Vec<_> = found(&suite).into_iter().filter(|line| !line.starts_with("set")).collect();
    assert_eq!(of_steps, ["3 V104 error empty+rows"]);
}

async fn views_are_looked_at_as_tables_are(server: &'static Server) {
    let pairs: [Pair; 4] = [
        ("CREATE TABLE a (id INT PRIMARY KEY, n INT NULL);", "DROP TABLE a;"),
        (
            "CREATE VIEW v AS SELECT id, n FROM a;\nCREATE VIEW w AS SELECT n FROM v;",
            "DROP VIEW w;\nDROP VIEW v;",
        ),
        ("ALTER VIEW v AS SELECT id, n, id + n AS sum FROM a;", "ALTER VIEW v AS SELECT id, n FROM a;"),
        // Wrong: the view had another column.
        ("ALTER VIEW w AS SELECT n + 1 AS n FROM v;", "ALTER VIEW w AS SELECT n + 2 AS n FROM v;"),
    ];
    let suite = prove(server, &pairs, None).await;
    let of_steps: Vec<_> = found(&suite).into_iter().filter(|line| !line.starts_with("set")).collect();
    assert_eq!(of_steps, ["4 V104 error empty+rows"]);
}

async fn broken_ones_in_a_large_set_hide_no_other(server: &'static Server) {
    let mut pairs = columns(44);
    pairs[4] = ("ALTER TABLE nowhere ADD n INT;", "ALTER TABLE nowhere DROP COLUMN n;");
    pairs[9] = ("ALTER TABLE t ADD c10 INT NULL;", "DO 0;\nALTER TABLE t COMMENT 'left';");
    pairs[21] = ("ALTER TABLE t ADD c22 INT NULL;", "ALTER TABLE t DROP COLUMN nowhere;");
    pairs[22] = ("ALTER TABLE t ADD c23 INT NULL;", "ALTER TABLE t RENAME COLUMN c23 TO left23;");
    pairs[43] = ("ALTER TABLE t ADD c44 INT NULL;", "ALTER TABLE t DROP COLUMN c44, ADD KEY left44 (id);");
    let suite = prove(server, &pairs, None).await;
    let of_steps: Vec<_> = found(&suite).into_iter().filter(|line| !line.starts_with("set")).collect();
    let expected = [
        "5 V102 error empty+rows+lagging",
        "10 V104 error empty+rows",
        "22 V103 error empty+rows",
        "23 V104 error empty+rows",
        "44 V104 error empty+rows",
    ];
    assert_eq!(of_steps, expected);
    let times = suite.migrations.iter().filter_map(|migration| migration.elapsed);
    assert_eq!(times.count(), 44, "each has been through its proofs");
}

/// The tenant that lags behind has rows, the empty one has none.
async fn a_schema_that_depends_on_rows_is_found(server: &'static Server) {
    let procedure: Pair = (
        "CREATE PROCEDURE p() BEGIN IF EXISTS (SELECT 1 FROM t) THEN CREATE TABLE x (a INT PRIMARY KEY); \
         ELSE CREATE TABLE x (b INT PRIMARY KEY); END IF; END;",
        "DROP PROCEDURE p;",
    );
    let call: Pair = ("CALL p();", "DROP TABLE x;");
    // Stopped in its middle this is not taken up again.
    let unfinished: Pair = ("SET @n = (SELECT 1 + 1);\nCALL p();\nDO @n;", "DROP TABLE x;");
    for (n, by_rows) in [(3, call), (44, call), (3, unfinished)] {
        let mut pairs = columns(n);
        (pairs[n - 2], pairs[n - 1]) = (procedure, by_rows);
        let suite = prove(server, &pairs, None).await;
        let of_all: Vec<_> = suite.findings.iter().filter(|finding| finding.code.0 == "V108").collect();
        let [finding] = of_all[..] else { panic!("{n}: {:#?}", suite.findings().collect::<Vec<_>>()) };
        let expected = "a tenant that had rows at an old version gets another schema than one without rows: table `x` is changed";
        assert_eq!(finding.message, expected, "{n}");
        assert_eq!(found(&suite).iter().any(|line| line.contains("V107")), by_rows == unfinished, "{n}");
    }
}

/// A table, and `n - 1` columns for it.
fn columns(n: usize) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = vec![("CREATE TABLE t (id INT PRIMARY KEY);", "DROP TABLE t;")];
    for at in 2..=n {
        // Leaked: a pair is written out in all other tests.
        let up = format!("ALTER TABLE t ADD c{at} INT NULL;").leak();
        let down = format!("ALTER TABLE t DROP COLUMN c{at};").leak();
        pairs.push((up, down));
    }
    pairs
}
