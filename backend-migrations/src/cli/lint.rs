//! `migrate:lint`.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use super::{
    Format, completions,
    error::CliError,
    exit::ExitStatus,
    settings::{MigrationKind, Settings},
};
use crate::{
    directive::{Holder, SideFile},
    disk::{self, LoadError, Survey},
    finding::{Finding, Inspected, Inspection, Review, Source, Suite},
    git::{self, Base},
    lint::{self, BaseFiles, Input, Rule},
    migration::Version,
    report::{
        Screen, document_line,
        findings::{self, FindingsFormat},
    },
};

pub(super) const EXAMPLES: &str = "\
Examples:
  migrate:lint                            both sets, every migration
  migrate:lint --since origin/main        what this branch adds or changes, and what it must not
  migrate:lint --only 20250127120000      one migration
  migrate:lint --dir other/migrations     any folder of pairs
  migrate:lint --explain D103             why it is a rule, and what to do instead
  migrate:lint --format github            annotations on a pull request

It needs no server. The exit code is 1 where a finding is an error, and 0 where there are only warnings or none. \
docs/lint.md has the rules, and how to suppress a finding.";

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// A folder of pairs, in place of the central and the tenant set.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Only migrations that are new or changed against this branch, tag or commit.
    #[arg(long, value_name = "REF")]
    pub since: Option<String>,
    /// Only this version; may be given several times.
    #[arg(long, value_name = "VERSION", add = completions::versions())]
    pub only: Vec<i64>,
    /// Say why there is this rule, and what to do instead.
    #[arg(long, value_name = "CODE", exclusive = true, add = completions::rules())]
    pub explain: Option<String>,
}

pub(super) fn run(args: &Args, settings: &Settings) -> Result<ExitStatus, CliError> {
    if let Some(code) = &args.explain {
        return explain(code, settings.format).map(|()| ExitStatus::Success);
    }
    let started = Instant::now();
    let folders = folders(args.dir.as_deref(), settings)?;
    let side_file = side_file(args.dir.as_deref(), settings)?;
    let only: BTreeSet<_> = args.only.iter().copied().map(Version).collect();
    if let ([folder], Some(_), None) = (&folders[..], &args.dir, &args.since)
        && folder.survey.set.is_empty()
        && folder.survey.faults.is_empty()
    {
        let message = format!("there are no migrations in `{}`", folder.path.display());
        let hint = "a pair is called `<version>_<name>.up.sql` and `<version>_<name>.down.sql`".to_owned();
        return Err(CliError::refused("migrations", message, Some(hint)));
    }
    if let Some(version) = only.iter().find(|version| !folders.iter().any(|folder| folder.has(**version))) {
        let hint = "a version is what stands before the first `_` of a file's name".to_owned();
        return Err(CliError::refused("version", format!("there is no migration {version}"), Some(hint)));
    }
    let mut suites = Vec::new();
    let holders: Vec<_> = folders.iter().map(Folder::holder).collect();
    let shares = side_file.contents.shares(&holders);
    let mut shares =
        shares.map_err(|error| CliError::refused("lint.toml", error.to_string(), Some(error.hint)))?;
    for share in shares.iter_mut().skip(1) {
        // What is wrong with a weight is said once.
        share.weights.retain(|(code, ..)| lint::rule(code).is_some());
    }
    let mut shares = shares.into_iter();
    for folder in &folders {
        let begun = Instant::now();
        let share = shares.next().unwrap_or_default();
        let mut suite = folder.suite(args.since.as_deref(), &only, &share)?;
        if let Some(source) = &side_file.source {
            suite.sources.insert("lint.toml".to_owned(), source.clone());
        }
        suite.elapsed = begun.elapsed();
        suites.push(suite);
    }
    if let (Some(reference), Some(version)) = (&args.since, only.iter().find(|v| !is_looked_at(&suites, **v)))
    {
        let message = format!("migration {version} is neither new nor changed against {reference}");
        return Err(CliError::refused(
            "version",
            message,
            Some("leave out `--since` or `--only`".to_owned()),
        ));
    }
    let review = Review { inspection: Inspection::Lint, suites, elapsed: started.elapsed() };
    tell(&review, settings)?;
    Ok(if review.is_accepted() { ExitStatus::Success } else { ExitStatus::Failed })
}

fn is_looked_at(suites: &[Suite], version: Version) -> bool {
    suites.iter().any(|suite| suite.migrations.iter().any(|inspected| inspected.version == version))
}

fn tell(review: &Review, settings: &Settings) -> Result<(), CliError> {
    let format = match settings.format {
        Format::Human => FindingsFormat::Human,
        Format::Json => FindingsFormat::Json,
        Format::Github => FindingsFormat::GitHub,
    };
    let is_terminal = io::stdout().is_terminal();
    let screen = Screen { is_terminal, color: settings.wants_color(is_terminal) };
    let mut out = io::BufWriter::new(io::stdout());
    match findings::tell(review, format, screen, &mut out) {
        // Where nobody reads any more there is nobody to tell; the exit code says it all the same.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        told => told.map_err(|error| CliError::internal(&error)),
    }
}

/// A set of files, as it is.
struct Folder {
    name: String,
    path: PathBuf,
    /// From the root of the repository, where there is one.
    shown: String,
    survey: Survey,
}

