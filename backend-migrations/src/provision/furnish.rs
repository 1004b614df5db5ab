//! What a tenant has on its server: database, account, and all migrations.

use std::{io, num::NonZeroUsize};

use super::{Birth, ProvisionErrorKind, Provisioning, unless};
use crate::{
    event::{Event, FailureCode, Scope},
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    mysql::Admin,
    plan::{Goal, PlanOptions},
    seal,
    selection::Coverage,
    tenant::{Label, SealedTarget, Target},
};

impl Birth<'_> {
    /// Makes database and account and runs the migrations; gives how many there were.
    pub(super) async fn furnish(
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
            // To wait for the server loses nothing.
            let connect = async { Admin::connect(connector, admin).await.map_err(ProvisionErrorKind::Admin) };
            let mut session = unless(&stop.soft, connect).await?;
            let make = async {
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
}
