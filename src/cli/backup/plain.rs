//! A backup as a script for psql.

use std::io::{BufWriter, Write};
use std::path::Path;

use pgformat::Compression;

use crate::cli::destination::Destination;
use crate::console::standard_streams;
use crate::postgres::data::DataSummary;
use crate::postgres::dump::{DumpOptions, DumpSummary};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::{self, RestrictKey, ScriptSummary, Style};
use crate::wire::Connection;
use crate::{Existing, Flush, Reporter, Result};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// Backs up into `output`; gives the script's size, and what is in it. With `owner`, the script says who owns what.
pub(super) fn write(
    connect: &dyn Fn() -> Result<Connection>,
    (options, style, owner): (&DumpOptions, &Style, bool),
    (output, existing): (&Path, Existing),
    reporter: &dyn Reporter,
) -> Result<(u64, DumpSummary)> {
    let key = RestrictKey::random()?;
    let restore = RestoreOptions::default().owner(owner).clean(false).if_exists(false);
    let write = |out: &mut dyn Write| script::of_database(connect, options, &restore, (style, &key), out, reporter);
    let write = |out: &mut dyn Write| match options.compression {
        Compression::None => write(out),
        compression => script::compressed(out, compression, write),
    };
    let (bytes, summary) = match Destination::open(output, existing, "the script", reporter)? {
        Destination::Stream(out) => {
            let mut out = super::archive::Counted { out, bytes: 0 };
            let summary = write(&mut out)?;
            standard_streams::finish(out.out.get_ref(), Flush::Files, "write the script")?;
            (out.bytes, summary)
        }
        Destination::File(mut file) => {
            let written = write(&mut BufWriter::with_capacity(BUFFER, &mut *file));
            let summary = written.map_err(|e| file.explain(e))?;
            (file.commit()?, summary)
        }
    };
    Ok((bytes, of_script(summary)))
}

fn of_script(summary: ScriptSummary) -> DumpSummary {
    let ScriptSummary { entries, tables, rows, large_objects, data_bytes, .. } = summary;
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let data = DataSummary { rows, bytes: data_bytes, large_objects };
    DumpSummary { entries: number(entries), tables: number(tables), data }
}
