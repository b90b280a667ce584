//! Those who work beside a restore's own connection.

use std::ops::Range;
use std::thread;

use bstr::ByteSlice;

use crate::Result;
use crate::postgres::restore::execute::one_session::OneSession;
use crate::postgres::restore::execute::{Client, Executor, Interrupt, one_session};
use crate::postgres::restore::parallel::crew::Crew;
use crate::postgres::restore::parallel::hand_out::HandOut;
use crate::postgres::restore::parallel::{Context, Worker};
use crate::postgres::restore::source::Readers;
use crate::wire::Connection;
use crate::words::Choice;

/// Those who work beside a restore's own connection.
pub struct Team {
    readers: Readers,
    connections: Vec<Connection>,
    /// What tells their sessions from others.
    sessions: Vec<OneSession>,
    interrupts: Vec<Interrupt>,
}

impl Team {
    /// Nobody yet, but a reader for each that there may be.
    pub fn new(readers: Readers) -> Self {
        Self { readers, connections: Vec::new(), sessions: Vec::new(), interrupts: Vec::new() }
    }

    /// Connects as many as the plan has work for, before anything is changed: there may be no more connections to be had.
    pub fn connect_early(&mut self, client: &mut Client<'_>) -> Result<()> {
        let (plan, jobs) = (client.job.plan, self.readers.len());
        let steps = plan.steps.chunk_by(|a, b| a.entry == b.entry);
        let items = steps.filter(|of_entry| plan.is_apart(of_entry[0].entry)).count();
        self.connect(client, items).map_err(|error| {
            let takes = format!(" takes up to {} connections", jobs + 1);
            error.hint("nothing was changed; " + Choice::Jobs(Some(jobs)) + takes)
        })
    }

    /// Connects workers for so many items, at most as many as there are readers.
    fn connect(&mut self, client: &mut Client<'_>, items: usize) -> Result<()> {
        let wanted = self.readers.len().min(items);
        if self.connections.len() >= wanted {
            return Ok(());
        }
        let database = one_session::database(client.connection)?;
        while self.connections.len() < wanted {
            let mut connection = client.another(database.as_bstr())?;
            self.sessions.push(OneSession::beside(&mut connection)?);
            let session = &client.job.plan.session;
            session.iter().try_for_each(|statement| connection.foreign()?.execute(statement))?;
            // What the server says to each login it has said to the first one; it is not about what this one will make.
            drop(connection.take_notices());
            self.interrupts.push(client.interrupt.of_worker(&connection));
            self.connections.push(connection);
        }
        Ok(())
    }

    /// Hands out these parts of the plan's steps until all are done, or something ends the restore.
    pub fn hand_out(&mut self, executor: &mut Executor<'_>, parts: Vec<Range<usize>>) -> Result<()> {
        let Executor { job, client, ledger, learnt, .. } = executor;
        self.connect(client, parts.len())?;
        let context = Context { job, states: ledger.states(), learnt: learnt.for_worker() };
        let cancel = self.connections.iter().map(Connection::cancel_handle).collect();
        let mut work = HandOut::new(&client.interrupt, ledger, parts, cancel);
        let hands = self.connections.iter_mut().zip(&mut self.readers).zip(&self.interrupts).enumerate();
        let workers = hands.map(|(n, ((connection, data), interrupt))| Worker {
            n,
            context: &context,
            connection,
            data: data.as_mut(),
            interrupt: interrupt.of_same_worker(),
        });
        thread::scope(|scope| Crew::begin(scope, workers, job).carry_out(&mut work));
        work.end()
    }

    /// Takes back what was set in the sessions; fails if one is not any more what it was.
    pub fn end(&mut self) -> Result<()> {
        let mut result = Ok(());
        for (connection, session) in self.connections.iter_mut().zip(&self.sessions) {
            let is_idle = !connection.is_broken() && connection.transaction_status() == b'I';
            let checked = if is_idle { session.check(connection) } else { Ok(()) };
            result = result.and(checked).and(session.end(connection));
        }
        result
    }
}
