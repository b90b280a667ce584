//! What pg_restore is asked for: its command line, read and checked as PostgreSQL's checks it, in its order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use bstr::BString;
use pgformat::Format;

use super::table::{OPTIONS, Opt};
use crate::pg_tools::connection::{ConnectionOptions, Prompt};
use crate::pg_tools::failure::Failure;
use crate::pg_tools::filter::{self, Subject};
use crate::pg_tools::getopt::{Arguments, Item};
use crate::pg_tools::major::Major;
use crate::pg_tools::numbers::{JOBS, TRANSACTION_SIZE, number};
use crate::pg_tools::parts::{DATA_ONLY, Parts};
use crate::pg_tools::section::{self, Section};
use crate::postgres::archive::Selection;
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::RestrictKey;
use crate::printable::escaped;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) connection: ConnectionOptions,
    /// The archive; without it, standard input.
    pub(super) input: Option<PathBuf>,
    /// What the archive is said to be.
    pub(super) format: Option<Format>,
    pub(super) output: Output,
    /// The list of entries.
    pub(super) list: Option<PathBuf>,
    pub(super) restore: RestoreOptions,
    pub(super) verbose: bool,
}

/// What becomes of the archive.
#[derive(Debug)]
pub(super) enum Output {
    /// Its contents are listed.
    List(Option<PathBuf>),
    /// It is written as a script.
    Script(PathBuf, Option<RestrictKey>),
    /// It is restored.
    Database,
}

/// What was typed, before it is held against itself.
#[derive(Default)]
struct Typed {
    connection: ConnectionOptions,
    input: Option<OsString>,
    file: Option<PathBuf>,
    format: Option<OsString>,
    is_list: bool,
    use_list: Option<PathBuf>,
    restrict_key: Option<OsString>,
    sections: Vec<Section>,
    parts: Parts,
    if_exists: bool,
    jobs: Option<i32>,
    transaction_size: Option<i32>,
    verbose: bool,
    restore: RestoreOptions,
}

/// Reads the command line.
///
/// # Errors
/// It makes no sense; the first thing that does not is told, in PostgreSQL's words.
pub(super) fn read(arguments: Vec<OsString>, major: Major) -> Result<Options, Failure> {
    let restore = RestoreOptions {
        force: true,
        literal: true,
        verify: false,
        drop_dependents: true,
        clean: false,
        if_exists: false,
        owner: true,
        acl: true,
        target_defaults: true,
        data_for_failed_tables: true,
        dialect: major.server_version(),
        ..RestoreOptions::default()
    };
    let mut typed = Typed { restore, ..Typed::default() };
    let posixly_correct = std::env::var_os("POSIXLY_CORRECT").is_some();
    for item in Arguments::new(arguments, OPTIONS, major.number(), posixly_correct) {
        match item {
            Item::Option(option, argument) => typed.take(option, argument, major)?,
            Item::Operand(operand) if typed.input.is_none() => typed.input = Some(operand),
            Item::Operand(operand) => {
                let shown = operand.to_string_lossy();
                let message = format!("too many command-line arguments (first is \"{}\")", escaped(&shown));
                return Err(Failure::UsageWithHelp(message));
            }
            Item::Wrong(message) => return Err(Failure::Getopt(message)),
        }
    }
    typed.check(major)
}

fn bytes(argument: OsString) -> BString {
    argument.into_vec().into()
}

impl Typed {
    fn take(&mut self, option: Opt, argument: OsString, major: Major) -> Result<(), Failure> {
        let restore = &mut self.restore;
        let only = &mut restore.only;
        // These do without what is empty.
        let given = Some(argument.clone()).filter(|argument| !argument.is_empty());
        match option {
            Opt::Clean => restore.clean = true,
            Opt::Create => restore.create = true,
            Opt::DataOnly => self.parts.data_only = true,
            Opt::Dbname => self.connection.dbname = Some(argument),
            Opt::DisableTriggers => restore.disable_triggers = true,
            Opt::EnableRowSecurity => restore.row_security = true,
            Opt::ExcludeSchema => only.exclude_schemas.push(bytes(argument)),
            Opt::ExitOnError => restore.exit_on_error = true,
            Opt::File => self.file = Some(PathBuf::from(argument)),
            Opt::Filter => filter::read(&argument, |rule| of_filter(only, rule))?,
            Opt::Format => self.format = given.or(self.format.take()),
            Opt::Function => only.functions.push(bytes(argument)),
            Opt::Host => self.connection.host = given.or(self.connection.host.take()),
            Opt::IfExists => self.if_exists = true,
            Opt::Index => only.indexes.push(bytes(argument)),
            Opt::Jobs => self.jobs = Some(number(&argument, JOBS, major)?),
            Opt::List => self.is_list = true,
            Opt::NoComments => restore.comments = false,
            Opt::NoData => self.parts.no_data = true,
            Opt::NoDataForFailedTables => restore.data_for_failed_tables = false,
            Opt::NoOwner => restore.owner = false,
            Opt::NoPassword => self.connection.prompt = Prompt::Never,
            Opt::NoPolicies => restore.policies = false,
            Opt::NoPrivileges => restore.acl = false,
            Opt::NoPublications => restore.publications = false,
            // It was about something that is no more.
            Opt::NoReconnect => {}
            Opt::NoSchema => self.parts.no_schema = true,
            Opt::NoSecurityLabels => restore.security_labels = false,
            Opt::NoStatistics => self.parts.no_statistics = true,
            Opt::NoSubscriptions => restore.subscriptions = false,
            Opt::NoTableAccessMethod => restore.table_access_methods = false,
            Opt::NoTablespaces => restore.tablespaces = false,
            Opt::Password => self.connection.prompt = Prompt::Always,
            Opt::Port => self.connection.port = given.or(self.connection.port.take()),
            Opt::RestrictKey => self.restrict_key = Some(argument),
            Opt::Role => restore.role = Some(bytes(argument)),
            Opt::Schema => only.schemas.push(bytes(argument)),
            Opt::SchemaOnly => self.parts.schema_only = true,
            Opt::Section => self.sections.push(section::named(&argument)?),
            Opt::SingleTransaction => (restore.single_transaction, restore.exit_on_error) = (true, true),
            Opt::Statistics => self.parts.with_statistics = true,
            Opt::StatisticsOnly => self.parts.statistics_only = true,
            Opt::StrictNames => restore.strict_names = true,
            Opt::Superuser => restore.superuser = given.map(bytes).or(restore.superuser.take()),
            Opt::Table => only.tables.push(bytes(argument)),
            Opt::TransactionSize => {
                self.transaction_size = Some(number(&argument, TRANSACTION_SIZE, major)?);
                restore.exit_on_error = true;
            }
            Opt::Trigger => only.triggers.push(bytes(argument)),
            Opt::UseList => self.use_list = Some(PathBuf::from(argument)),
            Opt::UseSetSessionAuthorization => restore.session_authorization = true,
            Opt::Username => self.connection.username = Some(argument),
            Opt::Verbose => self.verbose = true,
        }
        Ok(())
    }

