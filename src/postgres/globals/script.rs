//! The statements as a script for psql: in the form, and the order, that `pg_dumpall` has.

use std::io::{self, Write};

use bstr::{BStr, BString, ByteSlice};

use super::{Globals, GlobalsOptions, role_settings};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::script::{RestrictKey, Watch, written};
use crate::sql::{Sql, Style, harmless};

/// What a script has around its statements.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Frame<'a> {
    /// The key that keeps psql from taking anything for a command of its own.
    pub key: &'a RestrictKey,
    /// A comment on when it was begun, if there is to be one.
    pub begun: Option<&'a str>,
    /// The databases of the server, which are dropped first, if anything is; only where they are dumped, too.
    pub databases: &'a [BString],
}

impl<'a> Frame<'a> {
    /// With this key, and nothing else.
    pub fn new(key: &'a RestrictKey) -> Self {
        Self { key, begun: None, databases: &[] }
    }

    /// The same with this comment on when it was begun.
    #[must_use]
    pub fn begun(self, begun: Option<&'a str>) -> Self {
        Self { begun, ..self }
    }

    /// The same with these databases.
    #[must_use]
    pub fn databases(self, databases: &'a [BString]) -> Self {
        Self { databases, ..self }
    }
}

/// Databases that every server has; they are not dropped by their names in the beginning.
const OF_EVERY_SERVER: [&str; 3] = ["template0", "template1", "postgres"];

impl Globals {
    /// Writes the script up to where databases would follow.
    ///
    /// # Errors
    /// Something in the catalogs cannot be said in a statement; what writing fails with.
    pub fn write(&self, options: &GlobalsOptions, frame: &Frame<'_>, out: &mut dyn Write) -> Result<()> {
        let mut script = Script::new(self.style, out);
        self.head(frame, &mut script)?;
        if options.clean {
            self.drops(options, frame.databases, &mut script)?;
        }
        if options.roles {
            self.roles(options, &mut script)?;
        }
        if options.tablespaces {
            let mut all = Vec::with_capacity(self.tablespaces.len());
            for tablespace in self.tablespaces.iter().filter(|one| options.everything || !one.is_the_servers()) {
                all.push(tablespace.define(self, options)?);
            }
            script.section("Tablespaces", all)?;
        }
        script.text(format!("\\unrestrict {}\n\n", frame.key.as_str()).as_bytes())
    }

    fn head(&self, frame: &Frame<'_>, script: &mut Script<'_>) -> Result<()> {
        script.heading("PostgreSQL database cluster dump")?;
        if let Some(begun) = frame.begun {
            script.comment_line(&["Started on ", begun])?;
        }
        script.text(format!("\\restrict {}\n\n", frame.key.as_str()).as_bytes())?;
        // The database that statements are run in may be set to read only.
        script.text(b"SET default_transaction_read_only = off;\n\n")?;
        let mut sql = self.sql();
        sql.kw("SET client_encoding = ").literal(self.encoding.as_bstr()).kw(";\n");
        sql.kw("SET standard_conforming_strings = ")
            .kw(if self.style.standard_strings { "on" } else { "off" })
            .kw(";\n");
        sql.kw(if self.style.standard_strings { "" } else { "SET escape_string_warning = off;\n" });
        sql.kw("\n");
        script.sql(&sql)
    }

    fn drops(&self, options: &GlobalsOptions, databases: &[BString], script: &mut Script<'_>) -> Result<()> {
        if !databases.is_empty() {
            let mut databases: Vec<&BString> = databases.iter().collect();
            databases.sort_unstable();
            let dropped = databases.into_iter().filter(|name| !OF_EVERY_SERVER.contains(&name.to_str_lossy().as_ref()));
            let drop = |name: &BString| {
                let mut sql = self.sql();
                sql.kw(if options.if_exists { "DROP DATABASE IF EXISTS " } else { "DROP DATABASE " });
                sql.ident(name.as_bstr()).kw(";\n");
                sql
            };
            script.heading("Drop databases (except postgres and template1)")?;
            dropped.map(drop).try_for_each(|sql| script.sql(&sql))?;
            script.text(b"\n\n")?;
        }
        if options.tablespaces {
            let mut tablespaces: Vec<_> = self.tablespaces.iter().filter(|one| !one.is_the_servers()).collect();
            tablespaces.sort_by(|a, b| a.name.cmp(&b.name));
            script.section("Drop tablespaces", tablespaces.iter().map(|one| one.drop(self, options)))?;
        }
        if options.roles {
            script.section("Drop roles", self.roles.iter().map(|role| role.drop(self, options)))?;
        }
        Ok(())
    }

