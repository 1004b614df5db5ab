//! X020.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X020"),
    name: "not-inverse",
    severity: Severity::Warning,
    explain: "\
As far as the text tells, `up` and then `down` do not give back the tables, columns, indexes and keys that were there before. \
A rollback would leave a schema that no migration knows, and the next `up` may fail on it.

Undo in `down` all that `up` does, last things first. This rule says nothing where it does not understand a statement; \
`migrate:verify` proves it on a real server.",
    check: Check::Own,
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260101000000_t.down.sql", "DROP TABLE t;"),
            ("20260102000000_u.up.sql", "ALTER TABLE t ADD COLUMN b INT, ADD INDEX idx_a (a);"),
            ("20260102000000_u.down.sql", "ALTER TABLE t DROP COLUMN b;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE VIEW v AS SELECT 1 AS one;"),
            ("20260101000000_t.down.sql", "DO 1;"),
        ]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, a INT);"),
            ("20260101000000_t.down.sql", "DROP TABLE t;"),
            ("20260102000000_u.up.sql", "ALTER TABLE t CHANGE a b BIGINT, ADD INDEX idx_b (b);"),
            ("20260102000000_u.down.sql", "DROP INDEX idx_b ON t; ALTER TABLE t CHANGE b a INT;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CALL make_tables();"),
            ("20260101000000_t.down.sql", "DO 1;"),
            ("20260102000000_t.up.sql", "CREATE VIEW v AS SELECT 1 AS one;"),
            ("20260102000000_t.down.sql", "DO 1;"),
        ]),
    ],
};
