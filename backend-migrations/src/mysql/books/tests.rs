use std::{fmt::Write as _, time::Duration};

use super::{parse_digests, parse_word, sql, text};
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
    let first = entry(&[], Some(0), None);
    let second = entry(&finished, None, None);
    let failed = entry(&finished, None, Some("no table `a`; it's gone\0"));
    let begin = |is_resume, journal| Record::Begin { migration: &migration, direction, is_resume, journal };
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
        Record::StatementDone { version, direction, journal: second },
        finish(true, false),
        finish(true, true),
        finish(false, false),
        finish(false, true),
        Record::Fail { version, direction, journal: failed },
        Record::StartOver,
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
        write!(lines, "-- {name}\n{};\n\n", sql(&record).replace(';', ";\n")).expect("a string takes it");
    }
    lines
}

#[test]
fn tables() {
    let tables = |history, journal| sql(&Record::CreateTables { history, journal });
    insta::assert_snapshot!(tables(true, true));
    assert_eq!(tables(true, true), format!("{};{}", tables(true, false), tables(false, true)));
    assert_eq!(tables(false, false), "");
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

#[test]
fn what_is_written_is_read() {
    let digests = [StatementDigest(0), StatementDigest(0x0123_4567_89ab_cdef), StatementDigest(u64::MAX)];
    for n in 0..=digests.len() {
        assert_eq!(parse_digests(&super::digests(&digests[..n])).as_deref(), Some(&digests[..n]));
    }
    for direction in [Direction::Up, Direction::Down] {
        assert_eq!(parse_word(super::word(direction)), Some(direction));
    }
    for foreign in ["x", "0123,", "-1", "+1", "00000000000000001"] {
        let read = parse_digests(foreign);
        assert_eq!(read, None, "{foreign}");
    }
    assert_eq!(parse_word("sideways"), None);
}
