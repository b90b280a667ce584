//! The drill with a PostgreSQL database: back up, restore in a scratch database, back that up too, compare.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use bstr::{BStr, ByteSlice};
use serde::Serialize;

use super::digest::{Data, EntryDigest, Name, digests};
use super::narrator::{Narrator, failed, passed};
use super::scratch::{self, Scratch};
use crate::cli::amounts::{mebibytes, seconds};
use crate::cli::archive::open;
use crate::cli::choice;
use crate::cli::common::Common;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::connect::Target;
use crate::postgres::dump::{self, DumpOptions, DumpSummary, Sink};
use crate::postgres::restore::{self, RestoreOptions, RestoreSummary};
use crate::printable::{self, escaped};
use crate::{Existing, OutputFile, Result};

/// How many tables are shown one by one.
const SHOWN: usize = 20;

/// The drill with the database at `target`, which is only read.
pub(super) fn rehearse(
    target: &Target,
    parent: Option<&Path>,
    narrator: &Narrator,
    common: &Common,
) -> Result<Outcome> {
    let begun = Instant::now();
    let console = Console::new(common);
    // Before it takes long: the scratch database is made on the same server.
    restore::refuse_standby(&mut target.connect()?, "drill on this server")?;
    let scratch = Scratch::new(parent, &console)?;
    let (first, second) = (scratch.path().join("backup.dump"), scratch.path().join("again.dump"));
    narrator.say(&format!("lifeboat: drill with {}", target.describe()));

    let (bytes, made) = back_up(target, &first, &console)?;
    narrator.say(&format!(
        "1. backed up: {}, {} entries, {} tables with {} rows, {} large objects",
        mebibytes(bytes),
        made.entries,
        made.tables,
        made.data.rows,
        made.data.large_objects
    ));

    let database = scratch::database(target, &console)?;
    let restored = restore_there(&first, database.target(), &console)?;
    narrator.say(&format!(
        "2. restored into the scratch database {}: {} entries, {} rows, no errors",
        database.target().database(),
        restored.entries,
        restored.rows
    ));

    back_up(database.target(), &second, &console)?;
    let (expected, found) = (digests(&first)?, digests(&second)?);
    let compared = compare(&expected, &found)?;
    narrator.say("3. backed that up too, and compared the two:");
    narrator.say(&format!(
        "   all {} entries are there, and every row of {} tables ({} rows)",
        compared.entries,
        compared.tables.len(),
        compared.tables.iter().map(|table| table.rows).sum::<u64>()
    ));
    tell(&compared, narrator);

    database.remove()?;
    narrator.say("4. dropped the scratch database");
    let (database, seconds) = (target.database().to_string(), seconds(begun.elapsed()));
    let facts = Facts { backend: "postgresql", sample: false, database, bytes, compared, seconds };
    Outcome::new(vec![passed(begun.elapsed())], facts)
}

#[derive(Serialize)]
struct Facts {
    backend: &'static str,
    sample: bool,
    database: String,
    bytes: u64,
    #[serde(flatten)]
    compared: Compared,
    seconds: f64,
}

fn back_up(target: &Target, path: &Path, console: &Console) -> Result<(u64, DumpSummary)> {
    let options = DumpOptions::default().privileges(false);
    let mut file = OutputFile::create(path, Existing::Refuse, console)?;
    let made = dump::backup(&|| target.connect(), &options, Sink::Seekable(&mut file), console);
    let summary = made.map_err(|e| file.explain(e))?;
    Ok((file.commit()?, summary))
}

fn restore_there(path: &Path, target: &Target, console: &Console) -> Result<RestoreSummary> {
    let options = RestoreOptions::default().force(true).clean(false).subscriptions(false);
    let mut archive = open(path, "restore the backup")?;
    let mut connection = target.connect()?;
    let elsewhere = |database: &BStr| target.with_database(database).connect();
    let summary = restore::restore_through(&mut connection, &elsewhere, &mut archive, &options, console)?;
    match summary.errors.first() {
        _ if summary.is_complete() => Ok(summary),
        Some(first) => Err(failed(format!(
            "{} entries could not be restored; the first: {}: {}",
            summary.failed_entries(),
            first.entry,
            first.what_happened().named(choice::name)
        ))),
        None => Err(failed("not everything could be restored")),
    }
}

