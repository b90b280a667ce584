//! Carrying out the steps of a plan, one after the other.

use bstr::{BStr, ByteSlice};
use pgformat::kinds::{EntryGroup, RestorePass};

use crate::Result;
use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::large_object_data::{ExistingObjects, Making};
use crate::postgres::restore::execute::window::Window;
use crate::postgres::restore::execute::{Client, Ledger, batch, large_object_data, rows, unmade_rows};
use crate::postgres::restore::non_superuser::reserved::Reserved;
use crate::postgres::restore::plan::{Action, Purpose, Step, large_objects};
use crate::postgres::restore::source::Data;
use crate::progress::{Level, Part};

/// Why data is left out.
const SKIPPED: &str = "its table could not be created, so its rows are left out";

/// What lies between the steps of a plan: statements that are still to be sent, and what was learnt on the way that neither the
/// client nor the ledger needs.
#[derive(Default)]
pub struct StepRunner<'a> {
    window: Window<'a>,
    pub(super) defaults: Defaults,
    existing_objects: ExistingObjects,
    reserved: Reserved,
    /// The entry of the database, if that was made beside the one that it was to replace.
    pub(super) made_aside: Option<EntryIndex>,
}

impl<'a> StepRunner<'a> {
    /// One for another connection of the same restore.
    pub fn for_worker<'b>(&self) -> StepRunner<'b> {
        let (defaults, existing_objects) = (self.defaults.for_worker(), self.existing_objects.clone());
        StepRunner { defaults, existing_objects, ..StepRunner::default() }
    }

    /// Carries out a step, or puts it into the window.
    pub fn next(
        &mut self,
        client: &mut Client<'a>,
        ledger: &mut Ledger<'a>,
        step: &'a Step,
        data: &mut dyn Data,
    ) -> Result<()> {
        client.interrupt.check()?;
        let part = client.job.part(step);
        match step.statement(client.job.entries) {
            // The value of a sequence that stayed is that of the rows there.
            Some(_) if self.is_passed_over(client, ledger, step)? => {}
            Some(statement) if self.reserved.has(client, step) => {
                self.send(client, ledger)?;
                if !ledger.is_stopped() {
                    self.reserved.attempt(client, ledger, step, statement)?;
                    client.pass_on_notices(ledger, Some(step.entry));
                }
            }
            Some(statement) if !is_of_database(client, step) => {
                return self.push(client, ledger, step, statement);
            }
            _ => {
                self.send(client, ledger)?;
                if !ledger.is_stopped() {
                    let done = self.carry_out(client, ledger, step, data, &part);
                    done.map_err(|error| client.during(step.entry, error))?;
                    client.pass_on_notices(ledger, Some(step.entry));
                    client.check_transaction(step.entry)?;
                }
            }
        }
        if !ledger.is_stopped() {
            ledger.amount.steps += 1;
            part.end();
            client.tell_reached(ledger);
        }
        Ok(())
    }

    /// Whether nothing is to be done for a step, because of what became of others.
    fn is_passed_over(&mut self, client: &mut Client<'a>, ledger: &mut Ledger<'a>, step: &Step) -> Result<bool> {
        // It is there already.
        let is_kept = matches!(step.action, Action::Define(_)) && ledger.state(step.entry).dropped == Dropped::Kept;
        if is_kept || ledger.is_moot(step, client.in_transaction()) {
            self.send(client, ledger)?;
            return Ok(true);
        }
        if !is_value(ledger, step) {
            return Ok(false);
        }
        // Whether the sequence could be made is known when the answers are there.
        if self.window.has(|step| !is_value(ledger, step)) {
            self.send(client, ledger)?;
        }
        let job = client.job;
        let sequence = job.on(step.entry).find(|at| kinds::is(&job.entries[*at], "SEQUENCE"));
        Ok(is_skipped(ledger, step.entry, sequence))
    }

    /// Puts the statement of a step into the window.
    fn push(
        &mut self,
        client: &mut Client<'a>,
        ledger: &mut Ledger<'a>,
        step: &'a Step,
        statement: &'a [u8],
    ) -> Result<()> {
        // What is done quickly is not to be told only when that is done which takes long.
        let is_long = client.job.cost.is_long(step);
        if is_long {
            self.send(client, ledger)?;
            if ledger.is_stopped() {
                return Ok(());
            }
        }
        let statement = self.defaults.replaced(client, step, statement)?;
        self.window.push(step, statement);
        // Nothing may have been run after the first error, unless it is undone anyway.
        let is_careful = client.job.options.exit_on_error && !client.in_transaction();
        if is_careful || is_long || self.window.is_full() { self.send(client, ledger) } else { Ok(()) }
    }

