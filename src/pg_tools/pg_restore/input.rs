//! The archive that is restored, and what pg_restore says of files that are none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use pgformat::Format;

use crate::console::standard_streams;
use crate::pg_tools::failure::Failure;
use crate::pg_tools::filter::words;
use crate::pg_tools::major::Major;
use crate::postgres::archive::{self, Archive};
use crate::printable::escaped;

/// What every archive in one file begins with.
const MAGIC: &[u8] = b"PGDMP";
/// What scripts begin with.
const SCRIPTS: [&[u8]; 2] =
    [b"--\n-- PostgreSQL database dump\n--\n\n", b"--\n-- PostgreSQL database cluster dump\n--\n\n"];
/// The size of a tar file's blocks.
const BLOCK: usize = 512;

/// Opens the archive at `path`, or the one on standard input, which is said to be in a format.
///
/// # Errors
/// It cannot be read, is no archive, or is in another format.
pub(super) fn open(path: Option<&Path>, format: Option<Format>, major: Major) -> Result<Archive, Failure> {
    let Some(path) = path else {
        if format == Some(Format::Directory) {
            return Err(Failure::usage("no output directory specified"));
        }
        let doing = "read the archive from standard input";
        return Ok(archive::read(standard_streams::input(doing)?, Path::new("-"), doing)?);
    };
    check(path, format, major)?;
    Ok(archive::open(path, "read the archive")?)
}

/// Looks at what is there, as pg_restore does before it reads any of it.
fn check(path: &Path, format: Option<Format>, major: Major) -> Result<(), Failure> {
    let shown = escaped(&path.to_string_lossy()).into_owned();
    let unreadable = |e: io::Error| {
        let why = words(&e);
        Failure::Usage(match format {
            Some(Format::Directory) => format!("could not open input file \"{shown}/toc.dat\": {why}"),
            Some(Format::Tar) => format!("could not open TOC file \"{shown}\" for input: {why}"),
            _ => format!("could not open input file \"{shown}\": {why}"),
        })
    };
    let found = fs::metadata(path).map_err(unreadable)?;
    match (found.is_dir(), format) {
        (true, Some(Format::Custom | Format::Tar)) => {
            Err(Failure::usage("could not read from input file: Is a directory"))
        }
        (true, asked) => match fs::metadata(path.join("toc.dat")) {
            Ok(_) => Ok(()),
            Err(e) if asked.is_some() => Err(unreadable(e)),
            Err(_) => Err(Failure::usage(format!(
                "directory \"{shown}\" does not appear to be a valid archive (\"toc.dat\" does not exist)"
            ))),
        },
        (false, Some(Format::Directory)) => Err(unreadable(io::ErrorKind::NotADirectory.into())),
        // What comes out of a pipe is gone once it is looked at.
        (false, asked) if found.is_file() => {
            let mut begin = Vec::new();
            let read = File::open(path).and_then(|file| file.take(BLOCK as u64).read_to_end(&mut begin));
            read.map_err(unreadable)?;
            check_beginning(&begin, asked, major)
        }
        _ => Ok(()),
    }
}

fn check_beginning(begin: &[u8], format: Option<Format>, major: Major) -> Result<(), Failure> {
    let is_archive = begin.starts_with(MAGIC);
    let wrong = match format {
        Some(Format::Custom) if begin.len() < MAGIC.len() => "could not read from input file: end of file".to_owned(),
        Some(Format::Custom) if !is_archive => "did not find magic string in file header".to_owned(),
        Some(Format::Tar) if begin.is_empty() => "could not find header for file \"toc.dat\" in tar archive".to_owned(),
        Some(Format::Tar) if begin.len() < BLOCK => format!("incomplete tar header found ({} bytes)", begin.len()),
        None if begin.len() < MAGIC.len() => {
            format!("input file is too short (read {}, expected {})", begin.len(), MAGIC.len())
        }
        None if is_archive => return Ok(()),
        None if begin.len() < BLOCK => "input file does not appear to be a valid archive (too short?)".to_owned(),
        None if SCRIPTS.iter().any(|script| begin.starts_with(script)) => {
            "input file appears to be a text format dump. Please use psql.".to_owned()
        }
        None if begin.get(257..262) != Some(b"ustar") => {
            let tar = if major.number() >= 18 { "tar " } else { "" };
            format!("input file does not appear to be a valid {tar}archive")
        }
        Some(Format::Tar) if is_archive => "could not find header for file \"toc.dat\" in tar archive".to_owned(),
        _ => return Ok(()),
    };
    Err(Failure::Usage(wrong))
}
