//! Text search dictionaries.

use bstr::{BString, ByteSlice};

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::Deparsed;
use crate::wire::{Param, Query, Row};

pub(in super::super) struct Dictionaries;

/// A dictionary.
pub struct Dictionary {
    owner: BString,
    template_schema: BString,
    template: BString,
    /// The options as the server stores them: the text that stood in the definition, quoted already.
    options: Option<Deparsed>,
}

impl Kind for Dictionaries {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::TS_DICT)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let query = Query::new(
            "text search dictionaries",
            "SELECT d.oid, d.dictname, d.dictnamespace, d.dictowner, d.dictinitoption, t.tmplname, \
             n.nspname AS template_schema \
             FROM pg_catalog.pg_ts_dict AS d JOIN pg_catalog.pg_ts_template AS t ON t.oid = d.dicttemplate \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = t.tmplnamespace WHERE d.oid >= $1",
        );
        vec![query.param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("dictname")?;
        let schema = Some(model.schema(row.oid("dictnamespace")?, name.as_bstr())?);
        let body = Dictionary {
            owner: model.role(row.oid("dictowner")?, name.as_bstr())?.into(),
            template_schema: row.string("template_schema")?,
            template: row.string("tmplname")?,
            options: row.opt_string("dictinitoption")?.map(Deparsed::by_server),
        };
        model.add(NewObject::in_schema(Catalog::TS_DICT, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Body for Dictionary {
    fn rank(&self) -> Rank {
        Rank::TextSearchDictionary
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE TEXT SEARCH DICTIONARY ").sql(&render.qualified(object)).kw(" (\n");
        sql.kw("    TEMPLATE = ").qualified(self.template_schema.as_bstr(), self.template.as_bstr());
        sql.opt_deparsed(",\n    ", &self.options, "").kw(" );\n");
        out.define(render, object, "TEXT SEARCH DICTIONARY", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
