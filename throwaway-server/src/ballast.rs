//! A file that takes all the room of a disk.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Its name, beside the server's own files.
pub(crate) const NAME: &str = "ballast";

/// Where it is in a folder as the process with this number sees it, which may have mounts of its own.
pub(crate) fn in_the_eyes_of(pid: &str, folder: &Path) -> PathBuf {
    let folder = folder.strip_prefix("/").unwrap_or(folder);
    Path::new("/proc").join(pid.trim()).join("root").join(folder).join(NAME)
}

pub(crate) fn fill(file: &Path) -> io::Result<()> {
    let mut ballast = fs::File::create(file)?;
    loop {
        match ballast.write_all(&[0; 1 << 13]) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
            result => result?,
        }
    }
}

pub(crate) fn free(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
