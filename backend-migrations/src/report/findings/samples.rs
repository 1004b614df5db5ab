//! Hand-made reviews.

use std::{sync::Arc, time::Duration};

use crate::{
    finding::{
        Code, CostClass, Finding, Inspected, Inspection, Review, Severity, Source, Spot, StatementCost, Suite,
    },
    migration::{MigrationSet, Version},
};

pub(super) const PRIORITY: (i64, &str) = (20_250_127_120_000, "20250127120000_add_priority_to_tasks.up.sql");
pub(super) const LABELS: (i64, &str) = (20_250_203_090_000, "20250203090000_create_labels.up.sql");
pub(super) const NOTES: (i64, &str) = (20_250_210_090_000, "20250210090000_notes_as_text.up.sql");

const TEXTS: [(&str, &str); 3] = [
    (PRIORITY.1, "ALTER TABLE tasks ADD COLUMN priority INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT;\n"),
    (
        LABELS.1,
        "-- Labels of tasks.\nCREATE TABLE labels (\n  id BIGINT NOT NULL PRIMARY KEY,\n  name VARCHAR(50)\n);\n\nALTER \
         TABLE tasks ADD UNIQUE (label_id);\n",
    ),
    (NOTES.1, "ALTER TABLE tasks\n  MODIFY note TEXT NOT NULL;\n"),
];

/// `text` of the file `name`.
pub(super) fn spot(name: &str, text: &str) -> Spot {
    let (_, source) = TEXTS.iter().find(|(file_name, _)| *file_name == name).expect("a sample's file");
    let start = source.find(text).expect("a text in it");
    let line = source[..start].matches('\n').count() + 1;
    Spot { file_name: name.to_owned(), line, span: Some(start..start + text.len()) }
}

pub(super) fn suite(server: Option<&str>) -> Suite {
    let mut suite = Suite::new("tenant", "migrations/tenant", &MigrationSet::default());
    for (name, text) in TEXTS {
        let source = Source { path: suite.path(name), text: Arc::from(text) };
        suite.sources.insert(name.to_owned(), source);
    }
    suite.server = server.map(str::to_owned);
    suite.elapsed = Duration::from_millis(1_480);
    suite
}

pub(super) fn inspected(migration: (i64, &str), findings: Vec<Finding>) -> Inspected {
    Inspected {
        version: Version(migration.0),
        file_name: migration.1.to_owned(),
        elapsed: None,
        costs: Vec::new(),
        findings,
    }
}

pub(super) fn finding(code: &'static str, severity: Severity, at: Option<Spot>, message: &str) -> Finding {
    Finding {
        code: Code(code),
        severity,
        version: None,
        at,
        message: message.to_owned(),
        notes: Vec::new(),
        diff: None,
        hint: None,
    }
}

/// What lint found in three files and a fourth one that is no migration.
pub(super) fn lint() -> Review {
    let mut suite = suite(None);
    let unique = finding(
        "M101",
        Severity::Warning,
        Some(spot(LABELS.1, "ADD UNIQUE (label_id)")),
        "rows may be alike",
    );
    let unique = Finding {
        version: Some(Version(LABELS.0)),
        notes: vec!["the server refuses it with 1062 if two rows have the same `label_id`".to_owned()],
        hint: Some(
            "look first:\nSELECT label_id FROM tasks GROUP BY label_id HAVING COUNT(*) > 1".to_owned(),
        ),
        ..unique
    };
    let several = finding(
        "X011",
        Severity::Error,
        Some(spot(
            LABELS.1,
            "CREATE TABLE labels (\n  id BIGINT NOT NULL PRIMARY KEY,\n  name VARCHAR(50)\n)",
        )),
        "two DDL statements are in one file",
    );
    let nullable =
        finding("M104", Severity::Note, Some(spot(NOTES.1, "MODIFY note")), "NULL becomes NOT NULL");
    let ignored = Spot { file_name: "notes.SQL".to_owned(), line: 1, span: None };
    suite.findings.push(finding("X002", Severity::Error, Some(ignored), "sqlx ignores this file"));
    suite.findings.push(finding("X005", Severity::Warning, None, "the set is out of order"));
    suite.migrations.push(inspected(PRIORITY, Vec::new()));
    suite.migrations.push(inspected(LABELS, vec![several, unique]));
    suite.migrations.push(inspected(NOTES, vec![nullable]));
    Review { inspection: Inspection::Lint, suites: vec![suite], elapsed: Duration::from_millis(12) }
}

