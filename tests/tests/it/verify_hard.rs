//! What verify has to get right where it is hard: states that no copy gives, order, and what declarations settle.

use backend_migrations::finding::{Finding, Severity, Suite};
use end_to_end::{Server, on_each_server};

use crate::verify::{Pair, found, prove};

on_each_server!(
    what_a_down_spoils_is_made_again_to_the_letter,
    a_difference_of_order_alone_weighs_less,
    a_declaration_without_a_reason_is_found,
    a_declaration_that_nothing_needs_is_found,
    a_declaration_with_a_reason_settles_it,
);

fn all(suite: &Suite) -> String {
    format!("{:#?}", suite.findings().collect::<Vec<_>>())
}

/// The findings of a code about one migration, counted from 1.
fn of<'a>(suite: &'a Suite, migration: usize, code: &str) -> Vec<&'a Finding> {
    suite.migrations[migration - 1].findings.iter().filter(|finding| finding.code.0 == code).collect()
}

async fn what_a_down_spoils_is_made_again_to_the_letter(server: &'static Server) {
    // The procedure keeps the `sql_mode` that it was made under, and on MySQL the column a character set that it names for
    // itself and that is the table's, too.
    let pairs = [
        (
            "CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4) CHARACTER SET utf8mb4;\n\
             SET sql_mode = 'ALLOW_INVALID_DATES';\nCREATE PROCEDURE p() SELECT 1;",
            "DROP PROCEDURE p;\nDROP TABLE a;",
        ),
        ("ALTER TABLE a ADD n INT NULL;", "ALTER TABLE a ADD other INT NULL;\nDROP TABLE nowhere;"),
        ("ALTER TABLE a ADD m INT NULL;", "ALTER TABLE a ADD o INT NULL;"),
        ("ALTER TABLE a ADD q INT NULL;", "ALTER TABLE a DROP COLUMN q;"),
    ];
    let suite = prove(server, &pairs, None).await;
    let expected = ["2 V103 error empty+rows+lagging", "3 V104 error empty+rows"];
    let found: Vec<_> = found(&suite).into_iter().filter(|line| !line.starts_with("set")).collect();
    assert_eq!(found, expected, "{}", all(&suite));
}

async fn a_difference_of_order_alone_weighs_less(server: &'static Server) {
    let pairs = [
        (
            "CREATE TABLE a (id INT PRIMARY KEY, x INT NULL, y INT NULL, KEY kx (x), KEY ky (y));",
            "DROP TABLE a;",
        ),
        // Of indexes.
        ("ALTER TABLE a DROP KEY kx;", "ALTER TABLE a ADD KEY kx (x);"),
        // Of columns.
        ("ALTER TABLE a ADD z INT NULL, MODIFY y INT NULL AFTER id;", "ALTER TABLE a DROP COLUMN z;"),
        (
            "CREATE TABLE seen (id INT PRIMARY KEY);\nCREATE TABLE b (id INT PRIMARY KEY);",
            "DROP TABLE b;\nDROP TABLE seen;",
        ),
        // What the first time left behind changes what the second does.
        (
            "SET @s = IF((SELECT COUNT(*) FROM seen) = 0, 'ALTER TABLE b ADD x INT NULL, ADD y INT NULL', \
             'ALTER TABLE b ADD y INT NULL, ADD x INT NULL');\nPREPARE s FROM @s;\nEXECUTE s;\n\
             INSERT IGNORE INTO seen VALUES (1);",
            "ALTER TABLE b DROP COLUMN x, DROP COLUMN y;",
        ),
        // An order and something else is more than an order.
        ("ALTER TABLE a DROP KEY ky;", "ALTER TABLE a ADD KEY ky (y, x);"),
    ];
    let suite = prove(server, &pairs, None).await;
    for (migration, code) in [(2, "V104"), (3, "V104"), (5, "V105")] {
        let [finding] = of(&suite, migration, code)[..] else {
            panic!("one {code} in {migration}: {}", all(&suite))
        };
        assert_eq!(finding.severity, Severity::Warning, "{finding:#?}");
        assert!(finding.message.contains("in another order"), "{finding:#?}");
    }
    assert!(of(&suite, 5, "V104").is_empty(), "{}", all(&suite));
    let [worse] = of(&suite, 6, "V104")[..] else { panic!("one V104 in 6: {}", all(&suite)) };
    assert_eq!(worse.severity, Severity::Error, "{worse:#?}");
}

