//! The edge to MySQL and MariaDB: the only module that knows sqlx and writes SQL of its own.

mod blockers;
#[doc(hidden)]
pub mod books;
mod central;
mod connect;
mod contract;
mod fleet_lock;
mod introspect;
mod locality;
mod monitor;
mod provisioning;
mod query;
mod read;
mod relay;
mod scratch;
mod server_error;
mod session;
mod url;

pub(crate) use self::{books::record_sql, provisioning::Admin, scratch::PREFIX as SCRATCH_PREFIX};
pub use self::{
    central::{Central, CentralError, Selection},
    connect::MySqlConnector,
    fleet_lock::{FleetHolder, FleetLock},
    introspect::{Inspector, Value},
    monitor::Monitor,
    session::MySqlSession,
    url::{UrlError, parse_server_url, parse_url},
};
