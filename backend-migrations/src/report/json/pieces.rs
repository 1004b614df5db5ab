//! What several lines have in them.

use std::time::Duration;

use serde::Serialize;

use super::words::direction_word;
use crate::{
    event::{Failure, MigrationDone, Place},
    tenant::Label,
};

#[derive(Serialize)]
pub(super) struct Tenant<'e> {
    id: Option<&'e str>,
    slug: &'e str,
    name: &'e str,
    database: &'e str,
    server: String,
}

#[derive(Serialize)]
pub(super) struct At<'e> {
    file_name: &'e str,
    line: usize,
    statement: usize,
    n_statements: usize,
}

#[derive(Serialize)]
pub(super) struct Done<'e> {
    version: String,
    direction: &'static str,
    file_name: &'e str,
    elapsed_ms: f64,
}

#[derive(Serialize)]
pub(super) struct Failed<'e> {
    code: &'static str,
    message: &'e str,
    at: Option<At<'e>>,
    excerpt: Option<&'e str>,
    state: Option<&'e str>,
    hint: Option<&'e str>,
}

impl<'e> Tenant<'e> {
    pub(super) fn of(label: &'e Label) -> Self {
        Self {
            id: label.id.as_ref().map(|id| id.0.as_str()),
            slug: &label.slug,
            name: &label.name,
            database: &label.database,
            server: label.server.to_string(),
        }
    }
}

impl<'e> At<'e> {
    pub(super) fn of(place: &'e Place) -> Self {
        let Place { file_name, line, statement, n_statements } = place;
        Self { file_name, line: *line, statement: *statement, n_statements: *n_statements }
    }
}

impl<'e> Done<'e> {
    pub(super) fn of(done: &'e MigrationDone) -> Self {
        Self {
            version: done.version.to_string(),
            direction: direction_word(done.direction),
            file_name: &done.file_name,
            elapsed_ms: ms(done.elapsed),
        }
    }

    pub(super) fn all(done: &'e [MigrationDone]) -> Vec<Self> {
        done.iter().map(Self::of).collect()
    }
}

impl<'e> Failed<'e> {
    pub(super) fn of(failure: &'e Failure) -> Self {
        Self {
            code: failure.code.as_str(),
            message: &failure.message,
            at: failure.at.as_ref().map(At::of),
            excerpt: failure.excerpt.as_deref(),
            state: failure.state.as_deref(),
            hint: failure.hint.as_deref(),
        }
    }
}

/// Milliseconds down to the microsecond.
pub(super) fn ms(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}
