//! A statement that goes on, or may go on, without us: it is found from beside its connection, and ended.

use std::time::Duration;

use super::{
    connect::MySqlConnector,
    monitor::{Monitor, Own, Sighted},
};
use crate::{session::SessionError, tenant::Target};

/// How long a killed statement may take to let go: a rollback takes about as long as the work did.
pub(super) const KILL_GRACE: Duration = Duration::from_secs(30);

/// What is said where a connection to the same address does not lead to the same server.
pub(super) const ANOTHER_SERVER: &str = "another server answers at this address now";

/// What became of the statement on `own`, a connection that is lost to us: a server that goes on with it is told to end
/// it.
pub(super) async fn orphan(connector: &MySqlConnector, target: &Target, own: Option<&Own>) -> String {
    let unseen = "whether the server still runs it cannot be seen";
    let Some(own) = own else { return unseen.to_owned() };
    let Ok((mut monitor, sighted)) = Monitor::connect_beside(connector, target, own).await else {
        return unseen.to_owned();
    };
    let found = match sighted {
        Sighted::Elsewhere => format!("{unseen}: {ANOTHER_SERVER}"),
        Sighted::Gone => GONE.to_owned(),
        Sighted::There => match end(&mut monitor, own).await {
            Ok(()) => GONE.to_owned(),
            Err(error) => unended(Some(own), &error).to_string(),
        },
    };
    monitor.close().await;
    found
}

const GONE: &str = "the server does not run it any more";

/// Ends `own`, if it is there, and waits until it is gone.
pub(super) async fn end(monitor: &mut Monitor, own: &Own) -> Result<(), String> {
    match monitor.end_own(own, KILL_GRACE).await {
        Ok(Sighted::Gone) => Ok(()),
        Ok(Sighted::There) => Err("it was told to end, and has not yet".to_owned()),
        Ok(Sighted::Elsewhere) => Err(ANOTHER_SERVER.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// A statement that goes on without us.
pub(super) fn unended(own: Option<&Own>, error: &dyn std::fmt::Display) -> SessionError {
    SessionError::Unended { connection_id: own.map(|own| own.id), message: error.to_string() }
}
