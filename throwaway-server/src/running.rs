//! A server that outlives the process which started it.

use std::{
    fmt,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::{io::AsyncWriteExt as _, net::unix::pipe};

use crate::{container, error::StopError, readiness, sweep};

/// All it takes to use a detached server and to stop it: to be kept in a file (it holds the password of `root`).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    root_url: String,
    description: String,
    handle: Handle,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Handle {
    /// A server that is not ours to stop.
    Given,
    Folder(PathBuf),
    Container(String),
}

impl Running {
    pub(crate) fn new(root_url: String, description: String, handle: Handle) -> Self {
        Self { root_url, description, handle }
    }

    /// As [`ThrowawayServer::root_url`](crate::ThrowawayServer::root_url).
    pub fn root_url(&self) -> &str {
        &self.root_url
    }

    /// As [`ThrowawayServer::description`](crate::ThrowawayServer::description).
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Whether the server answers: a machine may have been restarted since.
    pub async fn is_up(&self) -> bool {
        readiness::greet_patiently(&self.root_url).await.is_ok()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL, which holds a password.
        f.debug_struct("Running")
            .field("description", &self.description)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

/// Stops a detached server and removes all it had. One that is gone already, or was never ours, is no error.
///
/// # Errors
///
/// If something of the server is still there afterwards.
pub async fn stop_running(running: &Running) -> Result<(), StopError> {
    match &running.handle {
        Handle::Given => Ok(()),
        Handle::Container(name) => container::remove(name)
            .await
            .map_err(|reason| StopError::Container { name: name.clone(), reason }),
        Handle::Folder(folder) => stop_folder(folder).await,
    }
}

async fn stop_folder(folder: &Path) -> Result<(), StopError> {
    let fail = |error: io::Error| StopError::Folder { folder: folder.to_owned(), error };
    if !folder.exists() {
        return Ok(());
    }
    match pipe::OpenOptions::new().open_sender(folder.join("stop")) {
        Ok(mut guardian) => guardian.write_all(b"stop\n").await.map_err(fail)?,
        // Nobody reads the pipe, or it was never made: the guardian is gone, its work is ours.
        Err(error) if sweep::has_no_reader(&error) || error.kind() == ErrorKind::NotFound => {
            sweep::remove(folder).map_err(fail)?;
        }
        Err(error) => return Err(fail(error)),
    }
    let began = Instant::now();
    while folder.exists() {
        if began.elapsed() > Duration::from_secs(15) {
            return Err(StopError::StillThere(folder.to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
