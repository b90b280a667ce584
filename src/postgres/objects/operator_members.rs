//! The operators and functions that make up operator families and classes.

use bstr::{BString, ByteSlice};

use super::deparse::deparsed;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::model::Model;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Rows};

/// The members of one family or class.
#[derive(Debug, Default)]
pub(super) struct Members {
    operators: Vec<MemberOperator>,
    functions: Vec<MemberFunction>,
}

#[derive(Debug)]
struct MemberOperator {
    strategy: i32,
    operator: Deparsed,
    /// The family, with its schema, by which an ordering operator sorts.
    sort_family: Option<(BString, BString)>,
}

#[derive(Debug)]
struct MemberFunction {
    number: i32,
    function: Deparsed,
    left: Deparsed,
    right: Deparsed,
}

/// The queries for the members that `pg_depend` ties to objects of `owner`, which is the catalog of families or that of
/// classes: operators, then functions.
pub(super) fn queries(owner: Catalog) -> [Query; 2] {
    let operators = Query::new(
        "operators of operator families and classes",
        "SELECT d.refobjid AS owner, o.amopstrategy, o.amopopr::pg_catalog.regoperator::pg_catalog.text AS operator, \
            f.opfname, n.nspname \
         FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_amop AS o ON o.oid = d.objid \
         LEFT JOIN (pg_catalog.pg_opfamily AS f JOIN pg_catalog.pg_namespace AS n ON n.oid = f.opfnamespace) \
         ON f.oid = o.amopsortfamily \
         LEFT JOIN pg_catalog.pg_opclass AS c ON $1 = 'pg_catalog.pg_opclass'::pg_catalog.regclass::pg_catalog.oid \
         AND c.oid = d.refobjid \
         WHERE d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass AND d.refclassid = $1 AND d.refobjid >= $2 \
         AND o.amopfamily = CASE $1 WHEN 'pg_catalog.pg_opclass'::pg_catalog.regclass::pg_catalog.oid THEN \
         c.opcfamily ELSE d.refobjid END \
         ORDER BY 1, 2",
    );
    let functions = Query::new(
        "functions of operator families and classes",
        "SELECT d.refobjid AS owner, p.amprocnum, \
            p.amproc::pg_catalog.oid::pg_catalog.regprocedure::pg_catalog.text AS function, \
         pg_catalog.format_type(p.amproclefttype, NULL) AS left_type, \
         pg_catalog.format_type(p.amprocrighttype, NULL) AS right_type \
         FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_amproc AS p ON p.oid = d.objid \
         WHERE d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass AND d.refclassid = $1 AND d.refobjid >= $2 \
           ORDER BY 1, 2",
    );
    [operators, functions].map(|query| query.param(Param::oid(owner.0)).param(Param::oid(FIRST_USER_OID)))
}

/// Gives each member in the results of [`queries`] to the owner that `find` finds by OID.
pub(super) fn collect(
    operators: &Rows,
    functions: &Rows,
    model: &mut Model,
    find: fn(&mut Model, u32) -> Option<&mut Members>,
) -> Result<()> {
    for row in operators.iter() {
        let Some(members) = find(model, row.oid("owner")?) else { continue };
        let sort_family = match (row.opt_string("nspname")?, row.opt_string("opfname")?) {
            (Some(schema), Some(name)) => Some((schema, name)),
            _ => None,
        };
        members.operators.push(MemberOperator {
            strategy: row.i32("amopstrategy")?,
            operator: deparsed(row, "operator", "opfname")?,
            sort_family,
        });
    }
    for row in functions.iter() {
        let Some(members) = find(model, row.oid("owner")?) else { continue };
        members.functions.push(MemberFunction {
            number: row.i32("amprocnum")?,
            function: deparsed(row, "function", "opfname")?,
            left: deparsed(row, "left_type", "opfname")?,
            right: deparsed(row, "right_type", "opfname")?,
        });
    }
    Ok(())
}

impl Members {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.operators.is_empty() && self.functions.is_empty()
    }

    /// Appends them, a line each; `continued` says that an item stands before them.
    pub(super) fn append(&self, sql: &mut Sql, continued: bool) {
        let mut separator = if continued { " ,\n    " } else { "" };
        for member in &self.operators {
            sql.kw(separator).kw("OPERATOR ").num(member.strategy).kw(" ").deparsed(&member.operator);
            if let Some((schema, name)) = &member.sort_family {
                sql.kw(" FOR ORDER BY ").qualified(schema.as_bstr(), name.as_bstr());
            }
            separator = " ,\n    ";
        }
        for member in &self.functions {
            sql.kw(separator).kw("FUNCTION ").num(member.number);
            sql.kw(" (").deparsed(&member.left).kw(", ").deparsed(&member.right).kw(") ").deparsed(&member.function);
            separator = " ,\n    ";
        }
    }
}
