//! Carries out a plan on a server, step by step, over one connection.

pub(in crate::postgres::restore) mod batch;
pub(in crate::postgres::restore) mod cascade;
pub(in crate::postgres::restore) mod default_privileges;
pub(in crate::postgres::restore) mod drops;
pub(in crate::postgres::restore) mod extension_rows;
pub(in crate::postgres::restore) mod interrupt;
pub(in crate::postgres::restore) mod large_object_data;
pub(in crate::postgres::restore) mod lasting;
pub(in crate::postgres::restore) mod notices;
pub(in crate::postgres::restore) mod one_session;
pub(in crate::postgres::restore) mod replace_database;
pub(in crate::postgres::restore) mod required_version;
pub(in crate::postgres::restore) mod rows;
pub(in crate::postgres::restore) mod statement;
pub(in crate::postgres::restore) mod subscription;
pub(in crate::postgres::restore) mod transaction;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex};

use bstr::{BStr, BString, ByteSlice};
use pgformat::kinds::Pass;
use pgformat::{DumpId, Entry};

use crate::postgres::restore::dependents;
use crate::postgres::restore::execute::default_privileges::Defaults;
use crate::postgres::restore::execute::extension_rows::ExtensionRows;
use crate::postgres::restore::execute::interrupt::Interrupt;
use crate::postgres::restore::execute::one_session::OneSession;
use crate::postgres::restore::execute::transaction::Counts;

use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::parallel::{Readers, Team};
use crate::postgres::restore::plan::cost::Work;
use crate::postgres::restore::plan::large_objects;
use crate::postgres::restore::plan::{Action, Plan, Purpose, Step};
use crate::postgres::restore::summary::RestoreSummary;
use crate::progress::{Level, Part, Reporter};
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

/// Takes a piece of a table's data, and says whether more is wanted.
pub type TakeRows<'a> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>> + 'a;
/// Takes a piece of a large object, by its OID, and says whether more objects are wanted. An object begins with an
/// empty piece.
pub type TakeObject<'a> = dyn FnMut(u32, &[u8]) -> Result<ControlFlow<()>> + 'a;

/// Where an archive's data comes from.
pub trait Data {
    /// Hands the data of an entry to `take`, piece by piece. `read` is told how many bytes of the archive were read meanwhile.
    ///
    /// # Errors
    /// Damaged or unreadable data; data that lies behind, in an input that cannot go back; what `take` fails with.
    fn table(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeRows<'_>) -> Result<()>;

    /// Hands the large objects of an entry to `take`; `read` as for [`Data::table`].
    ///
    /// # Errors
    /// As for [`Data::table`].
    fn large_objects(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeObject<'_>) -> Result<()>;

    /// Whether the data of any entry can be had at any time.
    fn can_go_back(&self) -> bool {
        false
    }
}

/// The data of an archive, for everybody who restores it.
pub struct Source<'a> {
    /// For the connection that there always is.
    pub data: &'a mut dyn Data,
    /// How many bytes of the archive the data of each entry takes, in the order of the entries, where that is known.
    pub sizes: Vec<Option<u64>>,
    /// For those that work beside it.
    pub workers: Option<Readers>,
    /// The major version of the server whose database it is; 0 if that is not known.
    pub made_by: i32,
}

/// Makes a connection to a database of this name, on the server that is restored into.
pub type Connect<'a> = dyn Fn(&BStr) -> Result<Connection> + 'a;

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
    let work = Work::on_server(plan, entries, source.sizes);
    let mut run = Run::new(plan, entries, options, target, connect, Progress { reporter, work: &work }, interrupt);
    run.made_by = source.made_by;
    (run.summary.stays, run.summary.left) = (plan.limits.stays.clone(), plan.limits.left.clone());
    run.failed.extend(&plan.limits.settled);
    let mut result = run.all(source.data, source.workers);
    if result.is_ok() && !run.summary.stopped && run.is_block {
        result = run.commit();
    }
    // Where none is open although there should be, it is not known what became of the last one.
    let is_block = run.is_block;
    if is_block {
        // The server rolls back by itself when the connection is lost.
        if run.target.transaction_status() != b'I' {
            if !run.target.is_broken() {
                run.target.rollback()?;
            }
            run.summary.rolled_back = !run.has_changed;
        }
        run.reached = run.committed.reached;
        let Counts { rows, bytes, large_objects, .. } = run.committed;
        (run.summary.rows, run.summary.bytes, run.summary.large_objects) = (rows, bytes, large_objects);
    }
    let reached = plan.steps[..run.reached.min(plan.steps.len())].chunk_by(|a, b| a.entry == b.entry);
    let ended = run.ended.take().unwrap_or_else(|| reached.map(|steps| steps[0].entry).collect());
    run.summary.entries = ended.difference(&run.failed).count() as u64;
    run.sum_up_left();
    if let Some(session) = &run.session {
        result = result.and(session.end(run.target));
    }
    let left = run.interrupt.what_is_left();
    run.interrupt.finish();
    let summary = run.summary;
    match result.map_err(of_archive) {
        Ok(()) => Ok(summary),
        Err(error) if error.advice().is_some_and(|hint| hint.to_string().contains("nothing was changed")) => Err(error),
        Err(error) if summary.rolled_back => Err(error.hint(match options.single_transaction {
            true => "nothing was changed: the restore was one transaction",
            false => "nothing was changed: what had been done was rolled back",
        })),
        Err(error) if options.transaction_size.is_some() && is_block => {
            Err(error.hint(format!("{} entries had been restored and committed; they remain", summary.entries)))
        }
        // (After what an archive did to the restore's transactions, nobody knows.)
        Err(error) if error.kind() == ErrorKind::Connection && error.advice().is_none() => Err(error.hint(left)),
        Err(error) => Err(error),
    }
}

