//! Operator classes.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::deparse::{deparsed, opt_deparsed};
use super::operator_members::{self, Members};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Rows};

pub(super) struct OperatorClasses;

/// An operator class.
pub struct OperatorClass {
    owner: BString,
    access_method: BString,
    input_type: Deparsed,
    /// The type that is stored, where it is another one.
    key_type: Option<Deparsed>,
    is_default: bool,
    family_schema: BString,
    family: BString,
    members: Members,
}

impl Kind for OperatorClasses {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::OPERATOR_CLASS)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let classes = Query::new(
            "operator classes",
            "SELECT c.oid, c.opcname, c.opcnamespace, c.opcowner, c.opcdefault, m.amname, \
             f.opfname, n.nspname AS family_schema, pg_catalog.format_type(c.opcintype, NULL) AS input_type, \
             CASE WHEN c.opckeytype <> 0 THEN pg_catalog.format_type(c.opckeytype, NULL) END AS key_type \
             FROM pg_catalog.pg_opclass AS c JOIN pg_catalog.pg_am AS m ON m.oid = c.opcmethod \
             JOIN pg_catalog.pg_opfamily AS f ON f.oid = c.opcfamily \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = f.opfnamespace WHERE c.oid >= $1",
        );
        let mut queries = vec![classes.param(Param::oid(FIRST_USER_OID))];
        queries.extend(operator_members::queries(Catalog::OPERATOR_CLASS));
        queries
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [classes, operators, functions] = results(rows, "read operator classes")?;
        for row in classes.iter() {
            let name = row.string("opcname")?;
            let schema = Some(model.schema(row.oid("opcnamespace")?, name.as_bstr())?);
            let body = OperatorClass {
                owner: model.role(row.oid("opcowner")?, name.as_bstr())?.into(),
                access_method: row.string("amname")?,
                input_type: deparsed(row, "input_type", "opcname")?,
                key_type: opt_deparsed(row, "key_type", "opcname")?,
                is_default: row.bool("opcdefault")?,
                family_schema: row.string("family_schema")?,
                family: row.string("opfname")?,
                members: Members::default(),
            };
            model.add(NewObject::in_schema(Catalog::OPERATOR_CLASS, row.oid("oid")?, name, schema, body));
        }
        operator_members::collect(operators, functions, model, |model, oid| {
            let id = model.find(Catalog::OPERATOR_CLASS, oid)?;
            Some(&mut model.body_mut::<OperatorClass>(id)?.members)
        })
    }
}

impl OperatorClass {
    fn append_definition(&self, sql: &mut Sql) {
        sql.kw("\n    ").kw(if self.is_default { "DEFAULT " } else { "" });
        sql.kw("FOR TYPE ").deparsed(&self.input_type).kw(" USING ").ident(self.access_method.as_bstr());
        sql.kw(" FAMILY ").qualified(self.family_schema.as_bstr(), self.family.as_bstr()).kw(" AS\n    ");
        // A class of nothing is not SQL; storing the type as itself says nothing, and is.
        let stored = self.key_type.as_ref().or(self.members.is_empty().then_some(&self.input_type));
        sql.opt_deparsed("STORAGE ", stored, "");
        self.members.append(sql, stored.is_some());
        sql.kw(";\n");
    }
}

impl Body for OperatorClass {
    fn rank(&self) -> Rank {
        Rank::OperatorFamily
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        match other.downcast::<Self>() {
            Some(other) => self.access_method.cmp(&other.access_method),
            // Of a class and a family of the same name, the class comes first.
            None => Ordering::Less,
        }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr()).kw(" USING ").ident(self.access_method.as_bstr());
        let mut sql = render.sql();
        sql.kw("CREATE OPERATOR CLASS ").sql(&render.qualified(object));
        self.append_definition(&mut sql);
        out.define_as(&name, render, object, "OPERATOR CLASS", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
