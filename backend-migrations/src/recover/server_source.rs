//! A server for scratch databases, where no account at hand may make one.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::{schema::ServerVersion, tenant::Target};

/// Whoever can start a server of its own for scratch databases. It is asked only where none may be made elsewhere, and
/// ends the server itself when nobody needs it any more.
pub trait ServerSource: fmt::Debug + Sync {
    /// Gives a server of the same flavour and, where one can be had, of the same version, with an account that may make
    /// databases; or says in words why there is none. Asked again, it gives the same server.
    fn server(&self, like: ServerVersion) -> BoxFuture<'_, Result<Target, String>>;
}
