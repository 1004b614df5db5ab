//! Outputs as snapshots: what differs from run to run is replaced.

/// What is replaced, for [`assert_output!`](crate::assert_output).
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"127\.0\.0\.1:\d+", "HOST:PORT"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"connection \d+", "connection N"),
        (r"\b\d+(\.\d+)?\s?(ns|µs|ms|s)\b", "TIME"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT"),
        (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "MOMENT"),
        (r"KILL \d+", "KILL N"),
        (r#""(at_ms|elapsed_ms|execution_time_ms)":[\d.]+"#, r#""$1":MS"#),
        // MariaDB says which database's.
        (r"for table (?:`\w+`\.)?[`'](\w+)[`']", "for table '$1'"),
        // What the server calls us depends on where it runs.
        (r"'@'[^']*'", "'@'CLIENT'"),
        (r"(\(\w+)@[^)]*\)", "$1@CLIENT)"),
        (r"/tmp/\.tmp\w+", "FOLDER"),
        // The one word in which the servers' syntax errors differ.
        (r"your (MySQL|MariaDB) server version", "your server's version"),
    ]
}

/// Compares an [`Output`](crate::Output), exit code and both streams, with its snapshot.
#[macro_export]
macro_rules! assert_output {
    ($output:expr) => {{
        // Not within the settings: those are a closure, in which nothing can be awaited.
        let shown = $output.to_string();
        $crate::insta::with_settings!({ filters => $crate::filters(), omit_expression => true }, {
            $crate::insta::assert_snapshot!(shown);
        })
    }};
    ($name:expr, $output:expr) => {{
        let (name, shown) = ($name, $output.to_string());
        $crate::insta::with_settings!({ filters => $crate::filters(), omit_expression => true }, {
            $crate::insta::assert_snapshot!(name, shown);
        })
    }};
}
