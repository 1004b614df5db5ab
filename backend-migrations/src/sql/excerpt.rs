//! Foreign text, fit for one line of a message.

/// `text` in one line of at most `max` characters: white space becomes one space, a cut shows as `…`, and characters
/// that a terminal would obey or hide (controls, escapes, marks of writing direction) are spelt out.
pub fn excerpt(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut n_chars = 0;
    let mut gap = false;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let mut shown = String::new();
        if std::mem::take(&mut gap) {
            shown.push(' ');
        }
        if is_treacherous(c) {
            shown.extend(c.escape_unicode())
        } else {
            shown.push(c)
        }
        let n_shown = shown.chars().count();
        if n_chars + n_shown > max {
            while n_chars >= max.max(1) {
                line.pop();
                n_chars -= 1;
            }
            line.push('…');
            break;
        }
        line.push_str(&shown);
        n_chars += n_shown;
    }
    line
}

fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
