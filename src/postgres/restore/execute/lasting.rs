//! Which failed drops will fail again, however much else is dropped.

use std::collections::HashSet;

use crate::Result;
use crate::postgres::archive::kinds;
use crate::postgres::restore::dependents::{self, Address};
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::execute::drops;
use crate::postgres::restore::summary::EntryError;
use crate::wire::sqlstate;

/// The SQLSTATEs of what others depend on, and of what is there because of another: a partition's constraint goes with that of its
/// parent.
const MAY_BE_MENDED: [&str; 2] = [sqlstate::DEPENDENT_OBJECTS_STILL_EXIST, sqlstate::INVALID_TABLE_DEFINITION];

/// What becomes of drops that failed: those that may succeed when more is gone are given back, the first of the others stops the
/// restore. `of` tells the entry of one, and its error.
pub(in crate::postgres::restore) fn sort_out<T>(
    run: &mut Run<'_>,
    failures: Vec<T>,
    of: impl Fn(&T) -> (usize, &EntryError),
) -> Result<Vec<T>> {
    if failures.is_empty() {
        return Ok(failures);
    }
    let held = held(run, &failures.iter().map(|failure| of(failure).0).collect::<Vec<_>>())?;
    let mut later = Vec::new();
    for failure in failures {
        let (entry, error) = of(&failure);
        // These stay in the end, if they still have to.
        let may_stay = ["SCHEMA", "EXTENSION", "PROCEDURAL LANGUAGE"].iter().any(|d| kinds::is(&run.entries[entry], d));
        let may_be_mended = error.sqlstate.as_deref().is_none_or(|code| MAY_BE_MENDED.contains(&code));
        if !may_stay && (!may_be_mended || held.contains(&entry)) {
            let error = error.clone();
            drops::remains(run, entry, error);
            if run.summary.stopped {
                break;
            }
        } else {
            later.push(failure);
        }
    }
    Ok(later)
}

/// The entries among `failed` whose objects are held by something that the plan does not drop.
fn held(run: &mut Run<'_>, failed: &[usize]) -> Result<HashSet<usize>> {
    let roots = dependents::roots(run.target, run.plan, run.entries)?;
    let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
    let asked: Vec<(usize, Address)> = roots.into_iter().filter(|(entry, _)| failed.contains(entry)).collect();
    let addresses: Vec<Address> = asked.iter().map(|(_, address)| *address).collect();
    let held = dependents::held(run.target, &all, &addresses)?;
    Ok(asked.into_iter().filter(|(_, address)| held.contains(address)).map(|(entry, _)| entry).collect())
}
