//! Temporary.
#![allow(missing_docs)]
pub fn error_line(code: &str, message: &str, hint: Option<&str>) -> String {
    format!("{code} {message} {hint:?}")
}
pub fn printable(s: &str) -> String {
    s.into()
}
