//! What is asked for: by the caller in [`Options`], by the user in the environment.

use std::{env, fmt, path::PathBuf, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::error::SettingError;

/// The two servers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Flavour {
    /// MySQL goes first wherever both would do.
    pub(crate) const IN_ORDER: [Self; 2] = [Self::MySql, Self::MariaDb];
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        })
    }
}

impl FromStr for Flavour {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "mysql" => Ok(Self::MySql),
            "mariadb" => Ok(Self::MariaDb),
            _ => Err(SettingError::new("THROWAWAY_FLAVOUR", text, "mysql or mariadb")),
        }
    }
}

/// Where a server can come from; see the crate's documentation for what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A running server, handed in by its URL.
    Url,
    /// A container.
    Docker,
    /// A server program of this machine.
    Local,
    /// A server's packages, unpacked below `target/`.
    Packages,
}

impl Source {
    pub(crate) const IN_ORDER: [Self; 4] = [Self::Url, Self::Docker, Self::Local, Self::Packages];
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "url",
            Self::Docker => "docker",
            Self::Local => "local",
            Self::Packages => "packages",
        })
    }
}

impl FromStr for Source {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        Self::IN_ORDER
            .into_iter()
            .find(|source| source.to_string() == text)
            .ok_or_else(|| SettingError::new("THROWAWAY_SERVER", text, "url, docker, local or packages"))
    }
}

/// What the caller asks of the server. What is left empty is asked of the environment.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `None`: `THROWAWAY_FLAVOUR`, else whichever is to be had.
    pub flavour: Option<Flavour>,
    /// `None`: `THROWAWAY_SERVER`, else the first that works.
    pub source: Option<Source>,
    /// The image that Docker is to run, such as `mysql:8.4`, for [`Options::flavour`] or whichever is looked for first;
    /// `None`: the environment's.
    pub image: Option<String>,
    /// The version that is wanted, such as `8.4`: Docker is asked for the image with this tag before any other. Where it
    /// has none, whichever version is to be had is taken, and [`ThrowawayServer::version`] tells. `None`:
    /// `THROWAWAY_VERSION`, else any.
    ///
    /// [`ThrowawayServer::version`]: crate::ThrowawayServer::version
    pub version: Option<String>,
    /// More arguments for the server, such as `--general-log=ON` or `--max-connections=2000`; they go last, so they win.
    /// A server handed in by its URL does not get them.
    pub server_arguments: Vec<String>,
    /// Whether what is committed has to survive the server's sudden end, for [`ThrowawayServer::crash`]. It is slower.
    ///
    /// [`ThrowawayServer::crash`]: crate::ThrowawayServer::crash
    pub is_durable: bool,
    /// How large the disk is that the server's data is on, for [`ThrowawayServer::fill_disk`]. It is memory, so the data does
    /// not survive the server's end. Linux only, and not for a server handed in by its URL.
    ///
    /// [`ThrowawayServer::fill_disk`]: crate::ThrowawayServer::fill_disk
    pub disk_bytes: Option<u64>,
    /// Told in one line what is going on when it may take long: pulling an image, downloading packages.
    pub progress: Option<fn(&str)>,
}

/// What a server needs for its committed transactions to survive a `kill -9`.
const DURABLE: [&str; 2] = ["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=ON"];

