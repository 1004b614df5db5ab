//! Foreign text, fit for one line of a message.

/// `text` in one line of at most `max` characters: white space becomes one space, a cut shows as `…`, and characters
/// that a terminal would obey or hide (controls, escapes, marks of writing direction) are spelt out.
pub fn excerpt(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut after_space = false;
    for c in text.trim().chars() {
        if c.is_whitespace() {
            after_space = true;
            continue;
        }
        if std::mem::take(&mut after_space) {
            line.push(' ');
        }
        if is_treacherous(c) {
            line.extend(c.escape_unicode());
        } else {
            line.push(c);
        }
        // Four bytes a character at most: enough for the cut below, however long the text is.
        if line.len() > 4 * max {
            break;
        }
    }
    if line.chars().nth(max).is_some() {
        let kept = line.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
        line.truncate(kept);
        line.push('…');
    }
    line
}

fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
