//! M108: a table's text gets another character set.

use super::facts::in_use;
use crate::{
    finding::{Code, Severity},
    lint::{Check, ClauseView, Example, Remark, Rule},
    sql::change::Clause,
};

pub(super) static RULE: Rule = Rule {
    code: Code("M108"),
    name: "convert-charset",
    severity: Severity::Warning,
    explain: "\
Every text is converted and every index over text written anew. Keys may be alike under the new \
collation that were not under the old one (1062), an index may grow over 3072 bytes (1071), and a \
character that the new set lacks ends the statement (1366). Where a character may take more bytes than \
before, a TEXT becomes a MEDIUMTEXT. A column that a foreign key uses is not converted (M112), and \
between a table that is converted and one that is not no key can be made.

Look for keys that become alike first: `SELECT CONVERT(a USING utf8mb4) COLLATE …, COUNT(*) FROM t GROUP \
BY 1 HAVING COUNT(*) > 1`.",
    check: Check::Clause(check),
    fires: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50));"),
            (
                "20260102000000_u.up.sql",
                "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
            ),
        ]),
        Example::files(&[("20260101000000_u.up.sql", "ALTER TABLE t CONVERT TO CHARACTER SET latin1;")]),
    ],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(50));"),
            ("20260102000000_u.up.sql", "ALTER TABLE t DEFAULT CHARACTER SET utf8mb4;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE TABLE t (id INT PRIMARY KEY);"),
            ("20260102000000_u.up.sql", "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;"),
        ]),
    ],
};

fn check(at: &ClauseView<'_>, found: &mut Vec<Remark>) {
    if !in_use(at) {
        return;
    }
    let table = &at.alter.name.name;
    if let Clause::Convert { charset, .. } = &at.clause.clause {
        let has_no_text = at.table.is_some_and(|known| {
            known.is_whole && !known.columns.iter().any(|column| column.data_type.is_text())
        });
        if has_no_text {
            return;
        }
        let lacking = match charset.as_deref() {
            Some(charset) if !charset.starts_with("utf8mb4") => {
                format!(", and a character that {charset} lacks ends the statement (1366)")
            }
            _ => String::new(),
        };
        let message = format!(
            "all text of `{table}` is converted: keys may become alike (1062) or too long (1071){lacking}"
        );
        found.push(Remark::new(at.clause.span.clone(), message));
    }
}
