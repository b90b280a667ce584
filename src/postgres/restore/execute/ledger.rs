//! What has become of each entry of a restore, and what is to be said of it in the end. Nothing here knows a server.

use std::collections::HashMap;
use std::sync::Arc;

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::Job;
use crate::postgres::restore::execute::entry_state::{Defined, EntryState, Turn};
use crate::postgres::restore::summary::{EntryError, RestoreSummary};
use crate::progress::Level;
use crate::wire::ServerError;
use crate::words::Words;
use crate::{EntryEvent, EntryFailure, Work};

/// How much of a restore was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Steps of the plan, drops apart, carried out well or not.
    pub steps: usize,
    /// Rows that the server stored.
    pub rows: u64,
    /// Bytes of rows and large objects that it took.
    pub bytes: u64,
    pub large_objects: u64,
}

/// A state for each entry. Parts of a restore share those at their beginning.
#[derive(Clone)]
pub struct States {
    entries: Vec<EntryState>,
    /// Whether any definition has failed.
    has_undefined: bool,
}

/// What came of a part of a restore.
pub struct Outcome {
    /// The states that are not what they were.
    changed: HashMap<EntryIndex, EntryState>,
    summary: RestoreSummary,
    amount: Amount,
}

/// The state of each entry, what failed, and how much was done, for good or not yet.
pub struct Ledger<'a> {
    pub job: &'a Job<'a>,
    states: Arc<States>,
    /// Of a part, which most often changes few, the states that are not what they were.
    changed: Option<HashMap<EntryIndex, EntryState>>,
    ended: usize,
    summary: RestoreSummary,
    pub amount: Amount,
    committed: Amount,
    /// What is to be said of entries once it is for good.
    deferred: Vec<(EntryIndex, String)>,
}

impl<'a> Ledger<'a> {
    /// For a restore at its beginning.
    pub fn new(job: &'a Job<'a>) -> Self {
        let states = States { entries: vec![EntryState::default(); job.entries.len()], has_undefined: false };
        let mut ledger = Self { changed: None, ..Self::of_part(job, Arc::new(states)) };
        let limits = &job.plan.role_limits;
        (ledger.summary.stays, ledger.summary.left) = (limits.stays.clone(), limits.left.clone());
        limits.settled.iter().for_each(|at| ledger.change(*at, |state| state.has_failed = true));
        ledger
    }

    /// For a part of a restore; the states are those at its beginning.
    pub fn of_part(job: &'a Job<'a>, states: Arc<States>) -> Self {
        let (amount, summary) = (Amount::default(), RestoreSummary::default());
        let changed = Some(HashMap::new());
        Self { job, states, changed, ended: 0, summary, amount, committed: amount, deferred: Vec::new() }
    }

    pub fn states(&self) -> Arc<States> {
        Arc::clone(&self.states)
    }

    /// What was put down for a part of a restore.
    pub fn into_outcome(self) -> Outcome {
        Outcome { changed: self.changed.unwrap_or_default(), summary: self.summary, amount: self.amount }
    }

    /// Takes over what was put down for a part of the restore that somebody else carried out.
    pub fn merge(&mut self, part: Outcome) {
        for (at, other) in part.changed {
            self.change(at, |state| *state = state.merged(other));
        }
        self.summary.errors.extend(part.summary.errors);
        self.summary.skipped.extend(part.summary.skipped);
        self.summary.left.extend(part.summary.left);
        self.summary.stopped |= part.summary.stopped;
        self.amount.steps += part.amount.steps;
        self.amount.rows += part.amount.rows;
        self.amount.bytes += part.amount.bytes;
        self.amount.large_objects += part.amount.large_objects;
    }

    /// Puts down what has become of an entry.
    pub fn change(&mut self, at: EntryIndex, change: impl FnOnce(&mut EntryState)) {
        if let Some(changed) = &mut self.changed {
            change(changed.entry(at).or_insert(self.states.entries[..][at]));
            return;
        }
        let states = Arc::make_mut(&mut self.states);
        let state = &mut states.entries[..][at];
        change(state);
        states.has_undefined |= state.is_undefined();
    }

    /// What has become of an entry so far.
    pub fn state(&self, at: EntryIndex) -> EntryState {
        let changed = self.changed.as_ref().and_then(|changed| changed.get(&at));
        changed.copied().unwrap_or(self.states.entries[..][at])
    }
}

