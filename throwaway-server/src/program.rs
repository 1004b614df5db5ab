//! A server program, run privately from a folder of its own.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs, io,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{
    ballast,
    guardian::{Guardian, log_tail},
    readiness::{self, Greeting},
    server::{Held, ThrowawayServer},
    settings::{Flavour, Settings, Source},
    sweep,
};

/// Where a disk of a chosen size is mounted, in the server's folder.
const DISK: &str = "disk";

const INITIALISE_LIMIT: Duration = Duration::from_mins(2);
const READY_LIMIT: Duration = Duration::from_mins(1);

/// Another process may take a free port between our finding it and the server's binding it.
const PORT_TRIES: usize = 5;

/// What makes a server fast and forgetful, and independent of the machine it runs on. `--loose-` lets versions pass
/// that do not know an option.
const FAST_AND_FORGETFUL: &[&str] = &[
    "--skip-log-bin",
    "--sync-binlog=0",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=64M",
    "--loose-innodb-redo-log-capacity=32M",
    // The kernel's supply of asynchronous I/O is shared by the machine, and servers run side by side.
    "--innodb-use-native-aio=0",
    "--max-connections=500",
    // What packages configure and `--no-defaults` takes away: MariaDB's own default is latin1 before 11.6.
    "--character-set-server=utf8mb4",
    "--secure-file-priv=",
    "--loose-mysqlx=OFF",
];

/// The same for a container, whose image has a configuration and folders of its own.
pub(crate) const FAST_IN_CONTAINER: &[&str] = FAST_AND_FORGETFUL.split_at(6).0;

/// The files of share/mysql that make MariaDB's system tables, in order, as `mariadb-install-db` feeds them.
const MARIADB_SYSTEM_TABLES: &[&str] = &[
    "mysql_system_tables.sql",
    "mysql_performance_tables.sql",
    "mysql_system_tables_data.sql",
    "fill_help_tables.sql",
    "maria_add_gis_sp_bootstrap.sql",
    "mysql_sys_schema.sql",
];

/// A server program and how to run it.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) flavour: Flavour,
    /// For people: the program's path, or where its packages were unpacked.
    pub(crate) name: String,
    /// The program, preceded by its loader if it is not of this system.
    pub(crate) launch: Vec<OsString>,
    /// Arguments that tell it where its own files are.
    pub(crate) own_files: Vec<OsString>,
    /// Folders that may hold its SQL files.
    pub(crate) share: Vec<PathBuf>,
}

impl Program {
    /// A program that is installed on this machine and finds its own files.
    pub(crate) fn installed(flavour: Flavour, path: PathBuf) -> Self {
        let prefix = path.parent().and_then(Path::parent).unwrap_or(Path::new("/usr"));
        let share = ["share/mysql", "share/mariadb", "share"].map(|folder| prefix.join(folder)).to_vec();
        Self {
            flavour,
            name: path.display().to_string(),
            launch: vec![path.into()],
            own_files: Vec::new(),
            share,
        }
    }

    fn command(&self, folder: &Path, more: &[OsString]) -> Vec<OsString> {
        let mut all = self.launch.clone();
        all.push("--no-defaults".into()); // must be the first
        all.extend(self.own_files.iter().cloned());
        all.push(option("--datadir=", &folder.join("data")));
        all.push(option("--tmpdir=", &folder.join("tmp")));
        all.extend(FAST_AND_FORGETFUL.iter().map(Into::into));
        if rustix::process::geteuid().is_root() {
            all.push("--user=root".into()); // a server refuses to run as root unless told that it is meant
        }
        all.extend_from_slice(more);
        all
    }
}

/// A server program that runs. Dropping it ends the program and removes its folder.
pub(crate) struct Process {
    /// Absent while the program is started again.
    guardian: Option<Guardian>,
    folder: PathBuf,
    program: Program,
    settings: Settings,
}

impl Process {
    /// Lets it outlive us; gives the folder to stop it by.
    pub(crate) fn detach(self) -> PathBuf {
        if let Some(guardian) = self.guardian {
            guardian.detach();
        }
        self.folder
    }