/// A statement that cannot be run as a statement, such as a COPY that wants rows where none are, is the archive's fault: by now
/// the options have been found to be good.
fn of_archive(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Usage => Error::new(ErrorKind::Archive, "carry out what the archive says").source(error),
        _ => error,
    }
}

/// How far a restore has come is told by how much work it is.
pub(super) struct Progress<'a> {
    pub(super) reporter: &'a dyn Reporter,
    pub(super) work: &'a Work,
}

/// A restore on its way.
pub(super) struct Run<'a> {
    pub(super) plan: &'a Plan,
    pub(super) entries: &'a [Entry],
    pub(super) options: &'a RestoreOptions,
    pub(super) target: &'a mut Connection,
    pub(super) connect: &'a Connect<'a>,
    /// What tells the session of `target` from others; workers' are the team's.
    pub(super) session: Option<OneSession>,
    pub(super) reporter: &'a dyn Reporter,
    pub(super) work: &'a Work,
    pub(super) interrupt: Interrupt,
    pub(super) summary: RestoreSummary,
    /// Entries for which something failed.
    pub(super) failed: HashSet<usize>,
    /// Entries whose definition failed.
    pub(super) undefined: HashSet<usize>,
    /// Those of them whose objects are not there at all, as far as the server's error tells.
    pub(super) absent: HashSet<usize>,
    /// Entries whose objects could not be dropped, and so are there.
    pub(super) undropped: HashSet<usize>,
    /// Entries that the role may not restore, and what goes along with them, by their numbers.
    pub(super) refused: HashMap<DumpId, usize>,
    /// What the role turned out to be permitted, of what is reserved for superusers.
    pub(super) permitted: HashSet<&'static str>,
    /// What it turned out not to be, and by which entry.
    pub(super) denied: HashMap<&'static str, EntryName>,
    /// Entries whose objects stay as they are, because they hold what is not in the archive.
    pub(super) kept: HashSet<usize>,
    /// What was seen to of the rows of extensions' tables.
    pub(super) extension_rows: ExtensionRows,
    /// Large objects that could not be made, most often because there are such.
    pub(super) objects_there: Arc<Mutex<HashSet<u32>>>,
    /// What is to be done about default privileges in the target.
    pub(super) defaults: Defaults,
    /// The statement that took the role that does what follows, where another one was taken.
    pub(super) user: Option<BString>,
    /// Whether a transaction of several objects is open.
    pub(super) is_block: bool,
    /// Whether that is the one in which what is dropped is made anew.
    pub(super) is_replacing: bool,
    /// Whether anything was or may have been changed for good.
    pub(super) has_changed: bool,
    /// The entry of the database, if that was made beside the one that it was to replace.
    pub(super) made_aside: Option<usize>,
    /// The replication slots of subscriptions that are still to be dropped, by their names.
    pub(super) slots: HashMap<BString, BString>,
    /// Those of subscriptions that were dropped, and are not told yet, with the places of their entries.
    pub(super) left_slots: Vec<(usize, BString)>,
    /// The server's number of that transaction.
    pub(super) transaction: String,
    /// How many objects and statements were done in it.
    pub(super) actions: u32,
    /// What is there for good.
    pub(super) committed: Counts,
    /// How many steps after the drops were carried out.
    pub(super) reached: usize,
    /// Which entries were done, where they were not done in the order of the plan.
    pub(super) ended: Option<HashSet<usize>>,
    /// How many rows statements have changed.
    pub(super) changed: u64,
    /// The major version of the server whose database the archive is of.
    pub(super) made_by: i32,
}

