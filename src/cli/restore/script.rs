//! `lifeboat restore --script`: a script for psql instead of a restore.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::Args;
use crate::cli::archive::{explain_damage, open};
use crate::cli::backup::is_special;
use crate::cli::progress::Console;
use crate::cli::report::{Outcome, mebibytes};
use crate::cli::terminal;
use crate::error::{Context, Error, ErrorKind, Result};
use crate::output::{Existing, OutputFile};
use crate::postgres::restore::{self, RestrictKey, ScriptSummary};

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
    let mut to = |out: &mut dyn Write| -> Result<ScriptSummary> {
        let mut out = BufWriter::with_capacity(BUFFER, out);
        let written = restore::script(&mut archive, &options, &key, &mut out, console);
        written.map_err(|error| explain_damage(error, &archive))
    };
    let summary = if args.takes_stdout() {
        to(&mut terminal::data())?
    } else if is_special(path) {
        let doing = || format!("write to {}", path.display());
        to(&mut OpenOptions::new().write(true).open(path).context(ErrorKind::Io, doing)?)?
    } else {
        let existing = if args.force { Existing::Replace } else { Existing::Refuse };
        let mut file = OutputFile::create(path, existing)?;
        let summary = to(&mut file).map_err(|e| file.explain(e))?;
        file.commit()?;
        summary
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
    let result = json!({
        "backend": "postgresql",
        "input": args.path.to_string_lossy(),
        "script": path.to_string_lossy(),
        "entries": summary.entries,
        "rows": summary.rows,
        "large_objects": summary.large_objects,
        "bytes": summary.bytes,
        "seconds": begun.elapsed().as_millis() as f64 / 1000.0,
    });
    Ok(Outcome::new(lines, result))
}
