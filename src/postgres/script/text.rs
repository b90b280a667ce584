//! What a script says besides statements: comments, and commands for psql.

use bstr::{BStr, BString, ByteSlice};
use pgformat::{Created, DumpId, Entry};

use crate::postgres::archive::kinds;
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::Heading;
use crate::postgres::script::Style;
use crate::postgres::script::key::RestrictKey;
use crate::sql::quote::quoted;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// What a script says at its beginning.
pub(super) struct Beginning {
    /// The version of the server that the database was on.
    pub(super) server: BString,
    /// What dumped it.
    pub(super) dumper: BString,
    /// When that was, if it is to be said.
    pub(super) started: Option<String>,
}

pub(super) fn beginning(said: &Beginning, key: Option<&RestrictKey>) -> Vec<u8> {
    let mut text = b"--\n-- PostgreSQL database dump\n--\n\n".to_vec();
    if let Some(key) = key {
        text.extend_from_slice(format!("\\restrict {}\n\n", key.as_str()).as_bytes());
    }
    text.extend_from_slice(b"-- Dumped from database version ");
    on_one_line(&mut text, &said.server);
    text.extend_from_slice(b"\n-- Dumped by pg_dump version ");
    on_one_line(&mut text, &said.dumper);
    text.extend_from_slice(b"\n\n");
    if let Some(started) = &said.started {
        text.extend_from_slice(&timestamp("Started on", started));
    }
    text
}

pub(super) fn end(key: Option<&RestrictKey>) -> Vec<u8> {
    let mut text = b"--\n-- PostgreSQL database dump complete\n--\n\n".to_vec();
    if let Some(key) = key {
        text.extend_from_slice(format!("\\unrestrict {}\n\n", key.as_str()).as_bytes());
    }
    text
}

/// What stands above a script whose data is in files beside it.
pub(super) const NOTE: &[u8] = b"--\n-- NOTE:\n--\n-- File paths need to be edited. Search for $$PATH$$ and\n\
    -- replace it with the path to the directory containing\n-- the extracted data files.\n--\n";

/// Reads the rows of an entry from the file that has them, by its COPY statement, or, where that is none, has psql read the file.
pub(super) fn from_file(statement: Option<&[u8]>, id: DumpId) -> Vec<u8> {
    let Some(statement) = statement else { return format!("\\i $$PATH$$/{id}.dat\n\n").into_bytes() };
    // A COPY statement of pg_dump's must not wait for rows: it gets its end, and another one reads the file.
    let bare = statement.strip_suffix(b" FROM stdin;\n").unwrap_or(statement);
    [statement, b"\\.\n", bare, format!(" FROM '$$PATH$$/{id}.dat';\n\n").as_bytes()].concat()
}

/// A comment that says when something was done.
pub(super) fn timestamp(what: &str, when: &str) -> Vec<u8> {
    format!("-- {what} {when}\n\n").into_bytes()
}

const MOMENT: &str = "%Y-%m-%d %H:%M:%S %Z";

/// What the time is.
pub(super) fn now() -> String {
    jiff::Zoned::now().strftime(MOMENT).to_string()
}

/// When an archive says that it was made, as clocks here show it. One that makes no sense is left unsaid.
pub(super) fn created(when: Created) -> Option<String> {
    let number = |value: i32| i8::try_from(value).ok();
    let year = i16::try_from(when.year.checked_add(1900)?).ok()?;
    let date = jiff::civil::Date::new(year, number(when.month.checked_add(1)?)?, number(when.day)?).ok()?;
    let time =
        jiff::civil::Time::new(number(when.hour)?, number(when.minute)?, number(when.second.min(59))?, 0).ok()?;
    let moment = date.to_datetime(time).to_zoned(jiff::tz::TimeZone::system()).ok()?;
    Some(moment.strftime(MOMENT).to_string())
}

/// The comment above what is done for an entry.
pub(super) fn heading(entry: &Entry, heading: Heading, options: &RestoreOptions, style: &Style) -> Vec<u8> {
    let mut text = b"--\n".to_vec();
    if style.verbose {
        let (class, oid) = entry.catalog_oid;
        text.extend_from_slice(format!("-- TOC entry {} (class {class} OID {oid})\n", entry.dump_id).as_bytes());
        if !entry.dependencies.is_empty() {
            let on: Vec<String> = entry.dependencies.iter().map(|id| id.to_string()).collect();
            text.extend_from_slice(format!("-- Dependencies: {}\n", on.join(" ")).as_bytes());
        }
    }
    text.extend_from_slice(b"-- ");
    text.extend_from_slice(match heading {
        Heading::Definition => b"".as_slice(),
        Heading::Data => b"Data for ",
        Heading::Statistics => b"Statistics for ",
    });
    let hyphen = BString::from("-");
    let owner = entry.owner.as_ref().filter(|_| options.owner);
    let parts = [
        ("Name: ", entry.tag.as_ref()),
        ("; Type: ", entry.desc.as_ref()),
        ("; Schema: ", entry.schema.as_ref().or(Some(&hyphen))),
        ("; Owner: ", owner.or(Some(&hyphen))),
        ("; Tablespace: ", entry.tablespace.as_ref().filter(|name| options.tablespaces && !name.is_empty())),
    ];
    for (what, part) in parts {
        if part.is_none() && what == "; Tablespace: " {
            continue;
        }
        text.extend_from_slice(what.as_bytes());
        on_one_line(&mut text, part.map_or(b"", |part| part.as_slice()));
    }
    text.extend_from_slice(b"\n--\n\n");
    text
}

/// What is written under the heading of data: a comment that says where the rows go.
pub(super) fn definition_of_data(entry: &Entry, heading: Heading) -> Option<&BStr> {
    let definition = kinds::text(&entry.definition);
    (heading == Heading::Data && definition.starts_with(kinds::VIA_ROOT)).then_some(definition)
}

/// Appends text that must not end the comment that it stands in.
fn on_one_line(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|&byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
}

/// Goes on in another database. psql must take a command again for that.
///
/// # Errors
/// A name with a line break, which would end the command.
pub(super) fn connect(database: &BString, key: Option<&RestrictKey>, options: &RestoreOptions) -> Result<Vec<u8>> {
    // In the script of a tar archive, which has no key, pg_dump says this.
    let key = key.map_or("(null)", RestrictKey::as_str);
    if database.find_byteset(b"\r\n").is_some() {
        return Err(Error::new(ErrorKind::Archive, "write the script")
            .why(format!("psql cannot connect to a database whose name has a line break: {:?}", database.as_bstr()))
            .hint("restore into a database that is there, without " + Choice::Create));
    }
    let mut text = format!("\\unrestrict {key}\n").into_bytes();
    if database.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
        text.extend_from_slice(&[b"\\connect ", options.quoted(database).as_slice()].concat());
    } else {
        // Whatever encoding the name is in, the server is to get it as it stands here.
        text.extend_from_slice(b"\\encoding SQL_ASCII\n\\connect -reuse-previous=on ");
        let mut string = b"dbname='".to_vec();
        for &byte in database.iter() {
            if matches!(byte, b'\'' | b'\\') {
                string.push(b'\\');
            }
            string.push(byte);
        }
        string.push(b'\'');
        text.extend_from_slice(&quoted(&string));
    }
    text.extend_from_slice(format!("\n\\restrict {key}\n\n").as_bytes());
    Ok(text)
}
