//! A dump in plain text.

use std::io::{BufWriter, Write};

use pgformat::Compression;

use super::engine;
use super::options::Options;
use crate::pg_tools::console::Console;
use crate::pg_tools::failure::Failure;
use crate::pg_tools::major::Major;
use crate::postgres::script::{self, RestrictKey};
use crate::wire::Connection;
use crate::{ErrorKind, Result as EngineResult};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Writes a script of the database that `connect` connects to.
///
/// # Errors
/// There is no script of it; what is written is of no use then.
pub(super) fn write(
    options: &Options,
    major: Major,
    connect: &dyn Fn() -> EngineResult<Connection>,
    out: &mut dyn Write,
    console: &Console,
) -> Result<(), Failure> {
    let key = options.restrict_key.clone().map_or_else(RestrictKey::random, Ok)?;
    let dump = engine::dump_options(options, major);
    let restore = engine::restore_options(options);
    let style = engine::style(options, major);
    let mut out = BufWriter::with_capacity(BUFFER, out);
    let write = |out: &mut dyn Write| script::of_database(connect, &dump, &restore, (&style, &key), out, console);
    match options.compression {
        Compression::None => write(&mut out)?,
        compression => script::compressed(&mut out, compression, write)?,
    };
    out.flush().map_err(|error| crate::Error::new(ErrorKind::Io, "write the script").source(error))?;
    Ok(())
}
