//! From objects to the entries of an archive.
//!
//! A kind's `emit` hands its statements to the [`Emitter`]; comments, security labels and privileges, which all kinds
//! share, are methods of it. The result is a [`Contents`]: entries, and the tasks that fetch their data.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};
use pgformat::{Entry, Section};

use super::catalogs::CatalogId;
use super::data::DataTask;
use super::dump::DumpOptions;
use super::graph::{LoopRole, Place};
use super::model::{DumpId, Model, Object, Parts, SecurityLabel};
use super::objects::extended_statistics::ExtendedData;
use super::objects::relation_statistics::ColumnStatistics;
use super::version::ServerVersion;
use crate::error::Result;
use crate::sql::{NoNames, Sql};

/// What a kind may look at while it writes its entries.
pub struct Render<'a> {
    /// The model, complete and free of loops.
    pub model: &'a Model,
    /// The server that is being dumped.
    pub server: ServerVersion,
    /// Whether the dump's literals are read with `standard_conforming_strings = on`.
    pub standard_strings: bool,
    /// What was asked for.
    pub options: &'a DumpOptions,
}

impl Render<'_> {
    /// SQL text in the making, with literals as this dump needs them.
    pub fn sql(&self) -> Sql {
        Sql::with_strings(self.standard_strings)
    }

    /// How settings that are lists without a name are written.
    pub fn no_names(&self) -> NoNames {
        if self.server.null_for_empty_lists() { NoNames::Null } else { NoNames::EmptyName }
    }

    /// The name of the object's schema; empty for an object in no schema.
    pub fn schema<'m>(&'m self, object: &Object) -> &'m BStr {
        self.model.schema_name(object).unwrap_or_default()
    }

    /// `schema.name`, quoted.
    pub fn qualified(&self, object: &Object) -> Sql {
        let mut sql = self.sql();
        sql.qualified(self.schema(object), object.name.as_bstr());
        sql
    }
}

/// The dependencies that an entry gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depends {
    /// Those of its object in the graph; an object without an entry is replaced by what it depends on.
    AsGraph,
    /// Just these.
    On(Vec<DumpId>),
}

/// An entry as a kind describes it. An empty definition, drop or copy statement becomes NULL.
pub struct NewEntry {
    /// The entry's number; its object's own, or none for a further entry.
    pub id: Option<DumpId>,
    /// The catalog row it stands for; none for what is not a catalog row.
    pub catalog_id: Option<CatalogId>,
    /// The name in a list of contents.
    pub tag: BString,
    /// The kind of entry, as the archive format calls it.
    pub desc: &'static str,
    /// The part of a restore it belongs to.
    pub section: Section,
    /// The schema's name.
    pub schema: Option<BString>,
    /// The owner's name; none where the format has no owner for the kind, which is not the same as an empty name.
    pub owner: Option<BString>,
    /// The statements that create it.
    pub definition: Sql,
    /// The statement that drops it.
    pub drop: Sql,
    /// Whether an empty drop statement stays one, and is not NULL: the object goes with another, of which it is a part.
    pub goes_with_another: bool,
    /// The COPY statement that loads its data.
    pub copy: Sql,
    /// The tablespace.
    pub tablespace: Option<BString>,
    /// The table access method.
    pub table_access_method: Option<BString>,
    /// The relation kind, or 0.
    pub relkind: u8,
    /// What must be restored before it.
    pub depends: Depends,
    /// What fetches its data.
    pub data: Option<DataTask>,
    /// The columns whose statistics are added to its definition when it is written.
    pub statistics: Option<ColumnStatistics>,
    /// The extended statistics whose data is added likewise.
    pub extended_statistics: Option<ExtendedData>,
}

impl NewEntry {
    /// The object's first entry, where its body has its place, in the object's schema, with dependencies as in the graph.
    pub fn of(object: &Object, render: &Render<'_>, desc: &'static str, tag: impl Into<BString>) -> Self {
        NewEntry {
            id: Some(object.id),
            catalog_id: object.catalog_id,
            tag: tag.into(),
            desc,
            section: match object.body.place() {
                Place::PreData | Place::WithOwner => Section::PreData,
                Place::Data => Section::Data,
                Place::PostData => Section::PostData,
            },
            schema: render.model.schema_name(object).map(BString::from),
            owner: None,
            definition: render.sql(),
            drop: render.sql(),
            goes_with_another: false,
            copy: Sql::new(),
            tablespace: None,
            table_access_method: None,
            relkind: 0,
            depends: Depends::AsGraph,
            data: None,
            statistics: None,
            extended_statistics: None,
        }
    }

