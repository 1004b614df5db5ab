//! `tenant:provision`.

use std::io::{self, Write as _};

use super::{
    Format,
    error::CliError,
    exit::ExitStatus,
    output,
    settings::{MigrationKind, Settings},
    signals,
};
use crate::{
    mysql::MySqlConnector,
    provision::{self, NewTenant, ProvisionError, Provisioned, Provisioning, Slug},
    report::{document_line, visible},
    tenant::{ServerId, TenantId},
};

pub(super) const EXAMPLES: &str = "\
Examples:
  tenant:provision --slug acme-corp --name 'Acme Corp'
  tenant:provision --slug acme --name Acme --id cm5a1b2c3d4e5f6g7h8i9j0k

Repeat the command after a failure: it goes on where it stopped. `TENANT_ADMIN_URL` names the server and an \
account that may make databases and accounts there; where it is not set, the central database's is used.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Name of the tenant in URLs: lower-case letters, digits and `-`.
    #[arg(long)]
    slug: String,
    /// Name of the tenant for people.
    #[arg(long)]
    name: String,
    /// Id of the tenant, such as a CUID [default: a random UUID].
    #[arg(long)]
    id: Option<String>,
    /// Host under which the backend reaches the tenant's server [default: that of the server it is made on].
    #[arg(long, value_name = "HOST")]
    db_host: Option<String>,
    /// Port under which the backend reaches the tenant's server [default: that of the server it is made on].
    #[arg(long, value_name = "PORT")]
    db_port: Option<u16>,
}

pub(super) async fn run(args: Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    let slug = Slug::parse(&args.slug).map_err(|error| {
        let hint = Some(error.suggestion.as_str()).filter(|s| !s.is_empty());
        CliError::refused("slug", error.to_string(), hint.map(|s| format!("did you mean `{s}`?")))
    })?;
    if args.name.trim().is_empty() {
        return Err(CliError::usage("`--name` is empty", "give the name that people know the tenant by"));
    }
    let (key, central, admin) = (settings.key()?, settings.central()?, settings.admin()?);
    let (tls, scratch) = (settings.tenant_tls()?, settings.scratch(None)?);
    let set = settings.migration_set(MigrationKind::Tenant)?;
    let stop = signals::watch().map_err(|error| CliError::internal(&error))?;
    let connector = MySqlConnector::new(settings.limits, stop.hard.clone());
    let server = (args.db_host.is_some() || args.db_port.is_some()).then(|| ServerId {
        host: args.db_host.unwrap_or_else(|| admin.label.server.host.clone()),
        port: args.db_port.unwrap_or(admin.label.server.port),
    });
    let tenant = NewTenant { slug, name: args.name, id: args.id.map(TenantId), server };
    let provisioning = Provisioning {
        connector: &connector,
        central: &central,
        admin: &admin,
        key: &key,
        set: &set,
        tls: &tls,
        scratch: scratch.as_ref(),
    };
    let reporter = output::Reporter::new(settings, &stop);
    let result =
        provision::provision_tenant(provisioning, &tenant, &stop, |event| reporter.report(event)).await;
    // Its lines come before these, and the progress is off the screen.
    reporter.caught_up().wait().await;
    drop(reporter);
    match result {
        Ok(provisioned) => output::written(tell(&provisioned, settings.format)),
        Err(error) => Err(failure(&error)),
    }
}

fn failure(error: &ProvisionError) -> CliError {
    let mut message = error.to_string();
    if error.present.is_empty() {
        message.push_str("\nnothing was changed");
    } else {
        message.push_str("\nof it there is for certain:");
        for part in &error.present {
            message.push_str("\n  - ");
            message.push_str(part);
        }
    }
    if error.kind.is_stop() {
        CliError::stopped(message, error.hint())
    } else if error.present.is_empty() {
        CliError::refused("provision", message, error.hint())
    } else {
        CliError::failed("provision", message, error.hint())
    }
}

fn tell(provisioned: &Provisioned, format: Format) -> io::Result<()> {
    let Provisioned { label, user, n_migrations, was_active } = provisioned;
    let id = label.id.as_ref().map_or("", |id| id.0.as_str());
    let mut stdout = io::stdout().lock();
    if format == Format::Json {
        let fields = serde_json::json!({
            "id": id, "slug": label.slug, "name": label.name,
            "database": label.database, "server": label.server.to_string(), "user": user, "n_migrations": n_migrations,
            "was_active": was_active,
        });
        return stdout.write_all(document_line("tenant-provisioned", &fields).as_bytes());
    }
    let what = if *was_active { "was ACTIVE already and is up to date" } else { "is ACTIVE" };
    writeln!(
        stdout,
        "✅ Tenant {} ({}) {what}: database {} on {}, migrations applied: {n_migrations}",
        visible(&label.name),
        label.slug,
        label.database,
        label.server,
    )
}
