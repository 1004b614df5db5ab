//! Puts the files of `migrations/` into the program, for feature `embed`.
//!
//! `MIGRATIONS_EMBED_DIR` names another folder with `central/` and `tenant/`.

#![expect(clippy::disallowed_methods, reason = "a build script is all edge")]

use std::{env, fmt::Write as _, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-env-changed=MIGRATIONS_EMBED_DIR");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_EMBED").is_none() {
        return Ok(());
    }
    let manifest_dir = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let root = match env::var("MIGRATIONS_EMBED_DIR") {
        Ok(dir) => Path::new(&dir).canonicalize()?,
        Err(_) => Path::new(&manifest_dir).join("../migrations").canonicalize()?,
    };
    println!("cargo::rerun-if-changed={}", root.display());
    let mut code = String::new();
    for (name, folder) in [("EMBEDDED_CENTRAL", "central"), ("EMBEDDED_TENANT", "tenant")] {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))?
            .map(|entry| entry.map(|e| e.path()))
            .collect::<Result<_, _>>()?;
        paths.sort();
        writeln!(code, "const {name}: &[(&str, &[u8])] = &[").map_err(io::Error::other)?;
        for path in paths.iter().filter(|path| path.is_file()) {
            let file_name = path.file_name().unwrap_or_default().to_string_lossy();
            writeln!(code, "    ({file_name:?}, include_bytes!({:?})),", path.to_string_lossy())
                .map_err(io::Error::other)?;
        }
        writeln!(code, "];").map_err(io::Error::other)?;
    }
    let out_dir = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&out_dir).join("embedded.rs"), code)
}
