//! Putting a database into the place of one that is there.
//!
//! A server may be unable to make the archive's database: it lacks its locale or its tablespace, or is full. So the new one is made
//! under another name first, and only when it is there, the old one is dropped and the new one gets its name.

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::execute::{Client, Ledger, drops};
use crate::postgres::restore::plan::Action;
use crate::progress::Level;
use crate::sql::quote::quoted;
use crate::wire::Param;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result, Work};

/// A database that is to be replaced.
struct Replacement<'a> {
    name: &'a BStr,
    /// What the new one is called as long as the old one is there.
    aside: String,
    /// The statement that takes the role of its owner.
    owner: Option<&'a [u8]>,
}

/// Drops the database of the archive's name, once another has taken its place, and gives the entry of that. Where there is none of
/// that name, or nothing is to be dropped, it is made in its turn.
pub fn replace<'a>(client: &mut Client<'a>, ledger: &mut Ledger<'a>) -> Result<Option<EntryIndex>> {
    let (plan, entries) = (client.job.plan, client.job.entries);
    let makes = |action: &Action| matches!(action, Action::Define(_));
    let is_it = |at: EntryIndex| kinds::is(&entries[at], "DATABASE");
    let Some(step) = plan.steps.iter().find(|step| makes(&step.action) && is_it(step.entry)) else { return Ok(None) };
    let (entry, name) = (step.entry, text(&entries[step.entry].tag));
    if plan.drops.is_empty() || !is_database(client, name)? {
        return Ok(None);
    }
    tell_left_over(client)?;
    let owner = plan.steps.iter().find_map(|step| match &step.action {
        Action::Become(statement) if step.entry == entry => Some(statement.as_slice()),
        _ => None,
    });
    let replacement = Replacement { name, aside: aside(), owner };
    let statement = step.statement(entries).unwrap_or_default();
    let Some(create) = under_another_name(statement, name, &replacement.aside) else {
        return Err(Error::new(ErrorKind::Archive, format!("replace database \"{name}\""))
            .why("the archive's statement does not begin with CREATE DATABASE and that name")
            .hint("nothing was changed: drop the database yourself, and restore again"));
    };
    replacement.become_owner(client)?;
    if let Some(error) = client.attempt(&create)? {
        client.put_down(ledger, entry, Work::Definition(statement), error)?;
        ledger.stop();
        return Ok(None);
    }
    // Between the drop and the new name there is no database of that name: a signal waits for the answers.
    let swapped = match client.interrupt.committing(|| Ok(())) {
        Ok(_) => replacement.swap(client, ledger),
        Err(error) => replacement.give_up(client).and(Err(error)),
    };
    client.interrupt.has_committed();
    swapped.map(|is_swapped| is_swapped.then_some(entry))
}

impl Replacement<'_> {
    fn become_owner(&self, client: &mut Client<'_>) -> Result<()> {
        self.owner.map_or(Ok(()), |owner| client.become_user(owner))
    }

    /// Drops the old database, and gives the new one its name. False if the old one is still there.
    fn swap<'a>(&self, client: &mut Client<'a>, ledger: &mut Ledger<'a>) -> Result<bool> {
        let dropped = drops::run(client, ledger);
        if dropped.is_err() || ledger.has_errors() {
            // The database is still there, and what is in it is not to be mixed with what is in the archive.
            ledger.stop();
            let given_up = self.give_up(client);
            return dropped.and(given_up).map(|()| false);
        }
        self.become_owner(client)?;
        let Self { name, aside, .. } = self;
        let rename = [b"ALTER DATABASE ", aside.as_bytes(), b" RENAME TO ", &quoted(name)].concat();
        client.connection.execute(&rename).map_err(Error::from).map_err(|error| {
            let hint = format!("the one that was there is dropped, and the new one, which is empty, is \"{aside}\"");
            Error::new(error.kind(), format!("call the new database \"{name}\"")).source(error).hint(hint)
        })?;
        Ok(true)
    }

    /// Drops the new database, whose place is taken.
    fn give_up(&self, client: &mut Client<'_>) -> Result<()> {
        let drop = format!("DROP DATABASE {}", self.aside);
        client.connection.run_on_databases(drop.as_bytes()).map_err(Error::from).map_err(|error| {
            let left = format!("the new database, which is empty, is left as \"{}\"", self.aside);
            Error::new(error.kind(), "drop the new database").source(error).hint(left)
        })
    }
}

/// Names the databases of restores that were killed before the old database was dropped and the new one had its name.
fn tell_left_over(client: &mut Client<'_>) -> Result<()> {
    let sql = "SELECT d.datname::pg_catalog.text AS name FROM pg_catalog.pg_database AS d \
               WHERE d.datname ~ '^lifeboat_restore_[0-9]+_[0-9a-f]{8}$' ORDER BY 1";
    for row in client.query(sql, &[])?.iter() {
        let name = row.string("name")?;
        let text = "an empty database for a restore with "
            + Choice::Create
            + format!(" that was killed, unless one is running right now: DROP DATABASE {name}");
        client.job.message(Level::Warning, format!("database {name}"), text);
    }
    Ok(())
}

fn is_database(client: &mut Client<'_>, name: &BStr) -> Result<bool> {
    let rows = client.query(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1::pg_catalog.text) AS is_there",
        &[Param::text(name)],
    )?;
    Ok(rows.one()?.bool("is_there")?)
}

/// A name that needs no quotes and that nobody else has.
fn aside() -> String {
    let nanos = std::time::UNIX_EPOCH.elapsed().map_or(0, |d| d.subsec_nanos());
    format!("lifeboat_restore_{}_{nanos:08x}", std::process::id())
}

/// The statement that makes the database called `name`, with `other` in the place of that; `None` if it is no such statement.
fn under_another_name(statement: &[u8], name: &BStr, other: &str) -> Option<BString> {
    let rest = statement.trim_ascii_start().strip_prefix(b"CREATE DATABASE ")?;
    let quoted = [b"\"", name.replace("\"", "\"\"").as_slice(), b"\""].concat();
    // Which words must be quoted depends on the version of whoever wrote it.
    let rest = rest.strip_prefix(quoted.as_slice()).or_else(|| rest.strip_prefix(name.as_bytes()))?;
    let ends = rest.first().is_some_and(|next| next.is_ascii_whitespace() || *next == b';');
    ends.then(|| [b"CREATE DATABASE ", other.as_bytes(), rest].concat().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_made_under_another_name() {
        let of = |statement: &str, name: &str| under_another_name(statement.as_bytes(), name.into(), "x");
        assert_eq!(
            of("CREATE DATABASE app WITH TEMPLATE = a;\n", "app").unwrap(),
            "CREATE DATABASE x WITH TEMPLATE = a;\n"
        );
        assert_eq!(of("CREATE DATABASE \"a \"\"b\" WITH;", "a \"b").unwrap(), "CREATE DATABASE x WITH;");
        assert_eq!(of("CREATE DATABASE \"user\";", "user").unwrap(), "CREATE DATABASE x;");
        assert_eq!(of("CREATE DATABASE application;", "app"), None);
        assert_eq!(of("DROP DATABASE app;", "app"), None);
    }
}
