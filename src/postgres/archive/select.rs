//! Which entries of an archive are wanted, and what of them: by the same rules as pg_restore's.

use std::collections::{HashMap, HashSet};
use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use pgformat::kinds::EntryGroup;
use pgformat::{DumpId, Entry, Section};

use super::entry::EntryIndex;
use super::included::{Included, Selection};
use super::{kinds, text};
use crate::{Error, ErrorKind, Result};

/// What is asked for of an archive's entries.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// What of the objects.
    pub included: Included,
    /// The database itself, and what is said about it.
    pub create: bool,
    /// Objects by name; without it, all.
    pub only: Option<&'a Selection>,
    /// These entries, in this order, and no others.
    pub list: Option<&'a [DumpId]>,
    /// Whether a name that matches nothing is an error.
    pub strict_names: bool,
}

impl Request<'_> {
    /// The same, if names may match nothing.
    pub fn lenient(self) -> Self {
        Self { strict_names: false, ..self }
    }

    /// This of all objects.
    pub fn of(included: Included) -> Self {
        Self { included, create: false, only: None, list: None, strict_names: false }
    }
}

/// What is wanted of one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chosen {
    /// Its definition.
    pub definition: bool,
    /// Its data, be it a block of data or a definition that stands for data.
    pub data: bool,
    /// Its definition, which is the planner's statistics.
    pub statistics: bool,
}

impl Chosen {
    /// Whether anything is.
    pub fn any(self) -> bool {
        self.definition || self.data || self.statistics
    }
}

/// That a name which must be in the archive is not: among the causes of the error that says so. It holds what is missing, in words:
/// `table "t"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotThere(pub String);

impl fmt::Display for NotThere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the archive has nothing of that name that the other options leave in")
    }
}

impl std::error::Error for NotThere {}

/// What is wanted of each entry, in the order of `entries`.
///
/// # Errors
/// Names that match nothing, if they must; a list that names an entry that is not there.
pub fn select(entries: &[Entry], request: &Request<'_>) -> Result<Vec<Chosen>> {
    select_and_tell(entries, request).map(|(chosen, _)| chosen)
}

/// As [`select`]; also, in words, the names that match nothing, where they need not.
///
/// # Errors
/// As [`select`].
pub fn select_and_tell(entries: &[Entry], request: &Request<'_>) -> Result<(Vec<Chosen>, Vec<String>)> {
    let places = places(entries);
    let mut selector = Selector {
        entries,
        request,
        listed: request.list.map(|list| list.iter().copied().collect()),
        chosen: vec![Chosen::default(); entries.len()],
        names: request.only.map(Names::of),
        places: &places,
    };
    let mut section = Section::PreData;
    // The list's order counts here too: an entry without a section of its own belongs to that of the one before it.
    for at in order(entries, request, &places)? {
        let entry = &entries[at];
        if entry.section != Section::None {
            section = entry.section;
        }
        if selector.is_chosen(entry, section) {
            selector.chosen[..][at] = chosen(entry, &request.included);
        }
    }
    let unmatched = selector.names.as_ref().map_or(Vec::new(), Names::unmatched);
    match unmatched.first() {
        Some(missing) if request.strict_names => {
            Err(Error::new(ErrorKind::Usage, format!("select {missing}")).source(NotThere(missing.clone())))
        }
        _ => Ok((selector.chosen, unmatched)),
    }
}

/// Where each entry is among the archive's entries.
pub fn places(entries: &[Entry]) -> HashMap<DumpId, EntryIndex> {
    EntryIndex::enumerate(entries).map(|(at, entry)| (entry.dump_id, at)).collect()
}

