//! X005.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, SetView, base_version, spot},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X005"),
    name: "out-of-order",
    severity: Severity::Error,
    explain: "\
A new migration is older than the newest one on the base branch. Tenants that have that one already get the two in another \
order than tenants that are made later, and their schemas can differ for good. sqlx applies it all the same; this tool \
refuses it where it meets one.

`migrate:restamp --since <base>` gives every new migration a version newer than all on the base branch.",
    check: Check::Set(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260102000000_u.up.sql", "DO 1;")])
            .on(&[("20260102000000_u.up.sql", "DO 1;")]),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260102000000_u.up.sql", "DO 1;")])
            .on(&[("20260101000000_t.up.sql", "DO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")]).on(&[]),
    ],
};

fn check(set: &SetView<'_>, remarks: &mut Vec<Remark>) {
    let Some(base) = set.base else { return };
    let newest = base.tip.keys().filter_map(|name| Some((base_version(name)?, name))).max();
    let Some((newest, newest_name)) = newest else { return };
    let is_there = |name: &str| base.forked.contains_key(name) || base.tip.contains_key(name);
    for migration in set.set.iter().filter(|migration| migration.version < newest) {
        let script = &migration.up;
        if !is_there(&script.file_name) {
            remarks.push(
                Remark::at(
                    spot(&script.file_name, &script.source, 0..0),
                    format!(
                        "this new migration is older than `{newest_name}`, which is on {}",
                        base.reference
                    ),
                )
                .about(migration.version)
                .hint(format!("`migrate:restamp --since {}` gives it a newer version", base.reference)),
            );
        }
    }
}
