//! What the options of pg_dump are to the engine.

use super::options::Options;
use crate::pg_tools::major::Major;
use crate::postgres::dump::DumpOptions;

/// What the engine is asked for.
pub(super) fn dump_options(options: &Options, major: Major) -> DumpOptions {
    let flags = options.flags;
    DumpOptions {
        selection: options.selection.clone(),
        definitions: options.schema,
        data: options.data,
        statistics: options.statistics,
        sequence_data: options.sequence_data,
        large_objects: options.large_objects,
        unlogged_table_data: !flags.no_unlogged_table_data,
        load_via_partition_root: flags.load_via_partition_root,
        sections: options.sections,
        privileges: !flags.no_privileges,
        comments: !flags.no_comments,
        security_labels: !flags.no_security_labels,
        policies: !flags.no_policies,
        publications: !flags.no_publications,
        subscriptions: !flags.no_subscriptions,
        toast_compression: !flags.no_toast_compression,
        row_security: flags.enable_row_security,
        encoding: options.encoding.clone(),
        quote_all_identifiers: flags.quote_all_identifiers,
        dollar_quoting: !flags.disable_dollar_quoting,
        extra_float_digits: options.extra_float_digits,
        snapshot: options.snapshot.clone(),
        serializable_deferrable: flags.serializable_deferrable,
        role: options.role.clone(),
        compression: options.compression,
        archive_version: Some(major.archive_version()),
        jobs: options.jobs,
        lock_wait: options.lock_wait,
        ..DumpOptions::default()
    }
}
