//! A restore from its first connection to its summary.

use std::ops::Range;

use pgformat::Entry;
use pgformat::kinds::RestorePass;

use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::one_session::Connect;
use crate::postgres::restore::execute::{
    Client, Executor, Interrupt, Job, Ledger, drops, extension_rows, hold, replace_database,
};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::parallel::schedule;
use crate::postgres::restore::parallel::team::Team;
use crate::postgres::restore::plan::Plan;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::source::{Data, Readers, Source};
use crate::postgres::restore::summary::RestoreSummary;
use crate::progress::Reporter;
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

/// Carries out `plan`, which was made from these `entries` and `options`. Where it makes the database itself, `target` is
/// a connection to that afterwards. With readers for workers, that many more connections work at the same time.
///
/// # Errors
/// A lost connection, damaged data: what no later step can succeed after. A statement that the server refuses is in
/// the summary instead. With `single_transaction`, nothing remains in either case; with `transaction_size`, what was
/// committed before.
pub fn execute(
    plan: &Plan,
    entries: &[Entry],
    options: &RestoreOptions,
    target: &mut Connection,
    connect: &Connect<'_>,
    source: Source<'_>,
    reporter: &dyn Reporter,
) -> Result<RestoreSummary> {
    let interrupt = Interrupt::new(plan, options, target, reporter.cancellation())?;
    let cost = Cost::on_server(plan, entries, source.sizes);
    let job = Job { plan, entries, options, reporter, cost: &cost, made_by: source.made_by };
    let client = Client::new(&job, target, connect, interrupt);
    let executor = Executor::new(client, Ledger::new(&job));
    Restore { job: &job, executor, is_prepared: false }.run(source.data, source.workers)
}

/// A restore on its way.
struct Restore<'a> {
    job: &'a Job<'a>,
    executor: Executor<'a>,
    /// Whether all is there that it needs. Nothing is lost until then.
    is_prepared: bool,
}

