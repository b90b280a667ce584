//! The first bytes of an archive: what wrote it, how, and of which database.

use std::fmt;
use std::io::{Read, Write};

use bstr::BString;

use crate::error::{ErrorKind, Fault, Result};
use crate::primitives::{Input, Output};
use crate::setters::setters;
use crate::{Compression, Limits, Version, diagnosis};

pub(crate) const MAGIC: &[u8; 5] = b"PGDMP";

/// The kinds of archive that begin with this header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// One file: pg_dump's `-Fc`.
    Custom,
    /// A tar file: pg_dump's `-Ft`.
    Tar,
    /// A folder of files: pg_dump's `-Fd`.
    Directory,
}

impl Format {
    /// Its name, as pg_dump spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Custom => "custom",
            Self::Tar => "tar",
            Self::Directory => "directory",
        }
    }
}

/// When the dump was made, in the local time of the machine that made it, as C's `struct tm` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Created {
    /// Seconds, 0 to 60.
    pub second: i32,
    /// Minutes.
    pub minute: i32,
    /// Hours, 0 to 23.
    pub hour: i32,
    /// Day of the month, from 1.
    pub day: i32,
    /// Month, from 0.
    pub month: i32,
    /// Years since 1900.
    pub year: i32,
    /// Positive in daylight saving time, 0 outside of it, negative if unknown.
    pub daylight_saving: i32,
}

impl Created {
    /// The moment so many seconds after 1970 began, on a clock that shows UTC.
    pub fn from_unix(seconds: i64) -> Self {
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        // Counted in years that begin in March, so that the leap day is the last one.
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12;
        let year = era * 400 + year_of_era + i64::from(month < 2);
        let small = |n: i64| i32::try_from(n).unwrap_or(i32::MAX);
        Self {
            second: small(second % 60),
            minute: small(second / 60 % 60),
            hour: small(second / 3_600),
            day: small(day),
            month: small(month),
            year: small(year - 1_900),
            daylight_saving: 0,
        }
    }
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month) = (i64::from(self.year) + 1_900, i64::from(self.month) + 1);
        let Self { day, hour, minute, second, .. } = self;
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// What an archive says about itself. One begins with [`Header::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The version of the format.
    pub version: Version,
    /// How many bytes an integer has, its sign not counted; 4 in practice.
    pub int_size: u8,
    /// How many bytes an offset has, its flag not counted; 8 in practice.
    pub offset_size: u8,
    /// The kind of archive.
    pub format: Format,
    /// How its data is compressed.
    pub compression: Compression,
    /// When it was made.
    pub created: Created,
    /// The database that was dumped.
    pub dbname: BString,
    /// The version of the server, as the server gave it.
    pub server_version: BString,
    /// The version of the program that wrote the archive.
    pub dumper_version: BString,
}

impl Header {
    /// A header with the sizes that every PostgreSQL in use writes, and with nothing known of time and place.
    pub fn new(version: Version, compression: Compression) -> Self {
        Self {
            version,
            int_size: 4,
            offset_size: 8,
            format: Format::Custom,
            compression,
            created: Created { day: 1, ..Created::default() },
            dbname: BString::default(),
            server_version: BString::default(),
            dumper_version: BString::default(),
        }
    }

    /// The same for an archive in directory format.
    #[must_use]
    pub fn in_folder(self) -> Self {
        Self { format: Format::Directory, ..self }
    }

    /// The same for an archive in tar format.
    #[must_use]
    pub fn in_tar(self) -> Self {
        Self { format: Format::Tar, ..self }
    }

    setters! {
        int_size: u8 => int_size,
        offset_size: u8 => offset_size,
        created: Created => created,
        dbname: impl Into<BString> => dbname.into(),
        server_version: impl Into<BString> => server_version.into(),
        dumper_version: impl Into<BString> => dumper_version.into(),
    }

    pub(crate) fn read<R: Read>(input: &mut Input<R>, format: Format, limits: &Limits) -> Result<Self> {
        let what = |what: &'static str| move |fault: Fault| fault.reading(format!("{what} in the header"));
        magic(input, format).map_err(|fault| fault.reading("the header"))?;
        let version = Version {
            major: input.byte().map_err(what("the version"))?,
            minor: input.byte().map_err(what("the version"))?,
            rev: input.byte().map_err(what("the version"))?,
        };
        check_version(version).map_err(|kind| what("the version")(Fault::new(5, kind)))?;
        let int_size = size(input).map_err(what("the size of integers"))?;
        let offset_size = size(input).map_err(what("the size of offsets"))?;
        check_format(input, format).map_err(what("the format"))?;
        let compression = compression(input, version, int_size).map_err(what("the compression"))?;
        let mut clock = [0; 7];
        for n in &mut clock {
            *n = input.int32(int_size).map_err(what("the time of creation"))?;
        }
        let [second, minute, hour, day, month, year, daylight_saving] = clock;
        let mut text = |name| input.text(int_size, limits.text).map(Option::unwrap_or_default).map_err(what(name));
        Ok(Self {
            version,
            int_size,
            offset_size,
            format,
            compression,
            created: Created { second, minute, hour, day, month, year, daylight_saving },
            dbname: text("the name of the database")?,
            server_version: text("the server's version")?,
            dumper_version: text("the dumper's version")?,
        })
    }

