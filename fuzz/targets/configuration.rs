//! Settings and `lint.toml` are read without a panic; no complaint about a URL repeats its password, and what is said of a
//! line is said of one that is there.

#![no_main]

use backend_migrations::{cli::{check_dotenv, parse_duration}, directive::SideFile, finding::Spot, mysql::parse_url};
use libfuzzer_sys::fuzz_target;

/// What a password has in it, so that it can be found.
const MARK: &str = "S3cR3t";

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (text, before, after, rest) = input;
    check_dotenv(text.as_bytes());
    if let Ok(duration) = parse_duration(text) {
        assert!(!duration.is_zero());
    }
    side_file(text);
    let _ = parse_url(text, "fuzz");
    let url = format!("mysql://root:{before}{MARK}{after}@{rest}");
    let told = match parse_url(&url, "fuzz") {
        Ok(target) => format!("{target:?}"),
        Err(error) => format!("{error} {error:?} {}", error.hint()),
    };
    assert!(rest.contains(MARK) || !told.contains(MARK), "{told}");
});

fn side_file(text: &str) {
    let n_lines = 1 + text.matches('\n').count();
    let check = |line: usize| assert!((1..=n_lines).contains(&line), "line {line} of {n_lines}");
    let file = match SideFile::parse("lint.toml", text) {
        Ok(file) => file,
        Err(error) => return check(error.line),
    };
    let weights = file.weights.iter().map(|(_, _, at)| at);
    let suppressions = file.suppressions.iter().map(|entry| &entry.at);
    let declarations = file.declarations.iter().map(|entry| &entry.declaration.at);
    for Spot { line, span, .. } in weights.chain(suppressions).chain(declarations) {
        check(*line);
        assert!(span.clone().is_none_or(|span| text.get(span).is_some()), "{span:?}");
    }
}
