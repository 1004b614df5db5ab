//! Behind one address there are two servers, and the way to the one leads to the other in the middle of a run: numbers of
//! connections mean somebody else there, and nobody else's connection is ended.

use std::time::Duration;

use end_to_end::{Fleet, Invocation, Output, Server, Started, on_each_server, proxy::Proxy, query, tell};
use sqlx::{Connection as _, MySqlConnection};
use throwaway_server::{Options, ThrowawayServer};
use tokio::task::JoinHandle;

on_each_server!(no_bystander_dies);

const SLOW: &str = "CREATE TABLE slow (id INT PRIMARY KEY);\nALTER TABLE slow COMMENT = 'x';\n\
                    UPDATE slow SET id = SLEEP(100);\nCREATE TABLE more AS SELECT SLEEP(100) AS n;";

async fn root(server: &ThrowawayServer) -> MySqlConnection {
    let url = format!("{}/mysql", server.root_url().trim_end_matches('/'));
    MySqlConnection::connect(&url).await.expect("root can connect")
}

/// Two servers with the tenant's database and account, and the proxy that leads to the first.
struct Pair {
    fleet: Fleet,
    first: ThrowawayServer,
    second: ThrowawayServer,
    proxy: Proxy,
}

impl Pair {
    async fn new(server: &'static Server) -> Option<Self> {
        let options = || Options { flavour: Some(server.flavour()), ..Options::default() };
        let first = throwaway_server::start(&options()).await.expect("a server");
        if !first.is_ours() {
            tell("a failover is NOT tested: there is one server, and it is not ours");
            return None;
        }
        let second = throwaway_server::start(&options()).await.expect("another server");
        let fleet = Fleet::new(server, "failover").await;
        fleet.provision("acme").await;
        let url = fleet.tenant_url("acme").await;
        let password = url.split([':', '@']).nth(2).expect("a password").to_owned();
        let (database, account) = (fleet.database("acme"), fleet.account("acme"));
        for server in [&first, &second] {
            let mut root = root(server).await;
            for sql in [
                format!("CREATE DATABASE {database} CHARACTER SET utf8mb4"),
                format!("CREATE USER '{account}'@'%' IDENTIFIED BY '{password}'"),
                format!("GRANT ALL ON {database}.* TO '{account}'@'%'"),
            ] {
                query::run(&mut root, &sql).await;
            }
        }
        let proxy = Proxy::before(first.host(), first.port()).await;
        let sql = format!(
            "UPDATE tenants SET db_host = '127.0.0.1', db_port = {} WHERE slug = '{}'",
            proxy.port(),
            fleet.slug("acme")
        );
        query::run(&mut fleet.connect_central().await, &sql).await;
        fleet.write("20260101000000_slow.up.sql", SLOW);
        Some(Self { fleet, first, second, proxy })
    }

    fn run(&self) -> Invocation {
        self.fleet.run(&format!("migrate:tenant {}", self.fleet.slug("acme")))
    }

    /// Starts a run, and an application's statement on the second server under the very number that the run's connection has
    /// on the first; from then on the address leads to the second.
    async fn begin(&self, run: Invocation) -> (Started, u64, JoinHandle<Result<(), sqlx::Error>>) {
        self.proxy.redirect(self.first.host(), self.first.port());
        let (database, account) = (self.fleet.database("acme"), self.fleet.account("acme"));
        let mut first = root(&self.first).await;
        for sql in [format!("DROP DATABASE {database}"), format!("CREATE DATABASE {database}")] {
            query::run(&mut first, &sql).await;
        }
        // The numbers on the first have to be ahead.
        let number = async |server: &ThrowawayServer| -> u64 {
            let mut root = root(server).await;
            let number = query::value(&mut root, "SELECT CONNECTION_ID()").await.parse().expect("a number");
            root.close().await.ok();
            number
        };
        let ahead = number(&self.second).await + 5;
        while number(&self.first).await < ahead {}
        let run = run.start().await;
        let running = query::running(&account.replace('_', "\\_"), "SLEEP(100)");
        let id = query::rows_once_there(&mut first, &running).await[0][0].parse().expect("a number");
        let bystander = loop {
            let mut bystander = root(&self.second).await;
            let own: u64 =
                query::value(&mut bystander, "SELECT CONNECTION_ID()").await.parse().expect("a number");
            assert!(own <= id, "the second server's numbers are past {id}: {own}");
            if own == id {
                break bystander;
            }
            bystander.close().await.ok();
        };
        let database = database.clone();
        let bystander = tokio::spawn(async move {
            let mut bystander = bystander;
            query::run(&mut bystander, &format!("USE {database}")).await;
            sqlx::Executor::execute(&mut bystander, "SELECT SLEEP(90)").await.map(|_| ())
        });
        let at_it = format!(
            "SELECT 1 FROM information_schema.processlist WHERE id = {id} AND info LIKE 'SELECT SLEEP(90)'"
        );
        query::rows_once_there(&mut root(&self.second).await, &at_it).await;
        self.proxy.redirect(self.second.host(), self.second.port());
        (run, id, bystander)
    }

    /// Fails unless the application's statement still runs.
    async fn is_unharmed(&self, id: u64, bystander: JoinHandle<Result<(), sqlx::Error>>, output: &Output) {
        let at_it = format!(
            "SELECT COUNT(*) FROM information_schema.processlist WHERE id = {id} AND info LIKE 'SELECT SLEEP(90)'"
        );
        assert_eq!(query::value(&mut root(&self.second).await, &at_it).await, "1", "{output}");
        assert!(!bystander.is_finished(), "{output}");
        bystander.abort();
        let mut second = root(&self.second).await;
        query::run(&mut second, &format!("KILL {id}")).await;
        let mut first = root(&self.first).await;
        let ours = query::running(&self.fleet.account("acme").replace('_', "\\_"), "SLEEP(100)");
        for id in query::column(&mut first, &ours).await {
            query::run(&mut first, &format!("KILL {id}")).await;
        }
    }
}

async fn no_bystander_dies(server: &'static Server) {
    let Some(pair) = Pair::new(server).await else { return };
    // Told twice to stop, it would end its statement.
    let (run, id, bystander) = pair.begin(pair.run()).await;
    run.signal("INT").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    run.signal("INT").await;
    let output = run.finish().await;
    output.says(&format!("as connection {id}, which could not be ended: another server answers"));
    pair.is_unharmed(id, bystander, &output).await;
    // As at the statement's limit.
    let (run, id, bystander) = pair.begin(pair.run().arg("--statement-timeout=3s")).await;
    let output = run.finish().await;
    output.says(&format!("as connection {id}, which could not be ended: another server answers"));
    pair.is_unharmed(id, bystander, &output).await;
    // The connection goes, and what became of its statement is looked for.
    let (run, id, bystander) = pair.begin(pair.run()).await;
    query::run(&mut root(&pair.first).await, &format!("KILL {id}")).await;
    let output = run.finish().await;
    output.says("whether the server still runs it cannot be seen: another server answers");
    pair.is_unharmed(id, bystander, &output).await;
}
