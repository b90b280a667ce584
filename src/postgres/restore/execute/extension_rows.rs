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

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::execute::entry_state::Turn;
use crate::postgres::restore::execute::unmade_rows::table;
use crate::postgres::restore::execute::{Client, Executor, Job, Ledger, unmade_rows};
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::source::Data;
use crate::progress::Level;
use crate::sql::{Deparsed, Sql};
use crate::wire::Row;
use crate::{Result, Work, printable};

/// What is known of the rows of extensions' tables.
#[derive(Default)]
pub struct ExtensionRows {
    /// The extensions that were there when everything was dropped that was to be.
    there: HashSet<BString>,
    /// Whether it was seen to.
    is_settled: bool,
}

struct Rows {
    entry: EntryIndex,
    steps: Range<usize>,
    table: Table,
}

struct Table {
    extension: BString,
    schema: BString,
    name: BString,
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

impl ExtensionRows {
    /// For one who only does what is left of it.
    pub fn settled() -> Self {
        Self { is_settled: true, ..Self::default() }
    }

    /// Asks which extensions are there, after the drops.
    pub fn ask(&mut self, client: &mut Client<'_>) -> Result<()> {
        if !client.job.options.create && !unmade_rows::unmade(client.job).is_empty() {
            let rows = client.query("SELECT extname::pg_catalog.text AS name FROM pg_catalog.pg_extension", &[])?;
            self.there = rows.iter().map(|row| Ok(row.string("name")?)).collect::<Result<_>>()?;
        }
        Ok(())
    }
}

/// These carry out steps before their turn.
impl Executor<'_> {
    /// Sees to the rows of the tables of extensions that stay, before any other rows are loaded. `place` is where the plan
    /// has been carried out to.
    pub fn settle_extensions(&mut self, data: &mut dyn Data, place: usize) -> Result<()> {
        if std::mem::replace(&mut self.extension_rows.is_settled, true) {
            return Ok(());
        }
        let mut all = ask_rows(&mut self.client)?;
        all.retain(|rows| self.extension_rows.there.contains(&rows.table.extension));
        let mut seen = HashSet::new();
        for first in &all {
            if seen.insert(&first.table.extension) {
                let of_extension: Vec<&Rows> =
                    all.iter().filter(|rows| rows.table.extension == first.table.extension).collect();
                self.settle_extension(data, &of_extension)?;
            }
            if self.ledger.is_stopped() {
                return Ok(());
            }
        }
        self.set_again(place)
    }

    /// Loads the rows that must not be loaded beside others: those of tables that are there already and refer to each other, as
    /// extensions' tables do, and all tables in a restore of data only. They come in the archive's order, before the others.
    pub fn load_in_order(&mut self, data: &mut dyn Data, place: usize) -> Result<()> {
        self.settle_extensions(data, place)?;
        let unmade = unmade_rows::unmade(self.job);
        if unmade.is_empty() || self.ledger.is_stopped() {
            return Ok(());
        }
        let bound = bound(&mut self.client, &unmade)?;
        for (at, steps) in unmade {
            if bound.contains(&at) && self.ledger.state(at).turn == Turn::ToCome && !self.ledger.is_stopped() {
                self.load_early(data, at, steps)?;
            }
        }
        if self.ledger.is_stopped() { Ok(()) } else { self.set_again(place) }
    }

    /// Sees to the rows of an extension that was there before and is there still.
    fn settle_extension(&mut self, data: &mut dyn Data, all: &[&Rows]) -> Result<()> {
        let options = self.job.options;
        let obstacle = match options.clean {
            true => all.iter().find_map(|rows| rows.table.obstacle()),
            // Data alone goes on top of what is there, as that of other tables does.
            false if options.data_for_failed_tables || !is_wanted(self.job, all) => return Ok(()),
            false => Some("nothing is to be dropped".to_owned()),
        };
        if let Some(obstacle) = obstacle {
            all.iter().for_each(|rows| leave(&mut self.ledger, rows, &obstacle));
            return Ok(());
        }
        if self.client.in_transaction() {
            return self.replace_rows(data, all).map(|_| ());
        }
        let before = self.ledger.amount;
        self.client.begin()?;
        let replaced = self.replace_rows(data, all);
        if matches!(replaced, Ok(true)) {
            return self.client.commit(&mut self.ledger);
        }
        let rolled_back = self.client.roll_back();
        self.ledger.amount = before;
        // What led to it comes first.
        replaced?;
        rolled_back?;
        for rows in all {
            self.ledger.set_turn(rows.entry, Turn::Skipped);
            if !self.ledger.state(rows.entry).has_failed {
                leave(&mut self.ledger, rows, "not all of them could be replaced");
            }
        }
        Ok(())
    }

