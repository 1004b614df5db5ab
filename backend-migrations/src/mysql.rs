//! The edge to MySQL and MariaDB: the only module that knows sqlx and writes SQL of its own.

mod answers;
mod blockers;
#[doc(hidden)]
pub mod books;
mod central;
mod connect;
mod contract;
mod fleet_lock;
mod hide;
mod identity;
mod introspect;
mod locality;
mod monitor;
mod orphan;
mod places;
mod provisioning;
mod query;
mod read;
mod relay;
mod repair;
mod scratch;
mod server_error;
mod session;
mod url;

pub(crate) use self::{
    books::record_sql, places::n_tenants_max, provisioning::Admin, scratch::PREFIX as SCRATCH_PREFIX,
};
pub use self::{
    central::{Central, CentralError},
    connect::MySqlConnector,
    fleet_lock::{FleetHolder, FleetLock},
    introspect::{Inspector, Value},
    monitor::Monitor,
    places::raise_file_limit,
    session::MySqlSession,
    url::{UrlError, parse_server_url, parse_url},
};
