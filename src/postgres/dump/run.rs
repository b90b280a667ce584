//! Writing a planned dump into an archive.

use std::collections::HashSet;
use std::io::{Seek, Write};

use bstr::BString;
use pgformat::{Compression, ContentsWriter, Created, DumpId, Header};

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
    reporter.cancellation().run(|| {
        let running = Running::new(reporter.cancellation())?;
        write(&|| running.connect(connect), options, sink, reporter)
    })
}

fn write(
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    sink: Sink<'_>,
    reporter: &dyn Reporter,
) -> Result<DumpSummary> {
    let Begun { mut sessions, contents: mut planned } = begin(connect, options, reporter)?;
    let tables = copied_tables(&planned);
    let header = header(&mut sessions[0], options)?;
    let mut summary = DumpSummary {
        entries: planned.entries.len(),
        tables: planned.data.iter().filter(|(_, task)| matches!(task, DataTask::Rows { .. })).count(),
        data: DataSummary::default(),
    };
    let sessions = sessions.as_mut_slice();
    summary.data = match sink {
        Sink::Seekable(out) => {
            let toc = ContentsWriter::seekable(out, header, summary.entries);
            fill(toc, &mut planned, sessions, options, reporter)?
        }
        Sink::Stream(out) => {
            let toc = ContentsWriter::new(out, header, summary.entries);
            fill(toc, &mut planned, sessions, options, reporter)?
        }
        Sink::Folder(folder) => {
            let files = folder.files().context(ErrorKind::Io, || "write the archive")?;
            let toc = ContentsWriter::folder(Box::new(files), header.in_folder(), summary.entries);
            fill(toc, &mut planned, sessions, options, reporter)?
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

fn fill<W: Write>(
    toc: pgformat::Result<ContentsWriter<W>>,
    planned: &mut Contents,
    sessions: &mut [Session],
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<DataSummary> {
    let doing = || "write the archive";
    let mut writer = contents::write(toc.context(ErrorKind::Io, doing)?, planned, &mut sessions[0], reporter)?;
    let expected: u64 = planned.data.iter().map(|(_, task)| task.expected_bytes()).sum();
    let phase = Phase::new("copying data", Unit::Bytes);
    reporter.phase(if expected > 0 { phase.of_about(expected) } else { phase });
    let data = data::run(&mut writer, &planned.data, sessions, options.compression, reporter)?;
    writer.finish().context(ErrorKind::Io, doing)?.flush().context(ErrorKind::Io, doing)?;
    Ok(data)
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
    header.dumper_version = concat!("lifeboat ", env!("CARGO_PKG_VERSION")).into();
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
