//! What Node's crypto seals opens here, and the other way round: the backend services share the column.

use std::{
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use backend_migrations::{
    entropy::random_iv,
    seal::{open, seal},
    secret::Key,
};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("vectors/vectors.json");

struct Vector {
    key_text: String,
    key: Key,
    plain: String,
    sealed: String,
}

fn vectors() -> Vec<Vector> {
    let text = |value: &Value, field: &str| value[field].as_str().expect(field).to_owned();
    let values: Vec<Value> = serde_json::from_str(VECTORS).expect("vectors.json is JSON");
    values
        .iter()
        .map(|value| Vector {
            key_text: text(value, "key"),
            key: Key::parse(&text(value, "key")).expect("32 bytes"),
            plain: text(value, "plain"),
            sealed: text(value, "sealed"),
        })
        .collect()
}

fn iv_of(sealed: &str) -> [u8; 16] {
    std::array::from_fn(|n| u8::from_str_radix(&sealed[2 * n..2 * n + 2], 16).expect("hex"))
}

/// The output of a script in `vectors/`; `None`, said on stderr, where there is no Node.
fn node(script: &str, stdin: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(script);
    let child = Command::new("node").arg(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Past the test harness, which would keep a passing test's words to itself.
            writeln!(io::stderr(), "NOT RUN: there is no `node` on the PATH, so `{script}` was not checked")
                .expect("stderr");
            return None;
        }
        started => started.expect("node starts"),
    };
    child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("node reads");
    let output = child.wait_with_output().expect("node ends");
    assert!(output.status.success(), "node {script}: {}", output.status);
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn what_node_sealed_opens_here_and_is_sealed_alike() {
    let vectors = vectors();
    assert!(vectors.len() >= 60);
    for vector in vectors {
        let opened = open(&vector.sealed, &vector.key).expect(&vector.sealed);
        assert_eq!(opened.expose(), &vector.plain);
        assert_eq!(seal(&vector.plain, &vector.key, iv_of(&vector.sealed)), vector.sealed);
    }
}

#[test]
fn what_is_sealed_here_opens_in_node() {
    let vectors = vectors();
    let values: Vec<Value> = vectors
        .iter()
        .map(|v| json!({ "key": v.key_text, "sealed": seal(&v.plain, &v.key, random_iv().expect("random")) }))
        .collect();
    let Some(output) = node("open.mjs", &Value::from(values).to_string()) else { return };
    let opened: Vec<String> = serde_json::from_str(&output).expect("JSON");
    assert_eq!(opened, vectors.into_iter().map(|v| v.plain).collect::<Vec<_>>());
}

#[test]
fn the_script_makes_the_committed_vectors() {
    let Some(output) = node("make.mjs", "") else { return };
    assert!(
        output == VECTORS,
        "vectors.json is not what make.mjs writes: run it again, and see what changed"
    );
}
