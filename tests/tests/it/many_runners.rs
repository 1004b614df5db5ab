//! Several runs at once over the same tenants: each migration is applied exactly once, and nobody fails but for having
//! waited long enough.

use std::{path::Path, sync::Arc};

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{
    Fleet, KEY, Output, Server, canary, on_each_server, query,
    random::{Random, quantity},
    tell,
};
use sqlx::{Connection as _, migrate::Migrator};
use tokio::task::JoinSet;

on_each_server!(rollouts_side_by_side, runs_over_single_tenants_side_by_side, our_runs_beside_a_patient_sqlx);

/// A run that waits as long as it takes, and one that does not.
const PATIENT: &str = "--lock-timeout 120s";
const IMPATIENT: &str = "--lock-timeout 1s";

/// Tenants that share an account, which costs less than provisioning each.
struct Crowd {
    fleet: Fleet,
    tenants: Vec<String>,
    /// Rounds of migrations so far.
    n_rounds: usize,
}

impl Crowd {
    async fn new(server: &'static Server, word: &'static str, n_tenants: usize) -> Self {
        let fleet = Fleet::new(server, word).await;
        let tenants: Vec<_> = (0..n_tenants).map(|number| format!("t{number}")).collect();
        let mut root = server.connect("").await;
        let (account, password) = (fleet.account("all"), "password-of-a-crowd");
        canary::learn(password);
        let key = Key::parse(KEY).expect("a key");
        let sealed = seal::seal(password, &key, entropy::random_iv().expect("chance"));
        let user = format!(
            "CREATE USER '{account}'@'%' IDENTIFIED BY '{password}'; \
             GRANT ALL ON `{word}\\_%`.* TO '{account}'@'%'"
        );
        query::run(&mut root, &user).await;
        let mut central = fleet.connect_central().await;
        for tenant in &tenants {
            let database = fleet.database(tenant);
            query::run(&mut root, &format!("CREATE DATABASE {database} CHARACTER SET utf8mb4")).await;
            let slug = fleet.slug(tenant);
            let sql = format!(
                "INSERT INTO tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
                 VALUES ('{slug}', '{slug}', '{tenant}', '{}', {}, '{database}', '{account}', '{sealed}', 'ACTIVE')",
                server.host(),
                server.port()
            );
            query::run(&mut central, &sql).await;
        }
        Self { fleet, tenants, n_rounds: 0 }
    }

    /// Adds a file of definitions and rows, one of rows alone, and one of rows in a table without transactions.
    fn add_migrations(&mut self) {
        self.n_rounds += 1;
        let round = self.n_rounds;
        let mixed = if round == 1 {
            "CREATE TABLE applied (round INT NOT NULL, n INT NOT NULL);\n\
             CREATE TABLE untransacted (round INT NOT NULL, n INT NOT NULL) ENGINE = MyISAM;\n"
                .to_owned()
        } else {
            format!("CREATE TABLE t{round} (id INT NOT NULL PRIMARY KEY);\n")
        };
        let day = 20_260_101_000_000_u64 + u64::try_from(round).expect("small") * 100;
        self.fleet.write(
            &format!("{day}_mixed.up.sql"),
            &format!("{mixed}INSERT INTO applied VALUES ({round}, 1);\n"),
        );
        self.fleet.write(
            &format!("{}_rows.up.sql", day + 1),
            &format!("INSERT INTO applied VALUES ({round}, 2);\nUPDATE applied SET n = n + 10 WHERE round = {round};\n"),
        );
        self.fleet.write(
            &format!("{}_untransacted.up.sql", day + 2),
            &format!("INSERT INTO untransacted VALUES ({round}, 1);\nINSERT INTO untransacted VALUES ({round}, 2);\n"),
        );
    }

    /// Fails unless every tenant has every migration once.
    async fn check(&self, what: &str) {
        let rounds = 1..=self.n_rounds;
        let expected: Vec<_> =
            rounds.flat_map(|round| [11, 12].map(|n| vec![round.to_string(), n.to_string()])).collect();
        let rounds = 1..=self.n_rounds;
        let untransacted: Vec<_> =
            rounds.flat_map(|round| [1, 2].map(|n| vec![round.to_string(), n.to_string()])).collect();
        for tenant in &self.tenants {
            let mut connection = self.fleet.connect(tenant).await;
            let sql = "SELECT round, n FROM untransacted ORDER BY round, n";
            let rows = query::rows(&mut connection, sql).await;
            assert_eq!(rows, untransacted, "{what}, round {}, {tenant}", self.n_rounds);
            let rows = query::rows(&mut connection, "SELECT round, n FROM applied ORDER BY round, n").await;
            assert_eq!(rows, expected, "{what}, round {}, {tenant}", self.n_rounds);
            let history = query::column(&mut connection, "SELECT success FROM _sqlx_migrations").await;
            assert_eq!(history, vec!["1"; 3 * self.n_rounds], "{what}, {tenant}");
            connection.close().await.ok();
        }
    }
}

