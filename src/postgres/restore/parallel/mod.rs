//! Carries out a plan over several connections.
//!
//! What comes before the data is made over one connection, in the archive's order. Then the data and what comes after it
//! is handed to workers, each with a connection and a reader of the archive of its own: the largest first, nothing
//! before what it depends on, and never two at a time that would wait for each other's locks. Privileges are given over
//! the first connection again, and what has to come after them is handed out as before.

mod dependencies;
mod schedule;
mod worker;

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::thread;
use std::time::{Duration, Instant};

use bstr::ByteSlice;
use crossbeam_channel::{bounded, unbounded};
use pgformat::DumpId;
use pgformat::kinds::Pass;

use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds;
use crate::postgres::restore::execute::interrupt::Interrupt;
use crate::postgres::restore::execute::one_session::{self, OneSession};
use crate::postgres::restore::execute::{Data, Run};
use crate::postgres::restore::plan::Step;
use crate::progress::{Level, Message};
use crate::threads;
use crate::wire::{Connection, cancel_all};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};
use schedule::Schedule;
pub(super) use schedule::apart;
use worker::{Context, Done, Worker};

/// How long it may take to ask for the end of what the workers do, once it is of no use.
const CANCELLING: Duration = Duration::from_secs(10);

/// A reader of the archive for each worker.
pub type Readers = Vec<Box<dyn Data + Send>>;

/// Those who work beside the run's own connection.
pub(super) struct Team {
    readers: Readers,
    connections: Vec<Connection>,
    /// What tells their sessions from others.
    sessions: Vec<OneSession>,
    interrupts: Vec<Interrupt>,
    places: HashMap<DumpId, usize>,
    /// Entries that were done, well or not.
    ended: HashSet<usize>,
    /// Entries that were left out, because what they depend on could not be made.
    left_out: HashSet<usize>,
}

impl Team {
    /// Nobody yet, but a reader for each that there may be.
    pub(super) fn new(run: &Run<'_>, readers: Readers) -> Self {
        Self {
            readers,
            connections: Vec::new(),
            sessions: Vec::new(),
            interrupts: Vec::new(),
            places: crate::postgres::archive::select::places(run.entries),
            ended: HashSet::new(),
            left_out: HashSet::new(),
        }
    }

    /// Carries out the steps of the run's plan; `data` is for what is done over the run's own connection.
    pub(super) fn work(mut self, run: &mut Run<'_>, data: &mut dyn Data) -> Result<()> {
        let mut result = self.restore(run, data);
        for (connection, session) in self.connections.iter_mut().zip(&self.sessions) {
            let is_idle = !connection.is_broken() && connection.transaction_status() == b'I';
            let checked = if is_idle { session.check(connection) } else { Ok(()) };
            result = result.and(checked).and(session.end(connection));
        }
        run.ended = Some(self.ended);
        result
    }

    fn restore(&mut self, run: &mut Run<'_>, data: &mut dyn Data) -> Result<()> {
        let plan = run.plan;
        for pass in [Pass::Main, Pass::Acl, Pass::PostAcl] {
            let mut beside = Vec::new();
            let mut in_order: Vec<Range<usize>> = Vec::new();
            let mut begin = 0;
            for steps in plan.steps.chunk_by(|a, b| a.entry == b.entry) {
                let part = begin..begin + steps.len();
                begin = part.end;
                let entry = steps[0].entry;
                if kinds::pass(&run.entries[entry]) != pass {
                    continue;
                }
                match in_order.last_mut() {
                    _ if plan.apart[entry] => beside.push(part),
                    // Statements that follow each other are sent together.
                    Some(last) if last.end == part.start => last.end = part.end,
                    _ => in_order.push(part),
                }
            }
            let place = in_order.last().map_or(0, |part| part.end);
            for part in in_order {
                run.carry_out(&plan.steps[part.clone()], data)?;
                self.ended.extend(plan.steps[part].iter().map(|step| step.entry));
                if run.summary.stopped {
                    return Ok(());
                }
            }
            if pass == Pass::Main {
                run.load_in_order(data, place)?;
                if run.summary.stopped {
                    return Ok(());
                }
                beside.retain(|part| {
                    let is_settled = run.is_settled(&plan.steps[part.clone()]);
                    self.ended.extend(is_settled.then(|| plan.steps[part.start].entry));
                    !is_settled
                });
            }
            if !beside.is_empty() {
                run.end_block()?;
                self.hand_out(run, beside)?;
                if run.summary.stopped {
                    return Ok(());
                }
                run.begin_block()?;
            }
        }
        Ok(())
    }

    /// Connects as many as the plan has work for, before anything is changed: there may be no more connections to be had.
    pub(super) fn connect_early(&mut self, run: &mut Run<'_>) -> Result<()> {
        let jobs = self.readers.len();
        let steps = run.plan.steps.chunk_by(|a, b| a.entry == b.entry);
        let items = steps.filter(|of_entry| run.plan.apart[of_entry[0].entry]).count();
        self.connect(run, items).map_err(|error| {
            let takes = format!(" takes up to {} connections", jobs + 1);
            error.hint("nothing was changed; " + Choice::Jobs(Some(jobs)) + takes)
        })
    }

    /// Connects workers for so many items, at most as many as there are readers.
    fn connect(&mut self, run: &mut Run<'_>, items: usize) -> Result<()> {
        let wanted = self.readers.len().min(items);
        if self.connections.len() >= wanted {
            return Ok(());
        }
        let database = one_session::database(run.target)?;
        while self.connections.len() < wanted {
            let mut connection = (run.connect)(database.as_bstr())?;
            self.sessions.push(OneSession::beside(&mut connection)?);
            run.plan.session.iter().try_for_each(|statement| connection.foreign()?.execute(statement))?;
            // What the server says to each login it has said to the first one; it is not about what this one will make.
            drop(connection.take_notices());
            self.interrupts.push(run.interrupt.of_worker(&connection));
            self.connections.push(connection);
        }
        Ok(())
    }