    /// Whether this crate can write such an archive in this format.
    pub(crate) fn check(&self, format: Format) -> Result<(), ErrorKind> {
        let Self { version, compression, .. } = self;
        check_version(*version)?;
        if *version < compression.lowest_version() {
            let lowest = compression.lowest_version();
            let why = format!("archive version {version} cannot say {}: that takes {lowest}", compression.name());
            return Err(ErrorKind::Unsupported(why));
        }
        if self.format != format {
            let (own, other) = (self.format.name(), format.name());
            return Err(ErrorKind::Unsupported(format!(
                "this is written in {other} format, and the header says {own}"
            )));
        }
        if format == Format::Tar && *compression != Compression::None {
            return Err(ErrorKind::Unsupported("the data in a tar archive is not compressed".into()));
        }
        if !(1..=32).contains(&self.int_size) || !(1..=32).contains(&self.offset_size) {
            return Err(ErrorKind::Protocol("integers and offsets have 1 to 32 bytes".into()));
        }
        Ok(())
    }

    pub(crate) fn write<W: Write>(&self, output: &mut Output<W>) -> Result<(), Fault> {
        let Self { version, int_size, offset_size, created, .. } = self;
        output.bytes(MAGIC)?;
        let format = if self.format == Format::Custom { 1 } else { 3 };
        output.bytes(&[version.major, version.minor, version.rev, *int_size, *offset_size, format])?;
        if version.names_the_compression() {
            output.bytes(&[match self.compression {
                Compression::None => 0,
                Compression::Gzip(_) => 1,
                Compression::Lz4 => 2,
                Compression::Zstd(_) => 3,
            }])?;
        } else {
            let level = match self.compression {
                Compression::Gzip(Some(level)) => i64::from(level),
                Compression::Gzip(None) => -1,
                _ => 0,
            };
            output.int(*int_size, level)?;
        }
        let Created { second, minute, hour, day, month, year, daylight_saving } = *created;
        for n in [second, minute, hour, day, month, year, daylight_saving] {
            output.int(*int_size, n.into())?;
        }
        for text in [&self.dbname, &self.server_version, &self.dumper_version] {
            output.text(*int_size, Some(text.as_ref()))?;
        }
        Ok(())
    }
}

fn magic<R: Read>(input: &mut Input<R>, format: Format) -> Result<(), Fault> {
    let at = input.offset();
    // No more than that, for a pipe may not have more yet.
    if input.peek(MAGIC.len())? == MAGIC {
        input.consume(MAGIC.len());
        return Ok(());
    }
    // So much tells a script from other files.
    let start = input.peek(4096)?;
    if MAGIC.starts_with(start) {
        return Err(Fault::new(at + start.len() as u64, ErrorKind::Truncated));
    }
    let why = match (format, diagnosis::recognise(start)) {
        (Format::Custom, Some(known)) => known,
        (Format::Custom, None) => "it is no archive of pg_dump: it begins neither with PGDMP nor as a tar file".into(),
        (_, known) => {
            let known = known.map(|known| format!("; {known}")).unwrap_or_default();
            format!("toc.dat is no table of contents: it does not begin with PGDMP{known}")
        }
    };
    Err(Fault::new(at, ErrorKind::NotAnArchive(why)))
}

fn check_version(version: Version) -> Result<(), ErrorKind> {
    if version.is_supported() {
        return Ok(());
    }
    let (oldest, newest) = (Version::OLDEST, Version::NEWEST);
    Err(ErrorKind::Unsupported(format!("archive version {version} is not between {oldest} and {newest}")))
}

fn size<R: Read>(input: &mut Input<R>) -> Result<u8, Fault> {
    let at = input.offset();
    match input.byte()? {
        size @ 1..=32 => Ok(size),
        size => Err(Fault::malformed(at, format!("numbers of {size} bytes cannot be"))),
    }
}

/// A tar archive and a directory say the same of themselves.
fn check_format<R: Read>(input: &mut Input<R>, format: Format) -> Result<(), Fault> {
    let at = input.offset();
    let why = match (input.byte()?, format) {
        (1, Format::Custom) | (3, Format::Tar | Format::Directory) => return Ok(()),
        (1, _) => "this toc.dat is an archive in custom format, not the table of contents of one in many files",
        (3, _) => "this is the toc.dat of a directory archive, or of a tar archive: the archive is the folder it is in",
        (n, _) => return Err(Fault::malformed(at, format!("there is no archive format {n}"))),
    };
    Err(Fault::new(at, ErrorKind::Unsupported(why.into())))
}

fn compression<R: Read>(input: &mut Input<R>, version: Version, int_size: u8) -> Result<Compression, Fault> {
    let at = input.offset();
    if version.names_the_compression() {
        return match input.byte()? {
            0 => Ok(Compression::None),
            1 => Ok(Compression::Gzip(None)),
            2 => Ok(Compression::Lz4),
            3 => Ok(Compression::Zstd(None)),
            n => Err(Fault::new(at, ErrorKind::Unsupported(format!("compression {n} is not known")))),
        };
    }
    match input.int(int_size)? {
        0 => Ok(Compression::None),
        -1 => Ok(Compression::Gzip(None)),
        n @ 1..=9 => Ok(Compression::Gzip(u8::try_from(n).ok())),
        n => Err(Fault::malformed(at, format!("{n} is no level of compression"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_what_date_shows() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (1_735_689_600, "2025-01-01 00:00:00"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(Created::from_unix(seconds).to_string(), shown);
        }
    }
}
