//! The archive of a PostgreSQL database: in which format, and where it goes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use clap::ValueEnum;

use crate::cli::destination::Destination;
use crate::console::standard_streams;
use crate::console::terminal::{self, Stream};
use crate::postgres::dump::{self, DumpOptions, DumpSummary, Sink};
use crate::wire::Connection;
use crate::{Error, ErrorKind, Existing, OutputFolder, Reporter, Result};

/// The formats, by pg_dump's names and letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchiveFormat {
    /// One file, with all data compressed
    #[value(alias = "c")]
    Custom,
    /// A folder with a file for each table and each large object
    #[value(alias = "d")]
    Directory,
}

impl ArchiveFormat {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Directory => "directory",
        }
    }
}

/// Backs up into `output`; gives the archive's size, and what is in it.
pub(super) fn write(
    connect: &dyn Fn() -> Result<Connection>,
    format: ArchiveFormat,
    options: &DumpOptions,
    (output, existing): (&Path, Existing),
    reporter: &dyn Reporter,
) -> Result<(u64, DumpSummary)> {
    let to_stdout = standard_streams::is_output(output);
    if format == ArchiveFormat::Directory {
        if to_stdout {
            return Err(Error::new(ErrorKind::Usage, "write the archive to standard output")
                .why("in directory format it is a folder")
                .hint("give the name of a folder with --output, or choose another --format"));
        }
        let folder = OutputFolder::create(output, existing, reporter)?;
        let made = dump::backup(connect, options, Sink::Folder(&folder), reporter);
        let summary = made.map_err(|e| folder.explain(e))?;
        return Ok((folder.commit(reporter)?, summary));
    }
    if to_stdout && terminal::is_terminal(Stream::Out) {
        return Err(Error::new(ErrorKind::Usage, "write the archive to standard output")
            .why("it is a terminal")
            .hint("send it into a file or a program, or name a file with --output"));
    }
    match Destination::open(output, existing, "the archive", reporter)? {
        Destination::Stream(out) => stream(out, connect, options, reporter),
        Destination::File(mut file) => {
            let made = dump::backup(connect, options, Sink::Seekable(&mut *file), reporter);
            let summary = made.map_err(|e| file.explain(e))?;
            Ok((file.commit()?, summary))
        }
    }
}

fn stream(
    out: BufWriter<File>,
    connect: &dyn Fn() -> Result<Connection>,
    options: &DumpOptions,
    reporter: &dyn Reporter,
) -> Result<(u64, DumpSummary)> {
    let mut out = Counted { out, bytes: 0 };
    let summary = dump::backup(connect, options, Sink::Stream(&mut out), reporter)?;
    standard_streams::finish(out.out.get_ref(), "write the archive")?;
    Ok((out.bytes, summary))
}

/// Counts what is written.
struct Counted<W> {
    out: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.out.write(bytes)?;
        self.bytes += n as u64;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