/// What has failed.
impl Ledger<'_> {
    /// Puts an error down for an entry, and says it. It may be the one to stop at.
    pub fn put_down(&mut self, at: EntryIndex, error: EntryError) {
        self.put_down_of(at, error, (Work::Other, None));
    }

    /// As [`Ledger::put_down`], with the work that failed, and the server's report on it.
    pub fn put_down_of(&mut self, at: EntryIndex, error: EntryError, of: (Work<'_>, Option<&ServerError>)) {
        let text = error.what_happened();
        self.add_error(at, error, text, of);
        if self.job.options.stops_at_first_error() {
            self.stop();
        }
    }

    /// Puts down that something is not done although no statement has failed. That ends nothing: there is no error to stop at,
    /// and no transaction that has failed.
    pub fn put_down_undone(&mut self, at: EntryIndex, error: EntryError) {
        let text = format!("not done: {}", error.what_happened());
        self.add_error(at, error, text, (Work::Other, None));
    }

    fn add_error(
        &mut self,
        at: EntryIndex,
        error: EntryError,
        text: impl Into<Words>,
        (work, report): (Work<'_>, Option<&ServerError>),
    ) {
        let failure = EntryFailure { work, report, why: &error.message };
        if !self.job.tell(at, &EntryEvent::Failed(failure)) {
            self.job.message(Level::Error, error.entry.to_string(), text);
        }
        self.summary.errors.push(error);
        self.change(at, |state| state.has_failed = true);
    }

    /// Puts down that something is left to a superuser, and says it.
    pub fn leave(&mut self, at: EntryIndex, error: EntryError, level: Level) {
        let text = format!("left to a superuser: {}", error.what_happened());
        self.job.message(level, error.entry.to_string(), text);
        self.leave_untold(at, error);
    }

    /// As [`Ledger::leave`], without a word.
    pub fn leave_untold(&mut self, at: EntryIndex, error: EntryError) {
        self.summary.left.push(error);
        self.change(at, |state| state.has_failed = true);
    }

    pub fn left(&self) -> &[EntryError] {
        &self.summary.left
    }

    /// Puts down that an entry's data is left out.
    pub fn skip(&mut self, at: EntryIndex) {
        self.summary.skipped.push(self.job.name(at));
        self.change(at, |state| state.has_failed = true);
    }

    pub fn stop(&mut self) {
        self.summary.stopped = true;
    }

    pub fn is_stopped(&self) -> bool {
        self.summary.stopped
    }

    pub fn has_errors(&self) -> bool {
        !self.summary.errors.is_empty()
    }

    /// How much has gone wrong so far, of whatever sort.
    pub fn failures(&self) -> usize {
        self.summary.errors.len() + self.summary.skipped.len() + self.summary.left.len()
    }
}

/// What is there of an entry's object.
impl Ledger<'_> {
    /// Its definition failed, because there is such an object or for another reason.
    pub fn set_undefined(&mut self, at: EntryIndex, is_duplicate: bool) {
        let now = if is_duplicate { Defined::Duplicate } else { Defined::Absent };
        self.change(at, |state| state.defined = state.defined.max(now));
    }

    pub fn has_undefined(&self) -> bool {
        let mut changed = self.changed.iter().flat_map(HashMap::values);
        self.states.has_undefined || changed.any(|state| state.is_undefined())
    }

    /// The first of those that an entry depends on that was refused.
    pub fn refused_below(&self, at: EntryIndex) -> Option<EntryIndex> {
        self.job.on(at).find(|on| self.state(*on).is_refused)
    }

    /// Settles that nothing is to be done for an entry any more when its turn comes.
    pub fn set_turn(&mut self, at: EntryIndex, turn: Turn) {
        self.change(at, |state| state.turn = state.turn.max(turn));
    }
}

/// How much was done.
impl Ledger<'_> {
    pub fn add_dropped(&mut self, objects: usize) {
        self.summary.dropped += objects as u64;
    }

    pub fn add_ignored(&mut self) {
        self.summary.ignored += 1;
    }

    /// An entry was carried out, well or not.
    pub fn end(&mut self, at: EntryIndex) {
        if !self.state(at).has_ended {
            self.change(at, |state| state.has_ended = true);
            self.ended += 1;
        }
    }

    pub fn ended(&self) -> usize {
        self.ended
    }

    /// Says something of an entry once what was done until now is for good.
    pub fn defer(&mut self, at: EntryIndex, text: String) {
        self.deferred.push((at, text));
    }

    /// What was done until now is for good.
    pub fn commit(&mut self) {
        self.committed = self.amount;
        for (at, text) in std::mem::take(&mut self.deferred) {
            self.job.say(Level::Warning, at, text);
        }
    }

    /// What was done since the last [`Ledger::commit`] is undone; `is_all` if nothing remains then.
    pub fn roll_back(&mut self, is_all: bool) {
        self.amount = self.committed;
        self.summary.rolled_back |= is_all;
    }

    /// Puts down that the entries of the steps so far have ended, where these were carried out in their order.
    pub fn end_in_order(&mut self) {
        let plan = self.job.plan;
        let steps = &plan.steps[..self.amount.steps.min(plan.steps.len())];
        steps.iter().for_each(|step| self.end(step.entry));
    }

    /// What is to be said in the end.
    pub fn into_summary(self) -> RestoreSummary {
        let entries = self.states.entries.iter().filter(|state| state.has_ended && !state.has_failed).count() as u64;
        let Amount { rows, bytes, large_objects, .. } = self.amount;
        RestoreSummary { entries, rows, bytes, large_objects, ..self.summary }
    }
}