/// Fails unless the run went well, or waited as long as it was told to and then said for whom.
fn is_content(output: &Output, what: &str) {
    let failures = output.stdout.lines().filter(|line| line.starts_with('❌'));
    let has_waited =
        failures.into_iter().all(|line| line.contains("another run holds") || line == "❌ Migration failed");
    assert!(output.code == Some(0) || (output.code == Some(1) && has_waited), "{what}\n{output}");
}

/// Whole rollouts: all of them at once go over all tenants.
async fn rollouts_side_by_side(server: &'static Server) {
    let n_tenants = quantity(8, 50);
    let mut crowd = Crowd::new(server, "crowd", n_tenants).await;
    let n_rounds = quantity(2, 50);
    for n_runners in [2, 8] {
        for _ in 0..n_rounds {
            crowd.add_migrations();
            let mut runs = JoinSet::new();
            for _ in 0..n_runners {
                runs.spawn(crowd.fleet.run(&format!("migrate:all-tenants {PATIENT}")).into_future());
            }
            for output in runs.join_all().await {
                // Nobody has reason to be impatient.
                output.exits(0);
            }
            crowd.check(&format!("{n_runners} rollouts")).await;
        }
    }
    tell(&format!(
        "{}: 2, then 8 rollouts over {n_tenants} tenants, {n_rounds} times each",
        server.flavour()
    ));
}

/// Each runner goes over the tenants in an order of its own, one process a tenant; some are impatient.
async fn runs_over_single_tenants_side_by_side(server: &'static Server) {
    let n_tenants = quantity(4, 10);
    let mut crowd = Crowd::new(server, "singles", n_tenants).await;
    let n_rounds = quantity(1, 50);
    let mut random = Random::for_test("runs over single tenants");
    for n_runners in [2, 8] {
        for _ in 0..n_rounds {
            crowd.add_migrations();
            let mut runners = JoinSet::new();
            for runner in 0..n_runners {
                let mut order = crowd.tenants.clone();
                order.rotate_left(random.below(n_tenants));
                // The first is patient, so that all is done when all have ended.
                let patience = if runner > 0 && random.below(2) == 0 { IMPATIENT } else { PATIENT };
                let runs: Vec<_> = order
                    .iter()
                    .map(|tenant| {
                        crowd.fleet.run(&format!("migrate:tenant {} {patience}", crowd.fleet.slug(tenant)))
                    })
                    .collect();
                runners.spawn(async move {
                    for run in runs {
                        is_content(&run.await, &format!("runner {runner} of {n_runners}, {patience}"));
                    }
                });
            }
            runners.join_all().await;
            crowd.check(&format!("{n_runners} runners")).await;
        }
    }
    tell(&format!("{}: 2, then 8 runners, tenant by tenant, {n_rounds} times each", server.flavour()));
}

/// One of the runners is sqlx's own library, which takes the lock of the same name. Not on MariaDB, where sqlx's lock is
/// none (`GET_LOCK` with a negative timeout answers NULL there, and sqlx does not look).
async fn our_runs_beside_a_patient_sqlx(server: &'static Server) {
    if !server.is_mysql() {
        return;
    }
    let n_tenants = quantity(8, 50);
    let mut crowd = Crowd::new(server, "besidesqlx", n_tenants).await;
    let n_rounds = quantity(2, 50);
    for n_runners in [1, 7] {
        for _ in 0..n_rounds {
            crowd.add_migrations();
            let mut runs = JoinSet::new();
            for _ in 0..n_runners {
                runs.spawn(crowd.fleet.run(&format!("migrate:all-tenants {PATIENT}")).into_future());
            }
            let migrator = Arc::new(migrator(&crowd.fleet.migrations("tenant")).await);
            for tenant in crowd.tenants.iter().rev() {
                let mut connection = crowd.fleet.connect(tenant).await;
                let result = migrator.run(&mut connection).await;
                result.unwrap_or_else(|error| panic!("sqlx, round {}, {tenant}: {error}", crowd.n_rounds));
                connection.close().await.ok();
            }
            for output in runs.join_all().await {
                output.exits(0);
            }
            crowd.check(&format!("{n_runners} rollouts and sqlx")).await;
        }
    }
    tell(&format!("MySQL: sqlx and 1, then 7 rollouts over {n_tenants} tenants, {n_rounds} times each"));
}

async fn migrator(folder: &Path) -> Migrator {
    Migrator::new(folder).await.expect("sqlx reads the files")
}
