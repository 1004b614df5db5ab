//! The harness of the end-to-end tests: the real programs, run against real servers.
//!
//! A test is an `async fn` that takes a [`Server`]; [`on_each_server!`] makes one test per flavour of it. All tests of a
//! process share one server per flavour, so a test keeps to names of its own: a [`Fleet`] has a central database and
//! tenants named after the word it is given, and removes them when it is dropped.
//!
//! ```no_run
//! use end_to_end::{Fleet, Server, on_each_server};
//!
//! on_each_server!(a_tenant_gets_what_is_pending);
//!
//! async fn a_tenant_gets_what_is_pending(server: &'static Server) {
//!     let fleet = Fleet::new(server, "pending").await;
//!     fleet.provision("acme").await;
//!     fleet.write("20250101000000_t.up.sql", "CREATE TABLE t (id INT);");
//!     let output = fleet.run("migrate:tenant pending-acme").await;
//!     output.exits(0);
//! }
//! ```
//!
//! Every output of every program that is run here is searched for passwords and keys ([`canary`]); a test cannot forget
//! to.

#![expect(clippy::missing_panics_doc, reason = "a harness panics wherever a test is to fail")]

pub mod canary;
mod fleet;
pub mod hostile;
mod program;
pub mod proxy;
pub mod query;
pub mod random;
mod run;
pub mod schema;
mod server;
mod snapshot;
mod terminal;

pub use throwaway_server::{Flavour, Source};

pub use self::{
    fleet::{Fleet, KEY},
    program::Program,
    run::{Invocation, Output, Started},
    server::{Server, on, some_server_is_there, tell},
    snapshot::filters,
    terminal::Terminal,
};

#[doc(hidden)]
pub use insta;
