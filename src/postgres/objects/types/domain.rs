//! Domains and their constraints.

use std::cmp::Ordering;

use bstr::{BStr, BString, ByteSlice};

use super::super::deparse::deparsed;
use super::{Default, Type, unknown};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank, Side};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row};

/// What CREATE DOMAIN says, but for the constraints.
pub(super) struct Domain {
    base: Deparsed,
    /// Schema and name of the collation, unless it is the base type's.
    collation: Option<(BString, BString)>,
    not_null: bool,
    default: Option<Default>,
    /// In the order of their names.
    pub(super) constraints: Vec<DumpId>,
}

/// A CHECK or NOT NULL constraint of a domain.
pub struct DomainConstraint {
    domain: DumpId,
    is_check: bool,
    definition: Deparsed,
    separate: bool,
}

pub(super) fn query() -> Query {
    let sql = "SELECT t.oid, t.typname, pg_catalog.format_type(t.typbasetype, t.typtypmod) AS base, t.typnotnull, \
         pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid) AS \
         expression, t.typdefault, \
         cn.nspname AS collation_schema, c.collname AS collation \
         FROM pg_catalog.pg_type AS t \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype \
         LEFT JOIN pg_catalog.pg_collation AS c ON c.oid = t.typcollation AND c.oid <> b.typcollation \
         LEFT JOIN pg_catalog.pg_namespace AS cn ON cn.oid = c.collnamespace WHERE t.typtype = 'd' AND ";
    Query::new("domains", format!("{sql}{}", super::OF_USERS))
}

pub(super) fn constraints_query() -> Query {
    // Before NOT NULL constraints had names, nothing but CHECK was recorded; whatever else there may be must not be
    // overlooked.
    let sql = "SELECT k.oid, k.contypid, k.conname, k.contype, k.convalidated, \
         pg_catalog.pg_get_constraintdef(k.oid) AS definition FROM pg_catalog.pg_constraint AS k \
         WHERE k.contypid <> 0 ";
    Query::new("constraints of domains", format!("{sql}AND k.oid >= {FIRST_USER_OID} ORDER BY k.contypid, k.conname"))
}

impl Domain {
    pub(super) fn read(row: Row<'_>) -> Result<Self> {
        let collation = match row.opt_string("collation_schema")? {
            Some(schema) => Some((schema, row.string("collation")?)),
            None => None,
        };
        Ok(Self {
            base: deparsed(row, "base", "typname")?,
            collation,
            not_null: row.bool("typnotnull")?,
            default: Default::read(row)?,
            constraints: Vec::new(),
        })
    }

    fn constraints<'m>(&'m self, model: &'m Model) -> impl Iterator<Item = (&'m Object, &'m DomainConstraint)> {
        self.constraints.iter().filter_map(move |id| {
            let object = model.get(*id)?;
            Some((object, object.body()?))
        })
    }

    /// The statement, from AS on.
    pub(super) fn body(&self, object: &Object, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.kw(" AS ").deparsed(&self.base);
        if let Some((schema, name)) = &self.collation {
            sql.kw(" COLLATE ").qualified(schema.as_bstr(), name.as_bstr());
        }
        if self.not_null {
            match self.constraints(render.model).find(|(_, constraint)| !constraint.is_check) {
                Some((_, constraint)) if constraint.separate => {}
                Some((named, constraint)) if !has_default_name(named.name.as_bstr(), object.name.as_bstr()) => {
                    sql.kw(" CONSTRAINT ").ident(named.name.as_bstr()).kw(" ").deparsed(&constraint.definition);
                }
                _ => {
                    sql.kw(" NOT NULL");
                }
            }
        }
        if let Some(default) = &self.default {
            sql.kw(" DEFAULT ");
            default.append(&mut sql);
        }
        for (named, constraint) in self.constraints(render.model).filter(|(_, c)| c.is_check && !c.separate) {
            sql.kw("\n\tCONSTRAINT ").ident(named.name.as_bstr()).kw(" ").deparsed(&constraint.definition);
        }
        sql.kw(";\n");
        sql
    }

    /// Adds the comments on the constraints that CREATE DOMAIN makes: checks first.
    pub(super) fn comments(&self, body: &Type, object: &Object, render: &Render<'_>, out: &mut Emitter) {
        for is_check in [true, false] {
            for (named, constraint) in self.constraints(render.model) {
                if constraint.is_check == is_check && !constraint.separate {
                    comment(named, object.id, object, body.owner.as_bstr(), render, out);
                }
            }
        }
    }
}