/// A table with rows, and a migration of it.
fn after_a_table(pair: Pair) -> [Pair; 2] {
    [
        (
            "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, note INT NULL, size INT NOT NULL);",
            "DROP TABLE t;",
        ),
        pair,
    ]
}

const ADD_NOTE: &str = "ALTER TABLE t ADD COLUMN note INT NULL AFTER id;";
const SHRINK: &str = "ALTER TABLE t MODIFY size INT NOT NULL;";

async fn a_declaration_without_a_reason_is_found(server: &'static Server) {
    for (pair, code, word) in [
        (("-- migration: irreversible\nALTER TABLE t DROP COLUMN note;", ""), "V101", "`irreversible`"),
        (("-- migration: loses t.note\nALTER TABLE t DROP COLUMN note;", ADD_NOTE), "V106", "`loses t.note`"),
        (
            ("-- migration: blocks-writes\nALTER TABLE t MODIFY size BIGINT NOT NULL;", SHRINK),
            "V202",
            "`blocks-writes`",
        ),
    ] {
        let suite = prove(server, &after_a_table(pair), None).await;
        let [finding] = of(&suite, 2, code)[..] else { panic!("one {code}: {}", all(&suite)) };
        assert_eq!(finding.severity, Severity::Error);
        assert_eq!(finding.message, format!("{word} is declared without a reason"));
        let line = finding.at.as_ref().map(|at| (at.file_name.as_str(), at.line));
        assert_eq!(line, Some(("2_x.up.sql", 1)), "{finding:#?}");
    }
}

async fn a_declaration_that_nothing_needs_is_found(server: &'static Server) {
    for (pair, code, severity) in [
        (
            (
                "-- migration: irreversible so I thought\nALTER TABLE t ADD n INT NULL;",
                "ALTER TABLE t DROP COLUMN n;",
            ),
            "V101",
            Severity::Warning,
        ),
        (
            (
                "-- migration: loses t.note so I thought\nALTER TABLE t ADD n INT NULL;",
                "ALTER TABLE t DROP COLUMN n;",
            ),
            "V106",
            Severity::Warning,
        ),
        (
            (
                "-- migration: blocks-writes so I thought\nALTER TABLE t ADD n INT NULL;",
                "ALTER TABLE t DROP COLUMN n;",
            ),
            "V202",
            Severity::Note,
        ),
    ] {
        let suite = prove(server, &after_a_table(pair), None).await;
        let [finding] = of(&suite, 2, code)[..] else { panic!("one {code}: {}", all(&suite)) };
        assert_eq!(finding.severity, severity, "{finding:#?}");
        assert!(
            finding.hint.as_deref().is_some_and(|hint| hint.contains("remove the declaration")),
            "{finding:#?}"
        );
    }
}

async fn a_declaration_with_a_reason_settles_it(server: &'static Server) {
    for pair in [
        (
            "-- migration: irreversible nobody kept them\n-- migration: loses t.note they are wrong\nALTER TABLE t DROP COLUMN note;",
            "",
        ),
        ("-- migration: loses t.note they are wrong\nALTER TABLE t DROP COLUMN note;", ADD_NOTE),
        ("-- migration: blocks-writes it has ten rows\nALTER TABLE t MODIFY size BIGINT NOT NULL;", SHRINK),
    ] {
        let suite = prove(server, &after_a_table(pair), None).await;
        assert_eq!(suite.migrations[1].findings, [], "{pair:?}: {}", all(&suite));
    }
}
