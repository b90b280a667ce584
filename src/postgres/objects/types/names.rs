//! What types are called, for all who mention one: functions' arguments, casts, operators, the order among overloaded
//! names.

use std::cmp::Ordering;

use bstr::{BStr, ByteSlice};

use super::super::deparse::is_gone;
use super::Type;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::model::Model;
use crate::sql::Deparsed;

/// The type's name as `format_type` writes it under an empty search_path: quoted, and qualified unless it is in
/// `pg_catalog`. None where there is no such type, or none any more.
pub fn type_name(model: &Model, oid: u32) -> Option<&Deparsed> {
    model.find_body::<Type>(Catalog::TYPE, oid).map(|(_, body)| &body.formatted).filter(|name| !is_gone(name.as_bstr()))
}

/// As [`type_name`], for a type that `what` cannot be written without.
///
/// # Errors
/// There is no such type.
pub fn required_type_name<'m>(model: &'m Model, oid: u32, what: &BStr) -> Result<&'m Deparsed> {
    type_name(model, oid).ok_or_else(|| {
        Error::new(ErrorKind::Changed, format!("find a type that \"{what}\" mentions"))
            .why(format!("the catalog has no type with OID {oid}"))
            .hint("if it has just been dropped, run the backup again")
    })
}

/// The schema's name and the type's own, unquoted.
pub fn type_key(model: &Model, oid: u32) -> Option<(&BStr, &BStr)> {
    let object = model.find_object(Catalog::TYPE, oid)?;
    Some((model.schema_name(object)?, object.name.as_bstr()))
}

/// The order of two types by schema's name and name; equal where one is not known.
pub fn compare_types(model: &Model, a: u32, b: u32) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    match (type_key(model, a), type_key(model, b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => Ordering::Equal,
    }
}
