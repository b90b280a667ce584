//! What the plan's drops take away.

use std::collections::HashSet;

use bstr::BString;
use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::catalogs::Catalog;
use crate::postgres::restore::dependents::present::columns_of;
use crate::postgres::restore::dependents::{Address, Present};
use crate::postgres::restore::plan::Plan;
use crate::wire::{Connection, Param};

pub struct Going {
    /// What has an address.
    pub addresses: HashSet<Address>,
    /// What has no name that an archive could have, described.
    pub unknown: Vec<BString>,
}

impl Going {
    pub fn ask(target: &mut Connection, present: &Present, plan: &Plan, entries: &[Entry]) -> Result<Self> {
        let roots = present.roots(plan, entries);
        let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
        // These stay if something holds them.
        let may_stay = |entry: EntryIndex| ["EXTENSION", "SCHEMA"].iter().any(|desc| kinds::is(&entries[entry], desc));
        let asked: Vec<Address> = roots.iter().filter(|(entry, _)| may_stay(*entry)).map(|(_, a)| *a).collect();
        let stay = held(target, &all, &asked)?;
        let roots: Vec<Address> = all.into_iter().filter(|address| !stay.contains(address)).collect();
        let parts: Vec<u32> = Catalog::PARTS.iter().map(|catalog| catalog.0).collect();
        let [classes, oids] = columns_of(&roots);
        let rows = target.query(
            format!(
                "WITH RECURSIVE {GOES} \
             SELECT class, oid, CASE WHEN class <> ALL ($3) THEN pg_catalog.pg_describe_object(class, oid, 0) END AS described, \
                 EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = goes.class AND d.objid = goes.oid \
                     AND d.deptype = 'e') AS is_member \
             FROM goes"
            ),
            &[classes, oids, Param::oids(&parts)],
        )?;
        let mut going = Self { addresses: HashSet::new(), unknown: Vec::new() };
        for row in rows.iter() {
            let address = (row.oid("class")?, row.oid("oid")?);
            going.addresses.insert(address);
            if let Some(described) = row.opt_string("described")?
                && present.get(address).is_none()
                && !row.bool("is_member")?
            {
                going.unknown.push(described);
            }
        }
        Ok(going)
    }
}

/// What is dropped along with the objects of the classes `$1` and the OIDs `$2`, which cannot do without them.
pub const GOES: &str = "\
    goes (class, oid) AS ( \
      SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS root (class, oid) \
      UNION \
      SELECT d.classid, d.objid FROM pg_catalog.pg_depend d \
      JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
      WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x'))";

/// Those of `asked` that something depends on that would not be dropped with `roots`.
pub fn held(target: &mut Connection, roots: &[Address], asked: &[Address]) -> Result<HashSet<Address>> {
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let ([classes, oids], [asked_classes, asked_oids]) = (columns_of(roots), columns_of(asked));
    let rows = target.query(
        format!(
            "WITH RECURSIVE {GOES}, part (root_class, root, class, oid) AS ( \
             SELECT root.class, root.oid, root.class, root.oid FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) AS root (class, oid) \
             UNION \
             SELECT part.root_class, part.root, d.classid, d.objid FROM pg_catalog.pg_depend d \
             JOIN part ON d.refclassid = part.class AND d.refobjid = part.oid \
             WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x') \
         ) \
         SELECT DISTINCT part.root_class, part.root FROM part \
         JOIN pg_catalog.pg_depend d ON d.refclassid = part.class AND d.refobjid = part.oid \
         WHERE d.deptype = 'n' AND NOT EXISTS (SELECT FROM goes WHERE goes.class = d.classid AND goes.oid = d.objid)"
        ),
        &[classes, oids, asked_classes, asked_oids],
    )?;
    rows.iter().map(|row| Ok((row.oid("root_class")?, row.oid("root")?))).collect()
}
