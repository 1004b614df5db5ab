//! `.env`, which is somebody else's file: the backend's, most of whose variables mean nothing here.
//!
//! Only the variables that are asked for are looked at closely. They are read as Node's dotenv reads them; where other readers
//! of such files (Docker Compose, dotenv-expand, shells) would read another value, it is refused instead.

use crate::secret::Secret;

/// A line of `.env` that cannot be read for certain. It shows nothing of the value: it may be a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of `.env`: {kind}")]
pub(super) struct DotenvError {
    /// The line, from 1.
    pub(super) line: usize,
    pub(super) kind: DotenvErrorKind,
}

/// What is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DotenvErrorKind {
    #[error("`{0}` stands there without `=`")]
    NoValue(String),
    #[error("the quote that the value of `{0}` begins with is not closed")]
    Unclosed(String),
    #[error("there is more behind the closing quote of `{0}`")]
    AfterQuote(String),
    #[error("the value of `{0}` has a `#` outside of quotes, which may begin a comment")]
    Hash(String),
    #[error("the value of `{0}` has a `$` outside of single quotes, which may name another variable")]
    Dollar(String),
    #[error("the value of `{0}` has a `\\` in double quotes, which may be an escape")]
    Backslash(String),
    #[error("the value of `{0}` is not UTF-8")]
    NotUtf8(String),
}

impl DotenvError {
    /// What to do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self.kind {
            DotenvErrorKind::NoValue(_) => "write `NAME=value`, or remove the line",
            DotenvErrorKind::NotUtf8(_) => "save the file as UTF-8",
            _ => "put the value in single quotes, within which every character stands for itself",
        }
    }
}

/// A variable that is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) value: Secret<String>,
}

/// The variables among those that `is_wanted` names that `text`, the bytes of a file, sets: in its order, one that is set twice
/// twice. What is wrong with others is passed over.
///
/// # Errors
///
/// The first line of a wanted one that cannot be read for certain.
pub(super) fn read(text: &[u8], is_wanted: impl Fn(&str) -> bool) -> Result<Vec<Setting>, DotenvError> {
    let text = String::from_utf8_lossy(text);
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut line = 1;
    let mut settings = Vec::new();
    while !rest.is_empty() {
        let taken = take(rest);
        if let Some(name) = taken.name.filter(|name| is_wanted(name)) {
            let value = value(&taken, name).map_err(|kind| DotenvError { line, kind })?;
            settings.push(Setting { name: name.to_owned(), value });
        }
        line += rest[..taken.length].matches('\n').count();
        rest = &rest[taken.length..];
    }
    Ok(settings)
}

/// Reads `text` as if every variable were wanted, and checks what is said of a line. For the fuzz target.
///
/// # Panics
///
/// Where the line is none of the text's.
pub fn check(text: &[u8]) {
    let n_lines = text.split(|byte| *byte == b'\n').count();
    if let Err(error) = read(text, |_| true) {
        assert!((1..=n_lines).contains(&error.line), "line {} of {n_lines}", error.line);
    }
}

/// One line, or several where a quoted value has several.
struct Taken<'t> {
    name: Option<&'t str>,
    /// What is behind the `=`, if there is one.
    value: Option<Raw<'t>>,
    /// How many bytes it is long, its end included.
    length: usize,
}

enum Raw<'t> {
    /// Without the space around it.
    Bare(&'t str),
    /// Between quotes of this kind, with what is behind them.
    Quoted { quote: char, text: &'t str, behind: &'t str },
}

fn take(text: &str) -> Taken<'_> {
    let first = text.split_inclusive('\n').next().unwrap_or(text);
    let line = first.trim();
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line);
    let (name, value) = match line.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value)),
        None => (line.trim(), None),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = Some(name).filter(|name| !name.is_empty() && name.chars().all(is_name));
    let one_line = |value| Taken { name, value, length: first.len() };
    let (Some(_), Some(value)) = (name, value.map(str::trim)) else { return one_line(None) };
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '\'' | '"' | '`')) else {
        return one_line(Some(Raw::Bare(value)));
    };
    // Where the value begins in `text`: a quoted one may go on beyond the line.
    let begin = text.find('=').map_or(0, |at| at + 1);
    let begin = begin + text[begin..].find(quote).unwrap_or_default() + 1;
    let Some(n) = text[begin..].find(quote) else { return one_line(Some(Raw::Bare(value))) };
    let behind = &text[begin + n + 1..];
    let behind = behind.split_inclusive('\n').next().unwrap_or_default();
    let (length, behind) = (begin + n + 1 + behind.len(), behind.trim());
    // Beyond the line, a quote with something behind it is the beginning of another value.
    if length > first.len() && !behind.is_empty() && !behind.starts_with('#') {
        return one_line(Some(Raw::Bare(value)));
    }
    Taken { name, value: Some(Raw::Quoted { quote, text: &text[begin..begin + n], behind }), length }
}

