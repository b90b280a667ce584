//! What pg_dumpall is asked for: its command line, read and checked as PostgreSQL's checks it, in its order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use bstr::BString;

use super::table::{OPTIONS, Opt};
use crate::Flush;
use crate::pg_tools::connection::{ConnectionOptions, Prompt};
use crate::pg_tools::failure::Failure;
use crate::pg_tools::filter::{self, Subject};
use crate::pg_tools::getopt::{Arguments, Item};
use crate::pg_tools::major::Major;
use crate::postgres::script::RestrictKey;
use crate::printable::escaped;

/// What was asked for.
#[derive(Debug, Default)]
pub(super) struct Options {
    /// The database's name in it does not count.
    pub(super) connection: ConnectionOptions,
    /// The database to begin in.
    pub(super) database: Option<OsString>,
    pub(super) file: Option<PathBuf>,
    pub(super) only: Option<Only>,
    pub(super) exclude: Vec<BString>,
    pub(super) restrict_key: Option<RestrictKey>,
    pub(super) clean: bool,
    pub(super) if_exists: bool,
    pub(super) encoding: Option<BString>,
    pub(super) role: Option<BString>,
    pub(super) quote_all_identifiers: bool,
    pub(super) no_comments: bool,
    pub(super) no_privileges: bool,
    pub(super) no_role_passwords: bool,
    pub(super) no_security_labels: bool,
    pub(super) flush: Flush,
    pub(super) no_tablespaces: bool,
    pub(super) verbose: bool,
    /// Whether something else is asked for than definitions, of which what is in no database consists.
    pub(super) without_definitions: bool,
    /// The arguments of the dumps of databases.
    pub(super) passed: Vec<OsString>,
}

/// A part of a server that was asked for alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Only {
    Globals,
    Roles,
    Tablespaces,
}

