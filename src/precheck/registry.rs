//! The list of all checks, and the one place that runs them.

use super::{Check, Facts, Finding, Severity};

/// All checks, by code.
pub const CHECKS: &[Check] = &[
    super::notes::COLLATION_MAPPED,
    super::notes::CLAUSE_DROPPED,
    super::notes::ENGINE_CHANGED,
    super::notes::DATABASE_DEFAULTS,
    super::notes::TABLE_KEPT,
    super::notes::TYPE_MAPPED,
    super::dt201_connection::CHECK,
    super::dt202_server_version::CHECK,
    super::dt203_engine_named::CHECK,
    super::dt204_version_order::CHECK,
    super::dt205_same_server::CHECK,
    super::dt206_source_privileges::CHECK,
    super::dt207_destination_privileges::CHECK,
    super::dt208_destination_read_only::CHECK,
    super::dt209_source_read_only::CHECK,
    super::dt210_one_identity::CHECK,
    super::dt211_progress_database::CHECK,
    super::dt212_clock_difference::CHECK,
    super::dt213_time_zones::CHECK,
    super::dt214_local_infile::CHECK,
    super::dt215_packet_size::CHECK,
    super::dt216_capacity::CHECK,
    super::dt217_required_primary_key::CHECK,
    super::dt218_generated_primary_key::CHECK,
    super::dt219_server_charset::CHECK,
    super::dt220_selection::CHECK,
    super::dt221_table_keys::CHECK,
    super::dt222_nullable_keys::CHECK,
    super::dt223_inexact_keys::CHECK,
    super::dt224_equal_names::CHECK,
    super::dt225_name_collisions::CHECK,
    super::dt226_destination_databases::CHECK,
    super::dt227_destination_triggers::CHECK,
    super::dt228_destination_rows::CHECK,
    super::dt229_missing_tables::CHECK,
    super::dt230_external_tables::CHECK,
    super::dt231_not_carried::CHECK,
    super::dt232_outside_changes::CHECK,
    super::dt233_transactional_engines::CHECK,
    super::dt234_index_limits::CHECK,
    super::dt235_system_versioning::CHECK,
    super::dt236_generated_columns::CHECK,
    super::dt237_fulltext_parser::CHECK,
    super::dt238_selected_columns::CHECK,
    super::dt239_definers::CHECK,
    super::dt241_narrow_charset::CHECK,
    super::dt242_unique_collisions::CHECK,
    super::dt243_json_text::CHECK,
    super::dt244_json_types::CHECK,
    super::dt251_binlog_enabled::CHECK,
    super::dt252_binlog_format::CHECK,
    super::dt253_binlog_row_image::CHECK,
    super::dt254_binlog_retention::CHECK,
    super::dt255_replica_updates::CHECK,
    super::dt256_server_id::CHECK,
    super::dt257_partial_json::CHECK,
    super::dt258_binlog_compression::CHECK,
    super::dt259_replication_rights::CHECK,
    super::dt260_exact_snapshots::CHECK,
    super::dt262_cascading_keys::CHECK,
    super::dt263_binlog_filters::CHECK,
    super::dt264_rename_hazard::CHECK,
    super::dt265_followable_engines::CHECK,
    super::dt266_heartbeat_rights::CHECK,
    super::dt267_binlog_position::CHECK,
    super::dt268_destination_binlog_format::CHECK,
    super::dt269_retry_windows::CHECK,
    super::dt270_shared_retry::CHECK,
    super::dt271_no_gtid::CHECK,
    super::dt272_selection_changed::CHECK,
    super::dt273_prepared_xa::CHECK,
    super::dt274_lists_as_printed::CHECK,
    super::dt275_shared_tables::CHECK,
    super::dt276_unverified_tool::CHECK,
    super::dt280_filter_columns::CHECK,
    super::dt281_filter_refused::CHECK,
    super::dt282_filter_changed::CHECK,
    super::dt283_filter_rights::CHECK,
    super::dt284_pre_image::CHECK,
    super::dt285_account_source_rights::CHECK,
    super::dt286_account_destination_rights::CHECK,
    super::dt287_account_parts_left_out::CHECK,
    super::dt288_accounts_skipped::CHECK,
    super::dt289_accounts_followed::CHECK,
    super::dt290_chosen_operations::CHECK,
    super::dt291_rename_patterns::CHECK,
    super::dt292_old_names::CHECK,
    super::dt295_sql_mode::CHECK,
    super::dt296_letter_case::CHECK,
    super::dt297_row_size::CHECK,
    super::dt298_event_scheduler::CHECK,
    super::dt299_binlog_files::CHECK,
    super::dt300_function_creators::CHECK,
    super::dt302_connections::CHECK,
    super::dt303_engines_refused::CHECK,
    super::dt304_existing_engines::CHECK,
    super::dt305_alert_command::CHECK,
];