/// The caller's wishes and the environment's, in one.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) flavour: Option<Flavour>,
    pub(crate) source: Option<Source>,
    pub(crate) server_arguments: Vec<String>,
    pub(crate) is_durable: bool,
    pub(crate) disk_bytes: Option<u64>,
    pub(crate) progress: Option<fn(&str)>,
    pub(crate) url: Option<String>,
    mysql_image: Option<String>,
    mariadb_image: Option<String>,
    version: Option<String>,
    pub(crate) server_path: Option<Vec<PathBuf>>,
    pub(crate) cache: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn read(options: &Options) -> Result<Self, SettingError> {
        let flavour = match options.flavour {
            Some(flavour) => Some(flavour),
            None => variable("THROWAWAY_FLAVOUR").map(|text| text.parse()).transpose()?,
        };
        let source = match options.source {
            Some(source) => Some(source),
            None => variable("THROWAWAY_SERVER").map(|text| text.parse()).transpose()?,
        };
        Ok(Self {
            flavour,
            source,
            // A later argument wins over an earlier one, and the caller's over all.
            server_arguments: (DURABLE
                .iter()
                .filter(|_| options.is_durable)
                .map(|&argument| argument.to_owned()))
            .chain(options.server_arguments.iter().cloned())
            .collect(),
            is_durable: options.is_durable,
            disk_bytes: options.disk_bytes,
            progress: options.progress,
            url: variable("THROWAWAY_SERVER_URL"),
            mysql_image: options.image.clone().or_else(|| variable("THROWAWAY_MYSQL_IMAGE")),
            mariadb_image: options.image.clone().or_else(|| variable("THROWAWAY_MARIADB_IMAGE")),
            version: options.version.clone().or_else(|| variable("THROWAWAY_VERSION")),
            server_path: variable("THROWAWAY_SERVER_PATH").map(|text| env::split_paths(&text).collect()),
            cache: variable("THROWAWAY_CACHE").map(PathBuf::from),
        })
    }

    /// The flavours that would do, the better one first.
    pub(crate) fn flavours(&self) -> impl Iterator<Item = Flavour> {
        let wanted = self.flavour;
        Flavour::IN_ORDER.into_iter().filter(move |flavour| wanted.is_none_or(|wanted| wanted == *flavour))
    }

    pub(crate) fn image(&self, flavour: Flavour) -> &str {
        match flavour {
            Flavour::MySql => self.mysql_image.as_deref().unwrap_or("mysql:8.4"),
            Flavour::MariaDb => self.mariadb_image.as_deref().unwrap_or("mariadb:11.8"),
        }
    }

    /// These with the images of the version that is wanted, if that makes any of them another.
    pub(crate) fn of_wanted_version(&self) -> Option<Self> {
        let version = self.version.as_ref()?;
        let image = |flavour| Some(format!("{}:{version}", split_image(self.image(flavour)).0));
        let (mysql_image, mariadb_image) = (image(Flavour::MySql), image(Flavour::MariaDb));
        let wanted = Self { mysql_image, mariadb_image, ..self.clone() };
        self.flavours().any(|flavour| self.image(flavour) != wanted.image(flavour)).then_some(wanted)
    }

    pub(crate) fn tell(&self, line: &str) {
        if let Some(progress) = self.progress {
            progress(line);
        }
    }
}

/// A name and a tag; a colon before the last slash belongs to a registry's port.
pub(crate) fn split_image(image: &str) -> (&str, &str) {
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    }
}

/// An environment variable; set but empty counts as not set, as CI systems cannot unset one.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_images_as_docker_does() {
        assert_eq!(split_image("mysql:8.4"), ("mysql", "8.4"));
        assert_eq!(split_image("mysql"), ("mysql", "latest"));
        assert_eq!(split_image("registry:5000/mysql"), ("registry:5000/mysql", "latest"));
        assert_eq!(split_image("registry:5000/mysql:9"), ("registry:5000/mysql", "9"));
    }

    #[test]
    fn an_image_of_another_version() {
        let wanted = |image: &str, version: &str| {
            let options = Options {
                flavour: Some(Flavour::MariaDb),
                image: Some(image.to_owned()),
                version: Some(version.to_owned()),
                ..Options::default()
            };
            let settings = Settings::read(&options).expect("the environment says nothing wrong");
            settings.of_wanted_version().map(|wanted| wanted.image(Flavour::MariaDb).to_owned())
        };
        assert_eq!(wanted("mariadb:11.8", "10.11").as_deref(), Some("mariadb:10.11"));
        assert_eq!(wanted("registry:5000/own/db", "10.11").as_deref(), Some("registry:5000/own/db:10.11"));
        assert_eq!(wanted("mariadb:10.11", "10.11"), None);
    }
}