impl Only {
    fn name(self) -> &'static str {
        match self {
            Self::Globals => "-g/--globals-only",
            Self::Roles => "-r/--roles-only",
            Self::Tablespaces => "-t/--tablespaces-only",
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// It makes no sense; the first thing that does not is told, in PostgreSQL's words.
pub(super) fn read(arguments: Vec<OsString>, major: Major) -> Result<Options, Failure> {
    let mut options = Options::default();
    let mut only = Vec::new();
    let mut operands = Vec::new();
    let mut key = None;
    let posixly_correct = std::env::var_os("POSIXLY_CORRECT").is_some();
    for item in Arguments::new(arguments, OPTIONS, major.number(), posixly_correct) {
        match item {
            Item::Option(Opt::RestrictKey, argument) => key = Some(argument),
            Item::Option(option, argument) => match of(option) {
                Some(part) => only.push(part),
                None => options.take(option, argument)?,
            },
            Item::Operand(operand) => operands.push(operand),
            Item::Wrong(message) => return Err(Failure::Getopt(message)),
        }
    }
    if let Some(first) = operands.first() {
        let shown = first.to_string_lossy();
        let message = format!("too many command-line arguments (first is \"{}\")", escaped(&shown));
        return Err(Failure::UsageWithHelp(message));
    }
    options.only = options.one_of(&only)?;
    if let Some(key) = key {
        let key = key.to_str().and_then(|key| key.parse().ok());
        options.restrict_key = Some(key.ok_or_else(|| Failure::usage("invalid restrict key"))?);
    }
    Ok(options)
}

/// The part that an option asks for alone.
fn of(option: Opt) -> Option<Only> {
    match option {
        Opt::GlobalsOnly => Some(Only::Globals),
        Opt::RolesOnly => Some(Only::Roles),
        Opt::TablespacesOnly => Some(Only::Tablespaces),
        _ => None,
    }
}

fn bytes(argument: OsString) -> BString {
    argument.into_vec().into()
}

impl Options {
    fn take(&mut self, option: Opt, argument: OsString) -> Result<(), Failure> {
        match option {
            Opt::BinaryUpgrade => {
                return Err(Failure::usage(
                    "option --binary-upgrade is not supported: it is for pg_upgrade, which keeps the files of the old server",
                ));
            }
            Opt::Clean => self.clean = true,
            Opt::Database => self.database = Some(argument),
            Opt::DataOnly => self.without("--data-only"),
            Opt::Dbname => self.connection.dbname = Some(argument),
            Opt::Encoding => {
                self.pass("--encoding", Some(&argument));
                self.encoding = Some(bytes(argument));
            }
            Opt::ExcludeDatabase => self.exclude.push(bytes(argument)),
            Opt::File => self.file = Some(PathBuf::from(argument)),
            Opt::Filter => filter::read(&argument, |rule| {
                let is_known = !rule.include && rule.subject == Subject::Database;
                if is_known {
                    self.exclude.push(rule.pattern);
                }
                is_known
            })?,
            Opt::Host => self.connection.host = Some(argument),
            Opt::IfExists => self.if_exists = true,
            Opt::LockWaitTimeout => self.pass("--lock-wait-timeout", Some(&argument)),
            Opt::NoComments => self.note("--no-comments", |options| &mut options.no_comments),
            Opt::NoPassword => self.connection.prompt = Prompt::Never,
            Opt::NoPrivileges => self.note("--no-privileges", |options| &mut options.no_privileges),
            Opt::NoRolePasswords => self.no_role_passwords = true,
            Opt::NoSchema => self.without("--no-schema"),
            Opt::NoSecurityLabels => self.note("--no-security-labels", |options| &mut options.no_security_labels),
            Opt::NoSync => self.flush = Flush::Nothing,
            Opt::NoTablespaces => self.note("--no-tablespaces", |options| &mut options.no_tablespaces),
            Opt::Password => self.connection.prompt = Prompt::Always,
            Opt::Port => self.connection.port = Some(argument),
            Opt::QuoteAllIdentifiers => {
                self.note("--quote-all-identifiers", |options| &mut options.quote_all_identifiers);
            }
            Opt::Role => {
                self.pass("--role", Some(&argument));
                self.role = Some(bytes(argument));
            }
            Opt::SchemaOnly => self.pass("--schema-only", None),
            Opt::StatisticsOnly => self.without("--statistics-only"),
            Opt::Username => self.connection.username = Some(argument),
            Opt::Verbose => self.note("--verbose", |options| &mut options.verbose),
            Opt::Passed(name) => {
                let takes_argument = OPTIONS.iter().any(|spec| spec.kind == option && spec.argument);
                self.pass(&format!("--{name}"), takes_argument.then_some(argument.as_os_str()));
            }
            Opt::GlobalsOnly | Opt::RolesOnly | Opt::TablespacesOnly | Opt::RestrictKey => {}
        }
        Ok(())
    }

    fn pass(&mut self, option: &str, argument: Option<&OsStr>) {
        let mut word = OsString::from(option);
        if let Some(argument) = argument {
            word.push("=");
            word.push(argument);
        }
        self.passed.push(word);
    }

    /// Notes an option without an argument that is passed as well.
    fn note(&mut self, option: &str, place: fn(&mut Self) -> &mut bool) {
        *place(self) = true;
        self.pass(option, None);
    }

    /// Notes an option that leaves definitions out.
    fn without(&mut self, option: &str) {
        self.note(option, |options| &mut options.without_definitions);
    }

    /// The one part that was asked for alone, if there is one.
    fn one_of(&self, only: &[Only]) -> Result<Option<Only>, Failure> {
        let help = |message: String| Err(Failure::UsageWithHelp(message));
        if !only.is_empty() && !self.exclude.is_empty() {
            return help(
                "option --exclude-database cannot be used together with -g/--globals-only, -r/--roles-only, or -t/--tablespaces-only"
                    .to_owned(),
            );
        }
        let together = |one: Only, other: Only| {
            let both = only.contains(&one) && only.contains(&other);
            both.then(|| format!("options {} and {} cannot be used together", one.name(), other.name()))
        };
        if let Some(message) =
            together(Only::Globals, Only::Roles).or_else(|| together(Only::Globals, Only::Tablespaces))
        {
            return help(message);
        }
        if self.if_exists && !self.clean {
            return Err(Failure::usage("option --if-exists requires option -c/--clean"));
        }
        if let Some(message) = together(Only::Roles, Only::Tablespaces) {
            return help(message);
        }
        Ok(only.first().copied())
    }
}
