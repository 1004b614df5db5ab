//! Changes one MySQL or MariaDB database per tenant, all of them, safely.
//!
//! The modules stand on floors, and each uses lower floors only; `ARCHITECTURE.md` tells what each is for, and a test
//! holds them to it.

// Floor 0: words.
pub mod finding;
pub mod history;
pub mod migration;
pub mod secret;
pub mod tenant;
// Floor 1: pure.
pub mod directive;
pub mod schema;
pub mod seal;
pub mod sql;
// Floor 2: judgment.
pub mod diagnosis;
pub mod lint;
pub mod plan;
pub mod rows;
pub mod selection;
pub mod standing;
// Floor 3: speech.
pub mod event;
pub mod fault;
pub mod session;
// Floor 4: edges.
pub mod disk;
pub mod entropy;
pub mod git;
pub mod make;
pub mod mysql;
// Floor 5: one database.
pub mod apply;
// Floor 6: what came of it.
pub mod failure;
pub mod scratch;
pub mod summary;
// Floor 7: many databases.
pub mod fleet;
// Floor 8: a new one, one that was left half done, one that goes back, and proofs.
pub mod provision;
pub mod recover;
pub mod rollback;
pub mod verify;
// Floor 9: telling it.
#[cfg(feature = "cli")]
pub mod report;
// Floor 10: the face.
#[cfg(feature = "cli")]
pub mod cli;
