//! Every default of a server that the session contract is about, set to its worst on a server of the test's own: what runs under
//! it ends as under the server's own defaults, or is refused in clear words.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use backend_migrations::{entropy, seal, secret::Key};
use end_to_end::{
    Fleet, Invocation, KEY, Output, Program, Server, canary, on_each_server, query,
    random::{Random, quantity},
    schema, tell,
};
use sqlx::MySqlConnection;
use tokio::join;

on_each_server!(
    under_each_worst_default_a_run_ends_the_same,
    under_each_worst_default_a_proof_finds_the_same,
    the_worst_of_each_variable_is_tried,
);

/// A default of the server, and what may come of it.
#[derive(Clone, Copy, Debug)]
struct Worst {
    variable: &'static str,
    value: &'static str,
    on: On,
    /// A statement that fails under the server's own default, and must fail under this one too.
    fails: Option<&'static str>,
    /// Where it cannot be made good: what the refusal names.
    refusal: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Both,
    MySql,
    MariaDb,
}

const fn worst(variable: &'static str, value: &'static str) -> Worst {
    Worst { variable, value, on: On::Both, fails: None, refusal: None }
}

impl Worst {
    const fn on(self, on: On) -> Self {
        Self { on, ..self }
    }

    const fn fails(self, statement: &'static str) -> Self {
        Self { fails: Some(statement), ..self }
    }

    const fn refused(self, names: &'static str) -> Self {
        Self { refusal: Some(names), ..self }
    }
}

/// What was found to change what a run came to goes first: it is tried in every run of the tests.
const ALWAYS: usize = 4;

const WORST: &[Worst] = &[
    worst("autocommit", "0"),
    worst("sql_select_limit", "1"),
    worst("sql_mode", "'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'")
        .fails("INSERT INTO parent VALUES (1, 'far too long for this column')"),
    worst(
        "init_connect",
        "'SET autocommit=0,NAMES latin1,time_zone=''+09:00'',foreign_key_checks=0,sql_mode='''''",
    )
    .fails("INSERT INTO child VALUES (9, 9)"),
    worst("sql_mode", "''").fails("INSERT INTO parent VALUES (1, 'far too long for this column')"),
    worst(
        "sql_mode",
        "'PAD_CHAR_TO_FULL_LENGTH,HIGH_NOT_PRECEDENCE,NO_UNSIGNED_SUBTRACTION,REAL_AS_FLOAT,NO_AUTO_VALUE_ON_ZERO'",
    ),
    worst("sql_mode", "'ORACLE,NO_BACKSLASH_ESCAPES,EMPTY_STRING_IS_NULL,SIMULTANEOUS_ASSIGNMENT'")
        .on(On::MariaDb),
    worst("sql_mode", "'MSSQL'").on(On::MariaDb),
    worst("sql_mode", "'TRADITIONAL,ANSI'"),
    worst("max_join_size", "1"),
    worst("sql_big_selects", "0").on(On::MariaDb),
    worst("sql_safe_updates", "1"),
    worst("sql_auto_is_null", "1"),
    worst("group_concat_max_len", "4"),
    worst("div_precision_increment", "0"),
    worst("default_week_format", "3"),
    worst("lc_time_names", "'de_DE'"),
    worst("time_zone", "'+09:00'"),
    worst("character_set_client", "latin1"),
    worst("character_set_connection", "latin1"),
    worst("character_set_results", "latin1"),
    worst("collation_connection", "latin1_bin"),
    worst("default_collation_for_utf8mb4", "utf8mb4_general_ci").on(On::MySql),
    worst("default_regex_flags", "'DOTALL'").on(On::MariaDb),
    worst("sql_quote_show_create", "0"),
    worst("show_create_table_verbosity", "1").on(On::MySql),
    worst("show_gipk_in_create_table_and_information_schema", "0").on(On::MySql),
    worst("foreign_key_checks", "0").fails("INSERT INTO child VALUES (9, 9)"),
    worst("unique_checks", "0"),
    worst("check_constraint_checks", "0").on(On::MariaDb).fails("INSERT INTO child VALUES (-1, 1)"),
    worst("sql_if_exists", "1").on(On::MariaDb).fails("DROP TABLE nosuch"),
    worst("default_storage_engine", "MyISAM"),
    worst("default_tmp_storage_engine", "MyISAM"),
    worst("completion_type", "1"),
    worst("completion_type", "2"),
    worst("transaction_isolation", "'SERIALIZABLE'").on(On::MySql),
    worst("transaction_isolation", "'READ-UNCOMMITTED'").on(On::MySql),
    worst("transaction_read_only", "1").on(On::MySql),
    worst("tx_isolation", "'SERIALIZABLE'").on(On::MariaDb),
    worst("tx_isolation", "'READ-UNCOMMITTED'").on(On::MariaDb),
    worst("tx_read_only", "1").on(On::MariaDb),
    worst("lock_wait_timeout", "1"),
    worst("innodb_lock_wait_timeout", "1"),
    worst("max_execution_time", "1").on(On::MySql),
    worst("max_statement_time", "0.2").on(On::MariaDb),
    worst("idle_transaction_timeout", "1").on(On::MariaDb),
    worst("idle_write_transaction_timeout", "1").on(On::MariaDb),
    worst("idle_readonly_transaction_timeout", "1").on(On::MariaDb),
    worst("wait_timeout", "1"),
    worst("net_read_timeout", "1"),
    worst("net_write_timeout", "1"),
    worst("cte_max_recursion_depth", "1").on(On::MySql),
    worst("max_recursive_iterations", "1").on(On::MariaDb),
    worst("enforce_storage_engine", "MyISAM").on(On::MariaDb).refused("enforce_storage_engine = MyISAM"),
];

