//! The TOML of `migrations/lint.toml`.

use std::{collections::BTreeMap, ops::Range};

use serde::Deserialize;
use toml::Spanned;

use super::{Declaration, DeclareEntry, Directive, SideFile, SideFileError, SuppressEntry, Weight};
use crate::{
    finding::{Severity, Spot},
    migration::Version,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    severity: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    suppress: Vec<Spanned<Suppress>>,
    #[serde(default)]
    declare: Vec<Spanned<Declare>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppress {
    code: String,
    migration: Option<Spanned<i64>>,
    file: Option<Spanned<String>>,
    set: Option<String>,
    reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Declare {
    migration: Spanned<i64>,
    set: Option<String>,
    directive: String,
    reason: Option<String>,
}

impl SideFile {
    /// Reads the text of the file called `file_name`, which is only there to be named.
    ///
    /// # Errors
    ///
    /// The first line that is no TOML, or that says what the file has no place for.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, SideFileError> {
        let place = Place { file_name, text };
        let document: Document = toml::from_str(text).map_err(|error| {
            place.error(
                error.span().unwrap_or_default(),
                error.message().lines().collect::<Vec<_>>().join(" "),
            )
        })?;
        let mut file = Self::default();
        for (code, word) in document.severity {
            let weight = match word.get_ref().as_str() {
                "error" => Weight::As(Severity::Error),
                "warning" => Weight::As(Severity::Warning),
                "note" => Weight::As(Severity::Note),
                "off" => Weight::Off,
                other => {
                    let message =
                        format!("`{other}` is no severity; there are `error`, `warning`, `note` and `off`");
                    return Err(place.error(word.span(), message));
                }
            };
            let at = place.spot(code.span());
            file.weights.push((code.into_inner(), weight, at));
        }
        for entry in document.suppress {
            let at = place.spot(entry.span());
            let Suppress { code, migration, file: named, set, reason } = entry.into_inner();
            file.suppressions.push(SuppressEntry {
                code,
                version_span: migration.as_ref().map(Spanned::span),
                version: migration.map(|version| Version(version.into_inner())),
                file_span: named.as_ref().map(Spanned::span),
                file_name: named.map(Spanned::into_inner),
                set,
                reason: said(reason),
                at,
            });
        }
        for entry in document.declare {
            let at = place.spot(entry.span());
            let Declare { migration, set, directive, reason } = entry.into_inner();
            let (directive, rest) = Directive::parse(&directive);
            let reason = said(reason).or(rest);
            file.declarations.push(DeclareEntry {
                version_span: migration.span(),
                version: Version(migration.into_inner()),
                set,
                declaration: Declaration { directive, reason, at },
            });
        }
        Ok(file)
    }
}

/// An empty reason is none.
fn said(reason: Option<String>) -> Option<String> {
    reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty())
}

struct Place<'a> {
    file_name: &'a str,
    text: &'a str,
}

impl Place<'_> {
    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }

    fn spot(&self, span: Range<usize>) -> Spot {
        Spot { file_name: self.file_name.to_owned(), line: self.line(span.start), span: Some(span) }
    }

    fn error(&self, span: Range<usize>, message: String) -> SideFileError {
        SideFileError {
            file_name: self.file_name.to_owned(),
            line: self.line(span.start),
            message,
            hint: "docs/lint.md has an example of each entry".to_owned(),
        }
    }
}
