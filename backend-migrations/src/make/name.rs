//! The name a person gives a migration, and what to say to a bad one.

use std::fmt;

/// The longest name: with the version before it and `.down.sql` behind it a file name stays far below 255 bytes.
const MAX_CHARS: usize = 100;

/// What a migration does, in snake case, such as `add_priority_to_tasks`: `[a-z][a-z0-9_]*`, at most 100 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MigrationName(String);

impl MigrationName {
    /// Takes the name as it is or not at all; nothing is mended on the quiet, since the name becomes the file's.
    ///
    /// # Errors
    ///
    /// [`NameError`], with a name that would do.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let reason = if text.is_empty() {
            NameFault::Empty
        } else if let Some(c) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '_')) {
            NameFault::Character(c)
        } else if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            NameFault::Start
        } else if text.len() > MAX_CHARS {
            NameFault::TooLong { n_chars: text.len() }
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(NameError { reason, suggestion: suggestion(text) })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MigrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name that cannot be a migration's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid migration name: {reason}")]
pub struct NameError {
    /// What is wrong with it.
    pub reason: NameFault,
    /// The nearest name that would do; `None` where nothing of the given one can be used.
    pub suggestion: Option<MigrationName>,
}

impl NameError {
    /// What to try next.
    pub fn hint(&self) -> String {
        match &self.suggestion {
            Some(name) => format!("try `{name}`"),
            None => "say what it does, such as `add_priority_to_tasks`".to_owned(),
        }
    }
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing was given.
    #[error("it is empty")]
    Empty,
    /// A character other than `a`–`z`, `0`–`9` and `_`: the first such.
    #[error("it has the character {0:?}, but only a-z, 0-9 and _ can be used")]
    Character(char),
    /// It begins with a digit or `_`.
    #[error("it must begin with a letter")]
    Start,
    /// More than 100 characters.
    #[error("it has {n_chars} characters, 100 is the most")]
    TooLong {
        /// How many it has.
        n_chars: usize,
    },
}

/// The name that `text` comes nearest to: `Add Priority!` → `add_priority`, `addPriorityToTasks` →
/// `add_priority_to_tasks`, `20250127120000_add_priority.up.sql` → `add_priority`.
fn suggestion(text: &str) -> Option<MigrationName> {
    let stem = text.strip_suffix(".sql").unwrap_or(text);
    let stem = stem.strip_suffix(".up").or_else(|| stem.strip_suffix(".down")).unwrap_or(stem);
    let mut name = String::new();
    let mut after_lower = false;
    for c in stem.chars() {
        if after_lower && c.is_uppercase() {
            name.push('_');
        }
        after_lower = c.is_lowercase() || c.is_ascii_digit();
        let folded = fold(c);
        // One `_` for any run of what has no place in a name.
        if folded != "_" || !name.ends_with('_') {
            name.push_str(folded);
        }
        if name.len() >= MAX_CHARS {
            break;
        }
    }
    name.truncate(MAX_CHARS);
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('_');
    (!name.is_empty()).then(|| MigrationName(name.to_owned()))
}

/// What stands for `c` in a name: itself, its letter without the accent for those of Latin-1, else `_`.
fn fold(c: char) -> &'static str {
    const PLAIN: &str = "abcdefghijklmnopqrstuvwxyz0123456789";
    let lower = c.to_lowercase().next().unwrap_or(c);
    if let Some(at) = PLAIN.find(lower) {
        return &PLAIN[at..=at];
    }
    match lower {
        'à'..='å' => "a",
        'æ' => "ae",
        'ç' => "c",
        'è'..='ë' => "e",
        'ì'..='ï' => "i",
        'ñ' => "n",
        'ò'..='ö' | 'ø' => "o",
        'ß' => "ss",
        'ù'..='ü' => "u",
        'ý' | 'ÿ' => "y",
        '\'' | '’' | '\u{300}'..='\u{36f}' => "",
        _ => "_",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn good_names_are_taken_as_they_are() {
        for name in ["a", "add_priority_to_tasks", "v2", "add__x", "x_", &"a".repeat(100)] {
            assert_eq!(MigrationName::parse(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn bad_names_are_refused_with_a_suggestion() {
        for (name, reason, hint) in [
            (
                "Add Priority!",
                "it has the character 'A', but only a-z, 0-9 and _ can be used",
                "try `add_priority`",
            ),
            ("../x", "it has the character '.', but only a-z, 0-9 and _ can be used", "try `x`"),
            ("añadir", "it has the character 'ñ', but only a-z, 0-9 and _ can be used", "try `anadir`"),
            ("", "it is empty", "say what it does, such as `add_priority_to_tasks`"),
            ("add_x.sql", "it has the character '.', but only a-z, 0-9 and _ can be used", "try `add_x`"),
            (
                "20250127120000_add_x.down.sql",
                "it has the character '.', but only a-z, 0-9 and _ can be used",
                "try `add_x`",
            ),
            (
                "addPriorityToTasks",
                "it has the character 'P', but only a-z, 0-9 and _ can be used",
                "try `add_priority_to_tasks`",
            ),
            (
                "add-priority to  tasks",
                "it has the character '-', but only a-z, 0-9 and _ can be used",
                "try `add_priority_to_tasks`",
            ),
            ("2fa", "it must begin with a letter", "try `fa`"),
            ("_x", "it must begin with a letter", "try `x`"),
            ("___", "it must begin with a letter", "say what it does, such as `add_priority_to_tasks`"),
            (
                "🚀",
                "it has the character '🚀', but only a-z, 0-9 and _ can be used",
                "say what it does, such as `add_priority_to_tasks`",
            ),
            (
                "a\u{1b}[31m",
                "it has the character '\\u{1b}', but only a-z, 0-9 and _ can be used",
                "try `a_31m`",
            ),
            ("a\nb", "it has the character '\\n', but only a-z, 0-9 and _ can be used", "try `a_b`"),
        ] {
            let error = MigrationName::parse(name).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid migration name: {reason}"), "{name:?}");
            assert_eq!(error.hint(), hint, "{name:?}");
        }
        let error = MigrationName::parse(&"ab_".repeat(34)).unwrap_err();
        assert_eq!(error.reason, NameFault::TooLong { n_chars: 102 });
        assert_eq!(error.suggestion.unwrap().as_str().len(), 100);
    }

    proptest! {
        #[test]
        fn what_is_suggested_would_be_taken(text in any::<String>()) {
            if let Err(NameError { suggestion: Some(name), .. }) = MigrationName::parse(&text) {
                prop_assert_eq!(MigrationName::parse(name.as_str()), Ok(name));
            }
        }
    }
}
