//! A course of migrations that is run over and over, disturbed each time, and has to end as if nothing had been.

mod files;
mod looks;

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use backend_migrations::migration::Direction;
use end_to_end::{Flavour, Fleet, Invocation, Output, Server, proxy::Proxy, query, random::Random, schema};
use sqlx::{Connection as _, MySqlConnection, mysql::MySqlConnectOptions};
use throwaway_server::ThrowawayServer;
use tokio::task::JoinSet;

pub(crate) use self::files::{EVERY_KIND, Files, LONG, untransacted};
use self::looks::Looks;

/// So many databases are at work at once.
const N_LANES: usize = 3;

/// Enough for a killed client's statement to end on a busy machine, before the next run gets the lock.
const PATIENT: &str = "--lock-timeout 60s";

/// Where undoing ends: the version of the first file of [`EVERY_KIND`].
const FIRST: &str = "20260101000000";

/// The migrations, the databases to run them in, and how these have to look in the end.
#[derive(Debug)]
pub(crate) struct Course {
    fleet: Fleet,
    lanes: Vec<Lane>,
    end: State,
    /// Empty where all tables have transactions: then nobody has to look.
    looks: Looks,
    /// Whether the migrations are applied, or undone down to the first.
    direction: Direction,
    /// What the undisturbed run took.
    pub(crate) elapsed: Duration,
    /// The packets of the undisturbed run that began statements of [`LONG`].
    long_statements: Vec<usize>,
    /// Where the databases are, for root: `mysql://root:PASSWORD@HOST:PORT`.
    root_url: Mutex<String>,
}

/// One database, behind a proxy of its own.
#[derive(Debug)]
pub(crate) struct Lane {
    tenant: String,
    pub(crate) proxy: Proxy,
}

/// Definitions, rows and history of a database.
type State = BTreeMap<String, Vec<Vec<String>>>;

/// What came of a disturbed run and of what followed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// The run was done in spite of it.
    Unmoved,
    /// The next run was enough.
    NextRun,
    /// The next run refused to guess whether a statement is in the database, and `migrate:recover` found out.
    Recovered,
    /// Of rows in a table without transactions it could not, and was told by somebody who has looked.
    Told,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unmoved => "not moved by it",
            Self::NextRun => "mended by the next run",
            Self::Recovered => "mended by `migrate:recover`",
            Self::Told => "mended by `migrate:recover --from`",
        })
    }
}

impl Course {
    /// Makes the databases on `server` and runs the migrations once, undisturbed.
    pub(crate) async fn new(server: &'static Server, word: &'static str, files: Files) -> Self {
        Self::on(server, None, word, files, Direction::Up).await
    }

    /// As [`Self::new`], where what is run and disturbed undoes the migrations, down to the first.
    pub(crate) async fn back(server: &'static Server, word: &'static str, files: Files) -> Self {
        Self::on(server, None, word, files, Direction::Down).await
    }

    /// As [`Self::new`], with the databases on a server of their own.
    pub(crate) async fn on(
        server: &'static Server,
        other: Option<&ThrowawayServer>,
        word: &'static str,
        files: Files,
        direction: Direction,
    ) -> Self {
        let fleet = Fleet::new(server, word).await;
        let mut lanes = Vec::new();
        for number in 0..N_LANES {
            let tenant = format!("l{number}");
            // Its first login is by TLS, after which MySQL lets the account in without.
            fleet.provision(&tenant).await;
            let proxy = Proxy::before(server.host(), server.port()).await;
            let sql = format!(
                "UPDATE tenants SET db_host = '127.0.0.1', db_port = {} WHERE slug = '{}'",
                proxy.port(),
                fleet.slug(&tenant)
            );
            query::run(&mut fleet.connect_central().await, &sql).await;
            lanes.push(Lane { tenant, proxy });
        }
        for (name, text) in files.texts() {
            fleet.write(name, &text);
        }
        let mut course = Self {
            fleet,
            lanes,
            end: State::new(),
            looks: Looks::new(),
            direction,
            elapsed: Duration::ZERO,
            long_statements: Vec::new(),
            root_url: Mutex::new(server.url("")),
        };
        if let Some(other) = other {
            course.make_accounts(other).await;
            course.follow(other).await;
        }
        let lane = &course.lanes[0];
        if files.is_untransacted() {
            course.looks = course.look(lane, files).await;
        }
        course.clear(lane).await;
        lane.proxy.arm(None);
        let began = Instant::now();
        course.run(lane).await.exits(0);
        course.elapsed = began.elapsed();
        let packets = (1..).zip(lane.proxy.packets());
        course.long_statements =
            packets.filter(|(_, packet)| packet.asks("REPEAT(")).map(|(at, _)| at).collect();
        course.end = course.state(lane).await;
        course
    }

