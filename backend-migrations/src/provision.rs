//! A tenant is born with the whole schema: row, database, account, all migrations, then ACTIVE.
//!
//! Each step can be repeated, so a run that failed anywhere is mended by the same call again. What is there after a
//! failure is in the error.

use std::{fmt, io, num::NonZeroUsize};

use crate::{
    apply::{self, ApplyError, Work},
    diagnosis::Way,
    entropy::{self, EntropyError},
    event::{Event, Events, Failure, FailureCode, Scope, Settled},
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    migration::MigrationSet,
    mysql::{Admin, Central, CentralError, MySqlConnector},
    plan::{Goal, PlanOptions},
    recover::{Consent, Question, Recover, RecoverOptions, StillRunning},
    seal::{self, OpenError},
    secret::Key,
    selection::Coverage,
    session::{ConnectError, Fate, SessionError, TenantSession as _, Whose, number},
    tenant::{Label, SealedTarget, ServerId, Target, TenantId, TenantRow, TenantStatus, Tls},
};

use sha2::{Digest as _, Sha256};
use tokio::select;
use tokio_util::sync::CancellationToken;

/// A tenant that is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTenant {
    /// Its slug, from which its database and account are named.
    pub slug: Slug,
    /// Its display name.
    pub name: String,
    /// Its id; a random UUID where it is `None`.
    pub id: Option<TenantId>,
    /// The host and port under which the backend reaches the server, if not those of [`Provisioning::admin`].
    pub server: Option<ServerId>,
}

/// A tenant's name in URLs: lower-case letters, digits and single `-`, at most 50 characters, beginning with a letter.
///
/// `-` becomes `_` in the names of database and account, and as a slug has no `_`, no two slugs share a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Takes a slug.
    ///
    /// # Errors
    ///
    /// [`SlugError`] with a slug that would do.
    pub fn parse(text: &str) -> Result<Self, SlugError> {
        const LONGEST: usize = 50;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let is_slug = text.len() <= LONGEST
            && text.split('-').all(is_word)
            && text.starts_with(|first: char| first.is_ascii_lowercase());
        if is_slug {
            return Ok(Self(text.to_owned()));
        }
        let words: Vec<_> = text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let joined = words.join("-");
        let joined = joined.trim_start_matches(|c: char| !c.is_ascii_lowercase());
        let suggestion = joined[..joined.len().min(LONGEST)].trim_end_matches('-').to_owned();
        Err(SlugError { slug: text.to_owned(), suggestion })
    }

    /// The slug itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn database(&self) -> String {
        format!("{}_db", self.0.replace('-', "_"))
    }

    /// An account's name has at most 32 characters on MySQL; a longer one is cut and told apart by its hash. The prefix
    /// keeps a slug such as `root` away from the server's own accounts.
    fn account(&self) -> String {
        let name = format!("tenant_{}", self.0.replace('-', "_"));
        if name.len() <= 32 {
            return name;
        }
        let hash = Sha256::digest(self.0.as_bytes());
        format!("{}_{:02x}{:02x}{:02x}{:02x}", &name[..23], hash[0], hash[1], hash[2], hash[3])
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no slug.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{slug:?} is no slug: lower-case letters, digits and single `-`, at most 50, beginning with a letter"
)]
pub struct SlugError {
    /// What was given.
    pub slug: String,
    /// A slug near it; empty where there is none.
    pub suggestion: String,
}

/// What provisioning works with.
#[derive(Clone, Copy, Debug)]
pub struct Provisioning<'a> {
    /// Opens connections.
    pub connector: &'a MySqlConnector,
    /// The central database.
    pub central: &'a Target,
    /// The server the tenant's database is made on, and an account that may make databases, accounts and grants there.
    pub admin: &'a Target,
    /// Seals the new password.
    pub key: &'a Key,
    /// The tenants' migrations.
    pub set: &'a MigrationSet,
    /// How connections to the tenant's database are encrypted.
    pub tls: &'a Tls,
    /// A server for scratch databases, where a run that was killed has left a migration half done; `None` for the one the
    /// tenant is on.
    pub scratch: Option<&'a Target>,
}

/// A tenant that is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provisioned {
    /// How it is called and where its database is.
    pub label: Label,
    /// The account that was made for it.
    pub user: String,
    /// How many migrations this call applied.
    pub n_migrations: usize,
    /// Whether it was ACTIVE before this call.
    pub was_active: bool,
}