/// Those that have no default of a server: `SET GLOBAL` does not know them, or gives them to nobody.
const WITHOUT_A_DEFAULT: [&str; 2] = ["last_insert_id", "sql_log_bin"];

/// A routine has these in its `sql_mode` where the server's own has them.
const MODES_OF_THE_SERVER: [&str; 7] = [
    "ONLY_FULL_GROUP_BY",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "NO_AUTO_CREATE_USER",
];

/// MariaDB's older names for two of them.
const OTHER_NAMES: [(&str, &str); 2] =
    [("tx_isolation", "transaction_isolation"), ("tx_read_only", "transaction_read_only")];

/// What the page of promises lists is what is tried.
async fn the_worst_of_each_variable_is_tried(_: &'static Server) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guarantees.md");
    let page = std::fs::read_to_string(page).expect("it is there");
    let section = page.split("\n## ").find(|section| section.starts_with("The session contract\n"));
    let table = section.expect("the page has the section").lines().filter(|line| line.starts_with("| `"));
    let told =
        table.filter_map(|line| line.split('|').nth(1)).flat_map(|cell| cell.split('`').skip(1).step_by(2));
    for variable in told.filter(|variable| !WITHOUT_A_DEFAULT.contains(variable)) {
        let is_it =
            |worst: &&Worst| worst.variable == variable || OTHER_NAMES.contains(&(worst.variable, variable));
        assert!(WORST.iter().any(|worst| is_it(&worst)), "the worst value of {variable} is not tried");
    }
}

/// What shows in rows which settings a migration ran under. Every string in it is one that another `sql_mode` reads otherwise.
const WITNESSES: &str = r#"INSERT INTO witness VALUES ('backslash', 'it''s \\'), ('tail', 'C:\\'), ('semicolon', '\'; DROP TABLE parent; --'), ("quotes", "double"), ('e', 'é');
INSERT INTO witness SELECT 'concatenated', 'a' || 'b';
INSERT INTO witness SELECT 'precedence', NOT 1 BETWEEN -5 AND 5;
INSERT INTO witness SELECT 'quotient', CAST(1 / 3 AS CHAR);
INSERT INTO witness SELECT 'week', WEEK('2026-01-01');
INSERT INTO witness SELECT 'month', MONTHNAME('2026-01-01');
INSERT INTO witness SELECT 'moment', FROM_UNIXTIME(0);
INSERT INTO witness SELECT 'accent', 'a' = 'á';
INSERT INTO witness SELECT 'pattern', 'a\nb' REGEXP 'a.b';
INSERT INTO witness SELECT 'padded', CONCAT('[', (SELECT code FROM coded), ']');
INSERT INTO counter VALUES (0, 1);
INSERT INTO witness SELECT 'newest', COUNT(*) FROM counter WHERE id IS NULL;
INSERT INTO witness SELECT 'joined', COUNT(*) FROM witness a JOIN witness b;
INSERT INTO witness SELECT 'list', GROUP_CONCAT(name ORDER BY name) FROM parent;
INSERT INTO witness WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT 'counted', MAX(i) FROM n;
UPDATE witness SET value = CONCAT(value, '.');
DO SLEEP(0.3);
"#;

