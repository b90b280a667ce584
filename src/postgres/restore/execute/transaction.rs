//! Where a restore's transactions and savepoints begin and end.

use std::borrow::Cow;

use pgformat::Section;
use pgformat::kinds::RestorePass;

use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::execute::{Client, Ledger, Transaction};
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

impl Client<'_> {
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    pub fn begin(&mut self) -> Result<()> {
        self.connection.foreign()?.begin()?;
        self.transaction = Some(Transaction { id: self.transaction_id()?, actions: 0, is_replacing: false });
        Ok(())
    }

    /// Begins the transaction of all, or, where the first error is to stop the restore and nothing else is said of transactions,
    /// the one in which what is dropped is made anew: an error then leaves what was there.
    pub fn begin_whole(&mut self) -> Result<()> {
        let (options, plan) = (self.job.options, self.job.plan);
        let is_replacing = options.exit_on_error
            && !options.literal
            && !options.in_transactions()
            && !options.create
            && !plan.drops.is_empty();
        if options.single_transaction || is_replacing {
            self.begin()?;
        }
        if let Some(transaction) = &mut self.transaction {
            transaction.is_replacing = is_replacing;
        }
        Ok(())
    }

    /// Begins a transaction of so many objects, where there are such.
    pub fn begin_sized(&mut self) -> Result<()> {
        if self.job.options.transaction_size.is_some() { self.begin() } else { Ok(()) }
    }

    /// Whether what is replaced is complete before this entry, but for its data and what comes after that.
    pub fn is_replaced_before(&self, at: EntryIndex) -> bool {
        let entry = &self.job.entries[at];
        let is_later =
            matches!(entry.section, Section::Data | Section::PostData) || kinds::pass(entry) != RestorePass::Main;
        is_later && self.transaction.as_ref().is_some_and(|transaction| transaction.is_replacing)
    }

    /// Whether a transaction of so many objects is full with one more.
    pub fn is_full_with_next(&self) -> bool {
        let actions = self.transaction.as_ref().map(|transaction| transaction.actions.saturating_add(1));
        actions.zip(self.job.options.transaction_size).is_some_and(|(actions, size)| actions >= size)
    }

    /// Adds to what was done in the transaction, and goes on in another when it is as much as one may have.
    pub fn commit_if_full(&mut self, ledger: &mut Ledger<'_>, actions: usize) -> Result<()> {
        let Some(transaction) = &mut self.transaction else { return Ok(()) };
        transaction.actions = transaction.actions.saturating_add(u32::try_from(actions).unwrap_or(u32::MAX));
        let is_full = self.job.options.transaction_size.is_some_and(|size| transaction.actions >= size);
        if ledger.is_stopped() || !is_full {
            return Ok(());
        }
        self.commit(ledger)?;
        self.begin()
    }

    /// Commits what is open, so that others can see it.
    pub fn commit_if_open(&mut self, ledger: &mut Ledger<'_>) -> Result<()> {
        if self.in_transaction() { self.commit(ledger) } else { Ok(()) }
    }

    /// Commits.
    ///
    /// # Errors
    /// The transaction is not as it was begun; the server's, for constraints that were put off; a lost connection.
    pub fn commit(&mut self, ledger: &mut Ledger<'_>) -> Result<()> {
        self.check_own()?;
        let (connection, interrupt) = (&mut *self.connection, &self.interrupt);
        let commit = || {
            interrupt.begin();
            connection.commit().map_err(Error::from)
        };
        if let Err(error) = interrupt.committing(commit)? {
            let error = Error::new(ErrorKind::Server, COMMIT).source(error);
            if self.connection.is_broken() {
                self.lose_transaction();
                return Err(
                    error.hint("the connection was lost before the server said whether it did: look what is there")
                );
            }
            self.interrupt.has_committed();
            ledger.roll_back(!self.has_changed);
            return Err(error);
        }
        (self.transaction, self.has_changed) = (None, true);
        ledger.commit();
        self.interrupt.tell_steps(ledger.amount.steps);
        self.interrupt.has_committed();
        Ok(())
    }

    /// Fails if the transaction is not the one that was begun, or cannot be committed.
    fn check_own(&mut self) -> Result<()> {
        // A server answers COMMIT with success even if it rolls back, because the transaction had failed before.
        if self.connection.transaction_status() != b'T' {
            return Err(Error::new(ErrorKind::Server, COMMIT)
                .why("the server says that the transaction has failed, or was ended by something in the archive"));
        }
        let id = self.transaction_id()?;
        if self.transaction.as_ref().is_some_and(|transaction| transaction.id == id) {
            return Ok(());
        }
        self.lose_transaction();
        self.connection.rollback()?;
        Err(Error::new(ErrorKind::Archive, COMMIT)
            .why("a statement in the archive ended the restore's transaction and began another"))
    }

    /// What became of the transaction is not known, and not to be said.
    fn lose_transaction(&mut self) {
        (self.transaction, self.has_changed) = (None, true);
    }

    /// Rolls back what is open.
    pub fn roll_back(&mut self) -> Result<()> {
        if !self.connection.is_broken() {
            self.connection.rollback()?;
        }
        self.transaction = None;
        Ok(())
    }

    /// Rolls back what was not committed, in the end.
    pub fn roll_back_rest(&mut self, ledger: &mut Ledger<'_>) -> Result<()> {
        if !self.in_transaction() {
            return Ok(());
        }
        // Where none is open although there should be, it is not known what became of the last one.
        let is_open = self.connection.transaction_status() != b'I';
        // The server rolls back by itself when the connection is lost, were it now.
        let rolled_back = if is_open && !self.connection.is_broken() { self.connection.rollback() } else { Ok(()) };
        ledger.roll_back(is_open && !self.has_changed);
        Ok(rolled_back?)
    }

    fn transaction_id(&mut self) -> Result<String> {
        let rows = self.query("SELECT pg_catalog.txid_current()::pg_catalog.text AS id", &[])?;
        Ok(rows.one()?.string("id")?.to_string())
    }

    /// From now on, things are changed: for good, unless a transaction is open.
    pub fn begin_changes(&mut self) {
        let options = self.job.options;
        if options.create || !(self.in_transaction() || options.in_transactions()) {
            self.interrupt.begin();
            self.has_changed = true;
        }
    }

    /// Tells how far it has come for good.
    pub fn tell_reached(&self, ledger: &Ledger<'_>) {
        if !self.in_transaction() {
            self.interrupt.tell_steps(ledger.amount.steps);
        }
    }

    /// A statement of the archive's that begins a transaction would have everything after it lost in the end, and one
    /// that ends the restore's would have it changed for good before it is complete.
    pub fn check_transaction(&mut self, at: EntryIndex) -> Result<()> {
        if (self.connection.transaction_status() == b'I') != self.in_transaction() {
            return Ok(());
        }
        let verb = if self.in_transaction() { "ended the restore's transaction" } else { "began a transaction" };
        Err(Error::new(ErrorKind::Archive, format!("restore {}", self.job.name(at)))
            .why(format!("a statement in the archive, of this entry or one soon after it, {verb}")))
    }
}