/// Why a tenant is not ready, and what of it is there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tenant {slug:?} could not be provisioned: {kind}")]
pub struct ProvisionError {
    /// Which tenant.
    pub slug: String,
    /// What failed.
    pub kind: ProvisionErrorKind,
    /// What of it is there now, in the order it was made.
    pub present: Vec<String>,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionErrorKind {
    /// The central database.
    #[error(transparent)]
    Central(#[from] CentralError),
    /// Another call works on the same slug.
    #[error("another run is provisioning it")]
    InProgress,
    /// It has a status that provisioning may not change.
    #[error("it exists with status {0}")]
    NotNew(String),
    /// Its slug is another tenant's id.
    #[error("its slug is the id of tenant {other:?}")]
    SlugIsId {
        /// That tenant's slug.
        other: String,
    },
    /// Its id is another tenant's slug or id.
    #[error("its id {id:?} is the slug or the id of tenant {other:?}")]
    IdTaken {
        /// The id.
        id: String,
        /// That tenant's slug.
        other: String,
    },
    /// A tenant of its slug exists, with another name or id.
    #[error("it exists with {what} {row:?}, and this call says {said:?}")]
    Otherwise {
        /// `name` or `id`.
        what: &'static str,
        /// What its row has.
        row: String,
        /// What this call has.
        said: String,
    },
    /// There is a database or an account of its name, and no tenant it belongs to.
    #[error("{0} exists on {1} and belongs to no tenant of that slug")]
    Taken(String, ServerId),
    /// The server it is to live on cannot be reached.
    #[error("its server cannot be reached: {0}")]
    Admin(ConnectError),
    /// The server refused a step.
    #[error("{step} failed: {source}")]
    Server {
        /// Which step.
        step: String,
        /// What the server said.
        source: SessionError,
    },
    /// Its row names an account or a database that provisioning did not choose.
    #[error(
        "its row names account '{user}' and database `{database}`, which are not those that provisioning makes"
    )]
    NotOurs {
        /// The account.
        user: String,
        /// The database.
        database: String,
    },
    /// Its row names another server than this call would make it on.
    #[error("its row names server {row}, and this call would make it on {here}")]
    Elsewhere {
        /// The server in the row.
        row: ServerId,
        /// The server of this call.
        here: ServerId,
    },
    /// Its database is ready, and its row is not as it was at the beginning.
    #[error("its row was changed by somebody else meanwhile, and its status was left as it is now")]
    StatusChanged,
    /// Its sealed password cannot be opened.
    #[error(transparent)]
    Credentials(#[from] OpenError),
    /// Its migrations failed.
    #[error("its migrations failed: {}", .0.message)]
    Migrations(Box<Failure>),
    /// The server takes the tenant's account for an anonymous one.
    #[error(
        "its account '{user}'@'%' cannot log in: from here the server takes it for the anonymous account {}",
        .anonymous.join(" or ")
    )]
    Shadowed {
        /// The account.
        user: String,
        /// The anonymous accounts that there are, as `''@'host'`.
        anonymous: Vec<String>,
    },
    /// The run was told to stop.
    #[error("the run was stopped")]
    Stopped,
    /// The system gave no random bytes.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

