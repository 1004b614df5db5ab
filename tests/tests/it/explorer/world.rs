//! Where scenarios happen: a central database on the tests' own server, and the tenants on one that is nobody else's.

use std::{
    fs,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{Fleet, Invocation, KEY, Server, canary, proxy::Proxy, query, tell};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, raw_sql};
use throwaway_server::{Flavour, Options, ThrowawayServer};
use tokio::time::{sleep, timeout};

use super::{
    check::brief,
    scenario::{N_TENANTS, Scenario},
    script::version,
};

const PASSWORD: &str = "password-of-an-explorer";

/// The names that tenants have, the provisioned one last.
pub(super) const TENANTS: [&str; N_TENANTS + 1] = ["t0", "t1", "t2", "p"];

/// Room for a server's own files and a few small databases.
const DISK: u64 = 400 << 20;

/// How long each thing may take, given to every run: all its waits together are well below what a scenario may take.
const PATIENCE: &str = "--connect-timeout 2s --connect-retries 2 --lock-timeout 4s --lock-wait 1s --lock-wait-retries 1 \
     --statement-timeout 6s --format json";

/// What an oracle's own connection needs, whatever the server's settings are meanwhile.
const PLAIN: &str = "SET SESSION autocommit = 1, sql_select_limit = 18446744073709551615, sql_safe_updates = 0, \
     max_join_size = 18446744073709551615, completion_type = 'NO_CHAIN', lock_wait_timeout = 30, \
     innodb_lock_wait_timeout = 30, wait_timeout = 28800, foreign_key_checks = 1, unique_checks = 1, \
     default_storage_engine = InnoDB, group_concat_max_len = 1000000, net_read_timeout = 30, net_write_timeout = 60, \
     max_error_count = 64, sql_notes = 1";
const PLAIN_MYSQL: &str = "SET SESSION max_execution_time = 0, transaction_isolation = 'READ-COMMITTED', \
     transaction_read_only = 0, sql_require_primary_key = 0, sql_generate_invisible_primary_key = 0";
const PLAIN_MARIADB: &str = "SET SESSION max_statement_time = 0, tx_isolation = 'READ-COMMITTED', tx_read_only = 0, \
     idle_transaction_timeout = 0";

/// Why a scenario cannot be had: no fault of what is tested.
#[derive(Debug)]
pub(super) struct Trouble(pub(super) String);

impl<E: std::error::Error> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

pub(super) struct World {
    server: &'static Server,
    fleet: Fleet,
    /// The tenants' server, and one that is ready to take over from it.
    primary: tokio::sync::Mutex<ThrowawayServer>,
    second: tokio::sync::Mutex<Option<ThrowawayServer>>,
    /// A server whose disk can be full; it does not survive being killed.
    cramped: tokio::sync::Mutex<Option<ThrowawayServer>>,
    pub(super) proxies: Vec<Proxy>,
    pub(super) central_proxy: Proxy,
    now: Mutex<Now>,
}

/// What changes within a scenario.
#[derive(Default)]
pub(super) struct Now {
    /// Where the tenants' databases are, for root.
    pub(super) root_url: String,
    /// When another server took over.
    pub(super) failed_over: Option<Instant>,
    /// Whether the server was killed, and its bystanders with it.
    pub(super) crashed: bool,
    /// Whether the server is the one whose disk can be full.
    is_cramped: bool,
    /// The process that each client runs.
    pub(super) pids: Vec<Option<u32>>,
    /// Global variables that were changed, with what they were.
    changed: Vec<(String, String)>,
    /// What has happened, for the report.
    pub(super) log: Vec<String>,
    began: Option<Instant>,
}

