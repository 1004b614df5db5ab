//! A peer that speaks as much of the MySQL protocol as it needs to do harm: over real TCP, to whoever connects.
//!
//! The protocol is that of MySQL 8.4 ("Client/Server Protocol" of its source documentation): packets of three bytes of
//! length, a sequence number and a payload.

use std::{
    io,
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// What the peer does to whoever logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trick {
    /// Greets with this authentication plugin and takes any login.
    Greets(&'static str),
    /// Greets as usual and then asks for another plugin.
    SwitchesTo(&'static str),
    /// Greets with `caching_sha2_password` and says that it does not know the password yet: the client is to send all of it.
    AsksForTheWholePassword,
    /// Lets in, and answers the first query with rows of a history without end.
    EndlessRows,
    /// Lets in, and answers the first query with one packet without end.
    EndlessPacket,
    /// Lets in, and answers the first query with definitions of columns without end.
    EndlessColumns,
    /// Lets in, and answers the first query with an error of so many bytes.
    HugeError(usize),
    /// Refuses the login with an error of so many bytes.
    HugeRefusal(usize),
    /// Lets in, and asks for this file of the client's (`LOAD DATA LOCAL INFILE`) in answer to the first query.
    AsksForAFile(String),
    /// Lets in, and answers no query.
    Silent,
    /// Sends bytes that are no packet before it has heard anything.
    Babbles,
}

/// The peer. It stops when it is dropped.
#[derive(Debug)]
pub struct Hostile {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
    accepting: JoinHandle<()>,
}

impl Hostile {
    /// Listens on a port of its own.
    pub async fn new(trick: Trick) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        let heard = Arc::<Mutex<Vec<u8>>>::default();
        let all = heard.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (trick, heard) = (trick.clone(), all.clone());
                tokio::spawn(async move {
                    // Whatever the client does to end it is its good right.
                    Peer { stream, heard, sequence: 0 }.play(&trick).await.ok();
                });
            }
        });
        Self { port, heard, accepting }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Every byte that clients have sent, of all connections.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether clients have sent this.
    pub fn has_heard(&self, text: &str) -> bool {
        self.heard().windows(text.len()).any(|window| window == text.as_bytes())
    }
}

