//! The scan of `pg_class`, and which relations the rest looks into.

use std::collections::HashSet;

use bstr::BString;

use super::{ColumnPrivileges, Details, OwnedBy, Persistence, Relation, by_oid, data};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::kind::{Kind, Scope, Stage, known};
use crate::postgres::model::{Components, DumpId, Model, NewObject};
use crate::postgres::privileges::Privileges;
use crate::postgres::relkind::{Relkind, relkinds};
use crate::postgres::table_locks::LockedTable;
use crate::wire::{Query, Row, Rows};

/// Nothing here may call a function that looks at the current catalog: there are no locks yet.
const RELATIONS: &str = concat!(
    "\
    SELECT c.oid, c.relname, c.relnamespace, c.relkind, c.relowner, c.relchecks, c.relpages, \
           coalesce(toast.relpages, 0) AS toast_pages, c.relpersistence, c.relispopulated, c.relreplident, \
           c.relforcerowsecurity, c.reloftype, c.relispartition, \
           coalesce(c.reloptions, '{}')::pg_catalog.text[] AS options, \
           coalesce(toast.reloptions, '{}')::pg_catalog.text[] AS toast_options, \
           c.relacl::pg_catalog.text[] AS acl, \
           pg_catalog.acldefault(",
    relkinds!(acl letter of "c.relkind"),
    ", c.relowner)::pg_catalog.text[] \
             AS acl_default, \
           space.spcname AS tablespace, method.amname AS access_method, \
           coalesce(f.ftserver, 0)::pg_catalog.oid AS foreign_server, \
           owner.refobjid AS owning_table, owner.refobjsubid AS owning_column, owner.deptype = 'i' AS is_identity \
    FROM pg_catalog.pg_class AS c \
    LEFT JOIN pg_catalog.pg_class AS toast \
      ON toast.oid = c.reltoastrelid AND toast.relkind = 't' AND c.relkind <> 'p' \
    LEFT JOIN pg_catalog.pg_tablespace AS space ON space.oid = c.reltablespace \
    LEFT JOIN pg_catalog.pg_am AS method ON method.oid = c.relam \
    LEFT JOIN pg_catalog.pg_foreign_table AS f ON c.relkind = 'f' AND f.ftrelid = c.oid \
    LEFT JOIN pg_catalog.pg_depend AS owner \
      ON c.relkind = 'S' AND owner.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND owner.objid = c.oid AND \
      owner.objsubid = 0 \
     AND owner.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND owner.deptype IN ('a', 'i') \
    WHERE c.relkind NOT IN ",
    relkinds!(not_surveyed),
    " \
    ORDER BY c.oid"
);

/// In the order of the INHERITS clause.
const PARENTS: &str = "\
    SELECT inhrelid AS child, inhparent AS parent FROM pg_catalog.pg_inherits ORDER BY inhrelid, inhseqno";

/// System columns can have privileges, too.
const COLUMN_PRIVILEGES: &str = "\
    SELECT a.attrelid, a.attnum, a.attname, a.attacl::pg_catalog.text[] AS acl, '{}'::pg_catalog.text[] AS acl_default \
    FROM pg_catalog.pg_attribute AS a \
    LEFT JOIN pg_catalog.pg_init_privs AS initial \
      ON initial.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND initial.objoid = a.attrelid AND \
      initial.objsubid = a.attnum \
    WHERE NOT a.attisdropped AND (a.attacl IS NOT NULL OR initial.objoid IS NOT NULL) \
    ORDER BY a.attrelid, a.attnum";

pub(in super::super) struct Relations;

