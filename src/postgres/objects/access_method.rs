//! Access methods: of tables and of indexes.

use bstr::ByteSlice;

use super::deparse::deparsed;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::Deparsed;
use crate::wire::{Query, Row};

pub(super) struct AccessMethods;

/// An access method.
pub struct AccessMethod {
    /// `i` for indexes, `t` for tables.
    kind: u8,
    handler: Deparsed,
}

impl Kind for AccessMethods {
    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        // Those that came with the cluster are read as well: operator classes are sorted by their names.
        vec![Query::new(
            "access methods",
            "SELECT oid, amname, amtype, amhandler::pg_catalog.regproc::pg_catalog.text AS handler FROM pg_catalog.pg_am",
        )]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let body = AccessMethod { kind: row.char("amtype")?, handler: deparsed(row, "handler", "amname")? };
        model.add(NewObject::of(Catalog::ACCESS_METHOD, row.oid("oid")?, row.string("amname")?, body));
        Ok(())
    }
}

impl Body for AccessMethod {
    fn rank(&self) -> Rank {
        Rank::AccessMethod
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE ACCESS METHOD ").ident(object.name.as_bstr());
        sql.kw(match self.kind {
            b'i' => " TYPE INDEX",
            b't' => " TYPE TABLE",
            other => {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the access method \"{}\"", object.name))
                    .why(format!("its type '{}' is not known", other.escape_ascii())));
            }
        });
        sql.kw(" HANDLER ").deparsed(&self.handler).kw(";\n");
        out.define(render, object, "ACCESS METHOD", None, sql);
        Ok(())
    }
}
