//! `migrate:verify`: migrations proven on servers that are gone afterwards.

mod refusal;
mod rollout;
mod servers;

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context as _, bail};
use backend_migrations::{
    cli::{ExitStatus, Format, signals},
    directive::{Holder, SideFile},
    disk,
    finding::{Inspection, Review, Source, Suite},
    git::{self, Base},
    migration::{MigrationSet, Script, Version},
    mysql::MySqlConnector,
    report::{
        Screen,
        findings::{self, FindingsFormat, Watch},
    },
    scratch,
    session::Limits,
    sql,
    verify::{self, Job, schema_file},
};
use tokio::select;
use tokio_util::sync::CancellationToken;

use self::servers::{Choice, Served};
use crate::root;

pub(crate) const HELP: &str = "\
Examples:
  cargo xtask migrate:verify                             both sets, on the first server that can be had
  cargo xtask migrate:verify --since origin/main         what this branch adds or changes
  cargo xtask migrate:verify --only 20250127120000
  cargo xtask migrate:verify --server mysql:8.4 --server mariadb:10.11
  cargo xtask migrate:verify --server each               each kind of server that can be had
  cargo xtask migrate:verify --dir ../other/migrations   a folder of pairs
  cargo xtask migrate:verify --update                    writes migrations/*.schema.sql, too

What is proven, and what each code means: docs/verify.md. The exit code is 1 where a finding is an error, 4 where nothing
could be proven.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only migrations that are new or changed against this branch, tag or commit; the others are applied, not proven.
    #[arg(long, value_name = "REF")]
    since: Option<String>,
    /// Only this version; may be given several times.
    #[arg(long, value_name = "VERSION")]
    only: Vec<i64>,
    /// A folder of pairs, in place of the central and the tenant set.
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    dir: Option<PathBuf>,
    /// Folder that holds `central/` and `tenant/` [default: the repository's].
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath, env = "MIGRATIONS_DIR", hide_env_values = true)]
    migrations: Option<PathBuf>,
    /// A server: an image such as mysql:8.4 or mariadb:10.11, `mysql`, `mariadb`, `local`, `each`, or a URL of an account
    /// that may make databases; may be given several times.
    #[arg(long, value_name = "SERVER")]
    server: Vec<Choice>,
    /// The seed of the rows that tables are filled with, to repeat a run [default: a new one].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Write the schema that the migrations give to `central.schema.sql` and `tenant.schema.sql`.
    #[arg(long)]
    update: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Write what was found to this file, for what shows test results.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Write what was found to this file, for people.
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    markdown: Option<PathBuf>,
}

/// A folder of pairs and what belongs to it.
struct Set {
    name: String,
    /// As findings have it: from the repository's root.
    folder: String,
    migrations: MigrationSet,
    selected: Option<BTreeSet<Version>>,
    side_file: SideFile,
    fixtures: Vec<Script>,
    schema_file: PathBuf,
    /// As findings have it.
    schema_path: String,
    /// Whether it is a finding that there is no such file.
    wants_schema_file: bool,
}

impl Set {
    fn holder(&self) -> Holder {
        let scripts = self.migrations.iter().flat_map(|m| std::iter::once(&m.up).chain(m.down.as_ref()));
        Holder {
            name: self.name.clone(),
            file_names: scripts.map(|script| script.file_name.clone()).collect(),
            versions: self.migrations.iter().map(|migration| migration.version).collect(),
        }
    }
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stop = signals::watch()?;
    tokio::spawn(end_at_once(stop.hard.clone()));
    Ok(match inspect(args, &stop.soft).await {
        Ok(status) => status.into(),
        Err(error) => refusal::tell(&error, args.format),
    })
}

/// What is to be put in order may take a while: a second signal does not wait for it.
#[expect(clippy::exit, reason = "nothing else ends threads that wait for a server")]
async fn end_at_once(stop: CancellationToken) {
    stop.cancelled().await;
    std::process::exit(ExitStatus::Stopped.code().into());
}

async fn inspect(args: &Args, stop: &CancellationToken) -> anyhow::Result<ExitStatus> {
    let started = Instant::now();
    let sets = sets(args)?;
    // Before the work, which would be lost on a folder that is not there.
    let (junit, markdown) = (file(args.junit.as_deref())?, file(args.markdown.as_deref())?);
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let is_terminal = io::stderr().is_terminal();
    let is_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    let screen = |is_terminal| Screen { is_terminal, color: is_terminal && !is_plain };
    let mut review =
        Review { inspection: Inspection::Verify, suites: Vec::new(), elapsed: started.elapsed() };
    for (at, choice) in servers::choose(&args.server).iter().enumerate() {
        let served = select! {
            served = servers::serve(choice) => served,
            () = stop.cancelled() => {
                eprintln!("stopped: nothing was proven; a server that was about to start is removed");
                return Ok(ExitStatus::Stopped);
            }
        };
        let served = match served {
            Ok(served) => served,
            Err(reason) if choice.is_optional() => {
                eprintln!("not proven on {choice}: {reason}");
                continue;
            }
            Err(reason) => return Err(reason.context(format!("no server for {choice}"))),
        };
        let run = scratch::Run::new()?;
        let watch = Watch::new(screen(is_terminal));
        let work =
            Work { args, served: &served, run, seed, is_to_update: args.update && at == 0, watch: &watch };
        let proven = select! {
            proven = Box::pin(work.prove_all(&sets)) => Some(proven),
            () = stop.cancelled() => None,
        };
        drop(watch);
        match proven {
            Some(Ok(suites)) => {
                served.stop().await;
                review.suites.extend(suites);
            }
            Some(Err(error)) => {
                // What went wrong matters more than what is left because of it.
                served.abandon(run).await.ok();
                return Err(error);
            }
            None => {
                eprintln!("stopped: removing what the proofs have made; a second signal leaves it there");
                served.abandon(run).await?;
                return Ok(ExitStatus::Stopped);
            }
        }
    }
    anyhow::ensure!(!review.suites.is_empty(), "there is no server to prove anything on");
    review.elapsed = started.elapsed();
    eprintln!("rows by --seed {seed}");
    let format = match args.format {
        Format::Human => FindingsFormat::Human,
        Format::Json => FindingsFormat::Json,
        Format::Github => FindingsFormat::GitHub,
    };
    match findings::tell(&review, format, screen(io::stdout().is_terminal()), &mut io::stdout()) {
        // Where nobody reads any more there is nobody to tell; the exit code says it all the same.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        told => told?,
    }
    if let Some(file) = junit {
        findings::junit(&review, file)?;
    }
    if let Some(mut file) = markdown {
        file.write_all(findings::markdown(&review).as_bytes())?;
    }
    Ok(if review.is_accepted() { ExitStatus::Success } else { ExitStatus::Failed })
}

fn file(path: Option<&Path>) -> anyhow::Result<Option<File>> {
    let open =
        |path: &Path| File::create(path).with_context(|| format!("`{}` cannot be written", path.display()));
    path.map(open).transpose()
}

/// Proofs on one server.
#[derive(Clone, Copy)]
struct Work<'a> {
    args: &'a Args,
    served: &'a Served,
    run: scratch::Run,
    seed: u64,
    is_to_update: bool,
    watch: &'a Watch,
}

impl Work<'_> {
    async fn prove_all(self, sets: &[Set]) -> anyhow::Result<Vec<Suite>> {
        let mut suites = Vec::new();
        for set in sets {
            suites.push(self.prove(set).await?);
        }
        // A folder alone has no central database, and a server of others may have tenants of these names.
        if let (None, Some(url), [_, tenants]) = (&self.args.dir, self.served.own_url(), sets) {
            let migrations = migrations_dir(self.args);
            let rolled_out =
                rollout::prove(url, &migrations, &tenants.migrations, &tenants.fixtures, self.seed).await?;
            if let Some(suite) = suites.last_mut() {
                suite.findings.extend(rolled_out);
            }
        }
        Ok(suites)
    }

    async fn prove(self, set: &Set) -> anyhow::Result<Suite> {
        let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
        let job = Job {
            connector: &connector,
            server: self.served.target(),
            run: self.run,
            name: &set.name,
            folder: &set.folder,
            set: &set.migrations,
            selected: set.selected.as_ref(),
            side_file: &set.side_file,
            fixtures: &set.fixtures,
            seed: self.seed,
            tell: &|progress| self.watch.observe(&progress),
        };
        let mut proof = verify::verify(job).await?;
        if let Some(schema) = &proof.schema {
            let file_name = set.schema_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if self.is_to_update {
                let path = &set.schema_file;
                fs::write(path, schema_file::render(&set.name, schema))
                    .with_context(|| format!("`{}` cannot be written", path.display()))?;
            }
            let committed = fs::read_to_string(&set.schema_file).ok();
            if committed.is_some() || set.wants_schema_file {
                let source = Source {
                    path: set.schema_path.clone(),
                    text: committed.clone().unwrap_or_default().into(),
                };
                proof.suite.sources.insert(file_name.clone(), source);
                let finding = schema_file::compare(&set.name, &file_name, committed.as_deref(), schema);
                proof.suite.findings.extend(finding);
            }
        }
        Ok(proof.suite)
    }
}

/// What is to be proven.
fn sets(args: &Args) -> anyhow::Result<Vec<Set>> {
    let mut sets = Vec::new();
    if let Some(folder) = &args.dir {
        let set = set(args, folder, false)?;
        if set.migrations.is_empty() {
            bail!(refusal::Refusal {
                message: format!("there are no migrations in `{}`", folder.display()),
                hint: "a pair is called `<version>_<name>.up.sql` and `<version>_<name>.down.sql`".to_owned(),
            });
        }
        sets.push(set);
    } else {
        for kind in ["central", "tenant"] {
            let folder = migrations_dir(args).join(kind);
            // A project may have only one of the two.
            if folder.is_dir() || kind == "tenant" && sets.is_empty() {
                sets.push(set(args, &folder, true)?);
            }
        }
    }
    for version in args.only.iter().copied().map(Version) {
        let is_there = |set: &Set| set.migrations.get(version).is_some();
        let is_selected =
            |set: &Set| set.selected.as_ref().is_some_and(|selected| selected.contains(&version));
        if !sets.iter().any(is_there) {
            bail!(refusal::Refusal {
                message: format!("there is no migration {version}"),
                hint: "a version is what stands before the first `_` of a file's name".to_owned(),
            });
        }
        if let (Some(reference), false) = (&args.since, sets.iter().any(is_selected)) {
            bail!(refusal::Refusal {
                message: format!("migration {version} is neither new nor changed against {reference}"),
                hint: "leave out `--since` or `--only`".to_owned(),
            });
        }
    }
    if let Some((_, _, contents)) = disk::find_side_file(args.dir.as_deref(), &migrations_dir(args))? {
        let holders: Vec<_> = sets.iter().map(Set::holder).collect();
        for (set, share) in sets.iter_mut().zip(contents.shares(&holders)?) {
            set.side_file = share;
        }
    }
    Ok(sets)
}

/// The folder with `central/` and `tenant/`.
fn migrations_dir(args: &Args) -> PathBuf {
    let folder = args.migrations.clone().unwrap_or_else(|| root().join("migrations"));
    // The program is run elsewhere.
    folder.canonicalize().unwrap_or(folder)
}

fn set(args: &Args, folder: &Path, wants_schema_file: bool) -> anyhow::Result<Set> {
    let migrations = disk::load(folder)?;
    // `..` and `.` have no name of their own.
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = whole.parent().unwrap_or(Path::new("/"));
    let mut selected = None;
    if let Some(reference) = &args.since {
        selected = Some(Base::read(folder, reference)?.changed(&migrations));
    }
    if !args.only.is_empty() {
        let only: BTreeSet<_> = args.only.iter().copied().map(Version).collect();
        selected = Some(selected.map_or(only.clone(), |selected| &selected & &only));
    }
    let schema_file = beside.join(format!("{name}.schema.sql"));
    let schema_path = match git::prefix(beside) {
        Ok(prefix) => format!("{prefix}{name}.schema.sql"),
        Err(_) => schema_file.display().to_string(),
    };
    let fixtures = fixtures(&beside.join("fixtures").join(&name))?;
    Ok(Set {
        folder: git::prefix(folder).unwrap_or_else(|_| folder.display().to_string()),
        side_file: SideFile::default(),
        schema_file,
        schema_path,
        wants_schema_file,
        name,
        migrations,
        selected,
        fixtures,
    })
}

/// The files of rows in a folder, by name; none where there is no folder.
fn fixtures(folder: &Path) -> anyhow::Result<Vec<Script>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.collect::<Result<Vec<_>, _>>()?.iter().map(fs::DirEntry::path).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "sql"));
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
            Ok(sql::parse_script(&path.display().to_string(), &bytes)?)
        })
        .collect()
}
