//! Relations: whatever is in `pg_class` and can be dumped by itself.
//!
//! One scan (`survey`) serves tables, views, materialized views, sequences, foreign tables and the relations behind
//! composite types. What is in other catalogs (`columns`, `defaults`, `checks`, `details`) is added under the locks, each
//! by one query for all relations; `inheritance` then works out what a child need not say again. The text of a kind of
//! relation is in its own file: `table`, `view`, `sequence`.

mod attach;
mod checks;
mod column_settings;
mod columns;
mod comments;
mod data;
mod defaults;
mod details;
mod inheritance;
mod materialized_view;
pub(super) mod reloptions;
mod sequence;
mod survey;
mod table;
mod view;

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::{Emitter, Render, Subject};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, Object, Rank, Side};
use crate::postgres::privileges::{Privileges, PrivilegesOf};
use crate::postgres::relkind::Relkind;
use crate::sql::Sql;

pub(super) use attach::Attaches;
pub use checks::TableCheck;
pub(super) use checks::TableChecks;
pub use columns::Column;
pub(super) use columns::Columns;
pub(super) use data::Data;
pub use defaults::ColumnDefault;
pub(super) use defaults::ColumnDefaults;
pub(super) use details::AllDetails;
pub use details::Details;
pub(super) use inheritance::Inheritance;
pub(super) use sequence::Sequences;
pub(super) use survey::Relations;

/// Whether a relation outlives a crash, or a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    Permanent,
    Unlogged,
    Temporary,
}

/// The column that a sequence belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnedBy {
    /// The table's OID.
    pub table: u32,
    /// The column's number.
    pub column: i32,
    /// Whether the sequence is the inner part of an identity column.
    pub identity: bool,
}

/// The privileges on one column.
#[derive(Debug, Clone)]
pub struct ColumnPrivileges {
    /// The column's number; negative for a system column.
    pub number: i16,
    /// Its name.
    pub name: BString,
    /// What it has.
    pub privileges: Privileges,
}

/// A relation.
pub struct Relation {
    /// Its OID.
    pub oid: u32,
    /// What it is.
    pub kind: Relkind,
    /// The owner's name.
    pub owner: BString,
    /// Whether it outlives a crash.
    pub persistence: Persistence,
    /// Whether a materialized view has its rows, now and all that it is made of.
    pub populated: bool,
    /// `pg_class.relreplident`.
    pub replica_identity: u8,
    /// Whether row security binds the owner, too.
    pub force_row_security: bool,
    /// How many CHECK constraints the catalog says there are.
    pub check_count: i16,
    /// An estimate of its size in pages.
    pub pages: i32,
    /// The same of its TOAST table.
    pub toast_pages: i32,
    /// The OID of the type that it is a table of, or 0.
    pub of_type: u32,
    /// Whether it is a partition.
    pub is_partition: bool,
    /// The OID of a foreign table's server, or 0.
    pub foreign_server: u32,
    /// Storage parameters (`name=value`), a view's check option left out.
    pub options: Vec<BString>,
    /// Storage parameters of the TOAST table.
    pub toast_options: Vec<BString>,
    /// A view's check option: `LOCAL` or `CASCADED`.
    pub check_option: Option<&'static str>,
    /// The tablespace's name; empty for the database's own.
    pub tablespace: BString,
    /// The access method's name.
    pub access_method: Option<BString>,
    /// Its privileges.
    pub privileges: Privileges,
    /// The privileges on columns, by number.
    pub column_privileges: Vec<ColumnPrivileges>,
    /// The column that a sequence belongs to.
    pub owned_by: Option<OwnedBy>,
    /// The relations that it inherits from, or the one it is a partition of, in the order of the INHERITS clause.
    pub parents: Vec<DumpId>,
    /// Whether its columns, defaults and so on are read.
    pub of_interest: bool,
    /// Its columns by number, dropped ones included; for relations of interest that are not sequences.
    pub columns: Vec<Column>,
    /// Its CHECK constraints by name.
    pub checks: Vec<DumpId>,
    /// What the server tells about it in words.
    pub details: Details,
    /// A sequence's parameters and value.
    pub sequence: Option<sequence::Parameters>,
    /// Whether rows may land in another partition when they are restored, so that they must go through the root: it is
    /// partitioned by a hash that depends on OIDs.
    pub unsafe_partitions: bool,
    /// What dumps its data.
    pub data: Option<DumpId>,
    /// Whether its definition is a stand-in (a view), or waits for what comes after the data (a materialized view).
    pub set_apart: bool,
}

