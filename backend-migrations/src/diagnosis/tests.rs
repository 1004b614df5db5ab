use super::*;
use crate::{
    history::StatementDigest,
    schema::{Flavour, ServerVersion},
    sql::parse_script,
};

/// A schema in short: `a:1 b:2` is a table `a` with the definition `1` and a table `b`.
fn snapshot(tables: &str) -> Snapshot {
    let object = |word: &str| {
        let (name, text) = word.split_once(':').expect("name:definition");
        ((ObjectKind::Table, name.to_owned()), text.replace(',', "\n"))
    };
    Snapshot {
        server: ServerVersion { flavour: Flavour::MariaDb, number: (10, 11, 6) },
        options: String::new(),
        objects: tables.split_whitespace().map(object).collect(),
        tables: std::collections::BTreeMap::new(),
    }
}

/// What is known, in short.
#[derive(Default)]
struct Known {
    up: &'static str,
    /// The journal: how many statements are finished, and `?` where the next one runs.
    journal: Option<&'static str>,
    /// The states on the scratch database, and `!` before what a failing statement leaves.
    states: &'static [&'static str],
    real: &'static str,
    said: Option<usize>,
    /// The text that ran, where the file is another now.
    ran: Option<&'static str>,
}

impl Known {
    fn judge(&self) -> Diagnosis {
        let script = |text: &str| parse_script("1_x.up.sql", text.as_bytes()).expect("a sound script");
        let up = script(self.up);
        let ran = script(self.ran.unwrap_or(self.up));
        let row = HistoryRow {
            version: Version(1),
            description: "x".into(),
            success: false,
            checksum: ran.checksum.0.to_vec(),
            execution_time_ns: -1,
            installed_on_s: 0,
        };
        let progress = self.journal.map(|journal| {
            let finished = journal.trim_end_matches('?').parse().expect("a number");
            Progress {
                version: Version(1),
                direction: Direction::Up,
                n_statements: ran.statements.len(),
                finished: ran
                    .statements
                    .iter()
                    .take(finished)
                    .map(|s| StatementDigest::of(&s.text))
                    .collect(),
                running: journal.ends_with('?').then_some(finished),
                error: None,
            }
        });
        let states = self.states.iter().filter(|state| !state.starts_with('!'));
        let left = self.states.iter().find_map(|state| state.strip_prefix('!'));
        let replay = (!self.states.is_empty()).then(|| Replay {
            states: states.map(|state| snapshot(state)).collect(),
            refused: left.map(|left| Refused { error: "1051: Unknown table".into(), left: snapshot(left) }),
            rows_refused: Vec::new(),
            real: snapshot(self.real),
        });
        let migration = Migration { version: Version(1), description: "x".into(), up, down: None };
        let case = Case {
            migration: &migration,
            direction: Direction::Up,
            script: &migration.up,
            row: &row,
            progress: progress.as_ref(),
            replay: replay.as_ref(),
            said: self.said,
        };
        case.judge()
    }
}

/// The position, and each statement's presence by its first letter.
fn told(diagnosis: &Diagnosis) -> String {
    let position = match &diagnosis.position {
        Position::After(n) => format!("after {n}"),
        Position::Partly { statement, done, missing } => {
            let names =
                |of: &[ObjectName]| of.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>().join(" ");
            format!("partly {statement}, done: {}, missing: {}", names(done), names(missing))
        }
        Position::OneOf(numbers) => format!("one of {numbers:?}"),
        Position::Unlike { nearest } => format!("unlike, nearest {nearest}"),
    };
    let letters: String = diagnosis.statements.iter().map(|s| &s.presence.as_str()[..1]).collect();
    format!("{position}: {letters}")
}

fn check(known: &Known, expected: &str) {
    let diagnosis = known.judge();
    assert_eq!(told(&diagnosis), expected, "{}\n{diagnosis:#?}", known.up);
}

