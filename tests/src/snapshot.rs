//! Outputs as snapshots: what differs from run to run is replaced.

/// What is replaced, for [`assert_output!`](crate::assert_output).
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        // Docker's bridge, where the engine is reached through it.
        (r"\b(?:127\.0\.0\.1|172\.\d+\.\d+\.\d+):\d+", "HOST:PORT"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"connection \d+ \((\w+)@[^)]+\), for \d+ s", "connection N ($1@CLIENT), for N s"),
        (r"connection \d+ \((\w+)@[^)]+\)", "connection N ($1@CLIENT)"),
        (r"(idle|open) for \d+ s", "$1 for N s"),
        (r"as connection \d+", "as connection N"),
        // When it was applied and how long that took, in a list of versions.
        (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  \d.*", "DATE TIME            DURATION"),
        (r"20\d\d-\d\d-\d\d([ T])\d\d:\d\d:\d\d", "DATE${1}TIME"),
        // MySQL names the table too, MariaDB only the key.
        (r"for key '\w+\.(\w+)'", "for key '$1'"),
        // The two servers' words for the same syntax error.
        (r"your (MySQL|MariaDB) server version", "your SERVER server version"),
        (r"connection \d+, of which", "connection N, of which"),
        (r"KILL \d+", "KILL N"),
        (r#""(at_ms|elapsed_ms|execution_time_ms)":[\d.]+"#, r#""$1":MS"#),
        // MariaDB says what kind of thing is not there.
        (r"Can't DROP COLUMN `(\w+)`; check that it exists", "Can't DROP '$1'; check that column/key exists"),
        // MariaDB says which database's.
        (r"for table (?:`\w+`\.)?[`'](\w+)[`']", "for table '$1'"),
        // How long lint and verify took.
        (r"\((?:\d+ ms|\d+\.\d s)\)", "(TIME)"),
        // Where in a crate it broke.
        (r"at \S+/registry/src/[^/]+/(\S+?)-\d[^/]*/\S+:\d+:\d+", "at CRATE $1"),
        // What the server calls us depends on where it runs.
        (r"'@'[^']*'", "'@'CLIENT'"),
    ]
}

/// Compares an [`Output`](crate::Output), exit code and both streams, with the snapshot of this name. Both flavours have
/// the same one, so the name is given: a counted one would depend on which of them came first.
#[macro_export]
macro_rules! assert_output {
    ($name:expr, $output:expr) => {{
        // Not within the settings: those are a closure, in which nothing can be awaited.
        let (name, shown) = ($name, $output.to_string());
        $crate::insta::with_settings!({ filters => $crate::filters(), omit_expression => true }, {
            $crate::insta::assert_snapshot!(name, shown);
        })
    }};
}
