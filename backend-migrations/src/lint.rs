//! Rules over a set of migrations: what can be said of them without a server.
//!
//! Pure. The files are read, and git is asked, elsewhere; here everything is in memory. The scripts are gone through in
//! order, and each statement meets the [`Catalogue`] of what the scripts before it made, so that a rule knows the column
//! that is dropped. What was not understood is no finding: a rule that would need it says nothing.

mod catalogue;
mod declared;
mod rule;
mod rules;
mod suppress;
mod view;

use std::collections::{BTreeMap, BTreeSet};

pub use self::{
    catalogue::{Catalogue, Table},
    declared::Declared,
    rule::{Check, Example, Files, Remark, Rule},
    view::{ClauseView, ScriptView, SetView, StatementView},
};
use self::{rules::RULES, suppress::Told};
use crate::{
    directive::SideFile,
    finding::{Code, Finding, Severity, Spot},
    migration::{Direction, Migration, MigrationSet, Script, Version},
    sql::{change::Reading, read},
};

/// Every rule, by code.
pub fn rules() -> &'static [&'static Rule] {
    RULES
}

/// The rule with this code, in whatever letter case.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.code.0.eq_ignore_ascii_case(code))
}

/// Something that is wrong with a file before its statements can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule it belongs to.
    pub code: Code,
    /// How much it weighs where that is not the rule's own weight.
    pub severity: Option<Severity>,
    /// The file's name without its folder.
    pub file_name: String,
    /// The line it is about, from 1, if it is about one.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub hint: String,
}

/// What git has of the folder on the base branch.
#[derive(Clone, Copy, Debug)]
pub struct BaseFiles<'a> {
    /// The reference, such as `origin/main`.
    pub reference: &'a str,
    /// The files where this branch began.
    pub forked: &'a BTreeMap<String, Vec<u8>>,
    /// The files as they are on the base branch now.
    pub tip: &'a BTreeMap<String, Vec<u8>>,
}

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Every `.sql` file of the folder, by name, whatever is in it.
    pub files: &'a BTreeMap<String, Vec<u8>>,
    /// The migrations that could be read.
    pub set: &'a MigrationSet,
    /// What is wrong with the other files.
    pub faults: &'a [Fault],
    /// The base branch, if one was named.
    pub base: Option<BaseFiles<'a>>,
    /// What `lint.toml` says.
    pub side_file: &'a SideFile,
    /// The migrations to speak of; `None` for all. The others are read all the same, for what they make.
    pub only: Option<&'a BTreeSet<Version>>,
}

/// What was found, in the order it is to be told: by version, then by file, line and code. Findings without a version
/// come first.
pub fn lint(input: &Input<'_>) -> Vec<Finding> {
    let mut told = Told::new(input);
    for fault in input.faults {
        told.fault(fault);
    }
    let set = SetView { files: input.files, set: input.set, base: input.base, side_file: input.side_file };
    for rule in RULES {
        if let Check::Set(check) = rule.check {
            let mut remarks = Vec::new();
            check(&set, &mut remarks);
            told.remarks(rule, None, remarks);
        }
    }
    // A file that could not be read may have changed anything.
    let is_whole = input.faults.is_empty();
    let mut catalogue = Catalogue::new(is_whole);
    for migration in input.set.iter() {
        let is_told = input.only.is_none_or(|only| only.contains(&migration.version));
        examine(migration, &mut catalogue, is_told.then_some(&mut told), input.side_file);
    }
    told.into_findings()
}

/// Looks at one migration, and leaves in `catalogue` what it makes.
fn examine(
    migration: &Migration,
    catalogue: &mut Catalogue,
    mut told: Option<&mut Told<'_>>,
    side_file: &SideFile,
) {
    let before = catalogue.clone();
    let declared = Declared::of(migration, side_file);
    let up = read_all(&migration.up);
    if let Some(told) = told.as_deref_mut() {
        let view = ScriptView {
            migration,
            direction: Direction::Up,
            script: &migration.up,
            readings: &up,
            before: &before,
            declared: &declared,
        };
        examine_script(&view, catalogue, told);
    } else {
        for reading in &up {
            catalogue.apply(&reading.change);
        }
    }
    let Some(told) = told else { return };
    let down = migration.down.as_ref().map(|script| (script, read_all(script)));
    if let Some((script, readings)) = &down {
        let mut undone = catalogue.clone();
        let view = ScriptView {
            migration,
            direction: Direction::Down,
            script,
            readings,
            before: catalogue,
            declared: &declared,
        };
        examine_script(&view, &mut undone, told);
        told.remarks(rules::INVERSE, Some(migration.version), rules::inverse(script, &before, &undone));
    }
    let down = down.map(|(_, readings)| readings);
    told.remarks(
        rules::DIRECTIVE,
        Some(migration.version),
        declared.problems(migration, &up, down.as_deref()),
    );
    told.suppressions_of(migration);
}

fn read_all(script: &Script) -> Vec<Reading> {
    script.statements.iter().map(read).collect()
}

fn examine_script(view: &ScriptView<'_>, catalogue: &mut Catalogue, told: &mut Told<'_>) {
    let version = Some(view.migration.version);
    let mut found: Vec<(&Rule, Vec<Remark>)> = RULES.iter().map(|rule| (*rule, Vec::new())).collect();
    for (rule, remarks) in &mut found {
        if let Check::Script(check) = rule.check {
            check(view, remarks);
        }
    }
    for (at, reading) in view.readings.iter().enumerate() {
        let statement = StatementView { script: view, at, reading, before: catalogue };
        for (rule, remarks) in &mut found {
            match rule.check {
                Check::Statement(check) => check(&statement, remarks),
                Check::Clause(check) => statement.clauses().for_each(|clause| check(&clause, remarks)),
                Check::Files | Check::Set(_) | Check::Script(_) | Check::Own => {}
            }
        }
        catalogue.apply(&reading.change);
    }
    for (rule, remarks) in found {
        told.remarks(rule, version, remarks.into_iter().map(|remark| remark.within(view.script)).collect());
    }
}

/// The version that a file of the base branch has in its name, if it is a migration's.
fn base_version(file_name: &str) -> Option<Version> {
    let (prefix, rest) = file_name.split_once('_')?;
    rest.strip_suffix(".sql")?;
    prefix.parse().ok().map(Version)
}

/// The place of a span in a file.
fn spot(file_name: &str, text: &str, span: std::ops::Range<usize>) -> Spot {
    let line = text.as_bytes()[..span.start.min(text.len())].split(|&byte| byte == b'\n').count();
    Spot { file_name: file_name.to_owned(), line, span: Some(span) }
}