impl Kind for Relations {
    fn stage(&self) -> Stage {
        Stage::Survey
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        vec![
            Query::new("relations", RELATIONS),
            Query::new("parents of relations", PARENTS),
            Query::new("privileges on columns", COLUMN_PRIVILEGES),
        ]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [relations, parents, column_privileges] = rows else { return Ok(()) };
        let mut added = Vec::with_capacity(relations.len());
        for row in relations.iter() {
            added.extend(add(row, model)?);
        }
        for row in parents.iter() {
            // The parents of partitioned indexes are in the same catalog.
            let Some(child) = model.find(Catalog::CLASS, row.oid("child")?) else { continue };
            let parent = row.oid("parent")?;
            let parent = by_oid(model, parent, || format!("the parent with OID {parent} of an inherited table"))?.0.id;
            if let Some(child) = model.body_mut::<Relation>(child) {
                child.parents.push(parent);
            }
        }
        for row in column_privileges.iter() {
            add_column_privileges(row, model)?;
        }
        own_sequences(&added, model)?;
        mark_of_interest(&added, model);
        Ok(())
    }

    fn to_be_locked(&self, model: &Model) -> Vec<LockedTable> {
        to_be_locked(model)
    }

    fn narrow(&self, model: &Model, scope: &mut Scope<'_>) {
        let relations = model.of_kind::<Relation>().filter(|(_, relation)| relation.of_interest);
        scope.relations = relations.map(|(_, relation)| relation.oid).collect();
    }
}

/// The tables that are to be locked: those that are wanted, and those of extensions whose rows are. Other relations cannot
/// be locked.
fn to_be_locked(model: &Model) -> Vec<LockedTable> {
    let parts = Components::DEFINITION.or(Components::DATA).or(Components::STATISTICS).or(Components::POLICY);
    let configuration: HashSet<DumpId> = data::configuration_tables(model).into_iter().map(|(id, _)| id).collect();
    model
        .of_kind::<Relation>()
        .filter(|(_, relation)| matches!(relation.kind, Relkind::Table | Relkind::PartitionedTable))
        .filter(|(object, _)| object.wanted.has(parts) || configuration.contains(&object.id))
        .map(|(object, relation)| LockedTable {
            oid: relation.oid,
            schema: model.schema_name(object).unwrap_or_default().into(),
            name: object.name.clone(),
        })
        .collect()
}

fn add(row: Row<'_>, model: &mut Model) -> Result<Option<DumpId>> {
    let oid = row.oid("oid")?;
    let name = row.string("relname")?;
    let schema = model.schema(row.oid("relnamespace")?, name.as_ref())?;
    let letter = row.char("relkind")?;
    let Some(kind) = Relkind::from_letter(letter) else {
        let of_extension = model.extension_members.contains_key(&CatalogId { catalog: Catalog::CLASS, oid });
        let unwanted = model.get(schema).is_none_or(|schema| !schema.contents_wanted.has(Components::DEFINITION));
        if of_extension || unwanted {
            return Ok(None);
        }
        return Err(Error::new(ErrorKind::Incomplete, format!("dump the relation \"{name}\""))
            .why(format!("it is of the kind '{}', which is not known", char::from(letter)))
            .hint("it is a kind that a newer PostgreSQL brought: use a newer lifeboat"));
    };
    let owner = model.role(row.oid("relowner")?, name.as_ref())?.into();
    let privileges = Privileges::from_row(row, "acl", "acl_default")?;
    let mut options: Vec<BString> = row.texts("options")?.into_iter().flatten().collect();
    let check_option = take_check_option(&mut options);
    let owned_by = match row.opt_oid("owning_table")? {
        Some(table) => Some(OwnedBy {
            table,
            column: row.i32("owning_column")?,
            identity: row.opt_bool("is_identity")?.unwrap_or(false),
        }),
        None => None,
    };
    let relation = Relation {
        oid,
        kind,
        owner,
        persistence: match known(row.char("relpersistence")?, b"put", "persistence", format_args!("\"{name}\""))? {
            b'u' => Persistence::Unlogged,
            b't' => Persistence::Temporary,
            _ => Persistence::Permanent,
        },
        populated: row.bool("relispopulated")?,
        replica_identity: known(row.char("relreplident")?, b"dnfi", "replica identity", format_args!("\"{name}\""))?,
        force_row_security: row.bool("relforcerowsecurity")?,
        check_count: row.i16("relchecks")?,
        pages: row.i32("relpages")?,
        toast_pages: row.i32("toast_pages")?,
        of_type: row.oid("reloftype")?,
        is_partition: row.bool("relispartition")?,
        foreign_server: row.oid("foreign_server")?,
        options,
        toast_options: row.texts("toast_options")?.into_iter().flatten().collect(),
        check_option,
        tablespace: row.opt_string("tablespace")?.unwrap_or_default(),
        access_method: row.opt_string("access_method")?,
        column_privileges: Vec::new(),
        owned_by,
        parents: Vec::new(),
        of_interest: false,
        columns: Vec::new(),
        checks: Vec::new(),
        details: Details::default(),
        sequence: None,
        unsafe_partitions: false,
        data: None,
        set_apart: false,
        privileges,
    };
    let has = Components::DEFINITION.or(Components::DATA).or(relation.privileges.component());
    let in_schema = model.get(schema).map_or(Components::NONE, |schema| schema.contents_wanted);
    let new = NewObject::of(Catalog::CLASS, oid, name, relation);
    let id = model.add(new.schema(Some(schema)).wanted(model.selected.relation(oid, in_schema)).has(has));
    if kind == Relkind::CompositeType
        && let Some(object) = model.get_mut(id)
    {
        // It is here for its dependencies only; the type is what is dumped.
        object.wanted = Components::NONE;
    }
    Ok(Some(id))
}

