//! The dependencies that the server has recorded.

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::kind::known;
use crate::postgres::model::{LoopRole, Model};
use crate::wire::{Connection, Query};

/// Pinned objects and extension membership are no news. Members of operator families have no object of their own: what
/// they need, their family needs, except for the family itself and for the class that they are internal to.
const QUERY: &str = "\
    SELECT classid, objid, refclassid, refobjid, deptype \
    FROM pg_catalog.pg_depend \
    WHERE deptype <> ALL (ARRAY['p', 'e']::pg_catalog.\"char\"[]) \
  UNION ALL \
    SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass::pg_catalog.oid, member.family, d.refclassid, d.refobjid, \
    d.deptype \
    FROM (SELECT tableoid AS class, oid, amopfamily AS family FROM pg_catalog.pg_amop \
          UNION ALL SELECT tableoid, oid, amprocfamily FROM pg_catalog.pg_amproc) AS member \
    JOIN pg_catalog.pg_depend AS d ON d.classid = member.class AND d.objid = member.oid \
    WHERE d.deptype <> ALL (ARRAY['p', 'e', 'i']::pg_catalog.\"char\"[]) \
      AND (d.refclassid, d.refobjid) IS DISTINCT FROM ('pg_catalog.pg_opfamily'::pg_catalog.regclass::pg_catalog.oid, \
      member.family) \
  ORDER BY 1, 2";

/// Adds to the model's objects what the server says they depend on. Dependencies of and on columns count as those of the
/// whole relation.
pub(super) fn read(connection: &mut Connection, model: &mut Model) -> Result<()> {
    let rows = connection.run(&Query::new("dependencies", QUERY))?;
    for row in rows.iter() {
        let object = CatalogId { catalog: Catalog(row.oid("classid")?), oid: row.oid("objid")? };
        let referenced = CatalogId { catalog: Catalog(row.oid("refclassid")?), oid: row.oid("refobjid")? };
        let about = format_args!("what OID {} of catalog {} depends on", object.oid, object.catalog.0);
        let kind = known(row.char("deptype")?, b"naiPSx", "kind of dependency", about)?;
        // Not every row is an object of the model: TOAST tables are not, for one.
        let Some(object) = model.find(object.catalog, object.oid) else { continue };
        let Some(referenced) = model.find(referenced.catalog, referenced.oid) else { continue };
        if kind == b'x'
            && let Some(object) = model.get_mut(object)
        {
            object.depends_on_extension = true;
        }
        // The relation behind a composite type is internal to the type; what is dumped is the type, whose columns are
        // the relation's: so the type comes after what the relation needs.
        let role = |id| model.get(id).map_or(LoopRole::Other, |o| o.body.loop_role());
        let reversed = kind == b'i' && role(object).is_relation() && matches!(role(referenced), LoopRole::Type { .. });
        if reversed {
            model.depend(referenced, object);
        } else {
            model.depend(object, referenced);
        }
    }
    Ok(())
}
