//! What is in a tenant's database, as a plain client sees it.

use std::{collections::BTreeMap, fmt};

use end_to_end::{Server, query, schema};
use sqlx::MySqlConnection;

use super::{
    scenario::Scenario,
    script::{Statement, Trace, version},
};

/// What is there: the record, and the traces of the statements.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Truth {
    /// Each row of the history: version and `success`.
    pub(super) history: Vec<(String, String)>,
    /// The versions that the journal has.
    pub(super) journal: Vec<String>,
    /// How many rows each mark has.
    pub(super) marks: BTreeMap<String, usize>,
    /// How many objects there are of each name.
    pub(super) objects: BTreeMap<String, usize>,
}

impl fmt::Debug for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What the base made is always there, and has no statement's name.
        let is_named =
            |object: &&String| object.rsplit_once('n').is_some_and(|(_, n)| n.parse::<u8>().is_ok());
        let objects: Vec<_> = self.objects.keys().filter(is_named).collect();
        writeln!(f, "history {:?}, journal {:?}", self.history, self.journal)?;
        writeln!(f, "marks {:?}\nobjects {objects:?}", self.marks)
    }
}

/// How a version stands in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Absent,
    Applied,
    HalfDone,
}

impl Truth {
    pub(super) async fn read(connection: &mut MySqlConnection, database: &str) -> Self {
        let mut truth = Self::default();
        let objects = format!(
            "SELECT CONCAT('table ', table_name), 1 FROM information_schema.tables WHERE table_schema = '{database}' \
             UNION ALL SELECT CONCAT('column ', table_name, '.', column_name), 1 FROM information_schema.columns \
             WHERE table_schema = '{database}' \
             UNION ALL SELECT CONCAT('index ', table_name, '.', column_name), COUNT(*) FROM information_schema.statistics \
             WHERE table_schema = '{database}' GROUP BY table_name, column_name \
             UNION ALL SELECT CONCAT('routine ', routine_name), 1 FROM information_schema.routines \
             WHERE routine_schema = '{database}' \
             UNION ALL SELECT CONCAT('trigger ', trigger_name), 1 FROM information_schema.triggers \
             WHERE trigger_schema = '{database}'"
        );
        for row in query::rows(connection, &objects).await {
            truth.objects.insert(row[0].clone(), number(&row[1]));
        }
        let has = |name: &str| truth.objects.contains_key(&format!("table {name}"));
        if has("_sqlx_migrations") {
            let sql = format!("SELECT version, success FROM `{database}`._sqlx_migrations ORDER BY version");
            let rows = query::rows(connection, &sql).await;
            truth.history = rows.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
        }
        for table in ["_backend_migrations_journal", "_backend_migrations_statements"] {
            if has(table) {
                let sql = format!("SELECT DISTINCT version FROM `{database}`.{table}");
                truth.journal.extend(query::column(connection, &sql).await);
            }
        }
        let counted =
            [("trace", "1"), ("untransacted", "1"), ("tally", "n"), ("words", "1"), ("guarded", "1")];
        let queries: Vec<_> = counted
            .iter()
            .filter(|(table, _)| has(table))
            .map(|(table, n)| format!("SELECT mark, SUM({n}) FROM `{database}`.{table} GROUP BY mark"))
            .collect();
        if !queries.is_empty() {
            for row in query::rows(connection, &queries.join(" UNION ALL ")).await {
                *truth.marks.entry(row[0].clone()).or_default() += number(&row[1]);
            }
        }
        truth
    }

    pub(super) fn record(&self, place: usize) -> Record {
        let version = version(place);
        let row = self.history.iter().find(|(its, _)| *its == version);
        match row {
            _ if self.journal.contains(&version) => Record::HalfDone,
            None => Record::Absent,
            Some((_, success)) if success == "1" => Record::Applied,
            Some(_) => Record::HalfDone,
        }
    }

