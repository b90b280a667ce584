//! Writing a planned dump into an archive.

use std::collections::HashSet;
use std::io::{Seek, Write};

use bstr::BString;
use pgformat::{Compression, ContentsWriter, Created, DumpId, Header, Spool};

use super::super::data::{self, DataSummary, DataTask};
use super::super::emit::Contents;
use super::super::session::Session;
use super::begin::{Begun, begin, check_data};
use super::running::Running;
use super::{DumpOptions, contents};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::output::OutputFolder;
use crate::progress::{Phase, Reporter, Unit};
use crate::wire::Connection;

/// Where an archive goes.
#[non_exhaustive]
pub enum Sink<'a> {
    /// To something that can seek: the archive will say where its data is.
    Seekable(&'a mut dyn WriteSeek),
    /// To something that cannot, such as a pipe.
    Stream(&'a mut dyn Write),
    /// Into a folder, as an archive in directory format: each table and each large object a file.
    Folder(&'a OutputFolder),
}

/// `Write` and `Seek` in one.
pub trait WriteSeek: Write + Seek {}

impl<T: Write + Seek> WriteSeek for T {}

/// What a dump consists of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DumpSummary {
    /// Entries of the table of contents.
    pub entries: usize,
    /// Tables whose rows are in it.
    pub tables: usize,
    /// What the data amounts to.
    pub data: DataSummary,
}

/// Backs up the database that `connect` connects to. `connect` is called once for each of `options.jobs`, and again where
/// the dump has to be begun anew. The sink is complete, but not flushed to disk, when this returns.
///
/// # Errors
/// The database cannot be read, or holds something that cannot be dumped completely; the sink cannot be written.
pub fn backup(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    sink: Sink<'_>,
    reporter: &dyn Reporter,
) -> Result<DumpSummary> {
    write(connect, options, (sink, None), reporter)
}

/// Writes the script in an archive in tar format: what is told of the archive's contents, and has none of its data, it may ask the
/// session for.
pub(in crate::postgres) type WriteScript<'a> = dyn Fn(Contents, &mut Session, &mut dyn Write) -> Result<()> + 'a;

/// As [`backup`], into an archive in tar format, with the script that `script` writes after all data. `options` ask for no
/// compression.
///
/// # Errors
/// As [`backup`]; the sink is a folder; what `script` fails with.
pub(in crate::postgres) fn backup_with_script(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    sink: Sink<'_>,
    reporter: &dyn Reporter,
    script: &WriteScript<'_>,
) -> Result<DumpSummary> {
    write(connect, options, (sink, Some(script)), reporter)
}

fn write(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    to: (Sink<'_>, Option<&WriteScript<'_>>),
    reporter: &dyn Reporter,
) -> Result<DumpSummary> {
    reporter.cancellation().run(|| {
        let running = Running::new(reporter.cancellation())?;
        write_over(&|| running.connect(connect), options, to, reporter)
    })
}

fn write_over(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    (sink, script): (Sink<'_>, Option<&WriteScript<'_>>),
    reporter: &dyn Reporter,
) -> Result<DumpSummary> {
    let Begun { mut sessions, contents: planned } = begin(connect, options, reporter)?;
    let tables = copied_tables(&planned);
    let header = header(&mut sessions[0], options)?;
    let mut summary = DumpSummary {
        entries: planned.entries.len(),
        tables: planned.data.iter().filter(|(_, task)| matches!(task, DataTask::Rows { .. })).count(),
        data: DataSummary::default(),
    };
    let sessions = sessions.as_mut_slice();
    let work = Work { planned, sessions: &mut *sessions, options, script, reporter };
    let (entries, now) = (summary.entries, std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs()));
    summary.data = match (sink, script.is_some()) {
        (Sink::Seekable(out), false) => work.fill(ContentsWriter::seekable(out, header, entries))?,
        (Sink::Stream(out), false) => work.fill(ContentsWriter::new(out, header, entries))?,
        (Sink::Seekable(out), true) => work.fill(ContentsWriter::tar(out, header.in_tar(), entries, now))?,
        (Sink::Stream(out), true) => {
            let spool = || Ok(Box::new(tempfile::tempfile()?) as Box<dyn Spool>);
            work.fill(ContentsWriter::tar_stream(out, Box::new(spool), header.in_tar(), entries, now))?
        }
        (Sink::Folder(folder), false) => {
            let files = folder.files().context(ErrorKind::Io, DOING)?;
            work.fill(ContentsWriter::folder(Box::new(files), header.in_folder(), entries))?
        }
        (Sink::Folder(folder), true) => {
            return Err(Error::new(ErrorKind::Usage, format!("write to {}", folder.path().display()))
                .why("an archive in tar format is a file"));
        }
    };
    if let Some(session) = sessions.first_mut() {
        check_data(session, options, &tables)?;
    }
    Ok(summary)
}

