//! Entries that stand for many large objects at once.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use pgformat::kinds::EntryGroup;
use pgformat::{DumpId, Entry};

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::plan::{Action, Purpose};
use crate::sql::lexer::{Kind, tokens};
use crate::{Error, ErrorKind, Result};

/// The steps of an entry at `at` that speaks for a batch of large objects; `None` if it does not.
///
/// # Errors
/// Privileges of a batch that is not in the archive, or that cannot be understood.
pub fn definition(
    entries: &[Entry],
    at: EntryIndex,
    places: &HashMap<DumpId, EntryIndex>,
) -> Result<Option<Vec<Action>>> {
    let entry = &entries[at];
    if kinds::is(entry, "BLOB METADATA") {
        return Ok(Some(vec![Action::EachLargeObject {
            purpose: Purpose::Create,
            before: "SELECT pg_catalog.lo_create('".into(),
            after: "')".into(),
            oids_of: at,
        }]));
    }
    if kinds::group(entry) != EntryGroup::Acl || !text(&entry.tag).starts_with(b"LARGE OBJECTS") {
        return Ok(None);
    }
    let doing = || format!("read the privileges of {} (entry {})", text(&entry.tag), entry.dump_id.0);
    let batch = entry
        .dependencies
        .iter()
        .filter_map(|id| places.get(id).copied())
        .find(|at| kinds::is(&entries[*at], "BLOB METADATA"));
    let Some(batch) = batch else {
        return Err(
            Error::new(ErrorKind::Archive, doing()).why("the large objects they are for are not in the archive")
        );
    };
    let mut actions = Vec::new();
    for statement in statements(text(&entry.definition)) {
        let Some((before, after)) = around_oid(statement) else {
            return Err(Error::new(ErrorKind::Archive, doing()).why(format!("\"{statement}\" names no large object")));
        };
        actions.push(Action::EachLargeObject { purpose: Purpose::Alter, before, after, oids_of: batch });
    }
    Ok(Some(actions))
}

/// The OIDs that a batch lists, one a line. Anything else in a line is an error: it would become part of a statement.
pub fn oids(entry: &Entry) -> Result<Vec<u32>> {
    text(&entry.definition)
        .lines()
        .map(|line| {
            line.to_str().ok().and_then(|line| line.parse().ok()).ok_or_else(|| {
                Error::new(ErrorKind::Archive, format!("read the large objects of entry {}", entry.dump_id.0))
                    .why(format!("\"{}\" is not an OID", BStr::new(line)))
            })
        })
        .collect()
}

/// The large objects whose content must be in the data of `entry`: those of its batch or, where there are no batches, all.
///
/// # Errors
/// What makes them cannot be understood.
pub fn with_content_in(entry: &Entry, entries: &[Entry]) -> Result<HashSet<u32>> {
    let mut all = HashSet::new();
    for batch in entries.iter().filter(|one| kinds::is(one, "BLOB METADATA")) {
        if entry.dependencies.contains(&batch.dump_id) {
            all.extend(oids(batch)?);
        }
    }
    // Before there were batches, one entry had the content of all, and depended on none.
    if entries.iter().filter(|one| kinds::is(one, "BLOBS")).nth(1).is_none() {
        let single = entries.iter().filter(|one| kinds::is(one, "BLOB"));
        all.extend(single.filter_map(|one| text(&one.tag).to_str().ok()?.parse::<u32>().ok()));
    }
    Ok(all)
}

/// What is wrong with an archive that has no content for these; `None` if there are none.
pub fn without_content(lacking: &HashSet<u32>) -> Option<String> {
    let first = lacking.iter().min()?;
    let more = match lacking.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some(format!("the archive has no content for large object {first}{more}"))
}

pub fn count(entry: &Entry) -> u64 {
    text(&entry.definition).lines().count() as u64
}

pub fn statement(before: &[u8], oid: u32, after: &[u8]) -> Vec<u8> {
    [before, oid.to_string().as_bytes(), after, b";\n"].concat()
}

fn statements(text: &BStr) -> impl Iterator<Item = &BStr> {
    let ends = tokens(text).filter(|token| token.is_mark(b';')).map(|token| token.at).chain([text.len()]);
    let mut begin = 0;
    ends.map(move |end| BStr::new(text[std::mem::replace(&mut begin, end + 1)..end].trim_ascii()))
        .filter(|statement| !statement.is_empty())
}

/// Splits a statement where it names a large object by its OID.
fn around_oid(statement: &BStr) -> Option<(BString, BString)> {
    const WORDS: &[u8] = b"LARGE OBJECT ";
    let start =
        tokens(statement).find(|token| token.kind == Kind::Word && statement[token.at..].starts_with(WORDS))?.at
            + WORDS.len();
    let digits = statement[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| (statement[..start].into(), statement[start + digits..].into()))
}
