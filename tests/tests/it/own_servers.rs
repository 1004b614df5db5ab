//! A program that has started a server of its own takes it along, whichever signal ends it.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use end_to_end::{Invocation, Program, Server, Source, Started, canary, on_each_server, query, tell};
use sqlx::{Connection as _, MySqlConnection};
use tokio::time::{Instant, sleep};

on_each_server!(
    a_stopped_verify_takes_its_server_along,
    a_killed_verify_takes_its_server_along,
    a_verify_that_is_stopped_at_its_start_leaves_no_server,
    a_stopped_demo_takes_its_server_along,
);

/// A server that is busy with other things takes its time to start, and to go.
const LIMIT: Duration = Duration::from_mins(1);

/// A server of this flavour, from where the tests' own comes, for a program that `xtask` starts: in the place of `cargo` is
/// what `cargo run` would become.
async fn xtask(server: &Server, folder: &Path, args: &str) -> Option<Invocation> {
    let source = match server.source() {
        Source::Docker => "docker",
        Source::Local => "local",
        Source::Packages => "packages",
        Source::Url => {
            tell("what becomes of servers after a signal is NOT tested: this one is not ours");
            return None;
        }
    };
    let workbench = tokio::task::spawn_blocking(|| Program::Workbench.path()).await.expect("it is built");
    let cargo = folder.join("cargo");
    // The demo's own children wait as long as the file is there.
    let script = format!(
        "#!/bin/sh\nwhile [ \"$1\" != -- ]; do\n  case $1 in workbench) program=1 ;; esac\n  shift\ndone\nshift\n\
         [ \"$program\" ] && exec '{}' \"$@\"\nwhile [ -e '{}' ]; do sleep 0.1; done\n",
        workbench.display(),
        cargo.display(),
    );
    fs::write(&cargo, script).expect("it can be written");
    fs::set_permissions(&cargo, Permissions::from_mode(0o755)).expect("it is ours");
    let inherited =
        ["THROWAWAY_MYSQL_IMAGE", "THROWAWAY_MARIADB_IMAGE", "THROWAWAY_SERVER_PATH", "THROWAWAY_CACHE"];
    let run = Invocation::new(Program::Xtask, args).env("CARGO", cargo).env("MIGRATIONS_DIR", folder);
    let run = inherited.iter().fold(run, |run, name| run.env(name, env::var_os(name).unwrap_or_default()));
    let flavour = server.flavour().to_string().to_ascii_lowercase();
    Some(run.env("THROWAWAY_SERVER", source).env("THROWAWAY_FLAVOUR", flavour))
}

/// Migrations whose proofs take until they are stopped.
fn slow(folder: &Path) {
    for (name, text) in [
        ("20260101000000_a.up.sql", "CREATE TABLE slow (id INT PRIMARY KEY);"),
        ("20260101000000_a.down.sql", "DROP TABLE slow;"),
        ("20260102000000_b.up.sql", "INSERT INTO slow SELECT SLEEP(150);"),
        ("20260102000000_b.down.sql", "DELETE FROM slow;"),
    ] {
        fs::create_dir_all(folder.join("tenant")).expect("a folder");
        fs::write(folder.join("tenant").join(name), text).expect("a file");
    }
}

/// What a program has of a server on this machine.
enum Owned {
    /// A container's id.
    Container(String),
    /// The folder of a server program, which is named in its arguments and its guardian's.
    Folder(PathBuf),
}

