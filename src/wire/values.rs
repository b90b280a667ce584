//! The values that rows and parameters have beside those of postgres-types: text as bytes, since it need not be UTF-8, and
//! numbers and arrays of any of the types that catalogs have them in.

use std::error::Error;
use std::fmt::Debug;

use bstr::{BStr, ByteSlice};
use bytes::{BufMut, BytesMut};
use fallible_iterator::FallibleIterator;
use postgres_protocol::types::array_from_sql;
use postgres_types::{FromSql, IsNull, Kind, ToSql, Type, accepts, to_sql_checked};

type Decoded<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Text, in the session's client encoding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<T>(pub(super) T);

impl<'a> FromSql<'a> for Text<&'a BStr> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Decoded<Self> {
        Ok(Self(raw.as_bstr()))
    }

    // Those whose binary form is their text.
    accepts!(TEXT, NAME, VARCHAR, BPCHAR, UNKNOWN, CSTRING, JSON, XML, PG_NODE_TREE);
}

impl<T: AsRef<[u8]> + Debug> ToSql for Text<T> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Decoded<IsNull> {
        out.put_slice(self.0.as_ref());
        Ok(IsNull::No)
    }

    accepts!(TEXT);
    to_sql_checked!();
}

/// `oid`, and what is sent like it.
pub(super) struct Oid(pub(super) u32);

impl<'a> FromSql<'a> for Oid {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Decoded<Self> {
        u32::from_sql(&Type::OID, raw).map(Self)
    }

    accepts!(
        OID,
        REGPROC,
        REGPROCEDURE,
        REGOPER,
        REGOPERATOR,
        REGCLASS,
        REGTYPE,
        REGCONFIG,
        REGDICTIONARY,
        REGNAMESPACE,
        REGROLE,
        REGCOLLATION,
        XID,
        CID
    );
}

/// An integer of at most four bytes.
pub(super) struct Int4(pub(super) i32);

impl<'a> FromSql<'a> for Int4 {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Decoded<Self> {
        if *ty == Type::INT2 {
            i16::from_sql(ty, raw).map(|n| Self(n.into()))
        } else {
            i32::from_sql(ty, raw).map(Self)
        }
    }

    accepts!(INT2, INT4);
}

/// An integer of at most eight bytes.
pub(super) struct Int8(pub(super) i64);

impl<'a> FromSql<'a> for Int8 {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Decoded<Self> {
        if *ty == Type::INT8 {
            i64::from_sql(ty, raw).map(Self)
        } else {
            Int4::from_sql(ty, raw).map(|n| Self(n.0.into()))
        }
    }

    accepts!(INT2, INT4, INT8);
}

/// A floating-point number of either size.
pub(super) struct Float8(pub(super) f64);

impl<'a> FromSql<'a> for Float8 {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Decoded<Self> {
        if *ty == Type::FLOAT4 {
            f32::from_sql(ty, raw).map(|n| Self(n.into()))
        } else {
            f64::from_sql(ty, raw).map(Self)
        }
    }

    accepts!(FLOAT4, FLOAT8);
}

/// How many elements an array may have: catalogs have far fewer, and each takes several times its size in a message.
const ELEMENTS: usize = 128 * 1024 * 1024;

/// An array of at most one dimension. postgres-types reads it as `Vec`, for which it allocates as much as the server says that
/// there is.
pub(super) struct Array<T>(pub(super) Vec<T>);

impl<'a, T: FromSql<'a>> FromSql<'a> for Array<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Decoded<Self> {
        let array = array_from_sql(raw)?;
        if array.dimensions().count()? > 1 {
            return Err("it has several dimensions".into());
        }
        let Kind::Array(member) = ty.kind() else { return Err("it is no array".into()) };
        let (mut values, mut elements) = (array.values(), Vec::new());
        while let Some(value) = values.next()? {
            if elements.len() == ELEMENTS {
                return Err("it has too many elements".into());
            }
            elements.push(T::from_sql_nullable(member, value)?);
        }
        Ok(Self(elements))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Array(member) if T::accepts(member))
    }
}
