//! pg_dump.

mod engine;
mod in_cluster;
mod options;
mod plain;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

pub(super) use in_cluster::write as write_in_cluster;

use super::Context;
use super::console::Console;
use super::failure::Failure;
use super::help;
use super::major::Major;
use super::output::{Kind, Output};
use crate::postgres::dump::{self, Sink};
use crate::postgres::script;
use crate::{Existing, OutputFolder};
use options::{Format, Options};

/// The lines of its help.
pub(super) fn help(major: Major) -> Vec<String> {
    let what = "pg_dump writes a PostgreSQL database as an SQL script or an archive.";
    let closing = ["Without a name of a database, PGDATABASE says which, and else the user's name."];
    help::lines(major, (what, "pg_dump [OPTION]... [DBNAME]"), table::OPTIONS, &closing)
}

/// Dumps a database.
///
/// # Errors
/// The command line makes no sense; there is no dump.
pub(super) fn run(arguments: Vec<OsString>, context: &Context) -> Result<ExitCode, Failure> {
    let options = options::read(arguments, context.major)?;
    for warning in &options.warnings {
        context.messages.warning(warning);
    }
    let console = Console::new(&context.messages, options.flags.verbose, &context.cancellation);
    dump(options, context, &console)?;
    Ok(ExitCode::SUCCESS)
}

fn dump(mut options: Options, context: &Context, console: &Console) -> Result<(), Failure> {
    let connector = std::mem::take(&mut options.connection).connector("pg_dump", context)?;
    let dump_options = engine::dump_options(&options, context.major);
    let connect = || connector.connect();
    let file = options.file.as_deref();
    match options.format {
        Format::Custom => {
            let mut output = Output::open(file, Kind::Archive, options.flush, console)?;
            let made = dump::backup(&connect, &dump_options, output.sink(), console);
            output.finish(made)?;
        }
        Format::Directory => {
            let path = file.filter(|path| !path.as_os_str().is_empty());
            let path = path.ok_or_else(|| Failure::usage("no output directory specified"))?;
            let folder = OutputFolder::create(path, Existing::Refuse, console)?;
            let folder = folder.flushing(options.flush).readable_as_usual();
            let made = dump::backup(&connect, &dump_options, Sink::Folder(&folder), console);
            made.map_err(|error| folder.explain(error))?;
            folder.commit(console)?;
        }
        Format::Plain => {
            let mut output = Output::open(file, Kind::Script, options.flush, console)?;
            let written = plain::write(&options, context.major, &connect, output.as_write(), console);
            output.finish_script(written)?;
        }
        Format::Tar => {
            let (restore, style) = (engine::restore_options(&options), engine::style(&options, context.major));
            let mut output = Output::open(file, Kind::Archive, options.flush, console)?;
            let made = script::tar_of_database(&connect, &dump_options, &restore, &style, output.sink(), console);
            output.finish(made)?;
        }
    }
    Ok(())
}
