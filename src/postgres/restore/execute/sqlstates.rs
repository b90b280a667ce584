//! What errors of the server mean to a restore.

use crate::wire::sqlstate;

/// A transaction needs more locks than the server has room for.
pub const NO_MORE_LOCKS: &str = sqlstate::OUT_OF_MEMORY;
/// There is one already.
pub const DUPLICATE: [&str; 5] = [
    sqlstate::DUPLICATE_TABLE,
    sqlstate::DUPLICATE_OBJECT, // type, and most other objects
    sqlstate::DUPLICATE_FUNCTION,
    sqlstate::DUPLICATE_SCHEMA,
    sqlstate::DUPLICATE_COLUMN,
];

/// Whether something is not there. Not every drop has a form that lets that pass: a default's, or that of a constraint of a
/// domain.
pub fn is_absence(code: &str) -> bool {
    const UNDEFINED: [&str; 5] = [
        sqlstate::UNDEFINED_TABLE,
        sqlstate::UNDEFINED_COLUMN,
        sqlstate::UNDEFINED_OBJECT, // type, and most other objects
        sqlstate::UNDEFINED_FUNCTION,
        sqlstate::INVALID_SCHEMA_NAME,
    ];
    UNDEFINED.contains(&code)
}
