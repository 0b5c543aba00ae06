//! The prechecks: what could go wrong, found before anything is done.
//!
//! Purpose: facts of both servers in, findings out, one check a file named by its code. This room must not change anything on either
//! server, and a check must not ask one: all questions are asked once, by [`gather`], so that every check can be tried on a desk and a
//! plan costs few round trips.
//!
//! The hard idea: a check that cannot know says so. A count that took too long, a right that cannot be seen, is an alert with that
//! reason, never a pass. An alert never blocks, naming it under `precheck.ignore` marks it as read; a failure blocks, unless its check
//! says that it may be ignored and the spec does so (`docs/decisions/`).

mod binlog;
mod check;
mod facts;
mod gather;
mod grants;
mod ping;
mod registry;

mod dt201_connection;
mod dt202_server_version;
mod dt203_engine_named;
mod dt204_version_order;
mod dt205_same_server;
mod dt206_source_privileges;
mod dt207_destination_privileges;
mod dt208_destination_read_only;
mod dt209_source_read_only;
mod dt210_one_identity;
mod dt211_progress_database;
mod dt212_clock_difference;
mod dt213_time_zones;
mod dt214_local_infile;
mod dt215_packet_size;
mod dt216_capacity;
mod dt217_required_primary_key;
mod dt218_generated_primary_key;
mod dt219_server_charset;
mod dt220_selection;
mod dt221_table_keys;
mod dt222_nullable_keys;
mod dt223_inexact_keys;
mod dt224_equal_names;
mod dt225_name_collisions;
mod dt226_destination_databases;
mod dt227_destination_triggers;
mod dt228_destination_rows;
mod dt229_missing_tables;
mod dt230_external_tables;
mod dt231_not_carried;
mod dt232_outside_changes;
mod dt233_transactional_engines;
mod dt234_index_limits;
mod dt235_system_versioning;
mod dt236_generated_columns;
mod dt237_fulltext_parser;
mod dt238_selected_columns;
mod dt239_definers;
mod dt241_narrow_charset;
mod dt242_unique_collisions;
mod dt243_json_text;
mod dt244_json_types;
mod dt251_binlog_enabled;
mod dt252_binlog_format;
mod dt253_binlog_row_image;
mod dt254_binlog_retention;
mod dt255_replica_updates;
mod dt256_server_id;
mod dt257_partial_json;
mod dt258_binlog_compression;
mod dt259_replication_rights;
mod dt260_exact_snapshots;
mod dt262_cascading_keys;
mod dt263_binlog_filters;
mod dt264_rename_hazard;
mod dt265_followable_engines;
mod dt266_heartbeat_rights;
mod dt267_binlog_position;
mod dt268_destination_binlog_format;
mod dt269_retry_windows;
mod dt270_shared_retry;
mod dt271_no_gtid;
mod dt272_selection_changed;
mod dt273_prepared_xa;
mod dt274_lists_as_printed;
mod dt275_shared_tables;
mod dt276_unverified_tool;
mod dt280_filter_columns;
mod dt281_filter_refused;
mod dt282_filter_changed;
mod dt283_filter_rights;
mod dt284_pre_image;
mod dt285_account_source_rights;
mod dt286_account_destination_rights;
mod dt287_account_parts_left_out;
mod dt288_accounts_skipped;
mod dt289_accounts_followed;
mod dt290_chosen_operations;
mod dt291_rename_patterns;
mod dt292_old_names;
mod dt295_sql_mode;
mod dt296_letter_case;
mod dt297_row_size;
mod dt298_event_scheduler;
mod dt299_binlog_files;
mod dt300_function_creators;
mod dt302_connections;
mod dt303_engines_refused;
mod dt304_existing_engines;
mod dt305_alert_command;
mod notes;

pub use binlog::{BinlogFacts, Prepared};
pub use check::{Check, Ignorable};
pub use dt254_binlog_retention::needed_after_copy;
pub use dt266_heartbeat_rights::may_beat;
pub use facts::{Facts, Selected};
pub use gather::{BentList, Clock, Collision, EndFacts, Ends, Gathered, Width, gather};
pub use grants::Grants;
pub use ping::{End, Ping, measure};
pub use registry::{CHECKS, run};

pub use crate::plan::{Finding, FindingCode, Severity};

#[cfg(test)]
mod bench;