/// The folder that is named, or the two sets.
fn folders(dir: Option<&Path>, settings: &Settings) -> Result<Vec<Folder>, CliError> {
    let refused = |error: &LoadError| CliError::refused("migrations", error.to_string(), None);
    if let Some(dir) = dir {
        let name = dir
            .file_name()
            .map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned());
        return Folder::read(name, dir.to_owned())
            .map(|folder| vec![folder])
            .map_err(|error| refused(&error));
    }
    let mut folders = Vec::new();
    let mut missing = None;
    for kind in [MigrationKind::Central, MigrationKind::Tenant] {
        match Folder::read(kind.folder().to_owned(), settings.migrations_dir().join(kind.folder())) {
            Ok(folder) => folders.push(folder),
            // A project may have only one of the two.
            Err(LoadError::Folder { path, cause }) if cause.kind() == io::ErrorKind::NotFound => {
                missing = Some(LoadError::Folder { path, cause });
            }
            Err(error) => return Err(refused(&error)),
        }
    }
    match missing {
        Some(error) if folders.is_empty() => Err(refused(&error)),
        _ => Ok(folders),
    }
}

impl Folder {
    fn read(name: String, path: PathBuf) -> Result<Self, LoadError> {
        let survey = disk::survey(&path)?;
        let shown = git::prefix(&path).unwrap_or_else(|_| path.display().to_string());
        Ok(Self { name, shown: shown.trim_end_matches('/').to_owned(), path, survey })
    }

    fn holder(&self) -> Holder {
        let versions = self.survey.set.iter().map(|migration| migration.version).collect();
        Holder { name: self.name.clone(), versions, file_names: self.survey.files.keys().cloned().collect() }
    }

    fn has(&self, version: Version) -> bool {
        self.survey.set.get(version).is_some()
    }

    fn suite(
        &self,
        since: Option<&str>,
        named: &BTreeSet<Version>,
        side_file: &SideFile,
    ) -> Result<Suite, CliError> {
        let Survey { files, set, faults } = &self.survey;
        let base = since
            .map(|reference| Base::read(&self.path, reference))
            .transpose()
            .map_err(|error| CliError::refused("git", error.to_string(), None))?;
        let only = match (&base, named.is_empty()) {
            (None, true) => None,
            (None, false) => Some(named.clone()),
            (Some(base), true) => Some(base.changed(set)),
            (Some(base), false) => Some(base.changed(set).intersection(named).copied().collect()),
        };
        let base = base.as_ref().map(|base| {
            let Base { reference, forked, tip } = base;
            BaseFiles { reference, forked, tip }
        });
        let found = lint::lint(&Input { files, set, faults, base, side_file, only: only.as_ref() });
        let mut suite = Suite::new(self.name.clone(), self.shown.clone(), set);
        for (name, bytes) in files {
            if let Ok(text) = str::from_utf8(bytes) {
                let path = suite.path(name);
                suite.sources.entry(name.clone()).or_insert_with(|| Source { path, text: Arc::from(text) });
            }
        }
        let looked_at = set.iter().filter(|m| only.as_ref().is_none_or(|only| only.contains(&m.version)));
        suite.migrations = looked_at.map(|migration| Inspected::new(migration)).collect();
        for finding in found {
            place(&mut suite, finding);
        }
        Ok(suite)
    }
}

/// Puts a finding beside its migration, or beside the set.
fn place(suite: &mut Suite, finding: Finding) {
    let own = finding
        .version
        .and_then(|version| suite.migrations.iter_mut().find(|inspected| inspected.version == version));
    match own {
        Some(inspected) => inspected.findings.push(finding),
        None => suite.findings.push(finding),
    }
}

/// `lint.toml`.
struct Side {
    contents: SideFile,
    source: Option<Source>,
}

/// Beside `central/` and `tenant/`; for a folder that is named, in it or beside it.
fn side_file(dir: Option<&Path>, settings: &Settings) -> Result<Side, CliError> {
    let found = disk::find_side_file(dir, &settings.migrations_dir())
        .map_err(|error| CliError::refused("lint.toml", error.to_string(), Some(error.hint)))?;
    let Some((place, text, contents)) = found else {
        return Ok(Side { contents: SideFile::default(), source: None });
    };
    let folder = git::prefix(&place).unwrap_or_else(|_| format!("{}/", place.display()));
    let source = Source { path: format!("{folder}lint.toml"), text: Arc::from(text) };
    Ok(Side { contents, source: Some(source) })
}

fn explain(code: &str, format: Format) -> Result<(), CliError> {
    let rule = lint::rule(code).ok_or_else(|| {
        let codes: Vec<_> = lint::rules().iter().map(|rule| rule.code.0).collect();
        CliError::usage(format!("there is no rule `{code}`"), format!("the rules are {}", codes.join(", ")))
    })?;
    let mut out = io::stdout().lock();
    let told = match format {
        Format::Json => {
            let fields = serde_json::json!({
                "code": rule.code.0, "name": rule.name, "severity": rule.severity.as_str(), "explain": rule.explain,
            });
            out.write_all(document_line("rule", &fields).as_bytes())
        }
        Format::Human | Format::Github => write!(out, "{}", page(rule)),
    };
    told.map_err(|error| CliError::internal(&error))
}

/// A rule for people.
fn page(rule: &Rule) -> String {
    let mut text = format!("{} {} ({})\n\n{}\n", rule.code, rule.name, rule.severity, rule.explain);
    for (title, example) in [("It objects to", rule.fires.first()), ("and not to", rule.passes.first())] {
        let Some(files) = example.map(lint::Example::contents) else { continue };
        // Some are large on purpose.
        if files.iter().any(|(_, contents)| contents.len() > 2_000) {
            continue;
        }
        text.extend(["\n", title, "\n"]);
        for (name, contents) in files {
            text.extend(["\n    -- ", &name, "\n"]);
            for line in contents.lines() {
                text.extend(["    ", line, "\n"]);
            }
        }
    }
    text
}