/// What came of a part of a restore.
pub(super) struct Outcome {
    summary: RestoreSummary,
    failed: HashSet<usize>,
    undefined: HashSet<usize>,
    absent: HashSet<usize>,
    refused: HashMap<DumpId, usize>,
    reached: usize,
}

/// Statements that are sent without waiting for each one's answer: over a line with a delay, waiting would take longer
/// than all else.
#[derive(Default)]
struct Window<'a> {
    steps: Vec<(&'a Step, Cow<'a, [u8]>)>,
    bytes: usize,
}

impl Step {
    /// The statement that the step consists of, if it is one that needs no data and can be sent with others.
    pub(super) fn statement<'a>(&'a self, entries: &'a [Entry]) -> Option<&'a [u8]> {
        match &self.action {
            Action::Set(statement) | Action::Drop(statement) | Action::Alter(statement) => Some(statement),
            Action::Define(Some(statement)) => Some(statement),
            Action::Define(None) => {
                entries.get(self.entry)?.definition.as_ref().map(|definition| definition.as_slice())
            }
            _ => None,
        }
    }
}

/// Why data is left out.
const SKIPPED: &str = "its table could not be created, so its rows are left out";

/// How many statements are sent before the first answer is read, and of how many bytes together.
const WINDOW: usize = 100;
const WINDOW_BYTES: usize = 128 * 1024;

