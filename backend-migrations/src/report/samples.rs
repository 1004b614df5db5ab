//! Hand-made events for the tests of the formats.

use std::{sync::Arc, time::Duration};

use super::{Human, Json, ReportOptions, Reporter};
use crate::{
    event::{
        Event, Failure, FailureCode, MigrationDone, MigrationPlanned, Outcome, Place, Scope, StopReason, Task,
    },
    migration::{Checksum, Direction, Migration, Script, Statement, StatementKind, Version},
    selection::Coverage,
    standing::{Standing, State, VersionStanding},
    summary::Summary,
    tenant::{Label, ServerId, SharedLabel, TenantId},
};

pub(super) const PRIORITY: &str = "20250127120000_add_priority_to_tasks";
pub(super) const LABELS: &str = "20250203090000_create_labels";

pub(super) fn tenant(name: &str, slug: &str) -> SharedLabel {
    Arc::new(Label {
        id: Some(TenantId(format!("cm5a1b2c3d-{slug}"))),
        slug: slug.to_owned(),
        name: name.to_owned(),
        database: format!("{}_db", slug.replace('-', "_")),
        server: ServerId { host: "db1.internal".to_owned(), port: 3306 },
    })
}

pub(super) fn acme() -> SharedLabel {
    let label = tenant("Acme Corp", "acme-corp");
    Arc::new(Label { database: "acme_corp_db".to_owned(), ..(*label).clone() })
}

pub(super) fn techstart() -> SharedLabel {
    tenant("TechStart", "techstart")
}

pub(super) fn central() -> SharedLabel {
    let label = tenant("central", "central");
    Arc::new(Label { id: None, database: "central".to_owned(), ..(*label).clone() })
}

pub(super) fn numbered(n: usize) -> Vec<SharedLabel> {
    (1..=n).map(|i| tenant(&format!("Tenant {i:02}"), &format!("tenant-{i:02}"))).collect()
}

/// Someone who named a tenant to fool whoever reads the output.
pub(super) fn mallory() -> SharedLabel {
    Arc::new(Label {
        id: Some(TenantId("id\u{7}".to_owned())),
        slug: "mal`lo'ry\"".to_owned(),
        name: "Mal\u{1b}[2J\n✅ Acme Corp: Already up to date\u{202e}💥株式会社\u{9b}1m".to_owned(),
        database: "mal\r`db`".to_owned(),
        server: ServerId { host: "db\u{1b}]0;x\u{7}".to_owned(), port: 3306 },
    })
}

pub(super) fn started(task: Task, scope: Scope, n_tenants: usize, is_dry_run: bool) -> Event {
    let (coverage, go_on) = (Coverage::default(), None);
    Event::RolloutStarted { task, scope, n_tenants, coverage, go_on, is_dry_run }
}

pub(super) fn finished(tenant: &SharedLabel, outcome: Outcome) -> Event {
    Event::TenantFinished { tenant: tenant.clone(), outcome, elapsed: Duration::from_micros(12_345) }
}

pub(super) fn ended(not_started: Vec<SharedLabel>, stopped: Option<StopReason>) -> Event {
    Event::RolloutFinished { not_started, stopped, elapsed: Duration::from_millis(1500) }
}

/// A whole run in which every tenant begins before the first one ends.
pub(super) fn run(
    task: Task,
    scope: Scope,
    is_dry_run: bool,
    turns: impl IntoIterator<Item = (SharedLabel, Outcome)>,
) -> Vec<Event> {
    let turns: Vec<_> = turns.into_iter().collect();
    let mut events = vec![started(task, scope, turns.len(), is_dry_run)];
    events.extend(turns.iter().map(|(tenant, _)| Event::TenantStarted { tenant: tenant.clone() }));
    events.extend(turns.into_iter().map(|(tenant, outcome)| finished(&tenant, outcome)));
    events.push(ended(Vec::new(), None));
    events
}

pub(super) fn migrated(names: &[&str], direction: Direction) -> Outcome {
    Outcome::Migrated { done: names.iter().map(|name| done(name, direction)).collect() }
}

pub(super) fn done(name: &str, direction: Direction) -> MigrationDone {
    let suffix = if direction == Direction::Up { "up" } else { "down" };
    MigrationDone {
        version: version(name),
        file_name: format!("{name}.{suffix}.sql"),
        direction,
        elapsed: Duration::from_millis(42),
    }
}

pub(super) fn version(name: &str) -> Version {
    Version(name.split('_').next().and_then(|v| v.parse().ok()).expect("a sample's name has a version"))
}