const TWO_TABLES: &str = "CREATE TABLE a (i INT); CREATE TABLE b (i INT);";
const TABLE_ROWS_TABLE: &str = "CREATE TABLE a (i INT); INSERT INTO a VALUES (1); CREATE TABLE b (i INT);";

#[test]
fn the_record_alone_is_enough_where_it_is_exact() {
    let known = |journal| Known { up: TABLE_ROWS_TABLE, journal: Some(journal), ..Known::default() };
    check(&known("1"), "after 1: ynn");
    check(&known("2"), "after 2: yyn");
    check(&known("2?"), "one of [2, 3]: yyu");
    check(&Known { up: TABLE_ROWS_TABLE, ..Known::default() }, "one of [0, 1, 2, 3]: uuu");
}

#[test]
fn a_replay_settles_what_the_record_leaves_open() {
    let known = |journal, real| Known {
        up: TABLE_ROWS_TABLE,
        journal,
        states: &["", "a:1", "a:1", "a:1 b:1"],
        real,
        ..Known::default()
    };
    check(&known(Some("2?"), "a:1"), "after 2: yyn");
    check(&known(Some("2?"), "a:1 b:1"), "after 3: yyy");
    check(&known(Some("0?"), ""), "after 0: nnn");
    check(&known(Some("0?"), "a:1"), "after 1: ynn");
    // Without a record the rows between two definitions are anybody's guess, unless the later one is there.
    check(&known(None, "a:1"), "one of [1, 2]: yun");
    check(&known(None, "a:1 b:1"), "after 3: yyy");
    check(&known(None, ""), "after 0: nnn");
    check(&known(None, "a:2"), "unlike, nearest 1: uuu");
    check(&Known { said: Some(2), ..known(None, "a:1") }, "after 2: yyn");
}

#[test]
fn what_a_person_says_is_held_against_what_is_known() {
    let check = |known: Known, expected: Option<&str>| {
        let diagnosis = known.judge();
        assert_eq!(diagnosis.contradiction.as_deref(), expected);
        assert_eq!(diagnosis.objection(Way::Resume).as_deref(), expected, "{expected:?}");
        assert_eq!(diagnosis.hint().is_some(), expected.is_some());
    };
    let known = |journal, said| Known { up: TABLE_ROWS_TABLE, journal, said: Some(said), ..Known::default() };
    check(known(Some("2"), 2), None);
    check(known(Some("2?"), 3), None);
    check(known(None, 2), None);
    check(
        known(Some("2"), 1),
        Some(
            "`--from 2` means that statement 1 is in the database and no other, but the record has statements 1 to 2 as \
             committed",
        ),
    );
    check(
        known(Some("1?"), 3),
        Some(
            "`--from 4` means that statements 1 to 3 are in the database and no other, but the record has statement 1 as \
             committed, and statement 2 as begun",
        ),
    );
    check(
        known(Some("0?"), 2),
        Some(
            "`--from 3` means that statements 1 to 2 are in the database and no other, but the record has statement 1 as begun",
        ),
    );
    check(
        known(Some("2"), 4),
        Some(
            "`--from 5` means that statements 1 to 4 are in the database and no other, and 1_x.up.sql has 3",
        ),
    );
    let replayed =
        |journal, real, said| Known { states: &["", "a:1", "a:1", "a:1 b:1"], real, ..known(journal, said) };
    check(replayed(None, "a:1", 2), None);
    check(
        replayed(None, "a:1", 0),
        Some("`--from 1` means that no statement is in the database, but the schema is as after 1 or 2 of 3"),
    );
    check(
        replayed(Some("1"), "a:1 b:1", 2),
        Some(
            "`--from 3` means that statements 1 to 2 are in the database and no other, but the record has statement 1 as \
             committed, and the schema is as after 3 of 3",
        ),
    );
    check(
        replayed(None, "a:2", 1),
        Some(
            "`--from 2` means that statement 1 is in the database and no other, but the schema is as after none of the \
             statements",
        ),
    );
}

