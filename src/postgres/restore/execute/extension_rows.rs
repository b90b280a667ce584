//! Rows of tables that belong to extensions.
//!
//! An archive holds rows of such a table, but does not make it: its extension does. Where the extension is made anew, the
//! table has what its script puts there. Where it stays, the table has the rows of before, and those of the archive would go
//! on top of them. What the extension calls its users' rows (`extconfig`, `extcondition`) is replaced then: deleted in the
//! reverse of the archive's order and loaded in its order, in one transaction, for the tables refer to each other.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bstr::{BString, ByteSlice};
use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::Chosen;
use crate::postgres::archive::copy_statement::{self, CopyStatement};
use crate::postgres::archive::kinds::VIA_ROOT;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::restore::execute::{Data, Run};
use crate::postgres::restore::plan::{Action, Step};
use crate::printable;
use crate::progress::Level;
use crate::sql::{Deparsed, Sql};

/// What is known of the rows of extensions' tables.
#[derive(Default)]
pub(in crate::postgres::restore) struct ExtensionRows {
    /// The extensions that were there when everything was dropped that was to be.
    there: HashSet<BString>,
    /// Entries that were carried out before their turn.
    loaded: HashSet<usize>,
    /// Entries that are not carried out any more when it is their turn.
    done: HashSet<usize>,
    /// Whether it was seen to.
    is_settled: bool,
}

impl ExtensionRows {
    /// For one who only does what is left of it.
    pub(in crate::postgres::restore) fn settled() -> Self {
        Self { is_settled: true, ..Self::default() }
    }
}

/// Rows of an extension's table.
struct Rows {
    entry: usize,
    steps: Range<usize>,
    extension: BString,
    schema: BString,
    table: BString,
    /// Which rows are the users': `WHERE …`, or nothing for all; `None` if the extension says that none are.
    condition: Option<BString>,
    /// Whether the role may take rows away and put others there.
    may_replace: bool,
    /// A table outside of the extension that would lose rows along with these.
    loser: Option<BString>,
}

const TABLES: &str = "\
    SELECT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, e.extname::pg_catalog.text AS extension, \
      CASE WHEN k.place IS NOT NULL THEN coalesce(e.extcondition[k.place], '') END AS condition, \
      pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT') \
        AND pg_catalog.has_table_privilege(c.oid, 'DELETE') AS may_replace, \
      (SELECT pg_catalog.min(f.conrelid::pg_catalog.regclass::pg_catalog.text) FROM pg_catalog.pg_constraint f \
        WHERE f.contype = 'f' AND f.confrelid = c.oid AND f.confdeltype NOT IN ('a', 'r') \
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.classid = \
        'pg_catalog.pg_class'::pg_catalog.regclass AND o.objid = f.conrelid \
          AND o.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND o.refobjid = e.oid AND o.deptype = \
          'e')) AS loser \
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid \
    JOIN pg_catalog.pg_class c ON c.oid = d.objid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    LEFT JOIN LATERAL (SELECT pg_catalog.min(s) AS place FROM pg_catalog.generate_subscripts(e.extconfig, 1) s \
      WHERE e.extconfig[s] = c.oid) k ON true \
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = \
      'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e' AND d.objsubid = 0 AND c.relkind IN ('r', \
      'p', 'f')";

/// Pairs of tables of which one refers to the other.
const REFERENCES: &str = "\
    SELECT DISTINCT n.nspname::pg_catalog.text AS schema, c.relname::pg_catalog.text AS name, \
      o.nspname::pg_catalog.text AS other_schema, t.relname::pg_catalog.text AS other_name \
    FROM pg_catalog.pg_constraint f \
    JOIN pg_catalog.pg_class c ON c.oid = f.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_catalog.pg_class t ON t.oid = f.confrelid JOIN pg_catalog.pg_namespace o ON o.oid = t.relnamespace \
    WHERE f.contype = 'f' AND f.conrelid <> f.confrelid";

