//! pg_dumpall.

mod options;
mod table;

use std::ffi::OsString;
use std::io::{BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use bstr::{BStr, BString, ByteSlice};

use super::Context;
use super::connection::Connector;
use super::console::Console;
use super::encoding;
use super::failure::Failure;
use super::help;
use super::major::Major;
use super::output::{Kind, Output};
use super::pg_dump;
use crate::postgres::globals::{self, Cluster, Frame, GlobalsOptions};
use crate::postgres::script::RestrictKey;
use crate::postgres::select::PatternFault;
use crate::printable;
use crate::wire::{Connection, sqlstate};
use crate::{Environment, Error, Result as EngineResult};
use options::{Only, Options};

/// Databases that every server has, which are not made.
const OF_EVERY_SERVER: [&str; 2] = ["template1", "postgres"];

/// Refuses what no script can be written of, before anything is: psql's `\\connect` takes no name with a line break. The words are
/// those that PostgreSQL's tool has when it comes to such a database.
fn check_names(databases: &[BString]) -> Result<(), Failure> {
    match databases.iter().find(|name| name.find_byteset(b"\n\r").is_some()) {
        None => Ok(()),
        Some(name) => {
            let shown = printable::name(name.as_bstr());
            Err(Failure::usage(format!("shell command argument contains a newline or carriage return: \"{shown}\"")))
        }
    }
}

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// The lines of its help.
pub(super) fn help(major: Major) -> Vec<String> {
    let what = "pg_dumpall writes a whole PostgreSQL server, with its roles, as an SQL script.";
    help::lines(major, (what, "pg_dumpall [OPTION]..."), table::OPTIONS, &[])
}

/// Dumps a server.
///
/// # Errors
/// The command line makes no sense; there is no dump.
pub(super) fn run(arguments: Vec<OsString>, context: &Context) -> Result<ExitCode, Failure> {
    let mut options = options::read(arguments, context.major)?;
    let console = Console::new(&context.messages, options.verbose, &context.cancellation);
    let connector = std::mem::take(&mut options.connection).connector("pg_dumpall", context)?;
    let key = options.restrict_key.clone().map_or_else(RestrictKey::random, Ok)?;
    let mut output = Output::open(options.file.as_deref(), Kind::Script, options.flush, &console)?;
    let dump = Dump { options: &options, context, console: &console, connector: &connector, key: &key };
    let written = dump.write(output.as_write());
    output.finish_script(written)?;
    Ok(ExitCode::SUCCESS)
}

/// A dump of a server.
struct Dump<'a> {
    options: &'a Options,
    context: &'a Context,
    console: &'a Console,
    connector: &'a Connector,
    key: &'a RestrictKey,
}

impl Dump<'_> {
    fn write(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let out = &mut BufWriter::with_capacity(BUFFER, out);
        let begun = self.options.verbose.then(now);
        let of_globals = self.globals_options();
        let connect = || self.connect_to_begin();
        let cluster = globals::read(&connect, &of_globals, &self.options.exclude, self.console)
            .map_err(|error| self.in_words(error))?;
        for left_out in cluster.globals.left_out() {
            self.context
                .messages
                .warning(&format!("{left_out}: pg_dumpall has no statement for it; lifeboat backup --globals has"));
        }
        let with_databases = self.options.only.is_none();
        if with_databases {
            check_names(&cluster.databases)?;
        }
        let mut all = if with_databases { [&cluster.databases[..], &cluster.excluded].concat() } else { Vec::new() };
        all.sort_unstable();
        let frame = Frame::new(self.key).databases(&all).begun(begun.as_deref());
        cluster.globals.write(&of_globals, &frame, out)?;
        if with_databases {
            self.databases(&cluster, out)?;
        }
        globals::end(self.options.verbose.then(now).as_deref(), out)?;
        out.flush().map_err(globals::unwritten)?;
        Ok(())
    }

    fn globals_options(&self) -> GlobalsOptions {
        let Options { only, .. } = *self.options;
        let has_definitions = !self.options.without_definitions;
        GlobalsOptions::default()
            .roles(has_definitions && only != Some(Only::Tablespaces))
            .tablespaces(has_definitions && only != Some(Only::Roles) && !self.options.no_tablespaces)
            .passwords(!self.options.no_role_passwords)
            .privileges(!self.options.no_privileges)
            .comments(!self.options.no_comments)
            .security_labels(!self.options.no_security_labels)
            .clean(self.options.clean)
            .if_exists(self.options.if_exists)
            .encoding(encoding::of(self.options.encoding.clone(), &Environment::of_process()))
            .quote_all_identifiers(self.options.quote_all_identifiers)
            .role(self.options.role.clone())
            .form(self.context.major.number())
    }

    /// The connection that says which databases there are: to the one that was named, or else to one that every server has.
    fn connect_to_begin(&self) -> EngineResult<Connection> {
        if let Some(name) = &self.options.database {
            return self.connector.connect_to(BStr::new(name.as_bytes()));
        }
        match self.connector.connect_to(BStr::new("postgres")) {
            Err(error) if is_missing(&error) => self.connector.connect_to(BStr::new("template1")),
            result => result,
        }
    }

    fn databases(&self, cluster: &Cluster, out: &mut dyn Write) -> Result<(), Failure> {
        let messages = &self.context.messages;
        let tell = |what: &str, name: &BStr| {
            if self.options.verbose {
                messages.info(&format!("{what} database \"{}\"", printable::name(name)));
            }
        };
        globals::databases_heading(out)?;
        for name in &cluster.excluded {
            tell("excluding", name.as_bstr());
        }
        for name in &cluster.databases {
            tell("dumping", name.as_bstr());
            globals::database_heading(name.as_bstr(), out)?;
            let how: &[&str] = match (OF_EVERY_SERVER.contains(&name.to_str_lossy().as_ref()), self.options.clean) {
                (false, _) => &["--create"],
                (true, true) => &["--clean", "--create"],
                (true, false) => {
                    write!(out, "\\connect {}\n\n", name.as_bstr()).map_err(globals::unwritten)?;
                    &[]
                }
            };
            let arguments = self.options.passed.iter().cloned().chain(how.iter().map(OsString::from)).collect();
            let connect = || self.connector.connect_to(name.as_bstr());
            pg_dump::write_in_cluster(arguments, self.key, self.context, &connect, out).map_err(|failure| {
                if matches!(failure, Failure::Told) {
                    let name = printable::name(name.as_bstr());
                    messages.error(&format!("pg_dump failed on database \"{name}\", exiting"));
                }
                failure
            })?;
        }
        Ok(())
    }

    /// Errors of which PostgreSQL's tool has words that others look for.
    fn in_words(&self, error: Error) -> Failure {
        match error.cause::<PatternFault>() {
            Some(PatternFault::TooManyDots { pattern, .. }) => {
                let pattern = printable::name(pattern.as_bstr());
                Failure::usage(format!("improper qualified name (too many dotted names): {pattern}"))
            }
            _ => Failure::Engine(error),
        }
    }
}

/// Whether the server is there, and that database is not, or lets nobody in.
fn is_missing(error: &Error) -> bool {
    const CODES: [&str; 3] =
        [sqlstate::INVALID_CATALOG_NAME, sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE, sqlstate::INSUFFICIENT_PRIVILEGE];
    error.server().is_some_and(|report| report.is_any(&CODES))
}

/// The time, as scripts have it in their comments.
fn now() -> String {
    jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}
