//! What an archive comes to, so that two archives can be compared: each entry's statements, and a checksum of its rows that
//! does not depend on their order.

use std::collections::BTreeMap;
use std::path::Path;

use bstr::{BString, ByteSlice};
use pgformat::{Block, DataReader, DumpId, Entry};
use sha2::{Digest, Sha256};

use crate::Result;
use crate::cli::archive::{Archive, Input, open};
use crate::postgres::archive::copy_text::{CopyScanner, Event};
use crate::postgres::archive::{ArchiveSettings, archive_error};
use crate::sql::Encoding;

/// What names an entry: its kind, its schema, its name.
pub(super) type Name = (BString, BString, BString);

/// What two archives must agree on about an entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryDigest {
    /// The statements that make it, and the one that loads its rows.
    pub statements: [Option<BString>; 2],
    /// Its rows, or its large objects.
    pub data: Option<Data>,
}

/// What the data of an entry comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Data {
    /// How many rows, or large objects.
    pub rows: u64,
    /// The sum of the SHA-256 of all rows, in four parts: equal for the same rows in any order.
    pub sum: [u64; 4],
}

impl Data {
    fn add(&mut self, hash: Sha256) {
        self.rows += 1;
        for (part, bytes) in self.sum.iter_mut().zip(hash.finalize().chunks_exact(8)) {
            let mut number = [0; 8];
            number.copy_from_slice(bytes);
            *part = part.wrapping_add(u64::from_le_bytes(number));
        }
    }

    /// The sum as hexadecimal digits.
    pub(super) fn digits(&self) -> String {
        self.sum.iter().map(|part| format!("{part:016x}")).collect()
    }
}

/// Everything in the archive at `path` but what is about the database as such, whose name is another one, and what a drill
/// does not restore: subscriptions, which would begin to receive.
pub(super) fn digests(path: &Path) -> Result<BTreeMap<Name, Vec<EntryDigest>>> {
    let mut archive = open(path, &format!("read {} again", path.display()))?;
    let entries: Vec<Entry> = archive.entries().iter().filter(|e| is_compared(e)).cloned().collect();
    let encoding = Encoding::of(ArchiveSettings::as_far_as_said(archive.entries()).encoding.as_bstr());
    let mut all: BTreeMap<Name, Vec<EntryDigest>> = BTreeMap::new();
    for entry in entries {
        let data = if entry.has_data { Some(data(&mut archive, entry.dump_id, encoding)?) } else { None };
        let name = [entry.desc, entry.schema, entry.tag].map(Option::unwrap_or_default);
        let [desc, schema, tag] = name;
        let statements = [entry.definition, entry.copy_statement];
        all.entry((desc, schema, tag)).or_default().push(EntryDigest { statements, data });
    }
    for same_name in all.values_mut() {
        same_name.sort();
    }
    Ok(all)
}

fn is_compared(entry: &Entry) -> bool {
    let text = |field: &Option<BString>| field.clone().unwrap_or_default();
    let desc = text(&entry.desc);
    !(desc.starts_with(b"DATABASE")
        || desc.starts_with(b"SUBSCRIPTION")
        || text(&entry.tag).starts_with(b"DATABASE ")
        || text(&entry.tag).starts_with(b"SUBSCRIPTION "))
}

fn data(archive: &mut Archive, id: DumpId, encoding: Encoding) -> Result<Data> {
    let failed = |e| archive_error("read the data in the archive again", e);
    let mut sum = Data::default();
    match archive.block(id).map_err(failed)? {
        None => {}
        Some(Block::Data(data)) => rows(data, encoding, &mut sum)?,
        Some(Block::LargeObjects(mut objects)) => {
            while let Some((oid, mut data)) = objects.next().map_err(failed)? {
                let mut hash = Sha256::new_with_prefix(oid.to_le_bytes());
                loop {
                    let piece = data.fill().map_err(failed)?;
                    let length = piece.len();
                    if length == 0 {
                        break;
                    }
                    hash.update(piece);
                    data.consume(length);
                }
                sum.add(hash);
            }
        }
    }
    Ok(sum)
}

/// The mark of the end, and the blank lines after it, are no rows.
fn rows(mut data: DataReader<'_, Input>, encoding: Encoding, sum: &mut Data) -> Result<()> {
    let failed = |e| archive_error("read the data in the archive again", e);
    let mut scanner = CopyScanner::new(encoding);
    let mut hash = Sha256::new();
    loop {
        let piece = data.fill().map_err(failed)?;
        let length = piece.len();
        if length == 0 {
            return Ok(());
        }
        scanner.feed_rows(piece, |event| match event {
            Event::Part(part) => hash.update(part),
            Event::End(_) => sum.add(std::mem::take(&mut hash)),
        });
        data.consume(length);
    }
}