impl World {
    /// Starts the tenants' server; `None`, and says so, where there is none that may be disturbed.
    pub(super) async fn new(server: &'static Server, name: &'static str) -> Option<Arc<Self>> {
        let primary = start(server.flavour()).await;
        if !primary.is_ours() {
            tell("nothing is explored: the one server there is, is not ours to disturb");
            return None;
        }
        let fleet = Fleet::new(server, name).await;
        let mut proxies = Vec::new();
        for _ in 0..N_TENANTS {
            proxies.push(Proxy::before(primary.host(), primary.port()).await);
        }
        let present = Mutex::new(Now { root_url: primary.root_url().to_owned(), ..Now::default() });
        let (primary, second) = (tokio::sync::Mutex::new(primary), tokio::sync::Mutex::new(None));
        let central_proxy = Proxy::before(server.host(), server.port()).await;
        let cramped = tokio::sync::Mutex::new(None);
        let world = Self { server, fleet, primary, second, cramped, proxies, central_proxy, now: present };
        canary::learn(PASSWORD);
        let key = Key::parse(KEY).expect("a key");
        let mut central = world.fleet.connect_central().await;
        for (tenant, proxy) in TENANTS.iter().zip(&world.proxies) {
            let sealed = seal::seal(PASSWORD, &key, entropy::random_iv().expect("chance"));
            let (slug, port) = (world.slug(tenant), proxy.port());
            let (database, account) = (world.database(tenant), world.account(tenant));
            let sql = format!(
                "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) VALUES \
                 ('{slug}-id', '{slug}', '{tenant}', '127.0.0.1', {port}, '{database}', '{account}', '{sealed}', 'ACTIVE')"
            );
            query::run(&mut central, &sql).await;
        }
        let account = world.account("central");
        let make = format!(
            "CREATE USER '{account}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {}.* TO '{account}'@'%'",
            world.fleet.central_database()
        );
        query::run(&mut central, &make).await;
        world.make_accounts(&world.root_url()).await.expect("accounts can be made");
        Some(Arc::new(world))
    }

    pub(super) fn is_mysql(&self) -> bool {
        self.server.is_mysql()
    }

    pub(super) fn slug(&self, tenant: &str) -> String {
        self.fleet.slug(tenant)
    }

    pub(super) fn database(&self, tenant: &str) -> String {
        self.fleet.database(tenant)
    }

    pub(super) fn account(&self, tenant: &str) -> String {
        self.fleet.account(tenant)
    }

    pub(super) fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn root_url(&self) -> String {
        self.now().root_url.clone()
    }

    /// Notes what happens.
    pub(super) fn note(&self, what: &str) {
        let mut now = self.now();
        let at = now.began.map_or(0, |began| began.elapsed().as_millis());
        now.log.push(format!("{at} ms: {what}"));
    }

    /// Root, where the tenants' databases are now, whatever the server's settings are.
    pub(super) async fn root(&self) -> Result<MySqlConnection, sqlx::Error> {
        self.plain(&self.root_url()).await
    }

    /// A tenant's account, as its application logs in.
    pub(super) async fn application(&self, tenant: &str) -> Result<MySqlConnection, sqlx::Error> {
        let url = self.root_url();
        let place = url.rsplit_once('@').expect("a login").1.trim_end_matches('/');
        let (account, database) = (self.account(tenant), self.database(tenant));
        MySqlConnection::connect(&format!("mysql://{account}:{PASSWORD}@{place}/{database}")).await
    }

    async fn plain(&self, url: &str) -> Result<MySqlConnection, sqlx::Error> {
        let mut connection = MySqlConnection::connect(url).await?;
        let more = if self.is_mysql() { PLAIN_MYSQL } else { PLAIN_MARIADB };
        for sql in [PLAIN, more] {
            connection.execute(raw_sql(sql)).await?;
        }
        Ok(connection)
    }

