//! Migrations whose every statement leaves a trace that can be counted: a row with its own mark, or an object.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// What a file is made of. Most kinds are one statement, some are a few that belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    // Rows.
    Insert,
    Count,
    SlowInsert,
    Triggered,
    Accent,
    /// Refused by a trigger until somebody has put the data right.
    Guarded,
    Untransacted,
    /// Five rows into a table without transactions, slowly: killed, it leaves some of them.
    UntransactedFive,
    Call,
    /// A procedure that writes into tables of both sorts.
    CallOfMany,
    /// A variable, and a row with its value.
    Variable,
    Temporary,
    Prepared,
    /// `SET NAMES latin1; SET sql_mode = ''`, which is for this file alone.
    OwnSession,
    // Definitions.
    Table,
    UntransactedTable,
    TableAsSelect,
    TwoTables,
    Rename,
    Column,
    UntransactedColumn,
    SlowColumn,
    /// An index without a name: the second time it gets another name, and nothing fails.
    Index,
    View,
    Procedure,
    Function,
    Trigger,
    Analyze,
}

use Kind as K;

impl Kind {
    pub(super) const ROWS: [Self; 9] = [
        K::Insert,
        K::Insert,
        K::Count,
        K::SlowInsert,
        K::Triggered,
        K::Accent,
        K::Guarded,
        K::Variable,
        K::OwnSession,
    ];
    pub(super) const DEFINITIONS: [Self; 14] = [
        K::Table,
        K::UntransactedTable,
        K::TableAsSelect,
        K::TwoTables,
        K::Rename,
        K::Column,
        K::UntransactedColumn,
        K::SlowColumn,
        K::Index,
        K::View,
        K::Procedure,
        K::Function,
        K::Trigger,
        K::Analyze,
    ];
    pub(super) const UNTRANSACTED: [Self; 2] = [K::Untransacted, K::UntransactedFive];
    pub(super) const HARD: [Self; 4] = [K::Call, K::CallOfMany, K::Temporary, K::Prepared];

    /// Whether the tool may refuse to settle a file with this in it, as nobody can know or do the rest again.
    pub(super) fn may_stay_unsettled(self) -> bool {
        Self::HARD.contains(&self) || Self::UNTRANSACTED.contains(&self) || self == K::TwoTables
    }
}

/// How often a statement was executed, apart from its own undoing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// Rows with this mark, so many each time; the undoing leaves as many with the other mark.
    Rows { mark: String, undone: String, n: usize },
    /// An object, as [`super::truth::Truth`] names it; the undoing removes it.
    Object(String),
    /// None.
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) up: String,
    pub(super) down: Option<String>,
    pub(super) trace: Trace,
}

/// A pair of files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    pub(super) kinds: Vec<Kind>,
    pub(super) has_down: bool,
}

/// Made first, always: what the others leave their traces in.
pub(super) const BASE: &str = "\
CREATE TABLE trace (mark VARCHAR(20) NOT NULL) ENGINE = InnoDB;
CREATE TABLE untransacted (mark VARCHAR(20) NOT NULL) ENGINE = MyISAM;
CREATE TABLE tally (mark VARCHAR(20) NOT NULL PRIMARY KEY, n INT NOT NULL) ENGINE = InnoDB;
CREATE TABLE words (mark VARCHAR(20) NOT NULL, word VARCHAR(20) NOT NULL) ENGINE = InnoDB;
CREATE TABLE gate (is_open INT NOT NULL) ENGINE = InnoDB;
CREATE TABLE guarded (mark VARCHAR(20) NOT NULL) ENGINE = InnoDB;
CREATE TABLE hooked (mark VARCHAR(20) NOT NULL) ENGINE = InnoDB;
CREATE TABLE quiet (mark VARCHAR(20) NOT NULL) ENGINE = InnoDB;
CREATE TABLE five (n INT NOT NULL) ENGINE = InnoDB;
INSERT INTO five VALUES (1), (2), (3), (4), (5);
CREATE TABLE wide (id INT NOT NULL PRIMARY KEY, i0 INT NULL, i1 INT NULL, i2 INT NULL, i3 INT NULL, i4 INT NULL, i5 INT NULL, i6 INT NULL, i7 INT NULL) ENGINE = InnoDB;
INSERT INTO wide (id) VALUES (1), (2), (3), (4), (5), (6), (7), (8);
CREATE TABLE narrow (id INT NOT NULL) ENGINE = MyISAM;
CREATE TRIGGER hooked_traced AFTER INSERT ON hooked FOR EACH ROW INSERT INTO trace VALUES (NEW.mark);
CREATE TRIGGER guarded_checked BEFORE INSERT ON guarded FOR EACH ROW
BEGIN
    IF (SELECT COUNT(*) FROM gate) = 0 THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the gate is closed';
    END IF;
