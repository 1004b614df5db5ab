//! What is told of what was found: severities, suppressions, and suppressions that nothing needs.

use std::collections::BTreeMap;

use super::{Fault, Input, Remark, Rule, rule, rules};
use crate::{
    directive::{SuppressEntry, Suppression, Weight, suppressions},
    finding::{Code, Finding, Severity, Spot},
    migration::{Migration, Version},
};

/// The findings so far.
pub(super) struct Told<'a> {
    input: &'a Input<'a>,
    weights: BTreeMap<&'static str, Weight>,
    findings: Vec<Finding>,
    /// Those that a suppression took: by code, file and version.
    suppressed_by_side_file: Vec<bool>,
    inline: BTreeMap<String, Vec<(Suppression, bool)>>,
}

impl<'a> Told<'a> {
    pub(super) fn new(input: &'a Input<'a>) -> Self {
        let mut told = Self {
            input,
            weights: BTreeMap::new(),
            findings: Vec::new(),
            suppressed_by_side_file: vec![false; input.side_file.suppressions.len()],
            inline: BTreeMap::new(),
        };
        let mut remarks = Vec::new();
        for (code, weight, at) in &input.side_file.weights {
            match rule(code) {
                Some(rule) => {
                    told.weights.insert(rule.code.0, *weight);
                }
                None => remarks.push(no_such_rule(code, at)),
            }
        }
        for migration in input.set.iter() {
            for script in std::iter::once(&migration.up).chain(migration.down.as_ref()) {
                let found = suppressions(script);
                if !found.is_empty() {
                    let found = found.into_iter().map(|suppression| (suppression, false)).collect();
                    told.inline.insert(script.file_name.clone(), found);
                }
            }
        }
        told.remarks(rules::SUPPRESSION, None, remarks);
        told
    }

    /// Tells what was wrong when a file was read.
    pub(super) fn fault(&mut self, fault: &Fault) {
        let Some(rule) = rule(fault.code.0) else { return };
        let at = Spot { file_name: fault.file_name.clone(), line: fault.line.unwrap_or(1), span: None };
        let mut remark = Remark::at(at, fault.message.clone()).hint(fault.hint.clone());
        remark.severity = fault.severity;
        self.remarks(rule, None, vec![remark]);
    }

    /// Tells what `rule` remarks.
    pub(super) fn remarks(&mut self, rule: &Rule, version: Option<Version>, remarks: Vec<Remark>) {
        for remark in remarks {
            let Remark { at, version: own, severity, message, notes, hint, .. } = remark;
            let version = own.or(version);
            if let (Some(version), Some(only)) = (own, self.input.only)
                && !only.contains(&version)
            {
                continue;
            }
            let severity = match self.weights.get(rule.code.0) {
                Some(Weight::Off) => continue,
                Some(Weight::As(severity)) => *severity,
                None => severity.unwrap_or(rule.severity),
            };
            if !self.is_suppressed(rule.code, version, at.as_ref()) {
                self.findings.push(Finding {
                    code: rule.code,
                    severity,
                    version,
                    at,
                    message,
                    notes,
                    diff: None,
                    hint,
                });
            }
        }
    }

    fn is_suppressed(&mut self, code: Code, version: Option<Version>, at: Option<&Spot>) -> bool {
        let mut is_suppressed = false;
        let file_name = at.map(|at| at.file_name.as_str());
        for (entry, is_used) in
            self.input.side_file.suppressions.iter().zip(&mut self.suppressed_by_side_file)
        {
            if takes(entry, code, version, file_name) {
                *is_used = true;
                is_suppressed = true;
            }
        }
        for (suppression, is_used) in
            file_name.and_then(|name| self.inline.get_mut(name)).into_iter().flatten()
        {
            if suppression.code.eq_ignore_ascii_case(code.0) {
                *is_used = true;
                is_suppressed = true;
            }
        }
        is_suppressed
    }

