//! Collations.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::wire::{Param, Query, Row};

pub(super) struct Collations;

/// A collation.
pub struct Collation {
    owner: BString,
    encoding: i32,
    /// `b` for the built-in provider, `c` for the C library, `i` for ICU.
    provider: u8,
    deterministic: bool,
    collate: Option<BString>,
    ctype: Option<BString>,
    locale: Option<BString>,
    icu_rules: Option<BString>,
}

impl Kind for Collations {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::COLLATION)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        // Before there was a column for it, ICU's locale stood where the C library's did.
        let locale = if scope.server.builtin_locale_provider() {
            "colllocale"
        } else if scope.server.icu_locale_column() {
            "colliculocale"
        } else {
            "CASE collprovider WHEN 'i' THEN collcollate::pg_catalog.text END"
        };
        let libc = if scope.server.icu_locale_column() { "true" } else { "collprovider = 'c'" };
        let rules = if scope.server.collation_rules() { "collicurules" } else { "NULL::pg_catalog.text" };
        let sql = format!(
            "SELECT oid, collname, collnamespace, collowner, collencoding, collprovider, collisdeterministic, \
             CASE WHEN {libc} THEN collcollate::pg_catalog.text END AS \"collate\", \
             CASE WHEN {libc} THEN collctype::pg_catalog.text END AS ctype, \
             {locale} AS locale, {rules} AS icu_rules \
             FROM pg_catalog.pg_collation WHERE oid >= $1"
        );
        vec![Query::new("collations", sql).param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("collname")?;
        let schema = Some(model.schema(row.oid("collnamespace")?, name.as_bstr())?);
        let body = Collation {
            owner: model.role(row.oid("collowner")?, name.as_bstr())?.into(),
            encoding: row.i32("collencoding")?,
            provider: row.char("collprovider")?,
            deterministic: row.bool("collisdeterministic")?,
            collate: row.opt_string("collate")?,
            ctype: row.opt_string("ctype")?,
            locale: row.opt_string("locale")?,
            icu_rules: row.opt_string("icu_rules")?,
        };
        model.add(NewObject::in_schema(Catalog::COLLATION, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Body for Collation {
    fn rank(&self) -> Rank {
        Rank::Collation
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.encoding.cmp(&other.encoding))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE COLLATION ").sql(&render.qualified(object)).kw(" (provider = ");
        sql.kw(match self.provider {
            b'b' => "builtin",
            b'c' => "libc",
            b'i' => "icu",
            other => {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the collation \"{}\"", object.name))
                    .why(format!("its provider '{}' is not known", other.escape_ascii())));
            }
        });
        if !self.deterministic {
            sql.kw(", deterministic = false");
        }
        let text = |value: &Option<BString>| value.clone().unwrap_or_default();
        if self.provider != b'c' {
            sql.kw(", locale = ").literal(text(&self.locale).as_bstr());
        } else if self.collate == self.ctype {
            sql.kw(", locale = ").literal(text(&self.collate).as_bstr());
        } else {
            sql.kw(", lc_collate = ").literal(text(&self.collate).as_bstr());
            sql.kw(", lc_ctype = ").literal(text(&self.ctype).as_bstr());
        }
        if let Some(rules) = &self.icu_rules {
            sql.kw(", rules = ").literal(rules.as_bstr());
        }
        sql.kw(");\n");
        out.define(render, object, "COLLATION", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}
