//! The topological sort, and the search for the loops that prevent it.

use std::collections::BinaryHeap;

use super::super::model::{DumpId, Model};
use super::boundaries::Boundaries;
use super::repair;
use crate::progress::Reporter;

/// Sorts `ordered` so that every object comes after what it depends on, moving as little as possible. Loops are broken,
/// a few at a time, until the sort succeeds.
pub(super) fn sort(
    model: &mut Model,
    ordered: &[DumpId],
    boundaries: Boundaries,
    reporter: &dyn Reporter,
) -> Vec<DumpId> {
    loop {
        match try_sort(model, ordered) {
            Ok(sorted) => return sorted,
            Err(stuck) => break_loops(model, &stuck, boundaries, reporter),
        }
    }
}

fn slot(id: DumpId) -> usize {
    usize::try_from(id.0).unwrap_or(0)
}

/// Works from the end: of all objects that nothing unplaced depends on, the one that stands last in `ordered` goes into
/// the last free place. Fails with the objects that could not be placed, by number.
fn try_sort(model: &Model, ordered: &[DumpId]) -> Result<Vec<DumpId>, Vec<DumpId>> {
    let mut dependents = vec![0usize; model.len() + 1];
    let mut position = vec![0usize; model.len() + 1];
    for (i, id) in ordered.iter().enumerate() {
        position[slot(*id)] = i;
        for on in dependencies(model, *id) {
            dependents[slot(*on)] += 1;
        }
    }
    let mut free: BinaryHeap<usize> = (0..ordered.len()).filter(|i| dependents[slot(ordered[*i])] == 0).collect();
    let mut reversed = Vec::with_capacity(ordered.len());
    while let Some(i) = free.pop() {
        reversed.push(ordered[i]);
        for on in dependencies(model, ordered[i]) {
            let count = &mut dependents[slot(*on)];
            *count -= 1;
            if *count == 0 {
                free.push(position[slot(*on)]);
            }
        }
    }
    if reversed.len() == ordered.len() {
        reversed.reverse();
        return Ok(reversed);
    }
    let mut stuck: Vec<DumpId> = ordered.iter().copied().filter(|id| dependents[slot(*id)] != 0).collect();
    stuck.sort();
    Err(stuck)
}

fn dependencies(model: &Model, id: DumpId) -> &[DumpId] {
    model.get(id).map_or(&[], |o| o.dependencies.as_slice())
}

/// Finds loops among `stuck` and has them repaired. Loops that share members are left for the next attempt, because
/// repairing the first may have repaired the others.
fn break_loops(model: &mut Model, stuck: &[DumpId], boundaries: Boundaries, reporter: &dyn Reporter) {
    let mut done = vec![false; model.len() + 1];
    let mut fruitless = vec![DumpId(0); model.len() + 1];
    for &start in stuck {
        if let Some(members) = find_loop(model, start, &done, &mut fruitless) {
            for id in &members {
                done[slot(*id)] = true;
            }
            repair::repair(model, &members, boundaries, reporter);
        } else {
            // It only leads to a loop, or to nowhere: no later search need enter it.
            done[slot(start)] = true;
        }
    }
}

/// A path of dependencies from `start` back to itself, depth first. `fruitless[x] == start` says that no path leads from
/// x to `start`; objects that are `done` are not entered.
fn find_loop(model: &Model, start: DumpId, done: &[bool], fruitless: &mut [DumpId]) -> Option<Vec<DumpId>> {
    let mut path: Vec<(DumpId, usize)> = Vec::new();
    let mut enter = Some(start);
    loop {
        if let Some(id) = enter.take() {
            let blocked = done[slot(id)] || fruitless[slot(id)] == start || path.iter().any(|(p, _)| *p == id);
            if !blocked {
                if dependencies(model, id).contains(&start) {
                    return Some(path.iter().map(|(p, _)| *p).chain([id]).collect());
                }
                path.push((id, 0));
            }
        }
        let (id, next) = path.last_mut()?;
        match dependencies(model, *id).get(*next) {
            Some(on) => {
                *next += 1;
                enter = Some(*on);
            }
            None => {
                fruitless[slot(*id)] = start;
                path.pop();
            }
        }
    }
}