/// The order in which entries are gone through: the archive's, but those of a list at the end, in the list's order.
///
/// # Errors
/// A list that names an entry that is not there.
pub fn order(
    entries: &[Entry],
    request: &Request<'_>,
    places: &HashMap<DumpId, EntryIndex>,
) -> Result<Vec<EntryIndex>> {
    let Some(list) = request.list else { return Ok(EntryIndex::all(entries.len()).collect()) };
    let mut is_listed = vec![false; entries.len()];
    let mut listed = Vec::with_capacity(list.len());
    for id in list {
        let Some(&at) = places.get(id) else {
            return Err(Error::new(ErrorKind::Usage, "select the entries of the list")
                .why(format!("the archive has no entry {id}")));
        };
        if !std::mem::replace(&mut is_listed[..][at], true) {
            listed.push(at);
        }
    }
    let mut order: Vec<EntryIndex> = EntryIndex::all(entries.len()).filter(|at| !is_listed[..][*at]).collect();
    order.append(&mut listed);
    Ok(order)
}

struct Selector<'a> {
    entries: &'a [Entry],
    request: &'a Request<'a>,
    listed: Option<HashSet<DumpId>>,
    /// What is wanted of the entries that were gone through.
    chosen: Vec<Chosen>,
    names: Option<Names<'a>>,
    places: &'a HashMap<DumpId, EntryIndex>,
}

impl Selector<'_> {
    fn is_chosen(&mut self, entry: &Entry, section: Section) -> bool {
        match kinds::group(entry) {
            EntryGroup::Session => return false,
            // The database itself is made or not, whatever else is chosen.
            EntryGroup::Database => return self.request.create,
            _ => {}
        }
        in_groups(entry, &self.request.included)
            && in_section(section, &self.request.included)
            && self.listed.as_ref().is_none_or(|listed| listed.contains(&entry.dump_id))
            && if kinds::is_dependent(entry) { self.follows(entry) } else { self.is_named(entry) }
    }

    /// Entries about others follow these where there is a selection; without one, all of them are wanted: some have no
    /// parent in the archive, such as privileges of the system's own objects.
    fn follows(&self, entry: &Entry) -> bool {
        if text(&entry.tag).starts_with(b"DATABASE ") {
            // What is said about the database goes with its creation.
            return self.request.create;
        }
        !self.request.only.is_some_and(Selection::is_active)
            || self.parents(entry).any(|at| {
                // Privileges of a column depend on those of its table, for the order only.
                self.chosen[..][at].any() && !kinds::is(&self.entries[at], "ACL")
            })
    }

    fn parents(&self, entry: &Entry) -> impl Iterator<Item = EntryIndex> {
        entry.dependencies.iter().filter_map(|id| self.places.get(id).copied())
    }

    /// Whether the names in the selection let the entry through.
    fn is_named(&mut self, entry: &Entry) -> bool {
        let (Some(only), Some(names)) = (self.request.only, self.names.as_mut()) else { return true };
        let schema = entry.schema.as_ref().map(|schema| schema.as_bstr());
        if !only.schemas.is_empty() && !schema.is_some_and(|schema| names.schemas.take(schema)) {
            return false;
        }
        if schema.is_some_and(|schema| only.exclude_schemas.iter().any(|excluded| excluded == schema)) {
            return false;
        }
        if !only.by_kind() {
            return true;
        }
        if kinds::group(entry) == EntryGroup::StatisticsData {
            // Statistics of what has no name of its own in a selection, such as the index of a key, are left out.
            let places = entry.dependencies.iter().filter_map(|id| self.places.get(id));
            return places.map(|at| &self.entries[*at]).any(|parent| match kinds::group(parent) {
                EntryGroup::Relation => !kinds::is(parent, "SEQUENCE") && names.has(parent),
                EntryGroup::Index => names.has(parent),
                _ => false,
            });
        }
        names.has(entry)
    }
}

/// Whether the entry is the data of extended statistics.
pub fn is_extended(entry: &Entry) -> bool {
    kinds::is(entry, "EXTENDED STATISTICS DATA")
}