pub(super) fn place() -> Place {
    Place { file_name: format!("{LABELS}.up.sql"), line: 7, statement: 2, n_statements: 3 }
}

pub(super) fn failed(failure: Failure) -> Outcome {
    Outcome::Failed { done: Vec::new(), failure: Box::new(failure) }
}

pub(super) fn planned(steps: &[(&str, Direction, usize)]) -> Outcome {
    let steps = steps.iter().map(|(name, direction, n_finished)| MigrationPlanned {
        migration: migration(name),
        direction: *direction,
        n_finished: *n_finished,
    });
    Outcome::Planned { steps: steps.collect() }
}

fn migration(name: &str) -> Arc<Migration> {
    let script = |suffix: &str, statements: &[&str]| Script {
        file_name: format!("{name}.{suffix}.sql"),
        source: statements.join(";\n\n").into(),
        checksum: Checksum::of(name.as_bytes()),
        statements: statements
            .iter()
            .enumerate()
            .map(|(i, text)| Statement {
                text: (*text).to_owned(),
                line: i * 3 + 1,
                offset: 0,
                kind: StatementKind::Ddl,
            })
            .collect(),
    };
    let (up, down): (&[&str], &[&str]) = match name {
        PRIORITY => (
            &["ALTER TABLE tasks\r\n\tADD COLUMN priority TINYINT NOT NULL DEFAULT 0"],
            &["ALTER TABLE tasks DROP COLUMN priority -- and its values"],
        ),
        _ => (
            &[
                "CREATE TABLE labels (\n  id BIGINT PRIMARY KEY,\n  name VARCHAR(64) NOT NULL\n)",
                "ALTER TABLE tasks ADD COLUMN label_id BIGINT",
                "INSERT INTO labels VALUES (1, 'bell \u{7} here')",
            ],
            &["ALTER TABLE tasks DROP COLUMN label_id", "DROP TABLE labels"],
        ),
    };
    Arc::new(Migration {
        version: version(name),
        description: name.split_once('_').expect("a sample's name has words").1.replace('_', " "),
        up: script("up", up),
        down: Some(script("down", down)),
    })
}

pub(super) fn standing(states: &[State]) -> Standing {
    let versions = states.iter().enumerate().map(|(i, state)| {
        let day = i64::try_from(i).expect("few versions");
        let is_recorded = !matches!(state, State::Pending | State::OutOfOrder);
        VersionStanding {
            version: Version(20_250_101_000_000 + day * 1_000_000),
            description: format!("step {}", i + 1),
            state: *state,
            installed_on_s: is_recorded.then_some(1_738_000_000 + day * 86_400),
            execution_time_ns: (is_recorded && *state != State::Dirty).then_some(12_345_678 << i),
        }
    });
    Standing { versions: versions.collect() }
}

pub(super) fn inspected(states: &[State]) -> Outcome {
    Outcome::Inspected { standing: standing(states), at_work: None }
}

pub(super) const CODES: [FailureCode; 16] = [
    FailureCode::Credentials,
    FailureCode::Connect,
    FailureCode::AccessDenied,
    FailureCode::NoDatabase,
    FailureCode::LockHeld,
    FailureCode::SameDatabase,
    FailureCode::Refused,
    FailureCode::Changed,
    FailureCode::NoDown,
    FailureCode::Dirty,
    FailureCode::Statement,
    FailureCode::Killed,
    FailureCode::ConnectionLost,
    FailureCode::History,
    FailureCode::BadAnswer,
    FailureCode::Fault,
];

