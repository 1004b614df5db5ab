//! What is said of a panic: of this program's own, and of sqlx's at a packet that makes no sense.

use std::any::Any;

use crate::sql::excerpt;

/// What a panic says, in one line and not without end: it may repeat what a server sent.
pub fn panic_text(payload: &(dyn Any + Send)) -> String {
    const N_CHARS_MAX: usize = 200;
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    excerpt(text.unwrap_or("it gave no reason"), N_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::panic_text;

    #[test]
    fn a_panic_is_said_in_one_bounded_line() {
        let text = |panic: fn()| panic_text(std::panic::catch_unwind(panic).unwrap_err().as_ref());
        assert_eq!(text(|| panic!("no words but these")), "no words but these");
        assert_eq!(text(|| panic!("{} and {}", "made", "up\nin two\u{1b}")), "made and up in two\\u{1b}");
        assert_eq!(text(|| std::panic::panic_any(1)), "it gave no reason");
        assert_eq!(text(|| panic!("{}", "x".repeat(1 << 20))).chars().count(), 200);
    }
}
