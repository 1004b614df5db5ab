//! Outputs as snapshots: what differs from run to run is replaced.

/// What is replaced, for [`assert_output!`](crate::assert_output).
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"127\.0\.0\.1:\d+", "HOST:PORT"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"connection \d+", "connection N"),
        (r"`KILL \d+`", "`KILL N`"),
        // When it was applied and how long that took, in a list of versions.
        (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  \d.*", "DATE TIME            DURATION"),
        (r"\b\d+(\.\d+)?\s?(ns|µs|ms|s)\b", "TIME"),
        (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "MOMENT"),
        (r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d", "DATE TIME"),
        // What the server calls us depends on where it runs.
        (r"'@'[^']*'", "'@'CLIENT'"),
        (r"(\(\w+)@[^)]*\)", "$1@CLIENT)"),
        (r"/tmp/\.tmp\w+", "FOLDER"),
        // MySQL names the table too, MariaDB only the key.
        (r"for key '\w+\.(\w+)'", "for key '$1'"),
        // The one word in which the servers' syntax errors differ.
        (r"your (MySQL|MariaDB) server version", "your server's version"),
    ]
}

/// Compares an [`Output`](crate::Output), exit code and both streams, with the snapshot of this name. Both flavours have
/// the same one, so the name is given: a counted one would depend on which of them came first.
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
