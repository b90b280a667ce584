//! What is in an archive of a PostgreSQL database, for people: which data takes how much room.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use bstr::{BStr, ByteSlice};
use pgformat::{DataPosition, DumpId, Entry};
use serde::Serialize;

use crate::cli::amounts::{counted, human};
use crate::cli::archive::{Archive, explain_damage, open};
use crate::cli::facts::DataFacts;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::postgres::archive::list::one_line;
use crate::postgres::archive::{EntryName, archive_error};
use crate::postgres::verify::{Kind, verify};
use crate::{Error, ErrorKind, Result};

#[derive(Serialize)]
struct Facts<'a> {
    file: Cow<'a, str>,
    format: &'static str,
    entries: usize,
    stored_bytes: Option<u64>,
    data: &'a [Size],
}

/// The data of an entry.
#[derive(Serialize)]
struct Size {
    id: i32,
    entry: String,
    /// What it takes in the archive, where that can be told without reading it.
    stored_bytes: Option<u64>,
    /// The rows that the planner thought there were, where the archive holds its statistics.
    estimated_rows: Option<u64>,
    /// What was found in it, if it was read.
    #[serde(skip)]
    found: Option<Kind>,
    #[serde(flatten)]
    counts: DataFacts,
}

/// Lists the sizes, and with `count` what is in them, for which all of the archive is read.
pub(super) fn list(file: &Path, count: bool, console: &Console) -> Result<Outcome> {
    let doing = format!("list the sizes of what is in {}", file.display());
    let mut archive = open(file, &doing)?;
    let failed = |error| archive_error(doing.clone(), error);
    let mut stored = archive.sizes().map_err(|error| explain_damage(failed(error), &archive))?;
    if stored.iter().all(Option::is_none) && archive.is_random() {
        // The way from block to block tells, but it loses the place.
        archive.check_end().map_err(|error| explain_damage(failed(error), &archive))?;
        stored = archive.sizes().map_err(failed)?;
        archive = open(file, &doing)?;
    }
    let found = if count { self::count(&mut archive, file, console) } else { Ok(HashMap::new()) };
    let found = found.map_err(|error| explain_damage(error, &archive))?;
    let estimates = estimates(archive.entries());
    let mut sizes: Vec<Size> = archive
        .entries()
        .iter()
        .zip(stored)
        .filter(|(entry, _)| archive.data_position(entry.dump_id).is_some_and(|at| at != DataPosition::NoData))
        .map(|(entry, stored_bytes)| {
            let found = found.get(&entry.dump_id).copied();
            Size {
                id: entry.dump_id.0,
                entry: one_line(&EntryName::of(entry).to_string()),
                stored_bytes,
                estimated_rows: estimates.get(&key(entry)).copied(),
                found,
                counts: found.into(),
            }
        })
        .collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(size.stored_bytes));
    let total: Option<u64> = sizes.iter().map(|size| size.stored_bytes).sum();
    let facts = Facts {
        file: file.to_string_lossy(),
        format: archive.header().format.name(),
        entries: archive.entries().len(),
        stored_bytes: total,
        data: &sizes,
    };
    Outcome::new(lines(&archive, &sizes, total), facts)
}

/// What is in each entry's data.
fn count(archive: &mut Archive, file: &Path, console: &Console) -> Result<HashMap<DumpId, Kind>> {
    let verified = verify(archive, console);
    if let Some(problem) = verified.problems.first() {
        return Err(Error::new(ErrorKind::Archive, format!("count the rows in {}", file.display()))
            .why(problem.text.clone())
            .hint("lifeboat verify tells all that is wrong with it"));
    }
    Ok(verified.data.into_iter().map(|data| (data.entry.dump_id, data.kind)).collect())
}

fn lines(archive: &Archive, sizes: &[Size], total: Option<u64>) -> Vec<String> {
    let header = archive.header();
    let shown = |text: &BStr| one_line(&text.to_str_lossy());
    let mut lines = vec![format!(
        "{} archive {} of {}, made {} by {} from PostgreSQL {}",
        header.format.name(),
        header.version,
        shown(header.dbname.as_bstr()),
        header.created,
        shown(header.dumper_version.as_bstr()),
        shown(header.server_version.as_bstr())
    )];
    let room = |bytes: Option<u64>| bytes.map_or("?".to_owned(), human);
    let width = sizes.iter().map(|size| room(size.stored_bytes).len()).max().unwrap_or_default();
    for size in sizes {
        let rows = match (size.found, size.estimated_rows) {
            (Some(Kind::Rows(rows)), _) => format!(" ({})", counted(rows, "row", "rows")),
            (Some(Kind::LargeObjects(n)), _) => format!(" ({})", counted(n, "large object", "large objects")),
            (Some(Kind::Statements), _) => " (statements)".to_owned(),
            (None, Some(rows)) => format!(" (about {})", counted(rows, "row", "rows")),
            (None, None) => String::new(),
        };
        lines.push(format!("{:>width$}  {}{rows}", room(size.stored_bytes), size.entry));
    }
    let entries = archive.entries().len();
    lines.push(match total {
        Some(total) => format!("{} of data for {} of {entries} entries", human(total), sizes.len()),
        None => {
            format!(
                "data for {} of {entries} entries; sizes are not known before an archive like this is read",
                sizes.len()
            )
        }
    });
    lines
}

type Key<'a> = (Option<&'a BStr>, Option<&'a BStr>);

fn key(entry: &Entry) -> Key<'_> {
    (entry.schema.as_ref().map(|text| text.as_bstr()), entry.tag.as_ref().map(|text| text.as_bstr()))
}

/// The number of rows of each table, as the planner's statistics have it, if they are in the archive.
fn estimates(entries: &[Entry]) -> HashMap<Key<'_>, u64> {
    let statistics = entries.iter().filter(|entry| entry.desc.as_ref().is_some_and(|desc| desc == "STATISTICS DATA"));
    statistics
        .filter_map(|entry| {
            let (_, after) = entry.definition.as_ref()?.split_once_str("'reltuples', '")?;
            let (number, _) = after.split_once_str("'")?;
            // A negative number says that nobody has counted.
            let rows = number.to_str().ok()?.parse::<f64>().ok().filter(|rows| *rows >= 0.0)?;
            Some((key(entry), rows as u64))
        })
        .collect()
}