/// Whether a NOT NULL constraint is called what the server would call it.
fn has_default_name(name: &BStr, domain: &BStr) -> bool {
    name.strip_prefix(domain.as_bytes()).is_some_and(|rest| rest == b"_not_null")
}

/// Adds the comment on a constraint, where there is one and it is wanted; it comes after `after`.
fn comment(constraint: &Object, after: DumpId, domain: &Object, owner: &BStr, render: &Render<'_>, out: &mut Emitter) {
    if let Some(text) = render.comment(constraint) {
        let part = ("CONSTRAINT", constraint.name.as_bstr(), " ON DOMAIN ");
        out.comment_on_part(render, after, part, domain, owner, text);
    }
}

impl DomainConstraint {
    /// Adds the constraint of the row to the model. Unless it has not been validated, and so has to be added after the
    /// data, the domain waits for whatever it needs.
    pub(super) fn add(model: &mut Model, domain: DumpId, row: Row<'_>) -> Result<DumpId> {
        let name = row.string("conname")?;
        let is_check = match row.char("contype")? {
            b'c' => true,
            b'n' => false,
            other => return Err(unknown(name.as_bstr(), "kind of constraint", other)),
        };
        let validated = row.bool("convalidated")?;
        let schema = model.get(domain).and_then(|o| o.schema);
        let body = DomainConstraint {
            domain,
            is_check,
            definition: deparsed(row, "definition", "conname")?,
            separate: !validated,
        };
        let new = NewObject::of(Catalog::CONSTRAINT, row.oid("oid")?, name, body);
        let id = model.add(new.schema(schema).wanted(Components::ALL));
        if validated {
            model.depend(domain, id);
        }
        Ok(id)
    }
}

impl Body for DomainConstraint {
    fn rank(&self) -> Rank {
        Rank::Constraint
    }

    /// Constraints of domains come before those of tables, as domains come before tables.
    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        match other.downcast::<DomainConstraint>() {
            Some(other) => {
                let name = |id| model.get(id).map(|domain| &domain.name);
                name(self.domain).cmp(&name(other.domain))
            }
            None => Ordering::Less,
        }
    }

    fn side(&self) -> Side {
        if self.separate { Side::PostData } else { Side::WithOwner }
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::DomainConstraint { domain: self.domain }
    }

    fn separate(&mut self) {
        self.separate = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let Some(domain) = render.model.get(self.domain).filter(|_| self.separate) else { return Ok(()) };
        let owner = render.model.body::<Type>(self.domain).map(|t| t.owner.clone()).unwrap_or_default();
        if object.dumped().has(Components::DEFINITION) {
            let mut tag = domain.name.clone();
            tag.push(b' ');
            tag.extend_from_slice(&object.name);
            let desc = if self.is_check { "CHECK CONSTRAINT" } else { "CONSTRAINT" };
            let mut entry = NewEntry::of(object, render, desc, tag);
            entry.owner = Some(owner.clone());
            let mut name = render.sql();
            name.qualified(render.schema(domain), domain.name.as_bstr());
            entry.definition.kw("ALTER DOMAIN ").sql(&name).kw("\n    ADD CONSTRAINT ");
            entry.definition.ident(object.name.as_bstr()).kw(" ").deparsed(&self.definition).kw(";\n");
            entry.drop.kw("ALTER DOMAIN ").sql(&name).kw(" DROP CONSTRAINT ").ident(object.name.as_bstr()).kw(";\n");
            out.entry(entry);
        }
        comment(object, object.id, domain, owner.as_bstr(), render, out);
        Ok(())
    }
}