    /// Sends the statements of the window.
    pub fn send(&mut self, client: &mut Client<'a>, ledger: &mut Ledger<'a>) -> Result<()> {
        for (step, is_good) in self.window.send(client, ledger)? {
            let entry = &client.job.entries[step.entry];
            if is_good {
                self.defaults.add_made(client.job, step);
            } else if matches!(step.action, Action::Define(_)) && kinds::is(entry, "BLOB") {
                self.existing_objects.add(kinds::text(&entry.tag).to_str().ok().and_then(|oid| oid.parse().ok()));
            }
        }
        Ok(())
    }

    /// Whether what was made, or is about to be, must have its privileges before these steps: rows are put into it, or
    /// privileges come.
    pub fn wants_settled(&self, ledger: &Ledger<'_>, steps: &[Step]) -> bool {
        let is_late = |step: &Step| kinds::pass(&ledger.job.entries[step.entry]) != RestorePass::Main;
        let is_content = |step: &Step| {
            matches!(step.action, Action::CopyRows { .. } | Action::RunData { .. } | Action::LargeObjects { .. })
        };
        self.defaults.are_there
            && (self.defaults.has_unsettled() || self.window.has(|step| !is_late(step)))
            && (steps.first().is_some_and(is_late) || steps.iter().any(is_content))
    }

    /// Carries out a step that cannot be sent with others.
    fn carry_out(
        &mut self,
        client: &mut Client<'a>,
        ledger: &mut Ledger<'a>,
        step: &Step,
        data: &mut dyn Data,
        part: &Part<'_>,
    ) -> Result<()> {
        let (job, at) = (client.job, step.entry);
        match &step.action {
            Action::Define(_) => self.make_database(client, ledger, step)?,
            Action::Become(statement) => client.become_user(statement)?,
            Action::Connect(database) => self.go_on_in(client, ledger, database.as_bstr())?,
            Action::Heading(_) | Action::Set(_) | Action::Drop(_) | Action::DropCascade(_) | Action::Alter(_) => {}
            Action::EachLargeObject { purpose, before, after, oids_of } => {
                let oids = large_objects::oids(&job.entries[*oids_of])?;
                let statements = oids.iter().map(|oid| large_objects::statement(before, *oid, after));
                let failed = batch::run(client, ledger, at, statements, part)?;
                if *purpose == Purpose::Create {
                    self.defaults.add_made(job, step);
                    self.existing_objects.add(failed.into_iter().filter_map(|n| oids.get(n).copied()));
                }
            }
            Action::CopyRows { table, .. } | Action::RunData { table } if is_skipped(ledger, at, *table) => {}
            Action::CopyRows { statement, .. } => {
                job.current(at);
                rows::copy(client, ledger, data, (at, statement), part)?;
            }
            Action::RunData { .. } => {
                job.current(at);
                rows::run(client, ledger, data, at, part)?;
            }
            Action::LargeObjects { create, replace } => {
                job.current(at);
                let making = Making { create: *create, replace: *replace };
                let made = large_object_data::write(client, ledger, data, (at, making, &self.existing_objects), part)?;
                self.defaults.add_large_objects(at, made);
            }
            Action::Say(warning) => job.say(Level::Warning, at, format!("the archive says: {warning}")),
        }
        Ok(())
    }

    /// Makes the database or changes its properties, outside of any transaction. Without it there is nothing to restore
    /// into.
    fn make_database(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, step: &Step) -> Result<()> {
        client.commit_if_open(ledger)?;
        let (at, entries) = (step.entry, client.job.entries);
        let is_made =
            self.made_aside == Some(at) || client.statement(ledger, at, step.statement(entries).unwrap_or_default())?;
        if !is_made && kinds::is(&entries[at], "DATABASE") {
            ledger.stop();
        }
        Ok(())
    }

    /// Goes on in the database that was made.
    fn go_on_in(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, database: &BStr) -> Result<()> {
        client.commit_if_open(ledger)?;
        client.go_on_in(database)?;
        self.defaults = Defaults::ask(client)?;
        client.begin_sized()
    }
}

/// Whether a step makes or changes the database itself.
fn is_of_database(client: &Client<'_>, step: &Step) -> bool {
    matches!(step.action, Action::Define(_)) && kinds::group(&client.job.entries[step.entry]) == EntryGroup::Database
}

/// Whether a step sets the value of a sequence.
fn is_value(ledger: &Ledger<'_>, step: &Step) -> bool {
    matches!(step.action, Action::Define(_)) && kinds::is(&ledger.job.entries[step.entry], "SEQUENCE SET")
}

/// Whether the rows of an entry have nowhere to go, because the entry that makes their table failed. That is put down then.
fn is_skipped(ledger: &mut Ledger<'_>, at: EntryIndex, table: Option<EntryIndex>) -> bool {
    let job = ledger.job;
    let is_undefined = table.is_some_and(|table| ledger.state(table).is_undefined());
    let is_skipped =
        !job.options.data_for_failed_tables && (is_undefined || unmade_rows::could_go_astray(job, ledger, at));
    if is_skipped {
        job.say(Level::Error, at, SKIPPED);
        ledger.skip(at);
    }
    is_skipped
}