impl Relation {
    /// The column with that number.
    pub fn column(&self, number: i32) -> Option<&Column> {
        self.columns.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The name of the column with that number, which may be that of a system column.
    ///
    /// # Errors
    /// There is no such column; `object` is the relation's.
    pub fn column_name(&self, number: i32, object: &Object) -> Result<&BStr> {
        let system = |number| match number {
            -1 => Some("ctid"),
            -2 => Some("xmin"),
            -3 => Some("cmin"),
            -4 => Some("xmax"),
            -5 => Some("cmax"),
            -6 => Some("tableoid"),
            _ => None,
        };
        self.column(number).map(|column| column.name.as_bstr()).or_else(|| system(number).map(BStr::new)).ok_or_else(
            || {
                Error::new(ErrorKind::Incomplete, format!("find column {number} of \"{}\"", object.name))
                    .why("the catalog has no such column")
            },
        )
    }

    /// Whether CREATE TABLE names the column: not where it comes with a parent, except in a partition, which is made by
    /// itself and attached afterwards.
    pub fn spells_out(&self, column: &Column) -> bool {
        !column.dropped && (column.local || self.is_partition)
    }

    /// The quoted name without the schema.
    fn name(object: &Object, render: &Render<'_>) -> Sql {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        name
    }

    /// Its own privileges, and after them those of its columns.
    fn emit_privileges(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if !object.dumped().has(Components::PRIVILEGES) {
            return Ok(());
        }
        let name = Self::name(object, render);
        let words = if self.kind == Relkind::Sequence { "SEQUENCE" } else { "TABLE" };
        let schema = render.model.schema_name(object);
        let subject = Subject { words, schema, name: &name, owner: self.owner.as_bstr() };
        let own = out.privileges(render, object, &subject, &self.privileges)?;
        let subject = Subject { words: "TABLE", ..subject };
        for column in &self.column_privileges {
            let initial =
                object.catalog_id.and_then(|id| render.model.initial_privileges.get(&(id, i32::from(column.number))));
            let of =
                PrivilegesOf { column: Some(column.name.as_bstr()), after: own, initial, ..PrivilegesOf::default() };
            out.privileges_of(render, object, &subject, &column.privileges, &of)?;
        }
        Ok(())
    }
}

impl Body for Relation {
    fn rank(&self) -> Rank {
        Rank::Table
    }

    fn side(&self) -> Side {
        let postponed = self.kind == Relkind::MaterializedView && self.set_apart;
        if postponed { Side::PostData } else { Side::PreData }
    }

    fn loop_role(&self) -> LoopRole {
        match self.kind {
            Relkind::View => LoopRole::View,
            Relkind::MaterializedView => LoopRole::MaterializedView,
            _ => LoopRole::Table,
        }
    }

    fn separate(&mut self) {
        self.set_apart = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if object.dumped().has(Components::DEFINITION) {
            match self.kind {
                Relkind::Sequence => self.emit_sequence(object, render, out)?,
                // The type's file dumps it.
                Relkind::CompositeType => return Ok(()),
                _ => self.emit_definition(object, render, out)?,
            }
        }
        self.emit_privileges(object, render, out)
    }
}

/// The relation with that OID.
///
/// # Errors
/// There is none; `what` reads on after "find": "the table of trigger …".
pub fn by_oid(model: &Model, oid: u32, what: impl FnOnce() -> String) -> Result<(&Object, &Relation)> {
    model.find_body::<Relation>(crate::postgres::catalogs::Catalog::CLASS, oid).ok_or_else(|| {
        Error::new(ErrorKind::Incomplete, format!("find {}", what()))
            .why(format!("the catalog has no relation with OID {oid}"))
            .hint("it was dropped a moment ago: try again")
    })
}
