//! The server as its user sees it.

use std::{fmt, io, mem};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::{
    ballast,
    container::Container,
    error::{Attempt, StartError},
    program::Process,
    readiness::Greeting,
    running::{Handle, Running},
    settings::{Flavour, Source},
};

/// A server that is stopped, and removed, when this is dropped or its process ends in any way.
pub struct ThrowawayServer {
    url: Url,
    password: String,
    greeting: Greeting,
    origin: String,
    source: Source,
    held: Held,
    pub(crate) skipped: Vec<Attempt>,
}

/// What has to be undone at the end.
pub(crate) enum Held {
    Given,
    Program(Box<Process>),
    Container(Box<Container>),
    Released,
}

impl ThrowawayServer {
    pub(crate) fn new(
        url: &str,
        greeting: Greeting,
        origin: impl Into<String>,
        source: Source,
        held: Held,
    ) -> Result<Self, url::ParseError> {
        let url = Url::parse(url)?;
        let password = percent_decode_str(url.password().unwrap_or("")).decode_utf8_lossy().into_owned();
        Ok(Self { url, password, greeting, origin: origin.into(), source, held, skipped: Vec::new() })
    }

    /// `mysql://root:PASSWORD@127.0.0.1:PORT`, without a database. For a server that is not ours, the URL as it was
    /// given.
    pub fn root_url(&self) -> &str {
        self.url.as_str()
    }

    /// Where to connect to: `127.0.0.1`, unless the server or Docker's engine is elsewhere.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("127.0.0.1")
    }

    /// The TCP port.
    pub fn port(&self) -> u16 {
        self.url.port().unwrap_or(3306)
    }

    /// The password of `root` (letters and digits, if the server is ours).
    pub fn root_password(&self) -> &str {
        &self.password
    }

    /// Which server it is.
    pub fn flavour(&self) -> Flavour {
        self.greeting.flavour
    }

    /// The server's version number: `9.7.4`.
    pub fn version(&self) -> &str {
        &self.greeting.version
    }

    /// Which choice was taken.
    pub fn source(&self) -> Source {
        self.source
    }

    /// For people: `MySQL 9.7.4 in Docker (image mysql:8.4)`.
    pub fn description(&self) -> String {
        format!("{} {} {}", self.greeting.flavour, self.greeting.version, self.origin)
    }

    /// The choices that come before the one taken, each with why it did not work.
    pub fn skipped(&self) -> &[Attempt] {
        &self.skipped
    }

    /// Whether the server is private: empty when it was started, and gone when it is stopped. If not, it was handed
    /// in by its URL, others may use it, and what one makes on it one has to remove.
    pub fn is_ours(&self) -> bool {
        self.source != Source::Url
    }

    /// Kills the server as a power cut would end it, and starts it again on the data it had; it may listen on another port
    /// then, and [`Self::root_url`] tells. Only a server with [`Options::is_durable`](crate::Options::is_durable) still has
    /// all that was committed.
    ///
    /// # Errors
    ///
    /// A server that is not ours, or one that does not start again.
    pub async fn crash(&mut self) -> Result<(), StartError> {
        let restarted = match &mut self.held {
            Held::Given | Held::Released => Err("the server is not ours to kill".to_owned()),
            Held::Program(process) => process.crash(&self.password).await,
            Held::Container(container) => container.crash(&self.password).await,
        };
        let restarted = restarted.and_then(|(url, greeting)| {
            let url = Url::parse(&url).map_err(|error| error.to_string())?;
            Ok((url, greeting))
        });
        match restarted {
            Ok((url, greeting)) => {
                (self.url, self.greeting) = (url, greeting);
                Ok(())
            }
            Err(reason) => Err(StartError::NothingWorked {
                flavour: Some(self.flavour()),
                attempts: vec![Attempt { source: self.source, reason }],
            }),
        }
    }

    /// Leaves no room on the disk that the server's data is on, until [`Self::free_disk`].
    ///
    /// # Errors
    ///
    /// A server without [`Options::disk_bytes`](crate::Options::disk_bytes), or one that has ended.
    pub async fn fill_disk(&self) -> io::Result<()> {
        match &self.held {
            Held::Given | Held::Released => Err(io::Error::other("the server is not ours to disturb")),
            Held::Program(process) => ballast::fill(&process.ballast()?),
            Held::Container(container) => container.fill_disk().await,
        }
    }

    /// Takes away what [`Self::fill_disk`] has put there.
    ///
    /// # Errors
    ///
    /// A server that has ended.
    pub async fn free_disk(&self) -> io::Result<()> {
        match &self.held {
            Held::Given | Held::Released => Ok(()),
            Held::Program(process) => ballast::free(&process.ballast()?),
            Held::Container(container) => container.free_disk().await,
        }
    }

    /// Stops the server and removes all it had. Dropping does the same, but blocks the thread while it does.
    pub async fn stop(mut self) {
        let held = mem::replace(&mut self.held, Held::Released);
        // The removal waits for processes to end, which is no work for an async thread. It cannot panic, and if the
        // runtime is shutting down the drop still happens.
        let _ = tokio::task::spawn_blocking(move || drop(held)).await;
    }

    /// Lets the server outlive this process. Keep the answer: with it [`stop_running`](crate::stop_running) ends the
    /// server from any later process of this user.
    pub async fn detach(mut self) -> Running {
        let held = mem::replace(&mut self.held, Held::Released);
        let handle = match held {
            Held::Given | Held::Released => Handle::Given,
            Held::Program(process) => Handle::Folder(process.detach()),
            Held::Container(container) => Handle::Container(container.detach().await),
        };
        Running::new(self.root_url().to_owned(), self.description(), handle)
    }
}

impl fmt::Debug for ThrowawayServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the URL: a server that is not ours has a password that is not ours to print.
        f.debug_struct("ThrowawayServer")
            .field("description", &self.description())
            .field("host", &self.host())
            .field("port", &self.port())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, start};

    /// A test binary keeps its server in a `static` and starts it from whichever runtime comes first.
    #[test]
    fn can_be_kept_in_a_static() {
        fn assert_shareable<T: Send + Sync + 'static>() {}
        fn assert_sendable(_: impl Send) {}
        assert_shareable::<ThrowawayServer>();
        assert_sendable(start(&Options::default()));
    }
}
