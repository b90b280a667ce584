//! The archive of a PostgreSQL database: in which format, and where it goes.

use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use pgformat::{Compression, Version};

use crate::cli::destination::Destination;
use crate::console::standard_streams;
use crate::console::terminal::{self, Stream};
use crate::postgres::ServerVersion;
use crate::postgres::dump::{self, DumpOptions, DumpSummary, Sink};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::{self, Style};
use crate::wire::Connection;
use crate::{Error, ErrorKind, Existing, Flush, OutputFolder, Reporter, Result};

/// The formats, by pg_dump's names and letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ArchiveFormat {
    /// One file, with all data compressed
    #[value(alias = "c")]
    Custom,
    /// A folder with a file for each table and each large object
    #[value(alias = "d")]
    Directory,
    /// A tar file with these, not compressed, and an SQL script
    #[value(alias = "t")]
    Tar,
    /// An SQL script, which psql runs; with owners and privileges on request only
    #[value(alias = "p")]
    Plain,
}

impl ArchiveFormat {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Directory => "directory",
            Self::Tar => "tar",
            Self::Plain => "plain",
        }
    }

    /// How it is compressed, if it is not said how.
    pub(super) fn compression(self) -> Compression {
        match self {
            Self::Custom | Self::Directory => Compression::Gzip(Some(6)),
            Self::Tar | Self::Plain => Compression::None,
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
    let back_up = |sink: Sink<'_>| match format {
        // Its script says who owns what: whoever runs it has it in hand, and can leave that out.
        ArchiveFormat::Tar => {
            let restore = RestoreOptions::default().owner(true).if_exists(false);
            script::tar_of_database(connect, options, &restore, &style(options), sink, reporter)
        }
        _ => dump::backup(connect, options, sink, reporter),
    };
    match Destination::open(output, existing, "the archive", reporter)? {
        Destination::Stream(out) => {
            let mut out = Counted { out, bytes: 0 };
            let summary = back_up(Sink::Stream(&mut out))?;
            standard_streams::finish(out.out.get_ref(), Flush::Files, "write the archive")?;
            Ok((out.bytes, summary))
        }
        Destination::File(mut file) => {
            let summary = back_up(Sink::Seekable(&mut *file)).map_err(|e| file.explain(e))?;
            Ok((file.commit()?, summary))
        }
    }
}

/// The look of a script in an archive: that of the PostgreSQL that writes archives of its version, so that the script runs where the
/// archive can be restored.
pub(super) fn style(options: &DumpOptions) -> Style {
    let version = options.version();
    Style::default().version(match version {
        Version::V1_15 => ServerVersion::of_major(16),
        _ if version < Version::V1_15 => ServerVersion::of_major(15),
        _ => ServerVersion::NEWEST,
    })
}

/// Counts what is written.
pub(super) struct Counted<W> {
    pub(super) out: W,
    pub(super) bytes: u64,
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
