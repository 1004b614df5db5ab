//! Peers that do harm: no password reaches them, no file, and no tenant beside them suffers.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use end_to_end::{
    Fleet, Server, assert_output,
    hostile::{Hostile, Trick},
    on_each_server,
    proxy::{Cut, How},
    query,
    random::{Random, quantity},
    tell,
};

use crate::course::{Course, EVERY_KIND, Outcome, in_words};

on_each_server!(
    no_password_goes_out_in_clear,
    no_answer_fills_the_memory,
    no_file_goes_out,
    a_server_that_says_nothing_after_the_login,
    a_damaged_answer_is_one_tenants_failure,
    an_answer_that_is_swallowed_is_missed_soon,
    a_killed_run_leaves_no_file,
    few_open_files_make_it_slower,
    values_and_passwords_are_not_repeated,
);

/// So much memory is enough beside any peer, in bytes: no machine is too small for a hostile server.
const MEMORY_MAX: u64 = 64 << 20;

/// A fleet in which tenants are behind hostile peers, and others are not.
struct Beset {
    fleet: Fleet,
    hostiles: Vec<Hostile>,
}

/// The tenants that nothing is wrong with.
const NEIGHBOURS: [&str; 2] = ["first", "last"];

impl Beset {
    async fn new(server: &'static Server, word: &'static str, tricks: &[Trick]) -> Self {
        let fleet = Fleet::new(server, word).await;
        let mut hostiles = Vec::new();
        for tenant in NEIGHBOURS {
            fleet.provision(tenant).await;
        }
        for (number, trick) in tricks.iter().enumerate() {
            let tenant = format!("t{number}");
            fleet.provision(&tenant).await;
            let hostile = Hostile::new(trick.clone()).await;
            let sql = format!(
                "UPDATE tenants SET db_host = '127.0.0.1', db_port = {} WHERE slug = '{}'",
                hostile.port(),
                fleet.slug(&tenant)
            );
            query::run(&mut fleet.connect_central().await, &sql).await;
            hostiles.push(hostile);
        }
        fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
        Self { fleet, hostiles }
    }

    /// Runs everything once, and checks what holds beside any peer; gives what was said, without ports.
    async fn run(&self) -> String {
        let run = self.fleet.run("migrate:all-tenants --connect-retries 0 --concurrency 1").start().await;
        let pid = run.id();
        let peak = tokio::spawn(async move {
            let mut peak = 0;
            while let Some(now) = peak_memory(pid) {
                peak = now;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            peak
        });
        let output = run.finish().await;
        let peak = peak.await.unwrap();
        output.exits(1);
        assert!(peak > 0 && peak < MEMORY_MAX, "{} MiB\n{output}", peak >> 20);
        tell(&format!("beside hostile peers: {} MiB at most", peak >> 20));
        for tenant in NEIGHBOURS {
            let tables = query::column(&mut self.fleet.connect(tenant).await, "SHOW TABLES LIKE 't'").await;
            assert_eq!(tables, ["t"], "{tenant}\n{output}");
        }
        for (number, hostile) in self.hostiles.iter().enumerate() {
            let tenant = format!("t{number}");
            output.says(&format!("❌ {tenant}"));
            let url = self.fleet.tenant_url(&tenant).await;
            let password = url.split(['@', ':']).nth(2).unwrap();
            assert!(password.len() >= 16, "{tenant}");
            assert!(!hostile.has_heard(password), "{tenant} was sent the password\n{output}");
        }
        self.hostiles
            .iter()
            .fold(output.to_string(), |text, hostile| text.replace(&hostile.port().to_string(), "[port]"))
    }
}

/// The most memory that a process has had so far (`proc(5)`, `VmHWM`), in bytes; `None` once it has ended.
fn peak_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes << 10)
}

async fn no_password_goes_out_in_clear(server: &'static Server) {
    let tricks = [
        Trick::Greets("mysql_clear_password"),
        Trick::SwitchesTo("mysql_clear_password"),
        Trick::Greets("mysql_old_password"),
        Trick::SwitchesTo("mysql_old_password"),
        Trick::Greets("dialog"),
        Trick::SwitchesTo("dialog"),
        Trick::Greets("sha256_password"),
        Trick::SwitchesTo("sha256_password"),
        Trick::AsksForTheWholePassword,
        Trick::Babbles,
    ];
    let beset = Beset::new(server, "clear", &tricks).await;
    assert_output!("hostile_clear", beset.run().await);
    // The central database's password is no other.
    let central = Hostile::new(Trick::Greets("mysql_clear_password")).await;
    let url = format!("mysql://root:central-password@127.0.0.1:{}/central", central.port());
    end_to_end::canary::learn("central-password");
    let output = beset.fleet.run("migrate:status").env("CENTRAL_DATABASE_URL", url).await;
    output.exits(4).says("mysql_clear_password");
    assert!(!central.has_heard("central-password"));
}

