//! X010.

use crate::{
    finding::{Code, Severity},
    lint::{Check, Example, Rule},
};

pub(super) static RULE: Rule = Rule {
    code: Code("X010"),
    name: "delimiter",
    severity: Severity::Error,
    explain: "\
DELIMITER is a command of the mysql client; the server answers it with error 1064 (sqlx's issue 2134).

Take the DELIMITER lines out and end each body with `END;`: where a body ends is found without them.",
    check: Check::Files,
    fires: &[Example::files(&[(
        "20260101000000_t.up.sql",
        "DELIMITER //\nCREATE PROCEDURE p() BEGIN DO 1; END //\nDELIMITER ;\n",
    )])],
    passes: &[Example::files(&[("20260101000000_t.up.sql", "CREATE PROCEDURE p() BEGIN DO 1; END;\n")])],
};