/// What was being done when a transaction could not be committed.
const COMMIT: &str = "commit what was restored";

/// Savepoints. Nothing else in a restore makes any, so that they can all have one name.
impl Client<'_> {
    /// Runs statements, in one message. Without a transaction they succeed or fail together as well.
    ///
    /// # Errors
    /// What ends everything. The server's error about the statements is given back.
    pub fn attempt(&mut self, statements: &[u8]) -> Result<Option<Error>> {
        self.interrupt.check()?;
        let text: Cow<'_, [u8]> = match self.in_transaction() {
            // The newline ends a comment that the statements may end with.
            true => [b"SAVEPOINT lifeboat; ", statements, b"\n; RELEASE SAVEPOINT lifeboat"].concat().into(),
            false => statements.into(),
        };
        match self.connection.foreign()?.execute_counting(&text) {
            Ok(rows) => {
                self.changed_rows += rows;
                Ok(None)
            }
            Err(error) => self.undo(error.into()).map(Some),
        }
    }

    /// Does something of several messages. Without a transaction, each does what it does.
    ///
    /// # Errors
    /// As for [`Client::attempt`]. What is done is undone, too, where it `is_good` for nothing.
    pub fn apart<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> Result<T>,
        is_good: impl FnOnce(&T) -> bool,
    ) -> Result<Result<T>> {
        if self.in_transaction() {
            self.connection.savepoint()?;
        }
        let done = match act(self.connection) {
            Ok(done) => done,
            Err(error) => return self.undo(error).map(Err),
        };
        self.interrupt.check()?;
        if self.in_transaction() {
            if is_good(&done) { self.connection.release()? } else { self.connection.undo()? }
        }
        Ok(Ok(done))
    }

    /// Undoes what met this error, unless that ends everything.
    fn undo(&mut self, error: Error) -> Result<Error> {
        let error = self.survived(error)?;
        if self.in_transaction() {
            self.connection.undo()?;
        }
        Ok(error)
    }

    /// An error of the server's about statements.
    ///
    /// # Errors
    /// It ends everything: the end was asked for, the connection was lost by it, nothing was sent.
    pub fn survived(&self, error: Error) -> Result<Error> {
        self.interrupt.check()?;
        if error.kind() == ErrorKind::Connection || error.server().is_none() { Err(error) } else { Ok(error) }
    }
}
