//! A TCP proxy that understands where a packet of the MySQL protocol ends, and cuts a connection at a chosen one, holds it
//! up there, or carries everything slowly.
//!
//! Packets are counted from 1 in both directions together: the protocol takes turns, so the same work gives the same
//! numbers. Inside of TLS there are no packets to be seen: there, each of its records is taken for one, which is what a
//! request that fits into a record is sent as.

use std::{
    io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    select,
    sync::{oneshot, watch},
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::random::Random;

/// How long a server may go on answering a client that is gone.
const DRAIN_LIMIT: Duration = Duration::from_mins(2);

/// A packet that went through, for finding the one to cut at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Whether the client sent it.
    pub is_request: bool,
    /// All of it but the header.
    pub payload: Vec<u8>,
}

impl Packet {
    /// Whether it is a request with this text in it.
    pub fn asks(&self, text: &str) -> bool {
        self.is_request && String::from_utf8_lossy(&self.payload).contains(text)
    }
}

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The packet goes nowhere, and both sides find the connection closed.
    BothWays,
    /// A request reaches the server, which works on it to its end; the client hears of nothing.
    OnlyTheAnswer,
    /// As [`How::BothWays`], a while after a request was let through.
    BothWaysAfter(Duration),
    /// The packet goes nowhere, and [`Proxy::stalled`] tells. The connection stays until the client is killed, or until
    /// [`Proxy::let_go`].
    Stall,
    /// As [`How::Stall`], a while after a request was let through.
    StallAfter(Duration),
    /// The packet waits, and [`Proxy::stalled`] tells. It goes on at [`Proxy::let_go`].
    Hold,
    /// An answer comes with no more of its bytes than these, under a length that says so; all else as it is. A request is let
    /// through.
    Shorten(usize),
    /// An answer comes with other bytes, by chance with this seed, as many as there were. A request is let through.
    Scramble(u64),
}

/// Where and how a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The packet's number, from 1.
    pub at: usize,
    /// What is done.
    pub how: How,
}

/// How slowly everything is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What every packet waits before it is carried on.
    pub delay: Duration,
    /// How many bytes are written at a time; the next follow in a write, and so a TCP segment, of their own.
    pub n_bytes: usize,
}

/// A chosen packet that is held until this is dropped.
#[derive(Debug)]
pub struct Pause {
    reached: oneshot::Receiver<()>,
    /// The proxy notices when it is gone.
    _hold: oneshot::Sender<()>,
}

impl Pause {
    /// Returns when the packet is there and held; `false` where it will never come, as the proxy counts anew.
    pub async fn reached(&mut self) -> bool {
        (&mut self.reached).await.is_ok()
    }
}

/// A proxy before one server. It stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    plan: Mutex<Plan>,
    stalled: watch::Sender<bool>,
    /// How often all connections were closed at once.
    closed: watch::Sender<usize>,
}

#[derive(Debug)]
struct Plan {
    upstream: String,
    cuts: Vec<Cut>,
    holds: Vec<Hold>,
    /// The text of the request that is held.
    held: Option<String>,
    pace: Option<Pace>,
    packets: Vec<Packet>,
}

/// The proxy's side of a [`Pause`].
#[derive(Debug)]
struct Hold {
    at: usize,
    reached: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
}

impl Shared {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a packet, and holds it where it is one to be held. Gives what else is to be done where it is a chosen one.
    async fn count(&self, packet: Packet) -> Option<How> {
        let (cut, holds) = {
            let mut plan = self.plan();
            let is_held = plan.held.take_if(|text| packet.asks(text)).is_some();
            plan.packets.push(packet);
            let at = plan.packets.len();
            // Once: a second connection of the same run is left alone.
            let cut = plan.cuts.iter().position(|cut| cut.at == at).map(|index| plan.cuts.remove(index).how);
            let cut = if is_held { Some(How::Hold) } else { cut };
            (cut, plan.holds.extract_if(.., |hold| hold.at == at).collect::<Vec<_>>())
        };
        for hold in holds {
            if hold.reached.send(()).is_ok() {
                // It ends with an error, which is how a dropped sender shows.
                hold.released.await.ok();
            }
        }
        cut
    }
}

