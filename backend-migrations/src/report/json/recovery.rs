//! The lines of a recovery.

use serde::Serialize;

use super::{pieces::Tenant, words::direction_word};
use crate::{
    diagnosis::{Diagnosis, Judged, Offer, Position, Way},
    event::Settled,
};

#[derive(Serialize)]
pub(super) struct Diagnosed<'e> {
    tenant: Tenant<'e>,
    version: String,
    description: &'e str,
    direction: &'static str,
    file_name: &'e str,
    #[serde(flatten)]
    position: Where,
    is_replayed: bool,
    statements: Vec<Verdict<'e>>,
    contradiction: Option<&'e str>,
    doubts: &'e [String],
    notes: &'e [String],
    difference: Option<&'e str>,
    ways: Vec<OneWay<'e>>,
    asked: Option<&'static str>,
}

/// How far it got: exactly one position, or what is known of it.
#[derive(Serialize)]
struct Where {
    position: &'static str,
    n_finished: Option<usize>,
    possible: Vec<usize>,
}

#[derive(Serialize)]
struct Verdict<'e> {
    statement: usize,
    line: usize,
    presence: &'static str,
    evidence: String,
    text: &'e str,
}

#[derive(Serialize)]
struct OneWay<'e> {
    way: &'static str,
    objection: Option<&'e str>,
    sql: &'e [String],
}

#[derive(Serialize)]
pub(super) struct SettledMigration<'e> {
    version: String,
    description: &'e str,
    way: &'static str,
    is_applied: bool,
}

impl<'e> Diagnosed<'e> {
    pub(super) fn of(
        tenant: Tenant<'e>,
        diagnosis: &'e Diagnosis,
        offers: &'e [Offer],
        asked: Option<Way>,
    ) -> Self {
        let statement = |(index, judged): (usize, &'e Judged)| Verdict {
            statement: index + 1,
            line: judged.line,
            presence: judged.presence.as_str(),
            evidence: judged.evidence.to_string(),
            text: &judged.text,
        };
        let way = |offer: &'e Offer| OneWay {
            way: offer.way.as_str(),
            objection: offer.objection.as_deref(),
            sql: &offer.sql,
        };
        Self {
            tenant,
            version: diagnosis.version.to_string(),
            description: &diagnosis.description,
            direction: direction_word(diagnosis.direction),
            file_name: &diagnosis.file_name,
            position: Where::of(diagnosis),
            is_replayed: diagnosis.is_replayed,
            statements: diagnosis.statements.iter().enumerate().map(statement).collect(),
            contradiction: diagnosis.contradiction.as_deref(),
            doubts: &diagnosis.doubts,
            notes: &diagnosis.notes,
            difference: diagnosis.difference.as_deref(),
            ways: offers.iter().map(way).collect(),
            asked: asked.map(Way::as_str),
        }
    }
}

impl Where {
    fn of(diagnosis: &Diagnosis) -> Self {
        let (position, n_finished) = match &diagnosis.position {
            Position::After(n) => ("known", Some(*n)),
            Position::Partly { statement, .. } => ("partly", Some(*statement)),
            Position::OneOf(_) => ("unclear", None),
            Position::Unlike { .. } => ("unlike", None),
        };
        Self { position, n_finished, possible: diagnosis.possible.clone() }
    }
}

impl<'e> SettledMigration<'e> {
    pub(super) fn all(settled: &'e [Settled]) -> Vec<Self> {
        settled.iter().map(Self::of).collect()
    }

    pub(super) fn of(settled: &'e Settled) -> Self {
        Self {
            version: settled.version.to_string(),
            description: &settled.description,
            way: settled.way.as_str(),
            is_applied: settled.is_applied,
        }
    }
}
