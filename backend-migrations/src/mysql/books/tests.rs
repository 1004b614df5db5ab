use std::{fmt::Write as _, time::Duration};

use super::{Guard, parts, text};
use crate::{
    history::StatementDigest,
    migration::{Checksum, Direction, Migration, Script, Version},
    session::{JournalEntry, Record},
};

fn migration() -> Migration {
    let script = |file_name: &str| Script {
        file_name: file_name.into(),
        source: "".into(),
        checksum: Checksum([0xab; 48]),
        statements: Vec::new(),
    };
    Migration {
        version: Version(20_250_127_120_000),
        description: "it's a \\ \"test\" 🦀".into(),
        up: script("20250127120000_test.up.sql"),
        down: Some(script("20250127120000_test.down.sql")),
    }
}

/// Each record in both directions, one SQL statement a line.
fn records(direction: Direction) -> String {
    let migration = migration();
    let version = migration.version;
    let finished = [StatementDigest(1), StatementDigest(u64::MAX)];
    let entry = |finished, running, error| JournalEntry { n_statements: 3, finished, running, error };
    let error = "no table `a`; it's gone\0";
    let first = entry(&[], Some(0), None);
    let second = entry(&finished, None, None);
    let left = entry(&finished, Some(2), Some(error));
    let begin = |is_begun, journal| Record::Begin { migration: &migration, direction, is_begun, journal };
    let done = |running, in_transaction| Record::StatementDone {
        version,
        direction,
        statement: 1,
        digest: finished[1],
        running,
        in_transaction,
    };
    let finish = |in_transaction, has_journal| Record::Finish {
        version,
        direction,
        elapsed: Duration::from_micros(1_500),
        in_transaction,
        has_journal,
    };
    let records = [
        Record::Forget { version, direction },
        begin(false, None),
        begin(false, Some(first)),
        begin(true, Some(second.clone())),
        done(None, true),
        done(Some(2), false),
        Record::Commit,
        finish(true, false),
        finish(true, true),
        finish(false, false),
        finish(false, true),
        Record::Fail { version, direction, running: None, error },
        Record::Leave { migration: &migration, direction, is_begun: false, journal: left.clone() },
        Record::Leave { migration: &migration, direction, is_begun: true, journal: left },
        Record::Abandon { version, direction, has_journal: false },
        Record::Abandon { version, direction, has_journal: true },
        Record::Settle { version, direction, journal: entry(&finished, None, None) },
        Record::Declare { version, applied: Some(&migration.up.checksum), has_journal: true },
        Record::Declare { version, applied: None, has_journal: false },
    ];
    let mut lines = String::new();
    for record in records {
        let what = format!("{record:?}");
        let name = what.split([' ', '{']).next().unwrap_or_default();
        let shown = parts(&record).into_iter().map(|part| match part.guard {
            Some(Guard::Lock) => "  (the lock is held)".to_owned(),
            Some(Guard::Rows(n)) => format!("  (that is {n})"),
            None => part.sql + ";",
        });
        let shown = shown.collect::<Vec<_>>().join("\n");
        write!(lines, "-- {name}\n{shown}\n\n").expect("a string takes it");
    }
    lines
}

#[test]
fn tables() {
    let tables = |history, journal| {
        let parts = parts(&Record::CreateTables { history, journal });
        parts.into_iter().map(|part| part.sql).collect::<Vec<_>>()
    };
    insta::assert_snapshot!(tables(true, true).join(";\n"));
    assert_eq!(tables(true, true).len(), 4);
    assert_eq!(tables(true, false).len() + tables(false, true).len(), 5);
}

#[test]
fn up() {
    insta::assert_snapshot!(records(Direction::Up));
}

#[test]
fn down() {
    insta::assert_snapshot!(records(Direction::Down));
}

/// No setting of `sql_mode` and no character set gives hexadecimal digits another meaning.
#[test]
fn texts_are_hexadecimal() {
    insta::assert_snapshot!(text("a'\\\"\0🦀"), @"_utf8mb4 X'61275c2200f09fa680'");
    insta::assert_snapshot!(text(""), @"_utf8mb4 X''");
}
