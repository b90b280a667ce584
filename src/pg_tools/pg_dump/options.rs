//! What pg_dump is asked for: its command line, read and checked as PostgreSQL's checks it, in its order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;

use bstr::BString;
use pgformat::Compression;

use super::table::{OPTIONS, Opt};
use crate::Flush;
use crate::pg_tools::connection::{ConnectionOptions, Prompt};
use crate::pg_tools::failure::Failure;
use crate::pg_tools::getopt::{Arguments, Item};
use crate::pg_tools::major::Major;
use crate::pg_tools::numbers::{EXTRA_FLOAT_DIGITS, JOBS, LEVEL, ROWS_PER_INSERT, lock_wait, number};
use crate::pg_tools::parts::{DATA_ONLY, Parts, SCHEMA_ONLY};
use crate::pg_tools::section::{self, Section};
use crate::pg_tools::{compression, filter};
use crate::postgres::archive::Sections;
use crate::postgres::dump::Selection;
use crate::postgres::script::RestrictKey;
use crate::printable::escaped;

/// The format of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Plain,
    Custom,
    Directory,
    Tar,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) connection: ConnectionOptions,
    pub(super) file: Option<PathBuf>,
    pub(super) format: Format,
    pub(super) jobs: usize,
    pub(super) compression: Compression,
    pub(super) selection: Selection,
    pub(super) sections: Sections,
    pub(super) schema: bool,
    pub(super) data: bool,
    pub(super) statistics: bool,
    pub(super) sequence_data: bool,
    pub(super) large_objects: Option<bool>,
    pub(super) clean: bool,
    pub(super) create: bool,
    pub(super) if_exists: bool,
    pub(super) encoding: Option<BString>,
    pub(super) superuser: Option<BString>,
    pub(super) role: Option<BString>,
    pub(super) snapshot: Option<BString>,
    pub(super) restrict_key: Option<RestrictKey>,
    pub(super) lock_wait: Option<Duration>,
    pub(super) extra_float_digits: Option<i32>,
    pub(super) rows: Rows,
    pub(super) flags: Flags,
    pub(super) flush: Flush,
    pub(super) warnings: Vec<String>,
}

/// In which form rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// As INSERT statements of so many rows; by COPY without it.
    pub(super) per_insert: Option<u32>,
    /// With the names of columns.
    pub(super) columns: bool,
    /// Pass over rows that are there.
    pub(super) on_conflict_do_nothing: bool,
}

/// What is simply on or off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) binary_upgrade: bool,
    pub(super) disable_dollar_quoting: bool,
    pub(super) disable_triggers: bool,
    pub(super) enable_row_security: bool,
    pub(super) load_via_partition_root: bool,
    pub(super) no_comments: bool,
    pub(super) no_owner: bool,
    pub(super) no_policies: bool,
    pub(super) no_privileges: bool,
    pub(super) no_publications: bool,
    pub(super) no_security_labels: bool,
    pub(super) no_subscriptions: bool,
    pub(super) no_table_access_method: bool,
    pub(super) no_tablespaces: bool,
    pub(super) no_toast_compression: bool,
    pub(super) no_unlogged_table_data: bool,
    pub(super) quote_all_identifiers: bool,
    pub(super) serializable_deferrable: bool,
    pub(super) use_set_session_authorization: bool,
    pub(super) verbose: bool,
}

/// What was typed, before it is held against itself.
#[derive(Default)]
struct Typed {
    connection: ConnectionOptions,
    operand: Option<OsString>,
    file: Option<PathBuf>,
    format: Option<OsString>,
    jobs: i32,
    compress: Option<OsString>,
    selection: Selection,
    sections: Vec<Section>,
    parts: Parts,
    sequence_data: bool,
    large_objects: bool,
    no_large_objects: bool,
    clean: bool,
    create: bool,
    if_exists: bool,
    inserts: Option<i32>,
    column_inserts: bool,
    on_conflict_do_nothing: bool,
    encoding: Option<BString>,
    superuser: Option<BString>,
    role: Option<BString>,
    snapshot: Option<BString>,
    restrict_key: Option<OsString>,
    lock_wait: Option<Duration>,
    extra_float_digits: Option<i32>,
    flags: Flags,
    no_sync: bool,
    sync_method: Flush,
}