END;
CREATE PROCEDURE note_one(IN word VARCHAR(20)) INSERT INTO trace VALUES (word);
CREATE PROCEDURE note_many(IN word VARCHAR(20))
BEGIN
    INSERT INTO trace VALUES (word);
    INSERT INTO untransacted VALUES (word);
    INSERT INTO trace VALUES (word);
END;
";

/// The version of the file at this place; [`BASE`] is at 0.
pub(super) fn version(place: usize) -> String {
    format!("202601{:02}000000", place + 1)
}

impl File {
    /// Its statements in order, where it is the one at this place.
    pub(super) fn statements(&self, place: usize) -> Vec<Statement> {
        let mut statements = Vec::new();
        for (number, kind) in self.kinds.iter().enumerate() {
            statements.extend(of(*kind, place, number));
        }
        statements
    }

    pub(super) fn up(&self, place: usize) -> String {
        lines(self.statements(place).into_iter().map(|statement| statement.up))
    }

    pub(super) fn down(&self, place: usize) -> Option<String> {
        let downs = self.statements(place).into_iter().rev().filter_map(|statement| statement.down);
        // A file with nothing in it is refused.
        self.has_down.then(|| lines(downs)).filter(|text| !text.is_empty())
    }
}

fn lines(statements: impl Iterator<Item = String>) -> String {
    statements.fold(String::new(), |mut text, statement| {
        writeln!(text, "{statement};").ok();
        text
    })
}

