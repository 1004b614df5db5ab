//! The server programs of this machine.

use std::{
    collections::HashSet,
    env,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::process::Command;

use crate::{
    program::Program,
    settings::{Flavour, Settings},
};

/// Servers are rarely on a user's `PATH`: `sbin` folders are for root's, and some packages have folders of their own.
const USUAL_FOLDERS: &[&str] = &[
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/libexec",
    "/usr/local/mysql/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
];

/// A program on the `PATH`.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// The programs of a flavour that would do, MySQL's first; a reason if there are none.
pub(crate) async fn programs(settings: &Settings) -> Result<Vec<Program>, String> {
    let folders = settings.server_path.clone().unwrap_or_else(|| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path).chain(USUAL_FOLDERS.iter().map(PathBuf::from)).collect()
    });
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| [folder.join("mysqld"), folder.join("mariadbd")]) {
        // MariaDB installs its server as `mysqld` too; a link is the program it leads to.
        let Ok(path) = path.canonicalize() else { continue };
        if seen.insert(path.clone())
            && let Some(flavour) = flavour_of(&path).await
        {
            found.push(Program::installed(flavour, path));
        }
    }
    let wanted: Vec<_> = settings
        .flavours()
        .flat_map(|flavour| found.iter().filter(move |program| program.flavour == flavour).cloned())
        .collect();
    if !wanted.is_empty() {
        return Ok(wanted);
    }
    let whose = match &settings.server_path {
        Some(_) => "the folders of THROWAWAY_SERVER_PATH",
        None => "PATH and the usual folders",
    };
    Err(match settings.flavour {
        Some(flavour) if !found.is_empty() => format!("no {flavour} server program in {whose}"),
        _ => format!("no mysqld or mariadbd in {whose}"),
    })
}

/// What a program says of itself; a name alone tells nothing.
async fn flavour_of(path: &Path) -> Option<Flavour> {
    let mut asked = Command::new(path);
    asked.args(["--no-defaults", "--version"]).stdin(Stdio::null()).kill_on_drop(true);
    let answer = tokio::time::timeout(Duration::from_secs(10), asked.output()).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&answer.stdout);
    if !answer.status.success() || !text.contains("Ver ") {
        return None;
    }
    Some(if text.contains("MariaDB") { Flavour::MariaDb } else { Flavour::MySql })
}
