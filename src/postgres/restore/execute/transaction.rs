//! Where a restore's transactions begin and end, and the database itself, which none can make.

use bstr::BStr;
use pgformat::Section;
use pgformat::kinds::{Group, Pass};

use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::execute::one_session::OneSession;
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::RestoreSummary;
use crate::{Error, ErrorKind, Result};

/// How far a restore has come.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::postgres::restore) struct Counts {
    pub(in crate::postgres::restore) reached: usize,
    pub(in crate::postgres::restore) rows: u64,
    pub(in crate::postgres::restore) bytes: u64,
    pub(in crate::postgres::restore) large_objects: u64,
}

impl Run<'_> {
    pub(in crate::postgres::restore) fn begin_session(&mut self) -> Result<()> {
        self.plan.session.iter().try_for_each(|statement| self.target.foreign()?.execute(statement))?;
        self.user = None;
        self.note_defaults()
    }

    /// Whether the session is still the one that was set up. A transaction that has failed tells nothing, and need not.
    pub(in crate::postgres::restore) fn check_session(&mut self) -> Result<()> {
        match &self.session {
            Some(session) if self.target.transaction_status() != b'E' => session.check(self.target),
            _ => Ok(()),
        }
    }

    pub(in crate::postgres::restore) fn begin(&mut self) -> Result<()> {
        self.target.foreign()?.begin()?;
        self.transaction = self.transaction_id()?;
        self.is_block = true;
        self.actions = 0;
        Ok(())
    }

    /// Begins, where the first error is to stop the restore and nothing else is said of transactions, the one in which what is
    /// dropped is made anew: an error then leaves what was there.
    pub(in crate::postgres::restore) fn begin_to_replace(&mut self) -> Result<()> {
        let Self { options, plan, .. } = self;
        if options.exit_on_error && !options.in_transactions() && !options.create && !plan.drops.is_empty() {
            self.begin()?;
            self.is_replacing = true;
        }
        Ok(())
    }

    /// Whether what is replaced is complete before this entry, but for its data and what comes after that.
    pub(in crate::postgres::restore) fn is_replaced_before(&self, entry: usize) -> bool {
        let entry = &self.entries[entry];
        let is_later = matches!(entry.section, Section::Data | Section::PostData) || kinds::pass(entry) != Pass::Main;
        self.is_replacing && self.is_block && is_later
    }

    fn transaction_id(&mut self) -> Result<String> {
        let rows = self.target.query("SELECT pg_catalog.txid_current()::pg_catalog.text AS id", &[])?;
        Ok(rows.one()?.string("id")?.to_string())
    }

    /// Begins a transaction of so many objects, where there are such.
    pub(in crate::postgres::restore) fn begin_block(&mut self) -> Result<()> {
        if self.options.transaction_size.is_some() { self.begin() } else { Ok(()) }
    }

    /// Commits what is open, so that others can see it.
    pub(in crate::postgres::restore) fn end_block(&mut self) -> Result<()> {
        if self.is_block { self.commit() } else { Ok(()) }
    }

    pub(in crate::postgres::restore) fn commit(&mut self) -> Result<()> {
        let failed = |error: Error| Error::new(ErrorKind::Server, "commit what was restored").source(error);
        // A server answers COMMIT with success even if it rolls back, because the transaction had failed before.
        if self.target.transaction_status() != b'T' {
            return Err(Error::new(ErrorKind::Server, "commit what was restored")
                .why("the server says that the transaction has failed, or was ended by something in the archive"));
        }
        if self.transaction_id()? != self.transaction {
            // What became of it is not known, and not to be said.
            (self.is_block, self.has_changed) = (false, true);
            self.target.rollback()?;
            return Err(Error::new(ErrorKind::Archive, "commit what was restored")
                .why("a statement in the archive ended the restore's transaction and began another"));
        }
        // Constraints that were put off are checked now.
        let (target, interrupt) = (&mut *self.target, &self.interrupt);
        let commit = || {
            interrupt.begin();
            target.commit().map_err(Error::from)
        };
        if let Err(error) = interrupt.committing(commit)? {
            if self.target.is_broken() {
                (self.is_block, self.has_changed) = (false, true);
                let hint = "the connection was lost before the server said whether it did: look what is there";
                return Err(failed(error).hint(hint));
            }
            self.interrupt.has_committed();
            self.summary.rolled_back = !self.has_changed;
            return Err(failed(error));
        }
        (self.is_block, self.is_replacing, self.has_changed) = (false, false, true);
        let RestoreSummary { rows, bytes, large_objects, .. } = self.summary;
        self.tell_slots();
        self.interrupt.reached(self.reached);
        self.interrupt.has_committed();
        self.committed = Counts { reached: self.reached, rows, bytes, large_objects };
        Ok(())
    }

    /// Tells how far it has come for good.
    pub(in crate::postgres::restore) fn tell_reached(&self) {
        if !self.is_block {
            self.interrupt.reached(self.reached);
        }
    }

    /// Counts what was done, and commits it when it is as much as a transaction may have.
    pub(in crate::postgres::restore) fn count(&mut self, actions: usize) -> Result<()> {
        self.actions = self.actions.saturating_add(u32::try_from(actions).unwrap_or(u32::MAX));
        let is_enough = self.options.transaction_size.is_some_and(|size| self.actions >= size);
        if !self.is_block || self.summary.stopped || !is_enough {
            return Ok(());
        }
        self.commit()?;
        self.begin()
    }

    /// Whether the step makes or changes the database itself.
    pub(in crate::postgres::restore) fn makes_database(&self, step: &Step) -> bool {
        matches!(step.action, Action::Define(_)) && kinds::group(&self.entries[step.entry]) == Group::Database
    }

    /// Makes the database or changes its properties, outside of any transaction. Without it there is nothing to restore
    /// into.
    pub(in crate::postgres::restore) fn make_database(&mut self, entry: usize, statement: &[u8]) -> Result<()> {
        self.end_block()?;
        if self.made_aside == Some(entry) {
            return Ok(());
        }
        let is_made = self.statement(entry, statement)?;
        if !is_made && kinds::is(&self.entries[entry], "DATABASE") {
            self.summary.stopped = true;
        }
        Ok(())
    }

    /// Goes on in the database that was made.
    pub(in crate::postgres::restore) fn connect(&mut self, database: &BStr) -> Result<()> {
        self.end_block()?;
        self.check_session()?;
        *self.target = (self.connect)(database)?;
        // What the server says to each login has been told.
        drop(self.target.take_notices());
        self.interrupt.follow(self.target);
        self.session = Some(OneSession::begin(self.target, self.connect)?);
        self.begin_session()?;
        self.begin_block()
    }

    /// A statement of the archive's that begins a transaction would have everything after it lost in the end, and one
    /// that ends the restore's would have it changed for good before it is complete.
    pub(in crate::postgres::restore) fn check_transaction(&mut self, entry: usize) -> Result<()> {
        if (self.target.transaction_status() == b'I') != self.is_block {
            return Ok(());
        }
        let verb = if self.is_block { "ended the restore's transaction" } else { "began a transaction" };
        Err(Error::new(ErrorKind::Archive, format!("restore {}", EntryName::of(&self.entries[entry])))
            .why(format!("a statement in the archive, of this entry or one soon after it, {verb}")))
    }
}
