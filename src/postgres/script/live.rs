//! A script of a database as it is, written while it is read: no archive comes in between.
//!
//! It begins as every dump does, and ends with the same look at what others changed meanwhile; between these, the plan of a restore
//! of what the dump found is written down, and data and statistics are read when it is their turn.

use std::collections::HashMap;
use std::io::Write;

use bstr::{BStr, BString, ByteSlice};
use pgformat::{DumpId, Version};

use crate::postgres::data::{DataSummary, DataTask, hand_over};
use crate::postgres::dump::{Begun, DumpOptions, Running, begin, check_data, copied_tables, server_version};
use crate::postgres::emit::Contents;
use crate::postgres::objects::relation_statistics::tell_unreadable;
use crate::postgres::objects::statistics_reader::{HasStatistics, Reader};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::{Plan, plan};
use crate::postgres::restore::source::{Data, TakeObject, TakeRows};
use crate::postgres::script::guard::Guard;
use crate::postgres::script::text::{self, Beginning};
use crate::postgres::script::writer::{Job, Script};
use crate::postgres::script::{RestrictKey, ScriptSummary, Style};
use crate::postgres::session::Session;
use crate::progress::{Phase, Reporter, Unit};
use crate::wire::Connection;
use crate::{Error, ErrorKind, Result};

/// Writes a script of the database that `connect` connects to, to `out`. What is in it, `dump` says: of `options` counts only how
/// it is restored. There is one connection, however many `dump` asks for.
///
/// # Errors
/// The database cannot be read, holds something that cannot be dumped completely or that psql would not take for what it is, or
/// was changed while it was read; what writing fails with. What was written is of no use then.
pub fn of_database(
    connect: &dyn Fn() -> Result<Connection>,
    dump: &DumpOptions,
    options: &RestoreOptions,
    (style, key): (&Style, &RestrictKey),
    out: &mut dyn Write,
    reporter: &dyn Reporter,
) -> Result<ScriptSummary> {
    let dump = dump.clone().jobs(1);
    let options = of_dump(options, &dump);
    reporter.cancellation().run(|| {
        let running = Running::new(reporter.cancellation())?;
        write(&|| running.connect(connect), &dump, &options, (style, key), out, reporter)
    })
}

/// The options of the script, of which those that say what is in it are the dump's.
pub(super) fn of_dump(options: &RestoreOptions, dump: &DumpOptions) -> RestoreOptions {
    RestoreOptions {
        comments: dump.comments,
        security_labels: dump.security_labels,
        publications: dump.publications,
        subscriptions: dump.subscriptions,
        policies: dump.policies,
        acl: dump.privileges,
        schema: dump.definitions,
        data: dump.data,
        sequence_data: dump.sequence_data,
        statistics: dump.statistics,
        extended_statistics: true,
        sections: dump.sections,
        row_security: dump.row_security,
        quote_all_identifiers: dump.quote_all_identifiers,
        only: Default::default(),
        list: None,
        jobs: 1,
        ..options.clone()
    }
}

fn write(
    connect: &dyn Fn() -> Result<Connection>,
    dump: &DumpOptions,
    options: &RestoreOptions,
    (style, key): (&Style, &RestrictKey),
    out: &mut dyn Write,
    reporter: &dyn Reporter,
) -> Result<ScriptSummary> {
    let Begun { mut sessions, contents } = begin(connect, dump, reporter)?;
    let [session] = sessions.as_mut_slice() else {
        return Err(Error::new(ErrorKind::Internal, "write the script").why("a dump has begun without its session"));
    };
    let tables = copied_tables(&contents);
    let what = What {
        version: dump.version(),
        dumper: dump.dumped_by.as_bstr(),
        options,
        style,
        key: Some(key),
        is_beside_data: false,
    };
    let summary = what.write(contents, session, out, reporter)?;
    check_data(session, dump, &tables)?;
    Ok(summary)
}

/// What is written of a database, and how.
pub(super) struct What<'a> {
    /// The version that its archive would have.
    pub(super) version: Version,
    /// What is said to have dumped it.
    pub(super) dumper: &'a BStr,
    pub(super) options: &'a RestoreOptions,
    pub(super) style: &'a Style,
    pub(super) key: Option<&'a RestrictKey>,
    /// The data is not in it, but in files beside it.
    pub(super) is_beside_data: bool,
}

