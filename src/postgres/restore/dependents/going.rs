//! What the plan's drops take away.

use std::collections::HashSet;

use bstr::BString;
use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::EntryIndex;
use crate::postgres::archive::kinds;
use crate::postgres::catalogs::Catalog;
use crate::postgres::restore::dependents::names::Address;
use crate::postgres::restore::dependents::present::{GOES, Present, columns_of, held};
use crate::postgres::restore::plan::Plan;
use crate::wire::{Connection, Param};

/// What the plan's drops take away.
pub struct Going {
    /// What has an address.
    pub addresses: HashSet<Address>,
    /// What has no name that an archive could have, described.
    pub unknown: Vec<BString>,
}

impl Going {
    /// Asks.
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