    /// A further entry about an object: in no part of its own, after the object.
    pub fn about(object: &Object, desc: &'static str, tag: impl Into<BString>) -> Self {
        NewEntry {
            id: None,
            catalog_id: None,
            tag: tag.into(),
            desc,
            section: Section::None,
            schema: None,
            owner: None,
            definition: Sql::new(),
            drop: Sql::new(),
            goes_with_another: false,
            copy: Sql::new(),
            tablespace: None,
            table_access_method: None,
            relkind: 0,
            depends: Depends::On(vec![object.id]),
            data: None,
            statistics: None,
            extended_statistics: None,
        }
    }
}

/// How an object is called in COMMENT, SECURITY LABEL and GRANT: `TABLE`, its schema, and its quoted name with arguments.
pub struct Subject<'a> {
    /// The key words for the kind: `TABLE`, `FUNCTION`, `ACCESS METHOD`, …
    pub words: &'static str,
    /// The schema, for a kind whose name is written with it.
    pub schema: Option<&'a BStr>,
    /// The quoted name without the schema, with whatever belongs to it (arguments, `ON table`).
    pub name: &'a Sql,
    /// The owner's name.
    pub owner: &'a BStr,
}

impl Subject<'_> {
    pub(super) fn append_name(&self, sql: &mut Sql) {
        if let Some(schema) = self.schema {
            sql.ident(schema).kw(".");
        }
        sql.sql(self.name);
    }

    pub(super) fn tag(&self) -> BString {
        let mut tag = Vec::from(self.words.as_bytes());
        tag.push(b' ');
        tag.extend_from_slice(self.name.as_bstr());
        tag.into()
    }
}

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

/// Collects the entries of an archive.
pub struct Emitter {
    next_id: i32,
    entries: Vec<NewEntry>,
    /// Extended statistics of which the session's role may not read the data.
    pub unreadable_statistics: Vec<String>,
}

impl Emitter {
    /// An emitter whose further entries get numbers after those of the model's objects.
    pub fn new(model: &Model) -> Self {
        Self {
            next_id: i32::try_from(model.len()).unwrap_or(i32::MAX).saturating_add(1),
            entries: Vec::new(),
            unreadable_statistics: Vec::new(),
        }
    }

    /// Adds an entry and returns its number.
    pub fn entry(&mut self, mut entry: NewEntry) -> DumpId {
        let id = entry.id.unwrap_or_else(|| {
            let id = DumpId(self.next_id);
            self.next_id += 1;
            id
        });
        entry.id = Some(id);
        self.entries.push(entry);
        id
    }

    /// Adds what most kinds consist of: the definition with its DROP, where it is wanted, then comment and security labels.
    /// `words` are the kind in SQL and in the archive alike; no `owner` is for a kind that has none.
    pub fn define(
        &mut self,
        render: &Render<'_>,
        object: &Object,
        words: &'static str,
        owner: Option<&BStr>,
        definition: Sql,
    ) {
        let schema = render.model.schema_name(object);
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let subject = Subject { words, schema, name: &name, owner: owner.unwrap_or_default() };
        if object.dumped().has(Parts::DEFINITION) {
            let mut entry = NewEntry::of(object, render, words, object.name.clone());
            entry.owner = owner.map(BString::from);
            entry.definition = definition;
            entry.drop.kw("DROP ").kw(words).kw(" ");
            subject.append_name(&mut entry.drop);
            entry.drop.kw(";\n");
            self.entry(entry);
        }
        self.comment_and_labels(render, object, &subject);
    }

    /// Adds the comment on the object itself and its security labels, where they are there and wanted: what nearly every
    /// kind does after its definition.
    pub fn comment_and_labels(&mut self, render: &Render<'_>, object: &Object, subject: &Subject<'_>) {
        self.comment(render, object, subject);
        self.labels(render, object, subject);
    }

