//! The words of a tenant: who it is and where its database is.

use std::{fmt, sync::Arc};

use crate::secret::Secret;

/// A tenant's id as the central database has it: any string, such as a CUID or a UUID.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(pub String);

/// The MySQL or MariaDB instance a database lives on: what the per-server limit counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerId {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// The two servers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flavour {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Flavour {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "MySQL",
            Self::MariaDb => "MariaDB",
        }
    }
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A tenant's place in life, as `tenants.status` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TenantStatus {
    /// Its database is being made.
    Provisioning,
    /// In use; what `migrate:all-tenants` works on.
    Active,
    /// Kept, but not in use.
    Suspended,
    /// Provisioning ended with an error.
    Failed,
    /// Left for good.
    Archived,
}

impl TenantStatus {
    /// Every status, in the order of a tenant's life.
    pub const ALL: [Self; 5] =
        [Self::Provisioning, Self::Active, Self::Suspended, Self::Failed, Self::Archived];

    /// The word in the central database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "PROVISIONING",
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Failed => "FAILED",
            Self::Archived => "ARCHIVED",
        }
    }

    /// The status that this word stands for; letter case does not matter.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for TenantStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How a database is called in what people read: never a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Label {
    /// The tenant's id; `None` for the central database.
    pub id: Option<TenantId>,
    /// The tenant's slug, or `central`.
    pub slug: String,
    /// The tenant's display name.
    pub name: String,
    /// Its database.
    pub database: String,
    /// The server that holds it.
    pub server: ServerId,
}

/// A [`Label`] that events can carry without copying it.
pub type SharedLabel = Arc<Label>;

/// Where a tenant's database is, its password still sealed.
#[derive(Clone, Debug)]
pub struct SealedTarget {
    /// How to call it.
    pub label: SharedLabel,
    /// The account to log in with.
    pub user: String,
    /// `hex(iv):hex(ciphertext)` as the central database has it.
    pub sealed_password: String,
}

impl SealedTarget {
    /// The column of the first thing without which there is nothing to connect to.
    pub fn missing(&self) -> Option<&'static str> {
        let Label { server, database, .. } = &*self.label;
        [
            (server.host.is_empty(), "db_host"),
            (server.port == 0, "db_port"),
            (database.is_empty(), "db_name"),
            (self.user.is_empty(), "db_user"),
        ]
        .into_iter()
        .find_map(|(is_missing, column)| is_missing.then_some(column))
    }
}

/// A tenant's row in the central database.
#[derive(Clone, Debug)]
pub struct TenantRow {
    /// How to reach its database.
    pub target: SealedTarget,
    /// Its status, as the table has it: perhaps none of [`TenantStatus`].
    pub status: String,
}

impl TenantRow {
    /// Its slug.
    pub fn slug(&self) -> &str {
        &self.target.label.slug
    }

    /// Its id.
    pub fn id(&self) -> &str {
        self.target.label.id.as_ref().map_or("", |id| id.0.as_str())
    }

    /// Whether `name` is its slug or its id, letter by letter.
    pub fn is_named(&self, name: &str) -> bool {
        self.slug() == name || self.target.label.id.as_ref().is_some_and(|id| id.0 == name)
    }
}

/// Where and how to connect.
#[derive(Clone, Debug)]
pub struct Target {
    /// How to call it.
    pub label: SharedLabel,
    /// The account to log in with.
    pub user: String,
    /// Its password.
    pub password: Secret<String>,
    /// TLS and the like.
    pub tls: Tls,
}

/// How a connection is encrypted: the words of MySQL's `--ssl-mode`.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tls {
    /// Whether to encrypt and what to verify.
    pub mode: TlsMode,
    /// A PEM file with the authorities to trust instead of the built-in ones.
    pub ca: Option<std::path::PathBuf>,
}

/// MySQL's `--ssl-mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TlsMode {
    /// Plain.
    Disabled,
    /// Encrypted where the server can, plain where it cannot.
    #[default]
    Preferred,
    /// Encrypted or not at all; the certificate is not looked at.
    Required,
    /// Encrypted, and the certificate's authority is checked.
    VerifyCa,
    /// Encrypted, and the certificate's authority and host name are checked.
    VerifyIdentity,
}

impl TlsMode {
    /// The mode that MySQL's word, or its short form with `-`, stands for; letter case does not matter.
    pub fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_uppercase().replace('-', "_").as_str() {
            "DISABLED" => Some(Self::Disabled),
            "PREFERRED" => Some(Self::Preferred),
            "REQUIRED" => Some(Self::Required),
            "VERIFY_CA" => Some(Self::VerifyCa),
            "VERIFY_IDENTITY" => Some(Self::VerifyIdentity),
            _ => None,
        }
    }
}
