//! B107: a view no longer gives a column.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Remark, Rule, StatementView},
    sql::change::{Change, ObjectKind},
};

pub(super) static RULE: Rule = Rule {
    code: Code("B107"),
    name: "view-loses-column",
    severity: Severity::Warning,
    explain: "\
Instances with the old code, and reports that nobody remembers, ask the view for the column and get \
1054.

Instead: keep the column until nobody reads it, or make a view with another name.",
    check: Check::Statement(check),
    fires: &[Example::files(&[
        ("20260101000000_t.up.sql", "CREATE VIEW v AS SELECT 1 AS a, 2 AS b;"),
        ("20260102000000_u.up.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;"),
    ])],
    passes: &[
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE VIEW v AS SELECT 1 AS a;"),
            ("20260102000000_u.up.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a, 2 AS b;"),
        ]),
        Example::files(&[
            ("20260101000000_t.up.sql", "CREATE VIEW v AS SELECT * FROM t;"),
            ("20260102000000_u.up.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS a;"),
        ]),
    ],
};

fn check(at: &StatementView<'_>, found: &mut Vec<Remark>) {
    if !at.script.is_up() {
        return;
    }
    let (Change::Create(view) | Change::Alter(view)) = &at.reading.change else { return };
    if view.kind != ObjectKind::View {
        return;
    }
    let (Some(before), Some(after)) = (at.before.view_columns(&view.name), &view.columns) else { return };
    for gone in before.iter().filter(|column| !after.iter().any(|other| other.eq_ignore_ascii_case(column))) {
        let message = format!(
            "view `{}` no longer gives `{gone}`: code that runs during the release may ask for it",
            view.name.name
        );
        found.push(Remark::new(view.name.span.clone(), message));
    }
}
