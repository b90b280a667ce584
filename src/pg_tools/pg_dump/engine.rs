//! What the options of pg_dump are to the engine.

use super::options::Options;
use crate::connect::Environment;
use crate::pg_tools::encoding;
use crate::pg_tools::major::Major;
use crate::postgres::ServerVersion;
use crate::postgres::dump::{DumpOptions, InsertForm, RowForm};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::Style;

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
        rows: row_form(options),
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
        encoding: encoding::of(options.encoding.clone(), &Environment::of_process()),
        quote_all_identifiers: flags.quote_all_identifiers,
        dollar_quoting: !flags.disable_dollar_quoting,
        extra_float_digits: options.extra_float_digits,
        snapshot: options.snapshot.clone(),
        serializable_deferrable: flags.serializable_deferrable,
        role: options.role.clone(),
        compression: options.compression,
        archive_version: Some(major.archive_version()),
        dumped_by: major.release().into(),
        dialect: major.server_version(),
        jobs: options.jobs,
        lock_wait: options.lock_wait,
        ..DumpOptions::default()
    }
}

fn row_form(options: &Options) -> RowForm {
    let rows = options.rows;
    let Some(per_insert) = rows.per_insert else { return RowForm::Copy };
    let form = InsertForm::default().columns(rows.columns).rows_per_insert(per_insert);
    RowForm::Inserts(form.on_conflict_do_nothing(rows.on_conflict_do_nothing))
}

/// How a script restores what it holds.
pub(super) fn restore_options(options: &Options) -> RestoreOptions {
    let flags = options.flags;
    RestoreOptions {
        clean: options.clean,
        if_exists: options.if_exists,
        create: options.create,
        owner: !flags.no_owner,
        session_authorization: flags.use_set_session_authorization,
        target_defaults: true,
        tablespaces: !flags.no_tablespaces,
        table_access_methods: !flags.no_table_access_method,
        disable_triggers: flags.disable_triggers,
        superuser: options.superuser.clone(),
        ..RestoreOptions::default()
    }
}

/// How a script looks.
pub(super) fn style(options: &Options, major: Major) -> Style {
    Style::default().version(ServerVersion::of_major(major.number().cast_signed())).verbose(options.flags.verbose)
}
