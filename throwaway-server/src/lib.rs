//! A private MySQL or MariaDB server for minutes: for tests, demos and measurements, never for production.
//!
//! [`start`] takes the first of these that works, and [`ThrowawayServer::description`] says which it was:
//!
//! 1. **url**: the server named by `THROWAWAY_SERVER_URL`. It is not ours: it may hold databases already, and
//!    stopping does nothing to it.
//! 2. **docker**: a container of the official image (or of another with the same contract), its data in memory.
//! 3. **local**: a `mysqld` or `mariadbd` of this machine, run privately from a temporary folder. It needs no root,
//!    reads no configuration of the machine and touches nothing outside of its folder.
//! 4. **packages**: on Debian and Ubuntu, a server's packages from the mirror that the machine's own apt uses,
//!    unpacked below `target/`, again without root. Kept there for the next time.
//!
//! The server listens on the loopback interface, has a random password for `root`, and gives up durability for
//! speed: no binary log, no flushing, no doublewrite. TLS is on where the server makes its own certificates (MySQL).
//!
//! # It is always cleaned up
//!
//! A tiny shell process, the *guardian*, holds the other end of a pipe of ours. When the pipe closes, for whatever
//! reason (`stop`, `Drop`, a panic, Ctrl-C, `kill -9`, the end of a process that holds the server in a `static`), the
//! guardian kills the server and removes its folder or container. What a killed guardian leaves is swept at the next
//! start. To let a server outlive its process, [`ThrowawayServer::detach`] it and [`stop_running`] it later.
//!
//! # Environment
//!
//! | variable | meaning | default |
//! |---|---|---|
//! | `THROWAWAY_SERVER_URL` | a running server with all rights, `mysql://root:password@host:port`; if it is set and does not answer, that is an error | none |
//! | `THROWAWAY_SERVER` | `url`, `docker`, `local` or `packages`: only this one, and failing is an error | the first that works |
//! | `THROWAWAY_FLAVOUR` | `mysql` or `mariadb` | either, MySQL first |
//! | `THROWAWAY_VERSION` | a version such as `8.4` or `10.11`: Docker is asked for the image with this tag first | the image's own |
//! | `THROWAWAY_MYSQL_IMAGE` | image for MySQL in Docker | `mysql:8.4`, the LTS most installations run |
//! | `THROWAWAY_MARIADB_IMAGE` | image for MariaDB in Docker | `mariadb:11.8`, the newest LTS |
//! | `THROWAWAY_SERVER_PATH` | folders (separated by `:`) to look for `mysqld` and `mariadbd` in | `PATH`, then the usual ones such as `/usr/sbin` |
//! | `THROWAWAY_CACHE` | folder for unpacked packages | `target/throwaway-server` of the workspace one is in |
//! | `DOCKER_HOST` | as for Docker itself | the usual sockets |
//!
//! What [`Options`] say in code goes before the environment.
//!
//! # Example
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use throwaway_server::Options;
//!
//! let server = throwaway_server::start(&Options::default()).await?;
//! println!("{} at {}", server.description(), server.root_url());
//! server.stop().await;
//! # Ok(())
//! # }
//! ```
//!
//! From a shell, `cargo run --package throwaway-server` runs one until its standard input ends.
//!
//! Linux and macOS only: the guardian is a shell script.

mod ballast;
mod container;
mod error;
mod guardian;
mod owner;
mod packages;
mod program;
mod readiness;
mod running;
mod search;
mod server;
mod settings;
mod start;
mod sweep;

pub use error::{Attempt, SettingError, StartError, StopError};
pub use running::{Running, stop_running};
pub use server::ThrowawayServer;
pub use settings::{Flavour, Options, Source};
pub use start::start;
