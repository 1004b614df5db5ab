//! `migrate:make`.

use std::io::{self, Write as _};

use super::{
    Format,
    error::CliError,
    exit::ExitStatus,
    settings::{MigrationKind, Settings},
};
use crate::{
    disk,
    make::{self, MigrationName},
    migration::Version,
    report::document_line,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  migrate:make add_priority_to_tasks           ALTER TABLE tasks ADD COLUMN priority …
  migrate:make create_invoices                 CREATE TABLE invoices …
  migrate:make rename_title_to_name_in_tasks   ALTER TABLE tasks RENAME COLUMN …
  migrate:make tidy_up --central               for the central database

A name that says what it does gives a filled pair, any other a commented one. Read both files \
before you commit them.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What the migration does, such as `add_priority_to_tasks`.
    #[arg(allow_hyphen_values = true)]
    pub name: String,
    /// Write it for the central database instead of the tenants'.
    #[arg(long)]
    pub central: bool,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    let name = MigrationName::parse(&args.name)
        .map_err(|error| CliError::refused("name", error.to_string(), Some(error.hint())))?;
    let kind = if args.central { MigrationKind::Central } else { MigrationKind::Tenant };
    let dir = settings.migrations_dir().join(kind.folder());
    let newest = disk::newest_version(&dir)
        .map_err(|error| CliError::refused("migrations", error.to_string(), None))?;
    let version = make::next_version(now(), newest).ok_or_else(|| {
        let message = format!("no version is newer than the newest there, {}", i64::MAX);
        CliError::refused(
            "migrations",
            message,
            Some("rename that migration, unless it is applied anywhere".into()),
        )
    })?;
    let paths = make::write_pair(&dir, version, &name, &make::skeleton(&name))
        .map_err(|error| CliError::refused("migrations", error.to_string(), Some(error.hint().to_owned())))?;
    tell(&paths, version, settings.format).map_err(|error| CliError::internal(&error))?;
    Ok(ExitStatus::Success)
}

fn tell(paths: &[std::path::PathBuf; 2], version: Version, format: Format) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match format {
        Format::Human | Format::Github => {
            paths.iter().try_for_each(|path| writeln!(stdout, "Created {}", path.display()))
        }
        Format::Json => {
            let fields =
                serde_json::json!({ "version": version.to_string(), "up": paths[0], "down": paths[1] });
            stdout.write_all(document_line("migration-made", &fields).as_bytes())
        }
    }
}

/// Now in UTC as `YYYYMMDDHHMMSS`.
#[expect(clippy::disallowed_methods, reason = "a new migration is named after the time of day")]
pub(super) fn now() -> i64 {
    let now = jiff::Timestamp::try_from(std::time::SystemTime::now()).unwrap_or_default();
    now.strftime("%Y%m%d%H%M%S").to_string().parse().unwrap_or_default()
}