    /// The file that fills the server's own disk, which is seen through its process.
    pub(crate) fn ballast(&self) -> io::Result<PathBuf> {
        if self.settings.disk_bytes.is_none() {
            return Err(io::Error::other("the server's disk is everybody's"));
        }
        let pid = fs::read_to_string(self.folder.join("pid"))?;
        Ok(ballast::in_the_eyes_of(&pid, &self.folder.join(DISK)))
    }

    /// Kills the program and starts it again in its folder; gives root's URL.
    pub(crate) async fn crash(&mut self, password: &str) -> Result<(String, Greeting), String> {
        let guardian = self.guardian.take().ok_or("it did not start again after the last time")?;
        let text =
            fs::read_to_string(self.folder.join("pid")).map_err(|error| format!("its pid: {error}"))?;
        let pid = text.trim().parse().ok().and_then(Pid::from_raw).ok_or("its pid is no number")?;
        kill_process(pid, Signal::KILL).map_err(|error| format!("it cannot be killed: {error}"))?;
        guardian.program_end().await;
        // Its guardian must not take the folder away.
        let _ = guardian.leave();
        let (guardian, url, greeting) = run(&self.program, &self.folder, password, &self.settings).await?;
        self.guardian = Some(guardian);
        Ok((url, greeting))
    }
}

/// Runs the server with its data on a disk of this size: memory that is mounted where it alone sees it, and gone with it.
fn on_a_disk_of(bytes: u64, folder: &Path, server: Vec<OsString>) -> io::Result<Vec<OsString>> {
    const MOUNT: &str =
        r#"mount -t tmpfs -o size="$1" tmpfs "$2" && cp -a "$3/." "$2" && shift 3 && exec "$@""#;
    let disk = folder.join(DISK);
    fs::create_dir_all(&disk)?;
    let mut all: Vec<OsString> = vec!["unshare".into(), "--mount".into()];
    if !rustix::process::geteuid().is_root() {
        // Whoever is root in a user namespace of their own may mount there.
        all.extend(["--user".into(), "--map-root-user".into()]);
    }
    all.extend(["sh".into(), "-c".into(), MOUNT.into(), "sh".into(), bytes.to_string().into()]);
    all.extend([disk.clone().into(), folder.join("data").into()]);
    all.extend(server);
    all.extend([option("--datadir=", &disk), "--user=root".into()]);
    Ok(all)
}

fn option(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

/// Runs the program in a new folder and waits until it answers; a reason if it does not.
pub(crate) async fn start(
    program: &Program,
    source: Source,
    settings: &Settings,
) -> Result<ThrowawayServer, String> {
    let password = random_word().map_err(|error| format!("no random password: {error}"))?;
    let folder = prepare(program, &password).map_err(|error| format!("cannot prepare a folder: {error}"))?;
    initialise(program, folder.path(), &settings.server_arguments).await?;
    let (guardian, url, greeting) = run(program, folder.path(), &password, settings).await?;
    // From here on the guardian removes the folder.
    let process = Process {
        guardian: Some(guardian),
        folder: folder.keep(),
        program: program.clone(),
        settings: settings.clone(),
    };
    let origin = match source {
        Source::Packages => format!("from packages in {}", program.name),
        _ => format!("from {}", program.name),
    };
    ThrowawayServer::new(&url, greeting, origin, source, Held::Program(Box::new(process)))
        .map_err(|error| error.to_string())
}

/// 128 bits in hexadecimal: nothing that SQL or a URL would have to quote.
pub(crate) fn random_word() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut word, byte| {
        let _ = write!(word, "{byte:02x}");
        word
    }))
}

fn prepare(program: &Program, password: &str) -> io::Result<TempDir> {
    let folder = tempfile::Builder::new().prefix(sweep::PREFIX).tempdir_in(sweep::data_root())?;
    for name in ["data", "tmp"] {
        fs::create_dir(folder.path().join(name))?;
    }
    // As in the official images: root from this host, and from anywhere. One statement a line, as MariaDB wants it.
    let everywhere = match program.flavour {
        Flavour::MySql => "CREATE USER IF NOT EXISTS",
        Flavour::MariaDb => "CREATE OR REPLACE USER",
    };
    fs::write(
        folder.path().join("init.sql"),
        format!(
            "ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';\n\
             {everywhere} 'root'@'%' IDENTIFIED BY '{password}';\n\
             GRANT ALL ON *.* TO 'root'@'%' WITH GRANT OPTION;\n"
        ),
    )?;
    Ok(folder)
}

