//! Many small statements in few round trips.

use crate::Result;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::plan::cost;
use crate::progress::Part;

/// Of how many statements a batch may be made.
pub(in crate::postgres::restore) const STATEMENTS: usize = 500;
/// How large it may grow.
const BYTES: usize = 64 * 1024;

/// Statements that are sent together. Together they succeed or fail; if they fail they are run one by one, so that one
/// that cannot be run takes no other along.
pub(in crate::postgres::restore) struct Batch {
    entry: usize,
    statements: Vec<Vec<u8>>,
    bytes: usize,
    /// How many statements there were before these.
    before: usize,
    /// Which of all of them failed.
    failed: Vec<usize>,
}

impl Batch {
    /// No statements yet, for an entry.
    pub(in crate::postgres::restore) fn new(entry: usize) -> Self {
        Self { entry, statements: Vec::new(), bytes: 0, before: 0, failed: Vec::new() }
    }

    /// Adds a statement, which ends with a semicolon or is the last one.
    pub(in crate::postgres::restore) fn add(&mut self, run: &mut Run<'_>, statement: Vec<u8>) -> Result<()> {
        if !self.statements.is_empty() && self.bytes + statement.len() > BYTES {
            self.send(run)?;
        }
        self.bytes += statement.len();
        self.statements.push(statement);
        if self.statements.len() == STATEMENTS {
            self.send(run)?;
        }
        Ok(())
    }

    /// Sends what is left.
    pub(in crate::postgres::restore) fn finish(mut self, run: &mut Run<'_>) -> Result<()> {
        self.send(run)
    }

    fn send(&mut self, run: &mut Run<'_>) -> Result<()> {
        let statements = std::mem::take(&mut self.statements);
        let before = self.before;
        (self.bytes, self.before) = (0, before + statements.len());
        if run.summary.stopped || statements.is_empty() {
            return Ok(());
        }
        if statements.len() > 1 && run.attempt(&statements.concat())?.is_none() {
            return Ok(());
        }
        for (n, statement) in statements.iter().enumerate() {
            if !run.statement(self.entry, statement)? {
                self.failed.push(before + n);
            }
            if run.summary.stopped {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Runs statements for an entry, in batches, and in transactions of so many where there are such. Gives the numbers of those
/// that failed.
pub(in crate::postgres::restore) fn run(
    run: &mut Run<'_>,
    entry: usize,
    statements: impl Iterator<Item = Vec<u8>>,
    part: &Part<'_>,
) -> Result<Vec<usize>> {
    let size = run.options.transaction_size.and_then(|size| usize::try_from(size).ok()).unwrap_or(usize::MAX);
    let mut batch = Batch::new(entry);
    let mut uncounted = 0;
    for statement in statements {
        batch.add(run, statement)?;
        part.beside(cost::OF_MANY);
        uncounted += 1;
        if uncounted == size {
            batch.send(run)?;
            run.count(std::mem::take(&mut uncounted))?;
        }
        if run.summary.stopped {
            return Ok(batch.failed);
        }
    }
    batch.send(run)?;
    run.count(uncounted)?;
    Ok(batch.failed)
}
