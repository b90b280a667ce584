//! The database whose place is to be taken: what it is called, who is in it, and what speaks against it.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};

use super::names::Rename;
use crate::postgres::sessions::{self, OtherSession};
use crate::progress::{Message, Reporter};
use crate::wire::{Connection, Param, Query};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result, printable};

/// The database that is there.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) oid: u32,
    /// What it would be called now, if it were put aside. Others may have taken that name when it is.
    pub(crate) aside: Rename,
    /// Who is connected to it, and which of them this role may not end.
    pub(crate) sessions: Vec<OtherSession>,
    unendable: Vec<OtherSession>,
    /// What speaks against it, in words.
    against: Option<(String, &'static str)>,
    /// Subscriptions that are switched off.
    subscriptions: Vec<BString>,
}

/// What is wrong where a pooler stands between here and the server.
const POOLER: &str = "a pooler is in between: it keeps sessions in the old database open, and gives them out under the name of the new one";

impl Place {
    /// Looks at the database `name`, over a connection to another one of the same server.
    ///
    /// # Errors
    /// There is none of this name; a pooler is in between; the server's.
    pub(crate) fn look(connection: &mut Connection, name: &BStr) -> Result<Self> {
        let doing = || format!("put another database into the place of \"{name}\"");
        let about = |what: &'static str, sql: String| Query::new(what, sql).param(Param::text(name));
        const OID: &str = "(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = $1::pg_catalog.text)";
        let queries = [
            about(
                "the database",
                "SELECT d.oid, pg_catalog.pg_backend_pid() AS pid, \
                 pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text AS owner, SESSION_USER::pg_catalog.text AS role, \
                 pg_catalog.pg_has_role(d.datdba, 'USAGE') AS may_rename, r.rolsuper OR r.rolcreatedb AS may_create, \
                 pg_catalog.current_setting('max_identifier_length')::pg_catalog.int4 AS longest \
                 FROM pg_catalog.pg_database AS d, pg_catalog.pg_roles AS r \
                 WHERE d.datname = $1::pg_catalog.text AND r.rolname = SESSION_USER"
                    .to_owned(),
            ),
            Query::new("the databases", "SELECT d.datname::pg_catalog.text AS name FROM pg_catalog.pg_database AS d"),
            about("who is connected", of_sessions(OID)),
            about(
                "prepared transactions",
                format!(
                    "SELECT p.gid AS name FROM pg_catalog.pg_prepared_xact() AS p WHERE p.dbid = {OID} ORDER BY 1 LIMIT 5"
                ),
            ),
            about(
                "replication slots",
                "SELECT s.slot_name::pg_catalog.text AS name FROM pg_catalog.pg_replication_slots AS s \
                 WHERE s.database = $1::pg_catalog.text AND NOT s.temporary ORDER BY 1 LIMIT 5"
                    .to_owned(),
            ),
            about(
                "subscriptions",
                format!(
                    "SELECT s.subname::pg_catalog.text AS name, s.subenabled AS is_enabled \
                     FROM pg_catalog.pg_subscription AS s WHERE s.subdbid = {OID} ORDER BY 1"
                ),
            ),
        ];
        let results = connection.pipeline(&queries)?;
        let [database, databases, others, prepared, slots, subscriptions] = results.as_slice() else {
            return Err(Error::new(ErrorKind::Internal, doing()).why("a result is missing"));
        };
        let Some(row) = database.first() else {
            return Err(Error::new(ErrorKind::Refused, doing())
                .why("there is none of this name")
                .hint("make it, and restore into it: CREATE DATABASE"));
        };
        if row.i32("pid")? != connection.backend_pid() {
            return Err(Error::new(ErrorKind::Refused, doing())
                .why(POOLER)
                .hint("nothing was changed: give the address of the server itself"));
        }
        let names = |rows: &crate::wire::Rows| -> Result<Vec<BString>> {
            rows.iter().map(|row| Ok(row.string("name")?)).collect()
        };
        let said = |names: &[BString]| -> String {
            names.iter().map(|name| printable::name(name.as_bstr())).collect::<Vec<_>>().join(", ")
        };
        let (prepared, slots) = (names(prepared)?, names(slots)?);
        let mut enabled = Vec::new();
        let mut disabled = Vec::new();
        for row in subscriptions.iter() {
            if row.bool("is_enabled")? { &mut enabled } else { &mut disabled }.push(row.string("name")?);
        }
        let role = printable::name(row.text("role")?);
        let against = if !row.bool("may_create")? {
            let why = format!("{role} may not create databases, and the new one is made beside the old");
            Some((why, "give the role the right to (ALTER ROLE ... CREATEDB), or restore into the database as it is"))
        } else if !row.bool("may_rename")? {
            let owner = printable::name(row.text("owner")?);
            Some((
                format!("it belongs to {owner}, and {role} may not rename it"),
                "restore as its owner or a superuser",
            ))
        } else if !prepared.is_empty() {
            let why = format!("it has prepared transactions, which keep it from being renamed: {}", said(&prepared));
            Some((why, "commit them or roll them back (COMMIT PREPARED, ROLLBACK PREPARED)"))
        } else if !slots.is_empty() {
            let why = format!(
                "logical replication slots stay with the old database, and hold the server's log back: {}",
                said(&slots)
            );
            Some((why, "drop them (pg_drop_replication_slot), and have the subscribers begin anew afterwards"))
        } else if !enabled.is_empty() {
            let why = format!("subscriptions would go on filling the old database: {}", said(&enabled));
            Some((why, "switch them off in it first: ALTER SUBSCRIPTION ... DISABLE"))
        } else {
            None
        };
        let longest = usize::try_from(row.i32("longest")?).unwrap_or_default();
        let all: HashSet<BString> = names(databases)?.into_iter().collect();
        let (mut sessions, mut unendable) = (Vec::new(), Vec::new());
        for row in others.iter() {
            let session = OtherSession::of(row)?;
            if !row.bool("may_end")? {
                unendable.push(session.clone());
            }
            sessions.push(session);
        }
        let aside = Rename::aside(name, &all, longest)?;
        Ok(Self { oid: row.oid("oid")?, aside, sessions, unendable, against, subscriptions: disabled })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &BStr {
        self.aside.from.as_bstr()
    }

    /// Refuses what could not be brought to its end, before it is begun.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with what to do.
    pub(crate) fn refuse(&self) -> Result<()> {
        let Some((why, hint)) = &self.against else { return Ok(()) };
        let doing = format!("put another database into the place of \"{}\"", self.name());
        Err(Error::new(ErrorKind::Refused, doing).why(why.as_str()).hint(format!("nothing was changed: {hint}")))
    }

    /// Refuses while others are connected; where their sessions are to be ended, those that this role may not end.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`], with who it is.
    pub(crate) fn refuse_sessions(&self, end: bool) -> Result<()> {
        if !end {
            return if self.sessions.is_empty() { Ok(()) } else { Err(in_use(self.name(), &self.sessions)) };
        }
        if self.unendable.is_empty() {
            return Ok(());
        }
        let doing = format!("put another database into the place of \"{}\"", self.name());
        let who = sessions::in_words(&self.unendable);
        Err(Error::new(ErrorKind::Refused, doing)
            .why(format!("others are connected to it, whose sessions this role may not end: {who}"))
            .hint(format!("nothing was changed: {MAY_END}")))
    }

    /// Says what will not be as it was.
    pub(crate) fn tell(&self, reporter: &dyn Reporter) {
        for subscription in &self.subscriptions {
            let subject = format!("subscription {}", printable::name(subscription.as_bstr()));
            let text = "it is switched off, and stays with the database that is put aside, as its slot does";
            reporter.message(Message::warning(subject, text));
        }
    }
}

/// Who may end a session.
pub(super) const MAY_END: &str =
    "only members of a session's role, of pg_signal_backend (not a superuser's) and superusers may end it";

/// Whether somebody else works in a session of `a`. Who vacuums goes by himself. Of those that this role may not look at, it is shown no
/// more than whose they are: nobody's is a process of the server's own.
pub(super) const WORKS: &str = "CASE WHEN a.backend_type IS NULL THEN a.usesysid IS NOT NULL \
     ELSE a.backend_type NOT IN ('autovacuum worker', 'parallel worker') END";

/// The query for who is connected to the database of this OID, an SQL expression.
pub(super) fn of_sessions(oid: &str) -> String {
    format!(
        "SELECT {}, s.is_superuser OR (pg_catalog.pg_has_role(SESSION_USER, a.usesysid, 'USAGE') \
           OR pg_catalog.pg_has_role(SESSION_USER, 'pg_signal_backend', 'USAGE')) \
           AND NOT coalesce((SELECT r.rolsuper FROM pg_catalog.pg_roles AS r WHERE r.oid = a.usesysid), true) AS may_end \
         FROM pg_catalog.pg_stat_get_activity(NULL) AS a, \
           (SELECT r.rolsuper AS is_superuser FROM pg_catalog.pg_roles AS r WHERE r.rolname = SESSION_USER) AS s \
         WHERE a.datid = {oid} AND {WORKS} ORDER BY a.pid",
        sessions::COLUMNS
    )
}

/// The error where sessions are in the way.
pub(super) fn in_use(name: &BStr, sessions: &[OtherSession]) -> Error {
    let doing = format!("put another database into the place of \"{name}\"");
    Error::new(ErrorKind::Refused, doing)
        .why(format!("others are connected to it: {}", sessions::in_words(sessions)))
        .hint(
            "nothing was changed: stop the application, or give " + Choice::Disconnect + ", which ends their sessions",
        )
}
