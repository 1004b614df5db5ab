//! Why there is no server, with every choice that was tried.

use std::{fmt, io, path::PathBuf};

use crate::settings::{Flavour, Source};

/// One choice that was tried and why it was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The choice.
    pub source: Source,
    /// Why it did not work, for people to read.
    pub reason: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A reason may carry the tail of a server's log; indented, it stays recognisable as part of this choice.
        write!(f, "{}: {}", self.source, self.reason.trim_end().replace('\n', "\n    "))
    }
}

/// An environment variable with a value that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is '{value}', but must be {expected}")]
pub struct SettingError {
    variable: &'static str,
    value: String,
    expected: &'static str,
}

impl SettingError {
    pub(crate) fn new(variable: &'static str, value: &str, expected: &'static str) -> Self {
        Self { variable, value: value.to_owned(), expected }
    }
}

/// No server could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The environment asks for something that does not exist.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// None of the choices worked.
    #[error("{}", Told { flavour: *flavour, attempts })]
    NothingWorked {
        /// The flavour asked for, if only one would have done.
        flavour: Option<Flavour>,
        /// Every choice that was tried, in order.
        attempts: Vec<Attempt>,
    },
}

struct Told<'a> {
    flavour: Option<Flavour>,
    attempts: &'a [Attempt],
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flavour {
            Some(flavour) => write!(f, "no {flavour} server to be had")?,
            None => write!(f, "no MySQL or MariaDB server to be had")?,
        }
        for attempt in self.attempts {
            write!(f, "\n  {attempt}")?;
        }
        // Each hint is a way on that the list above has room for: a forced choice hints at itself only.
        for source in Source::IN_ORDER {
            if self.attempts.iter().any(|attempt| attempt.source == source) {
                let is_only_choice = self.attempts.len() == 1;
                write!(f, "\nhint: {}", hint(source, self.flavour, is_only_choice))?;
            }
        }
        Ok(())
    }
}

fn hint(source: Source, flavour: Option<Flavour>, is_only_choice: bool) -> &'static str {
    match (source, flavour) {
        (Source::Url, _) if is_only_choice => {
            "name a running server in THROWAWAY_SERVER_URL, or unset it to have a server started here"
        }
        (Source::Url, _) => {
            "set THROWAWAY_SERVER_URL to a running server, mysql://root:password@127.0.0.1:3306"
        }
        (Source::Docker, Some(Flavour::MariaDb)) => {
            "start Docker, and set THROWAWAY_MARIADB_IMAGE where the official image cannot be pulled"
        }
        (Source::Docker, _) => {
            "start Docker, and set THROWAWAY_MYSQL_IMAGE where the official image cannot be pulled"
        }
        (Source::Local, Some(Flavour::MySql)) => {
            "install MySQL's server, or set THROWAWAY_SERVER_PATH to the folder of its mysqld"
        }
        (Source::Local, _) => {
            "install a server (Debian, Ubuntu: mariadb-server-core), or set THROWAWAY_SERVER_PATH to its folder"
        }
        (Source::Packages, _) => "on Debian and Ubuntu, let apt reach its mirror",
    }
}

/// A detached server could not be stopped.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The container could not be removed.
    #[error("container {name} is still there: {reason}\nhint: docker rm -f -v {name}")]
    Container {
        /// The container's name.
        name: String,
        /// What Docker said.
        reason: String,
    },
    /// The guardian was told, but the server's folder is still there.
    #[error("the server in {} did not stop in time", .0.display())]
    StillThere(PathBuf),
    /// The server's folder cannot be worked with.
    #[error("cannot stop the server in {}: {error}", folder.display())]
    Folder {
        /// The server's folder.
        folder: PathBuf,
        /// What went wrong.
        #[source]
        error: io::Error,
    },
}
