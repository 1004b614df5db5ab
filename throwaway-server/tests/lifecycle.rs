//! A server comes, answers, and leaves nothing behind, however its owner ends.
//!
//! Runs with whatever server is to be had; the environment can force another (see the crate's documentation).

use std::{
    env,
    io::{BufRead as _, BufReader},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Executor as _, MySqlConnection};
use throwaway_server::{Flavour, Options, Running, Source, ThrowawayServer, start, stop_running};

/// Cleaning up takes well under a second; the limit is for machines that are busy with other things.
const GONE_LIMIT: Duration = Duration::from_secs(20);

async fn started(options: &Options) -> ThrowawayServer {
    match start(options).await {
        Ok(server) => server,
        Err(error) => panic!("{error}"),
    }
}

async fn ask(url: &str, question: &'static str) -> String {
    let mut connection = MySqlConnection::connect(url).await.expect("the server answers");
    sqlx::query_scalar(question).fetch_one(&mut connection).await.expect("the question is understood")
}

/// What must be gone afterwards: the port, and the folder of a server that runs on this machine.
struct Traces {
    address: (String, u16),
    folder: Option<PathBuf>,
}

impl Traces {
    async fn of(url: &str) -> Self {
        let parsed = url::Url::parse(url).expect("a URL");
        let data = PathBuf::from(ask(url, "SELECT @@datadir").await);
        let folder = data.parent().filter(|folder| folder.join("init.sql").is_file()).map(Path::to_owned);
        let host = parsed.host_str().expect("a host").to_owned();
        Self { address: (host, parsed.port().expect("a port")), folder }
    }

    fn are_there(&self) -> bool {
        let (host, port) = &self.address;
        self.folder.as_ref().is_some_and(|folder| folder.exists())
            || TcpStream::connect((host.as_str(), *port)).is_ok()
    }

    fn assert_gone(&self) {
        let began = Instant::now();
        while self.are_there() {
            assert!(began.elapsed() < GONE_LIMIT, "{:?} {:?} is still there", self.address, self.folder);
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// This crate's program as another process that owns a server.
struct Owner {
    process: Child,
    url: String,
}

impl Owner {
    fn spawn() -> Self {
        Self::spawn_as(&mut Command::new(env!("CARGO_BIN_EXE_throwaway-server")))
    }

    fn spawn_as(program: &mut Command) -> Self {
        let mut process =
            program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut url = String::new();
        let output = process.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut url).expect("a line");
        assert!(url.starts_with("mysql://"), "no URL: {url:?}");
        Self { process, url: url.trim_end().to_owned() }
    }

    /// As `kill -9` does.
    fn kill(&mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it ends");
    }
}

async fn comes_and_goes(flavour: Flavour) {
    // Whoever forces one flavour may have no other.
    if env::var("THROWAWAY_FLAVOUR").is_ok_and(|forced| forced != format!("{flavour}").to_lowercase()) {
        return;
    }
    let arguments = vec!["--max-connections=77".to_owned()];
    let options = Options { flavour: Some(flavour), server_arguments: arguments, ..Options::default() };
    let server = started(&options).await;
    assert_eq!(server.flavour(), flavour);
    assert!(server.description().starts_with(&format!("{flavour} {} ", server.version())));
    assert!(!format!("{server:?}").contains(server.root_password()), "Debug tells the password");

    let version = ask(server.root_url(), "SELECT VERSION()").await;
    assert!(version.starts_with(server.version()), "{version} is not {}", server.version());
    if server.is_ours() {
        assert_eq!(ask(server.root_url(), "SELECT CAST(@@max_connections AS CHAR)").await, "77");
        assert_eq!(ask(server.root_url(), "SELECT IF(@@log_bin, 'on', 'off')").await, "off");
        assert_eq!(ask(server.root_url(), "SELECT @@character_set_server").await, "utf8mb4");
        let others = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.schemata WHERE schema_name
                      NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')";
        assert_eq!(ask(server.root_url(), others).await, "0", "it is not empty");
        if flavour == Flavour::MySql {
            let cipher = "SELECT variable_value FROM performance_schema.session_status
                          WHERE variable_name = 'Ssl_cipher'";
            assert_ne!(ask(server.root_url(), cipher).await, "", "TLS is off");
        }
        let traces = Traces::of(server.root_url()).await;
        assert!(traces.are_there());
        server.stop().await;
        // At once: `stop` gives back control when all is done.
        assert!(!traces.are_there());
    }
}

#[tokio::test]
async fn mysql_comes_and_goes() {
    comes_and_goes(Flavour::MySql).await;
}

#[tokio::test]
async fn mariadb_comes_and_goes() {
    comes_and_goes(Flavour::MariaDb).await;
}

#[tokio::test]
async fn a_dropped_server_is_gone_even_outside_of_a_runtime() {
    let server = started(&Options::default()).await;
    if server.is_ours() {
        let traces = Traces::of(server.root_url()).await;
        thread::spawn(move || drop(server)).join().expect("dropping does not panic");
        assert!(!traces.are_there());
    }
}

#[tokio::test]
async fn a_killed_owner_leaves_nothing_behind() {
    if env::var("THROWAWAY_SERVER_URL").is_ok() {
        return; // not ours to remove
    }
    let mut owner = Owner::spawn();
    let traces = Traces::of(&owner.url).await;
    assert!(traces.are_there());
    owner.kill();
    traces.assert_gone();
}

/// The worst case: nobody is left who could clean up, so the next start does.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_start_sweeps_what_was_left_without_a_guardian() {
    let server = started(&Options::default()).await;
    let source = server.source();
    server.stop().await;
    let traces = match source {
        Source::Url => return,
        Source::Docker => {
            // Without Docker's command line there is no guardian for a container.
            let mut owner =
                Owner::spawn_as(Command::new(env!("CARGO_BIN_EXE_throwaway-server")).env("PATH", "/nowhere"));
            let traces = Traces::of(&owner.url).await;
            owner.kill();
            traces
        }
        Source::Local | Source::Packages => {
            let mut owner = Owner::spawn();
            let traces = Traces::of(&owner.url).await;
            kill_guardian(traces.folder.as_ref().expect("it runs on this machine"));
            owner.kill();
            traces
        }
    };
    assert!(traces.are_there(), "the server does not end by itself");

    started(&Options::default()).await.stop().await;
    traces.assert_gone();
}

/// The guardian is the server's parent.
#[cfg(target_os = "linux")]
fn kill_guardian(folder: &Path) {
    let server = std::fs::read_to_string(folder.join("pid")).expect("the guardian writes it");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.trim())).expect("it runs");
    let guardian = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)).expect("a parent");
    let killed = Command::new("kill").args(["-KILL", guardian]).status().expect("kill is there");
    assert!(killed.success());
}