#[test]
fn rows_before_the_first_definition_are_committed_with_the_row() {
    let known = |real| Known {
        up: "INSERT INTO t VALUES (1); CREATE TABLE a (i INT);",
        states: &["t:1", "t:1", "t:1 a:1"],
        real,
        ..Known::default()
    };
    check(&known("t:1"), "after 1: yn");
    assert_eq!(known("t:1").judge().statements[0].evidence, Evidence::CommittedWithRow);
    check(&known("t:1 a:1"), "after 2: yy");
    assert_eq!(known("t:1 a:1").judge().statements[0].evidence, Evidence::CommittedWithRow);
}

#[test]
fn rows_after_the_last_definition_are_unclear() {
    let known = Known {
        up: "CREATE TABLE a (i INT); INSERT INTO a VALUES (1); INSERT INTO a VALUES (2);",
        states: &["", "a:1", "a:1", "a:1"],
        real: "a:1",
        ..Known::default()
    };
    check(&known, "one of [1, 2, 3]: yuu");
    let diagnosis = known.judge();
    assert_eq!(diagnosis.statements[1].evidence, Evidence::NoTrace);
    let objection = diagnosis.objection(Way::Resume);
    assert_eq!(objection.as_deref(), Some("which of the statements 2 to 3 are in the database is not known"));
    // The schema agrees with it, and rows leave no trace there.
    assert_eq!(diagnosis.objection(Way::MarkApplied), objection);
    assert!(diagnosis.objection(Way::MarkNotApplied).is_some());
}

#[test]
fn what_changes_nothing_may_run_again() {
    let known = |up| Known { up, states: &["", "a:1", "a:1", "a:1 b:1"], real: "a:1", ..Known::default() };
    let with = |middle: &str| -> &'static str {
        format!("CREATE TABLE a (i INT); {middle}; CREATE TABLE b (i INT)").leak()
    };
    check(&known(with("SET @x = 1")), "after 1: ynn");
    check(&known(with("SELECT 1")), "after 1: yun");
    check(&known(with("ANALYZE TABLE a")), "after 1: yun");
    check(&known(with("TRUNCATE TABLE a")), "one of [1, 2]: yun");
    check(&known(with("CALL p()")), "one of [1, 2]: yun");
    check(&known(with("SELECT f(1)")), "one of [1, 2]: yun");
}

#[test]
fn a_table_made_and_dropped_again_looks_like_none() {
    let known = Known {
        up: "CREATE TABLE a (i INT); DROP TABLE a; CREATE TABLE b (i INT);",
        states: &["", "a:1", "", "b:1"],
        real: "",
        ..Known::default()
    };
    check(&known, "one of [0, 2]: uun");
    check(&Known { journal: Some("1?"), ..known }, "after 2: yyn");
}

#[test]
fn a_drop_of_several_tables_may_be_there_in_part() {
    const WHOLE: &[&str] = &["a:1 b:1", "", "c:1"];
    // It names a table that is not there, fails, and on MariaDB drops the others all the same.
    const FAILS: &[&str] = &["a:1 b:1", "!"];
    let known = |states, real| Known {
        up: "DROP TABLE a, b; CREATE TABLE c (i INT);",
        states,
        real,
        ..Known::default()
    };
    check(&known(WHOLE, "b:1"), "partly 0, done: a, missing: b: pn");
    check(&known(WHOLE, "a:1 b:1"), "after 0: nn");
    check(&known(WHOLE, ""), "after 1: yn");
    check(&Known { journal: Some("0?"), ..known(WHOLE, "b:1") }, "partly 0, done: a, missing: b: pn");
    check(&known(FAILS, ""), "partly 0, done: a b, missing: : pn");
    check(&known(FAILS, "a:1"), "partly 0, done: b, missing: a: pn");
    check(&known(FAILS, "a:1 b:1"), "after 0: nn");
    check(&known(WHOLE, "a:2 b:1"), "unlike, nearest 0: uu");
}

