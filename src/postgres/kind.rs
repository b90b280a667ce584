//! What a kind of object is: its queries, when they run, and what they may depend on.

use std::fmt::Display;

use super::catalogs::Catalog;
use super::dump::DumpOptions;
use super::model::Model;
use super::relkind::Relkind;
use super::table_locks::LockedTable;
use super::version::ServerVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::Sql;
use crate::wire::{Query, Row, Rows};

/// When a kind's queries run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Before tables are locked: what is needed to know which tables those are.
    Survey,
    /// Under the locks: everything else.
    Definitions,
}

/// A kind in the list of all kinds.
pub struct Listed {
    /// What it is called, and so are its cases in `tests/objects/`.
    pub name: &'static str,
    /// The catalogs whose rows it accounts for.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test asks whether each catalog is some kind's"))]
    pub catalogs: &'static [Catalog],
    /// The kind itself.
    pub kind: &'static dyn Kind,
}

/// A kind of object.
pub trait Kind: Sync {
    /// When its queries run.
    fn stage(&self) -> Stage {
        Stage::Definitions
    }

    /// The tables, of what the survey has found, that must be locked before anything else is read of them.
    fn to_be_locked(&self, _model: &Model) -> Vec<LockedTable> {
        Vec::new()
    }

    /// Notes in the scope, when the survey is done, what the queries of the second stage are about.
    fn narrow(&self, _model: &Model, _scope: &mut Scope<'_>) {}

    /// A catalog without whose rows there is nothing for it to read: where no user has made one, it is not asked for its queries, and
    /// gets no results.
    fn rows_of_users_in(&self) -> Option<Catalog> {
        None
    }

    /// Its catalog queries: a fixed number, each for all objects at once.
    fn queries(&self, _scope: &Scope<'_>) -> Vec<Query> {
        Vec::new()
    }

    /// Adds its objects to the model; `rows` are the results of its queries, in their order. Kinds that come before it
    /// in the list of all kinds have added theirs.
    ///
    /// # Errors
    /// A row cannot be read, or says something that this kind does not know how to dump.
    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        rows.iter().flat_map(Rows::iter).try_for_each(|row| self.add(row, scope, model))
    }

    /// Adds what a row is about, where that takes no other row. A kind that has queries has this, or [`Kind::collect`].
    ///
    /// # Errors
    /// As [`Kind::collect`].
    fn add(&self, _row: Row<'_>, _scope: &Scope<'_>, _model: &mut Model) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "read the catalog").why("a kind of object has a query and reads no row"))
    }

    /// Adds what depends on all objects being there: dependencies that the server does not record, above all.
    ///
    /// # Errors
    /// The objects contradict each other.
    fn link(&self, _model: &mut Model, _scope: &Scope<'_>) -> Result<()> {
        Ok(())
    }
}

/// What a kind's queries may depend on.
pub struct Scope<'a> {
    /// The server.
    pub server: ServerVersion,
    /// What was asked for.
    pub options: &'a DumpOptions,
    /// Whether the session's role is a superuser, who may read everything.
    pub superuser: bool,
    /// Whether the rows of unlogged tables are wanted and can be read.
    pub unlogged_data: bool,
    /// The OIDs of the relations that the second stage looks into: those of which anything is wanted, and their parents.
    pub relations: Vec<u32>,
    /// The sequences whose values are dumped, with their qualified names.
    pub sequences: Vec<(u32, Sql)>,
}

impl Scope<'_> {
    /// Whether the data of such relations is wanted at all.
    pub fn has_data(&self, kind: Relkind) -> bool {
        self.options.data || kind == Relkind::Sequence && self.options.sequence_data
    }
}

/// The results of a kind's queries, of which there are so many.
///
/// # Errors
/// There are not.
pub fn results<'r, const N: usize>(rows: &'r [Rows], doing: &str) -> Result<&'r [Rows; N]> {
    rows.try_into().map_err(|_| Error::new(ErrorKind::Internal, doing).why("a result is missing"))
}

/// A letter that stands for something in the catalog, if it is one of those that lifeboat knows the meaning of.
///
/// # Errors
/// It is not; the error says `what` of `whom` it is.
pub fn known(letter: u8, meaningful: &[u8], what: &str, whom: impl Display) -> Result<u8> {
    if meaningful.contains(&letter) {
        return Ok(letter);
    }
    Err(Error::new(ErrorKind::Incomplete, format!("read the definition of {whom}"))
        .why(format!("its {what} is '{}', which is not known", char::from(letter)))
        .hint("use a newer lifeboat, or the server's own pg_dump"))
}
