//! What is in the target, by name and by address.

use std::collections::{HashMap, HashSet};

use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::dependents::{Address, Archived, Named, names};
use crate::postgres::restore::plan::{Action, Plan};
use crate::postgres::version::ServerVersion;
use crate::wire::{Connection, Param};

/// What is in the target.
pub struct Present {
    pub named: Vec<Named>,
    places: HashMap<Address, usize>,
}

impl Present {
    pub fn ask(target: &mut Connection) -> Result<Self> {
        let is_superuser = target.parameter("is_superuser").is_some_and(|value| value == "on");
        let rows = target.run(&names::query(ServerVersion::new(target.server_version()), is_superuser))?;
        let named = names::read(&rows)?;
        let places = named.iter().enumerate().map(|(at, object)| (object.address, at)).collect();
        Ok(Self { named, places })
    }

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
