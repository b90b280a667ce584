//! From objects to the entries of an archive.
//!
//! A kind's `emit` hands its statements to the [`Emitter`]; comments, security labels and privileges, which all kinds
//! share, are methods of it. The result is a [`Contents`]: entries, and the tasks that fetch their data.

mod contents;
mod entry;
mod statistics;

use bstr::{BStr, BString, ByteSlice};

use super::catalogs::CatalogId;
use super::components::Components;
use super::dump::DumpOptions;
use super::model::{DumpId, Model, Object, SecurityLabel};
use super::version::ServerVersion;
use crate::sql::{NoNames, Sql, Style};
pub use contents::Contents;
pub use entry::{Depends, NewEntry};
pub use statistics::{ColumnStatistics, ExtendedData};

/// What a kind may look at while it writes its entries.
pub struct Render<'a> {
    /// The model, complete and free of loops.
    pub model: &'a Model,
    /// The server that is being dumped.
    pub server: ServerVersion,
    /// How names and literals are written.
    pub style: Style,
    /// What was asked for.
    pub options: &'a DumpOptions,
}

impl Render<'_> {
    /// SQL text in the making, with names and literals as this dump needs them.
    pub fn sql(&self) -> Sql {
        Sql::styled(self.style)
    }

    /// How settings that are lists without a name are written.
    pub fn no_names(&self) -> NoNames {
        if self.server.null_for_empty_lists() { NoNames::Null } else { NoNames::EmptyName }
    }

    /// The name of the object's schema; empty for an object in no schema.
    pub fn schema<'m>(&'m self, object: &Object) -> &'m BStr {
        self.model.schema_name(object).unwrap_or_default()
    }

    /// The comment on the object itself, where there is one and it is wanted.
    pub fn comment(&self, object: &Object) -> Option<&BStr> {
        self.comment_of(object, object.catalog_id?)
    }

    fn comment_of(&self, object: &Object, id: CatalogId) -> Option<&BStr> {
        let is_wanted = object.dumped().has(Components::COMMENT) && self.options.comments;
        let mut comments = self.model.comments.get(&id).filter(|_| is_wanted)?.iter();
        Some(comments.find(|comment| comment.sub_id == 0)?.text.as_bstr())
    }

    /// `schema.name`, quoted.
    pub fn qualified(&self, object: &Object) -> Sql {
        let mut sql = self.sql();
        sql.qualified(self.schema(object), object.name.as_bstr());
        sql
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
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        self.define_as(&name, render, object, words, owner, definition);
    }

    /// As [`Emitter::define`], of what is not called by its name alone.
    pub fn define_as(
        &mut self,
        name: &Sql,
        render: &Render<'_>,
        object: &Object,
        words: &'static str,
        owner: Option<&BStr>,
        definition: Sql,
    ) {
        let schema = render.model.schema_name(object);
        let subject = Subject { words, schema, name, owner: owner.unwrap_or_default() };
        if object.dumped().has(Components::DEFINITION) {
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
        if let Some(text) = render.comment_of(object, id) {
            self.comment_text(render, object.id, subject, Some(text));
        }
    }

    /// Adds the comment on a part of `whole`, which is called by its kind, its name, and ON before that of the whole.
    pub fn comment_on_part(
        &mut self,
        render: &Render<'_>,
        after: DumpId,
        (words, name, on): (&'static str, &BStr, &'static str),
        whole: &Object,
        owner: &BStr,
        text: &BStr,
    ) {
        let mut part = render.sql();
        part.kw(words).kw(" ").ident(name).kw(on);
        let mut sql = render.sql();
        sql.kw("COMMENT ON ").sql(&part).sql(&render.qualified(whole)).kw(" IS ").literal(text).kw(";\n");
        part.ident(whole.name.as_bstr());
        let mut entry = NewEntry::about(after, "COMMENT", part.into_bstring());
        entry.schema = render.model.schema_name(whole).map(BString::from);
        entry.owner = Some(owner.into());
        entry.definition = sql;
        self.entry(entry);
    }

    /// Adds a COMMENT entry with this text, or with NULL, after an object.
    pub fn comment_text(&mut self, render: &Render<'_>, after: DumpId, subject: &Subject<'_>, text: Option<&BStr>) {
        let mut sql = render.sql();
        sql.kw("COMMENT ON ").kw(subject.words).kw(" ");
        subject.append_name(&mut sql);
        sql.kw(" IS ");
        match text {
            Some(text) => sql.literal(text),
            None => sql.kw("NULL"),
        };
        sql.kw(";\n");
        let mut entry = NewEntry::about(after, "COMMENT", subject.tag());
        entry.schema = subject.schema.map(BString::from);
        entry.owner = Some(subject.owner.into());
        entry.definition = sql;
        self.entry(entry);
    }

    /// Adds the security labels of the object itself as one entry, where there are any and they are wanted.
    pub fn labels(&mut self, render: &Render<'_>, object: &Object, subject: &Subject<'_>) {
        if !object.dumped().has(Components::LABEL) || !render.options.security_labels {
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
            let mut entry = NewEntry::about(object.id, "SECURITY LABEL", subject.tag());
            entry.schema = subject.schema.map(BString::from);
            entry.owner = Some(subject.owner.into());
            entry.definition = sql;
            self.entry(entry);
        }
    }
}
