//! Many small statements in few round trips.

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::execute::{Client, Executor, Ledger};
use crate::postgres::restore::plan::cost;
use crate::progress::Part;
use crate::{Result, Work};

/// Of how many statements a batch may be made.
pub const STATEMENTS: usize = 500;
const BYTES: usize = 64 * 1024;

/// Statements that are sent together. Together they succeed or fail; if they fail they are run one by one, so that one
/// that cannot be run takes no other along.
pub struct Batch {
    entry: EntryIndex,
    statements: Vec<Vec<u8>>,
    bytes: usize,
    /// How many statements there were before these.
    before: usize,
    /// Which of all of them failed.
    failed: Vec<usize>,
}

impl Batch {
    pub fn new(entry: EntryIndex) -> Self {
        Self { entry, statements: Vec::new(), bytes: 0, before: 0, failed: Vec::new() }
    }

    /// Adds a statement, which ends with a semicolon or is the last one.
    pub fn add(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, statement: Vec<u8>) -> Result<()> {
        if !self.statements.is_empty() && self.bytes + statement.len() > BYTES {
            self.send(client, ledger)?;
        }
        self.bytes += statement.len();
        self.statements.push(statement);
        if self.statements.len() == STATEMENTS { self.send(client, ledger) } else { Ok(()) }
    }

    /// Sends what there is.
    pub fn send(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>) -> Result<()> {
        let statements = std::mem::take(&mut self.statements);
        let before = self.before;
        (self.bytes, self.before) = (0, before + statements.len());
        if ledger.is_stopped() || statements.is_empty() {
            return Ok(());
        }
        if statements.len() > 1 && client.attempt(&statements.concat())?.is_none() {
            return Ok(());
        }
        for (n, statement) in statements.iter().enumerate() {
            // A line break before it is the end of the one before.
            let statement = statement.trim_ascii_start();
            if !client.statement(ledger, self.entry, Work::Statement(statement))? {
                self.failed.push(before + n);
            }
            if ledger.is_stopped() {
                break;
            }
        }
        Ok(())
    }
}

impl Executor<'_> {
    /// Runs statements for an entry, in batches, and in transactions of so many where there are such. Gives the numbers of those
    /// that failed.
    pub fn run_many(
        &mut self,
        entry: EntryIndex,
        statements: impl Iterator<Item = Vec<u8>>,
        part: &Part<'_>,
    ) -> Result<Vec<usize>> {
        let Self { client, ledger, .. } = self;
        let size =
            client.job.options.transaction_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
        let mut batch = Batch::new(entry);
        let mut uncommitted = 0;
        for statement in statements {
            batch.add(client, ledger, statement)?;
            part.beside(cost::OF_MANY);
            uncommitted += 1;
            if uncommitted == size {
                batch.send(client, ledger)?;
                client.commit_if_full(ledger, std::mem::take(&mut uncommitted))?;
            }
            if ledger.is_stopped() {
                return Ok(batch.failed);
            }
        }
        batch.send(client, ledger)?;
        client.commit_if_full(ledger, uncommitted)?;
        Ok(batch.failed)
    }
}