/// A failure of each kind, in the words it would have.
pub(super) fn failure(code: FailureCode) -> Failure {
    let untouched = "nothing was changed";
    let (message, state, hint) = match code {
        FailureCode::Credentials => (
            "invalid encrypted password format: 1 part where `hex(iv):hex(ciphertext)` has 2",
            untouched,
            "check that `DB_ENCRYPTION_KEY` is the key that it was sealed with",
        ),
        FailureCode::Connect => (
            "db1.internal:3306 refused the connection: Connection refused (os error 111)",
            untouched,
            "is the server up, and are host and port right?",
        ),
        FailureCode::AccessDenied => (
            "db1.internal:3306 refused the login: Access denied for user 'acme'@'10.0.0.7' (using password: YES)",
            untouched,
            "check user and password; a tenant's password is sealed anew with `tenant:seal-password`",
        ),
        FailureCode::NoDatabase => (
            "database `acme_corp_db` on db1.internal:3306 cannot be used: Unknown database 'acme_corp_db'",
            untouched,
            "check the database's name, and that the account has privileges on it",
        ),
        FailureCode::LockHeld => (
            "another run holds the database and did not let go within 10 s: connection 12 (deploy@10.0.0.9), for 31 s: ALTER TABLE tasks …",
            untouched,
            "wait for that run to end, or raise `--lock-timeout`",
        ),
        FailureCode::SameDatabase => (
            "it is the database of tenant \"acme-corp\", under another name of its server",
            untouched,
            "correct the row that is wrong in the table `tenants`",
        ),
        FailureCode::Changed => (
            "changed meanwhile: 20250203090000 would be undone now, and not 20250127120000, as was shown",
            untouched,
            "another run was at work here; look with `migrate:status`, then roll back again: it shows anew what would be undone",
        ),
        FailureCode::Refused => (
            "modified: 20250127120000 (add priority to tasks) was applied from a file with other bytes\n\
             missing: 20250101000000 (create users) was applied and its file is gone",
            untouched,
            "restore the file as it was applied\nbring the file back, or run the version of the program that has it",
        ),
        FailureCode::NoDown => (
            "no down: 20250127120000 (add priority to tasks) has no `.down.sql`, so it cannot be undone",
            untouched,
            "write the `.down.sql` beside the `.up.sql`; its bytes are not part of the checksum",
        ),
        FailureCode::Dirty => (
            "dirty: 20250203090000 (create labels) was begun to be applied, and nobody recorded how far it got",
            untouched,
            "look at the tables that the file changes",
        ),
        FailureCode::Statement => (
            "1060 (42S21): Duplicate column name 'label_id'",
            "statement 1 of 3 is committed and recorded; the rest is not; the migration is half applied",
            "it is there already: was it made by hand?; then run again: it goes on with this statement",
        ),
        FailureCode::Killed => (
            "the statement ran longer than 3600 s and was killed; it left nothing behind",
            "statement 1 of 3 is committed and recorded; the rest is not; the migration is half applied",
            "`--statement-timeout` sets how long a statement may take",
        ),
        FailureCode::ConnectionLost => (
            "the connection was lost before the server answered: Broken pipe (os error 32)",
            "statement 1 of 3 is committed; whether statement 2 is too is not known",
            "look whether statement 2 is in the database",
        ),
        FailureCode::History => (
            "the migration history cannot be read: 1142 (42000): SELECT command denied to user 'acme'",
            untouched,
            "grant the tenant's account the privilege that the server names",
        ),
        FailureCode::BadAnswer => (
            "the migration history cannot be read: the server's answer cannot be read: it has more than 100000 rows",
            untouched,
            "is it a MySQL or MariaDB server, and does nothing between it and this machine change what it sends?",
        ),
        FailureCode::Fault => (
            "a fault of this program ended the work on this tenant: index out of bounds: the len is 3 but the index is 3",
            "what its history and journal say; a statement that ran in that moment may be there or not",
            "`migrate:status` says whether a migration is half done, and `migrate:recover` finds out what of it is there",
        ),
    };
    let is_statement =
        matches!(code, FailureCode::Statement | FailureCode::Killed | FailureCode::ConnectionLost);
    Failure {
        code,
        message: message.to_owned(),
        at: is_statement.then(place),
        excerpt: is_statement.then(|| "ALTER TABLE tasks ADD COLUMN label_id BIGINT".to_owned()),
        state: Some(state.to_owned()),
        hint: Some(hint.to_owned()),
    }
}

/// What `reporter` writes of a run: one event each ten milliseconds.
fn tell(events: &[Event], reporter: &mut dyn Reporter) {
    let mut summary = Summary::default();
    for (event, at) in events.iter().zip((0..).map(|i| Duration::from_millis(i * 10))) {
        summary.observe(event);
        reporter.report(event, at).expect("a Vec takes everything");
    }
    reporter.finish(&summary).expect("a Vec takes everything");
}

pub(super) fn human(events: &[Event]) -> String {
    colored(events, false)
}

pub(super) fn colored(events: &[Event], color: bool) -> String {
    let mut out = Vec::new();
    tell(events, &mut Human::new(&mut out, color));
    String::from_utf8(out).expect("the formats write UTF-8")
}

pub(super) fn json(events: &[Event]) -> String {
    let mut out = Vec::new();
    tell(events, &mut Json::new(&mut out, ReportOptions::PROGRESS_INTERVAL));
    String::from_utf8(out).expect("the formats write UTF-8")
}