    /// Deletes rows, from the last table to the first, and loads others where the archive can be read in another order than it
    /// has. Says whether all went well.
    fn replace_rows(&mut self, data: &mut dyn Data, all: &[&Rows]) -> Result<bool> {
        let before = self.ledger.failures();
        for rows in all.iter().rev() {
            let delete = rows.table.delete();
            if let Err(error) = self.client.query(delete.as_bstr(), &[]) {
                self.client.put_down(&mut self.ledger, rows.entry, Work::Statement(delete.as_bstr()), error)?;
                return Ok(false);
            }
        }
        if data.can_go_back() {
            for rows in all {
                self.load_early(data, rows.entry, rows.steps.clone())?;
                if self.ledger.failures() != before || self.ledger.is_stopped() {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Carries out the steps of an entry before its turn; they do not count for how far the plan has come.
    fn load_early(&mut self, data: &mut dyn Data, at: EntryIndex, steps: Range<usize>) -> Result<()> {
        self.set_again(steps.start)?;
        let reached = self.ledger.amount.steps;
        for step in &self.job.plan.steps[steps] {
            self.next(step, data)?;
            if self.ledger.is_stopped() {
                break;
            }
        }
        let sent = self.send();
        self.ledger.amount.steps = reached;
        sent?;
        self.ledger.set_turn(at, Turn::Early);
        Ok(())
    }

    /// Sets again what holds before the step at `place`.
    fn set_again(&mut self, place: usize) -> Result<()> {
        for action in unmade_rows::settings(&self.job.plan.steps, place) {
            match action {
                Action::Become(statement) => self.client.become_user(statement)?,
                Action::Set(statement) => self.client.execute(statement)?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Those of the entries with rows whose tables belong to extensions, or refer to another's.
fn bound(client: &mut Client<'_>, unmade: &[(EntryIndex, Range<usize>)]) -> Result<HashSet<EntryIndex>> {
    let mut bound: HashSet<EntryIndex> = ask_rows(client)?.into_iter().map(|rows| rows.entry).collect();
    let mut of_table: HashMap<(BString, BString), Vec<EntryIndex>> = HashMap::new();
    for (at, _) in unmade {
        of_table.entry(table(&client.job.entries[*at])).or_default().push(*at);
    }
    for row in client.query(REFERENCES, &[])?.iter() {
        let one = of_table.get(&(row.string("schema")?, row.string("name")?));
        let other = of_table.get(&(row.string("other_schema")?, row.string("other_name")?));
        if let (Some(one), Some(other)) = (one, other) {
            bound.extend(one.iter().chain(other));
        }
    }
    Ok(bound)
}

/// The rows in the plan that go into tables of extensions.
fn ask_rows(client: &mut Client<'_>) -> Result<Vec<Rows>> {
    let unmade = unmade_rows::unmade(client.job);
    if unmade.is_empty() {
        return Ok(Vec::new());
    }
    let mut tables: HashMap<(BString, BString), Table> = HashMap::new();
    for row in client.query(TABLES, &[])?.iter() {
        let table = Table::from_row(row)?;
        tables.insert((table.schema.clone(), table.name.clone()), table);
    }
    let entries = client.job.entries;
    let of_entry = |(entry, steps): (EntryIndex, Range<usize>)| {
        let table = tables.remove(&table(&entries[entry]))?;
        Some(Rows { entry, steps, table })
    };
    Ok(unmade.into_iter().filter_map(of_entry).collect())
}

impl Table {
    fn from_row(row: Row<'_>) -> Result<Self> {
        Ok(Self {
            extension: row.string("extension")?,
            schema: row.string("schema")?,
            name: row.string("name")?,
            condition: row.opt_string("condition")?,
            may_replace: row.bool("may_replace")?,
            loser: row.opt_string("loser")?,
        })
    }

    /// Why its rows cannot be replaced.
    fn obstacle(&self) -> Option<String> {
        match self {
            Self { condition: None, .. } => Some("it does not say which rows of its tables are its users'".to_owned()),
            Self { may_replace: false, .. } => Some("this role may not replace rows of its tables".to_owned()),
            Self { loser: Some(loser), .. } => Some(format!("{} refers to them", printable::name(loser.as_bstr()))),
            _ => None,
        }
    }

    /// The statement that takes its users' rows away.
    fn delete(&self) -> Sql {
        let mut delete = Sql::new();
        delete.kw("DELETE FROM ").qualified(self.schema.as_bstr(), self.name.as_bstr()).kw(" ");
        delete.deparsed(&Deparsed::by_server(self.condition.clone().unwrap_or_default()));
        delete
    }
}

/// Whether nothing is to be done for an entry any more when it is its turn, because it was seen to before.
pub fn are_past(ledger: &Ledger<'_>, steps: &[Step]) -> bool {
    let turn = steps.first().map_or(Turn::ToCome, |step| ledger.state(step.entry).turn);
    if turn == Turn::Skipped {
        steps.iter().for_each(|step| ledger.job.part(step).end());
    }
    turn != Turn::ToCome
}

/// Whether the archive makes the extension, and this restore wants that.
fn is_wanted(job: &Job<'_>, all: &[&Rows]) -> bool {
    let is_it = |entry: &Entry| {
        kinds::is(entry, "EXTENSION") && all.first().is_some_and(|rows| text(&entry.tag) == rows.table.extension)
    };
    job.entries.iter().zip(&job.plan.wanted).any(|(entry, wanted)| wanted.definition && is_it(entry))
}

fn leave(ledger: &mut Ledger<'_>, rows: &Rows, why: &str) {
    let name = printable::name(rows.table.extension.as_bstr());
    let text = format!("the extension {name} stays, and {why}: its rows are left as they are");
    ledger.job.say(Level::Error, rows.entry, text);
    ledger.skip(rows.entry);
    ledger.set_turn(rows.entry, Turn::Skipped);
}
