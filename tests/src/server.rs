//! One server of each flavour for all tests of this process.

use std::{
    io::Write as _,
    sync::{LazyLock, OnceLock},
};

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use throwaway_server::{Flavour, Options, Source, ThrowawayServer};
use tokio::{runtime::Runtime, sync::OnceCell};

use crate::canary;

/// A server that all tests of this process share.
#[derive(Debug)]
pub struct Server {
    throwaway: ThrowawayServer,
    root_url: String,
    /// Whether the general log is on: not on a server that others use too.
    has_log: bool,
}

/// Outlives every test, as the servers do.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("a runtime")
});

static MYSQL: OnceCell<Result<Server, String>> = OnceCell::const_new();
static MARIADB: OnceCell<Result<Server, String>> = OnceCell::const_new();

/// Runs `test` on the server of this flavour, which is started for the first test that asks for it. Where it cannot be
/// had, the test passes, and standard error says once why nothing was tested; where `REQUIRE_SERVERS` names it (`mysql mariadb`),
/// as in CI, the test fails.
pub fn on(flavour: Flavour, test: impl AsyncFnOnce(&'static Server)) {
    RUNTIME.block_on(async {
        match get(flavour).await {
            Ok(server) => test(server).await,
            Err(reason) => {
                let required = std::env::var("REQUIRE_SERVERS").unwrap_or_default().to_lowercase();
                let is_required =
                    required.split_whitespace().any(|name| flavour.to_string().eq_ignore_ascii_case(name));
                assert!(!is_required, "REQUIRE_SERVERS: {reason}");
            }
        }
    });
}

/// Fails where no test has a server to run on.
pub fn some_server_is_there() {
    RUNTIME.block_on(async {
        let (mysql, mariadb) = (get(Flavour::MySql).await, get(Flavour::MariaDb).await);
        if let (Err(mysql), Err(mariadb)) = (mysql, mariadb) {
            panic!("nothing can be tested\nMySQL: {mysql}\nMariaDB: {mariadb}");
        }
    });
}

async fn get(flavour: Flavour) -> &'static Result<Server, String> {
    let cell = match flavour {
        Flavour::MySql => &MYSQL,
        Flavour::MariaDb => &MARIADB,
    };
    cell.get_or_init(|| async move {
        let server = start(flavour).await;
        match &server {
            Ok(server) => tell(&format!("{flavour} tests run on {}", server.throwaway.description())),
            Err(reason) => tell(&format!("{flavour} tests are SKIPPED: {reason}")),
        }
        server
    })
    .await
}

async fn start(flavour: Flavour) -> Result<Server, String> {
    if let Some(only) = only_flavour()
        && only != flavour.to_string().to_ascii_lowercase()
    {
        return Err(format!("THROWAWAY_FLAVOUR is {only}"));
    }
    let options = Options { flavour: Some(flavour), progress: Some(tell), ..Options::default() };
    let throwaway = throwaway_server::start(&options).await.map_err(|error| error.to_string())?;
    canary::learn(throwaway.root_password());
    let root_url = throwaway.root_url().trim_end_matches('/').to_owned();
    let server = Server { has_log: throwaway.is_ours(), throwaway, root_url };
    if server.has_log {
        let log = "SET GLOBAL log_output = 'TABLE'; SET GLOBAL general_log = 'ON'";
        server.connect("").await.execute(sqlx::raw_sql(log)).await.map_err(|error| error.to_string())?;
    }
    Ok(server)
}

fn only_flavour() -> Option<String> {
    static ONLY: OnceLock<Option<String>> = OnceLock::new();
    ONLY.get_or_init(|| std::env::var("THROWAWAY_FLAVOUR").ok().filter(|flavour| !flavour.is_empty())).clone()
}

/// Says `line` past the test runner, which swallows what a test that passes prints.
pub fn tell(line: &str) {
    writeln!(std::io::stderr(), "end-to-end: {line}").ok();
}

impl Server {
    /// A server that nobody else uses, whose settings a test may change; it is there to the end of the process. None, which
    /// is told, where the one there is was handed in by its URL.
    pub async fn own(flavour: Flavour) -> Option<&'static Self> {
        let server = start(flavour).await.unwrap_or_else(|reason| panic!("a second server: {reason}"));
        if !server.throwaway.is_ours() {
            tell("a server's defaults are NOT tested: the one there is, is not ours to change");
            return None;
        }
        Some(Box::leak(Box::new(server)))
    }

    /// Which one it is.
    pub fn flavour(&self) -> Flavour {
        self.throwaway.flavour()
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        self.throwaway.source()
    }

    /// Whether it is MySQL; else it is MariaDB.
    pub fn is_mysql(&self) -> bool {
        self.flavour() == Flavour::MySql
    }

    /// The host it listens on.
    pub fn host(&self) -> &str {
        self.throwaway.host()
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.throwaway.port()
    }

    /// The password of root.
    pub fn root_password(&self) -> &str {
        self.throwaway.root_password()
    }

    /// `mysql://root:PASSWORD@HOST:PORT/DATABASE`.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.root_url)
    }

    /// Connects as root to `database`, or to none where it is empty.
    pub async fn connect(&self, database: &str) -> MySqlConnection {
        MySqlConnection::connect(&self.url(database)).await.expect("root can connect")
    }

    /// Whether [`query::log_of`](crate::query::log_of) can answer.
    pub fn has_log(&self) -> bool {
        if !self.has_log {
            tell("what a server was asked is NOT tested: it is not ours to turn its general log on");
        }
        self.has_log
    }
}

/// Makes of every `async fn(server: &'static Server)` it is given one test per flavour: `mysql::name`, `mariadb::name`.
#[macro_export]
macro_rules! on_each_server {
    ($($name:ident),+ $(,)?) => {
        mod mysql {
            $(#[test] fn $name() { $crate::on($crate::Flavour::MySql, super::$name); })+
        }
        mod mariadb {
            $(#[test] fn $name() { $crate::on($crate::Flavour::MariaDb, super::$name); })+
        }
    };
}