/// Reads the command line.
///
/// # Errors
/// It makes no sense; the first thing that does not is told, in PostgreSQL's words.
pub(super) fn read(arguments: Vec<OsString>, major: Major) -> Result<Options, Failure> {
    let mut typed = Typed { jobs: 1, ..Typed::default() };
    let posixly_correct = std::env::var_os("POSIXLY_CORRECT").is_some();
    for item in Arguments::new(arguments, OPTIONS, major.number(), posixly_correct) {
        match item {
            Item::Option(option, argument) => typed.take(option, argument, major)?,
            Item::Operand(operand) if typed.connection.dbname.is_none() && typed.operand.is_none() => {
                typed.operand = Some(operand);
            }
            Item::Operand(operand) => {
                let shown = operand.to_string_lossy();
                let message = format!("too many command-line arguments (first is \"{}\")", escaped(&shown));
                return Err(Failure::UsageWithHelp(message));
            }
            Item::Wrong(message) => return Err(Failure::Getopt(message)),
        }
    }
    typed.check()
}

fn bytes(argument: OsString) -> BString {
    argument.into_vec().into()
}

impl Typed {
    fn take(&mut self, option: Opt, argument: OsString, major: Major) -> Result<(), Failure> {
        let flags = &mut self.flags;
        let selection = &mut self.selection;
        match option {
            Opt::AttributeInserts | Opt::ColumnInserts => self.column_inserts = true,
            Opt::BinaryUpgrade => flags.binary_upgrade = true,
            Opt::Clean => self.clean = true,
            Opt::Compress => self.compress = Some(argument),
            Opt::Create => self.create = true,
            Opt::DataOnly => self.parts.data_only = true,
            Opt::Dbname => self.connection.dbname = Some(argument),
            Opt::DisableDollarQuoting => flags.disable_dollar_quoting = true,
            Opt::DisableTriggers => flags.disable_triggers = true,
            Opt::EnableRowSecurity => flags.enable_row_security = true,
            Opt::Encoding => self.encoding = Some(bytes(argument)),
            Opt::ExcludeExtension => selection.exclude_extensions.push(bytes(argument)),
            Opt::ExcludeSchema => selection.exclude_schemas.push(bytes(argument)),
            Opt::ExcludeTable => selection.exclude_tables.push(bytes(argument)),
            Opt::ExcludeTableAndChildren => selection.exclude_tables_and_children.push(bytes(argument)),
            Opt::ExcludeTableData => selection.exclude_table_data.push(bytes(argument)),
            Opt::ExcludeTableDataAndChildren => selection.exclude_table_data_and_children.push(bytes(argument)),
            Opt::Extension => selection.extensions.push(bytes(argument)),
            Opt::ExtraFloatDigits => {
                self.extra_float_digits = Some(number(&argument, EXTRA_FLOAT_DIGITS, major)?);
            }
            Opt::File => self.file = Some(PathBuf::from(argument)),
            Opt::Filter => filter::read(&argument, |rule| rule.select(selection))?,
            Opt::Format => self.format = Some(argument),
            Opt::Help | Opt::Version | Opt::X => return Err(Failure::Getopt(String::new())),
            Opt::Host => self.connection.host = Some(argument),
            Opt::IfExists => self.if_exists = true,
            Opt::IncludeForeignData => selection.foreign_data.push(bytes(argument)),
            Opt::Inserts => _ = self.inserts.get_or_insert(1),
            Opt::Jobs => self.jobs = number(&argument, JOBS, major)?,
            Opt::LargeObjects => self.large_objects = true,
            Opt::LoadViaPartitionRoot => flags.load_via_partition_root = true,
            Opt::LockWaitTimeout => self.lock_wait = lock_wait(&argument)?,
            Opt::NoComments => flags.no_comments = true,
            Opt::NoData => self.parts.no_data = true,
            Opt::NoLargeObjects => self.no_large_objects = true,
            Opt::NoOwner => flags.no_owner = true,
            Opt::NoPassword => self.connection.prompt = Prompt::Never,
            Opt::NoPolicies => flags.no_policies = true,
            Opt::NoPrivileges => flags.no_privileges = true,
            Opt::NoPublications => flags.no_publications = true,
            Opt::NoSchema => self.parts.no_schema = true,
            Opt::NoSecurityLabels => flags.no_security_labels = true,
            Opt::NoStatistics => self.parts.no_statistics = true,
            Opt::NoSubscriptions => flags.no_subscriptions = true,
            Opt::NoSync => self.no_sync = true,
            Opt::NoTableAccessMethod => flags.no_table_access_method = true,
            Opt::NoTablespaces => flags.no_tablespaces = true,
            Opt::NoToastCompression => flags.no_toast_compression = true,
            Opt::NoUnloggedTableData => flags.no_unlogged_table_data = true,
            Opt::OnConflictDoNothing => self.on_conflict_do_nothing = true,
            Opt::Password => self.connection.prompt = Prompt::Always,
            Opt::Port => self.connection.port = Some(argument),
            Opt::QuoteAllIdentifiers => flags.quote_all_identifiers = true,
            Opt::RestrictKey => self.restrict_key = Some(argument),
            Opt::Role => self.role = Some(bytes(argument)),
            Opt::RowsPerInsert => self.inserts = Some(number(&argument, ROWS_PER_INSERT, major)?),
            Opt::Schema => selection.schemas.push(bytes(argument)),
            Opt::SchemaOnly => self.parts.schema_only = true,
            Opt::Section => self.sections.push(section::named(&argument)?),
            Opt::SequenceData => self.sequence_data = true,
            Opt::SerializableDeferrable => flags.serializable_deferrable = true,
            Opt::Snapshot => self.snapshot = Some(bytes(argument)),
            Opt::Statistics => self.parts.with_statistics = true,
            Opt::StatisticsOnly => self.parts.statistics_only = true,
            Opt::StrictNames => selection.strict_names = true,
            Opt::Superuser => self.superuser = Some(bytes(argument)),
            Opt::SyncMethod => self.sync_method = sync_method(&argument)?,
            Opt::Table => selection.tables.push(bytes(argument)),
            Opt::TableAndChildren => selection.tables_and_children.push(bytes(argument)),
            Opt::UseSetSessionAuthorization => flags.use_set_session_authorization = true,
            Opt::Username => self.connection.username = Some(argument),
            Opt::Verbose => flags.verbose = true,
            // What they asked for is always so, or was about something that is no more.
            Opt::NoReconnect | Opt::NoSynchronizedSnapshots => {}
        }
        // A level that is wrong is told where it stands by the tools that know levels only.
        if option == Opt::Compress && major.number() < 16 {
            let level = self.compress.as_deref().unwrap_or_default();
            number(level, LEVEL, major)?;
        }
        Ok(())
    }