impl Owned {
    /// The server that the process with this number owns, once it is there.
    async fn by(server: &Server, owner: u32) -> Self {
        let find = || match server.source() {
            Source::Docker => container_of(owner).map(Self::Container),
            _ => folder_of(owner).map(Self::Folder),
        };
        let began = Instant::now();
        loop {
            if let Some(owned) = find() {
                return owned;
            }
            assert!(began.elapsed() < LIMIT, "process {owner} starts no server");
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn is_there(&self) -> bool {
        match self {
            Self::Container(id) => {
                !docker(&["ps", "--all", "--quiet", "--filter", &format!("id={id}")]).is_empty()
            }
            Self::Folder(path) => path.exists() || is_running(path),
        }
    }

    /// Where root can log in.
    fn url(&self, server: &Server) -> Option<String> {
        let (password, port) = match self {
            Self::Container(id) => {
                let environment =
                    docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", id]);
                let password =
                    environment.lines().find_map(|line| line.strip_prefix("MYSQL_ROOT_PASSWORD="))?;
                let ports = docker(&["port", id, "3306/tcp"]);
                (password.to_owned(), ports.lines().next()?.rsplit(':').next()?.to_owned())
            }
            Self::Folder(path) => {
                let init = fs::read_to_string(path.join("init.sql")).ok()?;
                let command = fs::read_to_string(format!("/proc/{}/cmdline", process_of(path)?)).ok()?;
                let port = command.split('\0').find_map(|argument| argument.strip_prefix("--port="))?;
                (init.split('\'').nth(5)?.to_owned(), port.to_owned())
            }
        };
        canary::learn(&password);
        Some(format!("mysql://root:{password}@{}:{port}/mysql", server.host()))
    }

    /// Waits until the slow statement runs there.
    async fn is_at_work(&self, server: &Server) {
        let began = Instant::now();
        let running = query::running("root", "INSERT INTO slow SELECT SLEEP");
        loop {
            if let Some(url) = self.url(server)
                && let Ok(mut connection) = MySqlConnection::connect(&url).await
                && !query::column(&mut connection, &running).await.is_empty()
            {
                return;
            }
            assert!(began.elapsed() < LIMIT, "nothing is proven");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn is_gone(&self) {
        let began = Instant::now();
        while self.is_there() {
            assert!(began.elapsed() < LIMIT, "the server is still there");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

fn docker(args: &[&str]) -> String {
    let output = Command::new("docker").args(args).output().expect("docker runs");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Each container has its owner's number in a label: boot, namespace, process and when it began.
fn container_of(owner: u32) -> Option<String> {
    let label = "throwaway-server.owner";
    let format = format!("{{{{.ID}}}} {{{{.Label \"{label}\"}}}}");
    let listed =
        docker(&["ps", "--all", "--no-trunc", "--filter", &format!("label={label}"), "--format", &format]);
    let mut containers = listed.lines().filter_map(|line| line.split_once(' '));
    let is_owners = |mark: &str| mark.rsplit('/').nth(1) == Some(&owner.to_string());
    containers.find(|(_, mark)| is_owners(mark)).map(|(id, _)| id.to_owned())
}

/// The server's parent is its guardian, whose parent is the owner.
fn folder_of(owner: u32) -> Option<PathBuf> {
    let roots = [PathBuf::from("/dev/shm"), env::temp_dir()];
    let entries = roots.iter().flat_map(|root| fs::read_dir(root).into_iter().flatten().flatten());
    let mut folders = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("throwaway-server-"))
        .map(|entry| entry.path());
    folders.find(|folder| process_of(folder).and_then(parent).and_then(parent) == Some(owner))
}

/// The server's process: first one that makes the data, then the server.
fn process_of(folder: &Path) -> Option<u32> {
    fs::read_to_string(folder.join("pid")).ok()?.trim().parse().ok()
}

fn is_running(folder: &Path) -> bool {
    let folder = folder.to_string_lossy();
    let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
    let mut commands =
        processes.filter_map(|process| fs::read_to_string(process.path().join("cmdline")).ok());
    commands.any(|command| command.contains(&*folder))
}

fn parent(process: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()
}

/// Starts proofs that do not end, and waits until they are at it.
async fn proving(server: &Server, folder: &Path) -> Option<(Started, Owned)> {
    slow(folder);
    let run = xtask(server, folder, "migrate:verify").await?.start().await;
    let owned = Owned::by(server, run.id()).await;
    owned.is_at_work(server).await;
    assert!(owned.is_there());
    Some((run, owned))
}

async fn a_stopped_verify_takes_its_server_along(server: &'static Server) {
    for signal in ["INT", "TERM"] {
        let folder = tempfile::tempdir().expect("a folder");
        let Some((run, owned)) = proving(server, folder.path()).await else { return };
        run.signal(signal).await;
        run.finish().await.exits(3).says("stopped: removing what the proofs have made");
        // It was waited for.
        assert!(!owned.is_there(), "{signal}");
    }
}

async fn a_killed_verify_takes_its_server_along(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((run, owned)) = proving(server, folder.path()).await else { return };
    run.signal("KILL").await;
    assert_eq!(run.finish().await.code, None);
    owned.is_gone().await;
}

async fn a_verify_that_is_stopped_at_its_start_leaves_no_server(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    slow(folder.path());
    let Some(run) = xtask(server, folder.path(), "migrate:verify").await else { return };
    let run = run.start().await;
    let owned = Owned::by(server, run.id()).await;
    run.signal("INT").await;
    run.finish().await.exits(3).says("stopped: ");
    owned.is_gone().await;
}

async fn a_stopped_demo_takes_its_server_along(server: &'static Server) {
    let folder = tempfile::tempdir().expect("a folder");
    for signal in ["INT", "TERM"] {
        let Some(run) = xtask(server, folder.path(), "demo").await else { return };
        let mut run = run.start().await;
        let owned = Owned::by(server, run.id()).await;
        // By then it waits for a child of its own.
        while !run.line().await.starts_with("$ cargo xtask migrate:all-tenants") {}
        assert!(owned.is_there());
        run.signal(signal).await;
        fs::remove_file(folder.path().join("cargo")).expect("it is there");
        drop(run.finish().await);
        owned.is_gone().await;
    }
}
