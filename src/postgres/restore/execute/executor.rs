//! Carrying out steps over one connection, with what comes between those of one entry and those of the next.

use std::ops::Range;

use crate::Result;
use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::begun::Begun;
use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::extension_rows::{self, ExtensionRows};
use crate::postgres::restore::execute::large_object_data::ExistingObjects;
use crate::postgres::restore::execute::reserved::Reserved;
use crate::postgres::restore::execute::window::Window;
use crate::postgres::restore::execute::{Client, Job, Ledger, unmade_rows};
use crate::postgres::restore::plan::Step;
use crate::postgres::restore::source::Data;

/// Who carries out steps.
pub struct Executor<'a> {
    pub job: &'a Job<'a>,
    pub client: Client<'a>,
    pub ledger: Ledger<'a>,
    /// The statements that are still to be sent.
    pub window: Window<'a>,
    /// The entry that was begun with last.
    pub begun: Begun,
    pub learnt: Learnt,
    pub reserved: Reserved,
    pub extension_rows: ExtensionRows,
    /// The entry of the database, if that was made beside the one that it was to replace.
    pub made_aside: Option<EntryIndex>,
}

/// What was learnt on the way, and holds for the other connections of the restore as well.
#[derive(Default)]
pub struct Learnt {
    pub defaults: Defaults,
    pub existing_objects: ExistingObjects,
}

impl Learnt {
    pub fn for_worker(&self) -> Self {
        Self { defaults: self.defaults.for_worker(), existing_objects: self.existing_objects.clone() }
    }
}

impl<'a> Executor<'a> {
    pub fn new(client: Client<'a>, ledger: Ledger<'a>) -> Self {
        Self {
            job: client.job,
            client,
            ledger,
            window: Window::default(),
            begun: Begun::default(),
            learnt: Learnt::default(),
            reserved: Reserved::default(),
            extension_rows: ExtensionRows::default(),
            made_aside: None,
        }
    }

    /// One who carries out a part of a restore beside another, by what that one has learnt.
    pub fn of_part(client: Client<'a>, ledger: Ledger<'a>, learnt: Learnt) -> Self {
        Self { learnt, extension_rows: ExtensionRows::settled(), ..Self::new(client, ledger) }
    }

    /// Carries out steps in their order; those of an entry follow each other.
    pub fn carry_out(&mut self, steps: Range<usize>, data: &mut dyn Data) -> Result<()> {
        for of_entry in self.job.plan.steps[steps].chunk_by(|a, b| a.entry == b.entry) {
            self.begin_entry(of_entry, data)?;
            if self.ledger.is_stopped() {
                return Ok(());
            }
            if unmade_rows::are_rows(self.job, of_entry) && extension_rows::are_past(&self.ledger, of_entry) {
                self.ledger.amount.steps += of_entry.len();
                self.client.tell_reached(&self.ledger);
                continue;
            }
            for step in of_entry {
                self.next(step, data)?;
                if self.ledger.is_stopped() {
                    return Ok(());
                }
            }
            if self.client.is_full_with_next() {
                self.send()?;
            }
            self.client.commit_if_full(&mut self.ledger, 1)?;
        }
        self.send()?;
        self.settle_privileges()
    }

    /// Does what must be done before an entry is begun with.
    fn begin_entry(&mut self, steps: &'a [Step], data: &mut dyn Data) -> Result<()> {
        let Some(first) = steps.first() else { return Ok(()) };
        if self.client.is_replaced_before(first.entry) {
            self.send()?;
            if self.ledger.is_stopped() {
                return Ok(());
            }
            self.client.commit(&mut self.ledger)?;
        }
        if self.wants_settled(steps) {
            self.send()?;
            self.settle_privileges()?;
        }
        if !self.job.options.literal && unmade_rows::are_rows(self.job, steps) {
            self.send()?;
            if !self.ledger.is_stopped() {
                return self.settle_extensions(data, self.ledger.amount.steps);
            }
        }
        Ok(())
    }

    /// Carries out the plan's drops as they stand.
    pub fn drop_literally(&mut self, data: &mut dyn Data) -> Result<()> {
        for step in &self.job.plan.drops {
            self.next(step, data)?;
            if self.ledger.is_stopped() {
                return Ok(());
            }
        }
        self.send()?;
        // They are no part of what is counted in the end.
        self.ledger.amount.steps = 0;
        Ok(())
    }

    fn settle_privileges(&mut self) -> Result<()> {
        self.learnt.defaults.settle(&mut self.client, &mut self.ledger)
    }
}