async fn no_answer_fills_the_memory(server: &'static Server) {
    let tricks = [
        Trick::EndlessRows,
        Trick::EndlessPacket,
        Trick::EndlessColumns,
        Trick::HugeError(8 << 20),
        Trick::HugeRefusal(8 << 20),
    ];
    let beset = Beset::new(server, "endless", &tricks).await;
    assert_output!("hostile_endless", beset.run().await);
}

async fn no_file_goes_out(server: &'static Server) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "what-is-in-the-file").unwrap();
    let trick = Trick::AsksForAFile(path.display().to_string());
    let beset = Beset::new(server, "infile", &[trick]).await;
    let output = beset.run().await;
    assert!(!beset.hostiles[0].has_heard("what-is-in-the-file"));
    // It is told for what it is, and not as a server that does not answer.
    assert!(
        output.contains("it asks for a file of this machine (LOCAL INFILE), and none is sent"),
        "{output}"
    );
}

async fn a_server_that_says_nothing_after_the_login(server: &'static Server) {
    let beset = Beset::new(server, "mute", &[Trick::Silent]).await;
    assert_output!("hostile_silent", beset.run().await);
}

/// Each answer of a run is shortened to each length, or scrambled: a tenant fails, and what follows mends it.
async fn a_damaged_answer_is_one_tenants_failure(server: &'static Server) {
    let course = Course::new(server, "damage", EVERY_KIND).await;
    let packets = course.first_lane().proxy.packets();
    let mut random = Random::for_test("a damaged answer");
    let mut cuts = Vec::new();
    for (at, packet) in (1..).zip(&packets).filter(|(_, packet)| !packet.is_request) {
        cuts.extend((0..packet.payload.len()).map(|length| Cut { at, how: How::Shorten(length) }));
        cuts.extend((0..4).map(|_| Cut { at, how: How::Scramble(random.number()) }));
    }
    let cuts = random.sample(cuts, quantity(40, usize::MAX));
    let (n_cuts, flavour) = (cuts.len(), course.flavour());
    let counts = course.each(cuts, one).await;
    tell(&format!("{flavour}: {n_cuts} damaged answers: {}", in_words(&counts)));
}

async fn one(course: Arc<Course>, lane: usize, cut: Cut) -> Result<Outcome, String> {
    let lane = course.lane(lane);
    course.clear(lane).await;
    lane.proxy.arm(Some(cut));
    let first = course.run(lane).await;
    if !matches!(first.code, Some(0 | 1)) {
        return Err(format!("the run is not ended as it should be\n{first}"));
    }
    course.mend(lane, &first).await
}

/// The connection stays open and the answer never comes: noticed long before `--statement-timeout`.
async fn an_answer_that_is_swallowed_is_missed_soon(server: &'static Server) {
    const SOON: Duration = Duration::from_mins(1);
    let course = Course::new(server, "swallow", EVERY_KIND).await;
    let lane = course.first_lane();
    let packets = lane.proxy.packets();
    // A definition and a row: what of them is in the database is found out in different ways.
    for text in ["ALTER TABLE entries ADD COLUMN seen", "UPDATE counters SET n = n + 1000"] {
        let at = packets.iter().position(|packet| packet.asks(text)).expect("it is sent") + 1;
        course.clear(lane).await;
        lane.proxy.arm(Some(Cut { at: at + 1, how: How::Stall }));
        let began = Instant::now();
        let first = course.run(lane).await;
        assert!(began.elapsed() < SOON, "{:?}\n{first}", began.elapsed());
        first.exits(1).says("the server has ended the statement, and its answer did not come");
        first.says("the server does not run it any more");
        course.mend(lane, &first).await.unwrap();
    }
}

