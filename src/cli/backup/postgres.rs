//! What can be asked of a backup of a PostgreSQL database.

use std::time::Duration;

use bstr::BString;
use pgformat::{Compression, Version};

use super::archive::ArchiveFormat;
use super::rows::RowArgs;
use super::selection::SelectionArgs;
use crate::cli::included::IncludedArgs;
use crate::cli::option_values::pair;
use crate::postgres::dump::DumpOptions;
use crate::printable::escaped;
use crate::{Error, ErrorKind, Result};

#[derive(Debug, Clone, clap::Args)]
pub(in crate::cli) struct PostgresArgs {
    #[command(flatten)]
    archive: ArchiveArgs,
    #[command(flatten)]
    selection: SelectionArgs,
    #[command(flatten)]
    what: WhatArgs,
    #[command(flatten)]
    rows: RowArgs,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "PostgreSQL")]
struct ArchiveArgs {
    /// The format of the archive
    #[arg(long, short = 'F', value_enum, value_name = "FORMAT", default_value_t = ArchiveFormat::Custom)]
    format: ArchiveFormat,
    /// Save who owns what; an archive always has the owners, and lifeboat restore --owner uses them: it is for --format plain
    #[arg(long, overrides_with = "no_owner")]
    owner: bool,
    /// Do not save who owns what (the default); an archive has the owners all the same, as with pg_dump
    #[arg(long, short = 'O', overrides_with = "owner")]
    no_owner: bool,
    /// Save privileges (GRANT, REVOKE)
    #[arg(long, visible_alias = "privileges", overrides_with = "no_acl")]
    acl: bool,
    /// Do not save privileges (the default)
    #[arg(long, short = 'x', visible_alias = "no-privileges", overrides_with = "acl")]
    no_acl: bool,
    /// How to compress: gzip[:1-9], zstd[:LEVEL], lz4, none, or a level of gzip; without it, gzip:6, and a tar archive or a script not at all
    #[arg(long, short = 'Z', value_name = "METHOD[:LEVEL]")]
    compress: Option<Compression>,
    /// The version of the archive format; without it, the lowest that can hold the content, 1.14 for gzip and none
    #[arg(long, value_name = "VERSION", value_parser = archive_version)]
    archive_version: Option<Version>,
    /// How many connections read data
    #[arg(long, short = 'j', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// Have a standby take nothing over from its primary while it is backed up, so that it does not end the backup for that; it goes
    /// on in whatever way the backup ends
    #[arg(long)]
    pause_replay: bool,
    /// Take this role, once connected
    #[arg(long, value_name = "ROLE")]
    role: Option<String>,
    /// Save only the rows that row security lets the role see, instead of failing where some are hidden
    #[arg(long)]
    enable_row_security: bool,
}

#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "PostgreSQL: what of the objects")]
struct WhatArgs {
    #[command(flatten)]
    included: IncludedArgs,
    /// Sequences' values, even with --schema-only or --no-data
    #[arg(long)]
    sequence_data: bool,
    /// Large objects, even with a selection
    #[arg(long, short = 'b', visible_alias = "blobs", overrides_with = "no_large_objects")]
    large_objects: bool,
    /// No large objects
    #[arg(long, short = 'B', visible_alias = "no-blobs", overrides_with = "large_objects")]
    no_large_objects: bool,
    /// No rows of unlogged tables; a standby server has none in any case
    #[arg(long)]
    no_unlogged_table_data: bool,
    /// Load partitions' rows through the topmost table, for a target where they may belong to other partitions
    #[arg(long)]
    load_via_partition_root: bool,
    /// No user mappings, which only their users and superusers may read
    #[arg(long)]
    no_user_mappings: bool,
    /// Go on, with a warning, if a newer server's catalog has facts about objects that lifeboat does not know
    #[arg(long)]
    accept_unknown: bool,
    /// No compression methods of columns
    #[arg(long)]
    no_toast_compression: bool,
}

impl PostgresArgs {
    /// Whether the standby is paused.
    pub(super) fn pauses_replay(&self) -> bool {
        self.archive.pause_replay
    }

    /// The format of the archive.
    pub(super) fn format(&self) -> ArchiveFormat {
        self.archive.format
    }

    /// Whether the output is to say who owns what, where it need not.
    pub(super) fn owner(&self) -> bool {
        pair(self.archive.owner, self.archive.no_owner, false)
    }

    /// The options that these come to.
    ///
    /// # Errors
    /// They contradict each other, or a filter file makes no sense.
    pub(in crate::cli) fn options(self, lock_wait: Duration) -> Result<DumpOptions> {
        let Self { archive, selection, what, rows } = self;
        let selection = selection.selection()?;
        if what.included.schema_only && !selection.foreign_data.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "use --schema-only")
                .why("--include-foreign-data asks for data")
                .hint("leave one of them out"));
        }
        let compression = archive.compress.unwrap_or(archive.format.compression());
        if archive.format == ArchiveFormat::Tar && compression != Compression::None {
            return Err(Error::new(ErrorKind::Usage, format!("compress a tar archive with {compression}"))
                .why("what is in it is not compressed")
                .hint("leave --compress out, or choose another --format"));
        }
        if archive.format == ArchiveFormat::Plain && archive.jobs > 1 {
            return Err(Error::new(ErrorKind::Usage, format!("write a script over {} connections", archive.jobs))
                .why("its data is written as it is read, one table after the other")
                .hint("leave --jobs out, or choose another --format"));
        }
        let included = what.included.included(false, pair(archive.acl, archive.no_acl, false));
        let rows = rows.form().ok_or_else(|| {
            Error::new(ErrorKind::Usage, "leave out rows that are there already")
                .why("COPY, as which rows are saved, cannot do that")
                .hint("use --inserts or --column-inserts as well")
        })?;
        let options = DumpOptions {
            selection,
            definitions: included.schema,
            data: included.data,
            statistics: included.statistics,
            sequence_data: what.sequence_data,
            large_objects: (what.large_objects || what.no_large_objects).then_some(what.large_objects),
            unlogged_table_data: !what.no_unlogged_table_data,
            rows,
            load_via_partition_root: what.load_via_partition_root,
            sections: included.sections,
            privileges: included.acl,
            comments: included.comments,
            security_labels: included.security_labels,
            policies: included.policies,
            publications: included.publications,
            subscriptions: included.subscriptions,
            user_mappings: !what.no_user_mappings,
            toast_compression: !what.no_toast_compression,
            accept_unknown: what.accept_unknown,
            row_security: archive.enable_row_security,
            encoding: None,
            quote_all_identifiers: false,
            dollar_quoting: true,
            extra_float_digits: None,
            snapshot: None,
            serializable_deferrable: false,
            role: archive.role.map(BString::from),
            compression,
            archive_version: archive.archive_version,
            dumped_by: DumpOptions::default().dumped_by,
            dialect: DumpOptions::default().dialect,
            jobs: archive.jobs.into(),
            lock_wait: Some(lock_wait),
        };
        let lowest = options.compression.lowest_version();
        if options.version() < lowest {
            return Err(Error::new(ErrorKind::Usage, format!("write an archive of version {}", options.version()))
                .why(format!("{} is possible from version {lowest} on", options.compression))
                .hint("leave --archive-version out, or choose another --compress"));
        }
        Ok(options)
    }
}

fn archive_version(text: &str) -> std::result::Result<Version, String> {
    let version = text.parse::<Version>().map_err(|e| escaped(&e.to_string()).into_owned())?;
    if version < Version::V1_14 {
        return Err("archives are written in version 1.14, 1.15 or 1.16".into());
    }
    Ok(version)
}
