//! Putting a database into the place of one that is there.
//!
//! A server may be unable to make the archive's database: it lacks its locale or its tablespace, or is full. So the new one is made
//! under another name first, and only when it is there, the old one is dropped and the new one gets its name.

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::archive::kinds::{self, text};
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::execute::drops;
use crate::postgres::restore::plan::Action;
use crate::progress::Message;
use crate::sql::quote;
use crate::wire::Param;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

impl Run<'_> {
    /// Drops the database of the archive's name, once another can take its place. Where there is none of that name, it is made in
    /// its turn.
    pub(in crate::postgres::restore) fn replace_database(&mut self) -> Result<()> {
        let plan = self.plan;
        let of_database = |entry: usize| kinds::is(&self.entries[entry], "DATABASE");
        let Some(step) = plan.steps.iter().find(|step| of_database(step.entry) && self.makes_database(step)) else {
            return Ok(());
        };
        let entry = step.entry;
        let name = text(&self.entries[entry].tag);
        if plan.drops.is_empty() || !self.is_database(name)? {
            return Ok(());
        }
        self.tell_left_over()?;
        let owner = plan.steps.iter().find_map(|step| match &step.action {
            Action::Become(statement) if step.entry == entry => Some(statement.as_slice()),
            _ => None,
        });
        let statement = step.statement(self.entries).unwrap_or_default();
        let aside = aside();
        let Some(create) = under_another_name(statement, name, &aside) else {
            return Err(Error::new(ErrorKind::Archive, format!("replace database \"{name}\""))
                .why("the archive's statement does not begin with CREATE DATABASE and that name")
                .hint("nothing was changed: drop the database yourself, and restore again"));
        };
        owner.map_or(Ok(()), |owner| self.become_user(owner))?;
        if let Some(error) = self.attempt(&create)? {
            self.put_down(entry, statement, error)?;
            self.summary.stopped = true;
            return Ok(());
        }
        // Between the drop and the new name there is no database of that name: a signal waits for the answers.
        let swapped = match self.interrupt.committing(|| Ok(())) {
            Ok(_) => self.swap(entry, name, &aside, owner),
            Err(error) => self.give_up(&aside).and(Err(error)),
        };
        self.interrupt.has_committed();
        swapped
    }

    /// Drops the database called `name`, and gives the one called `aside` its name.
    fn swap(&mut self, entry: usize, name: &BStr, aside: &str, owner: Option<&[u8]>) -> Result<()> {
        let dropped = drops::run(self, &self.plan.drops);
        if dropped.is_err() || !self.summary.errors.is_empty() {
            // The database is still there, and what is in it is not to be mixed with what is in the archive.
            self.summary.stopped = true;
            let given_up = self.give_up(aside);
            return dropped.and(given_up);
        }
        owner.map_or(Ok(()), |owner| self.become_user(owner))?;
        let mut rename = format!("ALTER DATABASE {aside} RENAME TO ").into_bytes();
        quote::ident(&mut rename, name);
        self.target.execute(&rename).map_err(Error::from).map_err(|error| {
            let hint = format!("the one that was there is dropped, and the new one, which is empty, is \"{aside}\"");
            Error::new(error.kind(), format!("call the new database \"{name}\"")).source(error).hint(hint)
        })?;
        self.made_aside = Some(entry);
        Ok(())
    }

    /// Drops the new database, whose place is taken.
    fn give_up(&mut self, aside: &str) -> Result<()> {
        let drop = format!("DROP DATABASE {aside}");
        self.target.run_on_databases(drop.as_bytes()).map_err(Error::from).map_err(|error| {
            let left = format!("the new database, which is empty, is left as \"{aside}\"");
            Error::new(error.kind(), "drop the new database").source(error).hint(left)
        })
    }

    /// Names the databases of restores that were killed before the old database was dropped and the new one had its name.
    fn tell_left_over(&mut self) -> Result<()> {
        let sql = "SELECT d.datname::pg_catalog.text AS name FROM pg_catalog.pg_database AS d \
                   WHERE d.datname ~ '^lifeboat_restore_[0-9]+_[0-9a-f]{8}$' ORDER BY 1";
        for row in self.target.query(sql, &[])?.iter() {
            let name = row.string("name")?;
            self.reporter.message(Message::warning(
                format!("database {name}"),
                "an empty database for a restore with "
                    + Choice::Create
                    + format!(" that was killed, unless one is running right now: DROP DATABASE {name}"),
            ));
        }
        Ok(())
    }

    fn is_database(&mut self, name: &BStr) -> Result<bool> {
        let rows = self.target.query(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = $1::pg_catalog.text) AS is_there",
            &[Param::text(name)],
        )?;
        Ok(rows.one()?.bool("is_there")?)
    }
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
