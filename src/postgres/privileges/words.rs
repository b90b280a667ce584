//! Which privileges there are on what, in the order in which statements list them.

use crate::error::{Error, ErrorKind, Result};

/// A privilege's letter in a list, and its key word.
pub(super) type Privilege = (u8, &'static str);

const TABLE: &[Privilege] = &[
    (b'r', "SELECT"),
    (b'a', "INSERT"),
    (b'x', "REFERENCES"),
    (b'd', "DELETE"),
    (b't', "TRIGGER"),
    (b'D', "TRUNCATE"),
    (b'm', "MAINTAIN"),
    (b'w', "UPDATE"),
];
/// The same before PostgreSQL 17.
const TABLE_WITHOUT_MAINTAIN: &[Privilege] = &[
    (b'r', "SELECT"),
    (b'a', "INSERT"),
    (b'x', "REFERENCES"),
    (b'd', "DELETE"),
    (b't', "TRIGGER"),
    (b'D', "TRUNCATE"),
    (b'w', "UPDATE"),
];
const COLUMN: &[Privilege] = &[(b'r', "SELECT"), (b'a', "INSERT"), (b'x', "REFERENCES"), (b'w', "UPDATE")];
const SEQUENCE: &[Privilege] = &[(b'r', "SELECT"), (b'U', "USAGE"), (b'w', "UPDATE")];
const ROUTINE: &[Privilege] = &[(b'X', "EXECUTE")];
const USAGE: &[Privilege] = &[(b'U', "USAGE")];
const SCHEMA: &[Privilege] = &[(b'C', "CREATE"), (b'U', "USAGE")];
const DATABASE: &[Privilege] = &[(b'C', "CREATE"), (b'c', "CONNECT"), (b'T', "TEMPORARY")];
const TABLESPACE: &[Privilege] = &[(b'C', "CREATE")];
const PARAMETER: &[Privilege] = &[(b's', "SET"), (b'A', "ALTER SYSTEM")];
const LARGE_OBJECT: &[Privilege] = &[(b'r', "SELECT"), (b'w', "UPDATE")];

/// The privileges on objects that GRANT calls by these key words, or on columns of them. All of a list together are
/// `ALL`; those that the server does not have yet count, so that an older server's lists name each one: `ALL` would be
/// more on a newer server. Where what is written is for servers of then, `maintain` says that they do not count.
pub(super) fn of(words: &'static str, column: bool, maintain: bool) -> Result<&'static [Privilege]> {
    Ok(match words {
        "TABLE" if column => COLUMN,
        "TABLE" | "TABLES" if maintain => TABLE,
        "TABLE" | "TABLES" => TABLE_WITHOUT_MAINTAIN,
        "SEQUENCE" | "SEQUENCES" => SEQUENCE,
        "FUNCTION" | "FUNCTIONS" | "PROCEDURE" | "PROCEDURES" => ROUTINE,
        "TYPE" | "TYPES" | "LANGUAGE" | "FOREIGN DATA WRAPPER" | "FOREIGN SERVER" => USAGE,
        "SCHEMA" | "SCHEMAS" => SCHEMA,
        "DATABASE" => DATABASE,
        "TABLESPACE" => TABLESPACE,
        "PARAMETER" => PARAMETER,
        "LARGE OBJECT" | "LARGE OBJECTS" => LARGE_OBJECT,
        _ => {
            return Err(Error::new(ErrorKind::Internal, format!("dump the privileges of a {words}"))
                .why("no privileges are known for this kind of object"));
        }
    })
}
