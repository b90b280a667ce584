//! A single drop, and several at once; what `DROP TYPE … CASCADE` would take along.

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::{kinds, text};
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::slots::Slots;
use crate::postgres::restore::execute::statement::{NO_MORE_LOCKS, is_absence};
use crate::postgres::restore::execute::{Client, Ledger, batch};
use crate::postgres::restore::plan::{Action, Step, large_objects};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Level;
use crate::wire::{Connection, Param};
use crate::{Error, Result};

/// A drop that is still to be done.
#[derive(Clone, Copy)]
pub struct Drop<'a> {
    pub step: &'a Step,
    pub settings: Settings<'a>,
}

pub struct Failure<'a> {
    pub drop: Drop<'a>,
    pub error: EntryError,
}

/// What must be set for a drop: statements.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings<'a> {
    pub user: Option<&'a [u8]>,
    pub path: Option<&'a [u8]>,
}

impl Settings<'_> {
    pub fn set(self, client: &mut Client<'_>) -> Result<()> {
        if let Some(statement) = self.user {
            client.become_user(statement)?;
        }
        // A path to a schema that is not there is not an error.
        self.path.map_or(Ok(()), |statement| client.execute(statement))
    }
}

pub struct Drops<'d, 'a> {
    pub client: &'d mut Client<'a>,
    pub ledger: &'d mut Ledger<'a>,
    pub slots: Slots,
    /// How many are done in a transaction, where there are such.
    pub size: Option<usize>,
}

impl<'a> Drops<'_, 'a> {
    /// Does several drops; those that failed.
    pub fn several(&mut self, drops: &[Drop<'a>]) -> Result<Vec<Failure<'a>>> {
        self.client.interrupt.check()?;
        let entries = self.client.job.entries;
        let statements: Option<Vec<&[u8]>> = drops.iter().map(|drop| drop.step.statement(entries)).collect();
        let mut failures = Vec::new();
        match statements {
            Some(statements) if !self.client.in_transaction() => {
                let results = self.client.connection.foreign()?.execute_each(&statements)?;
                for ((drop, statement), result) in drops.iter().zip(statements).zip(results) {
                    let Err(error) = result else { continue };
                    let failed = self.failure(drop.step, statement, error.into())?;
                    failures.extend(failed.map(|error| Failure { drop: *drop, error }));
                }
                return Ok(failures);
            }
            // In one transaction each drop must be kept apart. Most often all can be done, and then that is not needed.
            Some(statements) if self.client.attempt(&statements.join(b"\n;".as_slice()))?.is_none() => {
                return Ok(failures);
            }
            _ => {}
        }
        for drop in drops {
            failures.extend(self.one(drop.step)?.map(|error| Failure { drop: *drop, error }));
            if self.ledger.is_stopped() {
                break;
            }
        }
        Ok(failures)
    }

    /// Does one drop; the error, if it failed.
    fn one(&mut self, step: &Step) -> Result<Option<EntryError>> {
        let entries = self.client.job.entries;
        match &step.action {
            Action::EachLargeObject { before, after, oids_of, .. } => {
                let oids = large_objects::oids(&entries[*oids_of])?;
                let mut failure = None;
                for many in oids.chunks(batch::STATEMENTS) {
                    let statements: Vec<Vec<u8>> =
                        many.iter().map(|oid| large_objects::statement(before, *oid, after)).collect();
                    if self.client.attempt(&statements.concat())?.is_none() {
                        continue;
                    }
                    for statement in &statements {
                        let error = self.alone(step, statement)?;
                        failure = failure.or(error);
                    }
                }
                Ok(failure)
            }
            Action::Drop(statement) => self.alone(step, statement),
            Action::DropCascade(statement) => {
                let entry = &entries[step.entry];
                let dependents = dependents_of_type(self.client.connection, entry)?;
                if dependents.is_empty() {
                    return self.alone(step, statement);
                }
                let message = format!("it cannot be dropped without {}, which depend on it", dependents.join(", "));
                Ok(Some(EntryError::other(entry, statement, message)))
            }
            _ => Ok(None),
        }
    }

    /// Runs a drop; the error, if it failed although there is something to drop.
    pub fn alone(&mut self, step: &Step, statement: &[u8]) -> Result<Option<EntryError>> {
        match self.client.attempt(statement)? {
            Some(error) => self.failure(step, statement, error),
            None => Ok(None),
        }
    }

    /// What to make of a drop's error: nothing, if there is nothing to drop.
    fn failure(&mut self, step: &Step, statement: &[u8], error: Error) -> Result<Option<EntryError>> {
        let error = self.client.survived(error)?;
        let error = self.client.entry_error(step.entry, statement, &error);
        let job = self.client.job;
        if job.options.if_exists && error.sqlstate.as_deref().is_some_and(is_absence) {
            job.say(Level::Debug, step.entry, format!("nothing to drop: {}", error.message));
            self.ledger.add_ignored();
            return Ok(None);
        }
        if self.client.in_transaction() && error.sqlstate.as_deref() == Some(NO_MORE_LOCKS) {
            // Every drop after it would fail alike.
            self.ledger.change(step.entry, |state| state.dropped = Dropped::Failed);
            self.ledger.put_down(step.entry, error);
            return Ok(None);
        }
        Ok(Some(error))
    }
}

const SHOWN: i32 = 5;

/// What depends on the type that `entry` makes, but for what is a part of it and for the functions that the type itself depends
/// on: those are its own, as those that read and write a base type are, or the one that makes a range canonical. What depends
/// on these functions counts as well.
pub fn dependents_of_type(target: &mut Connection, entry: &Entry) -> Result<Vec<String>> {
    let rows = target.query(
        "WITH RECURSIVE it AS ( \
             SELECT t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace \
             WHERE n.nspname = $1::pg_catalog.text AND t.typname = $2::pg_catalog.text \
         ), goes (class, oid) AS ( \
             SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, oid FROM it \
             UNION \
             SELECT d.refclassid, d.refobjid FROM pg_catalog.pg_depend d, it \
             WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = it.oid AND d.refclassid = \
             'pg_catalog.pg_proc'::pg_catalog.regclass \
             UNION \
             SELECT d.classid, d.objid FROM pg_catalog.pg_depend d, goes \
             WHERE d.refclassid = goes.class AND d.refobjid = goes.oid AND d.deptype = 'i' \
         ) \
         SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) AS object \
         FROM pg_catalog.pg_depend d JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
         WHERE d.deptype IN ('n', 'a') AND (d.classid, d.objid) NOT IN (SELECT class, oid FROM goes) \
         ORDER BY 1 LIMIT $3::pg_catalog.int4",
        &[Param::text(text(&entry.schema)), Param::text(text(&entry.tag)), Param::int4(SHOWN)],
    )?;
    rows.iter().map(|row| Ok(row.text("object")?.to_str_lossy().into_owned())).collect()
}

/// The statement that drops the type of `entry` along with what depends on it, if `statement` drops one without.
pub fn with_cascade(entry: &Entry, statement: &[u8]) -> Option<Vec<u8>> {
    let is_type = ["TYPE", "DOMAIN"].iter().any(|desc| kinds::is(entry, desc));
    let statement = statement.trim_ascii_end().strip_suffix(b";").filter(|_| is_type)?;
    Some([statement, b" CASCADE;\n"].concat())
}
