//! What an archive will contain, with the dependencies between its entries.

use std::collections::HashSet;

use bstr::BString;
use pgformat::Entry;

use super::{ColumnStatistics, Depends, Emitter, ExtendedData};
use crate::error::Result;
use crate::postgres::data::DataTask;
use crate::postgres::model::{DumpId, LoopRole, Model};
use crate::sql::Sql;

/// What an archive will contain.
#[derive(Debug, Default)]
pub struct Contents {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// What fetches the data of entries, in their order.
    pub data: Vec<(DumpId, DataTask)>,
    /// What is added to the definitions of entries when they are written, in their order.
    pub statistics: Vec<(DumpId, ColumnStatistics)>,
    /// The same of extended statistics.
    pub extended_statistics: Vec<(DumpId, ExtendedData)>,
    /// Extended statistics of which the session's role may not read the data.
    pub unreadable_statistics: Vec<String>,
}

impl Emitter {
    /// The archive's contents: the entries that `is_wanted` lets through, judging them without their dependencies, with
    /// the dependencies worked out.
    pub fn finish(self, model: &Model, is_wanted: impl FnOnce(&[Entry]) -> Result<Vec<bool>>) -> Result<Contents> {
        let mut entries = Vec::with_capacity(self.entries.len());
        let mut rest = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let Some(dump_id) = entry.id else { continue };
            let mut written = Entry::new(dump_id, entry.desc).has_data(entry.data.is_some()).tag(entry.tag);
            written.catalog_oid = entry.catalog_id.map_or((0, 0), |id| (id.catalog.0, id.oid));
            written.section = entry.section;
            written.definition = text(entry.definition);
            written.drop_statement = match entry.goes_with_another {
                true => Some(entry.drop.into_bstring()),
                false => text(entry.drop),
            };
            written.copy_statement = text(entry.copy);
            written.schema = entry.schema;
            written.tablespace = entry.tablespace;
            written.table_access_method = entry.table_access_method;
            written.relkind = entry.relkind;
            written.owner = entry.owner;
            entries.push(written);
            rest.push((entry.depends, entry.data, entry.statistics, entry.extended_statistics));
        }
        let is_wanted = is_wanted(&entries)?;
        let wanted = entries.iter().zip(&is_wanted).filter(|(_, is_wanted)| **is_wanted);
        let resolver = Resolver { model, entries: wanted.map(|(entry, _)| entry.dump_id).collect() };
        let mut contents = Contents { unreadable_statistics: self.unreadable_statistics, ..Contents::default() };
        for ((mut entry, (depends, data, statistics, extended)), is_wanted) in
            entries.into_iter().zip(rest).zip(is_wanted)
        {
            if !is_wanted {
                continue;
            }
            entry.dependencies = match depends {
                Depends::On(ids) => ids,
                Depends::AsGraph => resolver.resolve(entry.dump_id),
            };
            if let Some(task) = data {
                contents.data.push((entry.dump_id, task));
            }
            if let Some(columns) = statistics {
                contents.statistics.push((entry.dump_id, columns));
            }
            if let Some(of) = extended {
                contents.extended_statistics.push((entry.dump_id, of));
            }
            contents.entries.push(entry);
        }
        Ok(contents)
    }
}

fn text(sql: Sql) -> Option<BString> {
    (!sql.is_empty()).then(|| sql.into_bstring())
}

/// Replaces dependencies on objects without entries by what those depend on.
struct Resolver<'a> {
    model: &'a Model,
    entries: HashSet<DumpId>,
}

impl Resolver<'_> {
    fn resolve(&self, id: DumpId) -> Vec<DumpId> {
        let mut found = Vec::new();
        let mut pending = vec![id];
        let mut visited = HashSet::from([id]);
        while let Some(object) = pending.pop().and_then(|id| self.model.get(id)) {
            if matches!(object.body.loop_role(), LoopRole::PreDataBoundary | LoopRole::PostDataBoundary) {
                continue;
            }
            for on in object.dependencies.iter().filter(|on| visited.insert(**on)) {
                if self.entries.contains(on) { found.push(*on) } else { pending.push(*on) }
            }
        }
        found
    }
}
