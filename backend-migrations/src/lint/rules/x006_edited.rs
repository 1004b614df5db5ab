//! X006.

use crate::{
    finding::{Code, Severity, Spot},
    lint::{Check, Example, Remark, Rule, SetView, base_version},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X006"),
    name: "edited-migration",
    severity: Severity::Error,
    explain: "\
The file is on the base branch, so it may be applied somewhere, and its bytes are not the same any more. Its checksum is in \
every history that has it: this tool and sqlx refuse to go on there. A comment or a line ending counts as well.

Restore the file, and put the change into a new migration. What a comment should say, `migrations/lint.toml` can say.",
    check: Check::Set(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id BIGINT PRIMARY KEY);")])
            .on(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);")]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;\r\n")]).on(&[("20260101000000_t.up.sql", "DO 1;\n")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260102000000_u.up.sql", "DO 2;")])
            .on(&[("20260101000000_t.up.sql", "DO 1;")]),
        // No history has the checksum of a down file.
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260101000000_t.down.sql", "DO 2;")])
            .on(&[("20260101000000_t.up.sql", "DO 1;"), ("20260101000000_t.down.sql", "DO 1;")]),
    ],
};

fn check(set: &SetView<'_>, remarks: &mut Vec<Remark>) {
    let Some(base) = set.base else { return };
    for (name, known) in base.forked.iter().filter(|(name, _)| !name.ends_with(".down.sql")) {
        let (Some(version), Some(bytes)) = (base_version(name), set.files.get(name)) else { continue };
        // What the base branch changed itself, and this branch took over, is not this branch's doing.
        if bytes == known || base.tip.get(name) == Some(bytes) {
            continue;
        }
        let at = first_difference(bytes, known);
        let line = bytes[..at].split(|&byte| byte == b'\n').count();
        let without_returns =
            |bytes: &[u8]| bytes.iter().copied().filter(|&byte| byte != b'\r').collect::<Vec<_>>();
        let note = if without_returns(bytes) == without_returns(known) {
            "only the line endings differ: `*.sql text eol=lf` in `.gitattributes` keeps them"
        } else {
            "this line is the first that differs"
        };
        remarks.push(
            Remark::at(
                Spot { file_name: name.clone(), line, span: None },
                format!("this migration is on {} and may not change any more", base.reference),
            )
            .about(version)
            .note(note)
            .hint(format!(
                "restore it (`git checkout {} -- {name}`, in its folder) and put the change into a new migration",
                base.reference
            )),
        );
    }
}

fn first_difference(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()))
}
