//! What the proofs have to say, in words.

use std::collections::BTreeMap;

use super::{Job, fill::Unfilled, readers::Broken, tenant::Kind};
use crate::{
    apply::ApplyError,
    directive::{Declaration, Directive},
    finding::{Code, Finding, Severity, Spot},
    migration::{Direction, Migration, Script},
    schema::{Difference, DifferenceKind},
    scratch,
};

pub(super) const HAS_DOWN: Code = Code("V101");
pub(super) const UP_RUNS: Code = Code("V102");
pub(super) const DOWN_RUNS: Code = Code("V103");
pub(super) const COMES_BACK: Code = Code("V104");
pub(super) const UP_AGAIN: Code = Code("V105");
pub(super) const KEEPS_ROWS: Code = Code("V106");
pub(super) const STOPPED: Code = Code("V107");
pub(super) const WHOLE_SET: Code = Code("V108");
pub(super) const READERS: Code = Code("V110");
pub(super) const BLOCKS_WRITES: Code = Code("V202");

/// A finding, and the tenant it was made on, if it was made on one.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) finding: Finding,
    pub(super) on: Option<Kind>,
}

impl Found {
    pub(super) fn on(kind: Kind, finding: Finding) -> Self {
        Self { finding, on: Some(kind) }
    }
}

fn finding(
    code: Code,
    severity: Severity,
    migration: &Migration,
    script: &Script,
    message: String,
) -> Finding {
    let line = script.statements.first().map_or(1, |statement| statement.line);
    Finding {
        code,
        severity,
        version: Some(migration.version),
        at: Some(Spot { file_name: script.file_name.clone(), line, span: None }),
        message,
        notes: Vec::new(),
        diff: None,
        hint: None,
    }
}

/// The script a finding about undoing is about: the `down`, or the `up` where there is none.
fn down_or_up(migration: &Migration) -> &Script {
    migration.down.as_ref().unwrap_or(&migration.up)
}

/// What needs no server: is there a `down`, and does it do anything (V101)? Does each declaration say why?
pub(super) fn declared(job: Job<'_>) -> Vec<Found> {
    let selected = job.set.iter().filter(|migration| job.is_selected(migration.version));
    let findings = selected.flat_map(|migration| {
        let declarations = job.declarations(migration);
        let without = declarations.iter().filter_map(|declaration| without_reason(migration, declaration));
        let is_irreversible = job.irreversible(migration).is_some();
        let undone = if is_irreversible { None } else { nothing_undoes(migration) };
        without.chain(undone).collect::<Vec<_>>()
    });
    findings.map(|finding| Found { finding, on: None }).collect()
}

/// A declaration that gives no reason, under the code of what it would settle. Of a word that is none, lint tells; here it
/// settles nothing.
fn without_reason(migration: &Migration, declaration: &Declaration) -> Option<Finding> {
    let (code, word, example) = match &declaration.directive {
        Directive::Irreversible => (HAS_DOWN, "irreversible".to_owned(), "the old values are gone"),
        Directive::Loses(loss) => {
            (KEEPS_ROWS, format!("loses {loss}"), "nobody has read it since the release")
        }
        Directive::BlocksWrites => (BLOCKS_WRITES, "blocks-writes".to_owned(), "the table has ten rows"),
        Directive::Unknown(_) => return None,
    };
    if declaration.reason.is_some() {
        return None;
    }
    let message = format!("`{word}` is declared without a reason");
    let hint = Some(format!("say why that is all right: `-- migration: {word} {example}`"));
    let at = Some(declaration.at.clone());
    Some(Finding { at, hint, ..finding(code, Severity::Error, migration, &migration.up, message) })
}

fn nothing_undoes(migration: &Migration) -> Option<Finding> {
    // What does nothing on purpose is undone by nothing.
    if migration.down.is_some() && !migration.up.does_something() {
        return None;
    }
    let (script, message) = match &migration.down {
        None => (&migration.up, "there is no `down`".to_owned()),
        Some(down) if !down.does_something() => (down, "the `down` does nothing".to_owned()),
        Some(_) => return None,
    };
    let hint = Some(
        "write the statements that undo the `up`, or say in the file why nothing can: `-- migration: irreversible \
         reason…`"
            .into(),
    );
    Some(Finding { hint, ..finding(HAS_DOWN, Severity::Error, migration, script, message) })
}

/// V101: `irreversible`, and the `down` gives back what was there.
pub(super) fn needless_declaration(migration: &Migration, declaration: &Declaration) -> Finding {
    let message =
        "`irreversible` is declared, and the `down` gives back exactly the schema before".to_owned();
    let hint = Some("remove the declaration: nothing needs it".into());
    let at = Some(declaration.at.clone());
    Finding { at, hint, ..finding(HAS_DOWN, Severity::Warning, migration, &migration.up, message) }
}