#[test]
fn what_this_migration_does_not_touch_is_not_compared() {
    let known = Known {
        up: TWO_TABLES,
        states: &["t:1", "t:1 a:1", "t:1 a:1 b:1"],
        real: "t:2 a:1",
        ..Known::default()
    };
    check(&known, "after 1: yn");
    let note = "not as the history implies, and not touched by this migration: table `t`";
    assert_eq!(known.judge().notes, [note]);
}

#[test]
fn a_person_may_have_gone_on_by_hand() {
    let known = |journal, real| Known {
        up: TWO_TABLES,
        journal: Some(journal),
        states: &["", "a:1", "a:1 b:1"],
        real,
        ..Known::default()
    };
    check(&known("1", "a:1"), "after 1: yn");
    check(&known("1", "a:1 b:1"), "after 2: yy");
    check(&known("1", ""), "after 0: nn");
    // A table that was changed by hand does not outweigh an exact record, but an open one.
    check(&known("1", "a:2"), "after 1: yn");
    assert!(known("1", "a:2").judge().difference.is_some());
    check(&known("0?", "a:2"), "unlike, nearest 1: uu");
    let rows =
        Known { up: TABLE_ROWS_TABLE, states: &["", "a:1", "a:1", "a:1 b:1"], ..known("1", "a:1 b:1") };
    check(&rows, "one of [1, 3]: yuu");
}

#[test]
fn a_file_that_was_edited_since_is_noticed() {
    let ran = Some("CREATE TABLE a (i INT); INSERT INTO a VALUES (1); CREATE TABLE b (x INT);");
    let up = "CREATE TABLE a (i BIGINT); INSERT INTO a VALUES (2); CREATE TABLE b (i INT);";
    let states: &[&str] = &["", "a:1", "a:1", "a:1 b:1"];
    let by_journal = Known { up, ran, journal: Some("2"), states, real: "a:1", ..Known::default() };
    // The schema shows what the definition did; the rows are doubtful.
    check(&by_journal, "after 2: yun");
    let doubt = "statement 2 (1_x.up.sql:1) is no longer as it ran";
    assert_eq!(by_journal.judge().doubts, [doubt]);
    assert_eq!(by_journal.judge().objection(Way::Resume).as_deref(), Some(doubt));
    let unlike = Known { real: "a:2", ..by_journal };
    assert_eq!(unlike.judge().doubts.len(), 2);
    // Without a record, only the sum of the file tells that it is another.
    let without = Known { up, ran, states, real: "a:1 b:1", ..Known::default() };
    check(&without, "after 3: yuy");
    let doubt = "statement 2 (1_x.up.sql:1) may not be as it ran: the file was edited since";
    assert_eq!(without.judge().doubts, [doubt]);
    let cut = Known { up: "CREATE TABLE a (i INT);", ran, journal: Some("2"), ..Known::default() };
    assert_eq!(cut.judge().doubts, ["statement 2 ran and is no longer in 1_x.up.sql"]);
}

#[test]
fn only_what_a_replay_agrees_with_is_declared() {
    const STATES: &[&str] = &["", "a:1", "a:1 b:1"];
    let known = |states, real| Known { up: TWO_TABLES, states, real, ..Known::default() };
    let objects = |known: &Known, way| known.judge().objection(way).is_some();
    for (known, applied, not_applied, runs) in [
        (known(STATES, ""), true, false, false),
        (known(STATES, "a:1"), true, true, false),
        (known(STATES, "a:1 b:1"), false, true, false),
        (known(STATES, "a:2"), true, true, true),
        (known(&[], ""), true, true, true),
    ] {
        assert_eq!(objects(&known, Way::MarkApplied), applied, "{}", known.real);
        assert_eq!(objects(&known, Way::MarkNotApplied), not_applied, "{}", known.real);
        assert_eq!(objects(&known, Way::Resume), runs, "{}", known.real);
        assert_eq!(objects(&known, Way::Undo), runs, "{}", known.real);
    }
}
