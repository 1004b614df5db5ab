//! The way to a server: a TCP connection of our own, and a task that copies between it and a local socket that sqlx opens.
//!
//! sqlx 0.9 logs in by itself and gives no sight of the bytes. Between it and the server this can do what sqlx does not:
//!
//! * **The password is never sent in clear.** sqlx follows a greeting that names `mysql_clear_password`, with TLS or
//!   without (sqlx-mysql, `connection/establish.rs`; it checks the later request to change the plugin alone). Such a
//!   greeting is refused here, before sqlx has read a byte of it.
//! * **No answer fills the memory.** Whoever waits for an answer says how many bytes it may have; a server that sends more
//!   is cut off.
//! * **A request for a file is noticed.** sqlx never sends one, and would wait for more of the answer; see
//!   [`answers`](super::answers).
//! * **Small packets do not wait.** sqlx opens its socket without `TCP_NODELAY` (sqlx-core, `net/socket/mod.rs`,
//!   `connect_tcp`): in a TLS login Nagle's algorithm holds the second of two packets back for some 40 ms.
//! * **A peer that is gone is noticed**: by probes on an idle connection, and by a limit on bytes that nobody confirms.
//!
//! A TLS session is still sqlx's, end to end: certificate and host name are checked as ever.
//!
//! On Linux the local socket has an abstract name, which no file stands for: nothing is left of it when the process is
//! killed. Its other end must be this process; nobody else can come in between. On other systems it is a file in a folder that
//! only this user can enter.

use std::{
    fmt::Write as _,
    io,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use socket2::{SockRef, TcpKeepalive};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UnixListener, UnixStream},
    select,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::answers::Answers;
use crate::{entropy::random_iv, tenant::ServerId};

/// Hands out local sockets that lead to servers.
#[derive(Debug)]
pub(super) struct Relay {
    names: Names,
    n_sockets: AtomicUsize,
}

/// Where the local sockets are.
#[derive(Debug)]
enum Names {
    /// In the abstract name space of Linux, behind this word.
    Abstract(String),
    /// In a folder; `None` where none could be made.
    Folder(Option<TempDir>),
}

/// Why there is no way to a server.
#[derive(Debug)]
pub(super) enum NoWay {
    /// What the system said.
    Io(io::Error),
    /// The server asks for the password in clear.
    ClearPassword,
}

impl From<io::Error> for NoWay {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Relay {
    pub(super) fn new() -> Self {
        let names = if cfg!(target_os = "linux") {
            // Others may see the name, and may not use it; that it is new is enough.
            let random = random_iv().unwrap_or_default().iter().fold(String::new(), |mut word, byte| {
                write!(word, "{byte:02x}").ok();
                word
            });
            Names::Abstract(format!("\0backend-migrations-{}-{random}-", process::id()))
        } else {
            Names::Folder(tempfile::Builder::new().prefix("backend-migrations-").tempdir().ok())
        };
        Self { names, n_sockets: AtomicUsize::new(0) }
    }

    /// Connects to `server`, reads its greeting, and gives the name of a local socket that leads there, for one connection.
    pub(super) async fn open(&self, server: &ServerId) -> Result<Door, NoWay> {
        let mut upstream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        upstream.set_nodelay(true)?;
        notice_a_dead_peer(&upstream)?;
        let greeting = read_greeting(&mut upstream).await?;
        if contains(&greeting, CLEAR_PASSWORD) {
            return Err(NoWay::ClearPassword);
        }
        let (path, is_file) = self.name()?;
        let listener = UnixListener::bind(&path)?;
        let traffic = Arc::new(Traffic::default());
        let door = Door { path, is_file, traffic: traffic.clone() };
        // Ends with the connection: whichever side closes, the copy does.
        tokio::spawn(async move {
            let accepted = timeout(ACCEPT_LIMIT, accept(&listener)).await;
            drop(listener);
            if let Ok(Ok(downstream)) = accepted
                && let Err(error) = carry(&greeting, downstream, upstream, &traffic).await
            {
                traffic.set_failure(&error);
            }
            traffic.end.cancel();
        });
        Ok(door)
    }

    /// The name of a new socket, and whether it is a file's.
    fn name(&self) -> io::Result<(PathBuf, bool)> {
        let n = self.n_sockets.fetch_add(1, Ordering::Relaxed);
        match &self.names {
            Names::Abstract(word) => Ok((format!("{word}{n}").into(), false)),
            Names::Folder(Some(folder)) => Ok((folder.path().join(n.to_string()), true)),
            Names::Folder(None) => {
                Err(io::Error::other("no temporary folder can be made for a local socket"))
            }
        }
    }
}

/// sqlx connects at once; a caller that gave up in between never does.
const ACCEPT_LIMIT: Duration = Duration::from_secs(10);

/// The plugin that sends the password as it is (MySQL 8.4 manual, "Client-Side Cleartext Pluggable Authentication").
const CLEAR_PASSWORD: &[u8] = b"mysql_clear_password";

/// A greeting has some hundred bytes, an error in its place at most a thousand or so.
const GREETING_MAX: usize = 4096;

/// A local socket's name, which goes when it has been used, and what goes through it.
#[derive(Debug)]
pub(super) struct Door {
    path: PathBuf,
    is_file: bool,
    traffic: Arc<Traffic>,
}

impl Door {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.is_file {
            std::fs::remove_file(&self.path).ok();
        }
    }
}

/// What a server sends that nothing but the end of its connection answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// More than it might.
    Excess,
    /// A request for a file of this machine.
    AsksForAFile,
}

