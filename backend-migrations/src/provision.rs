//! A tenant is born with the whole schema: row, database, account, all migrations, then ACTIVE.
//!
//! Each step can be repeated, so a run that failed anywhere is mended by the same call again. What is there after a
//! failure is in the error. Here is the order of the steps.

mod error;
mod furnish;
mod row;
mod settle;
mod slug;

use std::io;

pub use self::{
    error::{ProvisionError, ProvisionErrorKind},
    slug::{Slug, SlugError},
};

use crate::{
    event::Event,
    fleet::Stop,
    migration::MigrationSet,
    mysql::{Central, MySqlConnector},
    secret::Key,
    tenant::{Label, ServerId, Target, TenantId, TenantStatus, Tls},
};

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
    // It holds the states of all its steps.
    let result = Box::pin(birth.run(stop, on_event)).await;
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
            (None, _) => self.register(&mut central, stop).await?,
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
