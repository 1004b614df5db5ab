//! Changes one MySQL or MariaDB database per tenant, all of them, safely.

// Floor 0: words.
pub mod history;
pub mod migration;
pub mod secret;
pub mod tenant;
// Floor 2: judgment.
pub mod plan;
pub mod standing;
// Floor 3: speech.
pub mod event;
pub mod session;
// Floor 4: edges.
pub mod mysql;
// Floor 5: one database.
pub mod apply;
// Floor 6: what it came to.
pub mod summary;
// Floor 8: telling it.
#[cfg(feature = "cli")]
pub mod report;