    fn check(mut self) -> Result<Options, Failure> {
        self.check_contradictions()?;
        let format = format(self.format.as_deref())?;
        let restrict_key = match (format, self.restrict_key.take()) {
            (Format::Plain, Some(key)) => {
                let key = key.to_str().and_then(|key| key.parse().ok());
                Some(key.ok_or_else(|| Failure::usage("invalid restrict key"))?)
            }
            (_, Some(_)) => return Err(Failure::usage("option --restrict-key can only be used with --format=plain")),
            (_, None) => None,
        };
        let (compression, warnings) = self.compression(format)?;
        if format != Format::Directory && self.jobs > 1 {
            return Err(Failure::usage("parallel backup only supported by the directory format"));
        }
        if format == Format::Directory && self.file.is_none() {
            return Err(Failure::usage("no output directory specified"));
        }
        let mut connection = self.connection;
        connection.dbname = connection.dbname.or(self.operand);
        let sections = section::all(&self.sections);
        // A column list alone asks for one row a statement.
        let inserts = if self.column_inserts { Some(self.inserts.unwrap_or(1)) } else { self.inserts };
        Ok(Options {
            connection,
            file: self.file,
            format,
            jobs: usize::try_from(self.jobs).unwrap_or(1),
            compression,
            selection: self.selection,
            sections,
            schema: self.parts.schema(),
            data: self.parts.data(),
            statistics: self.parts.statistics(false),
            sequence_data: self.sequence_data,
            // Asked for and not, they are dumped, as by pg_dump.
            large_objects: match (self.large_objects, self.no_large_objects) {
                (true, _) => Some(true),
                (false, true) => Some(false),
                (false, false) => None,
            },
            clean: self.clean,
            create: self.create,
            if_exists: self.if_exists,
            encoding: self.encoding,
            superuser: self.superuser,
            role: self.role,
            snapshot: self.snapshot,
            restrict_key,
            lock_wait: self.lock_wait,
            extra_float_digits: self.extra_float_digits,
            rows: Rows {
                per_insert: inserts.and_then(|rows| u32::try_from(rows).ok()),
                columns: self.column_inserts,
                on_conflict_do_nothing: self.on_conflict_do_nothing,
            },
            flags: self.flags,
            flush: if self.no_sync { Flush::Nothing } else { self.sync_method },
            warnings,
        })
    }