    /// Hands out these parts of the plan's steps until all are done, or something ends the restore.
    fn hand_out(&mut self, run: &mut Run<'_>, parts: Vec<Range<usize>>) -> Result<()> {
        self.connect(run, parts.len())?;
        let mut schedule = Schedule::new(run.entries, &run.plan.steps, parts, |at| run.work.of_entry(at));
        let cancel: Vec<_> = self.connections.iter().map(Connection::cancel_handle).collect();
        let context = Context::of(run);
        let (orders, taken) = unbounded();
        let (done, results) = unbounded();
        let mut fatal = None;
        let (mut connections, mut readers) = (std::mem::take(&mut self.connections), std::mem::take(&mut self.readers));
        thread::scope(|scope| {
            let workers = connections.iter_mut().zip(&mut readers).zip(&self.interrupts);
            let (mut hands, mut alone) = (0, None);
            for (n, ((connection, data), interrupt)) in workers.enumerate() {
                let interrupt = interrupt.of_same_worker();
                let worker = Worker { n, context: &context, connection, data: data.as_mut(), interrupt };
                // It is handed over when there is somebody to take it.
                let (hand, handed) = bounded::<Worker<'_, '_>>(1);
                let (orders, results) = (taken.clone(), done.clone());
                let work = move || handed.recv().map(|worker| worker.work(&orders, &results));
                match threads::spawn_scoped(scope, "restore over several connections at a time", work) {
                    Ok(_) => hands += usize::from(hand.send(worker).is_ok()),
                    Err(error) => {
                        let text = format!("{error}; going on with {}", hands.max(1));
                        run.reporter.message(Message::warning(Choice::Jobs(None), text));
                        alone = (n == 0).then(|| (worker, taken.clone(), done.clone()));
                        break;
                    }
                }
            }
            let hands = hands.max(1);
            drop((taken, done));
            let mut busy = HashSet::new();
            loop {
                let is_ending = fatal.is_some() || run.summary.stopped;
                while !is_ending && schedule.running() < hands {
                    let Some(n) = schedule.next() else { break };
                    let item = schedule.item(n);
                    if self.is_left_out(run, item.entry) {
                        run.plan.steps[item.steps.clone()].iter().for_each(|step| run.part(step).end());
                        schedule.done(n);
                    } else if orders.send((n, item.steps.clone())).is_err() {
                        fatal = Some(Error::new(ErrorKind::Internal, "restore in parallel").why("no worker is left"));
                        break;
                    } else if let Some((worker, orders, results)) = &mut alone
                        && let Ok(order) = orders.try_recv()
                    {
                        worker.take(order, results);
                    }
                }
                if schedule.running() == 0 {
                    break;
                }
                match results.recv() {
                    Ok(Done::Begun { worker }) => _ = busy.insert(worker),
                    Ok(Done::Ended { worker, n, outcome }) => {
                        busy.remove(&worker);
                        schedule.done(n);
                        if let Some(item) = schedule.largest_running() {
                            run.reporter.current(&EntryName::of(&run.entries[item.entry]).to_string());
                        }
                        let was_ending = fatal.is_some() || run.summary.stopped;
                        match outcome {
                            // What was cancelled because of another error has none of its own.
                            _ if was_ending => {}
                            Ok(outcome) => {
                                self.ended.insert(schedule.item(n).entry);
                                run.merge(*outcome);
                                run.interrupt.count(self.ended.len());
                            }
                            Err(error) => fatal = Some(error),
                        }
                        if !was_ending && (fatal.is_some() || run.summary.stopped) {
                            run.interrupt.end_workers();
                            // One that cannot be cancelled is waited for.
                            let busy: Vec<_> = busy.iter().map(|worker: &usize| cancel[*worker].clone()).collect();
                            cancel_all(&busy, Instant::now() + CANCELLING);
                        }
                    }
                    Err(_) => {
                        let why = "the workers ended without a word";
                        fatal.get_or_insert_with(|| Error::new(ErrorKind::Internal, "restore in parallel").why(why));
                        break;
                    }
                }
            }
            drop(orders);
        });
        (self.connections, self.readers) = (connections, readers);
        fatal.map_or(Ok(()), Err)
    }

    /// Whether something that the entry depends on could not be made, so that the entry cannot be, either.
    fn is_left_out(&mut self, run: &mut Run<'_>, entry: usize) -> bool {
        if run.options.data_for_failed_tables {
            return false;
        }
        let on = run.entries[entry].dependencies.iter().filter_map(|id| self.places.get(id).copied());
        let is_missing = |at: &usize| run.is_absent(*at) || self.left_out.contains(at);
        let Some(missing) = on.into_iter().find(is_missing) else { return false };
        if run.is_left_along(entry, missing) {
            self.left_out.insert(entry);
            return true;
        }
        let missing = EntryName::of(&run.entries[missing]);
        run.say(Level::Error, entry, format!("left out, because {missing} is not there"));
        run.leave_out(entry);
        self.left_out.insert(entry);
        true
    }
}

/// Whether a step is to be carried out apart from those before it: its settings must not rely on theirs.
pub(super) fn begins_anew(apart: &[bool], before: Option<&Step>, entry: usize) -> bool {
    apart[entry] || before.is_some_and(|step| apart[step.entry])
}
