//! Work that is handed out to workers, and what comes of it.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::{Interrupt, Ledger};
use crate::postgres::restore::parallel::schedule::Schedule;
use crate::postgres::restore::parallel::{Done, Order};
use crate::progress::Level;
use crate::wire::{CancelHandle, cancel_all};
use crate::{Error, ErrorKind, Result};

/// How long it may take to ask for the end of what the workers do, once it is of no use.
const CANCELLING: Duration = Duration::from_secs(10);

/// Parts of a plan, some of which are done.
pub struct HandOut<'h, 'a> {
    interrupt: &'h Interrupt,
    ledger: &'h mut Ledger<'a>,
    schedule: Schedule,
    cancel: Vec<CancelHandle>,
    busy: Vec<bool>,
    /// What ended all of it.
    fatal: Option<Error>,
}

impl<'h, 'a> HandOut<'h, 'a> {
    /// These parts of the plan's steps, for workers that these cancel.
    pub fn new(
        interrupt: &'h Interrupt,
        ledger: &'h mut Ledger<'a>,
        parts: Vec<Range<usize>>,
        cancel: Vec<CancelHandle>,
    ) -> Self {
        let job = ledger.job;
        let schedule = Schedule::new(job.entries, &job.plan.steps, parts, |at| job.cost.of_entry(at));
        let busy = vec![false; cancel.len()];
        Self { interrupt, ledger, schedule, cancel, busy, fatal: None }
    }

    pub fn running(&self) -> usize {
        self.schedule.running()
    }

    fn is_ending(&self) -> bool {
        self.fatal.is_some() || self.ledger.is_stopped()
    }

    /// What can be done now, if there is anything.
    pub fn next(&mut self) -> Option<Order> {
        let job = self.ledger.job;
        while !self.is_ending() {
            let n = self.schedule.next()?;
            let item = self.schedule.item(n);
            let (at, steps) = (item.entry, item.steps.clone());
            if !self.is_left_out(at) {
                return Some((n, steps));
            }
            job.plan.steps[steps].iter().for_each(|step| job.part(step).end());
            self.schedule.done(n);
        }
        None
    }

    /// Whether something that the entry depends on could not be made, so that the entry cannot be, either.
    fn is_left_out(&mut self, at: EntryIndex) -> bool {
        let (job, ledger) = (self.ledger.job, &mut *self.ledger);
        let missing = job
            .on(at)
            .find(|on| ledger.state(*on).is_missing())
            .filter(|_| !job.options.data_for_failed_tables && !job.options.literal);
        let Some(missing) = missing else { return false };
        ledger.change(at, |state| state.is_left_out = true);
        if !ledger.is_left_along(at, missing) {
            job.say(Level::Error, at, format!("left out, because {} is not there", job.name(missing)));
            ledger.skip(at);
        }
        true
    }

    pub fn take(&mut self, done: Done) {
        let (worker, n, outcome) = match done {
            Done::Begun { worker } => {
                self.busy[worker] = true;
                return;
            }
            Done::Ended { worker, n, outcome } => (worker, n, outcome),
        };
        self.busy[worker] = false;
        self.schedule.done(n);
        if let Some(item) = self.schedule.largest_running() {
            self.ledger.job.current(item.entry);
        }
        // What was cancelled because of another error has none of its own.
        if self.is_ending() {
            return;
        }
        match outcome {
            Ok(outcome) => {
                self.ledger.end(self.schedule.item(n).entry);
                self.ledger.merge(*outcome);
                self.interrupt.tell_entries(self.ledger.ended());
            }
            Err(error) => self.fatal = Some(error),
        }
        if self.is_ending() {
            self.end_workers();
        }
    }

    fn end_workers(&self) {
        self.interrupt.end_workers();
        // One that cannot be cancelled is waited for.
        let busy = self.cancel.iter().zip(&self.busy).filter(|(_, is_busy)| **is_busy);
        let busy: Vec<CancelHandle> = busy.map(|(handle, _)| handle.clone()).collect();
        cancel_all(&busy, Instant::now() + CANCELLING);
    }

    /// Something has ended the work that is no worker's error.
    pub fn fail(&mut self, why: &str) {
        self.fatal.get_or_insert_with(|| Error::new(ErrorKind::Internal, "restore in parallel").why(why));
    }

    /// What ended the work, if it was not its end.
    pub fn end(self) -> Result<()> {
        self.fatal.map_or(Ok(()), Err)
    }
}
