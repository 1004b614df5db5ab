//! Everything that is set, read once: flags, then the environment, then `.env`.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    time::Duration,
};

use super::{Face, Format, GlobalArgs, dotenv, error::CliError};
use crate::{
    disk,
    migration::MigrationSet,
    mysql::{UrlError, parse_server_url, parse_url},
    report::ReportOptions,
    secret::{Key, Secret},
    session::Limits,
    tenant::{Target, Tls, TlsMode},
};

/// A command's complete settings. What only some commands need is looked up, and complained about, when it is asked for;
/// the environment and `.env` are read here and nowhere else.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) face: Face,
    pub(super) format: Format,
    pub(super) limits: Limits,
    /// Where nobody watches: the time between two lines of what goes on.
    pub(super) progress_interval: Duration,
    migrations: Option<PathBuf>,
    variables: HashMap<String, Secret<String>>,
}

/// Every variable that is read, for the one look at the environment.
const VARIABLES: [&str; 22] = [
    "CENTRAL_DATABASE_URL",
    "CENTRAL_DATABASE_URL_FILE",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CONNECT_RETRIES",
    "CONNECT_TIMEOUT",
    "DB_ENCRYPTION_KEY",
    "DB_ENCRYPTION_KEY_FILE",
    "LOCK_TIMEOUT",
    "LOCK_WAIT",
    "LOCK_WAIT_RETRIES",
    "MIGRATIONS_DIR",
    "NO_COLOR",
    "PROGRESS_INTERVAL",
    "SCRATCH_URL",
    "SCRATCH_URL_FILE",
    "STATEMENT_TIMEOUT",
    "TENANT_ADMIN_URL",
    "TENANT_ADMIN_URL_FILE",
    "TENANT_SSL_CA",
    "TENANT_SSL_MODE",
    "TERM",
];

