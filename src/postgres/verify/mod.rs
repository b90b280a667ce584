//! Checking an archive without a server: all of it is read, decompressed and counted, and nothing in it is carried out.

mod block;
mod characters;
mod contents;
mod rows;

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::atomic::AtomicBool;

use pgformat::{Block, DataPosition, DumpId, Entry, ErrorKind, Format, Reader};

use super::archive::{Archive, ArchiveSettings, EntryName};
use crate::progress::{Part, Phase, Reporter, Unit};
pub(in crate::postgres) use block::check;
pub(in crate::postgres) use contents::text_problem;

/// How many problems are told; a damaged archive may have very many.
const MOST_PROBLEMS: usize = 100;

/// What was found in an archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// The data of each entry that has any, in the order in which it was read.
    pub data: Vec<DataOf>,
    /// Entries in the table of contents.
    pub entries: u64,
    /// Rows that COPY statements would store.
    pub rows: u64,
    /// Bytes of data, decompressed.
    pub bytes: u64,
    /// Large objects.
    pub large_objects: u64,
    /// Dependencies on entries that are not in the archive.
    pub unknown_dependencies: u64,
    /// What is wrong: the first problems.
    pub problems: Vec<Problem>,
    /// Problems beyond those.
    pub more_problems: u64,
    /// Entries whose data could not be got at, because something before it is damaged.
    pub unchecked: u64,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty() && self.unchecked == 0
    }

    /// How many problems there are.
    pub fn count(&self) -> u64 {
        self.problems.len() as u64 + self.more_problems
    }

    fn add(&mut self, problem: Problem) {
        if self.problems.len() < MOST_PROBLEMS { self.problems.push(problem) } else { self.more_problems += 1 }
    }
}

/// The data of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataOf {
    /// The entry.
    pub entry: EntryName,
    /// What it is.
    pub kind: Kind,
    /// Its bytes, decompressed.
    pub bytes: u64,
}

/// What sort of data an entry has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// So many rows for a COPY statement.
    Rows(u64),
    /// Statements, mostly INSERT.
    Statements,
    /// So many large objects.
    LargeObjects(u64),
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The entry that it is about, if it is about one.
    pub entry: Option<EntryName>,
    /// What is wrong.
    pub text: String,
}

impl Problem {
    fn of(entry: &Entry, text: impl Into<String>) -> Self {
        Self { entry: Some(EntryName::of(entry)), text: text.into() }
    }
}

/// Checks all of an archive, of which nothing was read yet but the table of contents.
///
/// Every block is decompressed, with the checksums that its compression has; the rows of COPY statements are counted, and so
/// are their columns; large objects are held against the entries that make them; dependencies must not run in a circle.
/// What is wrong is in the result, and the rest is checked all the same, as far as the input can be gone on with.
pub fn verify<R: Read>(archive: &mut Reader<R>, reporter: &dyn Reporter) -> Verified {
    let sizes = sizes(archive);
    let total = sizes.values().try_fold(0_u64, |total, size| Some(total.saturating_add((*size)?)));
    let phase = Phase::new("verify", Unit::Bytes);
    reporter.phase(total.map_or(phase, |total| phase.of(total)));
    let mut verified = Verified { entries: archive.entries().len() as u64, ..Verified::default() };
    let mut problems = Vec::new();
    verified.unknown_dependencies = contents::dependencies(archive.entries(), &mut problems);
    let made = contents::large_objects(archive.entries(), &mut problems);
    let settings = ArchiveSettings::as_far_as_said(archive.entries());
    for entry in archive.entries() {
        problems.extend(text_problem(entry, &settings.encoding).map(|text| Problem::of(entry, text)));
    }
    problems.into_iter().for_each(|problem| verified.add(problem));
    let mut verification = Verification { verified, reporter, sizes, settings, objects: Vec::new() };
    let is_complete = verification.all(archive);
    if let (true, Some(made)) = (is_complete, made) {
        verification.compare_objects(made);
    }
    verification.verified
}

/// The size of each entry's data, where it can be told beforehand.
fn sizes<R: Read>(archive: &mut Reader<R>) -> HashMap<DumpId, Option<u64>> {
    // Why it cannot be told is for the check itself to find out.
    let sizes = archive.sizes().unwrap_or_else(|_| vec![None; archive.entries().len()]);
    let entries = archive.entries().iter().zip(sizes).map(|(entry, size)| (entry.dump_id, size));
    entries.filter(|(id, _)| archive.data_position(*id) != Some(DataPosition::NoData)).collect()
}

struct Verification<'a> {
    verified: Verified,
    reporter: &'a dyn Reporter,
    sizes: HashMap<DumpId, Option<u64>>,
    settings: ArchiveSettings,
    /// The large objects that have content.
    objects: Vec<u32>,
}

