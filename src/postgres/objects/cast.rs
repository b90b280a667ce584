//! Casts.

use bstr::{BString, ByteSlice};

use super::function::{reference, unknown};
use super::types::{required_type_name, type_key};
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::wire::{Query, Row};

pub(super) struct Casts;

/// A cast.
pub struct Cast {
    source: u32,
    target: u32,
    method: Method,
    context: &'static str,
}

#[derive(Clone, Copy)]
enum Method {
    /// The two types have the same representation.
    Binary,
    /// By way of the types' text forms.
    InOut,
    /// The function with this OID.
    Function(u32),
}

impl Kind for Casts {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::CAST)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        // A range type brings the cast to its multirange type with it.
        let implied = if scope.server.multiranges() {
            "AND NOT EXISTS (SELECT FROM pg_catalog.pg_range AS r \
               WHERE r.rngtypid = c.castsource AND r.rngmultitypid = c.casttarget) "
        } else {
            ""
        };
        vec![Query::new(
            "casts",
            format!(
                "SELECT c.oid, c.castsource, c.casttarget, c.castfunc, c.castmethod, c.castcontext \
                 FROM pg_catalog.pg_cast AS c WHERE c.oid >= {FIRST_USER_OID} {implied}\
                 ORDER BY c.castsource, c.casttarget"
            ),
        )]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let (source, target) = (row.oid("castsource")?, row.oid("casttarget")?);
        let name = names(model, source, target);
        let method = match row.char("castmethod")? {
            b'b' => Method::Binary,
            b'i' => Method::InOut,
            b'f' => Method::Function(row.oid("castfunc")?),
            other => return Err(unknown(name.as_bstr(), "method of a cast", other)),
        };
        let context = match row.char("castcontext")? {
            b'e' => "",
            b'a' => " AS ASSIGNMENT",
            b'i' => " AS IMPLICIT",
            other => return Err(unknown(name.as_bstr(), "context of a cast", other)),
        };
        model.add(NewObject::of(Catalog::CAST, row.oid("oid")?, name, Cast { source, target, method, context }));
        Ok(())
    }
}

/// The name that a cast is sorted by: those of its types.
fn names(model: &Model, source: u32, target: u32) -> BString {
    match (type_key(model, source), type_key(model, target)) {
        (Some((_, source)), Some((_, target))) => bstr::join(" ", [source, target]).into(),
        _ => BString::default(),
    }
}

impl Body for Cast {
    fn rank(&self) -> Rank {
        Rank::Cast
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let what = object.name.as_bstr();
        let mut types = render.sql();
        types.kw("(").deparsed(required_type_name(render.model, self.source, what)?);
        types.kw(" AS ").deparsed(required_type_name(render.model, self.target, what)?).kw(")");
        if object.dumped().has(Components::DEFINITION) {
            let mut tag = render.sql();
            tag.kw("CAST ").sql(&types);
            let mut entry = NewEntry::of(object, render, "CAST", tag.into_bstring());
            entry.definition.kw("CREATE CAST ").sql(&types).kw(" ");
            match self.method {
                Method::Binary => entry.definition.kw("WITHOUT FUNCTION"),
                Method::InOut => entry.definition.kw("WITH INOUT"),
                Method::Function(oid) => {
                    entry.definition.kw("WITH FUNCTION ").sql(&reference(render, oid, "cast", what)?)
                }
            };
            entry.definition.kw(self.context).kw(";\n");
            entry.drop.kw("DROP CAST ").sql(&types).kw(";\n");
            out.entry(entry);
        }
        let subject = Subject { words: "CAST", schema: None, name: &types, owner: b"".as_bstr() };
        out.comment(render, object, &subject);
        Ok(())
    }
}
