//! TCP connections whose small packets do not wait.
//!
//! sqlx 0.9 opens its socket without `TCP_NODELAY` (sqlx-core, `net/socket/mod.rs`, `connect_tcp`) and has no setting for
//! it. In a TLS login two small packets follow each other without an answer between them; Nagle's algorithm holds the
//! second back until the server's delayed acknowledgement, some 40 ms, for the first. With hundreds of tenants that is
//! most of a run's time.
//!
//! sqlx can, however, be given a Unix socket. So we open the TCP connection ourselves, and a task copies between it and a
//! Unix socket in a folder that only this user can enter. The TLS session is still sqlx's, end to end: certificate and
//! host name are checked as ever.
//!
//! A plain login has no such pair of packets. The first connection to a server shows whether it offers TLS at all; if
//! not, later ones go without the detour.

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tempfile::TempDir;
use tokio::{
    net::{TcpStream, UnixListener},
    time::timeout,
};

use crate::tenant::ServerId;

/// Hands out Unix sockets that lead to servers.
#[derive(Debug)]
pub(super) struct Relay {
    /// `None` where no folder could be made (a read-only file system): then connections are slower, no more.
    folder: Option<TempDir>,
    n_sockets: AtomicUsize,
    plain_servers: Mutex<HashSet<ServerId>>,
}

impl Relay {
    pub(super) fn new() -> Self {
        // Memory first: it is there, and writable, in containers whose root file system is not.
        let folder = ["/dev/shm", ""].iter().find_map(|parent| {
            let mut builder = tempfile::Builder::new();
            builder.prefix("backend-migrations-");
            if parent.is_empty() { builder.tempdir().ok() } else { builder.tempdir_in(parent).ok() }
        });
        Self { folder, n_sockets: AtomicUsize::new(0), plain_servers: Mutex::default() }
    }

    /// Connects to `server` and gives the path of a Unix socket that leads there, for one connection; `None` where a
    /// direct connection is as good.
    pub(super) async fn open(&self, server: &ServerId) -> io::Result<Option<Door>> {
        let Some(folder) = &self.folder else { return Ok(None) };
        if self.plain_servers.lock().unwrap_or_else(PoisonError::into_inner).contains(server) {
            return Ok(None);
        }
        let mut upstream = TcpStream::connect((server.host.as_str(), server.port)).await?;
        upstream.set_nodelay(true)?;
        let keepalive =
            TcpKeepalive::new().with_time(Duration::from_secs(30)).with_interval(Duration::from_secs(10));
        SockRef::from(&upstream).set_tcp_keepalive(&keepalive)?;
        if !offers_tls(&upstream).await? {
            self.plain_servers.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone());
        }
        let path = folder.path().join(self.n_sockets.fetch_add(1, Ordering::Relaxed).to_string());
        // The folder may be gone by now, cleaned away with other temporary files.
        let Ok(listener) = UnixListener::bind(&path) else { return Ok(None) };
        // Ends with the connection: whichever side closes, the copy does.
        tokio::spawn(async move {
            let accepted = timeout(ACCEPT_LIMIT, listener.accept()).await;
            drop(listener);
            if let Ok(Ok((mut downstream, _))) = accepted {
                tokio::io::copy_bidirectional(&mut downstream, &mut upstream).await.ok();
            }
        });
        Ok(Some(Door(path)))
    }
}

/// sqlx connects at once; a caller that gave up in between never does.
const ACCEPT_LIMIT: Duration = Duration::from_secs(10);

/// A Unix socket's name, which goes when it has been used.
#[derive(Debug)]
pub(super) struct Door(PathBuf);

impl Door {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        std::fs::remove_file(&self.0).ok();
    }
}

/// Whether the server's greeting, which is left unread, offers TLS.
///
/// `Protocol::HandshakeV10`: header (4), protocol version (1), server version up to a zero byte, thread id (4), salt (8),
/// filler (1), the lower two bytes of the capabilities, of which `CLIENT_SSL` is bit 11.
async fn offers_tls(stream: &TcpStream) -> io::Result<bool> {
    const CLIENT_SSL: u16 = 1 << 11;
    let mut greeting = [0; 256];
    let n = stream.peek(&mut greeting).await?;
    let capabilities = greeting[..n].get(5..).and_then(|rest| {
        let version = rest.iter().position(|byte| *byte == 0)?;
        rest.get(version + 1 + 4 + 8 + 1..)?.first_chunk::<2>()
    });
    // A greeting that came in pieces, or an error packet: to take the detour is never wrong.
    Ok(capabilities.is_none_or(|bytes| u16::from_le_bytes(*bytes) & CLIENT_SSL != 0))
}