impl Verification<'_> {
    /// Goes through the archive in its order, and from the first error on entry by entry. Says whether all data was read.
    fn all<R: Read>(&mut self, archive: &mut Reader<R>) -> bool {
        let has_data = |entry: &&Entry| {
            archive.data_position(entry.dump_id).is_some_and(|position| position != DataPosition::NoData)
        };
        let with_data: Vec<DumpId> = archive.entries().iter().filter(has_data).map(|entry| entry.dump_id).collect();
        let mut done = HashSet::new();
        let failed = loop {
            match archive.next_block() {
                Ok(None) => return true,
                Ok(Some(block)) => {
                    let id = block.entry().map(|entry| entry.dump_id);
                    done.extend(id);
                    if let Err(error) = self.block(block) {
                        break (id, error);
                    }
                }
                Err(error) => break (None, error),
            }
        };
        let mut is_lost = self.put_down(archive, failed);
        for (at, id) in with_data.iter().enumerate() {
            if is_lost {
                self.verified.unchecked = with_data[at..].iter().filter(|id| !done.contains(*id)).count() as u64;
                break;
            }
            if done.insert(*id) {
                let result = match archive.block(*id) {
                    Ok(Some(block)) => self.block(block),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                };
                if let Err(error) = result {
                    is_lost = self.put_down(archive, (Some(*id), error));
                }
            }
        }
        false
    }

    /// Puts down what could not be read. Says whether there is no way to what comes after it.
    fn put_down<R: Read>(&mut self, archive: &Reader<R>, (id, error): (Option<DumpId>, pgformat::Error)) -> bool {
        let problem =
            Problem { entry: id.and_then(|id| archive.entry(id)).map(EntryName::of), text: error.to_string() };
        match self.verified.problems.last_mut() {
            // It was met on the way to the next block, and now once more.
            Some(last) if last.text == problem.text => *last = problem,
            _ => self.verified.add(problem),
        }
        if !archive.is_random() {
            return true;
        }
        // Where blocks have to be looked for, the one way is through those before them; so it is with a tar file's members.
        let is_looked_for = match archive.header().format {
            Format::Custom => {
                archive.entries().iter().any(|e| archive.data_position(e.dump_id) == Some(DataPosition::NotSet))
            }
            Format::Tar => true,
            Format::Directory => false,
        };
        is_looked_for && !matches!(error.kind(), ErrorKind::Compression(_) | ErrorKind::Missing(_))
    }

    fn block<R: Read>(&mut self, block: Block<'_, R>) -> pgformat::Result<()> {
        let Some(entry) = block.entry().cloned() else { return Ok(()) };
        let entry = &entry;
        let name = EntryName::of(entry);
        self.reporter.current(&name.to_string());
        let part = Part::new(self.reporter, self.sizes.get(&entry.dump_id).copied().flatten(), 0);
        let found = check(entry, block, &self.settings, &part, &AtomicBool::new(false))?;
        part.end();
        match found.kind {
            Kind::Rows(rows) => self.verified.rows += rows,
            Kind::LargeObjects(objects) => self.verified.large_objects += objects,
            Kind::Statements => {}
        }
        self.objects.extend(found.objects);
        self.verified.bytes += found.bytes;
        for text in found.problems {
            self.verified.add(Problem { entry: Some(name.clone()), text });
        }
        let (kind, bytes) = (found.kind, found.bytes);
        self.verified.data.push(DataOf { entry: name, kind, bytes });
        Ok(())
    }

    /// Each large object must be made by an entry, and have content, which may be empty.
    fn compare_objects(&mut self, made: Vec<u32>) {
        let mut objects = std::mem::take(&mut self.objects);
        objects.sort_unstable();
        let problem = |text| Problem { entry: None, text };
        if let Some(pair) = objects.windows(2).find(|pair| pair[0] == pair[1]) {
            self.verified.add(problem(format!("large object {} has its content twice", pair[0])));
        }
        let not_in = |all: &[u32], oid: &&u32| all.binary_search(oid).is_err();
        let told =
            |mut lacking: Box<dyn Iterator<Item = &u32> + '_>| lacking.next().map(|first| (*first, lacking.count()));
        let more = |n: usize| if n == 0 { String::new() } else { format!(", and {n} more,") };
        if let Some((first, n)) = told(Box::new(objects.iter().filter(|oid| not_in(&made, oid)))) {
            self.verified.add(problem(format!("large object {first}{} has content, but no entry makes it", more(n))));
        }
        // An archive without data has their entries only.
        if !objects.is_empty()
            && let Some((first, n)) = told(Box::new(made.iter().filter(|oid| not_in(&objects, oid))))
        {
            self.verified.add(problem(format!("large object {first}{} has no content", more(n))));
        }
    }
}

/// As [`verify`], of an archive that was opened here: if something is wrong, what looks like the reason comes first.
pub fn verify_opened(archive: &mut Archive, reporter: &dyn Reporter) -> Verified {
    let mut verified = verify(archive, reporter);
    if !verified.is_sound()
        && let Some(why) = pgformat::mangled(&archive.get_ref().sample())
    {
        verified.problems.insert(0, Problem { entry: None, text: why.to_owned() });
    }
    verified
}