    fn check(mut self, major: Major) -> Result<Options, Failure> {
        let has_database = self.connection.dbname.is_some();
        if !has_database && self.file.is_none() && !self.is_list {
            return Err(Failure::usage("one of -d/--dbname and -f/--file must be specified"));
        }
        if has_database && self.file.is_some() {
            let message = "options -d/--dbname and -f/--file cannot be used together";
            return Err(Failure::UsageWithHelp(message.to_owned()));
        }
        let key = match self.restrict_key.take() {
            Some(_) if has_database => return Err(Failure::together("-d/--dbname", "--restrict-key")),
            Some(key) => {
                let key = key.to_str().and_then(|key| key.parse().ok());
                Some(key.ok_or_else(|| Failure::usage("invalid restrict key"))?)
            }
            None => None,
        };
        self.check_contradictions()?;
        let format = format(self.format.as_deref(), major)?;
        let mut restore = self.restore;
        restore.schema = self.parts.schema();
        restore.data = self.parts.data();
        restore.statistics = self.parts.statistics(true);
        restore.sections = section::all(&self.sections);
        // What is there is not dropped for the sake of an archive that cannot be restored.
        restore.verify = restore.clean;
        restore.if_exists = self.if_exists;
        restore.jobs = self.jobs.and_then(|jobs| usize::try_from(jobs).ok()).unwrap_or(1);
        restore.transaction_size = self.transaction_size.and_then(|size| u32::try_from(size).ok());
        let output = match (self.is_list, self.file) {
            (true, file) => Output::List(file),
            (false, Some(file)) => Output::Script(file, key),
            (false, None) => Output::Database,
        };
        Ok(Options {
            connection: self.connection,
            input: self.input.map(PathBuf::from),
            format,
            output,
            list: self.use_list,
            restore,
            verbose: self.verbose,
        })
    }

    fn check_contradictions(&self) -> Result<(), Failure> {
        self.parts.check()?;
        let restore = &self.restore;
        let pairs = [
            (self.parts.data_only && restore.clean, "-c/--clean", DATA_ONLY),
            (
                restore.single_transaction && self.transaction_size.is_some(),
                "-1/--single-transaction",
                "--transaction-size",
            ),
            (restore.create && restore.single_transaction, "-C/--create", "-1/--single-transaction"),
        ];
        if let Some((_, one, other)) = pairs.iter().find(|(both, ..)| *both) {
            return Err(Failure::together(one, other));
        }
        if restore.single_transaction && self.jobs.is_some_and(|jobs| jobs > 1) {
            return Err(Failure::usage("cannot specify both --single-transaction and multiple jobs"));
        }
        if self.if_exists && !restore.clean {
            return Err(Failure::usage("option --if-exists requires option -c/--clean"));
        }
        Ok(())
    }
}

/// The first letter counts.
fn format(argument: Option<&OsStr>, major: Major) -> Result<Option<Format>, Failure> {
    let Some(argument) = argument else { return Ok(None) };
    match argument.as_bytes().first().map(u8::to_ascii_lowercase) {
        Some(b'c') => Ok(Some(Format::Custom)),
        Some(b'd') => Ok(Some(Format::Directory)),
        Some(b't') => Ok(Some(Format::Tar)),
        Some(b'p') if major.number() >= 18 => {
            let shown = argument.to_string_lossy();
            Err(Failure::usage(format!("archive format \"{}\" is not supported; please use psql", escaped(&shown))))
        }
        _ => Err(Failure::usage(format!(
            "unrecognized archive format \"{}\"; please specify \"c\", \"d\", or \"t\"",
            escaped(&argument.to_string_lossy())
        ))),
    }
}

/// Takes a rule of a filter file over, if it is one that a restore can obey.
fn of_filter(only: &mut Selection, rule: filter::Rule) -> bool {
    let names = match (rule.include, rule.subject) {
        (true, Subject::Function) => &mut only.functions,
        (true, Subject::Index) => &mut only.indexes,
        (true, Subject::Schema) => &mut only.schemas,
        (true, Subject::Table) => &mut only.tables,
        (true, Subject::Trigger) => &mut only.triggers,
        (false, Subject::Schema) => &mut only.exclude_schemas,
        _ => return false,
    };
    names.push(rule.pattern);
    true
}
