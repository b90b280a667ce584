//! What the ledger of a restore says of entries, without any server.

use std::sync::{Mutex, PoisonError};

use pgformat::{DumpId, Entry};

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::entry_state::{Dropped, Turn};
use crate::postgres::restore::execute::{Job, Ledger};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::{Destination, plan};
use crate::postgres::restore::summary::EntryError;
use crate::progress::{Message, Reporter};

/// Keeps what is said.
#[derive(Default)]
struct Said(Mutex<Vec<String>>);

impl Said {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Said {
    fn message(&self, message: Message) {
        let said = format!("{:?} {}: {}", message.level, message.subject, message.text);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

/// Three tables, of which each depends on the one before it.
fn entries() -> Vec<Entry> {
    let table = |id: i32| {
        Entry::new(DumpId(id), "TABLE")
            .tag(format!("t{id}"))
            .definition(format!("CREATE TABLE t{id} ();"))
            .dependencies((id > 1).then(|| DumpId(id - 1)).into_iter().collect())
    };
    (1..=3).map(table).collect()
}

/// Lets `act` work with a ledger for a restore of [`entries`], by these options; what was said meanwhile.
fn with(options: &RestoreOptions, act: impl FnOnce(&Job<'_>, Ledger<'_>, [EntryIndex; 3])) -> Vec<String> {
    let (entries, said) = (entries(), Said::default());
    let plan = plan(&entries, (1, 16), options, &Destination::NEWEST).unwrap();
    let cost = Cost::of_script(&entries, vec![None; entries.len()]);
    let job = Job { plan: &plan, entries: &entries, options, reporter: &said, cost: &cost, made_by: 0 };
    let at: Vec<EntryIndex> = EntryIndex::all(entries.len()).collect();
    act(&job, Ledger::new(&job), at.try_into().unwrap());
    said.take()
}

fn error(job: &Job<'_>, at: EntryIndex, message: &str) -> EntryError {
    EntryError::other(&job.entries[at], b"", message)
}

#[test]
fn entries_without_an_error_are_restored_ones() {
    let said = with(&RestoreOptions::default(), |job, mut ledger, [_, second, _]| {
        ledger.put_down(second, error(job, second, "no"));
        ledger.amount.rows += 7;
        ledger.amount.steps += 2;
        ledger.end_in_order();
        assert!(!ledger.is_stopped());
        let summary = ledger.into_summary();
        assert_eq!((summary.entries, summary.rows, summary.failed_entries()), (1, 7, 1));
    });
    assert_eq!(said, ["Error TABLE t2: no"]);
}

#[test]
fn first_error_ends_a_restore_that_is_to_stop_there() {
    let options = RestoreOptions { exit_on_error: true, ..RestoreOptions::default() };
    with(&options, |job, mut ledger, [first, second, _]| {
        ledger.put_down_undone(first, error(job, first, "half"));
        assert!(!ledger.is_stopped());
        ledger.put_down(second, error(job, second, "no"));
        assert!(ledger.is_stopped());
    });
}

#[test]
fn what_is_rolled_back_was_not_done_and_what_waits_for_it_is_not_said() {
    let said = with(&RestoreOptions::default(), |_, mut ledger, [first, second, _]| {
        (ledger.amount.large_objects, ledger.amount.bytes) = (1, 10);
        ledger.amount.steps += 1;
        ledger.defer(first, "first".to_owned());
        ledger.commit();
        ledger.amount.rows += 5;
        ledger.amount.steps += 1;
        ledger.defer(second, "second".to_owned());
        ledger.roll_back(false);
        ledger.end_in_order();
        let summary = ledger.into_summary();
        assert_eq!((summary.entries, summary.rows, summary.bytes, summary.large_objects), (1, 0, 10, 1));
        assert!(!summary.rolled_back);
    });
    assert_eq!(said, ["Warning TABLE t1: first"]);
}

#[test]
fn object_that_could_not_be_dropped_is_there() {
    with(&RestoreOptions::default(), |_, mut ledger, [first, second, third]| {
        ledger.set_undefined(first, true);
        ledger.set_undefined(second, false);
        ledger.set_undefined(third, false);
        ledger.change(third, |state| state.dropped = Dropped::Failed);
        let absent = [first, second, third].map(|at| (ledger.state(at).is_undefined(), ledger.state(at).is_absent()));
        assert_eq!(absent, [(true, false), (true, true), (true, false)]);
        ledger.change(third, |state| state.is_left_out = true);
        assert!(ledger.state(third).is_missing() && !ledger.state(third).is_absent());
    });
}

#[test]
fn refusal_is_found_by_what_depends_on_it() {
    let said = with(&RestoreOptions::default(), |job, mut ledger, [first, second, third]| {
        ledger.leave_refused(first, error(job, first, "permission denied"));
        assert_eq!(ledger.refused_below(second), Some(first));
        assert_eq!(ledger.refused_below(third), None);
        assert_eq!(ledger.into_summary().left_entries(), 1);
    });
    assert_eq!(said, ["Error TABLE t1: left to a superuser: permission denied"]);
}

#[test]
fn part_is_merged_without_what_it_began_with() {
    with(&RestoreOptions::default(), |job, mut ledger, [first, second, third]| {
        ledger.change(first, |state| state.dropped = Dropped::Kept);
        let states = ledger.states();
        let (mut one, mut other) = (Ledger::of_part(job, states.clone()), Ledger::of_part(job, states));
        assert!(one.state(first).dropped == Dropped::Kept);
        one.put_down(second, error(job, second, "no"));
        one.amount.rows += 1;
        other.set_undefined(third, false);
        other.amount.rows += 2;
        ledger.skip(first);
        for part in [one, other] {
            ledger.merge(part.into_outcome());
        }
        let of = [first, second, third].map(|at| ledger.state(at));
        assert!(of[0].dropped == Dropped::Kept && of[0].has_failed);
        assert!(of[1].has_failed && !of[1].is_undefined());
        assert!(of[2].is_absent() && !of[2].has_failed);
        [second, third, third].into_iter().for_each(|at| ledger.end(at));
        assert_eq!(ledger.ended(), 2);
        let summary = ledger.into_summary();
        assert_eq!((summary.rows, summary.entries, summary.errors.len(), summary.skipped.len()), (3, 1, 1, 1));
    });
}

#[test]
fn what_was_carried_out_early_is_not_left_out_later() {
    with(&RestoreOptions::default(), |_, mut ledger, [first, second, third]| {
        ledger.set_turn(first, Turn::Early);
        ledger.set_turn(first, Turn::Skipped);
        ledger.set_turn(second, Turn::Skipped);
        assert_eq!([first, second, third].map(|at| ledger.state(at).turn), [Turn::Early, Turn::Skipped, Turn::ToCome]);
    });
}
