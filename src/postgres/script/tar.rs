//! An archive in tar format: data, and a script beside it that restores them, for people.

use bstr::ByteSlice;
use pgformat::Compression;

use crate::Result;
use crate::postgres::dump::{DumpOptions, DumpSummary, Sink, backup_with_script};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::script::Style;
use crate::postgres::script::live::{What, of_dump};
use crate::progress::Reporter;
use crate::wire::Connection;

/// Backs up the database that `connect` connects to, into an archive in tar format, as [`dump::backup`](crate::postgres::dump::backup)
/// does in the others. Its data is not compressed, whatever `dump` says. The script `restore.sql` in it is one of `style`, which
/// restores as `options` say, but always makes the database itself, in the place of one that is there.
///
/// # Errors
/// As `dump::backup`; the sink is a folder; there is something that psql would not take for what it is.
pub fn tar_of_database(
    connect: &dyn Fn() -> Result<Connection>,
    dump: &DumpOptions,
    options: &RestoreOptions,
    style: &Style,
    sink: Sink<'_>,
    reporter: &dyn Reporter,
) -> Result<DumpSummary> {
    let dump = &dump.clone().compression(Compression::None);
    let options = RestoreOptions { clean: true, create: true, ..of_dump(options, dump) };
    // That has pg_dump's script look the same, whatever else is asked for.
    let style = Style { verbose: false, ..style.clone() };
    let (version, dumper, options, style) = (dump.version(), dump.dumped_by.as_bstr(), &options, &style);
    let what = What { version, dumper, options, style, key: None, is_beside_data: true };
    backup_with_script(connect, dump, sink, reporter, &|contents, session, out| {
        what.write(contents, session, out, reporter).map(|_| ())
    })
}