impl Drop for Hostile {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The nonce of every login.
const NONCE: &[u8; 20] = b"nonceNONCEnonceNONCE";

/// A key of the peer's own: whoever encrypts with it has given the password away.
const RSA_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
                       MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKqVvWJm9yGmR6k1xq1yJdPb3YyqVYx1\n\
                       0Yqk3sOq5kZr8b9o0vZs1sJ3s8yqkqN2v1bq3m8qVd0yq3l1wqkCAwEAAQ==\n\
                       -----END PUBLIC KEY-----\n";

/// One connection.
struct Peer {
    stream: TcpStream,
    heard: Arc<Mutex<Vec<u8>>>,
    sequence: u8,
}

impl Peer {
    async fn play(mut self, trick: &Trick) -> io::Result<()> {
        match trick {
            Trick::Babbles => {
                self.stream.write_all(&[0xff; 64]).await?;
                return self.listen().await;
            }
            Trick::Greets(plugin) => {
                self.greet(plugin).await?;
                self.hear().await?;
                self.send(OK).await?;
                return self.listen().await;
            }
            Trick::SwitchesTo(plugin) => {
                self.greet("mysql_native_password").await?;
                self.hear().await?;
                self.send(&[b"\xfe", plugin.as_bytes(), b"\0", NONCE, b"\0"].concat()).await?;
                self.hear().await?;
                self.send(OK).await?;
                return self.listen().await;
            }
            Trick::AsksForTheWholePassword => {
                self.greet("caching_sha2_password").await?;
                self.hear().await?;
                self.send(b"\x01\x04").await?;
                self.hear().await?;
                self.send(&[b"\x01", RSA_KEY.as_bytes()].concat()).await?;
                return self.listen().await;
            }
            Trick::HugeRefusal(n_bytes) => {
                self.greet("mysql_native_password").await?;
                self.hear().await?;
                self.send(&huge_error(*n_bytes)).await?;
                return self.listen().await;
            }
            _ => {}
        }
        self.greet("mysql_native_password").await?;
        self.hear().await?;
        self.send(OK).await?;
        self.hear().await?;
        match trick {
            Trick::EndlessRows => {
                // The three columns of a glance: BIGINT, TINYINT and BLOB, by their numbers in the protocol.
                self.send(b"\x03").await?;
                for (name, kind) in [("version", 0x08), ("success", 0x01), ("checksum", 0xfc)] {
                    self.send(&column(name, kind)).await?;
                }
                for version in 20_000_000_000_000_u64.. {
                    let row =
                        [&lenenc(version.to_string().as_bytes())[..], b"\x011", &lenenc(&[7; 48])].concat();
                    self.send(&row).await?;
                }
            }
            Trick::EndlessPacket => {
                self.send(b"\x01").await?;
                self.send(&column("version", 0xfc)).await?;
                let part = vec![b'x'; 1 << 16];
                loop {
                    // The longest packet there is, which says that another one continues it.
                    self.stream.write_all(&[0xff, 0xff, 0xff, self.sequence]).await?;
                    self.sequence = self.sequence.wrapping_add(1);
                    let mut left = 0x00ff_ffff;
                    while left > 0 {
                        let n = part.len().min(left);
                        self.stream.write_all(&part[..n]).await?;
                        left -= n;
                    }
                }
            }
            Trick::EndlessColumns => {
                // As many columns as eight bytes can say.
                self.send(b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f").await?;
                for n in 0_u64.. {
                    self.send(&column(&format!("c{n}"), 0xfc)).await?;
                }
            }
            Trick::HugeError(n_bytes) => self.send(&huge_error(*n_bytes)).await?,
            Trick::AsksForAFile(path) => self.send(&[b"\xfb", path.as_bytes()].concat()).await?,
            _ => {}
        }
        self.listen().await
    }

    async fn greet(&mut self, plugin: &str) -> io::Result<()> {
        // All that clients of today ask for, and no TLS (bit 11).
        let (low, high) = (0xf7ff_u16.to_le_bytes(), 0x013f_u16.to_le_bytes());
        let mut greeting = vec![10];
        greeting.extend(b"8.4.0-hostile\0");
        greeting.extend(7_u32.to_le_bytes());
        greeting.extend(&NONCE[..8]);
        greeting.push(0);
        greeting.extend(low);
        greeting.extend([255, 2, 0]);
        greeting.extend(high);
        greeting.push(21);
        greeting.extend([0; 10]);
        greeting.extend(&NONCE[8..]);
        greeting.push(0);
        greeting.extend(plugin.as_bytes());
        greeting.push(0);
        self.send(&greeting).await
    }

    async fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).expect("a packet is small").to_le_bytes();
        let header = [length[0], length[1], length[2], self.sequence];
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.write_all(&[&header, payload].concat()).await
    }

    /// Takes one packet.
    async fn hear(&mut self) -> io::Result<()> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header).await?;
        let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
        let mut payload = vec![0; usize::try_from(length).expect("24 bits")];
        self.stream.read_exact(&mut payload).await?;
        self.sequence = header[3].wrapping_add(1);
        self.keep(&payload);
        Ok(())
    }

    /// Takes whatever else comes, until the client closes.
    async fn listen(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer).await? {
                0 => return Ok(()),
                n => self.keep(&buffer[..n]),
            }
        }
    }

    fn keep(&self, bytes: &[u8]) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
    }
}

/// Nothing changed, autocommit is on, no warnings.
const OK: &[u8] = b"\0\0\0\x02\0\0\0";

/// `ER_UNKNOWN_ERROR` with a message of so many letters.
fn huge_error(n_bytes: usize) -> Vec<u8> {
    [&b"\xff\x51\x04#HY000"[..], &vec![b'e'; n_bytes]].concat()
}

/// A column's definition.
fn column(name: &str, kind: u8) -> Vec<u8> {
    let mut column = Vec::new();
    for text in ["def", "", "t", "t", name, name] {
        column.extend(lenenc(text.as_bytes()));
    }
    column.push(0x0c);
    column.extend(63_u16.to_le_bytes());
    column.extend(255_u32.to_le_bytes());
    column.push(kind);
    column.extend([0; 5]);
    column
}

/// A text of less than 251 bytes, behind its length.
fn lenenc(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).expect("it is short")], text].concat()
}
