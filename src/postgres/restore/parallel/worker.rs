//! One of the connections that a parallel restore works over.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bstr::BStr;
use crossbeam_channel::{Receiver, Sender};

use crate::postgres::restore::execute::{Client, Executor, Interrupt, Job, Learnt, Ledger, Outcome, States};
use crate::postgres::restore::parallel::ItemIndex;
use crate::postgres::restore::source::Data;
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

/// What all workers know when they begin.
pub struct Context<'a> {
    pub job: &'a Job<'a>,
    pub states: Arc<States>,
    /// What else was learnt on the way.
    pub learnt: Learnt,
}

pub struct Worker<'w, 'c> {
    pub n: usize,
    pub context: &'w Context<'c>,
    pub connection: &'w mut Connection,
    pub data: &'w mut (dyn Data + Send),
    pub interrupt: Interrupt,
}

/// The number of an item, and its steps.
pub type Order = (ItemIndex, Range<usize>);

/// What a worker says.
pub enum Done {
    /// It has begun with something.
    Begun { worker: usize },
    /// It has ended an item. The outcome is an error where it cannot go on.
    Ended { worker: usize, n: ItemIndex, outcome: Result<Box<Outcome>> },
}

impl Worker<'_, '_> {
    /// Carries out what it is ordered to, until there are no more orders.
    pub fn work(mut self, orders: &Receiver<Order>, done: &Sender<Done>) {
        for order in orders {
            self.take(order, done);
        }
    }

    pub fn take(&mut self, (n, steps): Order, done: &Sender<Done>) {
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
        let nowhere = |_: &BStr| {
            Err(Error::new(ErrorKind::Internal, "change the database").why("a worker stays in the one that it is in"))
        };
        let Context { job, states, learnt } = self.context;
        let client = Client::new(job, self.connection, &nowhere, self.interrupt.of_same_worker());
        let ledger = Ledger::of_part(job, Arc::clone(states));
        let mut executor = Executor::of_part(client, ledger, learnt.for_worker());
        executor.carry_out(steps, self.data)?;
        Ok(executor.ledger.into_outcome())
    }
}
