//! X007.

use crate::{
    finding::{Code, Severity, Spot},
    lint::{Check, Example, Remark, Rule, SetView, base_version},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X007"),
    name: "deleted-migration",
    severity: Severity::Error,
    explain: "\
The file is on the base branch, so it may be applied somewhere, and it is no longer here. Where a history has it, this tool \
and sqlx refuse to go on (\"missing\"), and where none has, the schema is another.

Restore it. What it did is undone by a new migration.",
    check: Check::Set(check),
    fires: &[
        Example::files(&[("20260102000000_u.up.sql", "DO 1;")])
            .on(&[("20260101000000_t.up.sql", "DO 1;"), ("20260102000000_u.up.sql", "DO 1;")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")]).on(&[("20260101000000_t.up.sql", "DO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")])
            .on(&[("20260101000000_t.up.sql", "DO 1;"), ("README.md", "")]),
    ],
};

fn check(set: &SetView<'_>, remarks: &mut Vec<Remark>) {
    let Some(base) = set.base else { return };
    for name in base.forked.keys().filter(|name| !set.files.contains_key(*name)) {
        // What is gone on the base branch as well went there.
        if base_version(name).is_some() && base.tip.contains_key(name) {
            remarks.push(
                Remark::at(
                    Spot { file_name: name.clone(), line: 1, span: None },
                    format!("this migration is on {} and no longer here", base.reference),
                )
                .hint(format!("restore it: `git checkout {} -- {name}`, in its folder", base.reference)),
            );
        }
    }
}
