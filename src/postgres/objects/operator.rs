//! Operators.

use std::cmp::Ordering;

use bstr::{BStr, BString, ByteSlice};

use super::deparse::opt_deparsed;
use super::types;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope, known};
use crate::postgres::model::{Body, Model, NewObject, Object, Rank};
use crate::sql::lexer::tokens;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Row};

pub(super) struct Operators;

/// An operator.
pub struct Operator {
    owner: BString,
    /// `l` for a prefix operator, `b` for one between two operands, `r` for a postfix operator (before 14).
    kind: u8,
    left: u32,
    right: u32,
    left_type: Option<Deparsed>,
    right_type: Option<Deparsed>,
    /// None for a shell that is only named as another's commutator or negator.
    function: Option<Deparsed>,
    commutator: Option<Deparsed>,
    negator: Option<Deparsed>,
    restrict: Option<Deparsed>,
    join: Option<Deparsed>,
    merges: bool,
    hashes: bool,
}

impl Kind for Operators {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::OPERATOR)
    }

    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        let operator = |column: &str| {
            format!(
                "(SELECT 'OPERATOR(' || pg_catalog.quote_ident(n.nspname) || '.' || r.oprname || ')' \
                 FROM pg_catalog.pg_operator AS r JOIN pg_catalog.pg_namespace AS n ON n.oid = r.oprnamespace \
                 WHERE r.oid = o.{column})"
            )
        };
        let sql = format!(
            "SELECT o.oid, o.oprname, o.oprnamespace, o.oprowner, o.oprkind, o.oprleft, o.oprright, \
             CASE WHEN o.oprleft <> 0 THEN pg_catalog.format_type(o.oprleft, NULL) END AS left_type, \
             CASE WHEN o.oprright <> 0 THEN pg_catalog.format_type(o.oprright, NULL) END AS right_type, \
             CASE WHEN o.oprcode <> 0 THEN o.oprcode::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text END \
             AS function, \
             CASE WHEN o.oprrest <> 0 THEN o.oprrest::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text END \
             AS restrict, \
             CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text END \
             AS \"join\", \
             {} AS commutator, {} AS negator, o.oprcanmerge, o.oprcanhash \
             FROM pg_catalog.pg_operator AS o WHERE o.oid >= $1",
            operator("oprcom"),
            operator("oprnegate"),
        );
        vec![Query::new("operators", sql).param(Param::oid(FIRST_USER_OID))]
    }

    fn add(&self, row: Row<'_>, _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("oprname")?;
        let schema = Some(model.schema(row.oid("oprnamespace")?, name.as_bstr())?);
        let owner = model.role(row.oid("oprowner")?, name.as_bstr())?.into();
        let body = Operator::from_row(row, owner)?;
        model.add(NewObject::in_schema(Catalog::OPERATOR, row.oid("oid")?, name, schema, body));
        Ok(())
    }
}

impl Operator {
    fn from_row(row: Row<'_>, owner: BString) -> Result<Self> {
        let deparsed = |column| opt_deparsed(row, column, "oprname");
        let function = |column| Ok::<_, crate::Error>(row.opt_text(column)?.map(without_arguments));
        Ok(Self {
            owner,
            kind: known(row.char("oprkind")?, b"blr", "kind of operator", row.text("oprname")?)?,
            left: row.oid("oprleft")?,
            right: row.oid("oprright")?,
            left_type: deparsed("left_type")?,
            right_type: deparsed("right_type")?,
            function: function("function")?,
            commutator: deparsed("commutator")?,
            negator: deparsed("negator")?,
            restrict: function("restrict")?,
            join: function("join")?,
            merges: row.bool("oprcanmerge")?,
            hashes: row.bool("oprcanhash")?,
        })
    }
}

/// The name in `name(arguments)`, as the server quoted it: CREATE OPERATOR takes no arguments. (A function's bare name
/// would not do instead: the server adds the schema only to an overloaded function's signature.)
fn without_arguments(signature: &BStr) -> Deparsed {
    let end = tokens(signature).find(|token| token.is_mark(b'(')).map(|token| token.at);
    Deparsed::by_server(&signature[..end.unwrap_or(signature.len())])
}

impl Body for Operator {
    fn rank(&self) -> Rank {
        Rank::Operator
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        let Some(other) = other.downcast::<Self>() else { return Ordering::Equal };
        // Prefix, then postfix, then between two operands.
        (other.kind.cmp(&self.kind))
            .then_with(|| types::compare_types(model, self.left, other.left))
            .then_with(|| types::compare_types(model, self.right, other.right))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let Some(function) = &self.function else { return Ok(()) };
        // An operator's name consists of characters that cannot be quoted.
        let name = Deparsed::by_server(object.name.clone());
        let mut signature = render.sql();
        signature.deparsed(&name).kw(" (");
        let mut details = render.sql();
        details.kw("    FUNCTION = ").deparsed(function);
        argument(&mut signature, &mut details, ",\n    LEFTARG = ", self.left_type.as_ref());
        signature.kw(", ");
        argument(&mut signature, &mut details, ",\n    RIGHTARG = ", self.right_type.as_ref());
        signature.kw(")");
        details.opt_deparsed(",\n    COMMUTATOR = ", &self.commutator, "");
        details.opt_deparsed(",\n    NEGATOR = ", &self.negator, "");
        details.kw(if self.merges { ",\n    MERGES" } else { "" });
        details.kw(if self.hashes { ",\n    HASHES" } else { "" });
        details.opt_deparsed(",\n    RESTRICT = ", &self.restrict, "").opt_deparsed(",\n    JOIN = ", &self.join, "");

        let mut sql = render.sql();
        sql.kw("CREATE OPERATOR ").ident(render.schema(object)).kw(".").deparsed(&name);
        sql.kw(" (\n").sql(&details).kw("\n);\n");
        out.define_as(&signature, render, object, "OPERATOR", Some(self.owner.as_bstr()), sql);
        Ok(())
    }
}

fn argument(signature: &mut Sql, details: &mut Sql, words: &'static str, kind: Option<&Deparsed>) {
    match kind {
        Some(kind) => {
            signature.deparsed(kind);
            details.kw(words).deparsed(kind);
        }
        None => {
            signature.kw("NONE");
        }
    }
}
