//! A server's packages on Debian and Ubuntu, unpacked without root and without touching the system.
//!
//! apt is given lists, a cache and an empty status of its own, so it resolves the whole closure, the C library
//! included. The server is then run through the closure's own loader, and the machine's libraries do not matter.

use std::{
    env,
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::process::Command;

use crate::{
    program::Program,
    search,
    settings::{Flavour, Settings},
};

/// The only suite of Debian that carries MySQL itself.
const DEBIAN_WITH_MYSQL: &str = "sid";

const DOWNLOAD_LIMIT: Duration = Duration::from_mins(5);
/// Another process may be downloading the same.
const LOCK_LIMIT: Duration = Duration::from_mins(10);

/// Whether this machine has what it takes; a reason if not.
pub(crate) fn check_tools() -> Result<(), String> {
    for tool in ["apt-get", "apt-cache", "dpkg"] {
        search::on_path(tool).ok_or_else(|| format!("{tool} is not on the PATH: not Debian or Ubuntu?"))?;
    }
    Ok(())
}

/// The server of a flavour, from the cache or the machine's mirror; a reason if there is none.
pub(crate) async fn program(flavour: Flavour, settings: &Settings) -> Result<Program, String> {
    let system = System::read()?;
    let cache = settings.cache.clone().unwrap_or_else(default_cache);
    let suite = system.suite(flavour);
    let name = format!("{}-{suite}-{}", format!("{flavour}").to_lowercase(), env::consts::ARCH);
    let folder = cache.join(&name);
    if !folder.is_dir() {
        fs::create_dir_all(&cache).map_err(|error| format!("{}: {error}", cache.display()))?;
        let _lock = lock(&cache.join(format!("{name}.lock"))).await?;
        if !folder.is_dir() {
            settings
                .tell(&format!("downloading and unpacking {flavour} ({suite}) into {}", folder.display()));
            let partial = cache.join(format!("{name}.partial"));
            // What is there was left by a process that died: the lock is ours.
            let _ = fs::remove_dir_all(&partial);
            fetch(flavour, &system, &partial).await?;
            // Under its final name it is complete, whoever looks and whenever.
            fs::rename(&partial, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        }
    }
    unpacked(flavour, &folder.join("root"))
}

/// `target/throwaway-server` of the workspace one is in.
fn default_cache() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).or_else(|| {
        let current = env::current_dir().ok()?;
        let workspace = current.ancestors().find(|folder| folder.join("Cargo.lock").is_file())?;
        Some(workspace.join("target"))
    });
    let user = rustix::process::geteuid().as_raw();
    let folder = target.map_or_else(
        || env::temp_dir().join(format!("cached-throwaway-server-{user}")),
        |target| target.join("throwaway-server"),
    );
    std::path::absolute(&folder).unwrap_or(folder)
}

async fn lock(path: &Path) -> Result<File, String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = File::create(path).map_err(fail)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_LIMIT => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(TryLockError::WouldBlock) => {
                return Err(format!("another process has held {} too long", path.display()));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
    }
}

/// What `os-release(5)` says.
struct System {
    is_debian: bool,
    codename: String,
}

impl System {
    fn read() -> Result<Self, String> {
        let text =
            fs::read_to_string("/etc/os-release").map_err(|error| format!("/etc/os-release: {error}"))?;
        let value = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
                .map(|value| value.trim_matches('"').to_owned())
        };
        Ok(Self {
            is_debian: value("ID").as_deref() == Some("debian"),
            codename: value("VERSION_CODENAME").ok_or("/etc/os-release names no release")?,
        })
    }

    fn suite(&self, flavour: Flavour) -> &str {
        if self.is_debian && flavour == Flavour::MySql { DEBIAN_WITH_MYSQL } else { &self.codename }
    }
}

