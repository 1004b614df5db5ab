//! X004.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, SetView, spot},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X004"),
    name: "unpaired-file",
    severity: Severity::Warning,
    explain: "\
Without its `.down.sql` a migration cannot be undone, and sqlx's revert passes over it to an older one in silence. A \
`.down.sql` without its `.up.sql`, and a `.sql` beside a pair of the same version, are refused by this tool.

Write the missing file. Where nothing can undo the migration, say so in the `up`: \
`-- migration: irreversible <reason>`.",
    check: Check::Set(check),
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);")]),
        Example::files(&[("20260101000000_t.down.sql", "DROP TABLE t;")]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;"), ("20260101000000_t.sql", "DO 1;")]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260101000000_t.down.sql", "DROP TABLE t;"),
        ]),
        Example::files(&[(
            "20260101000000_t.up.sql",
            "-- migration: irreversible the old values are known nowhere\nUPDATE t SET a = 1 WHERE a = 2;",
        )]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")]).with_side_file(
            "[[declare]]\nmigration = 20260101000000\ndirective = \"irreversible\"\nreason = \"it does nothing\"\n",
        ),
    ],
};

fn check(set: &SetView<'_>, remarks: &mut Vec<Remark>) {
    let unpaired = set.set.iter().filter(|migration| migration.down.is_none());
    for migration in unpaired.filter(|migration| !set.declared(migration).is_irreversible()) {
        let script = &migration.up;
        remarks.push(
            Remark::at(spot(&script.file_name, &script.source, 0..0), "nothing undoes this migration")
                .about(migration.version)
                .hint("write its `.down.sql`, or say `-- migration: irreversible <reason>`"),
        );
    }
}