    fn roles(&self, options: &GlobalsOptions, script: &mut Script<'_>) -> Result<()> {
        script.heading("Roles")?;
        for role in &self.roles {
            script.sql(&role.define(self, options))?;
        }
        self.settings(options, script)?;
        script.text(b"\n\n")?;
        let memberships = self.memberships.iter().map(|one| one.statement(self, options.form));
        script.section("Role memberships", memberships)?;
        if options.privileges && self.server.parameter_privileges() {
            let mut all = Vec::with_capacity(self.parameters.len());
            for one in &self.parameters {
                all.push(one.statements(self)?);
            }
            script.section("Role privileges on configuration parameters", all)?;
        }
        Ok(())
    }

    fn settings(&self, options: &GlobalsOptions, script: &mut Script<'_>) -> Result<()> {
        // Before 15, each of them has headings.
        let is_old = options.form < 15;
        if !is_old {
            script.text(b"\n")?;
            script.text(b"--\n-- User Configurations\n--\n")?;
        }
        for (role, items) in &self.settings.of_roles {
            if is_old {
                script.heading("User Configurations")?;
            }
            for (i, item) in items.iter().enumerate() {
                if is_old || i == 0 {
                    script.text(if is_old { b"" } else { b"\n" })?;
                    script.text(b"--\n-- User Config \"")?;
                    script.on_one_line(role.as_bstr())?;
                    script.text(b"\"\n--\n\n")?;
                }
                script.sql(&role_settings::statement(self, Some(role), item)?)?;
            }
        }
        if options.everything && !self.settings.of_all.is_empty() {
            script.text(b"\n")?;
            script.heading("User Config of all roles")?;
            for item in &self.settings.of_all {
                script.sql(&role_settings::statement(self, None, item)?)?;
            }
        }
        Ok(())
    }
}

/// Ends the script of a cluster. `completed` is a comment on when, if there is to be one.
///
/// # Errors
/// What writing fails with.
pub fn end(completed: Option<&str>, out: &mut dyn Write) -> Result<()> {
    let mut script = Script::of_comments(out);
    if let Some(completed) = completed {
        script.comment_line(&["Completed on ", completed])?;
    }
    script.heading("PostgreSQL database cluster dump complete")
}

/// Heads the dump of a database in the script of a cluster.
///
/// # Errors
/// What writing fails with.
pub fn database_heading(name: &BStr, out: &mut dyn Write) -> Result<()> {
    let mut script = Script::of_comments(out);
    script.text(b"--\n-- Database \"")?;
    script.on_one_line(name)?;
    script.text(b"\" dump\n--\n\n")
}

/// Heads the dumps of databases in the script of a cluster.
///
/// # Errors
/// What writing fails with.
pub fn databases_heading(out: &mut dyn Write) -> Result<()> {
    Script::of_comments(out).heading("Databases")
}

/// What is said when the script cannot be written; the one who opened the file knows its name.
pub(crate) fn unwritten(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "write the script").source(error)
}

/// What is written.
struct Script<'a> {
    out: &'a mut dyn Write,
    /// How its statements are written.
    style: Style,
    /// Names and comments of roles are those of others, whatever psql believes of quotes.
    watch: Watch,
}

impl<'a> Script<'a> {
    fn new(style: Style, out: &'a mut dyn Write) -> Self {
        Self { out, style, watch: Watch::new(true) }
    }

    /// Of comments only.
    fn of_comments(out: &'a mut dyn Write) -> Self {
        Self::new(Style::default(), out)
    }

    fn text(&mut self, text: &[u8]) -> Result<()> {
        self.watch.look(text).map_err(|why| {
            Error::new(ErrorKind::Incomplete, "write what is said of roles and tablespaces")
                .why(why)
                .hint("a role, a comment, a setting or a tablespace has it: give it another name or text")
        })?;
        self.out.write_all(text).map_err(unwritten)
    }

    fn sql(&mut self, sql: &Sql) -> Result<()> {
        let Style { standard_strings, encoding, .. } = self.style;
        self.text(&written(sql.as_bstr(), standard_strings, encoding, true).0)
    }

    fn heading(&mut self, heading: &str) -> Result<()> {
        self.text(format!("--\n-- {heading}\n--\n\n").as_bytes())
    }

    fn comment_line(&mut self, parts: &[&str]) -> Result<()> {
        self.text(b"-- ")?;
        parts.iter().try_for_each(|part| self.on_one_line(BStr::new(part)))?;
        self.text(b"\n\n")
    }

    /// Text that must not end the comment that it stands in.
    fn on_one_line(&mut self, text: &BStr) -> Result<()> {
        let line: Vec<u8> = text.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        self.text(&harmless::comment(&line))
    }

    /// Statements under a heading, which is not there if they are not.
    fn section(&mut self, heading: &str, statements: impl IntoIterator<Item = Sql>) -> Result<()> {
        let mut has_heading = false;
        for sql in statements.into_iter().filter(|sql| !sql.is_empty()) {
            if !std::mem::replace(&mut has_heading, true) {
                self.heading(heading)?;
            }
            self.sql(&sql)?;
        }
        self.text(b"\n\n")
    }
}