impl ProvisionError {
    /// What to do next, in lines.
    pub fn hint(&self) -> Option<String> {
        let first = match &self.kind {
            ProvisionErrorKind::Central(error) => error.hint(),
            ProvisionErrorKind::InProgress => Some("wait for that run to end".into()),
            ProvisionErrorKind::NotNew(_) => {
                Some("choose another slug, or set its status by hand if it is to be used again".into())
            }
            ProvisionErrorKind::SlugIsId { .. } => {
                Some("choose another slug: a name that stands for two tenants could mean either".into())
            }
            ProvisionErrorKind::IdTaken { .. } => {
                Some("choose another id: a name that stands for two tenants could mean either".into())
            }
            ProvisionErrorKind::Otherwise { what, .. } => Some(format!(
                "repeat the call with `--{what}` as the row has it if that tenant is meant; else choose another slug"
            )),
            ProvisionErrorKind::Taken(what, _) => Some(format!(
                "choose another slug; where you think that {what} is left from a tenant that was removed, look first \
                 whose it is: `SELECT slug, status FROM tenants WHERE '{}' IN (db_name, db_user)` in every central database \
                 of this server, and what rows there are in it",
                what.split(['`', '\'']).nth(1).unwrap_or_default()
            )),
            ProvisionErrorKind::Admin(error) => error.hint(Whose::Central),
            ProvisionErrorKind::NotOurs { .. } => {
                Some("a tenant whose row was made by hand is finished by hand: set its status to ACTIVE, then migrate it".into())
            }
            ProvisionErrorKind::Elsewhere { .. } => Some(
                "set `TENANT_ADMIN_URL`, or `--db-host` and `--db-port`, to the row's server; or, if nothing of the \
                 tenant is there, correct the row"
                    .into(),
            ),
            ProvisionErrorKind::StatusChanged => Some("look at its row in the table `tenants`".into()),
            // Denied: a database, a table, a column, a privilege.
            ProvisionErrorKind::Server {
                source: SessionError::Server { number, .. }, ..
            } if number::is_denied(*number) => Some(
                "the account in `TENANT_ADMIN_URL` needs SELECT on `mysql.user`, CREATE USER, CREATE and all that it grants, \
                 WITH GRANT OPTION"
                    .into(),
            ),
            ProvisionErrorKind::Server { source, .. } => source.hint(),
            ProvisionErrorKind::Credentials(error) => Some(error.hint().into()),
            ProvisionErrorKind::Migrations(failure) => failure.hint.clone(),
            // Nobody's data: an account without a name is what an installer leaves for trying out.
            ProvisionErrorKind::Shadowed { anonymous, .. } => Some(format!(
                "an account for one host goes before one for every host, even without a name; `DROP USER {};` removes it \
                 where nothing logs in by it",
                anonymous.join(", ")
            )),
            ProvisionErrorKind::Stopped | ProvisionErrorKind::Entropy(_) => None,
        };
        let is_begun = !self.present.is_empty();
        let again = is_begun.then(|| "provisioning the same slug again goes on where it stopped".to_owned());
        let lines: Vec<_> = first.into_iter().chain(again).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }
}

/// Makes a tenant, or finishes making it: its row with status PROVISIONING, a database, an account that may use that
/// database and nothing else, a generated password that only the central database keeps, sealed; then every migration of
/// `set` by the executor that migrates all tenants; then ACTIVE.
///
/// Repeating the call after an error goes on where it stopped. For a tenant that is ACTIVE already it applies what is
/// pending. `on_event` is told of the migrations as they run.
///
/// # Errors
///
/// [`ProvisionError`], which lists what is there. The tenant's status is then FAILED, or still PROVISIONING if the central
/// database cannot be reached any more.
pub async fn provision_tenant(
    provisioning: Provisioning<'_>,
    tenant: &NewTenant,
    stop: &Stop,
    on_event: impl FnMut(&Event) -> io::Result<()>,
) -> Result<Provisioned, ProvisionError> {
    let mut birth = Birth { provisioning, tenant, present: Vec::new() };
    let result = birth.run(stop, on_event).await;
    let present = birth.present;
    result.map_err(|kind| ProvisionError { slug: tenant.slug.to_string(), kind, present })
}

/// A tenant on its way, and what of it is there.
struct Birth<'a> {
    provisioning: Provisioning<'a>,
    tenant: &'a NewTenant,
    present: Vec<String>,
}

