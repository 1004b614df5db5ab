//! Folders of servers, and what to do with those whose guardian was killed.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags},
    io::Errno,
    process::{Pid, Signal},
};

/// How the name of every server's folder begins.
pub(crate) const PREFIX: &str = "throwaway-server-";

/// A server needs up to 300 MB; what is free must leave room for whoever else uses the memory.
const MEMORY_NEEDED_BYTES: u64 = 1 << 30;

/// How long a killed server may take to be gone.
const DEATH_LIMIT: Duration = Duration::from_secs(5);

/// Where servers' folders are made: in memory if there is enough of it.
pub(crate) fn data_root() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let roomy = rustix::fs::statvfs(memory)
        .is_ok_and(|stat| stat.f_bavail.saturating_mul(stat.f_frsize) >= MEMORY_NEEDED_BYTES);
    let writable = rustix::fs::accessat(CWD, memory, rustix::fs::Access::WRITE_OK, AtFlags::EACCESS).is_ok();
    if roomy && writable { memory.to_owned() } else { std::env::temp_dir() }
}

/// Removes what servers left whose guardian is gone. Whatever cannot be looked at is left alone.
pub(crate) fn folders() {
    let own_user = rustix::process::geteuid().as_raw();
    for root in [PathBuf::from("/dev/shm"), std::env::temp_dir()] {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
                && entry.metadata().is_ok_and(|data| data.is_dir() && data.uid() == own_user);
            if ours && is_abandoned(&entry.path()) {
                let _ = remove(&entry.path());
            }
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let writer = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::open(folder.join("stop"), writer, Mode::empty()) {
        Err(Errno::NXIO) => true,
        // Without a pipe the guardian is still to come, unless that has been so for long.
        Err(Errno::NOENT) => fs::metadata(folder)
            .and_then(|data| data.modified())
            .ok()
            .and_then(|then| SystemTime::now().duration_since(then).ok())
            .is_some_and(|age| age > Duration::from_mins(15)),
        Ok(_) | Err(_) => false,
    }
}

/// Whether opening a guardian's pipe failed because no guardian reads it.
pub(crate) fn has_no_reader(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::NXIO)
}

/// Kills a server without a guardian, if it is certain that the process is the server, and removes its folder.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    if let Some(server) = server_of(folder) {
        let _ = rustix::process::kill_process(server, Signal::KILL);
        // While it dies it may still make files, and a folder that is not empty stays.
        let began = Instant::now();
        while server_of(folder).is_some() && began.elapsed() < DEATH_LIMIT {
            thread::sleep(Duration::from_millis(5));
        }
    }
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The number in the folder may have passed to another process since; the server's arguments name its folder.
fn server_of(folder: &Path) -> Option<Pid> {
    let number: i32 = fs::read_to_string(folder.join("pid")).ok()?.trim().parse().ok()?;
    let arguments = fs::read(format!("/proc/{number}/cmdline")).ok()?;
    String::from_utf8_lossy(&arguments).contains(folder.to_str()?).then(|| Pid::from_raw(number))?
}
