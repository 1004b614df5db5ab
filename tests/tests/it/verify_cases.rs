//! Small sets that `migrate:verify` was once wrong about, each in a folder of its own under `tests/cases/verify`.

use std::{fs, path::Path};

use end_to_end::{Flavour, Server, on_each_server};

use crate::verify::prove_files;

on_each_server!(each_case_is_judged_rightly);

/// What is to be found, but for notes: the folder, and the version, code and weight of each finding.
fn expected(case: &str, flavour: Flavour) -> &'static [&'static str] {
    match case {
        "charset_spelt_out" if flavour == Flavour::MySql => &["20250102000000 V104 warning"],
        // It has no such collation.
        "charset_spelt_out" => &["20250101000000 V102 error", "20250102000000 V102 error"],
        "rename_under_a_trigger" => &["20250103000000 V110 error"],
        _ => &[],
    }
}

async fn each_case_is_judged_rightly(server: &'static Server) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/verify");
    let mut faults = Vec::new();
    let mut n_cases = 0;
    for entry in fs::read_dir(folder).expect("the cases") {
        let case = entry.expect("a case").path();
        let name = case.file_name().expect("a name").to_string_lossy().into_owned();
        let files = fs::read_dir(&case).expect("a folder").map(|file| {
            let path = file.expect("a file").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text"))
        });
        let suite = prove_files(&server.url("mysql"), files.collect(), None).await;
        let found: Vec<_> = suite
            .findings()
            // What a change costs is true of each of them.
            .filter(|finding| finding.code.0.starts_with("V1") && finding.severity.as_str() != "note")
            .map(|finding| {
                let version = finding.version.map_or_else(|| "set".to_owned(), |version| version.to_string());
                format!("{version} {} {}", finding.code, finding.severity)
            })
            .collect();
        if found != expected(&name, server.flavour()) {
            faults.push(format!("{name}: {found:?}\n{:#?}", suite.findings().collect::<Vec<_>>()));
        }
        n_cases += 1;
    }
    assert!(n_cases >= 9, "{n_cases} cases");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
