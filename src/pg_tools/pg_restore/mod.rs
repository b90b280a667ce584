//! pg_restore.

mod input;
mod narrator;
mod options;
mod table;

use std::ffi::OsString;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use bstr::BStr;
use jiff::tz::TimeZone;
use pgformat::{DumpId, Format};

use super::Context;
use super::failure::Failure;
use super::filter::words;
use super::help;
use super::major::Major;
use super::output::{Kind, Output};
use super::server_message;
use crate::postgres::archive::{Archive, ArchiveSettings, NotThere, explain_damage, list, select};
use crate::postgres::restore;
use crate::postgres::script::{RestrictKey, Style, of_archive};
use crate::printable::escaped;
use crate::{Flush, Reporter};
use narrator::Narrator;
use options::{Options, Output as Asked};

/// How much of a script is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// The lines of its help.
pub(super) fn help(major: Major) -> Vec<String> {
    let what = "pg_restore restores a PostgreSQL database from an archive.";
    let closing = [
        "-I, -n, -N, -P, -t, -T and --section may be given more than once.",
        "Without a file, the archive is read from standard input.",
    ];
    help::lines(major, (what, "pg_restore [OPTION]... [FILE]"), table::OPTIONS, &closing)
}

/// Restores an archive, writes it as a script, or lists what is in it.
///
/// # Errors
/// The command line makes no sense, or nothing can be done. What fails of a restore is told as it happens.
pub(super) fn run(arguments: Vec<OsString>, context: &Context) -> Result<ExitCode, Failure> {
    let mut options = options::read(arguments, context.major)?;
    let narrator = Narrator::new(context, options.verbose, !options.restore.data_for_failed_tables);
    carry_out(&mut options, context, &narrator).map_err(in_words)
}

fn carry_out(options: &mut Options, context: &Context, narrator: &Narrator) -> Result<ExitCode, Failure> {
    let mut archive = input::open(options.input.as_deref(), options.format, context.major)?;
    if let Some(path) = &options.list {
        options.restore.list = Some(read_list(path, &archive, context)?);
    }
    match std::mem::replace(&mut options.output, Asked::Database) {
        Asked::List(file) => print_list(&archive, options, file.as_deref(), context, narrator)?,
        Asked::Script(file, key) => write_script(&mut archive, options, &file, key, (context.major, narrator))?,
        Asked::Database => return restore_into(archive, options, context, narrator),
    }
    Ok(ExitCode::SUCCESS)
}

/// What PostgreSQL has words for, in these.
fn in_words(failure: Failure) -> Failure {
    match failure {
        Failure::Engine(error) => {
            let refused = error.refused_statement().filter(|statement| !statement.is_empty());
            match (error.cause::<NotThere>(), error.server(), refused) {
                (Some(NotThere(missing)), ..) => Failure::Usage(format!("{missing} not found")),
                (None, Some(report), Some(statement)) => {
                    let said = server_message::text(report, None);
                    Failure::Usage(format!("could not execute query: {said}Command was: {statement}"))
                }
                _ => Failure::Engine(error),
            }
        }
        other => other,
    }
}

/// The entries of a list that somebody has edited.
fn read_list(path: &Path, archive: &Archive, context: &Context) -> Result<Vec<DumpId>, Failure> {
    let shown = path.to_string_lossy();
    let text = fs::read(path)
        .map_err(|e| Failure::usage(format!("could not open TOC file \"{}\": {}", escaped(&shown), words(&e))))?;
    let list =
        list::parse(&text, archive.entries(), |_, line| context.messages.warning(&format!("line ignored: {line}")));
    match list.iter().find(|id| archive.entry(**id).is_none()) {
        Some(missing) => Err(Failure::usage(format!("could not find entry for ID {}", missing.0))),
        None => Ok(list),
    }
}

fn print_list(
    archive: &Archive,
    options: &Options,
    file: Option<&Path>,
    context: &Context,
    reporter: &dyn Reporter,
) -> Result<(), Failure> {
    let style = list::Style { verbose: options.verbose, level: context.major.number() < 16 };
    let zone = TimeZone::system();
    // Names that match nothing are told after what matches.
    let request = options.restore.request();
    let lines = list::lines_of(archive.header(), archive.entries(), &zone, &request.lenient(), style)?;
    let mut output = Output::open(file, Kind::Script, Flush::Nothing, reporter)?;
    let mut text = lines.join("\n");
    text.push('\n');
    let written = output.write_all(text.as_bytes());
    output.finish(written.map_err(|e| crate::io_error("write the list", file.unwrap_or(Path::new("-")), e)))?;
    select(archive.entries(), &request)?;
    Ok(())
}

fn write_script(
    archive: &mut Archive,
    options: &Options,
    file: &Path,
    key: Option<RestrictKey>,
    (major, reporter): (Major, &dyn Reporter),
) -> Result<(), Failure> {
    let key = key.map_or_else(RestrictKey::random, Ok)?;
    let mut output = Output::open(Some(file), Kind::Script, Flush::Nothing, reporter)?;
    let mut buffered = BufWriter::with_capacity(BUFFER, &mut output);
    let style = Style::default().version(major.server_version()).verbose(options.verbose);
    let written = of_archive(archive, &options.restore, &style, &key, &mut buffered, reporter);
    let written = written.map_err(|error| explain_damage(error, archive));
    drop(buffered);
    output.finish(written)?;
    Ok(())
}

fn restore_into(
    mut archive: Archive,
    options: &mut Options,
    context: &Context,
    narrator: &Narrator,
) -> Result<ExitCode, Failure> {
    if options.restore.jobs > 1 {
        if options.input.is_none() {
            return Err(Failure::usage("parallel restore from standard input is not supported"));
        }
        if archive.header().format == Format::Tar {
            return Err(Failure::usage("parallel restore is not supported with this archive file format"));
        }
    }
    narrator.says("connecting to database for restore");
    // Others do not say it.
    let says_path = context.major.number() >= 18;
    if let Some(path) = ArchiveSettings::of(archive.entries())?.search_path.filter(|_| says_path) {
        narrator.begins(&path);
    }
    let connector = std::mem::take(&mut options.connection).connector("pg_restore", context)?;
    let connect = || connector.connect();
    let elsewhere = |database: &BStr| connector.target()?.with_database(database).connect();
    let restored = restore::restore_from(connect, &elsewhere, &mut archive, &options.restore, narrator);
    let summary = restored.map_err(|error| explain_damage(error, &archive))?;
    if summary.stopped {
        // What ended it was told.
        return Err(Failure::Told);
    }
    match summary.errors.len() {
        0 => Ok(ExitCode::SUCCESS),
        errors => {
            context.messages.warning(&format!("errors ignored on restore: {errors}"));
            Ok(ExitCode::FAILURE)
        }
    }
}
