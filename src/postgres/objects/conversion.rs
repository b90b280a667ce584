//! Conversions between encodings.

use bstr::{BString, ByteSlice};

use super::deparse::deparsed;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

pub(super) struct Conversions;

/// A conversion.
pub struct Conversion {
    owner: BString,
    from: BString,
    to: BString,
    function: Deparsed,
    is_default: bool,
}

impl Kind for Conversions {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::CONVERSION)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let query = Query::new(
            "conversions",
            "SELECT oid, conname, connamespace, conowner, condefault, \
                conproc::pg_catalog.regproc::pg_catalog.text AS function, \
             pg_catalog.pg_encoding_to_char(conforencoding) AS \"from\", \
             pg_catalog.pg_encoding_to_char(contoencoding) AS \"to\" \
             FROM pg_catalog.pg_conversion WHERE oid >= $1",
        );
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("conname")?;
        let schema = Some(model.schema(row.oid("connamespace")?, name.as_bstr())?);
        let body = Conversion {
            owner: model.role(row.oid("conowner")?, name.as_bstr())?.into(),
            from: row.string("from")?,
            to: row.string("to")?,
            function: deparsed(row, "function", "conname")?,
            is_default: row.bool("condefault")?,
        };
        model.add(NewObject::in_schema(Catalog::CONVERSION, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Body for Conversion {
    fn rank(&self) -> Rank {
        Rank::Conversion
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw(if self.is_default { "CREATE DEFAULT CONVERSION " } else { "CREATE CONVERSION " });
        sql.sql(&render.qualified(object));
        sql.kw(" FOR ").literal(self.from.as_bstr()).kw(" TO ").literal(self.to.as_bstr());
        sql.kw(" FROM ").deparsed(&self.function).kw(";\n");
        out.define(render, object, "CONVERSION", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
