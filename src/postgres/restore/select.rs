//! Which entries of an archive are wanted, and what of them.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString};
use pgformat::kinds::Group;
use pgformat::{DumpId, Entry, Section};

use super::kinds::{self, text};
use super::options::{RestoreOptions, Selection};
use crate::{Error, ErrorKind, Result};

/// What is wanted of one entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its definition.
    pub definition: bool,
    /// Its data, be it a block of data or a definition that stands for data.
    pub data: bool,
}

impl Wanted {
    /// Whether anything is.
    pub fn any(self) -> bool {
        self.definition || self.data
    }
}

/// What is wanted of each entry, in the order of `entries`.
///
/// # Errors
/// Names that match nothing, if they must; a list that names an entry that is not there.
pub fn select(entries: &[Entry], options: &RestoreOptions) -> Result<Vec<Wanted>> {
    let places: HashMap<DumpId, usize> = entries.iter().enumerate().map(|(at, entry)| (entry.dump_id, at)).collect();
    if let Some(list) = &options.list
        && let Some(missing) = list.iter().find(|id| !places.contains_key(id))
    {
        return Err(Error::new(ErrorKind::Usage, "select the entries of the list")
            .why(format!("the archive has no entry {}", missing.0)));
    }
    let listed: Option<HashSet<DumpId>> = options.list.as_ref().map(|list| list.iter().copied().collect());
    let mut result: Vec<Wanted> = Vec::with_capacity(entries.len());
    let mut section = Section::PreData;
    for entry in entries {
        if entry.section != Section::None {
            section = entry.section;
        }
        let is_chosen = listed.as_ref().is_none_or(|listed| listed.contains(&entry.dump_id))
            && in_groups(entry, options)
            && in_section(section, options)
            && if kinds::is_dependent(entry) {
                parent_is_wanted(entry, options, |id| {
                    let at = *places.get(&id)?;
                    Some((&entries[at], result.get(at).copied().unwrap_or_default()))
                })
            } else {
                matches_names(entry, &options.only)
            };
        result.push(if is_chosen { parts(entry, options) } else { Wanted::default() });
    }
    if options.strict_names {
        check_names(entries, &options.only)?;
    }
    Ok(result)
}

/// Whether the options leave in what the entry belongs to.
fn in_groups(entry: &Entry, options: &RestoreOptions) -> bool {
    let group = kinds::group(entry);
    let is_dependent = kinds::is_dependent(entry);
    // What is said about an object is of no use without it.
    let about = |words: &str| is_dependent && text(&entry.tag).starts_with(words.as_bytes());
    match group {
        Group::Session | Group::Database => false,
        Group::Acl if !options.acl => false,
        Group::Comment if !options.comments => false,
        Group::SecurityLabel if !options.security_labels => false,
        Group::StatisticsData => options.statistics,
        // A relic of 7.4, which carries nothing.
        _ if kinds::is(entry, "<Init>") => false,
        _ => {
            (options.publications || !(group == Group::Publication || about("PUBLICATION ")))
                && (options.subscriptions || !(group == Group::Subscription || about("SUBSCRIPTION ")))
                && (options.policies || !(group == Group::Policy || about("POLICY ")))
                // What is said about the database itself goes with its creation.
                && !about("DATABASE ")
        }
    }
}

fn in_section(section: Section, options: &RestoreOptions) -> bool {
    match section {
        Section::None | Section::PreData => options.sections.pre_data,
        Section::Data => options.sections.data,
        Section::PostData => options.sections.post_data,
    }
}

/// Entries about others follow these where there is a selection; without one, all of them are wanted: some have no
/// parent in the archive, such as privileges of the system's own objects.
fn parent_is_wanted<'a>(
    entry: &Entry,
    options: &RestoreOptions,
    lookup: impl Fn(DumpId) -> Option<(&'a Entry, Wanted)>,
) -> bool {
    !options.only.is_active()
        || entry.dependencies.iter().filter_map(|id| lookup(*id)).any(|(parent, wanted)| {
            // Privileges of a column depend on those of its table, for the order only.
            wanted.any() && kinds::group(parent) != Group::Acl
        })
}

/// Whether the names in the selection let the entry through.
fn matches_names(entry: &Entry, only: &Selection) -> bool {
    let within = |names: &[BString], name: &BStr| names.iter().any(|wanted| wanted == name);
    let schema = entry.schema.as_ref().map(|schema| BStr::new(schema.as_slice()));
    if !only.schemas.is_empty() && !schema.is_some_and(|schema| within(&only.schemas, schema)) {
        return false;
    }
    if schema.is_some_and(|schema| within(&only.exclude_schemas, schema)) {
        return false;
    }
    !only.by_kind() || names_for(entry, only).is_some_and(|names| within(names, text(&entry.tag)))
}

/// The names of the selection that the entry's own is looked for in.
fn names_for<'a>(entry: &Entry, only: &'a Selection) -> Option<&'a [BString]> {
    match kinds::group(entry) {
        Group::Relation | Group::Data => Some(&only.tables),
        Group::Index if kinds::is(entry, "INDEX") => Some(&only.indexes),
        Group::Routine => Some(&only.functions),
        Group::Trigger => Some(&only.triggers),
        _ => None,
    }
}

/// What a chosen entry consists of, of that what the options want.
fn parts(entry: &Entry, options: &RestoreOptions) -> Wanted {
    let definition = text(&entry.definition);
    // The exception is a mark in the place of a definition, which makes nothing.
    let has_definition = !definition.is_empty() && !definition.starts_with(b"-- load via partition root ");
    let is_data = kinds::is_data(entry);
    Wanted {
        definition: has_definition && !is_data && (options.schema || kinds::group(entry) == Group::StatisticsData),
        data: options.data && (entry.has_data || is_data),
    }
}

fn check_names(entries: &[Entry], only: &Selection) -> Result<()> {
    let has = |one: Selection| {
        entries.iter().any(|entry| match one.schemas.first() {
            Some(schema) => entry.schema.as_ref() == Some(schema),
            None => {
                names_for(entry, &one).is_some_and(|names| entry.tag.as_ref().is_some_and(|tag| names.contains(tag)))
            }
        })
    };
    type Alone = fn(BString) -> Selection;
    let named: [(&str, &[BString], Alone); 5] = [
        ("schema", &only.schemas, |name| Selection { schemas: vec![name], ..Selection::default() }),
        ("table", &only.tables, |name| Selection { tables: vec![name], ..Selection::default() }),
        ("index", &only.indexes, |name| Selection { indexes: vec![name], ..Selection::default() }),
        ("function", &only.functions, |name| Selection { functions: vec![name], ..Selection::default() }),
        ("trigger", &only.triggers, |name| Selection { triggers: vec![name], ..Selection::default() }),
    ];
    for (what, names, alone) in named {
        if let Some(missing) = names.iter().find(|name| !has(alone((*name).clone()))) {
            return Err(Error::new(ErrorKind::Usage, format!("select {what} \"{missing}\""))
                .why("the archive has nothing of that name"));
        }
    }
    Ok(())
}