async fn fetch(flavour: Flavour, system: &System, folder: &Path) -> Result<(), String> {
    let (lists, cache, root) = (folder.join("lists"), folder.join("cache"), folder.join("root"));
    for needed in [lists.join("partial"), cache.join("archives/partial"), root.clone()] {
        fs::create_dir_all(&needed).map_err(|error| format!("{}: {error}", needed.display()))?;
    }
    let mut options = vec![
        set("Dir::State::Lists=", &lists),
        set("Dir::Cache=", &cache),
        "Dir::State::status=/dev/null".into(),
        "Debug::NoLocking=1".into(),
        "APT::Sandbox::User=".into(),
        "Acquire::Languages=none".into(),
        "Acquire::Retries=1".into(),
        "Acquire::http::Timeout=20".into(),
        "Acquire::https::Timeout=20".into(),
    ];
    if system.suite(flavour) != system.codename {
        let source = folder.join("sources.list");
        let line = format!("deb {} {} main\n", mirror(system).await?, system.suite(flavour));
        fs::write(&source, line).map_err(|error| format!("{}: {error}", source.display()))?;
        options.push(set("Dir::Etc::SourceList=", &source));
        options.push("Dir::Etc::SourceParts=/dev/null".into());
        // An archive that is a frozen snapshot has outlived its own date.
        options.push("Acquire::Check-Valid-Until=false".into());
    }
    let apt = |program: &str| {
        let mut command = Command::new(program);
        command.args(options.iter().flat_map(|option| [OsString::from("-o"), option.clone()]));
        command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        command
    };

    // Sources that have nothing to do with us may fail here; whether ours did shows at the next step.
    let updated = output(apt("apt-get").args(["--quiet", "update"])).await;
    let package = package(flavour, &output(apt("apt-cache").arg("pkgnames")).await?)
        .ok_or_else(|| format!("the mirror has no server package for it{}", reason_of(&updated)))?;
    output(apt("apt-get").args([
        "--quiet",
        "--yes",
        "--no-install-recommends",
        "--download-only",
        "install",
        &package,
    ]))
    .await?;

    let archives = cache.join("archives");
    let entries = fs::read_dir(&archives).map_err(|error| format!("{}: {error}", archives.display()))?;
    for file in
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension() == Some("deb".as_ref()))
    {
        output(Command::new("dpkg").arg("-x").arg(&file).arg(&root)).await?;
    }
    for done in [lists, cache] {
        fs::remove_dir_all(&done).map_err(|error| format!("{}: {error}", done.display()))?;
    }
    Ok(())
}

fn set(name: &str, path: &Path) -> OsString {
    let mut option = OsString::from(name);
    option.push(path);
    option
}

fn reason_of(updated: &Result<String, String>) -> String {
    updated.as_ref().err().map(|error| format!(": {error}")).unwrap_or_default()
}

/// The archive that this machine's own release comes from, as a source line names it.
async fn mirror(system: &System) -> Result<String, String> {
    let format = "$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)";
    let targets =
        output(Command::new("apt-get").args(["indextargets", "--format", format, "Created-By: Packages"]))
            .await?;
    let uri = debian_mirror(&targets, &system.codename).ok_or_else(|| {
        format!("apt names no Debian archive (release {}, component main)", system.codename)
    })?;
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    let signed = if Path::new(keyring).is_file() { format!("[signed-by={keyring}] ") } else { String::new() };
    Ok(format!("{signed}{uri}"))
}

/// A source that calls itself Debian goes first; where lists were never fetched, no source has said what it is.
fn debian_mirror<'a>(targets: &'a str, codename: &str) -> Option<&'a str> {
    let matching = |is_origin: fn(&str) -> bool| {
        targets.lines().find_map(|line| {
            let [origin, release, component, uri] = line.split('|').collect::<Vec<_>>().try_into().ok()?;
            (is_origin(origin) && release == codename && component == "main").then_some(uri)
        })
    };
    matching(|origin| origin == "Debian")
        .or_else(|| matching(|origin| origin.is_empty() || origin == "$(ORIGIN)"))
}

