//! Foreign data wrappers.

use bstr::{BString, ByteSlice};

use super::deparse::opt_deparsed;
use super::foreign_options;
use crate::error::Result;
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::postgres::privileges::Privileges;
use crate::sql::Deparsed;
use crate::wire::{Query, Row};

pub(super) struct ForeignDataWrappers;

/// A foreign data wrapper.
pub struct ForeignDataWrapper {
    owner: BString,
    handler: Option<Deparsed>,
    validator: Option<Deparsed>,
    /// What makes a connection string of a server, for subscriptions.
    connection: Option<Deparsed>,
    options: Option<Deparsed>,
    privileges: Privileges,
}

impl Kind for ForeignDataWrappers {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::FOREIGN_DATA_WRAPPER)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let connection = match scope.server.wrapper_connections() {
            true => "CASE WHEN fdwconnection <> 0 THEN fdwconnection::pg_catalog.regproc::pg_catalog.text END",
            false => "NULL::pg_catalog.text",
        };
        vec![Query::new(
            "foreign data wrappers",
            format!(
                "SELECT oid, fdwname, fdwowner, {} AS options, fdwacl::pg_catalog.text[] AS acl, \
                 pg_catalog.acldefault('F', fdwowner)::pg_catalog.text[] AS acl_default, \
                 CASE WHEN fdwhandler <> 0 THEN fdwhandler::pg_catalog.regproc::pg_catalog.text END AS handler, \
                 CASE WHEN fdwvalidator <> 0 THEN fdwvalidator::pg_catalog.regproc::pg_catalog.text END AS validator, \
                 {connection} AS connection \
                 FROM pg_catalog.pg_foreign_data_wrapper",
                foreign_options::in_lines("fdwoptions")
            ),
        )]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("fdwname")?;
        let body = ForeignDataWrapper {
            owner: model.role(row.oid("fdwowner")?, name.as_bstr())?.into(),
            handler: opt_deparsed(row, "handler", "fdwname")?,
            validator: opt_deparsed(row, "validator", "fdwname")?,
            connection: opt_deparsed(row, "connection", "fdwname")?,
            options: row.opt_string("options")?.map(Deparsed::by_server),
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
        };
        let has = Components::DEFINITION.or(body.privileges.component());
        model.add(NewObject::of(Catalog::FOREIGN_DATA_WRAPPER, row.oid("oid")?, name, body).has(has));
        Ok(())
    }
}

impl Body for ForeignDataWrapper {
    fn rank(&self) -> Rank {
        Rank::ForeignDataWrapper
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let words = "FOREIGN DATA WRAPPER";
        let mut sql = render.sql();
        sql.kw("CREATE FOREIGN DATA WRAPPER ").ident(object.name.as_bstr());
        sql.opt_deparsed(" HANDLER ", &self.handler, "").opt_deparsed(" VALIDATOR ", &self.validator, "");
        sql.opt_deparsed(" CONNECTION ", &self.connection, "");
        sql.opt_deparsed(" OPTIONS (\n    ", &self.options, "\n)").kw(";\n");
        out.define(render, object, words, Some(self.owner.as_bstr()), sql);
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let subject = Subject { words, schema: None, name: &name, owner: self.owner.as_bstr() };
        out.privileges(render, object, &subject, &self.privileges)?;
        Ok(())
    }
}
