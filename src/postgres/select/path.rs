//! The schemas along the role's own search path. Relations are looked for there, as psql does, but the path itself
//! stays empty: what lies along it may change the meaning of any operator.

use bstr::{BStr, BString, ByteSlice};

use crate::Result;
use crate::sql::{Encoding, LaterBytes};
use crate::wire::{Connection, Query};

/// The names of the schemas that are looked into, first things first. Not all of them need be there.
///
/// # Errors
/// The server's.
pub(super) fn schemas(connection: &mut Connection, encoding: Encoding) -> Result<Vec<BString>> {
    let query = Query::new(
        "the role's search path",
        "SELECT reset_val, current_user::pg_catalog.text AS role FROM pg_catalog.pg_settings WHERE name = 'search_path'",
    );
    let rows = connection.run(&query)?;
    let row = rows.one()?;
    Ok(along(row.text("reset_val")?, row.text("role")?, encoding))
}

fn along(path: &BStr, role: &BStr, encoding: Encoding) -> Vec<BString> {
    let mut schemas: Vec<BString> =
        names(path, encoding).into_iter().map(|name| if name == "$user" { role.to_owned() } else { name }).collect();
    // The system's own is looked into before all others, unless it has a place.
    if !schemas.iter().any(|name| name == "pg_catalog") {
        schemas.insert(0, "pg_catalog".into());
    }
    schemas
}

/// The names in a list of identifiers.
fn names(list: &BStr, encoding: Encoding) -> Vec<BString> {
    let mut names = Vec::new();
    let mut name = BString::default();
    let (mut quoted, mut was_quoted) = (false, false);
    let mut later = LaterBytes::of(encoding);
    let mut bytes = list.bytes().peekable();
    loop {
        let next = bytes.next();
        match next {
            Some(byte) if later.has(byte) => name.push(byte),
            Some(b'"') if quoted && bytes.next_if_eq(&b'"').is_some() => name.push(b'"'),
            Some(b'"') => (quoted, was_quoted) = (!quoted, true),
            Some(byte) if quoted => name.push(byte),
            Some(b',') | None => {
                let name = std::mem::take(&mut name);
                if was_quoted || !name.is_empty() {
                    names.push(name);
                }
                was_quoted = false;
                if bytes.peek().is_none() {
                    return names;
                }
            }
            Some(byte) if byte.is_ascii_whitespace() => {}
            Some(byte) => name.push(byte.to_ascii_lowercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_as_the_server_reads_them() {
        let along = |path: &str| {
            along(path.into(), "Me".into(), Encoding::Safe).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(along("\"$user\", public"), ["pg_catalog", "Me", "public"]);
        assert_eq!(along("$user,Public , \"a \"\"b\"\", c\""), ["pg_catalog", "Me", "public", "a \"b\", c"]);
        assert_eq!(along("s, pg_catalog"), ["s", "pg_catalog"]);
        assert_eq!(along("\"\""), ["pg_catalog", ""]);
        assert_eq!(along(""), ["pg_catalog"]);
    }
}