/// The table that an entry's rows go into.
fn table(entry: &Entry) -> (BString, BString) {
    let copy = entry.copy_statement.as_ref().and_then(|statement| CopyStatement::parse(statement));
    let (schema, name) = match copy {
        Some(copy) => (copy.schema, copy.table),
        // Those of a partition may go into its root, which may send them to any partition.
        None => {
            let root = text(&entry.definition).strip_prefix(VIA_ROOT);
            root.and_then(copy_statement::qualified_name).unwrap_or_else(|| (None, text(&entry.tag).to_owned()))
        }
    };
    (schema.unwrap_or_else(|| text(&entry.schema).to_owned()), name)
}

/// Whether steps bring in rows, and the entry that makes their table, if the archive has one.
fn rows_of(steps: &[Step]) -> Option<Option<usize>> {
    steps.iter().find_map(|step| match &step.action {
        Action::CopyRows { table, .. } | Action::RunData { table } => Some(*table),
        _ => None,
    })
}

/// The settings that hold before the step at `place`: the last of each.
fn settings(steps: &[Step], place: usize) -> Vec<&Action> {
    let variable = |action: &Action| match action {
        Action::Set(statement) => Some(statement.split(|byte| *byte == b'=').next().unwrap_or_default().to_vec()),
        Action::Become(_) => Some(b"SET SESSION AUTHORIZATION".to_vec()),
        _ => None,
    };
    let mut seen = HashSet::new();
    let last = steps[..place.min(steps.len())].iter().rev().map(|step| &step.action);
    let mut found: Vec<&Action> =
        last.filter(|action| variable(action).is_some_and(|name| seen.insert(name))).collect();
    // A role first: the rest is set as that.
    found.sort_by_key(|action| !matches!(action, Action::Become(_)));
    found
}

impl<'a> Run<'a> {
    /// Puts down which extensions are there, after the drops.
    pub(in crate::postgres::restore) fn note_extensions(&mut self) -> Result<()> {
        if self.options.create || self.unmade_rows().is_empty() {
            return Ok(());
        }
        let rows = self.target.query("SELECT extname::pg_catalog.text AS name FROM pg_catalog.pg_extension", &[])?;
        self.extension_rows.there = rows.iter().map(|row| Ok(row.string("name")?)).collect::<Result<_>>()?;
        Ok(())
    }

    /// Sees to the rows of the tables of extensions that stay, before any other rows are loaded. `place` is where the plan
    /// has been carried out to.
    pub(in crate::postgres::restore) fn settle_extension_rows(
        &mut self,
        data: &mut dyn Data,
        place: usize,
    ) -> Result<()> {
        if std::mem::replace(&mut self.extension_rows.is_settled, true) {
            return Ok(());
        }
        let mut all = self.ask_extension_rows()?;
        all.retain(|rows| self.extension_rows.there.contains(&rows.extension));
        let mut seen = HashSet::new();
        for first in &all {
            if seen.insert(&first.extension) {
                let of_extension: Vec<&Rows> = all.iter().filter(|rows| rows.extension == first.extension).collect();
                self.settle_rows_of(&of_extension, data)?;
            }
            if self.summary.stopped {
                break;
            }
        }
        if self.summary.stopped { Ok(()) } else { self.set_again(place) }
    }

    /// Loads the rows that must not be loaded beside others: those of tables that are there already and refer to each other, as
    /// extensions' tables do, and all tables in a restore of data only. They come in the archive's order, before the others.
    pub(in crate::postgres::restore) fn load_in_order(&mut self, data: &mut dyn Data, place: usize) -> Result<()> {
        self.settle_extension_rows(data, place)?;
        let unmade = self.unmade_rows();
        if unmade.is_empty() || self.summary.stopped {
            return Ok(());
        }
        let mut bound: HashSet<usize> = self.ask_extension_rows()?.into_iter().map(|rows| rows.entry).collect();
        let mut of_table: HashMap<(BString, BString), Vec<usize>> = HashMap::new();
        for (entry, _) in &unmade {
            of_table.entry(table(&self.entries[*entry])).or_default().push(*entry);
        }
        for row in self.target.query(REFERENCES, &[])?.iter() {
            let one = of_table.get(&(row.string("schema")?, row.string("name")?));
            let other = of_table.get(&(row.string("other_schema")?, row.string("other_name")?));
            if let (Some(one), Some(other)) = (one, other) {
                bound.extend(one.iter().chain(other));
            }
        }
        for (entry, steps) in unmade {
            if bound.contains(&entry) && !self.extension_rows.done.contains(&entry) && !self.summary.stopped {
                self.load_early(entry, steps, data)?;
            }
        }
        if self.summary.stopped { Ok(()) } else { self.set_again(place) }
    }

