//! Histories and goals in few letters, for tables of them.

use backend_migrations::{
    history::{History, HistoryRow, Progress, StatementDigest},
    migration::{Direction, MigrationSet, Version},
    plan::{Goal, Plan, PlanError, PlanOptions, Problem, plan},
};

use crate::sets::{migration, set};

/// Migrations of three statements, called by their versions: `1 2 3x`, where `x` stands for "no down".
pub(crate) fn files(words: &str) -> MigrationSet {
    let one = |word: &str| {
        let v: i64 = word.trim_end_matches('x').parse().expect("a version");
        let down = format!("ddl undo a{v}\nset undo b{v}\ndml undo c{v}");
        migration(v, &format!("ddl a{v}\nset b{v}\ndml c{v}"), (!word.ends_with('x')).then_some(&down[..]))
    };
    set(words.split_whitespace().map(one).collect())
}

/// A history in words such as `1 2m 3?+1r`: a version, then
///
/// * `m`: modified; `?`: dirty, without a time; `d`: dirty, with the time of a completed apply;
/// * `+n` or `-n`: the journal says that `n` statements of the up or the down script are committed;
/// * `r`: and that the next one runs; `e`: and that the next one failed; `z`: the last of them was another text.
pub(crate) fn history(words: &str) -> History {
    let mut history = History { has_table: true, has_journal: true, ..History::default() };
    for word in words.split_whitespace() {
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let (version, flags) = word.split_at(digits);
        let v: i64 = version.parse().expect("a version");
        let has = |flag: char| flags.contains(flag);
        let mut checksum = files(version).get(Version(v)).expect("it is there").up.checksum.0.to_vec();
        checksum[0] ^= u8::from(has('m'));
        history.rows.push(HistoryRow {
            version: Version(v),
            description: format!("m{v}"),
            success: !has('?') && !has('d'),
            checksum,
            execution_time_ns: if has('?') { -1 } else { 5 },
            installed_on_s: 0,
        });
        let Some(at) = flags.find(['+', '-']) else { continue };
        let direction = if has('+') { Direction::Up } else { Direction::Down };
        let n = usize::from(flags.as_bytes()[at + 1] - b'0');
        let undo = if has('+') { "" } else { "undo " };
        let texts =
            [format!("ddl {undo}a{v}"), format!("set {undo}b{v}"), format!("dml {undo}c{v}"), "dml d".into()];
        let mut finished: Vec<_> = texts[..n].iter().map(|text| StatementDigest::of(text)).collect();
        if has('z') {
            *finished.last_mut().expect("one is finished") = StatementDigest::of("another text");
        }
        history.progress.push(Progress {
            version: Version(v),
            direction,
            n_statements: n.max(3),
            finished,
            running: has('r').then_some(n),
            error: has('e').then(|| "1146 (42S02): Table 'a_db.tsaks' doesn't exist".into()),
        });
    }
    history
}

/// `latest`, `latest!` (out of order allowed), `to 2`, `to! 2`, `down 2` (steps), `back 2` (down to), `undo 3,2` (what was shown).
pub(crate) fn options(words: &str) -> PlanOptions {
    let (word, number) = words.split_once(' ').unwrap_or((words, "0"));
    if word == "undo" {
        let shown: Vec<_> = number.split(',').map(|v| Version(v.parse().expect("a number"))).collect();
        let to = Version(shown.last().map_or(0, |oldest| oldest.0 - 1));
        return PlanOptions {
            goal: Goal::Undo { to, shown: shown.into() },
            allow_out_of_order: true,
            allow_existing_tables: true,
        };
    }
    let version = Version(number.parse().expect("a number"));
    let goal = match word.trim_end_matches('!') {
        "latest" => Goal::Latest,
        "to" => Goal::UpTo(version),
        "down" => Goal::Down { steps: number.parse().expect("a number") },
        "back" => Goal::DownTo(version),
        word => panic!("no such goal: {word}"),
    };
    PlanOptions { goal, allow_out_of_order: word.ends_with('!'), allow_existing_tables: false }
}

/// What is planned, from the words of this module.
pub(crate) fn check(set: &str, history: &str, goal: &str) -> Result<Plan, PlanError> {
    plan(&files(set), &self::history(history), &options(goal))
}

/// A plan, or the reasons against one, in one line.
pub(crate) fn brief(result: &Result<Plan, PlanError>) -> String {
    let words: Vec<_> = match result {
        Ok(plan) if plan.steps.is_empty() => return "nothing".into(),
        Ok(plan) => plan.steps.iter().map(step).collect(),
        Err(error) => error.problems.iter().map(problem).collect(),
    };
    words.join(", ")
}

fn step(step: &backend_migrations::plan::Step) -> String {
    let sign = if step.direction == Direction::Up { '+' } else { '-' };
    let start = if step.is_resume { format!(" from {}", step.n_finished + 1) } else { String::new() };
    let setup: Vec<_> = step.setup().map(|index| (index + 1).to_string()).collect();
    let setup = if setup.is_empty() { String::new() } else { format!(" after {}", setup.join(" ")) };
    format!("{sign}{}{start}{setup}", step.migration.version)
}

fn listed(versions: &[Version]) -> String {
    versions.iter().map(Version::to_string).collect::<Vec<_>>().join(",")
}

fn problem(problem: &Problem) -> String {
    match problem {
        Problem::Modified { migration, line_ends: None } => format!("MODIFIED {}", migration.version),
        Problem::Modified { migration, line_ends: Some(before) } => {
            format!("LINE ENDS {} {before:?}", migration.version)
        }
        Problem::Missing(m) => format!("MISSING {}", m.version),
        Problem::Doubled(m) => format!("DOUBLED {}", m.version),
        Problem::OutOfOrder { pending, newest } => format!("LATE {} < {newest}", pending.version),
        Problem::Unclear { migration, direction, statement } => {
            let at = statement.map_or_else(|| "?".into(), |(index, total)| format!("{index}/{total}"));
            format!("UNCLEAR {direction:?} {} {at}", migration.version)
        }
        Problem::Unfinished { migration, direction, n_finished, n_statements, .. } => {
            format!("UNFINISHED {direction:?} {} {n_finished}/{n_statements}", migration.version)
        }
        Problem::StatementEdited { migration, line, statement, .. } => {
            format!("EDITED {} statement {statement} line {line}", migration.version)
        }
        Problem::SessionGone { migration, statement, line, .. } => {
            format!("SESSION GONE {} statement {statement} line {line}", migration.version)
        }
        Problem::ExistingTables(existing) => format!("NOT NEW {}", existing.n),
        Problem::Unwritable { pending, .. } => format!("UNWRITABLE {}", pending.version),
        Problem::NoDown(m) => format!("NO DOWN {}", m.version),
        Problem::EmptyDown(m) => format!("EMPTY DOWN {}", m.version),
        Problem::UnknownTarget(version) => format!("UNKNOWN {version}"),
        Problem::TargetOlder { target, newest } => format!("OLDER {target} < {newest}"),
        Problem::Changed { shown, found } => format!("CHANGED {} is {}", listed(shown), listed(found)),
    }
}