impl Birth<'_> {
    async fn run(
        &mut self,
        stop: &Stop,
        on_event: impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<Provisioned, ProvisionErrorKind> {
        let Provisioning { connector, central, .. } = self.provisioning;
        let slug = self.tenant.slug.as_str();
        // Nothing is there yet: once is enough.
        let begin = async {
            let mut central = Central::connect(connector, central).await?;
            if !central.lock_slug(slug, connector.limits().lock.as_secs()).await? {
                return Err(ProvisionErrorKind::InProgress);
            }
            let row = self.row(&mut central).await?;
            Ok((central, row))
        };
        let (mut central, row) = unless(&stop.soft, begin).await?;
        let status = row.as_ref().and_then(|row| TenantStatus::parse(&row.status));
        let was_active = status == Some(TenantStatus::Active);
        let is_new = row.is_none();
        let target = match (row, status) {
            (None, _) => unless(&stop.hard, self.register(&mut central)).await?,
            (Some(row), Some(TenantStatus::Active)) => row.target,
            (Some(row), Some(TenantStatus::Provisioning | TenantStatus::Failed)) => {
                if let Some(objection) = self.objection(&row.target) {
                    return Err(objection);
                }
                row.target
            }
            (Some(row), _) => return Err(ProvisionErrorKind::NotNew(row.status)),
        };
        self.present.push(format!("row of tenant {slug:?} in the central database"));
        let is_begun = !was_active && !is_new;
        let result = self.furnish(&target, was_active, is_begun, stop, on_event).await;
        let id = target.label.id.clone().unwrap_or_else(|| TenantId(String::new()));
        // The first error is the one to tell; a status that cannot be set stays PROVISIONING, which repeats as well.
        match &result {
            Ok(_) if was_active => {}
            Ok(_) => {
                if central.set_status(&id, TenantStatus::Active).await? != 1 {
                    return Err(ProvisionErrorKind::StatusChanged);
                }
            }
            // Told twice to stop, nothing is waited for: PROVISIONING repeats as well.
            Err(_) => {
                unless(&stop.hard, async { Ok(central.set_status(&id, TenantStatus::Failed).await?) })
                    .await
                    .ok();
            }
        }
        let close = async {
            central.close().await;
            Ok(())
        };
        unless(&stop.hard, close).await.ok();
        let n_migrations = result?;
        Ok(Provisioned {
            label: (*target.label).clone(),
            user: target.user.clone(),
            n_migrations,
            was_active,
        })
    }

    /// The row of this slug, if there is one.
    ///
    /// A name that stands for two tenants would be ambiguous for every other command, and a call that says otherwise than
    /// the row means another tenant.
    async fn row(&self, central: &mut Central) -> Result<Option<TenantRow>, ProvisionErrorKind> {
        let NewTenant { slug, name, id, .. } = self.tenant;
        let (own, others): (Vec<_>, Vec<_>) =
            central.named(slug.as_str()).await?.into_iter().partition(|row| row.slug() == slug.as_str());
        if let Some(other) = others.first() {
            return Err(ProvisionErrorKind::SlugIsId { other: other.slug().to_owned() });
        }
        let row = own.into_iter().next();
        if let Some(row) = &row {
            let said = [
                ("name", row.target.label.name.as_str(), Some(name.as_str())),
                ("id", row.id(), id.as_ref().map(|id| id.0.as_str())),
            ];
            for (what, row, said) in said {
                if let Some(said) = said.filter(|said| *said != row) {
                    let (row, said) = (row.to_owned(), said.to_owned());
                    return Err(ProvisionErrorKind::Otherwise { what, row, said });
                }
            }
        }
        if let Some(id) = id {
            let others = central.named(&id.0).await?;
            if let Some(other) = others.iter().find(|other| other.slug() != slug.as_str()) {
                return Err(ProvisionErrorKind::IdTaken { id: id.0.clone(), other: other.slug().to_owned() });
            }
        }
        Ok(row)
    }

    /// Why a row of a tenant that is not ready is not ours to finish: somebody else wrote it, or it is meant for another
    /// server. Making its account would give an account that is in use a new password, or make a database where the
    /// backend will not look.
    fn objection(&self, target: &SealedTarget) -> Option<ProvisionErrorKind> {
        let NewTenant { slug, server, .. } = self.tenant;
        let SealedTarget { label, user, .. } = target;
        if *user != slug.account() || label.database != slug.database() {
            let (user, database) = (user.clone(), label.database.clone());
            return Some(ProvisionErrorKind::NotOurs { user, database });
        }
        let here = server.as_ref().unwrap_or(&self.provisioning.admin.label.server);
        (label.server != *here)
            .then(|| ProvisionErrorKind::Elsewhere { row: label.server.clone(), here: here.clone() })
    }

    /// Writes the row of a tenant that is new.
    async fn register(&mut self, central: &mut Central) -> Result<SealedTarget, ProvisionErrorKind> {
        let Provisioning { connector, admin, key, .. } = self.provisioning;
        let NewTenant { slug, name, id, server } = self.tenant;
        let (database, user) = (slug.database(), slug.account());
        // What exists before the row does is somebody else's; what appears after it is ours.
        let mut session = Admin::connect(connector, admin).await.map_err(ProvisionErrorKind::Admin)?;
        let at = &admin.label.server;
        let failed = |step: &str| {
            let step = step.to_owned();
            move |source| ProvisionErrorKind::Server { step, source }
        };
        let has_database =
            session.has_database(&database).await.map_err(failed("looking for a database of its name"))?;
        let has_account =
            session.has_account(&user).await.map_err(failed("looking for an account of its name"))?;
        session.close().await;
        if has_database {
            return Err(ProvisionErrorKind::Taken(format!("database `{database}`"), at.clone()));
        }
        if has_account {
            return Err(ProvisionErrorKind::Taken(format!("account '{user}'"), at.clone()));
        }
        let (password, iv) = (entropy::random_password()?, entropy::random_iv()?);
        let id = match id {
            Some(id) => id.clone(),
            None => TenantId(entropy::random_uuid()?),
        };
        let label = Label {
            id: Some(id),
            slug: slug.to_string(),
            name: name.clone(),
            database,
            server: server.clone().unwrap_or_else(|| at.clone()),
        };
        let sealed_password = seal::seal(password.expose(), key, iv);
        let target = SealedTarget { label: label.into(), user, sealed_password };
        if let Err(error) = central.insert_tenant(&target).await {
            if matches!(&error, CentralError::Unwritten(source) if source.fate() == Fate::Unknown) {
                self.present
                    .push(format!("perhaps the row of tenant {:?}: its answer was lost", slug.as_str()));
            }
            return Err(error.into());
        }
        Ok(target)
    }

    /// Makes database and account and runs the migrations; gives how many there were.
    async fn furnish(
        &mut self,
        target: &SealedTarget,
        is_active: bool,
        is_begun: bool,
        stop: &Stop,
        mut on_event: impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<usize, ProvisionErrorKind> {
        let Provisioning { connector, admin, key, set, tls, .. } = self.provisioning;
        let password = seal::open(&target.sealed_password, key)?;
        let database = &target.label.database;
        if !is_active {
            let failed = |step: String| move |source| ProvisionErrorKind::Server { step, source };
            let present = &mut self.present;
            let make = async {
                let mut session =
                    Admin::connect(connector, admin).await.map_err(ProvisionErrorKind::Admin)?;
                session
                    .create_database(database)
                    .await
                    .map_err(failed(format!("making database `{database}`")))?;
                present.push(format!("database `{database}` on {}", admin.label.server));
                session
                    .create_account(&target.user, &password, database)
                    .await
                    .map_err(failed(format!("making account '{}'", target.user)))?;
                present.push(format!("account '{}'@'%'", target.user));
                session.close().await;
                Ok(())
            };
            unless(&stop.hard, make).await?;
        }
        let options = FleetOptions {
            job: Job::Apply(PlanOptions {
                goal: Goal::Latest,
                allow_out_of_order: false,
                allow_existing_tables: false,
            }),
            scope: Scope::Tenant,
            coverage: Coverage::default(),
            go_on: None,
            concurrency: NonZeroUsize::MIN,
            per_server: NonZeroUsize::MIN,
            failure_budget: None,
            tls: tls.clone(),
        };
        let user = target.user.clone();
        // A new tenant is reached where its account was just made, whatever host the backend will use for it.
        let server = if is_active { &target.label.server } else { &admin.label.server };
        let here = Target {
            label: Label { server: server.clone(), ..(*target.label).clone() }.into(),
            user: target.user.clone(),
            password,
            tls: tls.clone(),
        };
        if is_begun && let Err(error) = self.settle(&here, &options, stop, &mut on_event).await {
            return Err(self.why_denied(error, &user).await);
        }
        let candidates = vec![Candidate::Open(here)];
        let summary = fleet::run(connector, None, set, candidates, &options, stop, on_event).await;
        if let Some((_, failure)) = summary.failed.into_iter().next() {
            let error = ProvisionErrorKind::Migrations(Box::new(failure));
            return Err(if is_active { error } else { self.why_denied(error, &user).await });
        }
        if summary.stop_reason.is_some() || !summary.stopped.is_empty() {
            return Err(ProvisionErrorKind::Stopped);
        }
        self.present.push(format!("{} migrations in `{database}`", set.len()));
        Ok(summary.n_migrations)
    }

    /// `error`, or more of it where an account that was just made may not log in.
    async fn why_denied(&self, error: ProvisionErrorKind, user: &str) -> ProvisionErrorKind {
        let Provisioning { connector, admin, .. } = self.provisioning;
        let is_denied = matches!(&error, ProvisionErrorKind::Migrations(failure)
            if failure.code == FailureCode::AccessDenied);
        if !is_denied {
            return error;
        }
        let Ok(mut session) = Admin::connect(connector, admin).await else { return error };
        let anonymous = session.anonymous_accounts().await.unwrap_or_default();
        session.close().await;
        if anonymous.is_empty() {
            return error;
        }
        ProvisionErrorKind::Shadowed { user: user.to_owned(), anonymous }
    }

    /// Whether a migration is half done in a way that the executor alone does not go on from.
    async fn is_unclear(
        &self,
        here: &Target,
        options: &FleetOptions,
        stop: &Stop,
    ) -> Result<bool, ProvisionErrorKind> {
        let Provisioning { connector, set, .. } = self.provisioning;
        let Job::Apply(plan) = &options.job else { return Ok(false) };
        // Nobody listens.
        let (events, _) = Events::channel();
        let connected = fleet::connect(connector, here.clone(), &events, stop).await;
        let Some(mut session) = connected.map_err(ProvisionErrorKind::Migrations)? else {
            return Err(ProvisionErrorKind::Stopped);
        };
        let work = Work { set, options: plan, tenant: &here.label, events: &events, stop: &stop.soft };
        let planned = apply::prepare(&mut session, work).await;
        session.close().await;
        Ok(matches!(planned, Err(ApplyError::Plan(error)) if error.is_dirty()))
    }

    /// Settles what an earlier call has left half done in the database that it made: a statement that was running when the
    /// process died is looked for, and the rest of its file is run.
    async fn settle(
        &self,
        here: &Target,
        options: &FleetOptions,
        stop: &Stop,
        on_event: &mut impl FnMut(&Event) -> io::Result<()>,
    ) -> Result<(), ProvisionErrorKind> {
        let Provisioning { connector, admin, set, scratch, .. } = self.provisioning;
        if !self.is_unclear(here, options, stop).await? {
            return Ok(());
        }
        let recovery = RecoverOptions {
            version: None,
            way: Some(Way::Resume),
            said: None,
            is_forced: false,
            // The server goes on with a statement whose client is gone.
            still_running: StillRunning::Wait(connector.limits().statement),
            scratch: scratch.cloned(),
            admin: Some(admin.clone()),
        };
        let work = Recover { connector, set, options: &recovery, consent: &Agreed, servers: None, stop };
        let candidates = vec![Candidate::Open(here.clone())];
        let tell = |event: &Event| match event {
            Event::MigrationSettled { settled, .. } => {
                let Settled { version, description, .. } = settled;
                let message = format!(
                    "{version} ({description}) was half done, and what of it is in the database is known; the rest was run"
                );
                on_event(event)?;
                // Of nobody, so that it is told at once.
                on_event(&Event::Warning { tenant: None, message })
            }
            Event::Warning { message, .. } => {
                on_event(&Event::Warning { tenant: None, message: message.clone() })
            }
            Event::MigrationDiagnosed { .. }
            | Event::Waiting { .. }
            | Event::StatementStarted { .. }
            | Event::StatementFinished { .. } => on_event(event),
            _ => Ok(()),
        };
        let summary = fleet::run_work(&work, None, candidates, options, stop, tell).await;
        if let Some((_, mut failure)) = summary.failed.into_iter().next() {
            if failure.code == FailureCode::Dirty {
                let slug = &self.tenant.slug;
                let way = format!("`migrate:recover {slug}` shows what is in its database, and the ways on");
                failure.hint = Some(way);
            }
            return Err(ProvisionErrorKind::Migrations(Box::new(failure)));
        }
        if !summary.stopped.is_empty() || !summary.not_started.is_empty() {
            return Err(ProvisionErrorKind::Stopped);
        }
        Ok(())
    }
}

/// What `work` gives, or [`ProvisionErrorKind::Stopped`] once `token` is cancelled. Each step can be repeated, so one that is
/// given up in the middle does no harm.
async fn unless<T>(
    token: &CancellationToken,
    work: impl Future<Output = Result<T, ProvisionErrorKind>>,
) -> Result<T, ProvisionErrorKind> {
    select! {
        biased;
        result = work => result,
        () = token.cancelled() => Err(ProvisionErrorKind::Stopped),
    }
}

/// Whoever calls provisioning again has agreed to what it takes: the database is its own, and not in use yet.
struct Agreed;

impl Consent for Agreed {
    fn is_dry_run(&self) -> bool {
        false
    }

    async fn ask(&self, _: &Label, _: Question<'_>) -> bool {
        true
    }
}
