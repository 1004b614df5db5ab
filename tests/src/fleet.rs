//! A central database and its tenants, for one test.

use std::{
    collections::HashSet,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use backend_migrations::{seal, secret::Key};
use sqlx::MySqlConnection;
use tempfile::TempDir;
use throwaway_server::Flavour;

use crate::{Invocation, Program, Server, canary, program, query};

/// The key that the tests' tenants are sealed with.
pub const KEY: &str = "0123456789-key-of-the-tests-0123";

/// A central database of its own, tenants, and a folder of migrations; all gone when it is dropped.
///
/// Everything is named after the word it is made with, so that tests do not meet: tenant `acme` of the fleet `resume` has
/// the slug `resume-acme`, the database `resume_acme_db` and the account `tenant_resume_acme`.
#[derive(Debug)]
pub struct Fleet {
    server: &'static Server,
    word: &'static str,
    folder: TempDir,
}

/// Whether no fleet of this word has been made before in this process.
fn is_new(flavour: Flavour, word: &'static str) -> bool {
    static WORDS: Mutex<Option<HashSet<(Flavour, &'static str)>>> = Mutex::new(None);
    let mut words = WORDS.lock().unwrap_or_else(PoisonError::into_inner);
    words.get_or_insert_default().insert((flavour, word))
}

impl Fleet {
    /// Makes one: its central database by `migrate:latest`, no tenants, no tenant migrations.
    pub async fn new(server: &'static Server, word: &'static str) -> Self {
        let fleet = Self::without_tables(server, word).await;
        fleet.run("migrate:latest").await.exits(0);
        fleet
    }

    /// Makes one whose central database is empty.
    pub async fn without_tables(server: &'static Server, word: &'static str) -> Self {
        assert!(
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
            "{word:?} is no word: it is the first part of slugs and database names"
        );
        assert!(is_new(server.flavour(), word), "two tests have the word {word:?}");
        canary::learn(KEY);
        let folder = tempfile::tempdir().expect("a folder");
        for kind in ["central", "tenant"] {
            fs::create_dir(folder.path().join(kind)).expect("a folder");
        }
        let fleet = Self { server, word, folder };
        fleet.copy_migrations("central");
        // What a killed run left on a server that is not ours.
        remove(server, word).await;
        let sql = format!("CREATE DATABASE {} CHARACTER SET utf8mb4", fleet.central_database());
        query::run(&mut server.connect("").await, &sql).await;
        fleet
    }

    /// The server it is on.
    pub fn server(&self) -> &'static Server {
        self.server
    }

    /// The name of its central database.
    pub fn central_database(&self) -> String {
        format!("{}_central", self.word)
    }

    /// The slug of a tenant of this fleet.
    pub fn slug(&self, tenant: &str) -> String {
        format!("{}-{tenant}", self.word)
    }

    /// The database of a tenant of this fleet.
    pub fn database(&self, tenant: &str) -> String {
        format!("{}_{}_db", self.word, tenant.replace('-', "_"))
    }

    /// The account of a tenant of this fleet.
    pub fn account(&self, tenant: &str) -> String {
        format!("tenant_{}_{}", self.word, tenant.replace('-', "_"))
    }

    /// The folder of the tenants' migrations, or of the central database's.
    pub fn migrations(&self, kind: &str) -> PathBuf {
        self.folder.path().join(kind)
    }

    /// Writes a tenant migration's file, over one that is there.
    pub fn write(&self, file_name: &str, text: &str) {
        self.write_bytes(file_name, text.as_bytes());
    }

    /// As [`Self::write`], for what may be no text.
    pub fn write_bytes(&self, file_name: &str, bytes: &[u8]) {
        fs::write(self.migrations("tenant").join(file_name), bytes).expect("it can be written");
    }

    /// Removes a tenant migration's file.
    pub fn delete(&self, file_name: &str) {
        fs::remove_file(self.migrations("tenant").join(file_name)).expect("it is there");
    }

    /// Takes the tenant migrations of this repository.
    pub fn write_samples(&self) {
        self.copy_migrations("tenant");
    }

    fn copy_migrations(&self, kind: &str) {
        let from = program::root().join("migrations").join(kind);
        for entry in fs::read_dir(from).expect("the repository has migrations") {
            let entry = entry.expect("an entry");
            fs::copy(entry.path(), self.migrations(kind).join(entry.file_name())).expect("it can be copied");
        }
    }

    /// The release binary with this fleet's settings; see [`Invocation::new`].
    pub fn run(&self, args: &str) -> Invocation {
        self.with_administrator(args, self.with_settings(Invocation::new(Program::BackendMigrations, args)))
    }

    /// A recovery replays with the account that may make databases, if one is named; the central database's is none.
    fn with_administrator(&self, args: &str, invocation: Invocation) -> Invocation {
        if !args.starts_with("migrate:recover") {
            return invocation;
        }
        invocation.env("TENANT_ADMIN_URL", self.server.url(&self.central_database()))
    }

    /// `cargo xtask` with this fleet's settings.
    pub fn xtask(&self, args: &str) -> Invocation {
        self.with_administrator(args, self.with_settings(Invocation::new(Program::Xtask, args)))
    }

    fn with_settings(&self, invocation: Invocation) -> Invocation {
        let central = self.server.url(&self.central_database());
        invocation
            .env("CENTRAL_DATABASE_URL", &central)
            .env("DB_ENCRYPTION_KEY", KEY)
            .env("MIGRATIONS_DIR", self.folder.path())
            .central(central, KEY)
    }

    /// Makes a tenant by `tenant:provision`, with all migrations there are.
    pub async fn provision(&self, tenant: &str) {
        let slug = self.slug(tenant);
        let _ =
            self.run("tenant:provision").arg("--slug").arg(&slug).arg("--name").arg(tenant).await.exits(0);
    }

    /// `mysql://ACCOUNT:PASSWORD@HOST:PORT/DATABASE` of a tenant, opened from its row.
    pub async fn tenant_url(&self, tenant: &str) -> String {
        let mut central = self.connect_central().await;
        let sql = format!("SELECT db_password FROM tenants WHERE slug = '{}'", self.slug(tenant));
        let sealed = query::value(&mut central, &sql).await;
        let password =
            seal::open(&sealed, &Key::parse(KEY).expect("a key")).expect("it is sealed with the key");
        canary::learn(password.expose());
        let (account, database) = (self.account(tenant), self.database(tenant));
        let (host, port) = (self.server.host(), self.server.port());
        format!("mysql://{account}:{}@{host}:{port}/{database}", password.expose())
    }

    /// sqlx-cli on a tenant's database, as the tenant's own account and with the tenants' migrations:
    /// `sqlx("acme", "migrate run")`.
    pub async fn sqlx(&self, tenant: &str, args: &str) -> Invocation {
        Invocation::new(Program::Sqlx, args)
            .arg("--no-dotenv")
            .arg("--source")
            .arg(self.migrations("tenant"))
            .env("DATABASE_URL", self.tenant_url(tenant).await)
            .central(self.server.url(&self.central_database()), KEY)
    }

    /// Connects as root to the central database.
    pub async fn connect_central(&self) -> MySqlConnection {
        self.server.connect(&self.central_database()).await
    }

    /// Connects as root to a tenant's database.
    pub async fn connect(&self, tenant: &str) -> MySqlConnection {
        self.server.connect(&self.database(tenant)).await
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let (server, word) = (self.server, self.word);
        // This thread may be in the middle of a runtime's work, where nothing can be waited for.
        let removal = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(remove(server, word));
        });
        let is_removed = removal.join().is_ok();
        assert!(is_removed || std::thread::panicking(), "the databases of {word:?} cannot be removed");
    }
}

/// Removes every database and account that a fleet of this word has made.
async fn remove(server: &Server, word: &str) {
    let mut root = server.connect("").await;
    let databases =
        format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '{word}\\_%'");
    for database in query::column(&mut root, &databases).await {
        query::run(&mut root, &format!("DROP DATABASE `{}`", database.replace('`', "``"))).await;
    }
    let accounts = format!("SELECT user FROM mysql.user WHERE user LIKE 'tenant\\_{word}\\_%'");
    for account in query::column(&mut root, &accounts).await {
        query::run(&mut root, &format!("DROP USER '{account}'@'%'")).await;
    }
}
