//! One of the connections that a parallel restore works over.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use bstr::BStr;
use crossbeam_channel::{Receiver, Sender};
use pgformat::{DumpId, Entry};

use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::extension_rows::ExtensionRows;
use crate::postgres::restore::execute::interrupt::Interrupt;
use crate::postgres::restore::execute::{Data, Outcome, Progress, Run};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::Plan;
use crate::postgres::restore::plan::cost::Work;
use crate::progress::Reporter;
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

/// What all workers know.
pub(super) struct Context<'a> {
    plan: &'a Plan,
    entries: &'a [Entry],
    options: &'a RestoreOptions,
    reporter: &'a dyn Reporter,
    work: &'a Work,
    undefined: HashSet<usize>,
    kept: HashSet<usize>,
    refused: HashMap<DumpId, usize>,
    made_by: i32,
    objects_there: Arc<Mutex<HashSet<u32>>>,
    defaults: Defaults,
}

impl<'a> Context<'a> {
    /// What is known when the workers begin.
    pub(super) fn of(run: &Run<'a>) -> Self {
        Self {
            plan: run.plan,
            entries: run.entries,
            options: run.options,
            reporter: run.reporter,
            work: run.work,
            undefined: run.undefined.clone(),
            kept: run.kept.clone(),
            refused: run.refused.clone(),
            made_by: run.made_by,
            objects_there: Arc::clone(&run.objects_there),
            defaults: run.defaults.for_worker(),
        }
    }
}

/// A worker.
pub(super) struct Worker<'w, 'c> {
    pub n: usize,
    pub context: &'w Context<'c>,
    pub connection: &'w mut Connection,
    pub data: &'w mut (dyn Data + Send),
    pub interrupt: Interrupt,
}

/// The number of an item, and its steps.
pub(super) type Order = (usize, Range<usize>);

/// What a worker says.
pub(super) enum Done {
    /// It has begun with something.
    Begun { worker: usize },
    /// It has ended an item. The outcome is an error where it cannot go on.
    Ended { worker: usize, n: usize, outcome: Result<Box<Outcome>> },
}

impl Worker<'_, '_> {
    /// Carries out what it is ordered to, until there are no more orders.
    pub(super) fn work(mut self, orders: &Receiver<Order>, done: &Sender<Done>) {
        for order in orders {
            self.take(order, done);
        }
    }

    /// Carries out an order.
    pub(super) fn take(&mut self, (n, steps): Order, done: &Sender<Done>) {
        // Nobody listens any more when all is over; the orders end then.
        let _ = done.send(Done::Begun { worker: self.n });
        // Whoever waits for it would wait for ever.
        let carried_out = catch_unwind(AssertUnwindSafe(|| self.carry_out(steps))).unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Internal, "restore in parallel").why("a worker failed; see above"))
        });
        let outcome = carried_out.map(Box::new);
        let _ = done.send(Done::Ended { worker: self.n, n, outcome });
    }

    fn carry_out(&mut self, steps: Range<usize>) -> Result<Outcome> {
        let Context {
            plan,
            entries,
            options,
            reporter,
            work,
            undefined,
            kept,
            refused,
            made_by,
            objects_there,
            defaults,
        } = self.context;
        let nowhere = |_: &BStr| {
            Err(Error::new(ErrorKind::Internal, "change the database").why("a worker stays in the one that it is in"))
        };
        let interrupt = self.interrupt.of_same_worker();
        let progress = Progress { reporter: *reporter, work };
        let mut run = Run::new(plan, entries, options, self.connection, &nowhere, progress, interrupt);
        (run.undefined, run.kept, run.made_by) = (undefined.clone(), kept.clone(), *made_by);
        run.refused = refused.clone();
        (run.extension_rows, run.objects_there) = (ExtensionRows::settled(), objects_there.clone());
        run.defaults = defaults.for_worker();
        run.carry_out(&plan.steps[steps], self.data)?;
        Ok(run.outcome())
    }
}
