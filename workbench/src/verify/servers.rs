//! The servers that proofs are made on.

use std::{error::Error, fmt, str::FromStr, sync::Arc};

use backend_migrations::{
    mysql::{MySqlConnector, parse_url},
    scratch::{self, Run, ScratchError},
    session::{Connect as _, Limits, TenantSession as _},
    tenant::{Label, Target, TlsMode},
};
use throwaway_server::{Flavour, Options, Source, ThrowawayServer};
use tokio_util::sync::CancellationToken;

/// A server that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Whichever can be had first.
    Any,
    /// One of each kind, as far as they can be had.
    Each,
    /// One of this kind, wherever it comes from.
    Kind(Flavour),
    /// As [`Choice::Kind`], and none if it cannot be had.
    Perhaps(Flavour),
    /// A program of this machine.
    Local,
    /// An image that Docker runs.
    Image(String),
    /// One that runs already.
    Url(String),
}

impl FromStr for Choice {
    type Err = UnknownServer;

    fn from_str(text: &str) -> Result<Self, UnknownServer> {
        Ok(match text {
            "each" => Self::Each,
            "local" => Self::Local,
            "mysql" => Self::Kind(Flavour::MySql),
            "mariadb" => Self::Kind(Flavour::MariaDb),
            url if url.contains("://") => Self::Url(url.to_owned()),
            image if image.contains([':', '/']) => Self::Image(image.to_owned()),
            // Docker would go and look for such an image, and whoever mistyped a word would wait for it.
            _ => return Err(UnknownServer),
        })
    }
}

/// A word that names no server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownServer;

impl fmt::Display for UnknownServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such server; there are `mysql`, `mariadb`, `local`, `each`, images with their tags such as mysql:8.4, and \
             mysql://USER:PASSWORD@HOST:PORT",
        )
    }
}

impl Error for UnknownServer {}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("these proofs"),
            Self::Each => f.write_str("each kind"),
            Self::Kind(flavour) | Self::Perhaps(flavour) => flavour.fmt(f),
            Self::Local => f.write_str("local"),
            Self::Image(image) => f.write_str(image),
            // It holds a password.
            Self::Url(_) => f.write_str("the URL"),
        }
    }
}

impl Choice {
    /// Whether it may be missing.
    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Perhaps(_))
    }
}

/// The servers in the order they are taken.
pub(crate) fn choose(asked: &[Choice]) -> Vec<Choice> {
    if asked.is_empty() {
        return vec![Choice::Any];
    }
    let each = [Choice::Perhaps(Flavour::MySql), Choice::Perhaps(Flavour::MariaDb)];
    let chosen = asked.iter().flat_map(|choice| match choice {
        Choice::Each => each.to_vec(),
        choice => vec![choice.clone()],
    });
    chosen.collect()
}

/// A server that can be worked with.
pub(crate) struct Served {
    throwaway: Option<ThrowawayServer>,
    target: Target,
}

impl Served {
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The URL of root, where the server is ours.
    pub(crate) fn own_url(&self) -> Option<&str> {
        self.throwaway.as_ref().filter(|server| server.is_ours()).map(ThrowawayServer::root_url)
    }

    /// Removes what `run` has left on a server that stays, and stops any other.
    pub(crate) async fn abandon(self, run: Run) -> Result<(), ScratchError> {
        if self.own_url().is_none() {
            let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
            scratch::abandon(&connector, &self.target, run).await?;
        }
        self.stop().await;
        Ok(())
    }

    pub(crate) async fn stop(self) {
        if let Some(server) = self.throwaway {
            server.stop().await;
        }
    }
}

/// Gets the server; says what is going on where that takes long.
pub(crate) async fn serve(choice: &Choice) -> anyhow::Result<Served> {
    let options = match choice {
        Choice::Url(url) => return given(url).await,
        Choice::Any | Choice::Each => Options::default(),
        Choice::Kind(flavour) | Choice::Perhaps(flavour) => {
            Options { flavour: Some(*flavour), ..Options::default() }
        }
        Choice::Local => Options { source: Some(Source::Local), ..Options::default() },
        Choice::Image(image) => Options {
            // Both flavours' images have a name with the flavour in it, whosever they are.
            flavour: Some(if image.contains("mariadb") { Flavour::MariaDb } else { Flavour::MySql }),
            source: Some(Source::Docker),
            image: Some(image.clone()),
            ..Options::default()
        },
    };
    // An event that fires in the middle of a proof would change what is compared.
    let mut server_arguments = vec!["--event-scheduler=OFF".to_owned()];
    // Threads that are started for three rows cost more than they save (MySQL 8.0.27 and later).
    server_arguments
        .extend(["parallel-read", "ddl"].map(|which| format!("--loose-innodb-{which}-threads=1")));
    let options = Options { server_arguments, progress: Some(|line| eprintln!("{line}")), ..options };
    let server = throwaway_server::start(&options).await?;
    let name = format!("{} {}", server.flavour(), server.version());
    let target = target(server.root_url(), &name).await?;
    Ok(Served { throwaway: Some(server), target })
}

async fn given(url: &str) -> anyhow::Result<Served> {
    Ok(Served { throwaway: None, target: target(url, "the URL's server").await? })
}

/// The server at `url`, without TLS where it takes that: every proof logs in several times.
async fn target(url: &str, name: &str) -> anyhow::Result<Target> {
    let (url, parameters) = url.split_once('?').map_or((url, None), |(url, rest)| (url, Some(rest)));
    let mut url = url.trim_end_matches('/').to_owned();
    if url.splitn(4, '/').nth(3).is_none() {
        url += "/mysql";
    }
    url.extend(parameters.into_iter().flat_map(|rest| ["?", rest]));
    let target = parse_url(&url, "verify")?;
    let label = Label { name: name.to_owned(), ..(*target.label).clone() };
    let target = Target { label: Arc::new(label), ..target };
    if target.tls.mode != TlsMode::Preferred {
        return Ok(target);
    }
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    // The first login of an account needs TLS (MySQL 8.4 manual, "Caching SHA-2 Pluggable Authentication"); after it the
    // server has the password in its cache.
    connector.connect(target.clone()).await?.close().await;
    let mut plain = target.clone();
    plain.tls.mode = TlsMode::Disabled;
    match connector.connect(plain.clone()).await {
        Ok(session) => {
            session.close().await;
            Ok(plain)
        }
        Err(_) => Ok(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_chosen_by_their_names() {
        let check = |text: &str, expected: Choice| assert_eq!(text.parse::<Choice>(), Ok(expected), "{text}");
        check("each", Choice::Each);
        check("local", Choice::Local);
        check("mariadb", Choice::Kind(Flavour::MariaDb));
        check("mysql:8.4", Choice::Image("mysql:8.4".into()));
        check(
            "registry.example:5000/mariadb:10.11",
            Choice::Image("registry.example:5000/mariadb:10.11".into()),
        );
        check("mysql://root:secret@db:3306", Choice::Url("mysql://root:secret@db:3306".into()));
        assert_eq!("mysqql".parse::<Choice>(), Err(UnknownServer));
        assert_eq!(choose(&[]), [Choice::Any]);
        assert_eq!(choose(&[Choice::Local, Choice::Each]).len(), 3);
        assert!(!format!("{}", Choice::Url("mysql://root:secret@db".into())).contains("secret"));
    }
}