    /// Whether nothing is to be done with an entry any more when it is its turn, because it was seen to before.
    pub(in crate::postgres::restore) fn is_settled(&self, steps: &'a [Step]) -> bool {
        let Some(entry) = steps.first().map(|step| step.entry) else { return false };
        let is_done = self.extension_rows.done.contains(&entry);
        if is_done && !self.extension_rows.loaded.contains(&entry) {
            steps.iter().for_each(|step| self.part(step).end());
        }
        is_done
    }

    /// Whether an entry's rows go into a partitioned table, and could come into a partition that could not be made.
    pub(in crate::postgres::restore) fn could_go_astray(&self, entry: usize) -> bool {
        let of_entry = |at: usize| &self.entries[at];
        let root = table(of_entry(entry));
        let own = (text(&of_entry(entry).schema), text(&of_entry(entry).tag));
        if self.undefined.is_empty() || (root.0.as_bstr(), root.1.as_bstr()) == own {
            return false;
        }
        self.plan.steps.iter().any(|step| {
            rows_of(std::slice::from_ref(step)).flatten().is_some_and(|table| self.undefined.contains(&table))
                && table(of_entry(step.entry)) == root
        })
    }

    /// Whether steps bring in the rows of a table.
    pub(in crate::postgres::restore) fn brings_rows(&self, steps: &[Step]) -> bool {
        rows_of(steps).is_some() && steps.first().is_some_and(|step| kinds::is(&self.entries[step.entry], "TABLE DATA"))
    }

    /// The entries with rows of tables that this restore does not make, and their steps.
    fn unmade_rows(&self) -> Vec<(usize, Range<usize>)> {
        let mut begin = 0;
        let mut found = Vec::new();
        for steps in self.plan.steps.chunk_by(|a, b| a.entry == b.entry) {
            let range = begin..begin + steps.len();
            begin = range.end;
            let is_made = |table: usize| self.plan.wanted.get(table).is_some_and(|wanted| wanted.definition);
            if self.brings_rows(steps) && !rows_of(steps).flatten().is_some_and(is_made) {
                found.push((steps[0].entry, range));
            }
        }
        found
    }

    /// The rows in the plan that go into tables of extensions.
    fn ask_extension_rows(&mut self) -> Result<Vec<Rows>> {
        let unmade = self.unmade_rows();
        if unmade.is_empty() {
            return Ok(Vec::new());
        }
        let mut found: HashMap<(BString, BString), Rows> = HashMap::new();
        for row in self.target.query(TABLES, &[])?.iter() {
            let (schema, table) = (row.string("schema")?, row.string("name")?);
            let rows = Rows {
                entry: 0,
                steps: 0..0,
                extension: row.string("extension")?,
                schema: schema.clone(),
                table: table.clone(),
                condition: row.opt_string("condition")?,
                may_replace: row.bool("may_replace")?,
                loser: row.opt_string("loser")?,
            };
            found.insert((schema, table), rows);
        }
        let of_entry = |(entry, steps): (usize, Range<usize>)| {
            let rows = found.remove(&table(&self.entries[entry]))?;
            Some(Rows { entry, steps, ..rows })
        };
        Ok(unmade.into_iter().filter_map(of_entry).collect())
    }

