//! `migrate:verify` as people and pipelines call it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use end_to_end::{Flavour, Invocation, Program, Server, assert_output, on_each_server, query};

on_each_server!(
    only_what_is_new_against_a_branch_is_proven,
    what_cannot_be_asked_for_is_refused,
    rows_come_from_fixtures_where_none_can_be_made_up,
    one_set_is_enough,
    a_signal_leaves_no_database_behind,
    a_second_signal_ends_it_at_once,
);

const CREATE: &str = "CREATE TABLE tasks (id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(80) NOT NULL);";

fn verify(folder: &Path, server: &Server, args: &str) -> Invocation {
    let run = Invocation::new(Program::Workbench, &format!("migrate:verify {args}")).folder(folder);
    run.arg("--server").arg(server.url("")).env("MIGRATIONS_DIR", folder)
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn git(folder: &Path, args: &str) {
    let identity =
        ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(args.split(' ')).output();
    let output = output.expect("git runs");
    assert!(output.status.success(), "git {args}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn only_what_is_new_against_a_branch_is_proven(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    git(folder, "init --quiet --initial-branch=main");
    write(folder, "tenant/20260101000000_tasks.up.sql", CREATE);
    write(folder, "tenant/20260101000000_tasks.down.sql", "DROP TABLE tasks;");
    // Broken, and known to be: it is not what the branch adds.
    write(folder, "tenant/20260102000000_size.up.sql", "ALTER TABLE tasks ADD size INT NULL;");
    write(folder, "tenant/20260102000000_size.down.sql", "ALTER TABLE tasks ADD other INT NULL;");
    git(folder, "add --all");
    git(folder, "commit --quiet --message=base");
    git(folder, "checkout --quiet -b work");
    // It needs what the others have made.
    write(folder, "tenant/20260103000000_due.up.sql", "ALTER TABLE tasks ADD due DATE NULL AFTER size;");
    write(folder, "tenant/20260103000000_due.down.sql", "ALTER TABLE tasks DROP COLUMN due;");
    let output = verify(folder, server, "--since main --format json").await;
    let lines: Vec<_> = output.stdout.lines().filter(|line| line.contains(r#""version":"#)).collect();
    assert!(
        lines
            .iter()
            .all(|line| line.contains(r#""version":"20260103000000""#) || line.contains(r#""version":null"#)),
        "{output}"
    );
    assert!(output.stdout.contains(r#""n_migrations":1"#), "{output}");
    assert!(!output.stdout.contains("V104"), "{output}");

    write(folder, "tenant/20260103000000_due.down.sql", "ALTER TABLE tasks DROP COLUMN size;");
    let output = verify(folder, server, "--since main").await;
    output.exits(1).says("V104").says("20260103000000_due.down.sql");
    assert!(!output.stdout.contains("20260102000000_size.down.sql"), "{output}");
    // Nothing is new against the branch itself.
    let output = verify(folder, server, "--since main --only 20260102000000").await;
    output.exits(4).says("neither new nor changed against main").says("hint: ");
}

async fn what_cannot_be_asked_for_is_refused(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write(folder, "tenant/20260101000000_tasks.up.sql", CREATE);
    fs::create_dir(folder.join("empty")).expect("a folder");
    write(folder, "orphan/1_a.down.sql", "DROP TABLE a;");
    for (args, code, says) in [
        ("--since main", 4, "is in no git repository"),
        ("--only 42", 4, "there is no migration 42"),
        ("--dir empty", 4, "there are no migrations in `empty`"),
        ("--dir nowhere", 4, "cannot read the migrations folder `nowhere`"),
        ("--dir orphan", 4, "there is no `.up.sql` of this version"),
        ("--junit nowhere/a.xml", 4, "`nowhere/a.xml` cannot be written"),
        ("--server mysqql", 2, "no such server"),
        ("--server mysql://root@127.0.0.1:1", 4, "refused the connection"),
        ("--server http://127.0.0.1", 4, "its scheme is `http`"),
    ] {
        let run = Invocation::new(Program::Workbench, &format!("migrate:verify {args}"));
        let run = run.folder(folder).env("MIGRATIONS_DIR", folder);
        // Where something else is wrong, the server is not asked.
        let run = if args.starts_with("--server") { run } else { run.arg("--server").arg(server.url("")) };
        let output = run.await;
        output.exits(code).says(says);
        assert!(output.stderr.contains("hint: ") || code == 2, "{output}");
        assert_eq!(output.stdout, "", "{output}");
    }
    let output = verify(folder, server, "--only 42 --format json").await;
    output.exits(4);
    assert!(output.stdout.starts_with(r#"{"schema":1,"event":"error","code":"verify","#), "{output}");
    if server.flavour() == Flavour::MySql {
        assert_output!("verify_refused", verify(folder, server, "--only 42").await);
    }
}

async fn rows_come_from_fixtures_where_none_can_be_made_up(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let odd = "CREATE TABLE odd (id INT PRIMARY KEY, word VARCHAR(40) NOT NULL, CHECK (REVERSE(word) = 'drow cigam'));";
    write(folder, "tenant/20260101000000_odd.up.sql", odd);
    write(folder, "tenant/20260101000000_odd.down.sql", "DROP TABLE odd;");
    // Whether it fails, only a row can tell.
    write(folder, "tenant/20260102000000_n.up.sql", "UPDATE odd SET word = 'another word';");
    write(folder, "tenant/20260102000000_n.down.sql", "UPDATE odd SET word = 'magic word';");
    let output = verify(folder, server, "").await;
    output.says("note[V102]").says("table `odd` has no rows").says("migrations/fixtures/tenant/*.sql");
    assert!(!output.stdout.contains("error[V102]"), "{output}");
    write(folder, "fixtures/tenant/odd.sql", "INSERT INTO odd VALUES (1, 'magic word');");
    let output = verify(folder, server, "").await;
    output.exits(1).says("error[V102]").says("20260102000000_n.up.sql:1");
    assert!(!output.stdout.contains("has no rows"), "{output}");
}

async fn one_set_is_enough(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "tenant/20260101000000_tasks.up.sql", CREATE);
    write(folder.path(), "tenant/20260101000000_tasks.down.sql", "DROP TABLE tasks;");
    let output = verify(folder.path(), server, "--update --seed 5").await;
    output.exits(0).says("nothing found in 1 migration").says("--seed 5");
}

/// A folder whose proofs take until they are stopped, and what shows that they are at it: a table by its name.
fn slow(word: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_owned();
    write(&path, "tenant/20260101000000_a.up.sql", &format!("CREATE TABLE {word} (id INT PRIMARY KEY);"));
    write(&path, "tenant/20260101000000_a.down.sql", &format!("DROP TABLE {word};"));
    write(&path, "tenant/20260102000000_b.up.sql", &format!("INSERT INTO {word} SELECT SLEEP(150);"));
    write(&path, "tenant/20260102000000_b.down.sql", &format!("DELETE FROM {word};"));
    (folder, path)
}

/// The scratch databases of the run that makes a table of this name.
async fn scratch_databases(server: &Server, word: &str) -> Vec<String> {
    let sql = format!(
        "SELECT table_schema FROM information_schema.tables WHERE table_name = '{word}' AND table_schema LIKE \
         '%scratch%' ORDER BY table_schema"
    );
    query::column(&mut server.connect("").await, &sql).await
}

async fn until_at_work(server: &Server, word: &str) {
    let statement = query::running("root", &format!("INSERT INTO {word} SELECT SLEEP(150)"));
    query::rows_once_there(&mut server.connect("").await, &statement).await;
}

async fn a_signal_leaves_no_database_behind(server: &'static Server) {
    for signal in ["INT", "TERM"] {
        let word = format!("signal_{}", signal.to_ascii_lowercase());
        let (_folder, path) = slow(&word);
        let run = verify(&path, server, "").start().await;
        until_at_work(server, &word).await;
        assert!(!scratch_databases(server, &word).await.is_empty());
        run.signal(signal).await;
        let output = run.finish().await;
        output.exits(3).says("stopped: removing what the proofs have made");
        assert_eq!(scratch_databases(server, &word).await, Vec::<String>::new(), "{output}");
        // Nor is anything at work there any more.
        let at_work = query::running("root", &format!("INSERT INTO {word} SELECT SLEEP(150)"));
        assert_eq!(query::column(&mut server.connect("").await, &at_work).await, Vec::<String>::new());
    }
}

async fn a_second_signal_ends_it_at_once(server: &'static Server) {
    let word = "signal_twice";
    let (_folder, path) = slow(word);
    let run = verify(&path, server, "").start().await;
    until_at_work(server, word).await;
    // Somebody reads a table there, so that its database cannot be removed yet.
    let mut reader = server.connect("").await;
    let names = scratch_databases(server, word).await;
    query::run(&mut reader, "START TRANSACTION").await;
    query::rows(&mut reader, &format!("SELECT * FROM `{}`.{word}", names[0])).await;
    run.signal("INT").await;
    let waits = query::running("root", &format!("DROP DATABASE IF EXISTS `{}`", names[0]));
    query::rows_once_there(&mut server.connect("").await, &waits).await;
    let began = Instant::now();
    run.signal("INT").await;
    let output = run.finish().await;
    assert_eq!(output.code, Some(3), "{output}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    query::run(&mut reader, "ROLLBACK").await;
    for name in names {
        query::run(&mut reader, &format!("DROP DATABASE IF EXISTS `{name}`")).await;
    }
}
