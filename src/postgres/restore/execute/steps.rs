//! Carrying out one step of a plan: its statement goes with those of others, or by itself.

use bstr::{BStr, ByteSlice};
use pgformat::kinds::{EntryGroup, RestorePass};

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::large_object_data::Making;
use crate::postgres::restore::execute::window::Window;
use crate::postgres::restore::execute::{Client, Executor, Job, Ledger, unmade_rows};
use crate::postgres::restore::plan::{Action, Purpose, Step, large_objects};
use crate::postgres::restore::source::Data;
use crate::progress::{Level, Part};
use crate::{EntryEvent, Error, Result, Work};

/// Why data is left out.
const SKIPPED: &str = "its table could not be created, so its rows are left out";

impl<'a> Executor<'a> {
    /// Carries out a step, or puts it into the window.
    pub fn next(&mut self, step: &'a Step, data: &mut dyn Data) -> Result<()> {
        self.client.interrupt.check()?;
        let (job, part) = (self.job, self.job.part(step));
        match step.statement(job.entries) {
            // The value of a sequence that stayed is that of the rows there.
            Some(_) if self.is_passed_over(step)? => {}
            Some(statement) if self.is_reserved(step) => {
                self.send()?;
                if !self.ledger.is_stopped() {
                    self.tell_begun(step);
                    self.attempt_reserved(step, statement)?;
                    self.client.pass_on_notices(&mut self.ledger, Some(step.entry));
                }
            }
            Some(statement) if !is_of_database(job, step) => return self.push(step, statement),
            _ => {
                self.send()?;
                if !self.ledger.is_stopped() {
                    let done = self.carry_out_alone(step, data, &part);
                    done.map_err(|error| self.client.during(step.entry, error))?;
                    self.client.pass_on_notices(&mut self.ledger, Some(step.entry));
                    self.client.check_transaction(step.entry)?;
                }
            }
        }
        if !self.ledger.is_stopped() {
            self.ledger.amount.steps += 1;
            part.end();
            self.client.tell_reached(&self.ledger);
        }
        Ok(())
    }

    /// Whether nothing is to be done for a step, because of what became of others.
    fn is_passed_over(&mut self, step: &Step) -> Result<bool> {
        let (job, ledger) = (self.job, &mut self.ledger);
        if job.options.literal {
            return Ok(false);
        }
        // It is there already.
        let is_kept = matches!(step.action, Action::Define(_)) && ledger.state(step.entry).dropped == Dropped::Kept;
        if is_kept || ledger.is_moot(step, self.client.in_transaction()) {
            self.send()?;
            return Ok(true);
        }
        if !is_value(job, step) {
            return Ok(false);
        }
        // Whether the sequence could be made is known when the answers are there.
        if self.window.has(|step| !is_value(job, step)) {
            self.send()?;
        }
        let sequence = job.on(step.entry).find(|at| kinds::is(&job.entries[*at], "SEQUENCE"));
        Ok(is_skipped(&mut self.ledger, step.entry, sequence))
    }

    /// Puts the statement of a step into the window.
    fn push(&mut self, step: &'a Step, statement: &'a [u8]) -> Result<()> {
        // What is done quickly is not to be told only when that is done which takes long.
        let is_long = self.job.cost.is_long(step);
        if is_long {
            self.send()?;
            if self.ledger.is_stopped() {
                return Ok(());
            }
        }
        let statement = self.learnt.defaults.replaced(&mut self.client, step, statement)?;
        self.window.push(step, statement);
        // Nothing may have been run after the first error, unless it is undone anyway.
        let is_careful = self.job.options.exit_on_error && !self.client.in_transaction();
        if is_careful || is_long || self.window.is_full() { self.send() } else { Ok(()) }
    }

    /// Sends the statements of the window, and puts down what fails.
    pub fn send(&mut self) -> Result<()> {
        let Window { steps, .. } = std::mem::take(&mut self.window);
        let Some((first, _)) = steps.first() else { return Ok(()) };
        let Self { job, client, ledger, learnt, begun, .. } = self;
        client.interrupt.check()?;
        job.current(first.entry);
        client.pass_on_notices(ledger, None);
        let statements: Vec<&[u8]> = steps.iter().map(|(_, statement)| statement.as_ref()).collect();
        let (sent, lost) = client.send_each(&statements).map_err(|error| client.during(first.entry, error))?;
        let next = steps.get(sent.len());
        for ((step, _), (result, notices)) in steps.iter().zip(sent) {
            let (entry, statement) = (&job.entries[step.entry], step.statement(job.entries).unwrap_or_default());
            begun.tell(job, step);
            client.take_notices(ledger, Some(step.entry), statement, notices);
            match result {
                Ok(()) => learnt.defaults.add_made(job, step),
                Err(error) => {
                    if matches!(step.action, Action::Define(_)) && kinds::is(entry, "BLOB") {
                        let oid = text(&entry.tag).to_str().ok().and_then(|oid| oid.parse().ok());
                        learnt.existing_objects.add(oid);
                    }
                    put_down(client, ledger, (step, statement), error.into())?;
                }
            }
            ledger.amount.steps += 1;
            job.part(step).end();
            if ledger.is_stopped() {
                // What came after it in the same transaction failed for no reason of its own.
                return Ok(());
            }
        }
        if let Some((lost, (step, _))) = lost.zip(next) {
            begun.tell(job, step);
            client.tell_reached(ledger);
            return Err(client.during(step.entry, lost.into()));
        }
        client.tell_reached(ledger);
        client.check_transaction(first.entry)
    }