impl Settings {
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub(super) fn resolve(global: GlobalArgs, face: Face) -> Result<Self, CliError> {
        let mut variables = HashMap::new();
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                let value = value
                    .into_string()
                    .map_err(|_| CliError::refused("settings", format!("`{name}` is not UTF-8"), None))?;
                variables.insert(name.to_owned(), Secret::new(value));
            }
        }
        // An empty variable is how compose files and CI say "not set".
        variables.retain(|_, value| !value.expose().is_empty());
        let file = match std::fs::read(".env") {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => {
                return Err(CliError::refused("settings", format!("`.env` cannot be read: {error}"), None));
            }
        };
        // `X_FILE` in the environment goes before `X` in the file, and the other way round.
        let from_environment: HashSet<String> = variables.keys().cloned().collect();
        let is_set = |name: &str| {
            let twin = name.strip_suffix("_FILE").map_or_else(|| format!("{name}_FILE"), str::to_owned);
            from_environment.contains(name) || from_environment.contains(&twin)
        };
        // One that is set in the environment may stand there in any form.
        let settings = dotenv::read(&file, |name| VARIABLES.contains(&name) && !is_set(name));
        let settings = settings.map_err(|error| {
            CliError::refused("settings", error.to_string(), Some(error.hint().to_owned()))
        })?;
        variables.extend(settings.into_iter().map(|setting| (setting.name, setting.value)));
        variables.retain(|_, value| !value.expose().is_empty());
        let mut settings = Self {
            face,
            format: global.format,
            limits: Limits::DEFAULT,
            progress_interval: ReportOptions::PROGRESS_INTERVAL,
            migrations: global.migrations,
            variables,
        };
        let default = Limits::DEFAULT;
        settings.limits = Limits {
            connect: settings.duration(global.connect_timeout, "CONNECT_TIMEOUT", default.connect)?,
            lock: settings.duration(global.lock_timeout, "LOCK_TIMEOUT", default.lock)?,
            lock_wait: settings.duration(global.lock_wait, "LOCK_WAIT", default.lock_wait)?,
            statement: settings.duration(global.statement_timeout, "STATEMENT_TIMEOUT", default.statement)?,
            connect_retries: settings.count(
                global.connect_retries,
                "CONNECT_RETRIES",
                default.connect_retries,
            )?,
            lock_wait_retries: settings.count(
                global.lock_wait_retries,
                "LOCK_WAIT_RETRIES",
                default.lock_wait_retries,
            )?,
        };
        settings.progress_interval = settings.duration(
            global.progress_interval,
            "PROGRESS_INTERVAL",
            ReportOptions::PROGRESS_INTERVAL,
        )?;
        Ok(settings)
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.expose().as_str())
    }

    fn duration(&self, flag: Option<Duration>, name: &str, default: Duration) -> Result<Duration, CliError> {
        match (flag, self.variable(name)) {
            (Some(flag), _) => Ok(flag),
            (None, None) => Ok(default),
            (None, Some(text)) => parse_duration(text)
                .map_err(|error| CliError::refused("settings", format!("`{name}`: {error}"), None)),
        }
    }

    fn count(&self, flag: Option<u32>, name: &str, default: u32) -> Result<u32, CliError> {
        match (flag, self.variable(name)) {
            (Some(flag), _) => Ok(flag),
            (None, None) => Ok(default),
            (None, Some(text)) => text.trim().parse().map_err(|_| {
                CliError::refused("settings", format!("`{name}`: {text:?} is no whole number"), None)
            }),
        }
    }

    /// Whether colours are welcome on a stream that leads to a terminal or not (no-color.org, bixense.com/clicolors).
    pub(super) fn wants_color(&self, is_terminal: bool) -> bool {
        let is_forced = self.variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let is_off = self.variable("CLICOLOR") == Some("0") || self.is_dumb();
        self.variable("NO_COLOR").is_none() && (is_forced || (is_terminal && !is_off))
    }

    /// Whether a terminal shows what is written to it and nothing else: no colours, no line that is drawn anew.
    pub(super) fn is_dumb(&self) -> bool {
        self.variable("TERM") == Some("dumb")
    }

    /// The value of `name`, or the contents of the file that `name` with `_FILE` names, without the line's end.
    #[expect(
        clippy::disallowed_methods,
        reason = "a secret in a file is how Docker and Kubernetes hand it in"
    )]
    fn secret(&self, name: &str) -> Result<Option<Secret<String>>, CliError> {
        if let Some(value) = self.variable(name) {
            return Ok(Some(Secret::new(value.to_owned())));
        }
        let file_variable = format!("{name}_FILE");
        let Some(path) = self.variable(&file_variable) else { return Ok(None) };
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))),
            Err(error) => Err(CliError::refused(
                "settings",
                format!("`{file_variable}` names `{path}`, which cannot be read: {error}"),
                None,
            )),
        }
    }

    /// The key of the sealed passwords.
    pub(super) fn key(&self) -> Result<Key, CliError> {
        let Some(text) = self.secret("DB_ENCRYPTION_KEY")? else {
            return Err(CliError::refused(
                "settings",
                "`DB_ENCRYPTION_KEY` is not set",
                Some(
                    "set it to the backend's key, 32 characters, in the environment or in `.env`; or name a file \
                     that holds it in `DB_ENCRYPTION_KEY_FILE`"
                        .into(),
                ),
            ));
        };
        Key::parse(text.expose()).map_err(|error| {
            let hint = error.hint().to_owned();
            CliError::refused("settings", format!("`DB_ENCRYPTION_KEY`: {error}"), Some(hint))
        })
    }

    /// The central database.
    pub(super) fn central(&self) -> Result<Target, CliError> {
        self.url("CENTRAL_DATABASE_URL", "central", parse_url)?.ok_or_else(|| {
            CliError::refused(
                "settings",
                "`CENTRAL_DATABASE_URL` is not set",
                Some(
                    "set it to mysql://USER:PASSWORD@HOST:PORT/DATABASE in the environment or in `.env`"
                        .into(),
                ),
            )
        })
    }

    /// The server new tenants are made on: where nothing is set, the central database's.
    pub(super) fn admin(&self) -> Result<Target, CliError> {
        match self.named_admin()? {
            Some(target) => Ok(target),
            None => self.central(),
        }
    }

    /// An account that may see more of tenants' servers than their own accounts do, if one is named.
    pub(super) fn named_admin(&self) -> Result<Option<Target>, CliError> {
        self.url("TENANT_ADMIN_URL", "tenant-admin", parse_server_url)
    }

    /// The server for scratch databases, if one is named; a flag goes before the environment.
    pub(super) fn scratch(&self, flag: Option<&str>) -> Result<Option<Target>, CliError> {
        let (variable, url) = match flag {
            Some(flag) => ("--scratch-url", Some(Secret::new(flag.to_owned()))),
            None => ("SCRATCH_URL", self.secret("SCRATCH_URL")?),
        };
        let Some(url) = url else { return Ok(None) };
        parse_server_url(url.expose(), "scratch").map(Some).map_err(|error| {
            CliError::refused("settings", format!("`{variable}`: {error}"), Some(error.hint().to_owned()))
        })
    }

    fn url(
        &self,
        variable: &str,
        name: &str,
        parse: impl FnOnce(&str, &str) -> Result<Target, UrlError>,
    ) -> Result<Option<Target>, CliError> {
        let Some(url) = self.secret(variable)? else { return Ok(None) };
        parse(url.expose(), name).map(Some).map_err(|error| {
            CliError::refused("settings", format!("`{variable}`: {error}"), Some(error.hint().to_owned()))
        })
    }

    /// How connections to tenants are encrypted.
    pub(super) fn tenant_tls(&self) -> Result<Tls, CliError> {
        let mode = match self.variable("TENANT_SSL_MODE") {
            None => TlsMode::default(),
            Some(word) => TlsMode::parse(word).ok_or_else(|| {
                CliError::refused(
                    "settings",
                    format!("`TENANT_SSL_MODE` is `{word}`"),
                    Some("the modes are DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY".into()),
                )
            })?,
        };
        Ok(Tls { mode, ca: self.variable("TENANT_SSL_CA").map(PathBuf::from) })
    }

    /// The folder with `central/` and `tenant/`, if one is named.
    fn named_migrations_dir(&self) -> Option<PathBuf> {
        self.migrations.clone().or_else(|| self.variable("MIGRATIONS_DIR").map(PathBuf::from))
    }

    /// The folder with `central/` and `tenant/`.
    pub(super) fn migrations_dir(&self) -> PathBuf {
        self.named_migrations_dir().unwrap_or_else(|| self.face.migrations_dir.clone())
    }

    /// The migrations of one kind: from the folder that is named, else those built into the program, else from the
    /// folder `migrations`.
    pub(super) fn migration_set(&self, kind: MigrationKind) -> Result<MigrationSet, CliError> {
        let result = match self.named_migrations_dir() {
            #[cfg(feature = "embed")]
            None => disk::from_files(
                kind.embedded().iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())),
            ),
            _ => disk::load(&self.migrations_dir().join(kind.folder())),
        };
        // Each problem has its hint beside it.
        result.map_err(|error| CliError::refused("migrations", error.to_string(), None))
    }
}