    /// Sees to the rows of an extension that was there before and is there still.
    fn settle_rows_of(&mut self, all: &[&Rows], data: &mut dyn Data) -> Result<()> {
        let Some(extension) = all.first().map(|rows| rows.extension.clone()) else { return Ok(()) };
        let name = printable::name(extension.as_bstr());
        let stays = |why: &str| format!("the extension {name} stays, and {why}: its rows are left as they are");
        if !self.options.clean {
            let is_it = |(entry, wanted): (&Entry, &Chosen)| {
                kinds::is(entry, "EXTENSION") && text(&entry.tag) == extension && wanted.definition
            };
            // Data alone goes on top of what is there, as that of other tables does.
            if self.entries.iter().zip(&self.plan.wanted).any(is_it) && !self.options.data_for_failed_tables {
                all.iter().for_each(|rows| self.leave_rows(rows, stays("nothing is to be dropped")));
            }
            return Ok(());
        }
        let obstacle = all.iter().find_map(|rows| match rows {
            Rows { condition: None, .. } => Some("it does not say which rows of its tables are its users'".to_owned()),
            Rows { may_replace: false, .. } => Some("this role may not replace rows of its tables".to_owned()),
            Rows { loser: Some(loser), .. } => Some(format!("{} refers to them", printable::name(loser.as_bstr()))),
            _ => None,
        });
        if let Some(obstacle) = obstacle {
            all.iter().for_each(|rows| self.leave_rows(rows, stays(&obstacle)));
            return Ok(());
        }
        let is_own = !self.is_block;
        let (rows_before, bytes_before) = (self.summary.rows, self.summary.bytes);
        if is_own {
            self.begin()?;
        }
        let replaced = self.replace(all, data);
        let is_good = matches!(replaced, Ok(true));
        if is_own && !self.target.is_broken() {
            if is_good { self.commit()? } else { self.target.rollback()? }
        }
        if is_own {
            self.is_block = false;
        }
        replaced?;
        if is_own && !is_good {
            (self.summary.rows, self.summary.bytes) = (rows_before, bytes_before);
            for rows in all {
                self.extension_rows.done.insert(rows.entry);
                if !self.failed.contains(&rows.entry) {
                    self.leave_rows(rows, stays("not all of them could be replaced"));
                }
            }
        }
        Ok(())
    }

    /// Deletes rows, from the last table to the first, and loads others where the archive can be read in another order than it
    /// has. Says whether all went well.
    fn replace(&mut self, all: &[&Rows], data: &mut dyn Data) -> Result<bool> {
        let count = |run: &Self| run.summary.errors.len() + run.summary.skipped.len() + run.summary.left.len();
        let before = count(self);
        for rows in all.iter().rev() {
            let mut delete = Sql::new();
            delete.kw("DELETE FROM ").qualified(rows.schema.as_bstr(), rows.table.as_bstr()).kw(" ");
            delete.deparsed(&Deparsed::by_server(rows.condition.clone().unwrap_or_default()));
            if let Err(error) = self.target.query(delete.as_bstr(), &[]) {
                self.put_down(rows.entry, delete.as_bstr(), error.into())?;
                return Ok(false);
            }
        }
        if data.can_go_back() {
            for rows in all {
                self.load_early(rows.entry, rows.steps.clone(), data)?;
                if count(self) != before || self.summary.stopped {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Carries out the steps of an entry before its turn.
    fn load_early(&mut self, entry: usize, steps: Range<usize>, data: &mut dyn Data) -> Result<()> {
        self.set_again(steps.start)?;
        self.carry_out_apart(steps, data)?;
        self.extension_rows.loaded.insert(entry);
        self.extension_rows.done.insert(entry);
        Ok(())
    }

    /// Sets again what holds before the step at `place`.
    fn set_again(&mut self, place: usize) -> Result<()> {
        let plan = self.plan;
        for action in settings(&plan.steps, place) {
            match action {
                Action::Become(statement) => self.become_user(statement)?,
                Action::Set(statement) => self.target.foreign()?.execute(statement)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Leaves an entry's rows out.
    fn leave_rows(&mut self, rows: &Rows, why: String) {
        self.say(Level::Error, rows.entry, why);
        self.leave_out(rows.entry);
        self.extension_rows.done.insert(rows.entry);
    }
}
