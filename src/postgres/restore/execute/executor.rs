//! Carrying out steps over one connection, with what comes between those of one entry and those of the next.

use std::ops::Range;

use crate::Result;
use crate::postgres::restore::execute::extension_rows::ExtensionRows;
use crate::postgres::restore::execute::{Client, Job, Ledger, StepRunner, extension_rows, unmade_rows};
use crate::postgres::restore::plan::Step;
use crate::postgres::restore::source::Data;

/// Who carries out steps.
pub struct Executor<'a> {
    pub job: &'a Job<'a>,
    pub client: Client<'a>,
    pub ledger: Ledger<'a>,
    pub runner: StepRunner<'a>,
    pub extension_rows: ExtensionRows,
}

impl<'a> Executor<'a> {
    pub fn new(client: Client<'a>, ledger: Ledger<'a>) -> Self {
        Self {
            job: client.job,
            client,
            ledger,
            runner: StepRunner::default(),
            extension_rows: ExtensionRows::default(),
        }
    }

    /// One who carries out a part of a restore beside another, by what that one has learnt.
    pub fn of_part(client: Client<'a>, ledger: Ledger<'a>, runner: StepRunner<'a>) -> Self {
        Self { runner, extension_rows: ExtensionRows::settled(), ..Self::new(client, ledger) }
    }

    /// Carries out steps in their order; those of an entry follow each other.
    pub fn carry_out(&mut self, steps: Range<usize>, data: &mut dyn Data) -> Result<()> {
        for of_entry in self.job.plan.steps[steps].chunk_by(|a, b| a.entry == b.entry) {
            self.begin_entry(of_entry, data)?;
            let Self { client, ledger, runner, .. } = self;
            if ledger.is_stopped() {
                return Ok(());
            }
            if unmade_rows::are_rows(self.job, of_entry) && extension_rows::are_past(ledger, of_entry) {
                ledger.amount.steps += of_entry.len();
                client.tell_reached(ledger);
                continue;
            }
            for step in of_entry {
                runner.next(client, ledger, step, data)?;
                if ledger.is_stopped() {
                    return Ok(());
                }
            }
            if client.is_full_with_next() {
                runner.send(client, ledger)?;
            }
            client.commit_if_full(ledger, 1)?;
        }
        let Self { client, ledger, runner, .. } = self;
        runner.send(client, ledger)?;
        runner.defaults.settle(client, ledger)
    }

    /// Does what must be done before an entry is begun with.
    fn begin_entry(&mut self, steps: &'a [Step], data: &mut dyn Data) -> Result<()> {
        let Self { client, ledger, runner, .. } = self;
        let Some(first) = steps.first() else { return Ok(()) };
        if client.is_replaced_before(first.entry) {
            runner.send(client, ledger)?;
            if ledger.is_stopped() {
                return Ok(());
            }
            client.commit(ledger)?;
        }
        if runner.wants_settled(ledger, steps) {
            runner.send(client, ledger)?;
            runner.defaults.settle(client, ledger)?;
        }
        if unmade_rows::are_rows(self.job, steps) {
            runner.send(client, ledger)?;
            if !ledger.is_stopped() {
                return self.settle_extensions(data, self.ledger.amount.steps);
            }
        }
        Ok(())
    }
}