/// What the system tables are made for, once and for all: a server that is started with another value refuses them (MySQL
/// 8.4 manual, "Server System Variables").
const OF_THE_DATA: [&str; 2] = ["--lower-case-table-names", "--innodb-page-size"];

/// Makes the system tables.
async fn initialise(program: &Program, folder: &Path, server_arguments: &[String]) -> Result<(), String> {
    let (argument, input) = match program.flavour {
        Flavour::MySql => ("--initialize-insecure", PathBuf::from("/dev/null")),
        Flavour::MariaDb => {
            let input = folder.join("bootstrap.sql");
            let sql = mariadb_bootstrap(program)?;
            fs::write(&input, sql).map_err(|error| format!("cannot write {}: {error}", input.display()))?;
            ("--bootstrap", input)
        }
    };
    let is_of_the_data = |other: &&String| {
        let name = other.split('=').next().unwrap_or_default().replace('_', "-");
        OF_THE_DATA.contains(&name.as_str())
    };
    let others = server_arguments.iter().filter(is_of_the_data).map(OsString::from);
    let arguments: Vec<_> = std::iter::once(argument.into()).chain(others).collect();
    let guardian = Guardian::of_program(folder, &input, program.command(folder, &arguments))
        .map_err(|error| format!("cannot start a shell to guard the server: {error}"))?;
    if tokio::time::timeout(INITIALISE_LIMIT, guardian.program_end()).await.is_err() {
        let tail = log_tail(folder);
        return Err(format!("{argument} took more than {} s:\n{tail}", INITIALISE_LIMIT.as_secs()));
    }
    match guardian.leave() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{argument} ended with {status}:\n{}", log_tail(folder))),
        Err(error) => Err(format!("{argument}: {error}")),
    }
}

fn mariadb_bootstrap(program: &Program) -> Result<Vec<u8>, String> {
    let share = program
        .share
        .iter()
        .find(|folder| folder.join(MARIADB_SYSTEM_TABLES[0]).is_file())
        .ok_or_else(|| format!("{} is not to be found beside it", MARIADB_SYSTEM_TABLES[0]))?;
    let mut sql = b"create database mysql;\nuse mysql;\n".to_vec();
    for name in MARIADB_SYSTEM_TABLES {
        match fs::read(share.join(name)) {
            Ok(text) => sql.extend(text),
            // Versions differ in what they bring; what is needed shows when the server starts.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: {error}", share.join(name).display())),
        }
        sql.push(b'\n');
    }
    Ok(sql)
}

async fn run(
    program: &Program,
    folder: &Path,
    password: &str,
    settings: &Settings,
) -> Result<(Guardian, String, Greeting), String> {
    let mut arguments = vec![
        "--bind-address=127.0.0.1".into(),
        option("--socket=", &folder.join("socket")),
        option("--pid-file=", &folder.join("server.pid")),
        option("--init-file=", &folder.join("init.sql")),
    ];
    arguments.extend(settings.server_arguments.iter().map(Into::into));

    for _ in 0..PORT_TRIES {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let mut with_port = vec![OsString::from(format!("--port={port}"))];
        with_port.extend_from_slice(&arguments);
        let command = program.command(folder, &with_port);
        let command = match settings.disk_bytes {
            Some(bytes) => {
                on_a_disk_of(bytes, folder, command).map_err(|error| format!("a disk: {error}"))?
            }
            None => command,
        };
        let guardian = Guardian::of_program(folder, Path::new("/dev/null"), command)
            .map_err(|error| format!("cannot start a shell to guard the server: {error}"))?;
        let url = format!("mysql://root:{password}@127.0.0.1:{port}");
        tokio::select! {
            ready = readiness::wait_until_ready(&url, READY_LIMIT) => {
                // A server that lost its port to another one may leave that one answering.
                return match ready {
                    Ok(greeting) => Ok((guardian, url, greeting)),
                    Err(error) => Err(format!("{error}\n{}", log_tail(folder))),
                };
            }
            () = guardian.program_end() => {
                let tail = log_tail(folder);
                if !tail.contains("Address already in use") {
                    return Err(format!("the server ended while it was starting:\n{tail}"));
                }
                let _ = guardian.leave();
            }
        }
    }
    Err(format!("{PORT_TRIES} free ports were taken before the server could bind them"))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