const TABLES: &str = "CREATE TABLE parent (id INT PRIMARY KEY, name VARCHAR(10) NOT NULL);
CREATE TABLE child (id INT PRIMARY KEY, parent INT NOT NULL, CHECK (id > 0), FOREIGN KEY (parent) REFERENCES parent (id));
CREATE TABLE witness (name VARCHAR(20) PRIMARY KEY, value TEXT);
CREATE TABLE coded (code CHAR(5), weight REAL);
CREATE TABLE counter (id INT AUTO_INCREMENT PRIMARY KEY, n INT);
CREATE TABLE done (what VARCHAR(20) NOT NULL);
INSERT INTO parent VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO child VALUES (1, 1);
INSERT INTO coded VALUES ('ab', 1.1);
CREATE PROCEDURE greet() BEGIN INSERT INTO witness VALUES ('greeting', CONCAT('it''s', ' me')); END;
CREATE VIEW named AS SELECT name, 'x' AS letter FROM parent WHERE name <> 'a\\'b';
";

/// A server of its own, and on it a fleet whose tenants share an account.
struct Lab {
    fleet: Fleet,
    root: MySqlConnection,
    sealed: String,
    n_tenants: usize,
}

impl Lab {
    async fn new(server: &'static Server) -> Self {
        let fleet = Fleet::new(server, "defaults").await;
        fleet.write("20260101000000_tables.up.sql", TABLES);
        fleet.write(
            "20260101000000_tables.down.sql",
            "DROP VIEW named;\nDROP PROCEDURE greet;\nDROP TABLE done;\nDROP TABLE counter;\nDROP TABLE coded;\nDROP TABLE witness;\n\
             DROP TABLE child;\nDROP TABLE parent;\n",
        );
        fleet.write("20260102000000_witnesses.up.sql", WITNESSES);
        fleet.write(
            "20260102000000_witnesses.down.sql",
            "INSERT INTO done VALUES ('undo 2');\nDELETE FROM witness WHERE 1 = 1;\nDO SLEEP(0.3);\n",
        );
        fleet.write(
            "20260103000000_more.up.sql",
            "ALTER TABLE parent ADD COLUMN n INT;\nUPDATE parent SET n = id;\n",
        );
        fleet.write(
            "20260103000000_more.down.sql",
            "INSERT INTO done VALUES ('undo 3');\nDO SLEEP(0.3);\nALTER TABLE parent DROP COLUMN n;\n",
        );
        let mut root = server.connect("").await;
        let (account, password) = (fleet.account("all"), "password-of-the-defaults");
        canary::learn(password);
        let sql = format!(
            "CREATE USER '{account}'@'%' IDENTIFIED BY '{password}';GRANT ALL ON `defaults\\_%`.* TO '{account}'@'%'"
        );
        query::run(&mut root, &sql).await;
        let key = Key::parse(KEY).expect("a key");
        let sealed = seal::seal(password, &key, entropy::random_iv().expect("chance"));
        Self { fleet, root, sealed, n_tenants: 0 }
    }

    /// Makes a tenant with an empty database; gives its name.
    async fn tenant(&mut self) -> String {
        self.n_tenants += 1;
        let tenant = format!("t{}", self.n_tenants);
        let (database, slug) = (self.fleet.database(&tenant), self.fleet.slug(&tenant));
        let (server, central) = (self.fleet.server(), self.fleet.central_database());
        let sql = format!(
            "CREATE DATABASE {database} CHARACTER SET utf8mb4;\
             INSERT INTO {central}.tenants (id, slug, name, db_host, db_port, db_name, db_user, db_password, status) \
             VALUES ('{slug}-id', '{slug}', '{tenant}', '{}', {}, '{database}', '{}', '{}', 'ACTIVE')",
            server.host(),
            server.port(),
            self.fleet.account("all"),
            self.sealed,
        );
        query::run(&mut self.root, &sql).await;
        tenant
    }

