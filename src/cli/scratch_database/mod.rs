//! Databases that a verb makes for itself beside the one that it is about: dropped at the end, also if a signal ends it.

mod creation;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use crate::connect::Target;
use crate::postgres::settings;
use crate::postgres::swap::{Given, Giving};
use crate::wire::{Connection, Param, sqlstate};
use crate::{Error, Message, Registration, Reporter, Result, printable};
use creation::Creation;

/// What a scratch database is made for.
pub(crate) struct Purpose {
    /// What its name begins with.
    pub(crate) prefix: &'static str,
    /// What it is, in words.
    pub(crate) database: &'static str,
    /// The work that it is made for, and one that was killed, in words.
    pub(crate) work: &'static str,
    pub(crate) one: &'static str,
}

/// A database beside others; dropped at the end, unless it was given away.
pub(crate) struct ScratchDatabase<'a> {
    target: Target,
    /// How to connect to another one, from which it is made and dropped.
    at: Target,
    making: Arc<Creation>,
    /// Tells others that the work is on its way.
    life: Connection,
    dropped: bool,
    reporter: &'a dyn Reporter,
    _registration: Registration,
}

impl<'a> ScratchDatabase<'a> {
    /// Makes it from the database at `at`, by the statement that `create` gives for its name, with which nobody can connect yet. Those
    /// that were left by work that was killed are named.
    pub(crate) fn new(
        purpose: &'static Purpose,
        at: &Target,
        create: impl FnOnce(&mut Connection, &str) -> Result<BString>,
        reporter: &'a dyn Reporter,
    ) -> Result<Self> {
        let name = name_for(purpose);
        let mut connection = at.named(name.as_str()).connect()?;
        tell_left(purpose, &mut connection, reporter)?;
        let create = create(&mut connection, &name)?;
        let (its_at, mine) = (at.clone(), name.clone());
        let making = Arc::new(Creation::new(purpose, connection.cancel_handle()));
        let its = Arc::clone(&making);
        let end = move |deadline| creation::end(&its_at, &mine, &its, deadline);
        let registration = reporter.cancellation().last_words_for_all(end)?;
        let target = at.with_database(name.as_str());
        let mut made = Self {
            target,
            at: at.clone(),
            making,
            life: connection,
            dropped: false,
            reporter,
            _registration: registration,
        };
        // Where the answer is lost, it may have been made all the same; it is dropped with this value.
        let result = made.making.make(at, &mut made.life, create.as_bstr());
        result.map_err(|e| match e.server() {
            Some(report) if report.is(sqlstate::INSUFFICIENT_PRIVILEGE) => {
                let (one, database) = (purpose.one, purpose.database);
                e.hint(format!("{one} makes a {database}: the role needs the right to (ALTER ROLE ... CREATEDB)"))
            }
            _ => e,
        })?;
        // It has nothing to say until the end, and must not be ended for that.
        let settings = settings::writing(&made.life);
        made.life.set_up(&settings)?;
        let oid = made.oid()?;
        made.making.is(oid);
        made.open(&name)?;
        Ok(made)
    }

    /// Lets the verb connect to it, and no other role: functions that run with their owner's rights belong to the one who makes the
    /// database there, and everybody may call them where owners and privileges are not restored.
    fn open(&mut self, name: &str) -> Result<()> {
        let sql = format!(
            "REVOKE ALL ON DATABASE {name} FROM PUBLIC; GRANT CONNECT ON DATABASE {name} TO SESSION_USER; \
             ALTER DATABASE {name} ALLOW_CONNECTIONS true"
        );
        Ok(self.life.execute(sql.as_bytes())?)
    }

    /// How to connect to it.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// The session that shows that the work is on its way, in another database.
    pub(crate) fn session(&mut self) -> &mut Connection {
        &mut self.life
    }

    /// Its OID.
    pub(crate) fn oid(&mut self) -> Result<u32> {
        let name = Param::text(self.target.database());
        let rows =
            self.life.query("SELECT oid FROM pg_catalog.pg_database WHERE datname = $1::pg_catalog.text", &[name])?;
        Ok(rows.one()?.oid("oid")?)
    }

    /// Does what gives it another name, under which it stays. What fails leaves it to be dropped.
    pub(crate) fn give_away(&self, work: impl FnOnce(&dyn Giving) -> Result<Given>) -> Result<Given> {
        self.making.give_away(|giving| work(giving))
    }

    /// Drops it.
    ///
    /// # Errors
    /// It may still be there, as the error says.
    pub(crate) fn remove(mut self) -> Result<()> {
        self.drop_it()
    }

    fn drop_it(&mut self) -> Result<()> {
        // After a signal, it is being dropped already.
        if self.dropped || self.making.is_over() {
            return Ok(());
        }
        self.dropped = true;
        let name = self.target.database().to_string();
        creation::drop_database(&self.at, &name, &self.making).map_err(|error| {
            let left = creation::may_be_left(&name);
            Error::new(error.kind(), format!("drop database {name}"))
                .source(error)
                .hint(format!("{left}: DROP DATABASE {name}"))
        })
    }
}

impl Drop for ScratchDatabase<'_> {
    fn drop(&mut self) {
        // The error that led here matters more, and is told by whoever has it.
        if let Err(error) = self.drop_it() {
            let name = self.target.database().to_string();
            let left = format!("{}: DROP DATABASE {name} ({error})", creation::may_be_left(&name));
            self.reporter.message(Message::warning(self.making.what(), left));
        }
    }
}

/// A name for a scratch database, which needs no quotes. The work has a session of this name as long as it is on its way, which
/// every role may see.
fn name_for(purpose: &Purpose) -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("{}_{}_{random:016x}", purpose.prefix, std::process::id())
}

/// Names the databases whose work is gone. What their sessions do may go on for a while. It removes nothing: that the maker is gone
/// can be seen, but not for certain, and not that nobody has taken it into use.
fn tell_left(purpose: &Purpose, connection: &mut Connection, reporter: &dyn Reporter) -> Result<()> {
    let sql = "SELECT d.datname::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(d.datdba)::pg_catalog.text AS owner \
               FROM pg_catalog.pg_database d WHERE d.datname ~ $1 \
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a \
                               WHERE a.application_name = d.datname::pg_catalog.text) \
               ORDER BY 1";
    let pattern = format!("^{}_[0-9]+_[0-9a-f]{{16}}$", purpose.prefix);
    for row in connection.query(sql, &[Param::text(pattern)])?.iter() {
        let (name, owner) = (row.string("name")?, row.string("owner")?);
        reporter.message(Message::warning(
            format!("database {name} of {}", printable::name(owner.as_bstr())),
            format!("{} that was killed left it, a copy of all data: DROP DATABASE {name}", purpose.one),
        ));
    }
    Ok(())
}