fn of(kind: Kind, place: usize, number: usize) -> Vec<Statement> {
    let name = format!("{place}n{number}");
    let (mark, undone) = (format!("u{name}"), format!("d{name}"));
    let both = |sql: &dyn Fn(&str) -> String, n: usize| {
        let trace = Trace::Rows { mark: mark.clone(), undone: undone.clone(), n };
        vec![Statement { up: sql(&mark), down: Some(sql(&undone)), trace }]
    };
    let silent = |up: String| Statement { up, down: None, trace: Trace::Nothing };
    let object = |object: String, up: String, down: String| Statement {
        up,
        down: Some(down),
        trace: Trace::Object(object),
    };
    let insert = |mark: &str| format!("INSERT INTO trace VALUES ('{mark}')");
    match kind {
        K::Insert => both(&insert, 1),
        K::Count => both(
            &|mark| format!("INSERT INTO tally VALUES ('{mark}', 1) ON DUPLICATE KEY UPDATE n = n + 1"),
            1,
        ),
        K::SlowInsert => {
            both(&|mark| format!("INSERT INTO trace SELECT IF(SLEEP(0.25) = 0, '{mark}', 'broken off')"), 1)
        }
        K::Triggered => both(&|mark| format!("INSERT INTO hooked VALUES ('{mark}')"), 1),
        K::Accent => both(&|mark| format!("INSERT INTO words VALUES ('{mark}', 'déjà vu')"), 1),
        K::Guarded => both(&|mark| format!("INSERT INTO guarded VALUES ('{mark}')"), 1),
        K::Untransacted => both(&|mark| format!("INSERT INTO untransacted VALUES ('{mark}')"), 1),
        K::UntransactedFive => both(
            &|mark| {
                format!(
                    "INSERT INTO untransacted SELECT IF(SLEEP(0.05) = 0, '{mark}', 'broken off') FROM five"
                )
            },
            5,
        ),
        K::Call => both(&|mark| format!("CALL note_one('{mark}')"), 1),
        K::CallOfMany => both(&|mark| format!("CALL note_many('{mark}')"), 3),
        K::Variable => {
            let trace = Trace::Rows { mark: mark.clone(), undone: undone.clone(), n: 1 };
            let up = "INSERT INTO trace VALUES (@word)".to_owned();
            vec![
                silent(format!("SET @word = '{mark}'")),
                Statement { up, down: Some(insert(&undone)), trace },
            ]
        }
        K::Temporary => {
            let trace = Trace::Rows { mark: mark.clone(), undone: undone.clone(), n: 1 };
            vec![
                silent(format!("CREATE TEMPORARY TABLE draft{name} (mark VARCHAR(20) NOT NULL)")),
                silent(format!("INSERT INTO draft{name} VALUES ('{mark}')")),
                Statement {
                    up: format!("INSERT INTO trace SELECT mark FROM draft{name}"),
                    down: Some(insert(&undone)),
                    trace,
                },
            ]
        }
        K::Prepared => {
            let trace = Trace::Rows { mark: mark.clone(), undone: undone.clone(), n: 1 };
            vec![
                silent(format!("PREPARE note{name} FROM 'INSERT INTO trace VALUES (''{mark}'')'")),
                Statement { up: format!("EXECUTE note{name}"), down: Some(insert(&undone)), trace },
                silent(format!("DEALLOCATE PREPARE note{name}")),
            ]
        }
        K::OwnSession => vec![silent("SET NAMES latin1".into()), silent("SET sql_mode = ''".into())],
        K::Table | K::UntransactedTable => {
            let engine = if kind == K::Table { "InnoDB" } else { "MyISAM" };
            let up = format!("CREATE TABLE t{name} (id INT NOT NULL PRIMARY KEY) ENGINE = {engine}");
            vec![object(format!("table t{name}"), up, format!("DROP TABLE t{name}"))]
        }
        K::TableAsSelect => {
            let up = format!("CREATE TABLE s{name} ENGINE = InnoDB AS SELECT id FROM wide");
            vec![object(format!("table s{name}"), up, format!("DROP TABLE s{name}"))]
        }
        K::TwoTables => {
            let create = |letter| format!("CREATE TABLE {letter}{name} (id INT NOT NULL) ENGINE = InnoDB");
            let mut second =
                object(format!("table b{name}"), create('b'), format!("DROP TABLE a{name}, b{name}"));
            let mut first = object(format!("table a{name}"), create('a'), String::new());
            first.down = None;
            second.trace = Trace::Object(format!("table b{name}"));
            vec![first, second]
        }
        K::Rename => vec![
            object(
                format!("table [oq]{name}"),
                format!("CREATE TABLE o{name} (id INT NOT NULL) ENGINE = InnoDB"),
                format!("DROP TABLE o{name}"),
            ),
            object(
                format!("table q{name}"),
                format!("RENAME TABLE o{name} TO q{name}"),
                format!("RENAME TABLE q{name} TO o{name}"),
            ),
        ],
        K::Column | K::UntransactedColumn => {
            let table = if kind == K::Column { "wide" } else { "narrow" };
            let up = format!("ALTER TABLE {table} ADD COLUMN c{name} INT NULL");
            let down = format!("ALTER TABLE {table} DROP COLUMN c{name}");
            vec![object(format!("column {table}.c{name}"), up, down)]
        }
        K::SlowColumn => {
            let up = format!(
                "ALTER TABLE wide ADD COLUMN c{name} CHAR(64) AS (SHA2(REPEAT(id, 2000000), 256)) STORED"
            );
            vec![object(format!("column wide.c{name}"), up, format!("ALTER TABLE wide DROP COLUMN c{name}"))]
        }
        K::Index => {
            // A column for each place and number there is; a table has at most 64 indexes.
            let up = format!("ALTER TABLE wide ADD COLUMN x{name} INT NULL");
            let down = format!("ALTER TABLE wide DROP COLUMN x{name}");
            vec![
                object(format!("column wide.x{name}"), up, down),
                object(
                    format!("index wide.x{name}"),
                    format!("ALTER TABLE wide ADD INDEX (x{name})"),
                    format!("ALTER TABLE wide DROP INDEX x{name}"),
                ),
            ]
        }
        K::View => {
            let up = format!("CREATE VIEW v{name} AS SELECT mark FROM trace");
            vec![object(format!("table v{name}"), up, format!("DROP VIEW v{name}"))]
        }
        K::Procedure => {
            let up = format!("CREATE PROCEDURE p{name}()\nBEGIN\n    SELECT 1;\n    SELECT 2;\nEND");
            vec![object(format!("routine p{name}"), up, format!("DROP PROCEDURE p{name}"))]
        }
        K::Function => {
            let up = format!("CREATE FUNCTION f{name}(n INT) RETURNS INT DETERMINISTIC RETURN n * 2");
            vec![object(format!("routine f{name}"), up, format!("DROP FUNCTION f{name}"))]
        }
        K::Trigger => {
            let up = format!("CREATE TRIGGER g{name} BEFORE INSERT ON quiet FOR EACH ROW SET @quiet = 1");
            vec![object(format!("trigger g{name}"), up, format!("DROP TRIGGER g{name}"))]
        }
        K::Analyze => vec![silent("ANALYZE TABLE wide".into())],
    }
}
