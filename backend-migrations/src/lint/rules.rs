//! The rules, one a file: `explain`, `check`, and files it objects to and does not.
//!
//! A new rule is a file here and a line in [`RULES`]; `tests/lint.rs` then asks its examples, and writes `docs/lint.md`.

mod d101_drop_database;
mod d102_drop_table;
mod d103_drop_column;
mod d104_all_rows;
mod d105_drop_partition;
mod d106_narrower_type;
mod d107_forgotten_attribute;
mod d108_needed_index;
mod d109_lost_rename;
mod d110_ignored_errors;
mod x001_bad_file_name;
mod x002_ignored_file;
mod x003_duplicate_version;
mod x004_unpaired;
mod x005_out_of_order;
mod x006_edited;
mod x007_deleted;
mod x008_encoding;
mod x009_no_transaction;
mod x010_delimiter;
mod x011_several_ddl;
mod x012_transaction_control;
mod x013_other_database;
mod x014_session_leak;
mod x015_server_wide;
mod x016_history_table;
mod x017_client_command;
mod x018_masking_exists;
mod x019_one_server_only;
mod x020_not_inverse;
mod x021_big_file;
mod x022_bare_select;
mod x023_definer;
mod x024_nondeterministic;
mod x025_unreadable;
mod x026_suppression;
mod x027_directive;

use super::{Catalogue, Remark, Rule, declared};
use crate::migration::Script;

/// Every rule, by code.
pub(super) static RULES: &[&Rule] = &[
    &d101_drop_database::RULE,
    &d102_drop_table::RULE,
    &d103_drop_column::RULE,
    &d104_all_rows::RULE,
    &d105_drop_partition::RULE,
    &d106_narrower_type::RULE,
    &d107_forgotten_attribute::RULE,
    &d108_needed_index::RULE,
    &d109_lost_rename::RULE,
    &d110_ignored_errors::RULE,
    &x001_bad_file_name::RULE,
    &x002_ignored_file::RULE,
    &x003_duplicate_version::RULE,
    &x004_unpaired::RULE,
    &x005_out_of_order::RULE,
    &x006_edited::RULE,
    &x007_deleted::RULE,
    &x008_encoding::RULE,
    &x009_no_transaction::RULE,
    &x010_delimiter::RULE,
    &x011_several_ddl::RULE,
    &x012_transaction_control::RULE,
    &x013_other_database::RULE,
    &x014_session_leak::RULE,
    &x015_server_wide::RULE,
    &x016_history_table::RULE,
    &x017_client_command::RULE,
    &x018_masking_exists::RULE,
    &x019_one_server_only::RULE,
    &x020_not_inverse::RULE,
    &x021_big_file::RULE,
    &x022_bare_select::RULE,
    &x023_definer::RULE,
    &x024_nondeterministic::RULE,
    &x025_unreadable::RULE,
    &x026_suppression::RULE,
    &x027_directive::RULE,
];

/// The rule about suppressions, which the engine itself checks.
pub(super) static SUPPRESSION: &Rule = &x026_suppression::RULE;
/// The rule about directives, which the engine itself checks.
pub(super) static DIRECTIVE: &Rule = &x027_directive::RULE;
/// The rule about `up` and `down` together, which the engine itself checks.
pub(super) static INVERSE: &Rule = &x020_not_inverse::RULE;

/// What `up` and `down` together leave and take; about the `down`.
pub(super) fn inverse(down: &Script, before: &Catalogue, undone: &Catalogue) -> Vec<Remark> {
    declared::inverse(&down.file_name, before, undone)
}