/// The two sets of migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MigrationKind {
    Central,
    Tenant,
}

#[cfg(feature = "embed")]
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

impl MigrationKind {
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Central => "central",
            Self::Tenant => "tenant",
        }
    }

    #[cfg(feature = "embed")]
    fn embedded(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            Self::Central => EMBEDDED_CENTRAL,
            Self::Tenant => EMBEDDED_TENANT,
        }
    }
}

/// A duration such as `5s`, `500ms`, `10m`, `1h` or `1h 30m`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const LONGEST: Duration = Duration::from_hours(30 * 24);
    let duration = match text.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text
            .parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|duration| Duration::try_from(duration).ok())
            .ok_or_else(|| format!("`{text}` is no duration; write `5s`, `10m` or `1h`"))?,
    };
    if duration.is_zero() || duration > LONGEST {
        return Err(format!("`{text}` is out of range; nothing may wait for ever, nor not at all"));
    }
    Ok(duration)
}

#[cfg(test)]
mod tests {
    use super::VARIABLES;

    #[test]
    fn the_reference_has_every_variable() {
        let reference = include_str!("../../../docs/cli.md");
        let missing: Vec<_> =
            VARIABLES.iter().filter(|name| !reference.contains(&format!("| `{name}` |"))).collect();
        assert!(missing.is_empty(), "not in the settings table of tests/cli_reference.rs: {missing:?}");
    }
}