/// Whether the request leaves in what the entry belongs to.
fn in_groups(entry: &Entry, included: &Included) -> bool {
    let group = kinds::group(entry);
    let is_about = |words: &str| {
        matches!(group, EntryGroup::Comment | EntryGroup::SecurityLabel)
            && text(&entry.tag).starts_with(words.as_bytes())
    };
    match group {
        EntryGroup::Acl if !included.acl => false,
        EntryGroup::Comment if !included.comments => false,
        EntryGroup::SecurityLabel if !included.security_labels => false,
        EntryGroup::StatisticsData if !included.statistics => false,
        EntryGroup::StatisticsData if !included.extended_statistics && is_extended(entry) => false,
        // A relic of 7.4, which carries nothing.
        _ if kinds::is(entry, "<Init>") => false,
        // What is said about an object is of no use without it.
        _ => {
            (included.publications || !(group == EntryGroup::Publication || is_about("PUBLICATION ")))
                && (included.subscriptions || !(group == EntryGroup::Subscription || is_about("SUBSCRIPTION ")))
                // (There are no security labels of policies.)
                && (included.policies
                    || !(group == EntryGroup::Policy || (group == EntryGroup::Comment && is_about("POLICY "))))
        }
    }
}

fn in_section(section: Section, included: &Included) -> bool {
    match section {
        Section::None | Section::PreData => included.sections.pre_data,
        Section::Data => included.sections.data,
        Section::PostData => included.sections.post_data,
    }
}

/// What a chosen entry consists of, of that what is asked for.
fn chosen(entry: &Entry, included: &Included) -> Chosen {
    match kinds::group(entry) {
        EntryGroup::StatisticsData => return Chosen { statistics: true, ..Chosen::default() },
        EntryGroup::Database => return Chosen { definition: true, ..Chosen::default() },
        _ => {}
    }
    let definition = text(&entry.definition);
    // The exception is a mark in the place of a definition, which makes nothing.
    let has_definition = !definition.is_empty() && !definition.starts_with(kinds::VIA_ROOT);
    let is_data = !entry.has_data && kinds::is_data(entry);
    Chosen {
        definition: has_definition && !is_data && included.schema,
        data: (entry.has_data || is_data)
            && (included.data || (included.sequence_data && kinds::is(entry, "SEQUENCE SET"))),
        statistics: false,
    }
}

/// The names of a selection, and which of them have matched something.
struct Names<'a> {
    schemas: Matched<'a>,
    tables: Matched<'a>,
    indexes: Matched<'a>,
    functions: Matched<'a>,
    triggers: Matched<'a>,
}

impl<'a> Names<'a> {
    fn of(only: &'a Selection) -> Self {
        Self {
            schemas: Matched::of("schema", &only.schemas),
            tables: Matched::of("table", &only.tables),
            indexes: Matched::of("index", &only.indexes),
            functions: Matched::of("function", &only.functions),
            triggers: Matched::of("trigger", &only.triggers),
        }
    }

    /// Whether the entry's name is among those that are wanted of its kind.
    fn has(&mut self, entry: &Entry) -> bool {
        let names = match kinds::group(entry) {
            EntryGroup::Relation | EntryGroup::Data => &mut self.tables,
            EntryGroup::Index if kinds::is(entry, "INDEX") => &mut self.indexes,
            EntryGroup::Routine => &mut self.functions,
            EntryGroup::Trigger => &mut self.triggers,
            _ => return false,
        };
        names.take(text(&entry.tag))
    }

    fn unmatched(&self) -> Vec<String> {
        [&self.schemas, &self.tables, &self.indexes, &self.functions, &self.triggers]
            .into_iter()
            .flat_map(Matched::unmatched)
            .collect()
    }
}

/// Names of one kind.
struct Matched<'a> {
    what: &'static str,
    given: &'a [BString],
    matched: HashMap<&'a BStr, bool>,
}

impl<'a> Matched<'a> {
    fn of(what: &'static str, given: &'a [BString]) -> Self {
        Self { what, given, matched: given.iter().map(|name| (name.as_bstr(), false)).collect() }
    }

    fn take(&mut self, name: &BStr) -> bool {
        self.matched.get_mut(name).is_some_and(|matched| {
            *matched = true;
            true
        })
    }

    fn unmatched(&self) -> impl Iterator<Item = String> {
        let names = self.given.iter().filter(|name| self.matched.get(name.as_bstr()) == Some(&false));
        names.map(|name| format!("{} \"{name}\"", self.what))
    }
}