async fn a_killed_run_leaves_no_file(server: &'static Server) {
    let beset = Beset::new(server, "litter", &[Trick::Silent]).await;
    let folder = tempfile::tempdir().unwrap();
    let slug = beset.fleet.slug("t0");
    let run = beset.fleet.run(&format!("migrate:tenant {slug}")).env("TMPDIR", folder.path()).start().await;
    let pid = run.id();
    while !beset.hostiles[0].has_heard("SELECT") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    run.signal("KILL").await;
    assert_eq!(run.finish().await.code, None);
    let is_ours = |name: &str| name.contains("backend-migrations") && name.contains(&pid.to_string());
    for folder in [folder.path(), Path::new("/dev/shm")] {
        let names = std::fs::read_dir(folder).into_iter().flatten();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let left: Vec<_> =
            names.iter().filter(|name| is_ours(name) || folder != Path::new("/dev/shm")).collect();
        assert!(left.is_empty(), "{}: {left:?}", folder.display());
    }
}

async fn few_open_files_make_it_slower(server: &'static Server) {
    let fleet = Fleet::new(server, "fewfiles").await;
    let tenants = ["a", "b", "c", "d", "e", "f"];
    for tenant in tenants {
        fleet.provision(tenant).await;
    }
    fleet.write("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);");
    let output = fleet.run("migrate:all-tenants").open_files(32).await;
    output.exits(0).says("this process may open 32 files, enough for 1 of 6 tenants at once");
    for tenant in tenants {
        let tables = query::column(&mut fleet.connect(tenant).await, "SHOW TABLES LIKE 't'").await;
        assert_eq!(tables, ["t"], "{tenant}");
    }
    fleet.run("migrate:all-tenants").await.exits(0);
}

/// What a server repeats of a statement or of a row is in no output and not in the journal.
async fn values_and_passwords_are_not_repeated(server: &'static Server) {
    const SECRET: &str = "s3cret-of-the-readonly-account";
    const CUSTOMER: &str = "alice@customers.example";
    end_to_end::canary::learn(SECRET);
    end_to_end::canary::learn(CUSTOMER);
    let failing = [
        // Not allowed, not understood, and refused for its rows in each way that names them.
        ("account", format!("CREATE USER 'readonly'@'%' IDENTIFIED WITH nothing BY '{SECRET}';")),
        ("syntax", format!("CREATE USER 'readonly'@'%' IDENTIFIED BYY '{SECRET}';")),
        ("duplicate", "INSERT INTO people SELECT 2, email, NULL FROM people;".to_owned()),
        ("date", "UPDATE people SET born = email;".to_owned()),
        ("number", "UPDATE people SET id = email;".to_owned()),
    ];
    let fleet = Fleet::new(server, "values").await;
    fleet.provision("acme").await;
    fleet.write(
        "20260101000000_people.up.sql",
        "CREATE TABLE people (id INT PRIMARY KEY, email VARCHAR(100) UNIQUE, born DATE NULL);",
    );
    fleet.run("migrate:tenant values-acme").await.exits(0);
    let sql = format!("INSERT INTO people VALUES (1, '{CUSTOMER}', NULL)");
    query::run(&mut fleet.connect("acme").await, &sql).await;
    for (word, text) in failing {
        let file_name = format!("20260102000000_{word}.up.sql");
        // A statement before it, so that the journal keeps what the server said.
        fleet.write(&file_name, &format!("CREATE TABLE {word}_before (id INT);\n{text}"));
        for args in ["migrate:tenant values-acme", "migrate:tenant values-acme --format json"] {
            let _ = fleet.run(args).await.exits(1);
            let _ = fleet.run(&format!("{args} --dry-run")).await;
        }
        let _ = fleet.run("migrate:status --tenant values-acme").await;
        let _ = fleet.run("migrate:recover values-acme").await;
        let sql = "SELECT error FROM _backend_migrations_journal";
        let errors = query::column(&mut fleet.connect("acme").await, sql).await;
        assert!(!errors.is_empty(), "{word}");
        for error in errors {
            assert!(!error.contains(SECRET) && !error.contains(CUSTOMER), "{word}: {error}");
        }
        fleet.delete(&file_name);
        let sql = format!(
            "DELETE FROM _sqlx_migrations WHERE version = 20260102000000; DELETE FROM _backend_migrations_journal; \
             DROP TABLE {word}_before"
        );
        query::run(&mut fleet.connect("acme").await, &sql).await;
    }
}