/// Runs every check: one passed finding for each that has nothing to say, and what the others found, in the order of the codes. What the
/// spec names under `precheck.ignore` is marked; notes are left out when `schema.assess` is off.
pub fn run(facts: &Facts<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS {
        let mut found = (check.run)(facts);
        if !facts.spec.schema.assess {
            found.retain(|f| f.severity != Severity::Info);
        }
        if found.is_empty() {
            found.push(check.passed());
        }
        for finding in &mut found {
            finding.ignored = finding.ignorable && facts.spec.precheck.ignore.iter().any(|code| code == check.code);
        }
        findings.extend(found);
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::{
        diff::{UnsafeAction, unsupported},
        precheck::{Ignorable, bench::Bench},
    };

    #[test]
    fn a_good_task_passes_every_check() {
        let bench = Bench::new();
        let findings = bench.with(run);
        assert!(findings.iter().all(|f| f.severity <= Severity::Info), "{findings:#?}");
        let codes: BTreeSet<&str> = findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes.len(), CHECKS.len());
    }

    #[test]
    fn ignoring_marks_what_may_be_ignored_and_nothing_else() {
        let mut bench = Bench::new();
        bench.table().keys.clear();
        bench.source_info.tls_cipher.clear();
        bench.stranger();
        bench.spec.precheck.ignore = vec!["DT221".into(), "DT224".into()];
        let findings = bench.with(run);
        let of = |code: &str| findings.iter().find(|f| f.code.as_str() == code).expect("found");
        assert!(of("DT221").ignored && of("DT221").severity == Severity::Alert);
        // The failure of a check whose alerts alone may be ignored still blocks.
        assert!(!of("DT224").ignored && of("DT224").blocks());
        assert!(!of("DT201").ignored && !of("DT201").blocks());
    }

    #[test]
    fn notes_never_change_the_outcome_and_can_be_switched_off() {
        let mut bench = Bench::new();
        assert!(bench.with(run).iter().any(|f| f.severity == Severity::Info));
        bench.spec.schema.assess = false;
        assert!(bench.with(run).iter().all(|f| f.severity == Severity::Passed));
    }

    /// Every code has a page that says the same of it, and every page a code.
    #[test]
    fn pages_and_checks_agree() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks");
        let mut pages: BTreeSet<String> = std::fs::read_dir(&folder)
            .expect("docs/checks")
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(".md").map(str::to_owned))
            .collect();
        let mut previous = "";
        for check in CHECKS {
            assert!(previous < check.code, "{} stands out of order", check.code);
            previous = check.code;
            let page = std::fs::read_to_string(folder.join(format!("{}.md", check.code))).unwrap_or_default();
            assert!(pages.remove(check.code), "{} has no page", check.code);
            assert!(page.starts_with(&format!("# {}: ", check.code)), "{}", check.code);
            // The diff's own pages, DT1xx, are about its notes and not about checks.
            let named = page.contains(&format!("| check | `{}` |", check.name));
            assert!(named || check.code < "DT200", "{}", check.code);
            let ignorable = if check.ignorable == Ignorable::No { "| ignorable | no |" } else { "| ignorable | yes |" };
            assert!(page.contains(ignorable), "{}: {ignorable}", check.code);
        }
        let others = [
            unsupported::DEFINITION,
            unsupported::COLLATION,
            unsupported::TYPE,
            unsupported::INDEX,
            unsupported::FOREIGN_KEY,
            unsupported::FEATURE,
            unsupported::ENGINE,
            unsupported::EXISTS,
            unsupported::ACCOUNT,
        ];
        for code in others.into_iter().chain(UnsafeAction::ALL.map(UnsafeAction::code)) {
            assert!(pages.remove(code), "{code} has no page");
        }
        assert_eq!(pages, BTreeSet::new(), "pages without a check");
    }
}
