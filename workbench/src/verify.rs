//! `migrate:verify`: migrations proven on servers that are gone afterwards.

mod rollout;
mod servers;

use std::{
    collections::BTreeSet,
    fs,
    io::{self, IsTerminal as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::Context as _;
use backend_migrations::{
    cli::ExitStatus,
    directive::SideFile,
    disk,
    finding::{Inspection, Review, Source, Suite},
    git::{self, Base},
    migration::{MigrationSet, Script, Version},
    mysql::MySqlConnector,
    report::{
        Screen,
        findings::{self, FindingsFormat, Watch},
    },
    session::Limits,
    sql,
    verify::{self, Job, schema_file},
};
use clap::ValueEnum;
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
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Folder that holds `central/` and `tenant/` [default: the repository's].
    #[arg(long, value_name = "DIR", env = "MIGRATIONS_DIR", hide_env_values = true)]
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
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write what was found to this file, for people.
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
}

/// Form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
    /// Annotations of a pull request.
    Github,
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

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    let sets = match sets(args) {
        Ok(sets) => sets,
        Err(error) => return Ok(refused(&error)),
    };
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let is_terminal = io::stderr().is_terminal();
    let screen =
        |is_terminal| Screen { is_terminal, color: is_terminal && std::env::var_os("NO_COLOR").is_none() };
    let mut review =
        Review { inspection: Inspection::Verify, suites: Vec::new(), elapsed: started.elapsed() };
    let work = async {
        let servers = servers::choose(&args.server);
        for (at, choice) in servers.iter().enumerate() {
            let served = match servers::serve(choice).await {
                Ok(served) => served,
                Err(reason) if choice.is_optional() => {
                    eprintln!("not proven on {choice}: {reason}");
                    continue;
                }
                Err(reason) => return Err(anyhow::anyhow!("no server for {choice}: {reason}")),
            };
            let watch = Watch::new(screen(is_terminal));
            for set in &sets {
                let suite = prove(set, &served, seed, args.update && at == 0, &watch).await?;
                review.suites.push(suite);
            }
            drop(watch);
            // A folder alone has no central database, and a server of others may have tenants of these names.
            if let (None, Some(url), [.., tenants]) = (&args.dir, served.own_url(), &sets[..]) {
                let migrations = migrations_dir(args);
                let rolled_out =
                    rollout::prove(url, &migrations, &tenants.migrations, &tenants.fixtures, seed).await?;
                if let Some(suite) = review.suites.last_mut() {
                    suite.findings.extend(rolled_out);
                }
            }
            served.stop().await;
        }
        anyhow::ensure!(!review.suites.is_empty(), "there is no server to prove anything on");
        Ok(())
    };
    let result = tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => return Ok(ExitStatus::Stopped.into()),
    };
    if let Err(error) = result {
        return Ok(refused(&error));
    }
    review.elapsed = started.elapsed();
    if args.format == Format::Human {
        eprintln!("rows by --seed {seed}");
    }
    let format = match args.format {
        Format::Human => FindingsFormat::Human,
        Format::Json => FindingsFormat::Json,
        Format::Github => FindingsFormat::GitHub,
    };
    findings::tell(&review, format, screen(io::stdout().is_terminal()), &mut io::stdout())?;
    if let Some(path) = &args.junit {
        let file = fs::File::create(path).with_context(|| format!("{} cannot be written", path.display()))?;
        findings::junit(&review, file)?;
    }
    if let Some(path) = &args.markdown {
        write(path, &findings::markdown(&review))?;
    }
    let status = if review.is_accepted() { ExitStatus::Success } else { ExitStatus::Failed };
    Ok(status.into())
}

/// Nothing was proven.
fn refused(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitStatus::Refused.into()
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

async fn prove(
    set: &Set,
    served: &Served,
    seed: u64,
    is_to_update: bool,
    watch: &Watch,
) -> anyhow::Result<Suite> {
    let connector = MySqlConnector::new(Limits::DEFAULT, CancellationToken::new());
    let job = Job {
        connector: &connector,
        server: served.target(),
        name: &set.name,
        folder: &set.folder,
        set: &set.migrations,
        selected: set.selected.as_ref(),
        side_file: &set.side_file,
        fixtures: &set.fixtures,
        seed,
        tell: &|progress| watch.observe(&progress),
    };
    let mut proof = verify::verify(job).await?;
    if let Some(schema) = &proof.schema {
        let file_name = set.schema_file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if is_to_update {
            write(&set.schema_file, &schema_file::render(&set.name, schema))?;
        }
        let committed = fs::read_to_string(&set.schema_file).ok();
        if committed.is_some() || set.wants_schema_file {
            let source =
                Source { path: set.schema_path.clone(), text: committed.clone().unwrap_or_default().into() };
            proof.suite.sources.insert(file_name.clone(), source);
            let finding = schema_file::compare(&set.name, &file_name, committed.as_deref(), schema);
            proof.suite.findings.extend(finding);
        }
    }
    Ok(proof.suite)
}

/// What is to be proven.
fn sets(args: &Args) -> anyhow::Result<Vec<Set>> {
    if let Some(folder) = &args.dir {
        return Ok(vec![set(args, folder, false)?]);
    }
    let folders = ["central", "tenant"].map(|name| migrations_dir(args).join(name));
    folders.iter().map(|folder| set(args, folder, true)).collect()
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
        side_file: disk::load_side_file(beside)?,
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
