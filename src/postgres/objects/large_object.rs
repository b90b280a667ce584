//! Large objects.
//!
//! Archives up to 1.15 have an entry for each of them, before the data, that makes it, and one entry for the data of all.
//! From 1.16 on, those of one owner and with the same privileges share an entry, a thousand at most: its definition is
//! a list of OIDs, from which the restore makes its statements; and each such entry has its own entry for the data.

use bstr::{BString, ByteSlice};

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::data::DataTask;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, DumpId, Model, NewObject, Object, Rank, SelectedBy, Side};
use crate::postgres::privileges::{Privileges, PrivilegesOf};
use crate::sql::Sql;
use crate::wire::{Query, Row, Rows};

/// How many share an entry.
const BATCH: usize = 1000;

const LARGE_OBJECTS: &str = "\
    SELECT oid, lomowner, lomacl::pg_catalog.text[] AS acl, pg_catalog.acldefault('L', \
    lomowner)::pg_catalog.text[] AS acl_default \
    FROM pg_catalog.pg_largeobject_metadata ORDER BY lomowner, lomacl::pg_catalog.text, oid";

pub(super) struct LargeObjects;

/// Large objects of one owner and with the same privileges.
struct LargeObject {
    /// In order; never empty.
    oids: Vec<u32>,
    owner_oid: u32,
    owner: BString,
    privileges: Privileges,
    batched: bool,
}

/// The data of large objects.
struct LargeObjectData {
    oids: Vec<u32>,
    /// What must be made before, and belongs to the same owner; none where this is the data of all.
    batch: Option<(DumpId, BString)>,
}

impl Kind for LargeObjects {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        if scope.options.with_large_objects() { vec![Query::new("large objects", LARGE_OBJECTS)] } else { Vec::new() }
    }

    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let batched = scope.options.large_objects_in_batches();
        let mut objects: Vec<LargeObject> = Vec::new();
        for row in rows.iter().flat_map(Rows::iter) {
            let object = read(row, batched, model)?;
            match objects.last_mut().filter(|last| last.takes(&object)) {
                Some(batch) => batch.oids.extend(object.oids),
                None => objects.push(object),
            }
        }
        let wanted = SelectedBy::Kind(Components::ALL);
        let mut all = Vec::new();
        for object in objects {
            let (oids, owner, name) = (object.oids.clone(), object.owner.clone(), object.name());
            let id = add(object, wanted, model);
            if batched {
                add_data(LargeObjectData { oids, batch: Some((id, owner)) }, name, wanted, model);
            } else {
                all.extend(oids);
            }
        }
        if !all.is_empty() {
            all.sort_unstable();
            add_data(LargeObjectData { oids: all, batch: None }, "BLOBS".into(), wanted, model);
        }
        Ok(())
    }
}

fn read(row: Row<'_>, batched: bool, model: &Model) -> Result<LargeObject> {
    let oid = row.oid("oid")?;
    let owner_oid = row.oid("lomowner")?;
    Ok(LargeObject {
        oids: vec![oid],
        owner_oid,
        owner: model.role(owner_oid, format!("large object {oid}").as_bytes().as_bstr())?.into(),
        privileges: Privileges::from_row(row, "acl", "acl_default")?,
        batched,
    })
}

fn add(object: LargeObject, wanted: SelectedBy, model: &mut Model) -> DumpId {
    let catalog_id = |oid| CatalogId { catalog: Catalog::LARGE_OBJECT, oid };
    let oids = object.oids.clone();
    let has = Components::DEFINITION.or(Components::DATA).or(object.privileges.component());
    let new = NewObject::made(object.name(), object).selected_by(wanted).has(has);
    let id = model.add(NewObject { catalog_id: oids.first().map(|oid| catalog_id(*oid)), ..new });
    for oid in oids.into_iter().skip(1) {
        model.also(catalog_id(oid), id);
    }
    id
}

fn add_data(data: LargeObjectData, name: BString, wanted: SelectedBy, model: &mut Model) {
    let after = data.batch.as_ref().map(|(id, _)| *id);
    let id = model.add(NewObject::made(name, data).selected_by(wanted).has(Components::DATA));
    if let Some(after) = after {
        model.depend(id, after);
    }
}

impl LargeObject {
    /// Whether `next` can share an entry with these.
    fn takes(&self, next: &LargeObject) -> bool {
        self.batched
            && self.oids.len() < BATCH
            && self.owner_oid == next.owner_oid
            && self.privileges.items == next.privileges.items
    }

    fn first(&self) -> u32 {
        self.oids.first().copied().unwrap_or_default()
    }

    /// `first..last`, or the only one.
    fn name(&self) -> BString {
        let last = self.oids.last().copied().unwrap_or_default();
        if self.oids.len() > 1 { format!("{}..{last}", self.first()) } else { last.to_string() }.into()
    }
}

impl Body for LargeObject {
    fn rank(&self) -> Rank {
        Rank::LargeObject
    }

    fn side(&self) -> Side {
        if self.batched { Side::Data } else { Side::PreData }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = NewEntry::of(object, render, "BLOB", object.name.clone());
            entry.owner = Some(self.owner.clone());
            if self.batched {
                entry.desc = "BLOB METADATA";
                for oid in &self.oids {
                    entry.definition.num(*oid).kw("\n");
                }
                // The restore makes its own; this only says that there is something to drop.
                entry.drop.kw("-- dummy");
            } else {
                entry.definition.kw("SELECT pg_catalog.lo_create('").num(self.first()).kw("');\n");
                entry.drop.kw("SELECT pg_catalog.lo_unlink('").num(self.first()).kw("');\n");
            }
            out.entry(entry);
        }
        for oid in &self.oids {
            self.emit_comment_and_labels(*oid, object, render, out);
        }
        let mut name = Sql::new();
        name.num(self.first());
        let subject = self.subject(&name);
        // The restore puts the others' OIDs into the statements.
        let tag = (self.oids.len() > 1).then(|| [b"LARGE OBJECTS ", &object.name[..]].concat().into());
        out.privileges_of(
            render,
            object,
            &subject,
            &self.privileges,
            &PrivilegesOf { tag, ..PrivilegesOf::default() },
        )?;
        Ok(())
    }
}

impl LargeObject {
    fn subject<'a>(&'a self, name: &'a Sql) -> Subject<'a> {
        Subject { words: "LARGE OBJECT", schema: None, name, owner: self.owner.as_bstr() }
    }

    fn emit_comment_and_labels(&self, oid: u32, object: &Object, render: &Render<'_>, out: &mut Emitter) {
        let mut name = Sql::new();
        name.num(oid);
        let subject = self.subject(&name);
        let id = CatalogId { catalog: Catalog::LARGE_OBJECT, oid };
        out.comment_of(render, object, id, &subject);
        if let Some(labels) = render.model.labels.get(&id).filter(|_| object.dumped().has(Components::LABEL))
            && render.options.security_labels
        {
            out.label_list(render, object, &subject, labels);
        }
    }
}

impl Body for LargeObjectData {
    fn rank(&self) -> Rank {
        Rank::LargeObjectData
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !object.dumped().has(Components::DATA) {
            return Ok(());
        }
        let mut entry = NewEntry::of(object, render, "BLOBS", object.name.clone());
        if let Some((metadata, owner)) = &self.batch {
            entry.owner = Some(owner.clone());
            entry.depends = Depends::On(vec![*metadata]);
        }
        entry.data = Some(DataTask::LargeObjects(self.oids.clone()));
        out.entry(entry);
        Ok(())
    }
}
