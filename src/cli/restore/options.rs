//! The options of a restore into PostgreSQL: pg_restore's, and what turns lifeboat's defaults off and on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bstr::{BString, ByteSlice};
use pgformat::Entry;

use crate::cli::filter;
use crate::cli::included::IncludedArgs;
use crate::cli::option_values::{bytes, pair, read_file};
use crate::cli::progress::Console;
use crate::console::filter_file::Subject;
use crate::postgres::ServerVersion;
use crate::postgres::archive::{Selection, list};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::RestrictKey;
use crate::{Error, ErrorKind, Message, Reporter, Result};

#[derive(Debug, clap::Args)]
pub(super) struct PostgresArgs {
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    names: NameArgs,
    #[command(flatten)]
    how: HowArgs,
    #[command(flatten)]
    pub(super) script: ScriptArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL: what to restore")]
struct WhatArgs {
    #[command(flatten)]
    included: IncludedArgs,
    /// Restore privileges (GRANT, REVOKE)
    #[arg(long, visible_alias = "privileges", overrides_with = "no_acl")]
    acl: bool,
    /// Restore no privileges (the default)
    #[arg(long, short = 'x', visible_alias = "no-privileges", overrides_with = "acl")]
    no_acl: bool,
    /// Let the target's default privileges (ALTER DEFAULT PRIVILEGES) count for what is made
    #[arg(long, conflicts_with = "script")]
    target_default_privileges: bool,
    /// Everything in the default tablespace
    #[arg(long)]
    no_tablespaces: bool,
    /// Everything with the default table access method
    #[arg(long)]
    no_table_access_method: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL: objects by name (each may be given several times)")]
struct NameArgs {
    /// Only objects in this schema
    #[arg(long, short = 'n', value_name = "NAME", value_parser = bytes())]
    schema: Vec<BString>,
    /// No objects in this schema
    #[arg(long, short = 'N', value_name = "NAME", value_parser = bytes())]
    exclude_schema: Vec<BString>,
    /// This table, view, materialized view, sequence or foreign table, with its data
    #[arg(long, short = 't', value_name = "NAME", value_parser = bytes())]
    table: Vec<BString>,
    /// This index
    #[arg(long, short = 'I', value_name = "NAME", value_parser = bytes())]
    index: Vec<BString>,
    /// This function, as `lifeboat list` shows it, with its arguments
    #[arg(long, short = 'P', value_name = "NAME(ARGS)", value_parser = bytes())]
    function: Vec<BString>,
    /// This trigger, as `lifeboat list` shows it: the table's name and its own
    #[arg(long, short = 'T', value_name = "NAME", value_parser = bytes())]
    trigger: Vec<BString>,
    /// Names from this file, in lines like "include table NAME" or "exclude schema NAME"; - is standard input
    #[arg(long, value_name = "FILE")]
    filter: Vec<PathBuf>,
    /// Only what this file lists, in its order: what `lifeboat list` prints, edited
    #[arg(long, short = 'L', value_name = "FILE")]
    use_list: Option<PathBuf>,
    /// Fail if a name matches nothing
    #[arg(long)]
    strict_names: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL: how to restore")]
struct HowArgs {
    /// Drop each object before creating it (the default, but with --data-only)
    #[arg(long, short = 'c', overrides_with = "no_clean", conflicts_with = "data_only")]
    clean: bool,
    /// Drop nothing
    #[arg(long, overrides_with = "clean")]
    no_clean: bool,
    /// Also drop what is not in the archive but depends on what is replaced: partitions, indexes, triggers, columns and the
    /// like that were made later, with their rows. Without this, such a restore is refused
    #[arg(long, conflicts_with_all = ["no_clean", "data_only"])]
    drop_dependents: bool,
    /// Drop with IF EXISTS, so that a missing object is no error (the default)
    #[arg(long, overrides_with = "no_if_exists", conflicts_with_all = ["no_clean", "data_only"])]
    if_exists: bool,
    /// Drop without IF EXISTS
    #[arg(long, overrides_with = "if_exists")]
    no_if_exists: bool,
    /// Restore into a new database beside the one that is there, with the same owner, encoding, settings and privileges. When all of it
    /// is restored without an error, the new one gets the name, and the old one is kept as NAME_pre_restore_bak
    #[arg(long, conflicts_with_all = ["create", "script", "clean", "drop_dependents", "if_exists", "data_for_failed_tables",
        "data_only", "schema_only", "statistics_only", "section", "no_data", "no_schema", "schema", "table", "index", "function", "trigger"])]
    swap: bool,
    /// With --swap: end the sessions in the old database, and keep others out until the new one has the name. Without this, a
    /// database that is in use is refused
    #[arg(long, requires = "swap")]
    disconnect: bool,
    /// Make the database itself, under the name that it has in the archive, and restore into that; the URL is that of
    /// another one on the same server, such as postgres
    #[arg(long, short = 'C', conflicts_with = "single_transaction")]
    create: bool,
    /// Give objects to the owners that the archive names
    #[arg(long, overrides_with = "no_owner")]
    owner: bool,
    /// Leave objects to the role that restores (the default)
    #[arg(long, short = 'O', overrides_with = "owner")]
    no_owner: bool,
    /// With --owner: let each owner make its objects (SET SESSION AUTHORIZATION) instead of giving them away afterwards
    #[arg(long, requires = "owner")]
    use_set_session_authorization: bool,
    /// Take this role first (SET ROLE)
    #[arg(long, value_name = "ROLE", value_parser = bytes())]
    role: Option<BString>,
    /// Switch triggers off while data is loaded, in a restore of data only
    #[arg(long)]
    disable_triggers: bool,
    /// The superuser who switches them off; without it, the role that restores
    #[arg(long, short = 'S', value_name = "ROLE", value_parser = bytes())]
    superuser: Option<BString>,
    /// Load rows under row security
    #[arg(long)]
    enable_row_security: bool,
    /// Load the rows of a table that could not be created into the one that is there
    #[arg(long, overrides_with = "no_data_for_failed_tables")]
    data_for_failed_tables: bool,
    /// Leave out the rows of a table that could not be created (the default)
    #[arg(long, overrides_with = "data_for_failed_tables")]
    no_data_for_failed_tables: bool,
    /// Everything in one transaction: all or nothing (but event triggers, publications and subscriptions that only a
    /// superuser may create are left out and named)
    #[arg(long, short = '1', conflicts_with = "transaction_size")]
    single_transaction: bool,
    /// Commit after every N objects, and stop at the first error
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(i32::MAX)))]
    transaction_size: Option<u32>,
    /// Fail if a lock is not granted within this time, in milliseconds. Before anything is dropped, all tables that are replaced must
    /// have been locked once; later, it is an error of what is being restored
    #[arg(long, value_name = "MS", default_value_t = 60_000, conflicts_with = "script", value_parser = clap::value_parser!(u64).range(1..=i64::from(i32::MAX) as u64))]
    lock_wait_timeout: u64,
    /// Stop at the first error instead of going on and counting them
    #[arg(long, short = 'e')]
    exit_on_error: bool,
    /// Skip the check of the archive before anything is dropped: restore what can be read of a damaged one
    #[arg(long, conflicts_with = "script")]
    no_verify: bool,
    /// How many connections restore the data and what comes after it; for archives in a file or a folder
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "PostgreSQL: a script instead of a restore")]
pub(super) struct ScriptArgs {
    /// Write a script for psql to this file instead of restoring; - is standard output. Run it with a psql of August 2026 or
    /// later (18.6, 17.11, 16.15, 15.19, 14.24), unless the archive is your own. With --force it replaces a file
    #[arg(long, short = 'f', visible_alias = "file", value_name = "FILE")]
    script: Option<PathBuf>,
    /// The key that keeps psql from running anything in the script but SQL; random without this
    #[arg(long, value_name = "KEY", requires = "script")]
    pub(super) restrict_key: Option<RestrictKey>,
}