impl Proxy {
    /// Listens on a port of its own, before the server at `host` and `port`.
    pub async fn before(host: &str, port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let own_port = listener.local_addr().expect("it listens").port();
        let plan = Plan {
            upstream: format!("{host}:{port}"),
            cuts: Vec::new(),
            holds: Vec::new(),
            held: None,
            pace: None,
            packets: Vec::new(),
        };
        let shared = Arc::new(Shared {
            plan: Mutex::new(plan),
            stalled: watch::Sender::new(false),
            closed: watch::Sender::new(0),
        });
        let accepting = tokio::spawn(accept(listener, shared.clone()));
        Self { port: own_port, shared, accepting }
    }

    /// The port on 127.0.0.1 to connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on the server is found at another port, as one in a container is after a restart.
    pub fn redirect(&self, host: &str, port: u16) {
        self.shared.plan().upstream = format!("{host}:{port}");
    }

    /// Counts from 1 again, and cuts at each of these.
    pub fn arm(&self, cuts: impl IntoIterator<Item = Cut>) {
        let mut plan = self.shared.plan();
        plan.cuts = cuts.into_iter().collect();
        plan.holds.clear();
        plan.packets.clear();
        self.shared.stalled.send_replace(false);
    }

    /// Holds the next request with this text in it ([`How::Hold`]).
    pub fn hold(&self, text: &str) {
        self.shared.plan().held = Some(text.to_owned());
        self.shared.stalled.send_replace(false);
    }

    /// Holds the packet with this number, counted since [`Self::arm`], for as long as the answer lives.
    pub fn pause_at(&self, at: usize) -> Pause {
        let (reached, is_reached) = oneshot::channel();
        let (hold, released) = oneshot::channel();
        self.shared.plan().holds.push(Hold { at, reached, released });
        Pause { reached: is_reached, _hold: hold }
    }

    /// Carries everything at this pace from now on, or as fast as it can.
    pub fn set_pace(&self, pace: Option<Pace>) {
        self.shared.plan().pace = pace;
    }

    /// Closes every connection that is open.
    pub fn close_all(&self) {
        self.shared.closed.send_modify(|n| *n += 1);
    }

    /// The packets since [`Self::arm`].
    pub fn packets(&self) -> Vec<Packet> {
        self.shared.plan().packets.clone()
    }

    /// Closes a connection that was brought to a stall, and lets a packet go on that is held.
    pub fn let_go(&self) {
        self.shared.stalled.send_replace(false);
    }

    /// Returns when a connection has been brought to a stall.
    pub async fn stalled(&self) {
        let mut stalled = self.shared.stalled.subscribe();
        // The sender lives as long as `self`.
        stalled.wait_for(|stalled| *stalled).await.expect("the proxy is there");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let upstream = shared.plan().upstream.clone();
            // A server that is down: the client sees a connection that closes, as behind any proxy.
            if let Ok(server) = TcpStream::connect(upstream).await {
                client.set_nodelay(true).ok();
                server.set_nodelay(true).ok();
                serve(client, server, &shared).await;
            }
        });
    }
}

async fn serve(client: TcpStream, server: TcpStream, shared: &Shared) {
    let mut closed = shared.closed.subscribe();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let is_tls = AtomicBool::new(false);
    let cut = select! {
        cut = forward(true, &mut from_client, &mut to_server, shared, &is_tls) => cut,
        cut = forward(false, &mut from_server, &mut to_client, shared, &is_tls) => cut,
        _ = closed.changed() => return,
    };
    match cut {
        // Either side closed; dropping the sockets closes the other.
        Err(_) | Ok(How::BothWays | How::Hold | How::Shorten(_) | How::Scramble(_)) => {}
        Ok(How::BothWaysAfter(delay)) => sleep(delay).await,
        Ok(How::OnlyTheAnswer) => {
            drop((from_client, to_client));
            // The server reads that there are no more requests only when it is done with this one.
            to_server.shutdown().await.ok();
            let mut sink = tokio::io::sink();
            timeout(DRAIN_LIMIT, tokio::io::copy(&mut from_server, &mut sink)).await.ok();
        }
        Ok(stall @ (How::Stall | How::StallAfter(_))) => {
            if let How::StallAfter(delay) = stall {
                sleep(delay).await;
            }
            shared.stalled.send_replace(true);
            let mut let_go = shared.stalled.subscribe();
            let mut sink = tokio::io::sink();
            let end = async {
                select! {
                    _ = tokio::io::copy(&mut from_client, &mut sink) => {}
                    _ = let_go.wait_for(|is_stalled| !is_stalled) => {}
                }
            };
            timeout(DRAIN_LIMIT, end).await.ok();
        }
    }
}

