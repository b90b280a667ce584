//! The session that an archive is restored in.

use bstr::{BStr, BString};

use crate::postgres::archive::ArchiveSettings;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::destination::Destination;
use crate::sql::quote;

/// The statements that begin a session.
pub fn statements(settings: &ArchiveSettings, options: &RestoreOptions, destination: &Destination) -> Vec<BString> {
    let mut result: Vec<BString> = Vec::new();
    let mut set = |statement: &str| result.push(statement.into());
    set("SET statement_timeout = 0;");
    set("SET lock_timeout = 0;");
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
        let mut statement = b"SET ROLE ".to_vec();
        quote::ident(&mut statement, BStr::new(role.as_slice()));
        statement.push(b';');
        result.push(statement.into());
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
