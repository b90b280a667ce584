//! `lifeboat restore --script`: a script for psql instead of a restore.

use std::borrow::Cow;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::Args;
use crate::cli::archive::{explain_damage, open};
use crate::cli::destination::Destination;
use crate::cli::progress::Console;
use crate::cli::report::{Outcome, mebibytes, seconds};
use crate::postgres::restore::{self, RestrictKey};
use crate::{Error, ErrorKind, Existing, Result, standard};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Writes the script to the file at `path`, or to standard output if that is `-`.
pub(super) fn write(args: &Args, path: &Path, console: &Console) -> Result<Outcome> {
    let begun = Instant::now();
    if args.database.is_given() {
        return Err(Error::new(ErrorKind::Usage, format!("write {}", path.display()))
            .why("--script writes what psql can run later, and --url says where to restore now")
            .hint("leave out the one or the other"));
    }
    let mut archive = open(&args.path, &format!("write a script of {}", args.path.display()))?;
    let options = args.postgres.options(args.force, archive.entries(), console)?;
    let key = match args.postgres.script.key() {
        Some(key) => key.clone(),
        None => RestrictKey::random()?,
    };
    let mut write = |out: &mut dyn Write| {
        let written = restore::script(&mut archive, &options, &key, out, console);
        written.map_err(|error| explain_damage(error, &archive))
    };
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    let summary = match Destination::open(path, existing, "the script", console)? {
        Destination::Stream(mut out) => {
            let summary = write(&mut out)?;
            standard::finish(out.get_ref(), "write the script")?;
            summary
        }
        Destination::File(mut file) => {
            let written = write(&mut BufWriter::with_capacity(BUFFER, &mut *file));
            let summary = written.map_err(|e| file.explain(e))?;
            file.commit()?;
            summary
        }
    };
    let mut lines = vec![
        "lifeboat: script complete".to_owned(),
        format!("script: {}", path.display()),
        format!("entries: {}", summary.entries),
        format!("rows: {}", summary.rows),
        format!("size: {}", mebibytes(summary.bytes)),
    ];
    if !args.takes_stdout() {
        lines.push(format!("lifeboat: run it with: psql -X -d DATABASE -f {}", path.display()));
    }
    let facts = Facts {
        backend: "postgresql",
        input: args.path.to_string_lossy(),
        script: path.to_string_lossy(),
        entries: summary.entries,
        rows: summary.rows,
        large_objects: summary.large_objects,
        bytes: summary.bytes,
        seconds: seconds(begun.elapsed()),
    };
    Outcome::new(lines, facts)
}

#[derive(Serialize)]
struct Facts<'a> {
    backend: &'static str,
    input: Cow<'a, str>,
    script: Cow<'a, str>,
    entries: u64,
    rows: u64,
    large_objects: u64,
    bytes: u64,
    seconds: f64,
}