/// Carries packets over until the chosen one, or an error: the connection's end.
async fn forward(
    is_request: bool,
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    shared: &Shared,
    is_tls: &AtomicBool,
) -> io::Result<How> {
    loop {
        let mut header = vec![0; 4];
        from.read_exact(&mut header).await?;
        let length = if is_tls.load(Ordering::SeqCst) {
            // Type, two bytes of version, and two of length, the highest first (RFC 8446, section 5.1).
            header.push(from.read_u8().await?);
            u32::from(u16::from_be_bytes([header[3], header[4]]))
        } else {
            // Three bytes of length, the lowest first, and a sequence number.
            u32::from_le_bytes([header[0], header[1], header[2], 0])
        };
        let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
        from.read_exact(&mut payload).await?;
        // Before it goes out: the server's next byte is TLS's already.
        if is_request && asks_for_tls(&payload) && !is_tls.load(Ordering::SeqCst) {
            is_tls.store(true, Ordering::SeqCst);
        }
        let mut cut = shared.count(Packet { is_request, payload: payload.clone() }).await;
        let is_record = header.len() == 5;
        match cut {
            Some(How::Shorten(n)) if !is_request => payload.truncate(n),
            Some(How::Scramble(seed)) if !is_request => scramble(&mut payload, seed),
            _ => {}
        }
        if !is_record {
            let length = u32::try_from(payload.len()).expect("24 bits").to_le_bytes();
            header[..3].copy_from_slice(&length[..3]);
        }
        let whole = [&header, payload.as_slice()].concat();
        if cut.take_if(|how| *how == How::Hold).is_some() {
            shared.stalled.send_replace(true);
            let mut let_go = shared.stalled.subscribe();
            // The sender lives as long as the connection is served.
            let _ = let_go.wait_for(|is_stalled| !is_stalled).await;
        }
        let is_let_through = match cut {
            None | Some(How::Shorten(_) | How::Scramble(_)) => true,
            Some(How::BothWays | How::Stall | How::Hold) => false,
            Some(How::OnlyTheAnswer | How::BothWaysAfter(_) | How::StallAfter(_)) => is_request,
        };
        if is_let_through {
            let pace = shared.plan().pace;
            write(to, &whole, pace).await?;
        }
        match cut {
            None | Some(How::Shorten(_) | How::Scramble(_)) => {}
            Some(how) => return Ok(how),
        }
    }
}

/// The 32 bytes of `SSLRequest`: a login that ends after its flags, with the one for TLS (0x800) among them.
fn asks_for_tls(payload: &[u8]) -> bool {
    payload.len() == 32 && payload[1] & 0x08 != 0 && payload[9..].iter().all(|byte| *byte == 0)
}

fn scramble(payload: &mut [u8], seed: u64) {
    let mut random = Random::new(seed);
    for byte in payload {
        *byte = random.number().to_le_bytes()[0];
    }
}

async fn write(to: &mut OwnedWriteHalf, whole: &[u8], pace: Option<Pace>) -> io::Result<()> {
    let Some(pace) = pace else { return to.write_all(whole).await };
    sleep(pace.delay).await;
    for part in whole.chunks(pace.n_bytes.max(1)) {
        to.write_all(part).await?;
        tokio::task::yield_now().await;
    }
    Ok(())
}