    /// The server's flavour.
    pub(crate) fn flavour(&self) -> Flavour {
        self.fleet.server().flavour()
    }

    /// The lane that the undisturbed run was in; its proxy has the packets.
    pub(crate) fn first_lane(&self) -> &Lane {
        &self.lanes[0]
    }

    /// The packet that begins one of the statements of [`LONG`], and how long after it something is to happen.
    pub(crate) fn inside_of_a_long_statement(&self, random: &mut Random) -> (usize, Duration) {
        // Most of the run is these two statements, so at times it happens after the end of one.
        let delay =
            self.elapsed.mul_f64(f64::from(u16::try_from(random.below(1000)).expect("small")) / 1000.0);
        (random.one_of(&self.long_statements), delay)
    }

    /// A run of the migrations in a lane.
    pub(crate) fn run(&self, lane: &Lane) -> Invocation {
        let slug = self.fleet.slug(&lane.tenant);
        let args = match self.direction {
            Direction::Up => format!("migrate:tenant {slug} {PATIENT}"),
            Direction::Down => format!("migrate:rollback --tenant {slug} --to {FIRST} {PATIENT}"),
        };
        self.fleet.run(&args).env("TENANT_SSL_MODE", "DISABLED")
    }

    /// Makes the lanes' accounts on another server too.
    async fn make_accounts(&self, other: &ThrowawayServer) {
        let mut root = MySqlConnection::connect(other.root_url()).await.expect("root can connect");
        for lane in &self.lanes {
            let (account, database) = (self.fleet.account(&lane.tenant), self.fleet.database(&lane.tenant));
            let password = self.password(lane).await;
            let sql = format!(
                "CREATE USER '{account}'@'%' IDENTIFIED BY '{password}'; GRANT ALL ON {database}.* TO '{account}'@'%'; \
                 CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
            );
            query::run(&mut root, &sql).await;
        }
    }

    /// Finds the databases' own server again, where it is now.
    pub(crate) async fn follow(&self, other: &ThrowawayServer) {
        other.root_url().clone_into(&mut self.root_url.lock().unwrap_or_else(PoisonError::into_inner));
        for lane in &self.lanes {
            lane.proxy.redirect(other.host(), other.port());
            // By TLS: a server that has just been started knows no account yet that it lets in without.
            self.connect_as_tenant(lane).await.close().await.ok();
        }
    }

    async fn connect(&self, database: &str) -> MySqlConnection {
        MySqlConnection::connect_with(&self.root_options().database(database))
            .await
            .expect("root can connect")
    }

    async fn connect_as_tenant(&self, lane: &Lane) -> MySqlConnection {
        let options = self.root_options().database(&self.fleet.database(&lane.tenant));
        let options =
            options.username(&self.fleet.account(&lane.tenant)).password(&self.password(lane).await);
        MySqlConnection::connect_with(&options).await.expect("a tenant can connect")
    }

    fn root_options(&self) -> MySqlConnectOptions {
        self.root_url().parse().expect("a URL")
    }