    /// The tests' own server, where what is undisturbed runs.
    pub(super) fn server(&self) -> &'static Server {
        self.server
    }

    /// The name of the database where what is undisturbed runs.
    pub(super) fn undisturbed_database(&self) -> String {
        self.fleet.database("undisturbed")
    }

    /// Root on the central database.
    pub(super) async fn central(&self) -> MySqlConnection {
        self.fleet.connect_central().await
    }

    /// A run of the binary with these arguments.
    pub(super) fn run(&self, args: &str) -> Invocation {
        let admin = {
            let url = self.root_url();
            let (login, _) = url.rsplit_once('@').expect("a login");
            format!("{login}@127.0.0.1:{}/mysql", self.proxies[0].port())
        };
        let central = format!(
            "mysql://{}:{PASSWORD}@127.0.0.1:{}/{}",
            self.account("central"),
            self.central_proxy.port(),
            self.fleet.central_database()
        );
        let is_provision = args.starts_with("tenant:provision");
        self.fleet
            .run(&format!("{args} {PATIENCE}"))
            .env("CENTRAL_DATABASE_URL", central)
            .env("TENANT_SSL_MODE", if is_provision { "PREFERRED" } else { "DISABLED" })
            .env("SCRATCH_URL", self.server.url("mysql"))
            .env("TENANT_ADMIN_URL", if is_provision { admin } else { String::new() })
    }

    /// Brings everything to where the scenario begins.
    pub(super) async fn reset(&self, scenario: &Scenario) -> Result<(), Trouble> {
        self.lift().await;
        let url = if scenario.is_cramped() {
            self.cramped_url().await?
        } else {
            self.primary.lock().await.root_url().to_owned()
        };
        let is_cramped = scenario.is_cramped();
        *self.now() =
            Now { root_url: url.clone(), is_cramped, began: Some(Instant::now()), ..Now::default() };
        self.now().pids = vec![None; scenario.clients.len()];
        self.write_files(scenario);
        let mut central = self.central().await;
        let active: Vec<_> =
            TENANTS[..scenario.n_tenants].iter().map(|name| format!("'{}'", self.slug(name))).collect();
        let sql = format!(
            "DELETE FROM tenants WHERE slug = '{}'; \
             UPDATE tenants SET status = IF(slug IN ({}), 'ACTIVE', 'ARCHIVED')",
            self.slug("p"),
            active.join(", ")
        );
        query::run(&mut central, &sql).await;
        query::run(&mut central, &format!("ALTER USER '{}'@'%' ACCOUNT UNLOCK", self.account("central")))
            .await;
        central.close().await.ok();
        if let Some(behind) = scenario.behind() {
            let second = self.second_url().await?;
            self.redirect_to(&second);
            self.now().root_url.clone_from(&second);
            self.prepare(scenario, scenario.n_applied.saturating_sub(behind)).await?;
        }
        self.redirect_to(&url);
        self.now().root_url = url;
        self.prepare(scenario, scenario.n_applied).await?;
        for setting in &scenario.settings {
            if let Err(error) = self.set_global(&setting.name, &setting.value).await {
                self.note(&format!("SET GLOBAL {} = {}: {error}", setting.name, setting.value));
            }
        }
        for proxy in self.all_proxies() {
            proxy.arm(None);
        }
        self.now().began = Some(Instant::now());
        Ok(())
    }

    fn write_files(&self, scenario: &Scenario) {
        let folder = self.fleet.migrations("tenant");
        for entry in fs::read_dir(&folder).expect("a folder") {
            fs::remove_file(entry.expect("an entry").path()).expect("it can be removed");
        }
        for (name, text) in scenario.texts() {
            self.fleet.write(&name, &text);
        }
    }

    /// Those of the tenants, and the central database's as the last.
    pub(super) fn all_proxies(&self) -> impl Iterator<Item = &Proxy> {
        self.proxies.iter().chain([&self.central_proxy])
    }

    /// The databases of the tenants, with so many files applied.
    async fn prepare(&self, scenario: &Scenario, n_applied: usize) -> Result<(), Trouble> {
        let mut root = self.root().await?;
        for tenant in &TENANTS[..N_TENANTS] {
            execute(&mut root, &format!("ALTER USER '{}'@'%' ACCOUNT UNLOCK", self.account(tenant))).await?;
        }
        self.let_in(&self.root_url()).await?;
        for (index, tenant) in TENANTS.iter().enumerate() {
            let database = self.database(tenant);
            let mut sql = format!("DROP DATABASE IF EXISTS {database}");
            if index < scenario.n_tenants {
                sql.push_str("; CREATE DATABASE ");
                sql.push_str(&database);
                sql.push_str(" CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci");
            }
            execute(&mut root, &sql).await?;
        }
        execute(&mut root, &format!("DROP USER IF EXISTS '{}'@'%'", self.account("p"))).await?;
        // The base comes first, as it has the gate.
        for place in [Some(0), n_applied.checked_sub(1)].into_iter().flatten().take(2) {
            if n_applied == 0 {
                break;
            }
            let run = self.run(&format!("migrate:all-tenants --to {}", version(place))).await;
            if run.code != Some(0) {
                return Err(Trouble(format!("the beginning cannot be made\n{}", brief(&run))));
            }
            if n_applied == 1 {
                break;
            }
            self.set_gate(&mut root, scenario, place == 0).await?;
        }
        root.close().await.ok();
        Ok(())
    }

    /// Opens the gate of every tenant, as somebody does who puts the data right, or closes it.
    pub(super) async fn set_gate(
        &self,
        root: &mut MySqlConnection,
        scenario: &Scenario,
        is_open: bool,
    ) -> Result<(), sqlx::Error> {
        for tenant in &TENANTS[..scenario.n_tenants] {
            self.set_gate_of(root, tenant, is_open).await?;
        }
        Ok(())
    }

    pub(super) async fn set_gate_of(
        &self,
        root: &mut MySqlConnection,
        tenant: &str,
        is_open: bool,
    ) -> Result<(), sqlx::Error> {
        let database = self.database(tenant);
        let has_gate = format!(
            "SELECT 1 FROM information_schema.tables WHERE table_schema = '{database}' AND table_name = 'gate'"
        );
        if !query::rows(root, &has_gate).await.is_empty() {
            let insert =
                if is_open { format!("; INSERT INTO {database}.gate VALUES (1)") } else { String::new() };
            execute(root, &format!("DELETE FROM {database}.gate{insert}")).await?;
        }
        Ok(())
    }

    /// From now on the tenants' databases are there.
    pub(super) fn redirect_to(&self, url: &str) {
        let place = url.rsplit_once('@').expect("a login").1.trim_end_matches('/');
        let (host, port) = place.rsplit_once(':').expect("a port");
        for proxy in &self.proxies {
            proxy.redirect(host, port.parse().expect("a port"));
        }
    }

    /// A second server, started when it is first needed; gives root's URL.
    pub(super) async fn second_url(&self) -> Result<String, Trouble> {
        let mut second = self.second.lock().await;
        if second.is_none() {
            let started = start(self.server.flavour()).await;
            self.make_accounts(started.root_url()).await?;
            *second = Some(started);
        }
        Ok(second.as_ref().expect("it is started").root_url().to_owned())
    }

    /// The server whose disk can be full, started when it is first needed, and when it did not get over it; gives root's URL.
    async fn cramped_url(&self) -> Result<String, Trouble> {
        let mut cramped = self.cramped.lock().await;
        if let Some(server) = cramped.as_ref()
            && self.plain(server.root_url()).await.is_err()
        {
            *cramped = None;
        }
        if cramped.is_none() {
            let options = Options {
                flavour: Some(self.server.flavour()),
                disk_bytes: Some(DISK),
                server_arguments: vec!["--max-user-connections=100000".into()],
                ..Options::default()
            };
            let started = throwaway_server::start(&options).await?;
            canary::learn(started.root_password());
            self.make_accounts(started.root_url()).await?;
            *cramped = Some(started);
        }
        Ok(cramped.as_ref().expect("it is started").root_url().to_owned())
    }

    pub(super) async fn fill_disk(&self) -> Result<(), Trouble> {
        match self.cramped.lock().await.as_ref() {
            Some(server) => Ok(server.fill_disk().await?),
            None => Err(Trouble("there is no small disk".into())),
        }
    }

    /// Makes room again, where there is none.
    pub(super) async fn free_disk(&self) {
        if let Some(server) = self.cramped.lock().await.as_ref() {
            // A server that did not get over it is replaced before the next scenario.
            server.free_disk().await.ok();
        }
    }

    /// Kills the server and starts it again on its data.
    pub(super) async fn crash(&self) -> Result<(), Trouble> {
        let mut primary = self.primary.lock().await;
        if self.now().is_cramped {
            return Err(Trouble("the data of this server is in memory".into()));
        }
        self.now().crashed = true;
        primary.crash().await?;
        let url = primary.root_url().to_owned();
        drop(primary);
        self.let_in(&url).await?;
        if self.now().failed_over.is_none() {
            self.redirect_to(&url);
            self.now().root_url = url;
        }
        Ok(())
    }

    async fn make_accounts(&self, url: &str) -> Result<(), Trouble> {
        let mut root = self.plain(url).await?;
        for tenant in &TENANTS[..N_TENANTS] {
            let (account, database) = (self.account(tenant), self.database(tenant));
            let sql = format!(
                "CREATE USER '{account}'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON {database}.* TO '{account}'@'%'"
            );
            execute(&mut root, &sql).await?;
        }
        // A limit for everybody must leave root alone.
        execute(&mut root, "ALTER USER 'root'@'%' WITH MAX_USER_CONNECTIONS 1000").await?;
        let bystander = "CREATE DATABASE bystander; CREATE TABLE bystander.kept (id INT NOT NULL PRIMARY KEY) ENGINE = InnoDB; \
             INSERT INTO bystander.kept VALUES (1), (2), (3)";
        execute(&mut root, bystander).await?;
        self.let_in(url).await
    }

    /// Logs in by TLS: a server that has just been started knows no account yet that it lets in without.
    pub(super) async fn let_in(&self, url: &str) -> Result<(), Trouble> {
        let place = url.rsplit_once('@').expect("a login").1;
        for tenant in &TENANTS[..N_TENANTS] {
            let url = format!("mysql://{}:{PASSWORD}@{}", self.account(tenant), place.trim_end_matches('/'));
            MySqlConnection::connect(&url).await?.close().await?;
        }
        MySqlConnection::connect(url).await?.close().await?;
        Ok(())
    }

    /// Sets a global variable, until [`Self::lift`].
    pub(super) async fn set_global(&self, name: &str, value: &str) -> Result<(), sqlx::Error> {
        let mut root = self.root().await?;
        let before = query::value(&mut root, &format!("SELECT @@GLOBAL.{name}")).await;
        let before = if before.parse::<f64>().is_ok() { before } else { format!("'{before}'") };
        execute(&mut root, "SET SESSION lock_wait_timeout = 1").await?;
        execute(&mut root, &format!("SET GLOBAL {name} = {value}")).await?;
        self.now().changed.push((name.to_owned(), before));
        Ok(())
    }

    /// Sets back what was changed since the scenario began.
    pub(super) async fn unset_globals(&self) {
        let changed: Vec<_> = self.now().changed.drain(..).rev().collect();
        if changed.is_empty() {
            return;
        }
        let Ok(mut root) = self.root().await else { return };
        for (name, before) in changed {
            // A server that was started again has its defaults; the variables are there all the same.
            if let Err(error) = execute(&mut root, &format!("SET GLOBAL {name} = {before}")).await {
                tell(&format!("explorer: SET GLOBAL {name} = {before}: {error}"));
            }
        }
    }

    /// Ends everything that disturbs.
    pub(super) async fn lift(&self) {
        self.free_disk().await;
        for proxy in self.all_proxies() {
            proxy.arm(None);
            proxy.set_pace(None);
        }
        self.unset_globals().await;
    }

    /// Waits until no run's connection is left on the server: it works on for clients that are gone.
    pub(super) async fn settle(&self, bystanders: &[String]) -> Result<(), Trouble> {
        const LIMIT: Duration = Duration::from_secs(20);
        let accounts: Vec<_> = TENANTS.iter().map(|tenant| format!("'{}'", self.account(tenant))).collect();
        let sql = format!(
            "SELECT id FROM information_schema.processlist WHERE user IN ({}) AND id NOT IN ({})",
            accounts.join(", "),
            bystanders.join(", ")
        );
        let settled = async {
            loop {
                if let Ok(mut root) = self.root().await {
                    let rows = query::rows(&mut root, &sql).await;
                    root.close().await.ok();
                    if rows.is_empty() {
                        return;
                    }
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(LIMIT, settled).await.map_err(|_| Trouble("a connection of a tenant stays".into()))
    }
}

async fn start(flavour: Flavour) -> ThrowawayServer {
    let server_arguments = vec!["--max-user-connections=100000".into()];
    let options =
        Options { flavour: Some(flavour), is_durable: true, server_arguments, ..Options::default() };
    let server = throwaway_server::start(&options).await.expect("a server of its own");
    canary::learn(server.root_password());
    server
}

/// Runs statements whose rows nobody wants.
pub(super) async fn execute(connection: &mut MySqlConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(raw_sql(AssertSqlSafe(sql.to_owned()))).await.map(|_| ())
}