/// WITH CHECK OPTION is stored among the options, but has a syntax of its own.
fn take_check_option(options: &mut Vec<BString>) -> Option<&'static str> {
    let mut found = None;
    for (option, words) in [("check_option=cascaded", "CASCADED"), ("check_option=local", "LOCAL")] {
        if options.iter().any(|o| o == option) {
            options.retain(|o| o != option);
            found = Some(words);
        }
    }
    found
}

fn add_column_privileges(row: Row<'_>, model: &mut Model) -> Result<()> {
    let Some(id) = model.find(Catalog::CLASS, row.oid("attrelid")?) else { return Ok(()) };
    let column = ColumnPrivileges {
        number: row.i16("attnum")?,
        name: row.string("attname")?,
        privileges: Privileges::from_row(row, "acl", "acl_default")?,
    };
    if let Some(relation) = model.body_mut::<Relation>(id) {
        relation.column_privileges.push(column);
    }
    if let Some(object) = model.get_mut(id) {
        object.has = object.has.or(Components::PRIVILEGES);
    }
    Ok(())
}

/// A sequence goes with the table that owns it: that of an identity column in all respects, for it is no more than a part
/// of the table; any other at least as far as the table does.
fn own_sequences(relations: &[DumpId], model: &mut Model) -> Result<()> {
    for &id in relations {
        let Some(owned_by) = model.body::<Relation>(id).and_then(|r| r.owned_by) else { continue };
        let name = || model.get(id).map(|o| o.name.to_string()).unwrap_or_default();
        let table = by_oid(model, owned_by.table, || format!("the table that owns sequence \"{}\"", name()))?.0;
        let (table, of_table) = (table.id, table.wanted);
        let Some(sequence) = model.get_mut(id) else { continue };
        sequence.wanted = if owned_by.identity { of_table } else { sequence.wanted.or(of_table) };
        if !sequence.wanted.is_none() {
            for id in [id, table] {
                if let Some(relation) = model.body_mut::<Relation>(id) {
                    relation.of_interest = true;
                }
            }
        }
    }
    Ok(())
}

/// Marks what will be dumped, the parents of it, and extensions' configuration tables.
fn mark_of_interest(relations: &[DumpId], model: &mut Model) {
    let mut marked: Vec<DumpId> = Vec::new();
    for &id in relations {
        let Some((object, relation)) = model.get(id).and_then(|o| Some((o, o.body::<Relation>()?))) else { continue };
        if object.wanted.has(Components::DEFINITION.or(Components::DATA).or(Components::STATISTICS)) {
            marked.push(id);
        }
        if !object.wanted.is_none() {
            marked.extend(&relation.parents);
        }
    }
    marked.extend(data::configuration_tables(model).into_iter().map(|(id, _)| id));
    for id in marked {
        if let Some(relation) = model.body_mut::<Relation>(id) {
            relation.of_interest = true;
        }
    }
}