    async fn set(&mut self, variable: &str, value: &str) {
        query::run(&mut self.root, &format!("SET GLOBAL {variable} = {value}")).await;
    }

    async fn run(&self, args: &str, tenant: &str) -> Output {
        self.fleet.run(&args.replace("TENANT", &self.fleet.slug(tenant))).await
    }

    /// All that is in a tenant's database but the moments.
    async fn state(&mut self, tenant: &str) -> String {
        let (database, accounts) =
            (self.fleet.database(tenant), ["all", tenant].map(|name| self.fleet.account(name)));
        let names = [(&*database, "DATABASE"), (&*accounts[0], "ACCOUNT"), (&*accounts[1], "ACCOUNT")];
        let definitions = schema::definitions(&mut self.root, &database, &names).await;
        let mut state = format!("{definitions:#?}\n");
        for mode in MODES_OF_THE_SERVER {
            state = state.replace(&format!("{mode},"), "");
        }
        let select = "SELECT version, description, success, HEX(checksum), execution_time >= 0 FROM DATABASE._sqlx_migrations";
        let mut selects = vec![select.to_owned()];
        for table in ["parent", "child", "witness", "coded", "done"] {
            if definitions.contains_key(&format!("TABLE {table}")) {
                selects.push(format!("SELECT * FROM DATABASE.{table} ORDER BY 1"));
            }
        }
        for select in selects {
            let rows = query::rows(&mut self.root, &select.replace("DATABASE", &database)).await;
            writeln!(state, "{rows:?}").expect("a string takes it");
        }
        state
    }

    /// What the runs under the present defaults come to, by name. Where `refusal` is said, it must be said by the first of them.
    async fn course(&mut self, variable: Worst) -> BTreeMap<&'static str, String> {
        let mut ends = BTreeMap::new();
        let (straight, twice, resumed) = (self.tenant().await, self.tenant().await, self.tenant().await);
        let fleet = |name: &str| self.fleet.slug(name);
        let only = [&straight, &twice].map(|tenant| format!("--only {}", fleet(tenant))).join(" ");
        self.set(variable.variable, variable.value).await;
        let up = self.fleet.run(&format!("migrate:all-tenants {only}")).await;
        if let Some(refusal) = variable.refusal {
            up.exits(1).says(refusal).says("hint: ");
            self.set(variable.variable, "DEFAULT").await;
            for tenant in [&straight, &twice] {
                let sql = format!(
                    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '{}'",
                    self.fleet.database(tenant)
                );
                assert_eq!(query::value(&mut self.root, &sql).await, "0", "{variable:?}");
            }
            return ends;
        }
        up.exits(0);
        ends.insert("up", self.state(&straight).await);
        // Nothing is pending any more, for whoever asks.
        self.fleet
            .run(&format!("migrate:status --exit-code --only {}", self.fleet.slug(&straight)))
            .await
            .exits(0);

        if let Some(statement) = variable.fails {
            self.fleet.write("20260104000000_fails.up.sql", &format!("{statement};\n"));
            self.run("migrate:tenant TENANT", &straight).await.exits(1);
            self.fleet.delete("20260104000000_fails.up.sql");
        }
        self.run("migrate:rollback --tenant TENANT --steps 1", &straight).await.exits(0);
        ends.insert("rollback", self.state(&straight).await);

        let rollback = || self.run("migrate:rollback --tenant TENANT --steps 1", &twice);
        let (a, b) = join!(rollback(), rollback());
        ends.insert("two rollbacks", self.undone(&twice, &[a, b]).await);