/// A table that the proofs have no rows in.
pub(super) fn unfilled(migration: &Migration, unfilled: &Unfilled) -> Finding {
    let message =
        format!("table `{}` has no rows in the proofs from here on: {}", unfilled.table, unfilled.error);
    let hint = "a file `migrations/fixtures/tenant/*.sql` with an `INSERT` into it is taken where made-up rows are refused";
    Finding { hint: Some(hint.into()), ..finding(UP_RUNS, Severity::Note, migration, &migration.up, message) }
}

/// A script that the server refused, with its file, line and statement.
pub(super) fn refused(
    code: Code,
    migration: &Migration,
    direction: Direction,
    error: &ApplyError,
) -> Finding {
    let script = migration.script(direction).unwrap_or(&migration.up);
    let word = word(direction);
    match error {
        ApplyError::Statement(error) => {
            let at = &error.at;
            let message = format!(
                "`{word}` fails at statement {} of {}: {}",
                at.statement, at.n_statements, error.source
            );
            let span = script.statements.get(at.statement - 1).map(|s| s.offset..s.offset + s.text.len());
            let spot = Spot { file_name: at.file_name.clone(), line: at.line, span };
            Finding {
                at: Some(spot),
                hint: error.source.hint(),
                ..finding(code, Severity::Error, migration, script, message)
            }
        }
        error => {
            finding(code, Severity::Error, migration, script, format!("`{word}` cannot be run: {error}"))
        }
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}

/// What differs, such as ``table `tasks` is changed, view `v` is missing``.
fn named(differences: &[Difference]) -> String {
    let named: Vec<_> = differences
        .iter()
        .map(|difference| {
            let kind = match difference.kind {
                DifferenceKind::Missing => "missing",
                DifferenceKind::Extra => "left over",
                DifferenceKind::Changed => "changed",
                DifferenceKind::Reordered => "in another order",
                DifferenceKind::Respelt => "the same, written otherwise",
            };
            match &*difference.name {
                "" => format!("the {} is {kind}", difference.object),
                name => format!("{} `{name}` is {kind}", difference.object),
            }
        })
        .collect();
    named.join(", ")
}

fn diffs(differences: &[Difference]) -> String {
    differences.iter().map(|difference| difference.diff.as_str()).collect::<Vec<_>>().join("\n")
}

/// Why differences are none that lose anything; `None` where one may.
fn harmless(differences: &[Difference]) -> Option<&'static str> {
    let are =
        |kinds: &[DifferenceKind]| differences.iter().all(|difference| kinds.contains(&difference.kind));
    if differences.is_empty() {
        None
    } else if are(&[DifferenceKind::Respelt]) {
        Some(
            "nothing is lost: only the way in which the server writes a character set or a collation differs",
        )
    } else if are(&[DifferenceKind::Respelt, DifferenceKind::Reordered]) {
        Some(
            "nothing is lost, but `SELECT *` and `INSERT` without names see it: `AFTER` and `FIRST` put a column in its place",
        )
    } else {
        None
    }
}

fn severity(differences: &[Difference]) -> Severity {
    if harmless(differences).is_some() { Severity::Warning } else { Severity::Error }
}

/// V104: `down` does not give back what was there; `-` in the diff was there before.
pub(super) fn not_undone(migration: &Migration, differences: &[Difference]) -> Finding {
    let severity = severity(differences);
    let message = format!("`down` does not give back the schema before `up`: {}", named(differences));
    let hint = harmless(differences).unwrap_or(
        "`-` is what was there before, `+` what `down` leaves; make `down` undo each statement of `up`, the last first",
    );
    Finding {
        diff: Some(diffs(differences)),
        hint: Some(hint.into()),
        ..finding(COMES_BACK, severity, migration, down_or_up(migration), message)
    }
}

/// V105: `up` gives another schema the second time.
pub(super) fn not_the_same_again(migration: &Migration, differences: &[Difference]) -> Finding {
    let severity = severity(differences);
    let message =
        format!("`up` after `down` does not give the schema of the first `up`: {}", named(differences));
    let hint = "`-` is what the first `up` made, `+` what the second did; does `down` leave something that `up` only \
                makes `IF NOT EXISTS`?";
    Finding {
        diff: Some(diffs(differences)),
        hint: Some(hint.into()),
        ..finding(UP_AGAIN, severity, migration, &migration.up, message)
    }
}

