//! `lifeboat restore --script`: a script for psql instead of a restore.

use std::borrow::Cow;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::options::PostgresArgs;
use crate::cli::amounts::{mebibytes, seconds};
use crate::cli::archive::{explain_damage, open};
use crate::cli::destination::Destination;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::console::standard_streams;
use crate::postgres::script::{RestrictKey, ScriptSummary, Style, of_archive};
use crate::{Existing, Flush, Result};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Writes the script of the archive `input` to the file at `path`, or to standard output if that is `-`; with `force`, it replaces
/// a file.
pub(super) fn write(input: &Path, path: &Path, force: bool, args: &PostgresArgs, console: &Console) -> Result<Outcome> {
    let begun = Instant::now();
    let mut archive = open(input, &format!("write a script of {}", input.display()))?;
    let options = args.options(force, archive.entries(), console)?;
    let key = args.script.restrict_key.clone().map_or_else(RestrictKey::random, Ok)?;
    let mut write = |out: &mut dyn Write| {
        let written = of_archive(&mut archive, &options, &Style::default(), &key, out, console);
        written.map_err(|error| explain_damage(error, &archive))
    };
    let existing = if force { Existing::Replace } else { Existing::Refuse };
    let summary = match Destination::open(path, existing, "the script", console)? {
        Destination::Stream(mut out) => {
            let summary = write(&mut out)?;
            standard_streams::finish(out.get_ref(), Flush::Files, "write the script")?;
            summary
        }
        Destination::File(mut file) => {
            let written = write(&mut BufWriter::with_capacity(BUFFER, &mut *file));
            let summary = written.map_err(|e| file.explain(e))?;
            file.commit()?;
            summary
        }
    };
    let ScriptSummary { entries, rows, large_objects, bytes, .. } = summary;
    let mut lines = vec![
        "lifeboat: script complete".to_owned(),
        format!("script: {}", path.display()),
        format!("entries: {entries}"),
        format!("rows: {rows}"),
        format!("size: {}", mebibytes(bytes)),
    ];
    if !standard_streams::is_output(path) {
        lines.push(format!("lifeboat: run it with: psql -X -d DATABASE -f {}", path.display()));
    }
    let (input, script, seconds) = (input.to_string_lossy(), path.to_string_lossy(), seconds(begun.elapsed()));
    Outcome::new(lines, Facts { backend: "postgresql", input, script, entries, rows, large_objects, bytes, seconds })
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