    /// Adds the comment on the object itself, where there is one and it is wanted.
    pub fn comment(&mut self, render: &Render<'_>, object: &Object, subject: &Subject<'_>) {
        if let Some(id) = object.catalog_id {
            self.comment_of(render, object, id, subject);
        }
    }

    /// As [`Emitter::comment`], for one of several catalog rows that are one object.
    pub fn comment_of(&mut self, render: &Render<'_>, object: &Object, id: CatalogId, subject: &Subject<'_>) {
        if !object.dumped().has(Parts::COMMENT) || !render.options.comments {
            return;
        }
        let comments = render.model.comments.get(&id);
        if let Some(comment) = comments.and_then(|c| c.iter().find(|c| c.sub_id == 0)) {
            self.comment_text(render, object, subject, Some(comment.text.as_bstr()));
        }
    }

    /// Adds a COMMENT entry with this text, or with NULL, after the object.
    pub fn comment_text(&mut self, render: &Render<'_>, object: &Object, subject: &Subject<'_>, text: Option<&BStr>) {
        let mut sql = render.sql();
        sql.kw("COMMENT ON ").kw(subject.words).kw(" ");
        subject.append_name(&mut sql);
        sql.kw(" IS ");
        match text {
            Some(text) => sql.literal(text),
            None => sql.kw("NULL"),
        };
        sql.kw(";\n");
        let mut entry = NewEntry::about(object, "COMMENT", subject.tag());
        entry.schema = subject.schema.map(BString::from);
        entry.owner = Some(subject.owner.into());
        entry.definition = sql;
        self.entry(entry);
    }

    /// Adds the security labels of the object itself as one entry, where there are any and they are wanted.
    pub fn labels(&mut self, render: &Render<'_>, object: &Object, subject: &Subject<'_>) {
        if !object.dumped().has(Parts::LABEL) || !render.options.security_labels {
            return;
        }
        if let Some(labels) = object.catalog_id.and_then(|id| render.model.labels.get(&id)) {
            self.label_list(render, object, subject, labels);
        }
    }

    /// Adds those of the labels that are on the object itself as one entry.
    pub fn label_list(
        &mut self,
        render: &Render<'_>,
        object: &Object,
        subject: &Subject<'_>,
        labels: &[SecurityLabel],
    ) {
        let mut sql = render.sql();
        for label in labels.iter().filter(|label| label.sub_id == 0) {
            sql.kw("SECURITY LABEL FOR ").ident(label.provider.as_bstr()).kw(" ON ").kw(subject.words).kw(" ");
            subject.append_name(&mut sql);
            sql.kw(" IS ").literal(label.label.as_bstr()).kw(";\n");
        }
        if !sql.is_empty() {
            let mut entry = NewEntry::about(object, "SECURITY LABEL", subject.tag());
            entry.schema = subject.schema.map(BString::from);
            entry.owner = Some(subject.owner.into());
            entry.definition = sql;
            self.entry(entry);
        }
    }

    /// The archive's contents: the entries that `is_wanted` lets through, judging them without their dependencies, with
    /// the dependencies worked out.
    pub fn finish(self, model: &Model, is_wanted: impl FnOnce(&[Entry]) -> Result<Vec<bool>>) -> Result<Contents> {
        let mut entries = Vec::with_capacity(self.entries.len());
        let mut rest = Vec::with_capacity(self.entries.len());
        for entry in self.entries {
            let Some(dump_id) = entry.id else { continue };
            entries.push(Entry {
                dump_id,
                has_data: entry.data.is_some(),
                catalog_oid: entry.catalog_id.map_or((0, 0), |id| (id.catalog.0, id.oid)),
                tag: Some(entry.tag),
                desc: Some(entry.desc.into()),
                section: entry.section,
                definition: text(entry.definition),
                drop_statement: match entry.goes_with_another {
                    true => Some(entry.drop.into_bstring()),
                    false => text(entry.drop),
                },
                copy_statement: text(entry.copy),
                schema: entry.schema,
                tablespace: entry.tablespace,
                table_access_method: entry.table_access_method,
                relkind: entry.relkind,
                owner: entry.owner,
                dependencies: Vec::new(),
            });
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
