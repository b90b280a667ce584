//! Parameters of a query: values, and the types that they are declared as.

use std::error::Error;
use std::sync::Arc;

use bstr::BString;
use bytes::BytesMut;
use postgres_protocol::IsNull;
use postgres_types::{ToSql, Type};

use super::values::Text;

/// One parameter of a [`Query`](super::Query), sent in binary form.
#[derive(Debug, Clone)]
pub struct Param {
    pub(super) declared: Type,
    value: Arc<dyn ToSql + Send + Sync>,
}

impl Param {
    fn new(declared: Type, value: impl ToSql + Send + Sync + 'static) -> Self {
        Self { declared, value: Arc::new(value) }
    }

    /// `text`, in the session's client encoding.
    pub fn text(value: impl AsRef<[u8]>) -> Self {
        Self::new(Type::TEXT, Text(BString::from(value.as_ref())))
    }

    /// `bytea`.
    pub fn bytea(value: &[u8]) -> Self {
        Self::new(Type::BYTEA, value.to_vec())
    }

    /// `oid`.
    pub fn oid(value: u32) -> Self {
        Self::new(Type::OID, value)
    }

    /// `int4`.
    pub fn int4(value: i32) -> Self {
        Self::new(Type::INT4, value)
    }

    /// `int8`.
    pub fn int8(value: i64) -> Self {
        Self::new(Type::INT8, value)
    }

    /// `oid[]`.
    pub fn oids(values: &[u32]) -> Self {
        Self::new(Type::OID_ARRAY, values.to_vec())
    }

    /// `text[]`, in the session's client encoding.
    pub fn texts<T: AsRef<[u8]>>(values: &[T]) -> Self {
        let texts: Vec<_> = values.iter().map(|text| Text(BString::from(text.as_ref()))).collect();
        Self::new(Type::TEXT_ARRAY, texts)
    }

    /// Appends the value.
    pub(super) fn put(&self, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Send + Sync>> {
        // None of them is NULL.
        self.value.to_sql_checked(&self.declared, out).map(|_| IsNull::No)
    }
}
