//! What verify does for its speed, seen from outside: it looks at what a script names, and proves a set in two halves.

use end_to_end::{Server, on_each_server, tell};
use throwaway_server::Options;

use crate::verify::{Pair, found, prove, prove_at};

on_each_server!(
    names_in_another_case_are_seen_all_the_same,
    views_are_looked_at_as_tables_are,
    both_halves_of_a_large_set_are_proven,
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

async fn both_halves_of_a_large_set_are_proven(server: &'static Server) {
    let mut pairs: Vec<Pair> = vec![("CREATE TABLE t (id INT PRIMARY KEY);", "DROP TABLE t;")];
    for at in 2..=44 {
        // Leaked: a pair is written out in all other tests.
        let up = format!("ALTER TABLE t ADD c{at} INT NULL;").leak();
        let down = format!("ALTER TABLE t DROP COLUMN c{at};").leak();
        pairs.push((up, down));
    }
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
