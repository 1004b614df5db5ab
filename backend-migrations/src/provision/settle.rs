//! What an earlier call left half done in the database that it made.

use std::io;

use super::{Birth, ProvisionErrorKind, Provisioning};
use crate::{
    apply::{self, ApplyError, Work},
    diagnosis::Way,
    event::{Event, Events, FailureCode, Settled},
    fleet::{self, Candidate, FleetOptions, Job, Stop},
    recover::{Consent, Question, Recover, RecoverOptions, StillRunning},
    session::TenantSession as _,
    tenant::{Label, Target},
};

impl Birth<'_> {
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
    pub(super) async fn settle(
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