        self.resume(&resumed, &mut ends).await;
        self.recover(&straight, &mut ends).await;
        let provisioned = format!("p{}", self.n_tenants);
        self.fleet.provision(&provisioned).await;
        ends.insert("provisioned", self.state(&provisioned).await);
        self.set(variable.variable, "DEFAULT").await;
        ends
    }

    /// A connection that only holds a lock is idle for longer than the server lets others be: that of the rollout, and that of
    /// the slug.
    async fn idle(&mut self) {
        let tenant = self.tenant().await;
        self.fleet.write("20260104000000_slow.up.sql", "DO SLEEP(2.5);\n");
        self.set("wait_timeout", "1").await;
        self.fleet.run(&format!("migrate:all-tenants --only {}", self.fleet.slug(&tenant))).await.exits(0);
        self.fleet.provision("idle").await;
        self.set("wait_timeout", "DEFAULT").await;
    }

    /// Two rollbacks of one step each: the newest is undone once. One that finds it undone has nothing to do, or says so.
    async fn undone(&mut self, tenant: &str, outputs: &[Output]) -> String {
        let database = self.fleet.database(tenant);
        let undone =
            query::column(&mut self.root, &format!("SELECT what FROM {database}.done ORDER BY what DESC"))
                .await;
        let versions =
            query::column(&mut self.root, &format!("SELECT version FROM {database}._sqlx_migrations")).await;
        let n_well = outputs.iter().filter(|output| output.code == Some(0)).count();
        let is_each_once = (1..=n_well).any(|n| undone == ["undo 3", "undo 2"][..n]);
        let what = format!("{undone:?}, {versions:?}\n{}\n{}", outputs[0], outputs[1]);
        assert!(is_each_once && versions.len() == 3 - undone.len(), "{what}");
        "each once".to_owned()
    }

    /// A file that fails in its middle, mended, and gone on with by two runs at once.
    async fn resume(&mut self, tenant: &str, ends: &mut BTreeMap<&'static str, String>) {
        const FILE: &str = "20260104000000_half.up.sql";
        let text = "CREATE TABLE half (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(9));\nINSERT INTO half (what) VALUES ('a\\\\');\n\
                    INSERT INTO later VALUES ('b');\nDO SLEEP(0.3);\nINSERT INTO half (what) VALUES ('c');\n";
        self.fleet.write(FILE, text);
        self.run("migrate:tenant TENANT", tenant).await.exits(1).says("statement 3 of 5");
        self.fleet.write(FILE, &text.replace("later VALUES", "half (what) VALUES"));
        let up = || self.run("migrate:tenant TENANT", tenant);
        let (a, b) = join!(up(), up());
        let (a, b) = (a.exits(0), b.exits(0));
        let database = self.fleet.database(tenant);
        let rows =
            query::rows(&mut self.root, &format!("SELECT id, what FROM {database}.half ORDER BY id")).await;
        assert_eq!(rows, [["1", "a\\"], ["2", "b"], ["3", "c"]], "{a}\n{b}");
        ends.insert("two resumes", self.state(tenant).await);
        self.fleet.delete(FILE);
    }

    /// A file that is half done and of which nobody has recorded how far.
    async fn recover(&mut self, tenant: &str, ends: &mut BTreeMap<&'static str, String>) {
        const FILE: &str = "20260105000000_lost.up.sql";
        self.run("migrate:tenant TENANT", tenant).await.exits(0);
        let text = "CREATE TABLE lost (id INT PRIMARY KEY);\nCREATE TABLE found (id INT PRIMARY KEY);\n";
        self.fleet.write(FILE, text);
        let database = self.fleet.database(tenant);
        let checksum = backend_migrations::migration::Checksum::of(text.as_bytes());
        let sql = format!(
            "CREATE TABLE {database}.lost (id INT PRIMARY KEY) ENGINE=InnoDB;\
             INSERT INTO {database}._sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES (20260105000000, 'lost', FALSE, X'{checksum}', -1)"
        );
        query::run(&mut self.root, &sql).await;
        self.run("migrate:tenant TENANT", tenant).await.exits(1).says("migrate:recover");
        let recover = self.fleet.run(&format!("migrate:recover {} --resume --yes", self.fleet.slug(tenant)));
        let admin = self.fleet.server().url("mysql");
        recover.env("TENANT_ADMIN_URL", admin).await.exits(0);
        ends.insert("recovered", self.state(tenant).await);
        self.fleet.delete(FILE);
    }
}

