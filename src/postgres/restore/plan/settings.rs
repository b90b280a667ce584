//! The settings under which an archive is restored.

use bstr::BString;
use pgformat::Entry;

use crate::postgres::archive::{ArchiveSettings, kinds, text};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::Destination;
use crate::postgres::version::ServerVersion;
use crate::wire::sqlstate;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

impl ArchiveSettings {
    /// What to say where the server does not take the archive's encoding; an error that is about something else stays as it is.
    pub fn not_spoken(&self, error: Error) -> Error {
        // No such encoding; no conversion from it.
        let codes = [sqlstate::INVALID_PARAMETER_VALUE, sqlstate::FEATURE_NOT_SUPPORTED];
        if !error.server().is_some_and(|report| report.is_any(&codes)) {
            return error;
        }
        let error = Error::new(error.kind(), format!("use the archive's encoding, {}", self.encoding)).source(error);
        error.hint(match self.encoding == "MULE_INTERNAL" {
            true => {
                "nothing was changed; PostgreSQL 19 and later do not have this encoding, and others have no UTF8 for it: \
                 make an archive in one that the text fits into, as pg_dump --encoding=LATIN1 does"
            }
            false => {
                "nothing was changed: take a database in an encoding that the archive's can be converted to, such as UTF8"
            }
        })
    }

    /// Checks that a server of this version reads the archive's string literals as they are meant. Where it reads them by SQL's
    /// standard only, definitions are written anew, but rows as INSERT statements are not.
    pub fn check_strings(&self, entries: &[Entry], server: ServerVersion) -> Result<()> {
        if self.standard_strings || !server.only_standard_strings() {
            return Ok(());
        }
        let is_statements =
            |entry: &&Entry| entry.has_data && kinds::is(entry, "TABLE DATA") && text(&entry.copy_statement).is_empty();
        let Some(entry) = entries.iter().find(is_statements) else { return Ok(()) };
        Err(Error::new(ErrorKind::Incomplete, format!("restore {}", entry.label()))
            .why(format!(
                "its rows are INSERT statements for standard_conforming_strings = off, which PostgreSQL {server} does not \
                 have any more: a backslash in them would be read as something else"
            ))
            .hint("nothing was changed; make an archive without "
                    + Choice::Inserts
                    + ", or with standard_conforming_strings = on"))
    }
}

/// The statements that begin a session.
pub fn session(settings: &ArchiveSettings, options: &RestoreOptions, destination: &Destination) -> Vec<BString> {
    let mut result: Vec<BString> = Vec::new();
    let mut set = |statement: &str| result.push(statement.into());
    set("SET statement_timeout = 0;");
    // Only none is no limit.
    let wait = options.lock_wait.map_or(0, |wait| wait.as_millis().clamp(1, 0x7fff_ffff));
    set(&format!("SET lock_timeout = {wait};"));
    set("SET idle_in_transaction_session_timeout = 0;");
    if destination.transaction_timeout {
        set("SET transaction_timeout = 0;");
    }
    set(&format!("SET client_encoding = '{}';", settings.encoding));
    set(if settings.standard_strings || !destination.nonstandard_strings {
        "SET standard_conforming_strings = on;"
    } else {
        "SET standard_conforming_strings = off;"
    });
    if let Some(role) = &options.role {
        result.push([b"SET ROLE ", options.quoted(role).as_slice(), b";"].concat().into());
    }
    if let Some(search_path) = &settings.search_path {
        result.push(search_path.trim_ascii_end().into());
    }
    let mut set = |statement: &str| result.push(statement.into());
    set("SET check_function_bodies = false;");
    set("SET xmloption = content;");
    set("SET client_min_messages = warning;");
    if !settings.standard_strings && destination.nonstandard_strings {
        set("SET escape_string_warning = off;");
    }
    set(if options.row_security { "SET row_security = on;" } else { "SET row_security = off;" });
    result
}
