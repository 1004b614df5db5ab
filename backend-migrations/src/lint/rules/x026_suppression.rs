//! X026.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X026"),
    name: "suppression",
    severity: Severity::Warning,
    explain: "\
A suppression, `-- lint:ignore X011 <reason>` in a file or `[[suppress]]` in `migrations/lint.toml`, names a rule that does not \
exist, gives no reason, or has nothing to suppress any more.

Give it its reason; take out what nothing needs, so that it does not hide the next finding.",
    check: Check::Own,
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "-- lint:ignore X022\nSELECT 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "-- lint:ignore X022 it is gone\nDO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "-- lint:ignore X999 typed in haste\nDO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "SELECT 1;")])
            .with_side_file("[[suppress]]\ncode = \"X022\"\nmigration = 20260101000000\n"),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")])
            .with_side_file("[[suppress]]\ncode = \"X022\"\nmigration = 20260101000000\nreason = \"it is gone\"\n"),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")]).with_side_file("[severity]\nX999 = \"off\"\n"),
    ],
    passes: &[
        Example::files(&[("20260101000000_t.up.sql", "-- lint:ignore X022 it warms the cache\nSELECT 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "SELECT 1;")]).with_side_file(
            "[[suppress]]\ncode = \"X022\"\nfile = \"20260101000000_t.up.sql\"\nreason = \"it warms the cache\"\n",
        ),
    ],
};