impl Restore<'_> {
    fn run(mut self, data: &mut dyn Data, workers: Option<Readers>) -> Result<RestoreSummary> {
        let is_parallel = workers.is_some();
        let mut result = self.all(data, workers);
        let Self { job, executor: Executor { mut client, mut ledger, .. }, is_prepared } = self;
        if result.is_ok() && !ledger.is_stopped() && client.in_transaction() {
            result = client.commit(&mut ledger);
        }
        let was_open = client.in_transaction();
        let rolled_back = client.roll_back_rest(&mut ledger);
        if !is_parallel {
            ledger.end_in_order();
        }
        ledger.sum_up_left();
        let ended = client.end_session();
        let (left, summary) = (client.interrupt.what_is_left(), ledger.into_summary());
        let Err(error) = result.and(rolled_back).and(ended).map_err(of_archive) else { return Ok(summary) };
        Err(match error.advice() {
            Some(_) if !is_prepared => error,
            _ if summary.rolled_back => error.hint(match job.options.single_transaction {
                true => "nothing was changed: the restore was one transaction",
                false => "nothing was changed: what had been done was rolled back",
            }),
            _ if job.options.transaction_size.is_some() && was_open => {
                error.hint(format!("{} entries had been restored and committed; they remain", summary.entries))
            }
            // (After what an archive did to the restore's transactions, nobody knows.)
            None if error.kind() == ErrorKind::Connection => error.hint(left),
            _ => error,
        })
    }

    fn all(&mut self, data: &mut dyn Data, workers: Option<Readers>) -> Result<()> {
        let mut team = self.prepare(workers)?;
        self.is_prepared = true;
        self.drop(data)?;
        if self.executor.ledger.is_stopped() {
            return Ok(());
        }
        let Executor { client, extension_rows, .. } = &mut self.executor;
        if !self.job.options.literal {
            extension_rows.ask(client)?;
        }
        client.begin_sized()?;
        let Job { plan, entries, reporter, cost, .. } = self.job;
        reporter.phase(cost.phase("restore", entries, &plan.steps));
        match &mut team {
            Some(team) => {
                let restored = self.in_parallel(team, data);
                let ended = team.end();
                restored.and(ended)?;
            }
            None => self.executor.carry_out(0..plan.steps.len(), data)?,
        }
        self.executor.client.check_session()
    }

    /// Opens the session, and sees to all else that must be there before anything is dropped.
    fn prepare(&mut self, workers: Option<Readers>) -> Result<Option<Team>> {
        let Executor { client, learnt, .. } = &mut self.executor;
        client.begin_session()?;
        client.begin_whole()?;
        client.set_up()?;
        learnt.defaults = Defaults::ask(client)?;
        let mut team = workers.map(Team::new);
        // A database that is still to be made cannot be connected to.
        if let Some(team) = team.as_mut().filter(|_| !self.job.options.create) {
            team.connect_early(client)?;
        }
        if !self.job.options.literal {
            hold::hold(client)?;
        }
        Ok(team)
    }

    /// Drops what is to be made anew. What cannot be dropped is tried again; so drops come before everything else.
    fn drop(&mut self, data: &mut dyn Data) -> Result<()> {
        if self.job.options.literal {
            self.executor.client.begin_changes();
            self.executor.drop_literally(data)?;
            return self.executor.client.check_session();
        }
        let Executor { client, ledger, made_aside, .. } = &mut self.executor;
        client.begin_changes();
        match self.job.options.create {
            true => *made_aside = replace_database::replace(client, ledger)?,
            false => drops::run(client, ledger)?,
        }
        client.pass_on_notices(ledger, None);
        client.check_session()
    }

    /// Carries out the plan, with a team that does what can be done beside each other.
    fn in_parallel(&mut self, team: &mut Team, data: &mut dyn Data) -> Result<()> {
        for pass in [RestorePass::Main, RestorePass::Acl, RestorePass::PostAcl] {
            let (in_order, mut beside) = schedule::parts(self.job.plan, self.job.entries, pass);
            self.in_order(in_order, data, pass)?;
            let Executor { client, ledger, .. } = &mut self.executor;
            if ledger.is_stopped() {
                return Ok(());
            }
            if pass == RestorePass::Main {
                beside.retain(|part| !end_past(ledger, part));
            }
            if !beside.is_empty() {
                client.commit_if_open(ledger)?;
                team.hand_out(&mut self.executor, beside)?;
                if self.executor.ledger.is_stopped() {
                    return Ok(());
                }
                self.executor.client.begin_sized()?;
            }
        }
        Ok(())
    }

    /// Carries out parts of the plan one after the other.
    fn in_order(&mut self, parts: Vec<Range<usize>>, data: &mut dyn Data, pass: RestorePass) -> Result<()> {
        let place = parts.last().map_or(0, |part| part.end);
        for part in parts {
            self.executor.carry_out(part.clone(), data)?;
            let ledger = &mut self.executor.ledger;
            self.job.plan.steps[part].iter().for_each(|step| ledger.end(step.entry));
            if ledger.is_stopped() {
                return Ok(());
            }
        }
        if pass == RestorePass::Main && !self.job.options.literal {
            self.executor.load_in_order(data, place)
        } else {
            Ok(())
        }
    }
}

/// Whether an entry was carried out before its turn; it has ended then.
fn end_past(ledger: &mut Ledger<'_>, part: &Range<usize>) -> bool {
    let steps = &ledger.job.plan.steps[part.clone()];
    let is_past = extension_rows::are_past(ledger, steps);
    if is_past {
        ledger.end(steps[0].entry);
    }
    is_past
}

/// A statement that cannot be run as a statement, such as a COPY that wants rows where none are, is the archive's fault: by now
/// the options have been found to be good.
fn of_archive(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Usage => Error::new(ErrorKind::Archive, "carry out what the archive says").source(error),
        _ => error,
    }
}
