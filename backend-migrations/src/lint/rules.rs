//! The rules, one a file: `explain`, `check`, and files it objects to and does not.
//!
//! A new rule is a file here and a line in [`RULES`]; `tests/lint.rs` then asks its examples, and writes `docs/lint.md`.

mod b101_rename_table;
mod b102_rename_column;
mod b103_required_column;
mod b104_drop_default;
mod b105_new_constraint;
mod b106_new_enum_value;
mod b107_view_loses_column;
mod cost;
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
mod facts;
mod keys;
mod l101_copy_blocks_writes;
mod l102_rebuild;
mod l103_instant_spoilt;
mod l104_no_algorithm;
mod l105_asks_to_block;
mod l106_instant_with_lock;
mod l107_add_foreign_key;
mod l108_index_blocks_writes;
mod l109_several_alters;
mod l111_backfill;
mod l112_maintenance;
mod l113_add_auto_increment;
mod l114_partition;
mod l116_own_lock;
mod l117_create_table_select;
mod l118_trigger_on_table_in_use;
mod m101_unique_may_fail;
mod m102_index_becomes_unique;
mod m103_implicit_value;
mod m104_null_becomes_not_null;
mod m105_foreign_key_may_fail;
mod m106_check_may_fail;
mod m107_type_of_another_kind;
mod m108_convert_charset;
mod m109_add_primary_key;
mod m110_foreign_key_types;
mod m111_foreign_key_to_non_unique;
mod m112_foreign_key_column;
mod m113_referenced_table;
mod m114_column_of_unique_key;
mod s101_no_primary_key;
mod s103_old_charset;
mod s104_no_charset;
mod s105_redundant_index;
mod s109_small_counter;
mod s113_zero_date;
mod s114_inline_references;
mod s116_unnamed_constraint;
mod s118_long_name;
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
mod x028_unfinished;

use super::{Catalogue, Remark, Rule, declared};
use crate::migration::Script;

/// Every rule, by code.
pub(super) static RULES: &[&Rule] = &[
    &b101_rename_table::RULE,
    &b102_rename_column::RULE,
    &b103_required_column::RULE,
    &b104_drop_default::RULE,
    &b105_new_constraint::RULE,
    &b106_new_enum_value::RULE,
    &b107_view_loses_column::RULE,
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
    &l101_copy_blocks_writes::RULE,
    &l102_rebuild::RULE,
    &l103_instant_spoilt::RULE,
    &l104_no_algorithm::RULE,
    &l105_asks_to_block::RULE,
    &l106_instant_with_lock::RULE,
    &l107_add_foreign_key::RULE,
    &l108_index_blocks_writes::RULE,
    &l109_several_alters::RULE,
    &l111_backfill::RULE,
    &l112_maintenance::RULE,
    &l113_add_auto_increment::RULE,
    &l114_partition::RULE,
    &l116_own_lock::RULE,
    &l117_create_table_select::RULE,
    &l118_trigger_on_table_in_use::RULE,
    &m101_unique_may_fail::RULE,
    &m102_index_becomes_unique::RULE,
    &m103_implicit_value::RULE,
    &m104_null_becomes_not_null::RULE,
    &m105_foreign_key_may_fail::RULE,
    &m106_check_may_fail::RULE,
    &m107_type_of_another_kind::RULE,
    &m108_convert_charset::RULE,
    &m109_add_primary_key::RULE,
    &m110_foreign_key_types::RULE,
    &m111_foreign_key_to_non_unique::RULE,
    &m112_foreign_key_column::RULE,
    &m113_referenced_table::RULE,
    &m114_column_of_unique_key::RULE,
    &s101_no_primary_key::RULE,
    &s103_old_charset::RULE,
    &s104_no_charset::RULE,
    &s105_redundant_index::RULE,
    &s109_small_counter::RULE,
    &s113_zero_date::RULE,
    &s114_inline_references::RULE,
    &s116_unnamed_constraint::RULE,
    &s118_long_name::RULE,
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
    &x028_unfinished::RULE,
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
