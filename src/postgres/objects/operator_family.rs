//! Operator families.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::operator_members::{self, Members};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::wire::{Param, Query, Rows};

pub(super) struct OperatorFamilies;

/// An operator family.
pub struct OperatorFamily {
    owner: BString,
    access_method: BString,
    /// The members that belong to none of its classes.
    loose: Members,
}

impl Kind for OperatorFamilies {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::OPERATOR_FAMILY)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let families = Query::new(
            "operator families",
            "SELECT f.oid, f.opfname, f.opfnamespace, f.opfowner, m.amname \
             FROM pg_catalog.pg_opfamily AS f JOIN pg_catalog.pg_am AS m ON m.oid = f.opfmethod WHERE f.oid >= $1",
        );
        let mut queries = vec![families.param(Param::oid(FIRST_USER_OID))];
        queries.extend(operator_members::queries(Catalog::OPERATOR_FAMILY));
        queries
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [families, operators, functions] = results(rows, "read operator families")?;
        for row in families.iter() {
            let name = row.string("opfname")?;
            let schema = Some(model.schema(row.oid("opfnamespace")?, name.as_bstr())?);
            let body = OperatorFamily {
                owner: model.role(row.oid("opfowner")?, name.as_bstr())?.into(),
                access_method: row.string("amname")?,
                loose: Members::default(),
            };
            model.add(NewObject::in_schema(Catalog::OPERATOR_FAMILY, row.oid("oid")?, name, schema, body));
        }
        operator_members::collect(operators, functions, model, |model, oid| {
            let id = model.find(Catalog::OPERATOR_FAMILY, oid)?;
            Some(&mut model.body_mut::<OperatorFamily>(id)?.loose)
        })
    }
}

impl Body for OperatorFamily {
    fn rank(&self) -> Rank {
        Rank::OperatorFamily
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        match other.downcast::<Self>() {
            Some(other) => self.access_method.cmp(&other.access_method),
            // Of a class and a family of the same name, the class comes first.
            None => Ordering::Greater,
        }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr()).kw(" USING ").ident(self.access_method.as_bstr());
        let mut sql = render.sql();
        let schema = render.schema(object);
        sql.kw("CREATE OPERATOR FAMILY ").ident(schema).kw(".").sql(&name).kw(";\n");
        if !self.loose.is_empty() {
            sql.kw("ALTER OPERATOR FAMILY ").ident(schema).kw(".").sql(&name).kw(" ADD\n    ");
            self.loose.append(&mut sql, false);
            sql.kw(";\n");
        }
        out.define_as(&name, render, object, "OPERATOR FAMILY", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
