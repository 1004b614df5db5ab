//! Outputs as snapshots: what differs from run to run is replaced.

/// What is replaced, for [`assert_output!`](crate::assert_output).
pub fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"127\.0\.0\.1:\d+", "HOST:PORT"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "UUID"),
        (r"connection \d+", "connection N"),
        (r"\b\d+(\.\d+)?\s?(ns|µs|ms|s)\b", "TIME"),
    ]
}

/// Compares an [`Output`](crate::Output), exit code and both streams, with its snapshot.
#[macro_export]
macro_rules! assert_output {
    ($output:expr) => {
        $crate::insta::with_settings!({ filters => $crate::filters(), omit_expression => true }, {
            $crate::insta::assert_snapshot!($output.to_string());
        })
    };
    ($name:expr, $output:expr) => {
        $crate::insta::with_settings!({ filters => $crate::filters(), omit_expression => true }, {
            $crate::insta::assert_snapshot!($name, $output.to_string());
        })
    };
}
