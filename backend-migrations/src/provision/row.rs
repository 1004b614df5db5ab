//! The tenant's row in the central database: whose it is, and a new one.

use super::{Birth, NewTenant, ProvisionErrorKind, Provisioning, unless};
use crate::{
    entropy,
    fleet::Stop,
    mysql::{Admin, Central, CentralError},
    seal,
    session::Fate,
    tenant::{Label, SealedTarget, TenantId, TenantRow},
};

impl Birth<'_> {
    /// The row of this slug, if there is one.
    ///
    /// A name that stands for two tenants would be ambiguous for every other command, and a call that says otherwise than
    /// the row means another tenant.
    pub(super) async fn row(&self, central: &mut Central) -> Result<Option<TenantRow>, ProvisionErrorKind> {
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
    pub(super) fn objection(&self, target: &SealedTarget) -> Option<ProvisionErrorKind> {
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
    pub(super) async fn register(
        &mut self,
        central: &mut Central,
        stop: &Stop,
    ) -> Result<SealedTarget, ProvisionErrorKind> {
        let Provisioning { connector, admin, key, .. } = self.provisioning;
        let NewTenant { slug, name, id, server } = self.tenant;
        let (database, user) = (slug.database(), slug.account());
        // What exists before the row does is somebody else's; what appears after it is ours.
        let at = &admin.label.server;
        let look = async {
            let mut session = Admin::connect(connector, admin).await.map_err(ProvisionErrorKind::Admin)?;
            let failed = |what: &str| {
                let what = what.to_owned();
                move |source| ProvisionErrorKind::Server { step: what, source }
            };
            let has_database = session
                .has_database(&database)
                .await
                .map_err(failed("looking for a database of its name"))?;
            let has_account =
                session.has_account(&user).await.map_err(failed("looking for an account of its name"))?;
            session.close().await;
            Ok((has_database, has_account))
        };
        // Nothing is there yet: once is enough.
        let (has_database, has_account) = unless(&stop.soft, look).await?;
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
        // Not given up in the middle: it ends by itself soon after the second signal, and says what is known of the row.
        if let Err(error) = central.insert_tenant(&target).await {
            if matches!(&error, CentralError::Unwritten(source) if source.fate() == Fate::Unknown) {
                self.present
                    .push(format!("perhaps the row of tenant {:?}: its answer was lost", slug.as_str()));
            }
            return Err(error.into());
        }
        Ok(target)
    }
}
