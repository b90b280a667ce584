//! The threads of workers, and the way orders take to them.

use std::thread::Scope;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::postgres::restore::execute::Job;
use crate::postgres::restore::parallel::hand_out::HandOut;
use crate::postgres::restore::parallel::{Done, Order, Worker};
use crate::progress::Level;
use crate::threads;
use crate::words::Choice;

/// Workers that wait for orders.
pub struct Crew<'w, 'c> {
    orders: Sender<Order>,
    results: Receiver<Done>,
    hands: usize,
    /// The only one, if there is no thread to be had: it does in this one what it is ordered to.
    alone: Option<(Worker<'w, 'c>, Receiver<Order>, Sender<Done>)>,
}

impl<'w, 'c: 'w> Crew<'w, 'c> {
    /// Gives each worker a thread, as far as there are any.
    pub fn begin<'s>(scope: &'s Scope<'s, 'w>, workers: impl Iterator<Item = Worker<'w, 'c>>, job: &Job<'_>) -> Self {
        let (orders, taken) = unbounded();
        let (done, results) = unbounded();
        let mut crew = Self { orders, results, hands: 0, alone: None };
        for worker in workers {
            // It is handed over when there is somebody to take it.
            let (hand, handed) = bounded::<Worker<'_, '_>>(1);
            let (orders, results) = (taken.clone(), done.clone());
            let work = move || handed.recv().map(|worker| worker.work(&orders, &results));
            match threads::spawn_scoped(scope, "restore over several connections at a time", work) {
                Ok(_) => crew.hands += usize::from(hand.send(worker).is_ok()),
                Err(error) => {
                    let text = format!("{error}; going on with {}", crew.hands.max(1));
                    job.message(Level::Warning, Choice::Jobs(None), text);
                    crew.alone = (worker.n == 0).then(|| (worker, taken.clone(), done.clone()));
                    break;
                }
            }
        }
        crew.hands = crew.hands.max(1);
        crew
    }

    /// Hands out work until there is no more, or something ends it; the workers go home then.
    pub fn carry_out(mut self, work: &mut HandOut<'_, '_>) {
        loop {
            while work.running() < self.hands
                && let Some(order) = work.next()
            {
                self.order(order, work);
            }
            if work.running() == 0 {
                return;
            }
            match self.results.recv() {
                Ok(done) => work.take(done),
                Err(_) => return work.fail("the workers ended without a word"),
            }
        }
    }

    fn order(&mut self, order: Order, work: &mut HandOut<'_, '_>) {
        if self.orders.send(order).is_err() {
            work.fail("no worker is left");
        } else if let Some((worker, orders, results)) = &mut self.alone
            && let Ok(order) = orders.try_recv()
        {
            worker.take(order, results);
        }
    }
}