/// V107: stopped after one of its statements, the script cannot be taken up again.
pub(super) fn not_resumed(migration: &Migration, direction: Direction, error: &ApplyError) -> Finding {
    let (script, word) = (migration.script(direction).unwrap_or(&migration.up), word(direction));
    match error {
        ApplyError::Plan(error) => {
            let hint = "where a migration that was killed there has to be settled by hand, put these statements into a file \
                        of their own";
            let message = format!("stopped in the middle, `{word}` is not taken up again: {error}");
            Finding {
                hint: Some(hint.into()),
                ..finding(STOPPED, Severity::Warning, migration, script, message)
            }
        }
        error => {
            let refusal = refused(STOPPED, migration, direction, error);
            let message = match error {
                ApplyError::Statement(error) => format!(
                    "stopped after statement {} of {}, the next run of `{word}` fails: {}",
                    error.at.statement - 1,
                    error.at.n_statements,
                    error.source
                ),
                error => format!("stopped in the middle, the next run of `{word}` fails: {error}"),
            };
            let hint = "a statement that needs what the session before it had left cannot be taken up again";
            Finding { message, hint: Some(hint.into()), ..refusal }
        }
    }
}

/// V107: stopped after each of its statements and taken up again, the script gives another schema; `+` in the diff is what it
/// gives then.
pub(super) fn resumed_otherwise(
    migration: &Migration,
    direction: Direction,
    differences: &[Difference],
) -> Finding {
    let (script, word) = (migration.script(direction).unwrap_or(&migration.up), word(direction));
    let message = format!(
        "stopped after each statement and taken up again, `{word}` gives another schema: {}",
        named(differences)
    );
    let hint = "does a statement depend on the session of one before it? one script of one statement cannot be stopped in \
                the middle";
    Finding {
        diff: Some(diffs(differences)),
        hint: Some(hint.into()),
        ..finding(STOPPED, severity(differences), migration, script, message)
    }
}

/// V110: what reads the changed schema does not work any more.
pub(super) fn broken(migration: &Migration, direction: Direction, broken: &Broken) -> Finding {
    let script = migration.script(direction).unwrap_or(&migration.up);
    let (kind, name) = (broken.object.0, &broken.object.1);
    let tried = &broken.tried;
    let (severity, message) = match &broken.error {
        Some(error) => (
            Severity::Error,
            format!(
                "{kind} `{name}` does not work after `{}`: {tried}, and the server says: {error}",
                word(direction)
            ),
        ),
        None => {
            (Severity::Warning, format!("{kind} `{name}` may not work after `{}`: {tried}", word(direction)))
        }
    };
    let hint = format!(
        "the server takes this change in silence, and the application meets the error: change {kind} `{name}` in the same \
         migration, or remove it before and make it again after"
    );
    Finding { hint: Some(hint), ..finding(READERS, severity, migration, script, message) }
}

/// V108: the set as a whole; without differences, where something cannot be done at all.
pub(super) fn whole_set(message: &str, differences: &[Difference]) -> Finding {
    let has_any = !differences.is_empty();
    Finding {
        code: WHOLE_SET,
        severity: if has_any { severity(differences) } else { Severity::Error },
        version: None,
        at: None,
        message: if has_any { format!("{message}: {}", named(differences)) } else { message.to_owned() },
        notes: Vec::new(),
        diff: has_any.then(|| diffs(differences)),
        hint: None,
    }
}

/// The same finding of several tenants as one, which says on which it was made.
pub(super) fn merged(found: Vec<Found>) -> Vec<Finding> {
    let mut merged: Vec<(Finding, Vec<Kind>)> = Vec::new();
    let mut places: BTreeMap<(Option<i64>, &'static str, String), usize> = BTreeMap::new();
    for Found { mut finding, on } in found {
        finding.message = scratch::without_names(&finding.message);
        let key = (finding.version.map(|version| version.0), finding.code.0, finding.message.clone());
        if let Some(&at) = places.get(&key) {
            let (known, kinds) = &mut merged[at];
            let new: Vec<_> = finding.notes.into_iter().filter(|note| !known.notes.contains(note)).collect();
            known.notes.extend(new);
            kinds.extend(on);
        } else {
            places.insert(key, merged.len());
            merged.push((finding, on.into_iter().collect()));
        }
    }
    merged.sort_by_key(|(finding, _)| (finding.version, finding.code));
    merged.into_iter().map(|(finding, kinds)| seen_on(finding, kinds)).collect()
}

fn seen_on(mut finding: Finding, mut kinds: Vec<Kind>) -> Finding {
    kinds.sort_unstable();
    kinds.dedup();
    let kinds: Vec<_> = kinds.into_iter().map(Kind::as_str).collect();
    if !kinds.is_empty() {
        finding.notes.insert(0, format!("seen on {}", kinds.join(" and on ")));
    }
    finding
}