impl ScriptArgs {
    pub(super) fn path(&self) -> Option<&Path> {
        self.script.as_deref()
    }
}

impl PostgresArgs {
    /// Whether the first error is the end.
    pub(super) fn exits_on_error(&self) -> bool {
        self.how.exit_on_error
    }

    /// Whether the restored database takes the place of the one that is there.
    pub(super) fn swaps(&self) -> bool {
        self.how.swap
    }

    /// Whether sessions in that are ended.
    pub(super) fn disconnects(&self) -> bool {
        self.how.disconnect
    }

    /// How long locks are waited for.
    pub(super) fn lock_wait(&self) -> Duration {
        Duration::from_millis(self.how.lock_wait_timeout)
    }

    /// Refuses options that contradict each other by their values.
    pub(super) fn check(&self) -> Result<()> {
        if self.how.single_transaction && self.how.jobs.is_some_and(|jobs| jobs > 1) {
            return Err(Error::new(ErrorKind::Usage, "restore over several connections in a single transaction")
                .why("a transaction belongs to one connection")
                .hint("leave out --single-transaction or --jobs"));
        }
        Ok(())
    }

    /// What the engine is told about the archive with these `entries`.
    ///
    /// # Errors
    /// Files that cannot be read or make no sense.
    pub(super) fn options(&self, force: bool, entries: &[Entry], console: &Console) -> Result<RestoreOptions> {
        let Self { what, names, how, .. } = self;
        let included = what.included.included(true, pair(what.acl, what.no_acl, false));
        Ok(RestoreOptions {
            force,
            literal: false,
            verify: !how.no_verify,
            drop_dependents: how.drop_dependents,
            clean: pair(how.clean, how.no_clean, !what.included.data_only),
            if_exists: pair(how.if_exists, how.no_if_exists, true),
            create: how.create,
            owner: pair(how.owner, how.no_owner, false),
            session_authorization: how.use_set_session_authorization,
            acl: included.acl,
            target_defaults: what.target_default_privileges,
            comments: included.comments,
            security_labels: included.security_labels,
            publications: included.publications,
            subscriptions: included.subscriptions,
            policies: included.policies,
            tablespaces: !what.no_tablespaces,
            table_access_methods: !what.no_table_access_method,
            schema: included.schema,
            data: included.data,
            sequence_data: included.sequence_data,
            statistics: included.statistics,
            extended_statistics: included.extended_statistics,
            sections: included.sections,
            only: names.selection()?,
            list: names.list(entries, console)?,
            strict_names: names.strict_names,
            disable_triggers: how.disable_triggers,
            superuser: how.superuser.clone(),
            row_security: how.enable_row_security,
            role: how.role.clone(),
            single_transaction: how.single_transaction,
            transaction_size: how.transaction_size,
            lock_wait: self.script.script.is_none().then(|| self.lock_wait()),
            exit_on_error: how.exit_on_error,
            jobs: how.jobs.map_or(1, usize::from),
            quote_all_identifiers: false,
            dialect: ServerVersion::NEWEST,
            data_for_failed_tables: pair(how.data_for_failed_tables, how.no_data_for_failed_tables, false),
        })
    }
}

