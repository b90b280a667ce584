//! What is in the target, by name and by address.

use std::collections::{HashMap, HashSet};

use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::dependents::archived::Archived;
use crate::postgres::restore::dependents::names::{self, Address, Named};
use crate::postgres::restore::plan::Plan;
use crate::postgres::restore::plan::step::Action;
use crate::postgres::version::ServerVersion;
use crate::wire::{Connection, Param};

/// The objects in the target that the plan's drops are for, each with its entry.
pub fn roots(target: &mut Connection, plan: &Plan, entries: &[Entry]) -> Result<Vec<(EntryIndex, Address)>> {
    Ok(Present::ask(target)?.roots(plan, entries))
}

/// What is in the target.
pub struct Present {
    /// All of it.
    pub named: Vec<Named>,
    places: HashMap<Address, usize>,
}

impl Present {
    /// Asks.
    pub fn ask(target: &mut Connection) -> Result<Self> {
        let is_superuser = target.parameter("is_superuser").is_some_and(|value| value == "on");
        let rows = target.run(&names::query(ServerVersion::new(target.server_version()), is_superuser))?;
        let named = names::read(&rows)?;
        let places = named.iter().enumerate().map(|(at, object)| (object.address, at)).collect();
        Ok(Self { named, places })
    }

    /// What has this address.
    pub fn get(&self, address: Address) -> Option<&Named> {
        self.places.get(&address).map(|at| &self.named[*at])
    }

    /// What it is a part of.
    pub fn whole(&self, part: &Named) -> Option<&Named> {
        self.get(part.part_of?)
    }

    /// What the plan's drops are for, each with its entry.
    pub fn roots(&self, plan: &Plan, entries: &[Entry]) -> Vec<(EntryIndex, Address)> {
        let archived = Archived::of(entries);
        let is_drop = |action: &Action| matches!(action, Action::Drop(_) | Action::DropCascade(_));
        let dropped: HashSet<EntryIndex> =
            plan.drops.iter().filter(|step| is_drop(&step.action)).map(|step| step.entry).collect();
        let found = self.named.iter().filter_map(|object| Some((archived.entry(object)?, object.address)));
        found.filter(|(entry, _)| dropped.contains(entry)).collect()
    }
}

/// Their catalogs and their OIDs, as parameters.
pub fn columns_of(addresses: &[Address]) -> [Param; 2] {
    let (classes, oids): (Vec<u32>, Vec<u32>) = addresses.iter().copied().unzip();
    [Param::oids(&classes), Param::oids(&oids)]
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
