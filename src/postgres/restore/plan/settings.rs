//! The settings under which an archive is restored.

use pgformat::Entry;

use crate::postgres::archive::ArchiveSettings;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::version::ServerVersion;
use crate::wire::sqlstate;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

impl ArchiveSettings {
    /// What to say where the server does not take the archive's encoding; an error that is about something else stays as it is.
    pub fn not_spoken(&self, error: Error) -> Error {
        // No such encoding; no conversion from it.
        if !error.server().is_some_and(|report| {
            report.is(sqlstate::INVALID_PARAMETER_VALUE) || report.is(sqlstate::FEATURE_NOT_SUPPORTED)
        }) {
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
    ///
    /// # Errors
    /// One of `entries` has such rows.
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
