//! The edge to MySQL and MariaDB: the only module that knows sqlx and writes SQL of its own.

mod blockers;
mod books;
mod central;
mod connect;
mod introspect;
mod monitor;
mod provisioning;
mod relay;
mod scratch;
mod server_error;
mod session;
mod url;

pub(crate) use self::{books::record_sql, provisioning::Admin, scratch::PREFIX as SCRATCH_PREFIX};
pub use self::{
    central::{Central, CentralError, Selection},
    connect::MySqlConnector,
    introspect::{Inspector, Value},
    monitor::Monitor,
    session::MySqlSession,
    url::{UrlError, parse_server_url, parse_url},
};