    /// Whether what was made, or is about to be, must have its privileges before these steps: rows are put into it, or
    /// privileges come.
    pub fn wants_settled(&self, steps: &[Step]) -> bool {
        let is_late = |step: &Step| kinds::pass(&self.job.entries[step.entry]) != RestorePass::Main;
        let is_content = |step: &Step| {
            matches!(step.action, Action::CopyRows { .. } | Action::RunData { .. } | Action::LargeObjects { .. })
        };
        self.learnt.defaults.are_there
            && (self.learnt.defaults.has_unsettled() || self.window.has(|step| !is_late(step)))
            && (steps.first().is_some_and(is_late) || steps.iter().any(is_content))
    }

    /// Says what is begun with a step.
    fn tell_begun(&mut self, step: &Step) {
        self.begun.tell(self.job, step);
    }

    /// Carries out a step that cannot be sent with others.
    fn carry_out_alone(&mut self, step: &Step, data: &mut dyn Data, part: &Part<'_>) -> Result<()> {
        let (job, at) = (self.job, step.entry);
        match &step.action {
            Action::CopyRows { table, .. } | Action::RunData { table } if is_skipped(&mut self.ledger, at, *table) => {
                return Ok(());
            }
            _ => self.tell_begun(step),
        }
        match &step.action {
            Action::Define(_) => self.make_database(step)?,
            Action::Become(statement) => self.client.become_user(statement)?,
            Action::Connect(database) => self.go_on_in(at, database.as_bstr())?,
            Action::Heading(_) | Action::Set(_) | Action::Drop(_) | Action::DropCascade(_) | Action::Alter(_) => {}
            Action::EachLargeObject { purpose, before, after, oids_of } => {
                let oids = large_objects::oids(&job.entries[*oids_of])?;
                let statements = oids.iter().map(|oid| large_objects::statement(before, *oid, after));
                let failed = self.run_many(at, statements, part)?;
                if *purpose == Purpose::Create {
                    self.learnt.defaults.add_made(job, step);
                    self.learnt.existing_objects.add(failed.into_iter().filter_map(|n| oids.get(n).copied()));
                }
            }
            Action::CopyRows { statement, .. } => {
                job.current(at);
                self.copy(data, at, statement, part)?;
            }
            Action::RunData { .. } => {
                job.current(at);
                self.run_data(data, at, part)?;
            }
            Action::LargeObjects { create, replace } => {
                job.current(at);
                self.write_large_objects(data, at, Making { create: *create, replace: *replace }, part)?;
            }
            Action::Say(warning) => job.say(Level::Warning, at, format!("the archive says: {warning}")),
        }
        Ok(())
    }

    /// Makes the database or changes its properties, outside of any transaction. Without it there is nothing to restore
    /// into.
    fn make_database(&mut self, step: &Step) -> Result<()> {
        let Self { job, client, ledger, .. } = self;
        client.commit_if_open(ledger)?;
        let is_made = self.made_aside == Some(step.entry)
            || client.statement(
                ledger,
                step.entry,
                Work::Definition(step.statement(job.entries).unwrap_or_default()),
            )?;
        if !is_made && !job.options.literal && kinds::is(&job.entries[step.entry], "DATABASE") {
            ledger.stop();
        }
        Ok(())
    }

    /// Goes on in the database that was made.
    fn go_on_in(&mut self, at: EntryIndex, database: &BStr) -> Result<()> {
        self.client.commit_if_open(&mut self.ledger)?;
        self.job.tell(at, &EntryEvent::Connects);
        self.client.go_on_in(database)?;
        self.learnt.defaults = Defaults::ask(&mut self.client)?;
        self.client.begin_sized()
    }
}

/// Whether a step makes or changes the database itself.
fn is_of_database(job: &Job<'_>, step: &Step) -> bool {
    matches!(step.action, Action::Define(_)) && kinds::group(&job.entries[step.entry]) == EntryGroup::Database
}

/// Whether a step sets the value of a sequence.
fn is_value(job: &Job<'_>, step: &Step) -> bool {
    matches!(step.action, Action::Define(_)) && kinds::is(&job.entries[step.entry], "SEQUENCE SET")
}

/// Whether the rows of an entry have nowhere to go, because the entry that makes their table failed. That is put down then.
fn is_skipped(ledger: &mut Ledger<'_>, at: EntryIndex, table: Option<EntryIndex>) -> bool {
    let job = ledger.job;
    let is_undefined = table.is_some_and(|table| ledger.state(table).is_undefined());
    let is_skipped = !job.options.data_for_failed_tables
        && (is_undefined || !job.options.literal && unmade_rows::could_go_astray(job, ledger, at));
    if is_skipped {
        if !job.tell(at, &EntryEvent::LeftOut) {
            job.say(Level::Error, at, SKIPPED);
        }
        ledger.skip(at);
    }
    is_skipped
}

/// Puts down that the statement of a step failed.
fn put_down(
    client: &Client<'_>,
    ledger: &mut Ledger<'_>,
    (step, statement): (&Step, &[u8]),
    error: Error,
) -> Result<()> {
    let is_duplicate = client.is_there_already(step.entry, &error);
    if client.in_transaction() || !ledger.take_refusal(step, statement, &error) {
        let work = match &step.action {
            Action::Define(_) | Action::Alter(_) => Work::Definition(statement),
            Action::Set(_) => Work::Setting(statement),
            _ => Work::Statement(statement),
        };
        client.put_down(ledger, step.entry, work, error)?;
    }
    if matches!(step.action, Action::Define(_)) {
        ledger.set_undefined(step.entry, is_duplicate);
    }
    Ok(())
}