impl<'a> Run<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        entries: &'a [Entry],
        options: &'a RestoreOptions,
        target: &'a mut Connection,
        connect: &'a Connect<'a>,
        progress: Progress<'a>,
        interrupt: Interrupt,
    ) -> Self {
        let Progress { reporter, work } = progress;
        Self {
            plan,
            entries,
            options,
            target,
            connect,
            session: None,
            reporter,
            work,
            interrupt,
            summary: RestoreSummary::default(),
            failed: HashSet::new(),
            undefined: HashSet::new(),
            absent: HashSet::new(),
            undropped: HashSet::new(),
            refused: HashMap::new(),
            permitted: HashSet::new(),
            denied: HashMap::new(),
            kept: HashSet::new(),
            extension_rows: ExtensionRows::default(),
            objects_there: Arc::default(),
            defaults: Defaults::default(),
            user: None,
            is_block: false,
            is_replacing: false,
            has_changed: false,
            made_aside: None,
            slots: HashMap::new(),
            left_slots: Vec::new(),
            transaction: String::new(),
            actions: 0,
            committed: Counts::default(),
            reached: 0,
            ended: None,
            changed: 0,
            made_by: 0,
        }
    }

    /// What came of it.
    pub(super) fn outcome(self) -> Outcome {
        let Self { summary, failed, undefined, absent, refused, reached, .. } = self;
        Outcome { summary, failed, undefined, absent, refused, reached }
    }

    /// Takes over what came of a part that somebody else carried out.
    pub(super) fn merge(&mut self, outcome: Outcome) {
        let Outcome { summary, failed, undefined, absent, refused, reached } = outcome;
        self.summary.rows += summary.rows;
        self.summary.bytes += summary.bytes;
        self.summary.large_objects += summary.large_objects;
        self.summary.errors.extend(summary.errors);
        self.summary.skipped.extend(summary.skipped);
        self.summary.left.extend(summary.left);
        self.summary.stopped |= summary.stopped;
        self.failed.extend(failed);
        self.undefined.extend(undefined);
        self.absent.extend(absent);
        self.refused.extend(refused);
        self.reached += reached;
    }

    /// Whether what an entry defines is not there: its definition failed, and not because there is such an object already.
    pub(super) fn is_absent(&self, entry: usize) -> bool {
        self.absent.contains(&entry) && !self.undropped.contains(&entry)
    }

    /// Puts down that an entry was left out.
    pub(super) fn leave_out(&mut self, entry: usize) {
        self.summary.skipped.push(EntryName::of(&self.entries[entry]));
        self.failed.insert(entry);
    }

    fn all(&mut self, data: &mut dyn Data, workers: Option<Readers>) -> Result<()> {
        let plan = self.plan;
        self.session = Some(OneSession::begin(self.target, self.connect)?);
        if self.options.single_transaction {
            self.begin()?;
        }
        self.begin_to_replace()?;
        self.begin_session()?;
        let mut team = workers.map(|readers| Team::new(self, readers));
        // A database that is still to be made cannot be connected to.
        if let Some(team) = team.as_mut().filter(|_| !self.options.create) {
            team.connect_early(self)?;
        }
        dependents::hold(self)?;
        if self.options.create || !(self.is_block || self.options.in_transactions()) {
            // What is done from now on is done for good.
            self.interrupt.begin();
            self.has_changed = true;
        }
        match self.options.create {
            true => self.replace_database()?,
            // What cannot be dropped is tried again; so drops come before everything else.
            false => drops::run(self, &plan.drops)?,
        }
        self.pass_on_notices(None);
        self.check_session()?;
        if self.summary.stopped {
            return Ok(());
        }
        self.note_extensions()?;
        self.begin_block()?;
        self.reporter.phase(self.work.phase("restore", self.entries, &plan.steps));
        match team {
            Some(team) => team.work(self, data)?,
            None => self.carry_out(&plan.steps, data)?,
        }
        self.check_session()
    }

    /// Carries out steps in their order; those of an entry follow each other.
    pub(super) fn carry_out(&mut self, steps: &'a [Step], data: &mut dyn Data) -> Result<()> {
        let mut window = Window::default();
        for of_entry in steps.chunk_by(|a, b| a.entry == b.entry) {
            if of_entry.first().is_some_and(|step| self.is_replaced_before(step.entry)) {
                self.send(&mut window)?;
                if self.summary.stopped {
                    return Ok(());
                }
                self.commit()?;
            }
            if self.wants_settled(of_entry, &window) {
                self.send(&mut window)?;
                self.settle_privileges()?;
            }
            if self.brings_rows(of_entry) {
                self.send(&mut window)?;
                if !self.summary.stopped {
                    self.settle_extension_rows(data, self.reached)?;
                }
                if self.summary.stopped {
                    return Ok(());
                }
                if self.is_settled(of_entry) {
                    self.reached += of_entry.len();
                    self.tell_reached();
                    continue;
                }
            }
            for step in of_entry {
                self.next(step, &mut window, data)?;
                if self.summary.stopped {
                    return Ok(());
                }
            }
            if self.options.transaction_size.is_some_and(|size| self.actions.saturating_add(1) >= size) {
                self.send(&mut window)?;
            }
            self.count(1)?;
        }
        self.send(&mut window)?;
        self.settle_privileges()
    }

    /// Whether what was made, or is about to be, must have its privileges before these steps: rows are put into it, or
    /// privileges come.
    fn wants_settled(&self, steps: &[Step], window: &Window<'_>) -> bool {
        let is_late = |step: &Step| kinds::pass(&self.entries[step.entry]) != Pass::Main;
        let is_content = |step: &Step| {
            matches!(step.action, Action::CopyRows { .. } | Action::RunData { .. } | Action::LargeObjects { .. })
        };
        self.defaults.are_there()
            && (self.defaults.has_unsettled() || window.steps.iter().any(|(step, _)| !is_late(step)))
            && (steps.first().is_some_and(is_late) || steps.iter().any(is_content))
    }

    /// Carries out these steps of the plan before their turn; they do not count for how far it has come.
    pub(super) fn carry_out_apart(&mut self, steps: Range<usize>, data: &mut dyn Data) -> Result<()> {
        let (plan, reached) = (self.plan, self.reached);
        let mut window = Window::default();
        for step in &plan.steps[steps] {
            self.next(step, &mut window, data)?;
            if self.summary.stopped {
                break;
            }
        }
        let sent = self.send(&mut window);
        self.reached = reached;
        sent
    }

    /// Carries out a step, or puts it into the window.
    fn next(&mut self, step: &'a Step, window: &mut Window<'a>, data: &mut dyn Data) -> Result<()> {
        self.interrupt.check()?;
        let part = self.part(step);
        match step.statement(self.entries) {
            // It is there already.
            Some(_) if matches!(step.action, Action::Define(_)) && self.kept.contains(&step.entry) => {
                self.send(window)?;
            }
            Some(_) if self.is_moot(step) => self.send(window)?,
            // The value of a sequence that stayed is that of the rows there.
            Some(_) if self.is_value(step) && self.is_skipped_value(step, window)? => {}
            Some(statement) if self.is_reserved(step) => {
                self.send(window)?;
                if self.summary.stopped {
                    return Ok(());
                }
                self.try_reserved(step, statement)?;
                self.pass_on_notices(Some(step.entry));
            }
            Some(statement) if !self.makes_database(step) => {
                // What is done quickly is not to be told only when that is done which takes long.
                let is_long = self.work.is_long(step);
                if is_long {
                    self.send(window)?;
                    if self.summary.stopped {
                        return Ok(());
                    }
                }
                let statement = self.without_defaults(step, statement)?;
                window.bytes += statement.len();
                window.steps.push((step, statement));
                // Nothing may have been run after the first error, unless it is undone anyway.
                let is_careful = self.options.exit_on_error && !self.is_block;
                if is_careful || is_long || window.steps.len() == WINDOW || window.bytes > WINDOW_BYTES {
                    self.send(window)?;
                }
                return Ok(());
            }
            _ => {
                self.send(window)?;
                if self.summary.stopped {
                    return Ok(());
                }
                self.step(step, data, &part).map_err(|error| self.during(step.entry, error))?;
                self.pass_on_notices(Some(step.entry));
                self.check_transaction(step.entry)?;
            }
        }
        if !self.summary.stopped {
            self.reached += 1;
            part.end();
            self.tell_reached();
        }
        Ok(())
    }

    /// The part that a step has in what is to be done.
    pub(super) fn part(&self, step: &Step) -> Part<'a> {
        self.work.part(self.entries, step, self.reporter)
    }

    /// Sends the statements of a window and puts down those that fail.
    fn send(&mut self, window: &mut Window<'a>) -> Result<()> {
        let Window { steps, .. } = std::mem::take(window);
        let Some((first, _)) = steps.first() else { return Ok(()) };
        self.interrupt.check()?;
        self.reporter.current(&EntryName::of(&self.entries[first.entry]).to_string());
        let statements: Vec<&[u8]> = steps.iter().map(|(_, statement)| statement.as_ref()).collect();
        self.pass_on_notices(None);
        let results = self.target.foreign()?.execute_each_telling(&statements);
        let results = results.map_err(|error| self.during(first.entry, error.into()))?;
        let first = first.entry;
        for (step, (result, notices)) in steps.iter().map(|(step, _)| *step).zip(results) {
            let statement = step.statement(self.entries).unwrap_or_default();
            self.take_notices(Some(step.entry), statement, notices);
            if result.is_ok() {
                self.note_made(step);
            }
            if let Err(error) = result.map_err(Error::from) {
                let is_there = self.is_there_already(step.entry, &error);
                if !self.refuse(step, statement, &error) {
                    self.put_down(step.entry, statement, error)?;
                }
                if matches!(step.action, Action::Define(_)) {
                    if kinds::is(&self.entries[step.entry], "BLOB") {
                        let oid =
                            kinds::text(&self.entries[step.entry].tag).to_str().ok().and_then(|oid| oid.parse().ok());
                        self.note_objects_there(oid);
                    }
                    self.undefined.insert(step.entry);
                    if !is_there {
                        self.absent.insert(step.entry);
                    }
                }
            }
            self.reached += 1;
            self.part(step).end();
            if self.summary.stopped {
                // What came after it in the same transaction failed for no reason of its own.
                return Ok(());
            }
        }
        self.tell_reached();
        self.check_transaction(first)
    }

    fn step(&mut self, step: &Step, data: &mut dyn Data, part: &Part<'_>) -> Result<()> {
        let entry = &self.entries[step.entry];
        match &step.action {
            Action::Define(_) => {
                self.make_database(step.entry, step.statement(self.entries).unwrap_or_default())?;
            }
            Action::Become(statement) => self.become_user(statement)?,
            Action::Connect(database) => self.connect(database.as_bstr())?,
            Action::Heading(_) | Action::Set(_) | Action::Drop(_) | Action::DropCascade(_) | Action::Alter(_) => {}
            Action::EachLargeObject { purpose, before, after, oids_of } => {
                let oids = large_objects::oids(&self.entries[*oids_of])?;
                let statements = oids.iter().map(|oid| large_objects::statement(before, *oid, after));
                let failed = batch::run(self, step.entry, statements, part)?;
                if *purpose == Purpose::Create {
                    self.note_made(step);
                    self.note_objects_there(failed.into_iter().filter_map(|n| oids.get(n).copied()));
                }
            }
            Action::CopyRows { statement, table } => {
                if !self.is_skipped(step.entry, *table) {
                    self.reporter.current(&EntryName::of(entry).to_string());
                    rows::copy(self, data, step.entry, statement, part)?;
                }
            }
            Action::RunData { table } => {
                if !self.is_skipped(step.entry, *table) {
                    self.reporter.current(&EntryName::of(entry).to_string());
                    rows::run(self, data, step.entry, part)?;
                }
            }
            Action::LargeObjects { create, replace } => {
                self.reporter.current(&EntryName::of(entry).to_string());
                large_object_data::write(self, data, step.entry, (*create, *replace), part)?;
            }
            Action::Say(warning) => self.say(Level::Warning, step.entry, format!("the archive says: {warning}")),
        }
        Ok(())
    }

    fn is_value(&self, step: &Step) -> bool {
        matches!(step.action, Action::Define(_)) && kinds::is(&self.entries[step.entry], "SEQUENCE SET")
    }

    /// Whether a sequence's value is left out, because the sequence could not be made.
    fn is_skipped_value(&mut self, step: &Step, window: &mut Window<'a>) -> Result<bool> {
        // Whether it could be is known when the answers are there.
        if window.steps.iter().any(|(step, _)| !self.is_value(step)) {
            self.send(window)?;
        }
        let (entries, places) = (self.entries, &self.plan.places);
        let mut on = entries[step.entry].dependencies.iter().filter_map(|on| places.get(on).copied());
        let sequence = on.find(|at| kinds::is(&entries[*at], "SEQUENCE"));
        Ok(self.is_skipped(step.entry, sequence))
    }

    /// Whether the rows of an entry have nowhere to go, because the entry that makes their table failed.
    fn is_skipped(&mut self, entry: usize, table: Option<usize>) -> bool {
        let is_there = |table| self.undefined.contains(&table);
        let skip = !self.options.data_for_failed_tables && (table.is_some_and(is_there) || self.could_go_astray(entry));
        if skip {
            self.say(Level::Error, entry, SKIPPED.to_owned());
            self.leave_out(entry);
        }
        skip
    }
}
