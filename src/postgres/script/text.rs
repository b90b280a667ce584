//! What a script says besides statements: comments, and commands for psql.

use bstr::{BStr, BString, ByteSlice};
use pgformat::{Entry, Header};

use crate::postgres::archive::kinds;
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::Heading;
use crate::postgres::script::key::RestrictKey;
use crate::sql::quote::quoted;
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

pub(super) fn beginning(header: &Header, key: &RestrictKey) -> Vec<u8> {
    let mut text = format!("--\n-- PostgreSQL database dump\n--\n\n\\restrict {}\n\n", key.as_str()).into_bytes();
    text.extend_from_slice(b"-- Dumped from database version ");
    on_one_line(&mut text, &header.server_version);
    text.extend_from_slice(b"\n-- Dumped by pg_dump version ");
    on_one_line(&mut text, &header.dumper_version);
    text.extend_from_slice(b"\n\n");
    text
}

pub(super) fn end(key: &RestrictKey) -> Vec<u8> {
    format!("--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict {}\n\n", key.as_str()).into_bytes()
}

/// The comment above what is done for an entry.
pub(super) fn heading(entry: &Entry, heading: Heading, options: &RestoreOptions) -> Vec<u8> {
    let mut text = b"--\n-- ".to_vec();
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
pub(super) fn connect(database: &BString, key: &RestrictKey) -> Result<Vec<u8>> {
    if database.find_byteset(b"\r\n").is_some() {
        return Err(Error::new(ErrorKind::Archive, "write the script")
            .why(format!("psql cannot connect to a database whose name has a line break: {:?}", database.as_bstr()))
            .hint("restore into a database that is there, without " + Choice::Create));
    }
    let mut text = format!("\\unrestrict {}\n", key.as_str()).into_bytes();
    if database.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')) {
        text.extend_from_slice(&[b"\\connect ", quoted(database).as_slice()].concat());
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
    text.extend_from_slice(format!("\n\\restrict {}\n\n", key.as_str()).as_bytes());
    Ok(text)
}