/// What verify proved on two servers.
pub(super) fn verify() -> Review {
    let mut mysql = suite(Some("MySQL 8.4.6"));
    let mut priority = inspected(PRIORITY, Vec::new());
    let cost = |statement, line, class, reason: Option<&str>| StatementCost {
        statement,
        line,
        class,
        reason: reason.map(str::to_owned),
    };
    priority.costs.push(cost(1, 1, CostClass::Instant, None));
    priority.elapsed = Some(Duration::from_millis(42));
    let mut labels = inspected(LABELS, Vec::new());
    labels.elapsed = Some(Duration::from_micros(87_120));
    labels.costs.push(cost(2, 7, CostClass::InPlace, None));
    let not_back = Finding {
        version: Some(Version(NOTES.0)),
        diff: Some(
            " CREATE TABLE `tasks` (\n-  `note` varchar(200) DEFAULT NULL\n+  `note` varchar(200)\n )"
                .to_owned(),
        ),
        hint: Some("write the column in `down` as it was before".to_owned()),
        ..finding(
            "V104",
            Severity::Error,
            Some(spot(NOTES.1, "ALTER TABLE tasks\n  MODIFY note TEXT NOT NULL")),
            "`up` and then `down` do not give back the schema before",
        )
    };
    let blocks = Finding {
        notes: vec!["the server: Cannot change column type INPLACE. Try ALGORITHM=COPY.".to_owned()],
        ..finding(
            "V202",
            Severity::Error,
            Some(spot(NOTES.1, "MODIFY note TEXT NOT NULL")),
            "writes to `tasks` are blocked while it is copied",
        )
    };
    let reason = "Cannot change column type INPLACE. Try ALGORITHM=COPY.";
    let mut notes = inspected(NOTES, vec![not_back, blocks]);
    notes.elapsed = Some(Duration::from_millis(1_310));
    notes.costs.push(cost(1, 1, CostClass::Copy, Some(reason)));
    mysql.migrations = vec![priority.clone(), labels, notes];
    let mut mariadb = suite(Some("MariaDB 10.11.14"));
    mariadb.migrations.push(priority);
    mariadb.findings.push(finding("V301", Severity::Warning, None, "the schema file was not compared"));
    Review {
        inspection: Inspection::Verify,
        suites: vec![mysql, mariadb],
        elapsed: Duration::from_millis(2_960),
    }
}

/// A lint that found nothing.
pub(super) fn nothing() -> Review {
    let mut suite = suite(None);
    suite.migrations.push(inspected(PRIORITY, Vec::new()));
    Review { inspection: Inspection::Lint, suites: vec![suite], elapsed: Duration::from_micros(900) }
}

/// Everything that comes from outside tries to be something else.
pub(super) fn hostile() -> Review {
    const ESCAPE: &str = "\u{1b}[2J";
    let name = format!("1_{ESCAPE}a,b:c%0A::error::x.up.sql");
    let mut suite = Suite::new(format!("ten{ESCAPE}ant"), "migrations/|x|", &MigrationSet::default());
    suite.server = Some(format!("MySQL {ESCAPE}"));
    let text = format!("/*{ESCAPE}*/ DROP TABLE `a``b`;\r\n");
    let start = text.find("DROP").expect("it is there");
    let source = Source { path: suite.path(&name), text: text.into() };
    suite.sources.insert(name.clone(), source);
    let at = Spot { file_name: name.clone(), line: 1, span: Some(start..start + 17) };
    let message = format!("]]> </details> <b>| `a{ESCAPE}|b` and one ` alone\n::error::100%");
    let finding = Finding {
        notes: vec![format!("note {ESCAPE}\n::warning::x")],
        diff: Some(format!("-{ESCAPE}\n+```\n+::error::y")),
        hint: Some("[click](http://example.org) @everyone".to_owned()),
        ..finding("D102", Severity::Error, Some(at), &message)
    };
    let mut inspected = inspected((1, &name), vec![finding]);
    inspected.elapsed = Some(Duration::from_millis(1));
    suite.migrations.push(inspected);
    Review { inspection: Inspection::Verify, suites: vec![suite], elapsed: Duration::from_millis(2) }
}