/// What a comparison that found all rows found.
#[derive(Serialize)]
struct Compared {
    entries: usize,
    tables: Vec<Table>,
    /// Entries whose definition reads differently after a restore.
    reworded: Vec<String>,
}

#[derive(Serialize)]
struct Table {
    table: String,
    rows: u64,
    sha256_sum: String,
}

fn compare(expected: &BTreeMap<Name, Vec<EntryDigest>>, found: &BTreeMap<Name, Vec<EntryDigest>>) -> Result<Compared> {
    let mut compared = Compared { entries: 0, tables: Vec::new(), reworded: Vec::new() };
    if let Some(name) = found.keys().find(|name| !expected.contains_key(*name)) {
        return Err(failed(format!("{} is in the restored database, but not in the backup", shown(name))));
    }
    for (name, digests) in expected {
        let Some(again) = found.get(name).filter(|again| again.len() == digests.len()) else {
            return Err(failed(format!("{} is missing from the restored database", shown(name))));
        };
        compared.entries += digests.len();
        let data = |digests: &[EntryDigest]| -> Vec<Option<Data>> {
            let mut all: Vec<_> = digests.iter().map(|f| f.data).collect();
            all.sort();
            all
        };
        if data(digests) != data(again) {
            let rows = |digests: &[EntryDigest]| digests.iter().filter_map(|f| f.data).map(|d| d.rows).sum::<u64>();
            return Err(failed(format!(
                "{} has other rows after the restore: {} rows before, {} after",
                shown(name),
                rows(digests),
                rows(again)
            )));
        }
        compared.tables.extend(digests.iter().filter_map(|f| f.data).map(|data| table(name, data)));
        if digests.iter().map(|f| &f.statements).ne(again.iter().map(|f| &f.statements)) {
            if name.0 == "SEQUENCE SET" {
                return Err(failed(format!("{} has another value after the restore", shown(name))));
            }
            compared.reworded.push(shown(name));
        }
    }
    Ok(compared)
}

fn shown((desc, schema, tag): &Name) -> String {
    let place = if schema.is_empty() { String::new() } else { format!("{schema}.") };
    escaped(&format!("{desc} {place}{tag}")).into_owned()
}

fn table((desc, schema, tag): &Name, data: Data) -> Table {
    let table = match desc.to_str() {
        Ok("TABLE DATA") => escaped(&format!("{schema}.{tag}")).into_owned(),
        _ => printable::name(tag.as_bstr()),
    };
    Table { table, rows: data.rows, sha256_sum: data.digits() }
}

fn tell(compared: &Compared, narrator: &Narrator) {
    let mut largest: Vec<_> = compared.tables.iter().collect();
    largest.sort_by_key(|table| std::cmp::Reverse(table.rows));
    let largest = largest.get(..SHOWN).unwrap_or(&largest);
    let width = largest.iter().map(|table| table.table.chars().count()).max().unwrap_or(0).max(5);
    narrator.say(&format!("   {:width$} {:>12}  sum of the SHA-256 of all its rows, same in both", "table", "rows"));
    for Table { table, rows, sha256_sum } in largest {
        narrator.say(&format!("   {table:width$} {rows:>12}  {}...", sha256_sum.get(..32).unwrap_or(sha256_sum)));
    }
    let more = compared.tables.len() - largest.len();
    if more > 0 {
        narrator.say(&format!("   and {more} more, all equal"));
    }
    if !compared.reworded.is_empty() {
        narrator.say(&format!(
            "   {} definitions read differently after a restore, as PostgreSQL writes them anew from what it stored:",
            compared.reworded.len()
        ));
        for name in compared.reworded.iter().take(SHOWN) {
            narrator.say(&format!("      {name}"));
        }
    }
}