#[tokio::test]
async fn a_detached_server_stays_until_it_is_stopped() {
    let server = started(&Options::default()).await;
    let is_ours = server.is_ours();
    let traces = Traces::of(server.root_url()).await;
    let kept = serde_json::to_string(&server.detach().await).expect("it can be written");

    // Neither the end of our interest in it nor another start takes it away.
    started(&Options::default()).await.stop().await;
    let running: Running = serde_json::from_str(&kept).expect("it can be read");
    assert!(running.is_up().await);

    stop_running(&running).await.expect("it can be stopped");
    if is_ours {
        assert!(!running.is_up().await);
        traces.assert_gone();
        stop_running(&running).await.expect("stopping it twice is no error");
    }
}

#[tokio::test]
async fn a_server_handed_in_is_left_alone() {
    let server = started(&Options::default()).await;
    let program = Command::new(env!("CARGO_BIN_EXE_throwaway-server"))
        .env("THROWAWAY_SERVER_URL", server.root_url())
        .env_remove("THROWAWAY_SERVER")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let told = String::from_utf8_lossy(&program.stderr);
    assert!(program.status.success(), "{told}");
    assert!(told.contains("at THROWAWAY_SERVER_URL"), "{told}");
    ask(server.root_url(), "SELECT 'still here'").await;
    server.stop().await;
}

/// Downloads up to 70 MB the first time; `cargo test -p throwaway-server -- --ignored` on Debian or Ubuntu.
#[tokio::test]
#[ignore = "downloads a server's packages"]
async fn packages_need_nothing_installed() {
    for flavour in [Flavour::MySql, Flavour::MariaDb] {
        let options =
            Options { flavour: Some(flavour), source: Some(Source::Packages), ..Options::default() };
        let server = started(&options).await;
        assert_eq!(server.source(), Source::Packages);
        assert_eq!(ask(server.root_url(), "SELECT 'here'").await, "here");
        let traces = Traces::of(server.root_url()).await;
        server.stop().await;
        assert!(!traces.are_there());
    }
}

#[tokio::test]
async fn what_is_committed_survives_a_crash() {
    let mut server = started(&Options { is_durable: true, ..Options::default() }).await;
    if !server.is_ours() {
        return;
    }
    let mut connection = MySqlConnection::connect(server.root_url()).await.expect("the server answers");
    let sql = "CREATE DATABASE d; CREATE TABLE d.t (id INT); INSERT INTO d.t VALUES (7)";
    connection.execute(sqlx::raw_sql(sql)).await.expect("it is understood");
    server.crash().await.expect("it starts again");
    assert_eq!(ask(server.root_url(), "SELECT CAST(MAX(id) AS CHAR) FROM d.t").await, "7");
    assert!(connection.ping().await.is_err(), "the server was not killed");
    let traces = Traces::of(server.root_url()).await;
    server.stop().await;
    traces.assert_gone();
}
