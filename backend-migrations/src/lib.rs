//! Changes one MySQL or MariaDB database per tenant, all of them, safely.

// Floor 0: words.
pub mod migration;
pub mod secret;
pub mod tenant;

// Floor 1: pure.
pub mod seal;

// Floor 4: edges.
pub mod entropy;
pub mod make;
