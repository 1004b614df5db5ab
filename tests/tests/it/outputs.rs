//! Whoever reads an output may stop reading, for a while or for ever, and a disk may be full.

use std::time::{Duration, Instant};

use end_to_end::{Fleet, Invocation, KEY, Output, Program, Server, on_each_server, query};
use tempfile::TempDir;

on_each_server!(
    a_reader_who_stops_holds_up_nothing,
    a_signal_ends_the_wait_for_a_reader,
    a_full_disk_is_no_success,
    a_long_statement_is_not_silent,
    a_dry_run_of_many_rows_is_short,
    no_colour_where_none_is_wanted,
);

const TENANTS: [&str; 4] = ["a", "b", "c", "d"];

async fn fleet_of(server: &'static Server, word: &'static str) -> Fleet {
    let fleet = Fleet::new(server, word).await;
    fleet.write("20250101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT);");
    for tenant in TENANTS {
        fleet.provision(tenant).await;
    }
    fleet
}

/// More events than a pipe has room for, and than wait to be written.
fn many_statements() -> String {
    "INSERT INTO t (n) VALUES (1);\n".repeat(1_500)
}

/// Waits until every tenant has its migration, and nobody holds anything.
async fn once_all_is_done(fleet: &Fleet) {
    for tenant in TENANTS {
        let sql = "SELECT 1 FROM _sqlx_migrations WHERE version = 20260101000000 AND success";
        query::rows_once_there(&mut fleet.connect(tenant).await, sql).await;
    }
    let mut root = fleet.server().connect("").await;
    let began = Instant::now();
    let accounts = fleet.account("").replace('_', "\\_");
    let sql = format!("SELECT id FROM information_schema.processlist WHERE user LIKE '{accounts}%'");
    while !query::rows(&mut root, &sql).await.is_empty() {
        assert!(began.elapsed() < Duration::from_mins(1), "a tenant's connection is held");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn events(output: &Output) -> Vec<serde_json::Value> {
    output.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// `migrate:all-tenants | less`: row and metadata locks of every tenant are not held for as long as somebody reads.
async fn a_reader_who_stops_holds_up_nothing(server: &'static Server) {
    let fleet = fleet_of(server, "less").await;
    fleet.write("20260101000000_n.up.sql", &many_statements());
    let mut run = fleet.run("migrate:all-tenants --format json").start().await;
    assert!(run.line().await.contains("rollout-started"));
    once_all_is_done(&fleet).await;
    // Now it is read to its end.
    let output = run.finish().await;
    output.exits(0);
    let events = events(&output);
    let count = |word: &str| events.iter().filter(|event| event["event"] == word).count();
    for word in ["tenant-started", "tenant-finished", "migration-finished"] {
        assert_eq!(count(word), TENANTS.len(), "{word}");
    }
    assert_eq!(events.last().unwrap()["event"], "rollout-finished");
    let (n_told, n_all) = (count("statement-started") + count("statement-finished"), 2 * 4 * 1_500);
    assert!(n_told < n_all, "nothing was left out, so nothing stood still");
    let number = |message: &str| -> Option<usize> {
        message.strip_suffix(" lines of it")?.rsplit(' ').next()?.parse().ok()
    };
    let warnings = events.iter().filter(|event| event["event"] == "warning");
    let n_left_out: usize = warnings.filter_map(|event| number(event["message"].as_str()?)).sum();
    assert_eq!(n_told + n_left_out, n_all, "what is left out is counted");
}

async fn a_signal_ends_the_wait_for_a_reader(server: &'static Server) {
    let fleet = fleet_of(server, "lessquit").await;
    fleet.write("20260101000000_n.up.sql", &many_statements());
    let mut run = fleet.run("migrate:all-tenants --format json").start().await;
    run.line().await;
    once_all_is_done(&fleet).await;
    // Nobody reads before it has ended.
    run.signal("TERM").await;
    let output = run.wait_unread().await;
    output.exits(3);
    fleet.run("migrate:all-tenants").await.exits(0).says("Already up to date");
}

async fn a_full_disk_is_no_success(server: &'static Server) {
    let fleet = fleet_of(server, "full").await;
    for format in ["human", "json"] {
        let run = |args: &str| fleet.run(args).arg("--format").arg(format).stdout("/dev/full");
        for (args, code) in [
            ("migrate:status", 3),
            ("migrate:status --tenant full-a", 3),
            ("migrate:latest", 3),
            ("migrate:all-tenants --dry-run", 3),
            ("migrate:tenant full-a", 3),
            ("migrate:recover full-a", 3),
            ("migrate:make add_a", 70),
            ("completions bash", 70),
        ] {
            let args =
                if args.starts_with("migrate:make") { format!("{args}_{format}") } else { args.to_owned() };
            let output = run(&args).await;
            assert_eq!(output.code, Some(code), "{args}\n{output}");
            assert!(
                output.stderr.contains("No space left") || output.stderr.contains("storage space"),
                "{output}"
            );
        }
        // Whether it is ready depends on how soon the one who tells finds it out; the same call ends it.
        let output = run("tenant:provision --slug full-a --name a").await;
        assert!(matches!(output.code, Some(1 | 3)), "{output}");
    }
}

async fn a_long_statement_is_not_silent(server: &'static Server) {
    let fleet = fleet_of(server, "quietci").await;
    fleet.write("20260101000000_n.up.sql", "INSERT INTO t (n) SELECT SLEEP(6);");
    let args = "migrate:all-tenants --progress-interval 2s --only quietci-a";
    let output = fleet.run(args).await;
    output.exits(0);
    assert!(output.stderr.starts_with("▶️  a (quietci_a_db): begun\n"), "{output}");
    let at_work = "0 of 1 tenant done, 1 at work; longest: a (quietci_a_db), for ";
    assert!(output.stderr.matches(at_work).count() >= 2, "{output}");
    assert!(output.stderr.contains("s: statement 1 of 1, 20260101000000_n.up.sql:1\n"), "{output}");
    let output = fleet.run("migrate:all-tenants --progress-interval 2s --only quietci-b --format json").await;
    output.exits(0);
    let events = events(&output);
    let progress: Vec<_> = events.iter().filter(|event| event["event"] == "progress").collect();
    assert!(progress.len() >= 2, "{output}");
    assert_eq!(progress[0]["longest"]["doing"], "statement 1 of 1, 20260101000000_n.up.sql:1", "{output}");
}

async fn a_dry_run_of_many_rows_is_short(server: &'static Server) {
    let fleet = fleet_of(server, "seed").await;
    let row = format!("('{}')", "x".repeat(1_000));
    let one = format!("INSERT INTO u (text) VALUES {};\n", vec![row.as_str(); 1_000].join(","));
    let many = format!("INSERT INTO u (text) VALUES {row};\n").repeat(1_000);
    let table = "CREATE TABLE u (id INT PRIMARY KEY AUTO_INCREMENT, text VARCHAR(2000));\n";
    fleet.write("20260101000000_u.up.sql", &format!("{table}{one}{many}"));
    let output = fleet.run("migrate:all-tenants --dry-run").await;
    output.exits(0).says("bytes more of this statement, which begins at line 2").says("statements more, ");
    assert!(output.stdout.len() < 100_000, "{} bytes", output.stdout.len());
    let output = fleet.run("migrate:all-tenants --dry-run --format json").await;
    assert!(output.exits(0).stdout.len() < 100_000, "{} bytes", output.stdout.len());
    let events = events(&output);
    let script = events.iter().find(|event| event["event"] == "script-planned").unwrap();
    let shown = script["statements"].as_array().unwrap();
    assert_eq!(
        shown.len() + usize::try_from(script["n_statements_left_out"].as_u64().unwrap()).unwrap(),
        1_002
    );
    let text = shown[1]["text"].as_str().unwrap();
    assert_eq!(
        text.len() + usize::try_from(shown[1]["n_bytes_left_out"].as_u64().unwrap()).unwrap(),
        one.len() - 2
    );
}

/// A folder with a migration, and settings that name no server in reach.
fn alone(args: &str, folder: &TempDir) -> Invocation {
    Invocation::new(Program::BackendMigrations, args)
        .env("DB_ENCRYPTION_KEY", KEY)
        .env("CENTRAL_DATABASE_URL", "mysql://root@127.0.0.1:1/central")
        .env("MIGRATIONS_DIR", folder.path())
}

/// The exit codes of `docs/cli.md`, command by command and fault by fault.
#[tokio::test]
async fn a_refusal_is_a_refusal_of_every_command() {
    const OVER_TENANTS: [&str; 7] = [
        "migrate:tenant acme",
        "migrate:all-tenants",
        "migrate:rollback --tenant acme",
        "migrate:rollback --all-tenants --to 0",
        "migrate:status",
        "migrate:status --tenant acme",
        "migrate:recover acme",
    ];
    const OVER_CENTRAL: [&str; 4] =
        ["migrate:latest", "migrate:rollback", "migrate:status --central", "migrate:recover --central"];

    let folder = tempfile::tempdir().unwrap();
    for kind in ["central", "tenant"] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
        std::fs::write(folder.path().join(kind).join("20250101000000_t.up.sql"), "CREATE TABLE t (id INT)")
            .unwrap();
    }
    let all =
        || OVER_TENANTS.into_iter().chain(OVER_CENTRAL).chain(["tenant:provision --slug acme --name Acme"]);
    let mut wrong = Vec::new();
    let mut expect = |what: &str, args: &str, output: Output, code: i32| {
        if output.code != Some(code) {
            wrong.push(format!("{what}: {args}, expected {code}\n{output}"));
        }
    };
    for args in all() {
        let run = || alone(args, &folder).arg("--connect-retries").arg("0");
        expect("nobody listens", args, run().await, 4);
        expect("no URL", args, run().env("CENTRAL_DATABASE_URL", "").await, 4);
        expect("a URL that is none", args, run().env("CENTRAL_DATABASE_URL", "central").await, 4);
        expect("a setting that is none", args, run().env("LOCK_WAIT", "soon").await, 4);
        expect("no folder", args, run().env("MIGRATIONS_DIR", "/nowhere").await, 4);
        expect("an unknown flag", args, run().arg("--colour").await, 2);
        expect("no such format", args, run().arg("--format").arg("xml").await, 2);
    }
    for args in OVER_TENANTS.into_iter().chain(["tenant:provision --slug acme --name Acme"]) {
        expect("a short key", args, alone(args, &folder).env("DB_ENCRYPTION_KEY", "short").await, 4);
    }
    for args in ["migrate:tenant acme", "migrate:all-tenants", "migrate:latest"] {
        let args = format!("{args} --to 20990101000000");
        expect("a target that nobody has", &args, alone(&args, &folder).await, 4);
    }
    for args in ["migrate:rollback", "migrate:rollback --tenant acme", "migrate:rollback --all-tenants"] {
        let args = format!("{args} --to 20240101000000");
        expect("a target that nobody has", &args, alone(&args, &folder).await, 4);
    }
    for args in ["migrate:make", "migrate:lint --only x", "migrate:restamp --since"] {
        expect("half a command line", args, alone(args, &folder).await, 2);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a terminal is told to change a colour or a weight (ECMA-48, "SGR").
fn has_colour(screen: &str) -> bool {
    screen
        .split("\u{1b}[")
        .skip(1)
        .any(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').starts_with('m'))
}

async fn no_colour_where_none_is_wanted(server: &'static Server) {
    let fleet = fleet_of(server, "colours").await;
    fleet.write("20260101000000_n.up.sql", "ALTER TABLE nowhere ADD COLUMN n INT;");
    for args in ["migrate:all-tenants", "migrate:status", "migrate:lint --dir"] {
        let screen = async |term: &str, no_color: &str| {
            let mut run = fleet.run(args).env("TERM", term).env("NO_COLOR", no_color);
            if args.ends_with("--dir") {
                run = run.arg(fleet.migrations("tenant"));
            }
            run.on_a_raw_terminal().await.ends().1
        };
        // An empty value is none (no-color.org).
        let coloured = screen("xterm-256color", "").await;
        assert!(has_colour(&coloured), "{args}: {coloured:?}");
        for (term, no_color) in [("xterm-256color", "1"), ("dumb", ""), ("dumb", "1")] {
            let plain = screen(term, no_color).await;
            assert!(!has_colour(&plain), "{args}, TERM={term}, NO_COLOR={no_color}: {plain:?}");
        }
    }
}