impl NameArgs {
    fn selection(&self) -> Result<Selection> {
        let mut only = Selection {
            schemas: self.schema.clone(),
            exclude_schemas: self.exclude_schema.clone(),
            tables: self.table.clone(),
            indexes: self.index.clone(),
            functions: self.function.clone(),
            triggers: self.trigger.clone(),
        };
        for path in &self.filter {
            for rule in filter::read(path)? {
                let names = match (rule.include, rule.subject) {
                    // A function's name in an archive is its signature, which keeps its quotes.
                    (true, Subject::Function) => {
                        only.functions.push(rule.pattern);
                        continue;
                    }
                    (true, Subject::Index) => &mut only.indexes,
                    (true, Subject::Schema) => &mut only.schemas,
                    (true, Subject::Table) => &mut only.tables,
                    (true, Subject::Trigger) => &mut only.triggers,
                    (false, Subject::Schema) => &mut only.exclude_schemas,
                    _ => return Err(filter::refused(&rule, path)),
                };
                names.push(unquoted(rule.pattern));
            }
        }
        Ok(only)
    }

    fn list(&self, entries: &[Entry], console: &Console) -> Result<Option<Vec<pgformat::DumpId>>> {
        let Some(path) = &self.use_list else { return Ok(None) };
        let text = read_file(path, "the list of entries")?;
        Ok(Some(list::parse(&text, entries, |line, text| {
            console.message(Message::warning(
                format!("{}, line {line}", path.display()),
                format!(
                    "ignored, for it does not begin with the number of an entry that comes for the first time: {text}"
                ),
            ));
        })))
    }
}

/// The name that a pattern is, without its quotes if all of it is in quotes.
fn unquoted(pattern: BString) -> BString {
    let Some(inner) = pattern.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return pattern };
    let parts: Vec<&[u8]> = inner.split_str("\"\"").collect();
    if parts.iter().any(|part| part.contains(&b'"')) {
        return pattern;
    }
    parts.join(&b"\""[..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_quotes_is_the_name_and_two_are_not_one() {
        for (pattern, name) in [
            ("a b", "a b"),
            ("\"a b\"", "a b"),
            ("\"My \"\"own\"\"\"", "My \"own\""),
            ("\"a\" \"b\"", "\"a\" \"b\""),
            ("\"", "\""),
        ] {
            assert_eq!(unquoted(pattern.into()), name);
        }
    }
}
