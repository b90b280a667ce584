//! Checking the data of one entry.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use pgformat::{Block, DataReader, Entry};

use super::Kind;
use super::characters::Characters;
use super::rows::RowCheck;
use crate::postgres::archive::copy_statement::CopyStatement;
use crate::postgres::archive::statements::StatementSplitter;
use crate::postgres::archive::{ArchiveSettings, copy_statement, text};
use crate::progress::Part;

/// What the data of an entry turned out to be.
#[derive(Debug)]
pub(in crate::postgres) struct Found {
    pub kind: Kind,
    /// Its bytes, decompressed.
    pub bytes: u64,
    /// What is wrong with it, beyond what its reader tells.
    pub problems: Vec<String>,
    /// The large objects in it.
    pub objects: Vec<u32>,
}

/// Reads the data of `entry` to its end, and holds it against what the entry says of it. `stop` ends it before, and what was
/// found then says nothing.
///
/// # Errors
/// The data is damaged; reading fails.
pub(in crate::postgres) fn check<R: Read>(
    entry: &Entry,
    block: Block<'_, R>,
    settings: &ArchiveSettings,
    part: &Part<'_>,
    stop: &AtomicBool,
) -> pgformat::Result<Found> {
    let mut found = Found { kind: Kind::Statements, bytes: 0, problems: Vec::new(), objects: Vec::new() };
    let data = match block {
        Block::LargeObjects(mut objects) => {
            while let Some((oid, data)) = objects.next()? {
                found.bytes += read(data, part, stop, &mut |_| {})?;
                found.objects.push(oid);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
            found.kind = Kind::LargeObjects(found.objects.len() as u64);
            return Ok(found);
        }
        Block::Data(data) => data,
    };
    let copy = entry.copy_statement.as_ref().filter(|statement| !statement.trim_ascii().is_empty());
    let Some(copy) = copy else {
        let mut check = StatementsCheck::new(entry, settings);
        found.bytes = read(data, part, stop, &mut |piece| check.feed(piece))?;
        found.problems.extend(check.problem());
        return Ok(found);
    };
    match CopyStatement::parse(copy) {
        Some(copy) => {
            let mut check = RowCheck::new(&copy, &settings.encoding);
            found.bytes = read(data, part, stop, &mut |piece| check.feed(piece))?;
            found.kind = Kind::Rows(check.rows());
            found.problems = check.problems();
        }
        None => {
            found.bytes = read(data, part, stop, &mut |_| {})?;
            found.problems.push(copy_statement::IS_NONE.to_owned());
        }
    }
    Ok(found)
}

/// Goes along with data that is statements.
struct StatementsCheck<'a> {
    desc: &'a [u8],
    splitter: StatementSplitter,
    characters: Characters,
    problem: Option<String>,
}

impl<'a> StatementsCheck<'a> {
    fn new(entry: &'a Entry, settings: &ArchiveSettings) -> Self {
        let characters = Characters::of(&settings.encoding);
        Self {
            desc: text(&entry.desc),
            splitter: StatementSplitter::new(settings.standard_strings),
            characters,
            problem: None,
        }
    }

    fn feed(&mut self, piece: &[u8]) {
        if self.problem.is_some() {
            return;
        }
        if let Some(at) = self.characters.first_wrong(piece) {
            self.problem = Some(match piece[at] {
                0 => "there is a zero byte in its statements".to_owned(),
                _ => format!("there is a byte in its statements that is no character in {}", self.characters.name()),
            });
            return;
        }
        self.splitter.feed(piece);
        while let Some(statement) = self.splitter.next_statement() {
            if !copy_statement::is_of_data(self.desc, &statement) {
                self.problem = Some(copy_statement::IS_NO_DATA.to_owned());
                return;
            }
        }
        if let Some(what) = self.splitter.what_is_too_long() {
            self.problem = Some(format!("a statement of its data {what}"));
        }
    }

    fn problem(self) -> Option<String> {
        self.problem.or_else(|| {
            let (rest, _) = self.splitter.finish();
            (!rest.is_empty()).then(|| "the last statement of its data is cut off".to_owned())
        })
    }
}

/// Reads a stream to its end, or until it is to stop, and says how long it is.
fn read<R: Read>(
    mut data: DataReader<'_, R>,
    part: &Part<'_>,
    stop: &AtomicBool,
    take: &mut dyn FnMut(&[u8]),
) -> pgformat::Result<u64> {
    let (mut bytes, mut told) = (0, data.offset());
    loop {
        let piece = data.fill()?;
        let length = piece.len();
        if length == 0 || stop.load(Ordering::Relaxed) {
            return Ok(bytes);
        }
        take(piece);
        bytes += length as u64;
        data.consume(length);
        part.advance(data.offset().saturating_sub(told));
        told = data.offset();
    }
}
