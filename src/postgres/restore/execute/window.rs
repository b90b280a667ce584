//! Statements that are sent without waiting for each one's answer: over a line with a delay, waiting would take longer than
//! all else.

use std::borrow::Cow;

use crate::Result;
use crate::postgres::restore::execute::{Client, Ledger};
use crate::postgres::restore::plan::{Action, Step};

/// How many statements are sent before the first answer is read, and of how many bytes together.
const STATEMENTS: usize = 100;
const BYTES: usize = 128 * 1024;

/// Statements of steps that are to be sent.
#[derive(Default)]
pub struct Window<'a> {
    steps: Vec<(&'a Step, Cow<'a, [u8]>)>,
    bytes: usize,
}

impl<'a> Window<'a> {
    pub fn push(&mut self, step: &'a Step, statement: Cow<'a, [u8]>) {
        self.bytes += statement.len();
        self.steps.push((step, statement));
    }

    pub fn is_full(&self) -> bool {
        self.steps.len() == STATEMENTS || self.bytes > BYTES
    }

    pub fn has(&self, is_such: impl Fn(&Step) -> bool) -> bool {
        self.steps.iter().any(|(step, _)| is_such(step))
    }

    /// Sends the statements and puts down what fails. The steps that were done, well or not, are given back: nothing is known of
    /// what came after an error that stops the restore.
    pub fn send(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>) -> Result<Vec<(&'a Step, bool)>> {
        let Self { steps, .. } = std::mem::take(self);
        let Some((first, _)) = steps.first() else { return Ok(Vec::new()) };
        let job = client.job;
        client.interrupt.check()?;
        job.current(first.entry);
        client.pass_on_notices(ledger, None);
        let statements: Vec<&[u8]> = steps.iter().map(|(_, statement)| statement.as_ref()).collect();
        let sent = client.send_each(&statements).map_err(|error| client.during(first.entry, error))?;
        let mut done = Vec::with_capacity(steps.len());
        for (step, (result, notices)) in steps.iter().map(|(step, _)| *step).zip(sent) {
            let statement = step.statement(job.entries).unwrap_or_default();
            client.take_notices(ledger, Some(step.entry), statement, notices);
            done.push((step, result.is_ok()));
            if let Err(error) = result {
                put_down(client, ledger, (step, statement), error.into())?;
            }
            ledger.amount.steps += 1;
            job.part(step).end();
            if ledger.is_stopped() {
                // What came after it in the same transaction failed for no reason of its own.
                return Ok(done);
            }
        }
        client.tell_reached(ledger);
        client.check_transaction(first.entry)?;
        Ok(done)
    }
}

fn put_down(
    client: &Client<'_>,
    ledger: &mut Ledger<'_>,
    (step, statement): (&Step, &[u8]),
    error: crate::Error,
) -> Result<()> {
    let is_duplicate = client.is_there_already(step.entry, &error);
    if client.in_transaction() || !ledger.take_refusal(step, statement, &error) {
        client.put_down(ledger, step.entry, statement, error)?;
    }
    if matches!(step.action, Action::Define(_)) {
        ledger.set_undefined(step.entry, is_duplicate);
    }
    Ok(())
}
