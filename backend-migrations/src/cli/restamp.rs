//! `migrate:restamp`.

use std::{
    collections::BTreeSet,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde_json::json;

use super::{
    Format, completions,
    error::CliError,
    exit::ExitStatus,
    make::now,
    settings::{MigrationKind, Settings},
};
use crate::{
    directive::{Holder, SideFileError},
    disk,
    git::Base,
    make::{Rename, Restamp, RestampError, rename_all},
    migration::Version,
    report::document_line,
};

pub(super) const EXAMPLES: &str = "\
Examples:
  migrate:restamp                             new against origin/main, if one is out of order
  migrate:restamp --since develop --dry-run   says what it would rename
  migrate:restamp 20250127120000              this one, whatever the others are

A migration that is on the base branch is never renamed: it may be applied somewhere. New ones keep their order. Commit \
the renamed files; where one is applied already, on a developer's machine, roll it back before.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The migrations to rename, by their versions; all new ones where none is named.
    #[arg(value_name = "VERSION", add = completions::versions())]
    pub versions: Vec<i64>,
    /// The branch, tag or commit they will be merged into.
    #[arg(long, value_name = "REF", default_value = "origin/main")]
    pub since: String,
    /// A folder of pairs, in place of the central and the tenant set.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Say what would be renamed, and rename nothing.
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    let folders = match &args.dir {
        Some(dir) => vec![dir.clone()],
        None => [MigrationKind::Central, MigrationKind::Tenant]
            .into_iter()
            .map(|kind| settings.migrations_dir().join(kind.folder()))
            .filter(|folder| folder.is_dir())
            .collect(),
    };
    // All is planned before anything is renamed.
    let mut plans = Vec::new();
    let mut found = BTreeSet::new();
    for folder in folders {
        plans.push(plan(folder, args, &mut found)?);
    }
    if let Some(version) = args.versions.iter().find(|version| !found.contains(*version)) {
        return Err(refused(&RestampError::NoSuchVersion(Version(*version))));
    }
    let side_file = side_file(args.dir.as_deref(), settings, &plans)?;
    if !args.dry_run {
        for Plan { folder, renames, .. } in &plans {
            rename_all(folder, renames).map_err(|error| refused(&error))?;
        }
        if let Some((place, text)) = &side_file {
            disk::write_side_file(place, text)
                .map_err(|error| CliError::failed("lint.toml", error.to_string(), Some(error.hint)))?;
        }
    }
    let changed = side_file.as_ref().map(|(place, _)| place.as_path());
    tell(&plans, changed, args, settings.format).map_err(|error| CliError::internal(&error))?;
    Ok(ExitStatus::Success)
}

/// What becomes of a folder.
struct Plan {
    folder: PathBuf,
    holder: Holder,
    renames: Vec<Rename>,
}

fn plan(folder: PathBuf, args: &Args, found: &mut BTreeSet<i64>) -> Result<Plan, CliError> {
    let survey =
        disk::survey(&folder).map_err(|error| CliError::refused("migrations", error.to_string(), None))?;
    let base = Base::read(&folder, &args.since)
        .map_err(|error| CliError::refused("git", error.to_string(), None))?;
    let here: BTreeSet<_> = survey.files.into_keys().collect();
    let holder = Holder {
        name: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        versions: survey.set.iter().map(|migration| migration.version).collect(),
        file_names: here.clone(),
    };
    let on_base: BTreeSet<_> = base.forked.into_keys().chain(base.tip.into_keys()).collect();
    let is_here =
        |version: i64| here.iter().any(|name| name.split('_').next() == Some(version.to_string().as_str()));
    let named: Vec<_> = args.versions.iter().copied().filter(|version| is_here(*version)).collect();
    if named.is_empty() && !args.versions.is_empty() {
        return Ok(Plan { folder, holder, renames: Vec::new() });
    }
    found.extend(&named);
    let named: Vec<_> = named.into_iter().map(Version).collect();
    let restamp = Restamp { here: &here, base: &on_base, reference: &args.since, named: &named, now: now() };
    let renames = restamp.plan().map_err(|error| refused(&error))?;
    Ok(Plan { folder, holder, renames })
}

/// Where `lint.toml` is, and its text once it names the renamed migrations as they are called then; `None` where it does
/// already.
fn side_file(
    dir: Option<&Path>,
    settings: &Settings,
    plans: &[Plan],
) -> Result<Option<(PathBuf, String)>, CliError> {
    let refused = |error: SideFileError| CliError::refused("lint.toml", error.to_string(), Some(error.hint));
    let migrations = settings.migrations_dir();
    let Some((place, text, contents)) = disk::find_side_file(dir, &migrations).map_err(refused)? else {
        return Ok(None);
    };
    let holders: Vec<_> = plans.iter().map(|plan| plan.holder.clone()).collect();
    let renamed =
        |plan: &Plan| plan.renames.iter().map(|Rename { from, to }| (from.clone(), to.clone())).collect();
    let renamed: Vec<_> = plans.iter().map(renamed).collect();
    let new = contents.renamed(&text, &holders, &renamed).map_err(refused)?;
    Ok((new != text).then_some((place, new)))
}

fn refused(error: &RestampError) -> CliError {
    let hint = match error {
        RestampError::OnBase { .. } => {
            Some("put a change of it into a new migration: `migrate:make`".to_owned())
        }
        RestampError::NoSuchVersion(_) => {
            Some("a version is what stands before the first `_` of a file's name".to_owned())
        }
        RestampError::Taken(_) => Some("run again".to_owned()),
        RestampError::NoneNewer | RestampError::Failed { .. } => None,
    };
    CliError::refused("restamp", error.to_string(), hint)
}

fn tell(plans: &[Plan], side_file: Option<&Path>, args: &Args, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let side_file = side_file.map(|place| place.join("lint.toml"));
    let renames: Vec<_> = plans
        .iter()
        .flat_map(|Plan { folder, renames, .. }| renames.iter().map(move |rename| (folder, rename)))
        .collect();
    if format == Format::Json {
        for (folder, Rename { from, to }) in &renames {
            let (from, to) = (folder.join(from), folder.join(to));
            let fields = json!({ "from": from, "to": to, "is_dry_run": args.dry_run });
            out.write_all(document_line("migration-restamped", &fields).as_bytes())?;
        }
        // A program waits for a last line, also where nothing had to be done.
        let fields = json!({ "n_files": renames.len(), "side_file": side_file, "is_dry_run": args.dry_run });
        return out.write_all(document_line("restamp-finished", &fields).as_bytes());
    }
    let (rename, change) =
        if args.dry_run { ("Would rename", "Would change") } else { ("Renamed", "Changed") };
    for (folder, Rename { from, to }) in &renames {
        writeln!(out, "{rename} {} to {to}", folder.join(from).display())?;
    }
    if let Some(side_file) = side_file {
        writeln!(out, "{change} their entries in {}", side_file.display())?;
    }
    if renames.is_empty() {
        writeln!(out, "Nothing to rename: no new migration is older than those on {}", args.since)?;
    }
    Ok(())
}
