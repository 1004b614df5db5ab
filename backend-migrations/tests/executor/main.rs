//! Planning and applying, held against a model of a database that can fail at any moment.

mod applied;
mod cases;
mod disturbed;
mod model;
mod planned;
mod refused;
mod renewed;
mod replanned;
mod retried;
mod session;
mod sets;
mod sql;
mod stands;