    /// How often this statement was executed less how often it was undone; `None` where it leaves no trace.
    ///
    /// # Errors
    ///
    /// Where it was executed in part.
    pub(super) fn net(&self, statement: &Statement) -> Result<Option<isize>, String> {
        let signed = |n: usize| isize::try_from(n).expect("small");
        match &statement.trace {
            Trace::Nothing => Ok(None),
            Trace::Object(name) => {
                let n = match name.strip_prefix("table [oq]") {
                    None => self.objects.get(name).copied().unwrap_or(0),
                    Some(rest) => ["o", "q"]
                        .iter()
                        .filter_map(|first| self.objects.get(&format!("table {first}{rest}")))
                        .sum(),
                };
                Ok(Some(signed(n)))
            }
            Trace::Rows { mark, undone, n } => {
                let (done, undone) = (self.count(mark), self.count(undone));
                if done % n != 0 || undone % n != 0 {
                    return Err(format!("`{}` left {done} rows of {n}, its undoing {undone}", statement.up));
                }
                Ok(Some(signed(done / n) - signed(undone / n)))
            }
        }
    }

    pub(super) fn count(&self, mark: &str) -> usize {
        self.marks.get(mark).copied().unwrap_or(0)
    }
}

fn number(text: &str) -> usize {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

/// What undisturbed runs of a plain client lead to: definitions and words after the first files, as many as the index.
#[derive(Debug)]
pub(super) struct Undisturbed {
    states: Vec<State>,
}

/// Definitions and the rows that depend on the session's character set.
pub(super) type State = BTreeMap<String, Vec<String>>;

impl Undisturbed {
    /// Runs the files in `database`, statement by statement, each file in a connection of its own.
    pub(super) async fn run(scenario: &Scenario, database: &str, server: &'static Server) -> Self {
        let mut root = server.connect("").await;
        let me =
            query::value(&mut root, "SELECT REPLACE(CONCAT('`', CURRENT_USER(), '`'), '@', '`@`')").await;
        let make = format!(
            "DROP DATABASE IF EXISTS {database}; CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        );
        query::run(&mut root, &make).await;
        let mut states = vec![State::new()];
        query::run(&mut server.connect(database).await, super::script::BASE).await;
        query::run(&mut root, &format!("INSERT INTO {database}.gate VALUES (1)")).await;
        states.push(state(&mut root, database, &me).await);
        for (index, file) in scenario.files.iter().enumerate() {
            let mut connection = server.connect(database).await;
            for statement in file.statements(index + 1) {
                query::run(&mut connection, &statement.up).await;
            }
            states.push(state(&mut root, database, &me).await);
        }
        Self { states }
    }

    /// After this many files.
    pub(super) fn after(&self, n_files: usize) -> &State {
        &self.states[n_files]
    }
}

/// What there is in a database whose routines are this account's.
pub(super) async fn state(root: &mut MySqlConnection, database: &str, account: &str) -> State {
    let names = [(database, "DATABASE"), (account, "OWNER")];
    let mut state = schema::definitions(root, database, &names).await;
    state.retain(|name, _| name != "TABLE _sqlx_migrations");
    for (name, parts) in &mut state {
        if ["PROCEDURE ", "FUNCTION ", "TRIGGER "].iter().any(|kind| name.starts_with(kind)) {
            parts[1] = without_strictness(&parts[1]);
        }
    }
    if state.contains_key("TABLE words") {
        let words = format!("SELECT CONCAT(mark, ' ', HEX(word)) FROM {database}.words ORDER BY mark");
        state.insert("ROWS words".into(), query::column(root, &words).await);
    }
    state
}

/// An object's `sql_mode` without the modes that only refuse: those a session has by the server's default.
fn without_strictness(sql_mode: &str) -> String {
    const STRICT: [&str; 7] = [
        "ERROR_FOR_DIVISION_BY_ZERO",
        "NO_AUTO_CREATE_USER",
        "NO_ZERO_DATE",
        "NO_ZERO_IN_DATE",
        "ONLY_FULL_GROUP_BY",
        "STRICT_ALL_TABLES",
        "TRADITIONAL",
    ];
    let modes: Vec<_> = sql_mode.split(',').filter(|mode| !STRICT.contains(mode)).collect();
    modes.join(",")
}