    /// Tells what is wrong with the suppressions in a migration's files, once all else of it is told.
    pub(super) fn suppressions_of(&mut self, migration: &Migration) {
        let mut remarks = Vec::new();
        for script in std::iter::once(&migration.up).chain(migration.down.as_ref()) {
            for (Suppression { code, reason, at }, is_used) in
                self.inline.remove(&script.file_name).unwrap_or_default()
            {
                remarks.extend(problems(&code, reason.as_deref(), &at, is_used));
            }
        }
        self.remarks(rules::SUPPRESSION, Some(migration.version), remarks);
    }

    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        let mut remarks = Vec::new();
        let side_file = self.input.side_file;
        for (entry, is_used) in side_file.suppressions.iter().zip(self.suppressed_by_side_file.clone()) {
            // Where only some migrations are looked at, the others' suppressions have nothing to do.
            let is_used = is_used || self.input.only.is_some();
            remarks.extend(problems(&entry.code, entry.reason.as_deref(), &entry.at, is_used));
        }
        self.remarks(rules::SUPPRESSION, None, remarks);
        let orphans =
            side_file.declarations.iter().filter(|entry| self.input.set.get(entry.version).is_none());
        let orphans: Vec<_> = orphans
            .map(|entry| {
                let message = format!("there is no migration {} to declare this for", entry.version);
                Remark::at(entry.declaration.at.clone(), message).hint("take it out, or mend the number")
            })
            .collect();
        self.remarks(rules::DIRECTIVE, None, orphans);
        self.findings.sort_by(|a, b| key(a).cmp(&key(b)));
        self.findings
    }
}

fn key(finding: &Finding) -> (Option<Version>, Option<&str>, usize, usize, Code) {
    let at = finding.at.as_ref();
    let start = at.and_then(|at| at.span.as_ref()).map_or(0, |span| span.start);
    // `down` before `up` by name; people read them the other way round.
    (finding.version, at.map(|at| at.file_name.as_str()), at.map_or(0, |at| at.line), start, finding.code)
}

fn takes(entry: &SuppressEntry, code: Code, version: Option<Version>, file_name: Option<&str>) -> bool {
    let is_named = entry.version.is_some() || entry.file_name.is_some();
    is_named
        && entry.code.eq_ignore_ascii_case(code.0)
        && entry.version.is_none_or(|own| Some(own) == version)
        && entry.file_name.as_deref().is_none_or(|own| Some(own) == file_name)
}

fn no_such_rule(code: &str, at: &Spot) -> Remark {
    if is_proof(code) {
        let message = format!("{code} is a proof and no rule: nothing of it is suppressed");
        return Remark::at(at.clone(), message).hint(
            "declare what is meant: `-- migration: irreversible`, `loses` or `blocks-writes`, and the reason",
        );
    }
    let message =
        if code.is_empty() { "no rule is named".to_owned() } else { format!("there is no rule `{code}`") };
    Remark::at(at.clone(), message).hint("docs/lint.md has them all")
}

/// Whether it is a code of verify, which has declarations in place of suppressions.
fn is_proof(code: &str) -> bool {
    let digits = code.strip_prefix(['V', 'v']).unwrap_or_default();
    digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn problems(code: &str, reason: Option<&str>, at: &Spot, is_used: bool) -> Vec<Remark> {
    if rule(code).is_none() {
        return vec![no_such_rule(code, at)];
    }
    let mut remarks = Vec::new();
    if reason.is_none() {
        remarks.push(
            Remark::at(at.clone(), format!("{code} is suppressed without a reason"))
                .hint("say why it is all right here: a reviewer will ask")
                .weighs(Severity::Error),
        );
    }
    if !is_used {
        remarks.push(
            Remark::at(at.clone(), format!("nothing is left of {code} to suppress here"))
                .hint("take it out, so that it does not hide something that comes later"),
        );
    }
    remarks
}
