//! A database's URL, as `CENTRAL_DATABASE_URL` has it.

use std::{borrow::Cow, sync::Arc};

use crate::{
    secret::Secret,
    tenant::{Label, ServerId, Target, Tls, TlsMode},
};

/// What is wrong with a URL. No variant shows the URL itself: it holds a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It cannot be taken apart.
    #[error("it is not a URL: {0}")]
    Malformed(String),
    /// It is in quotes.
    #[error("it is in quotes, which were taken for a part of it")]
    Quoted,
    /// It names a socket.
    #[error("it names a socket, and connections are made by TCP")]
    Socket,
    /// It does not begin with `mysql://`.
    #[error("its scheme is `{0}`, expected `mysql` or `mariadb`")]
    Scheme(String),
    /// It has no host.
    #[error("it names no host")]
    NoHost,
    /// A character with a meaning of its own in a URL stands in the user or the password as it is, so that what comes
    /// after it was taken for something else. Nothing of it is shown: it may be the password's end.
    #[error("it has a `/`, `@`, `?` or `#` where none belongs, perhaps as a part of the password")]
    Stray,
    /// It has no database.
    #[error("it names no database")]
    NoDatabase,
    /// It has a part that is not UTF-8 after decoding.
    #[error("its {0} is not UTF-8 once decoded")]
    NotUtf8(&'static str),
    /// It has a parameter we do not know.
    #[error("it has the unknown parameter `{0}`")]
    UnknownParameter(String),
    /// A parameter has a value we do not know.
    #[error("its parameter `ssl-mode` is `{0}`")]
    SslMode(String),
}

impl UrlError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Quoted => {
                "a shell and `.env` take the quotes away, Docker's `--env-file` and Kubernetes do not: set it without"
            }
            Self::Socket => "name the server by host and port: mysql://USER:PASSWORD@HOST:PORT/DATABASE",
            Self::UnknownParameter(parameter) => parameter_hint(parameter),
            Self::SslMode(_) => "the modes are DISABLED, PREFERRED, REQUIRED, VERIFY_CA and VERIFY_IDENTITY",
            _ => {
                "the form is mysql://USER:PASSWORD@HOST:PORT/DATABASE; write `@`, `:`, `/`, `#`, `?` and `%` in user \
                 or password as %40, %3A, %2F, %23, %3F and %25"
            }
        }
    }
}

/// What to do about a parameter that others have for their URLs.
fn parameter_hint(parameter: &str) -> &'static str {
    match parameter {
        "connection_limit" | "connectionLimit" | "pool_timeout" => {
            "it sets Prisma's pool, and there is none here: leave it out; `--concurrency` and `--per-server` bound the \
             connections"
        }
        "connect_timeout" | "connectTimeout" => {
            "leave it out: `--connect-timeout` or `CONNECT_TIMEOUT` sets that here"
        }
        "socket_timeout" => "leave it out: `--statement-timeout` or `STATEMENT_TIMEOUT` sets that here",
        "schema" => {
            "it is for Prisma on PostgreSQL: leave it out, and name the database in the path, mysql://…@HOST:PORT/DATABASE"
        }
        "sslaccept" => {
            "Prisma's `sslaccept=strict` is `ssl-mode=VERIFY_IDENTITY` here, `sslaccept=accept_invalid_certs` is \
             `ssl-mode=REQUIRED`"
        }
        "sslcert" => "Prisma's `sslcert` is `ssl-ca` here, the PEM file of the authority",
        "sslidentity" | "sslpassword" | "ssl-cert" | "ssl-key" => {
            "there is no login by a client's certificate here: leave it out, and use an account with a password"
        }
        "ssl" | "useSSL" | "requireSSL" | "tls" => {
            "write `ssl-mode=REQUIRED`, or `ssl-mode=VERIFY_IDENTITY` with `ssl-ca`, which says what is checked"
        }
        "charset" | "collation" | "timezone" | "serverTimezone" => {
            "leave it out: sessions are set up as sqlx does, with utf8mb4 and UTC"
        }
        _ => "the parameters are `ssl-mode` and `ssl-ca`",
    }
}

/// Takes a URL apart: `mysql://user:password@host:port/database?ssl-mode=…&ssl-ca=…`.
///
/// `name` is how the database is called in what people read. sqlx ignores a parameter it does not know, so that a typing
/// error in `ssl-mode` means no encryption; here it is an error.
///
/// # Errors
///
/// [`UrlError`], which never shows the URL.
pub fn parse_url(url: &str, name: &str) -> Result<Target, UrlError> {
    let target = parse_server_url(url, name)?;
    if target.label.database.is_empty() { Err(UrlError::NoDatabase) } else { Ok(target) }
}

/// As [`parse_url`], for a server: the URL may name no database.
///
/// # Errors
///
/// [`UrlError`], which never shows the URL.
pub fn parse_server_url(url: &str, name: &str) -> Result<Target, UrlError> {
    let text = url.trim();
    if text.starts_with(['"', '\'', '`']) {
        return Err(UrlError::Quoted);
    }
    if names_a_socket(text) {
        return Err(UrlError::Socket);
    }
    let url = ::url::Url::parse(text).map_err(|error| UrlError::Malformed(error.to_string()))?;
    if !matches!(url.scheme(), "mysql" | "mariadb") {
        return Err(UrlError::Scheme(url.scheme().to_owned()));
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let is_socket =
        |(parameter, _): (Cow<'_, str>, _)| matches!(&*parameter, "socket" | "unix_socket" | "socketPath");
    if url.query_pairs().any(is_socket) {
        return Err(UrlError::Socket);
    }
    let host = host.ok_or(UrlError::NoHost)?;
    let path = url.path().strip_prefix('/').unwrap_or_default();
    // A certificate's path in the query has slashes.
    let is_stray = path.contains(['/', '@']);
    if is_stray || url.query().is_some_and(|query| query.contains(['@', '?'])) || url.fragment().is_some() {
        return Err(UrlError::Stray);
    }
    let database = decode(path, "database")?;
    let mut tls = Tls::default();
    for (parameter, value) in url.query_pairs() {
        match &*parameter {
            "ssl-mode" | "sslmode" => {
                tls.mode =
                    TlsMode::parse(&value).ok_or_else(|| UrlError::SslMode(value.clone().into_owned()))?;
            }
            "ssl-ca" => tls.ca = Some(value.into_owned().into()),
            _ => return Err(UrlError::UnknownParameter(parameter.into_owned())),
        }
    }
    let server = ServerId {
        // An IPv6 address is in brackets in a URL and nowhere else.
        host: decode(host, "host")?.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(3306),
    };
    Ok(Target {
        label: Arc::new(Label { id: None, slug: name.into(), name: name.into(), database, server }),
        user: decode(url.username(), "user")?,
        password: Secret::new(decode(url.password().unwrap_or_default(), "password")?),
        tls,
    })
}

/// Whether a socket's path stands where the host should: encoded as sqlx has it, or in the words of Go and PHP.
fn names_a_socket(text: &str) -> bool {
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    host.starts_with("%2F")
        || host.starts_with("%2f")
        || host.starts_with("unix(")
        || host.starts_with("unix:/")
}

fn decode(text: &str, part: &'static str) -> Result<String, UrlError> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded.map(Cow::into_owned).map_err(|_| UrlError::NotUtf8(part))
}