    async fn password(&self, lane: &Lane) -> String {
        let url = self.fleet.tenant_url(&lane.tenant).await;
        let (_, rest) = url.split_once("//").expect("a URL");
        let (login, _) = rest.split_once('@').expect("a login");
        login.split_once(':').expect("a password").1.to_owned()
    }

    /// Makes a lane's database anew, and brings it to where the course begins.
    pub(crate) async fn clear(&self, lane: &Lane) {
        let database = self.fleet.database(&lane.tenant);
        let mut root = self.connect("").await;
        let sql = format!(
            "DROP DATABASE IF EXISTS {database}; \
             CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        );
        query::run(&mut root, &sql).await;
        root.close().await.ok();
        if self.direction == Direction::Down {
            lane.proxy.arm(None);
            let slug = self.fleet.slug(&lane.tenant);
            let run = self.fleet.run(&format!("migrate:tenant {slug} {PATIENT}"));
            run.env("TENANT_SSL_MODE", "DISABLED").await.exits(0);
        }
    }

    /// Brings a lane to its end after `first`, a run that was disturbed, by the ways that a user has.
    ///
    /// # Errors
    ///
    /// Where the ways lead elsewhere.
    pub(crate) async fn mend(&self, lane: &Lane, first: &Output) -> Result<Outcome, String> {
        let mut outcome = Outcome::Unmoved;
        if first.code != Some(0) {
            let next = self.run(lane).await;
            outcome = Outcome::NextRun;
            if next.code != Some(0) {
                // It may refuse for this one reason.
                if !next.text().contains("dirty: ") {
                    return Err(format!("the next run does not go on\nfirst: {first}\nnext: {next}"));
                }
                let mut recover = self.recover(lane).await;
                outcome = Outcome::Recovered;
                if recover.code != Some(0)
                    && let Some(n) = self.n_seen(lane).await
                {
                    recover = self.recover(lane).arg("--from").arg((n + 1).to_string()).await;
                    outcome = Outcome::Told;
                }
                let last = self.run(lane).await;
                if recover.code != Some(0) || last.code != Some(0) {
                    return Err(format!(
                        "it is not recovered\nfirst: {first}\nnext: {next}\nrecover: {recover}\nlast: {last}"
                    ));
                }
            }
        }
        let differences = self.differences(lane).await;
        if differences.is_empty() {
            return Ok(outcome);
        }
        Err(format!("it ends elsewhere: {differences:#?}\nfirst: {first}"))
    }

    /// Runs once more what is done already.
    ///
    /// # Errors
    ///
    /// Where that changes anything.
    pub(crate) async fn again(&self, lane: &Lane) -> Result<(), String> {
        let output = self.run(lane).await;
        match self.differences(lane).await {
            differences if !differences.is_empty() => {
                Err(format!("run again, it ends elsewhere: {differences:#?}\n{output}"))
            }
            _ if self.direction == Direction::Up && output.code != Some(0) => {
                Err(format!("run again, it fails\n{output}"))
            }
            _ => Ok(()),
        }
    }

    /// What is other than after the undisturbed run.
    async fn differences(&self, lane: &Lane) -> Vec<String> {
        let state = self.state(lane).await;
        let differing = |(key, rows): (&String, &Vec<Vec<String>>)| {
            let expected = self.end.get(key);
            (expected != Some(rows)).then(|| format!("{key}: {rows:?}, undisturbed {expected:?}"))
        };
        let missing =
            self.end.keys().filter(|key| !state.contains_key(*key)).map(|key| format!("{key} is missing"));
        state.iter().filter_map(differing).chain(missing).collect()
    }

    /// What the refusal asks for. A tenant's account makes no databases, so the scratch ones are made by root. The server may still
    /// be about to notice that a client is gone.
    fn recover(&self, lane: &Lane) -> Invocation {
        let slug = self.fleet.slug(&lane.tenant);
        let scratch = format!("{}/mysql", self.root_url().trim_end_matches('/'));
        self.fleet
            .run(&format!("migrate:recover {slug} --resume --yes --wait {PATIENT}"))
            .env("TENANT_SSL_MODE", "DISABLED")
            .env("SCRATCH_URL", scratch)
    }

    fn root_url(&self) -> String {
        self.root_url.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn state(&self, lane: &Lane) -> State {
        let database = self.fleet.database(&lane.tenant);
        let account = self.fleet.account(&lane.tenant);
        let mut connection = self.connect(&database).await;
        let state = state(&mut connection, &database, &account).await;
        connection.close().await.ok();
        state
    }

    /// Does `one` with each of `cases`, several lanes at a time; fails with all that failed, else gives the counts.
    pub(crate) async fn each<C, F>(
        self,
        cases: Vec<C>,
        one: impl Fn(Arc<Self>, usize, C) -> F + Clone + Send + Sync + 'static,
    ) -> BTreeMap<Outcome, usize>
    where
        C: fmt::Debug + Clone + Send + 'static,
        F: Future<Output = Result<Outcome, String>> + Send,
    {
        let n_cases = cases.len();
        let course = Arc::new(self);
        let waiting = Arc::new(Mutex::new(VecDeque::from(cases)));
        let mut lanes = JoinSet::new();
        for lane in 0..N_LANES {
            let (course, waiting, one) = (course.clone(), waiting.clone(), one.clone());
            lanes.spawn(async move {
                let mut results = Vec::new();
                loop {
                    let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some(case) = next else { return results };
                    let result = one(course.clone(), lane, case.clone()).await;
                    results.push(result.map_err(|reason| format!("{case:?}: {reason}")));
                }
            });
        }
        let (mut counts, mut failures) = (BTreeMap::new(), Vec::new());
        for result in lanes.join_all().await.into_iter().flatten() {
            match result {
                Ok(outcome) => *counts.entry(outcome).or_default() += 1,
                Err(failure) => failures.push(failure),
            }
        }
        assert!(failures.is_empty(), "{} of {n_cases} failed:\n{}", failures.len(), failures.join("\n\n"));
        counts
    }

    pub(crate) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    pub(crate) fn lane(&self, number: usize) -> &Lane {
        &self.lanes[number]
    }
}

/// Counts in words, for the one who watches.
pub(crate) fn in_words(counts: &BTreeMap<Outcome, usize>) -> String {
    let words: Vec<_> = counts.iter().map(|(outcome, n)| format!("{n} {outcome}")).collect();
    words.join(", ")
}

/// Definitions and rows.
async fn objects(connection: &mut MySqlConnection, database: &str, account: &str) -> State {
    let names = [(database, "DATABASE"), (account, "ACCOUNT")];
    let definitions = schema::definitions(connection, database, &names).await;
    let tables: Vec<_> = definitions
        .keys()
        .filter_map(|key| key.strip_prefix("TABLE "))
        .filter(|table| *table != "_sqlx_migrations")
        .map(str::to_owned)
        .collect();
    let mut state: State = definitions.into_iter().map(|(key, parts)| (key, vec![parts])).collect();
    for table in tables {
        let mut rows = query::rows(connection, &format!("SELECT * FROM {table}")).await;
        rows.sort();
        state.insert(format!("ROWS {table}"), rows);
    }
    state
}

async fn state(connection: &mut MySqlConnection, database: &str, account: &str) -> State {
    let mut state = objects(connection, database, account).await;
    // When and for how long is not the same twice, and not known where a run died.
    let history =
        "SELECT version, description, success, HEX(checksum) FROM _sqlx_migrations ORDER BY version";
    state.insert("HISTORY".into(), query::rows(connection, history).await);
    state.insert(
        "JOURNAL".into(),
        query::rows(
            connection,
            "SELECT version FROM _backend_migrations_journal UNION ALL SELECT version FROM _backend_migrations_statements",
        )
        .await,
    );
    state
}
