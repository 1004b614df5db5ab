//! X027.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X027"),
    name: "directive",
    severity: Severity::Warning,
    explain: "\
A directive, `-- migration: loses tasks.note <reason>` in a file or `[[declare]]` in `migrations/lint.toml`, is none that \
exists, gives no reason, or declares what the migration does not do.

The directives are `irreversible`, `loses TABLE`, `loses TABLE.COLUMN` and `blocks-writes`, each with its reason after it. Take \
out what nothing needs, so that it does not cover something that comes later.",
    check: Check::Own,
    fires: &[
        Example::files(&[("20260101000000_t.up.sql", "-- migration: irreversible\nDO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "-- migration: undoable as long as it is new\nDO 1;")]),
        Example::files(&[("20260101000000_t.up.sql", "-- migration: loses tasks.note moved\nALTER TABLE tasks ADD COLUMN a INT;")]),
        Example::files(&[
            ("20260101000000_t.up.sql", "-- migration: irreversible nobody knows how\nCREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260101000000_t.down.sql", "DROP TABLE t;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "DO 1;")]).with_side_file(
            "[[declare]]\nmigration = 20260102000000\ndirective = \"irreversible\"\nreason = \"typed in haste\"\n",
        ),
    ],
    passes: &[
        Example::files(&[(
            "20260101000000_t.up.sql",
            "-- migration: loses tasks.note moved to the table notes\n-- migration: irreversible the notes stay there\n\
             ALTER TABLE tasks DROP COLUMN note;",
        )]),
        // A `down` that does nothing is there so that sqlx can go back past it.
        Example::files(&[
            ("20260101000000_t.up.sql", "-- migration: irreversible nobody knows which had none\nUPDATE t SET a = 1 WHERE a IS NULL;"),
            ("20260101000000_t.down.sql", "DO 0;"),
        ]),
        Example::files(&[("20260101000000_t.up.sql", "-- migration: blocks-writes at night, it takes a second\nALTER TABLE t MODIFY a BIGINT;")]),
    ],
};