/// The OIDs of the relations whose rows are copied.
pub(in crate::postgres) fn copied_tables(planned: &Contents) -> Vec<u32> {
    let copied: HashSet<DumpId> = planned.data.iter().map(|(id, _)| *id).collect();
    let entries = planned.entries.iter().filter(|entry| copied.contains(&entry.dump_id));
    entries.map(|entry| entry.catalog_oid.1).filter(|oid| *oid != 0).collect()
}

const DOING: fn() -> &'static str = || "write the archive";

/// What there is to write.
struct Work<'a> {
    planned: Contents,
    sessions: &'a mut [Session],
    options: &'a DumpOptions,
    script: Option<&'a WriteScript<'a>>,
    reporter: &'a dyn Reporter,
}

impl Work<'_> {
    fn fill<W: Write>(self, toc: pgformat::Result<ContentsWriter<W>>) -> Result<DataSummary> {
        let Self { mut planned, sessions, options, script, reporter } = self;
        let toc = toc.context(ErrorKind::Io, DOING)?;
        let mut writer = contents::write(toc, (&mut planned, script.is_some()), &mut sessions[0], reporter)?;
        let expected: u64 = planned.data.iter().map(|(_, task)| task.expected_bytes()).sum();
        let phase = Phase::new("copying data", Unit::Bytes);
        reporter.phase(if expected > 0 { phase.of_about(expected) } else { phase });
        let data = data::run(&mut writer, &planned.data, sessions, options.compression, reporter)?;
        if let Some(write) = script {
            planned.data.clear();
            let mut out = writer.script().context(ErrorKind::Io, DOING)?;
            write(planned, &mut sessions[0], &mut out)?;
            out.finish().context(ErrorKind::Io, DOING)?;
        }
        writer.finish().context(ErrorKind::Io, DOING)?.flush().context(ErrorKind::Io, DOING)?;
        Ok(data)
    }
}

fn header(session: &mut Session, options: &DumpOptions) -> Result<Header> {
    let rows = session.connection().query("SELECT pg_catalog.current_database() AS name", &[])?;
    // The level that zlib takes by itself is said as pg_dump says it when it is not told one: there are readers that know
    // no other.
    let compression = match options.compression {
        Compression::Gzip(Some(6)) => Compression::GZIP,
        other => other,
    };
    let mut header = Header::new(options.version(), compression);
    header.created = now()?;
    header.dbname = rows.one()?.string("name")?;
    header.server_version = server_version(session)?;
    header.dumper_version.clone_from(&options.dumped_by);
    Ok(header)
}

/// The version of the server, as it says it of itself.
///
/// # Errors
/// It does not.
pub(in crate::postgres) fn server_version(session: &mut Session) -> Result<BString> {
    session.connection().parameter("server_version").map(BString::from).ok_or_else(|| {
        Error::new(ErrorKind::Server, "find out the server's version").why("the server did not report it")
    })
}

fn now() -> Result<Created> {
    let now = jiff::Zoned::now();
    Ok(Created {
        second: now.second().into(),
        minute: now.minute().into(),
        hour: now.hour().into(),
        day: now.day().into(),
        month: i32::from(now.month()) - 1,
        year: i32::from(now.year()) - 1900,
        daylight_saving: i32::from(now.time_zone().to_offset_info(now.timestamp()).dst().is_dst()),
    })
}