impl What<'_> {
    pub(super) fn write(
        &self,
        contents: Contents,
        session: &mut Session,
        out: &mut dyn Write,
        reporter: &dyn Reporter,
    ) -> Result<ScriptSummary> {
        let Self { version, dumper, options, style, key, is_beside_data } = *self;
        let beginning = Beginning {
            server: server_version(session)?,
            dumper: dumper.to_owned(),
            started: style.verbose.then(text::now),
        };
        let Contents { entries, data, statistics, extended_statistics, unreadable_statistics } = contents;
        let plan = plan(&entries, (version.major, version.minor), options, &style.destination())?;
        let guard = Guard::of_database(&plan.settings, key.is_some());
        guard.check(&plan, &entries)?;
        if !is_beside_data {
            // Else it was told when the archive's table of contents was written.
            tell_unreadable(&statistics, &unreadable_statistics, reporter);
        }
        let turns = turns(&plan, &entries);
        let (of_relations, extended) = (in_turn(statistics, &turns), in_turn(extended_statistics, &turns));
        let expected: u64 = data.iter().map(|(_, task)| task.expected_bytes()).sum();
        let mut live = Live {
            of_relations: Reader::new(&of_relations, session),
            extended: Reader::new(&extended, session),
            session: &mut *session,
            tasks: data.into_iter().collect(),
            expected,
            read: DataSummary::default(),
            reporter,
        };
        let cost = Cost::of_script(&entries, vec![None; entries.len()]);
        let phase = match is_beside_data {
            true => Phase::new("writing the script", Unit::Steps),
            false => Phase::new("copying data", Unit::Bytes),
        };
        let phase = if expected > 0 { phase.of_about(expected) } else { phase };
        let job = Job {
            plan: &plan,
            entries: &entries,
            options,
            style,
            key,
            is_beside_data,
            cost: &cost,
            guard: &guard,
            reporter,
        };
        let mut script = Script::new(job, out);
        script.all(&beginning, phase, &mut live)?;
        Ok(ScriptSummary { rows: live.read.rows, ..script.summary })
    }
}

/// When each entry has its turn.
fn turns(plan: &Plan, entries: &[pgformat::Entry]) -> HashMap<DumpId, usize> {
    let mut turns = HashMap::with_capacity(entries.len());
    for (turn, step) in plan.steps.iter().enumerate() {
        turns.entry(entries[..][step.entry].dump_id).or_insert(turn);
    }
    turns
}

/// What has statistics in the order in which a script has them, which is not that of an archive. What is not in the script goes.
fn in_turn<T>(mut wanted: Vec<(DumpId, T)>, turns: &HashMap<DumpId, usize>) -> Vec<(DumpId, T)> {
    wanted.retain(|(id, _)| turns.contains_key(id));
    wanted.sort_by_key(|(id, _)| turns.get(id).copied());
    wanted
}

/// The data of a database, as a restore would take an archive's.
struct Live<'a, R, E> {
    session: &'a mut Session,
    tasks: HashMap<DumpId, DataTask>,
    of_relations: Reader<'a, R>,
    extended: Reader<'a, E>,
    /// How much all of the data is, as far as is known by now.
    expected: u64,
    read: DataSummary,
    reporter: &'a dyn Reporter,
}

impl<R, E> Live<'_, R, E> {
    /// The task of an entry, which is over with this.
    fn task(&mut self, id: DumpId) -> Result<DataTask> {
        self.tasks.remove(&id).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("read the data of entry {id}")).why("nothing is known of them")
        })
    }

    fn note(&mut self, task: &DataTask, read: DataSummary) {
        self.read.rows += read.rows;
        self.read.large_objects += read.large_objects;
        self.read.bytes += read.bytes;
        // What a table takes in its file is not quite what its rows take here.
        self.expected = self.expected.saturating_sub(task.expected_bytes()).saturating_add(read.bytes);
        self.reporter.expect(self.expected);
    }
}

impl<R: HasStatistics, E: HasStatistics> Data for Live<'_, R, E> {
    fn table(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeRows<'_>) -> Result<()> {
        let (task, reporter) = (self.task(id)?, self.reporter);
        let summary = hand_over(self.session, &task, &mut |_, piece| {
            reporter.cancellation().check()?;
            read(piece.len() as u64);
            take(piece)
        })?;
        self.note(&task, summary);
        Ok(())
    }

    fn large_objects(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeObject<'_>) -> Result<()> {
        let (task, reporter) = (self.task(id)?, self.reporter);
        let summary = hand_over(self.session, &task, &mut |oid, piece| {
            reporter.cancellation().check()?;
            read(piece.len() as u64);
            take(oid.unwrap_or_default(), piece)
        })?;
        self.note(&task, summary);
        Ok(())
    }

    fn statistics(&mut self, id: DumpId) -> Result<Option<BString>> {
        let sql = match self.of_relations.statements(id, self.session)? {
            None => self.extended.statements(id, self.session)?,
            sql => sql,
        };
        Ok(sql.map(|sql| sql.into_bstring()))
    }
}
