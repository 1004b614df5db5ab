//! Proves migrations on a server: that they run, that they come back, and what they do to rows and to writes.

pub mod content;
pub mod cost;
pub mod fill;