/// What goes over one connection.
#[derive(Debug)]
pub(super) struct Traffic {
    /// The bytes that the server has sent since [`Self::allow`].
    n_answered: AtomicU64,
    n_allowed: AtomicU64,
    fault: OnceLock<Fault>,
    /// When a byte last went over it, either way.
    last: Mutex<Instant>,
    /// What ended the way to the server, if the system said.
    failure: Mutex<Option<String>>,
    /// Cancelled once nothing goes over it any more.
    end: CancellationToken,
}

/// A login: two dozen small packets, and with TLS the server's certificates.
impl Default for Traffic {
    fn default() -> Self {
        const LOGIN_MAX: u64 = 1 << 20;
        Self {
            n_answered: AtomicU64::new(0),
            n_allowed: AtomicU64::new(LOGIN_MAX),
            fault: OnceLock::new(),
            last: Mutex::new(Instant::now()),
            failure: Mutex::default(),
            end: CancellationToken::new(),
        }
    }
}

impl Traffic {
    /// From here on the server may send so many bytes; the connection ends where it sends more.
    pub(super) fn allow(&self, n_bytes: u64) {
        self.n_allowed.store(n_bytes, Ordering::Relaxed);
        self.n_answered.store(0, Ordering::Relaxed);
    }

    /// What the server has sent that ended the connection, if it was that.
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault.get().copied()
    }

    /// Known before the connection ends: whoever sees the end asks for it.
    fn ends_for(&self, fault: Fault) -> io::Error {
        self.fault.get_or_init(|| fault);
        io::Error::other(match fault {
            Fault::Excess => "the answer is too large",
            Fault::AsksForAFile => "the server asks for a file of this machine",
        })
    }

    /// For how long nothing has gone over it, either way.
    pub(super) fn quiet_for(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// What the system said when the way to the server ended.
    pub(super) fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until all that was sent is on its way to the server, and the connection to it is closed.
    pub(super) async fn ended(&self) {
        self.end.cancelled().await;
    }

    fn set_failure(&self, error: &io::Error) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    fn count(&self, n_bytes: usize) -> io::Result<()> {
        self.touch();
        let n_bytes = u64::try_from(n_bytes).unwrap_or(u64::MAX);
        let n_answered = self.n_answered.fetch_add(n_bytes, Ordering::Relaxed).saturating_add(n_bytes);
        if n_answered <= self.n_allowed.load(Ordering::Relaxed) {
            return Ok(());
        }
        Err(self.ends_for(Fault::Excess))
    }
}

/// A peer that vanishes without a word is noticed within a minute: an idle one by three probes without an answer, one that
/// does not confirm what it was sent by the limit on that (Linux `tcp(7)`, `TCP_USER_TIMEOUT`).
fn notice_a_dead_peer(stream: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(30))
        .with_interval(Duration::from_secs(10))
        .with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_mins(1)))?;
    Ok(())
}

/// The server's first packet, header included: its greeting, or an error.
async fn read_greeting(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut greeting = vec![0; 4];
    stream.read_exact(&mut greeting).await?;
    // Three bytes of length, the lowest first, and a sequence number.
    let length = usize::from(greeting[0]) | usize::from(greeting[1]) << 8 | usize::from(greeting[2]) << 16;
    if length > GREETING_MAX {
        let words = format!("it does not greet as a MySQL server does: its first packet has {length} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    greeting.resize(4 + length, 0);
    stream.read_exact(&mut greeting[4..]).await?;
    Ok(greeting)
}

/// Whether the name stands anywhere in the packet: sqlx takes a plugin's name from bytes that follow each other in it, so
/// this needs no reading of the packet that could differ from sqlx's.
fn contains(packet: &[u8], name: &[u8]) -> bool {
    packet.windows(name.len()).any(|window| window == name)
}

/// The connection of this process. The abstract name space has no permissions: whoever else comes is sent away.
async fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    loop {
        let (stream, _) = listener.accept().await?;
        let peer = stream.peer_cred()?.pid().and_then(|pid| u32::try_from(pid).ok());
        if peer == Some(process::id()) {
            return Ok(stream);
        }
    }
}

/// Copies both ways until either side closes.
async fn carry(
    greeting: &[u8],
    mut downstream: UnixStream,
    mut upstream: TcpStream,
    traffic: &Traffic,
) -> io::Result<()> {
    const N_BUFFER: usize = 16 << 10;
    downstream.write_all(greeting).await?;
    let (mut from_client, mut to_client) = downstream.split();
    let (mut from_server, mut to_server) = upstream.split();
    let reading = Mutex::new(Answers::new());
    let along = || reading.lock().unwrap_or_else(PoisonError::into_inner);
    let requests = async {
        let mut buffer = vec![0; N_BUFFER];
        let mut is_first = true;
        loop {
            let n = from_client.read(&mut buffer).await?;
            if n == 0 {
                return Ok(());
            }
            if is_first {
                along().begin(&buffer[..n]);
                is_first = false;
            }
            traffic.touch();
            to_server.write_all(&buffer[..n]).await?;
            traffic.touch();
        }
    };
    let answers = async {
        let mut buffer = vec![0; N_BUFFER];
        loop {
            let n = from_server.read(&mut buffer).await?;
            if n == 0 {
                return Ok(());
            }
            traffic.count(n)?;
            if along().ask_for_a_file(&buffer[..n]) {
                return Err(traffic.ends_for(Fault::AsksForAFile));
            }
            // Nobody reads it any more where this fails.
            if to_client.write_all(&buffer[..n]).await.is_err() {
                return Ok(());
            }
        }
    };
    select! {
        end = requests => end,
        end = answers => end,
    }
}