/// The server's package: its plain name, else the newest of those that carry their version in the name.
fn package(flavour: Flavour, names: &str) -> Option<String> {
    let plain = match flavour {
        Flavour::MySql => "mysql-server-core",
        Flavour::MariaDb => "mariadb-server-core",
    };
    let version = |name: &str| -> Option<Vec<u32>> {
        let rest = name.strip_prefix(plain)?;
        if rest.is_empty() {
            return Some(vec![u32::MAX]);
        }
        rest.strip_prefix('-')?.split('.').map(|part| part.parse().ok()).collect()
    };
    names.lines().filter(|name| version(name).is_some()).max_by_key(|name| version(name)).map(str::to_owned)
}

/// Runs a tool to its end, within a limit; its last words if it fails.
async fn output(command: &mut Command) -> Result<String, String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(DOWNLOAD_LIMIT, command.output())
        .await
        .map_err(|_| format!("{name} took more than {} s", DOWNLOAD_LIMIT.as_secs()))?
        .map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = errors.lines().collect();
    Err(format!(
        "{name} ended with {}:\n{}",
        output.status,
        lines[lines.len().saturating_sub(4)..].join("\n")
    ))
}

fn unpacked(flavour: Flavour, root: &Path) -> Result<Program, String> {
    let loader = loader(root).ok_or_else(|| format!("no loader in {}", root.display()))?;
    let server = ["mysqld", "mariadbd"]
        .map(|name| root.join("usr/sbin").join(name))
        .into_iter()
        .find(|path| path.symlink_metadata().is_ok_and(|data| data.is_file()))
        .ok_or_else(|| format!("no server in {}", root.display()))?;
    let triplet = loader.parent().and_then(Path::file_name).unwrap_or_default();
    let libraries = env::join_paths([
        root.join("lib").join(triplet),
        root.join("usr/lib").join(triplet),
        root.join("usr/lib/mysql/private"),
    ])
    .map_err(|error| error.to_string())?;
    let share = root.join("usr/share/mysql");
    Ok(Program {
        flavour,
        name: root.display().to_string(),
        launch: vec![loader.into(), "--library-path".into(), libraries, server.into()],
        own_files: vec![
            set("--basedir=", &root.join("usr")),
            set("--lc-messages-dir=", &share),
            set("--character-sets-dir=", &share.join("charsets")),
            set("--plugin-dir=", &root.join("usr/lib/mysql/plugin")),
        ],
        share: vec![share],
    })
}

/// The loader proper: the links to it may be absolute, and lead to the machine's own.
fn loader(root: &Path) -> Option<PathBuf> {
    let folders = ["usr/lib", "lib"].map(|folder| root.join(folder));
    let below = folders.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
    below.filter_map(|entry| fs::read_dir(entry.path()).ok()).flatten().flatten().find_map(|entry| {
        let is_loader = entry.file_name().to_string_lossy().starts_with("ld-linux");
        (is_loader && entry.file_type().is_ok_and(|kind| kind.is_file())).then(|| entry.path())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_mirror_of_the_machines_own_release() {
        let targets = "Vendor|trixie|main|https://vendor.invalid/\n\
                       Debian|trixie-updates|main|https://mirror.invalid/updates\n\
                       Debian|trixie|contrib|https://mirror.invalid/contrib\n\
                       Debian|trixie|main|https://mirror.invalid/debian\n";
        assert_eq!(debian_mirror(targets, "trixie"), Some("https://mirror.invalid/debian"));
        assert_eq!(debian_mirror(targets, "bookworm"), None);
        let never_fetched = "$(ORIGIN)|trixie|main|https://mirror.invalid/debian\n";
        assert_eq!(debian_mirror(never_fetched, "trixie"), Some("https://mirror.invalid/debian"));
    }

    #[test]
    fn takes_the_newest_package() {
        let names = "mysql-server-core-8.0\nmysql-server-core-8.4\nmysql-server\nmariadb-server-core\nmariadb-server-core-10.5\n";
        assert_eq!(package(Flavour::MySql, names).as_deref(), Some("mysql-server-core-8.4"));
        assert_eq!(package(Flavour::MariaDb, names).as_deref(), Some("mariadb-server-core"));
        assert_eq!(package(Flavour::MySql, "mysql-server\nmysql-server-core-doc"), None);
    }
}