    fn check_contradictions(&self) -> Result<(), Failure> {
        self.parts.check()?;
        let foreign = !self.selection.foreign_data.is_empty();
        if self.parts.schema_only && foreign {
            return Err(Failure::together(SCHEMA_ONLY, "--include-foreign-data"));
        }
        if self.jobs > 1 && foreign {
            return Err(Failure::usage("option --include-foreign-data is not supported with parallel backup"));
        }
        if self.parts.data_only && self.clean {
            return Err(Failure::together("-c/--clean", DATA_ONLY));
        }
        if self.if_exists && !self.clean {
            return Err(Failure::usage("option --if-exists requires option -c/--clean"));
        }
        if self.on_conflict_do_nothing && self.inserts.is_none() && !self.column_inserts {
            let others = "--inserts, --rows-per-insert, or --column-inserts";
            return Err(Failure::usage(format!("option --on-conflict-do-nothing requires option {others}")));
        }
        if self.flags.binary_upgrade {
            return Err(Failure::usage(
                "option --binary-upgrade is not supported: it is for pg_upgrade, which keeps the files of the old server",
            ));
        }
        Ok(())
    }

    /// The compression, and what there is to warn of.
    fn compression(&self, format: Format) -> Result<(Compression, Vec<String>), Failure> {
        let by_default = match format {
            Format::Custom | Format::Directory => Compression::Gzip(None),
            Format::Plain | Format::Tar => Compression::None,
        };
        let Some(asked) = &self.compress else { return Ok((by_default, Vec::new())) };
        let asked = compression::parse(asked)?;
        if format == Format::Tar && asked.compression != Compression::None {
            return Err(Failure::usage("compression is not supported by tar archive format"));
        }
        let ignored = "compression option \"workers\" is not currently supported by pg_dump";
        let warnings = if asked.workers { vec![ignored.to_owned()] } else { Vec::new() };
        Ok((asked.compression, warnings))
    }
}

fn sync_method(argument: &OsStr) -> Result<Flush, Failure> {
    match argument.as_bytes() {
        b"fsync" => Ok(Flush::Files),
        b"syncfs" => Ok(Flush::FileSystem),
        _ => Err(Failure::usage(format!("unrecognized sync method: {}", escaped(&argument.to_string_lossy())))),
    }
}

fn format(argument: Option<&OsStr>) -> Result<Format, Failure> {
    let Some(argument) = argument else { return Ok(Format::Plain) };
    match argument.as_bytes().to_ascii_lowercase().as_slice() {
        b"p" | b"plain" => Ok(Format::Plain),
        b"c" | b"custom" => Ok(Format::Custom),
        b"d" | b"directory" => Ok(Format::Directory),
        b"t" | b"tar" => Ok(Format::Tar),
        _ => {
            Err(Failure::usage(format!("invalid output format \"{}\" specified", escaped(&argument.to_string_lossy()))))
        }
    }
}