/// The value of a variable that is wanted.
fn value(taken: &Taken<'_>, name: &str) -> Result<Secret<String>, DotenvErrorKind> {
    let named = || name.to_owned();
    let text = match taken.value {
        None => return Err(DotenvErrorKind::NoValue(named())),
        Some(Raw::Bare(text)) => {
            if text.starts_with(['\'', '"', '`']) {
                return Err(DotenvErrorKind::Unclosed(named()));
            }
            let (text, _) = split_comment(text);
            if text.contains('#') {
                return Err(DotenvErrorKind::Hash(named()));
            }
            text
        }
        Some(Raw::Quoted { quote, text, behind }) => {
            if !behind.is_empty() && !behind.starts_with('#') {
                return Err(DotenvErrorKind::AfterQuote(named()));
            }
            if quote != '\'' && text.contains('\\') {
                return Err(DotenvErrorKind::Backslash(named()));
            }
            text
        }
    };
    let is_literal = matches!(taken.value, Some(Raw::Quoted { quote: '\'', .. }));
    if !is_literal && names_a_variable(text) {
        return Err(DotenvErrorKind::Dollar(named()));
    }
    if text.contains(char::REPLACEMENT_CHARACTER) {
        return Err(DotenvErrorKind::NotUtf8(named()));
    }
    Ok(Secret::new(text.to_owned()))
}

/// The text before a `#` that begins a comment to every reader, and the comment.
fn split_comment(text: &str) -> (&str, &str) {
    let at = text
        .match_indices('#')
        .map(|(at, _)| at)
        .find(|at| *at == 0 || text[..*at].ends_with([' ', '\t']))
        .unwrap_or(text.len());
    (text[..at].trim_end(), &text[at..])
}

/// Whether there is a `$` that some readers would take for the beginning of a variable's name.
fn names_a_variable(text: &str) -> bool {
    let is_name = |rest: &str| rest.starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic());
    text.match_indices('$').any(|(at, _)| is_name(&text[at + 1..]))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn wanted(text: &str) -> Result<Vec<(String, String)>, DotenvError> {
        let is_wanted = |name: &str| matches!(name, "KEY" | "URL" | "LOCK_WAIT");
        let settings = read(text.as_bytes(), is_wanted)?;
        Ok(settings.into_iter().map(|s| (s.name, s.value.expose().clone())).collect())
    }

    fn value(text: &str) -> String {
        let settings = wanted(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let [(_, value)] = &settings[..] else { panic!("{text:?}: {settings:?}") };
        value.clone()
    }

    #[test]
    fn a_value_is_what_node_takes_it_for() {
        for (text, is) in [
            ("KEY=plain", "plain"),
            ("KEY = plain \r\n", "plain"),
            ("  export KEY=plain", "plain"),
            ("export\tKEY=plain", "plain"),
            ("KEY=", ""),
            ("KEY=''", ""),
            ("LOCK_WAIT=1h 30m", "1h 30m"),
            ("KEY=plain # of the backend", "plain"),
            ("KEY=# nothing", ""),
            ("KEY='a # b' # comment", "a # b"),
            ("KEY='p$w{\"}\\n'", "p$w{\"}\\n"),
            ("KEY=\"it's\"", "it's"),
            ("KEY=it's", "it's"),
            ("KEY=`it's \"so\"`", "it's \"so\""),
            ("KEY=5$", "5$"),
            ("KEY=a=b==", "a=b=="),
            ("\u{feff}KEY=plain", "plain"),
            ("KEY='two\nlines'", "two\nlines"),
        ] {
            assert_eq!(value(text), is, "{text:?}");
        }
        assert_eq!(wanted("KEY=1\nURL=2\nKEY=3").unwrap().len(), 3);
    }

    #[test]
    fn what_is_somebody_elses_is_passed_over() {
        for foreign in [
            "APP_NAME=Acme Corp Ltd",
            "APP_NAME=it's ours",
            "GREETING=\"say \\\"hi\\\"\"",
            "BROKEN='never closed",
            "BROKEN='never closed\nOTHER='closed'",
            "# it's = 'a comment",
            "two words='a",
            "no equals sign",
            "KEYRING without one",
            "=nothing",
            "# KEY=commented out",
            "#",
            "",
            "PRICE=$5 and ${X}",
            "PEM=\"-----BEGIN KEY-----\nKEY=not this\nURL\n-----END KEY-----\"",
            "FIRST='a' 'b'",
            "NÄME=x",
        ] {
            assert_eq!(value(&format!("{foreign}\nKEY=plain\n")), "plain", "{foreign:?}");
        }
        let latin1 = [b"NAME=M\xfcller\nKEY=plain\n".as_slice(), b"\xff\xfe\n"].concat();
        assert_eq!(read(&latin1, |name| name == "KEY").unwrap()[0].value.expose(), "plain");
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused_with_its_line() {
        let mut shown = String::new();
        for text in [
            "KEY",
            "KEY='never closed\nOTHER=1",
            "KEY='a' b",
            "KEY=pass#word",
            "KEY=pass$word",
            "KEY=\"pass${word}\"",
            "KEY=\"pass\\nword\"",
        ] {
            let error = wanted(&format!("OTHER=\"two\nlines\"\n\n{text}")).expect_err(text);
            assert!(!error.to_string().contains("pass"), "{error}");
            writeln!(shown, "{text:?}\n  {error}\n  hint: {}", error.hint()).unwrap();
        }
        let error = read(b"KEY=M\xfcller", |_| true).expect_err("it is Latin-1");
        writeln!(shown, "{error}\n  hint: {}", error.hint()).unwrap();
        insta::assert_snapshot!(shown);
    }
}