async fn under_each_worst_default_a_run_ends_the_same(server: &'static Server) {
    let Some(own) = Server::own(server.flavour()).await else { return };
    let mut lab = Lab::new(own).await;
    let calm = lab.course(worst("sql_notes", "1")).await;
    assert!(calm["up"].contains("it's \\\\."), "{}", calm["up"]);
    let is_here = |worst: &&Worst| match worst.on {
        On::Both => true,
        On::MySql => own.is_mysql(),
        On::MariaDb => !own.is_mysql(),
    };
    let (always, others) = WORST.split_at(ALWAYS);
    let others: Vec<_> = others.iter().filter(is_here).collect();
    let mut random = Random::for_test("a server's defaults");
    let n_others = quantity(2, others.len());
    let tried: Vec<_> = always.iter().filter(is_here).chain(random.sample(others, n_others)).collect();
    for worst in &tried {
        let ends = lab.course(**worst).await;
        for (name, end) in ends {
            assert!(end == calm[name], "{name} under {worst:?}:\n{end}\nand else:\n{}", calm[name]);
        }
    }
    lab.idle().await;
    tell(&format!("{}: {} worst defaults", own.flavour(), tried.len()));
}

/// What `migrate:verify` finds, a line each.
async fn findings(own: &Server, folder: &Path) -> Vec<String> {
    let args = "migrate:verify --seed 7 --format json";
    let run = Invocation::new(Program::Workbench, args).arg("--dir").arg(folder);
    let output = run.arg("--server").arg(own.url("")).await;
    output.exits(1);
    let lines = output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let findings = lines.filter(|line: &serde_json::Value| line["code"].is_string());
    // What it costs is a matter of the server's settings, and of the moment.
    let costs = |line: &serde_json::Value| line["code"].as_str().is_some_and(|code| code.starts_with("V3"));
    findings
        .filter(|line| !costs(line))
        .map(|line| format!("{} {} {}", line["version"], line["code"], line["severity"]))
        .collect()
}

/// A proof makes databases, rows and schemas of its own, and runs each migration several times.
async fn under_each_worst_default_a_proof_finds_the_same(server: &'static Server) {
    let Some(own) = Server::own(server.flavour()).await else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("20260101000000_tables.up.sql", TABLES),
        (
            "20260101000000_tables.down.sql",
            "DROP VIEW named;\nDROP PROCEDURE greet;\nDROP TABLE done;\nDROP TABLE counter;\nDROP TABLE coded;\n\
             DROP TABLE witness;\nDROP TABLE child;\nDROP TABLE parent;\n",
        ),
        ("20260102000000_more.up.sql", "ALTER TABLE parent ADD COLUMN n INT NULL;"),
        ("20260102000000_more.down.sql", "ALTER TABLE parent DROP COLUMN n;"),
        // It does not undo what it has done.
        ("20260103000000_wrong.up.sql", "ALTER TABLE child ADD COLUMN n INT NULL, ADD KEY k (n);"),
        ("20260103000000_wrong.down.sql", "ALTER TABLE child DROP KEY k;"),
    ] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let calm = findings(own, folder.path()).await;
    assert!(
        calm.iter().any(|line| line.starts_with("20260103000000 ") || line.starts_with("\"20260103000000")),
        "{calm:#?}"
    );
    let mut root = own.connect("").await;
    let is_here = |worst: &&Worst| {
        worst.refusal.is_none()
            && match worst.on {
                On::Both => true,
                On::MySql => own.is_mysql(),
                On::MariaDb => !own.is_mysql(),
            }
    };
    let (always, others) = WORST.split_at(ALWAYS);
    let others: Vec<_> = others.iter().filter(is_here).collect();
    let mut random = Random::for_test("a server's defaults, for a proof");
    let n_others = quantity(2, others.len());
    let tried: Vec<_> = always.iter().filter(is_here).chain(random.sample(others, n_others)).collect();
    for worst in &tried {
        query::run(&mut root, &format!("SET GLOBAL {} = {}", worst.variable, worst.value)).await;
        assert_eq!(findings(own, folder.path()).await, calm, "under {worst:?}");
        query::run(&mut root, &format!("SET GLOBAL {} = DEFAULT", worst.variable)).await;
    }
    tell(&format!("{}: {} worst defaults under a proof", own.flavour(), tried.len()));
}
