//! Values out of rows, by the column's name; the column's type must be one that fits.

use bstr::{BStr, BString, ByteSlice};

use super::frame::Fields;
use super::rows::{Column, Row};
use crate::{Error, ErrorKind, Result};

/// Types whose binary form is their text: text, name, varchar, bpchar, unknown, cstring, json, xml, pg_node_tree.
const TEXTS: &[u32] = &[25, 19, 1043, 1042, 705, 2275, 114, 142, 194];
/// oid and what is sent like it: the reg… types, xid, cid.
const OIDS: &[u32] = &[26, 24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191, 28, 29];
const BOOL: &[u32] = &[16];
const BYTEA: &[u32] = &[17];
const CHAR: &[u32] = &[18];
const INT2: &[u32] = &[21];
const INT4: &[u32] = &[23, 21];
const INT8: &[u32] = &[20, 23, 21];
const FLOAT4: &[u32] = &[700];
const FLOAT8: &[u32] = &[701, 700];
/// text[], name[], varchar[], bpchar[], cstring[].
const TEXT_ARRAYS: &[u32] = &[1009, 1003, 1015, 1014, 1263];
/// oid[], oidvector, and arrays of the reg… types.
const OID_ARRAYS: &[u32] = &[1028, 30, 1008, 2207, 2208, 2209, 2210, 2211, 3735, 3770, 4090, 4097, 4192];
const INT2_ARRAYS: &[u32] = &[1005, 22];
const INT4_ARRAYS: &[u32] = &[1007];
const BOOL_ARRAYS: &[u32] = &[1000];
const CHAR_ARRAYS: &[u32] = &[1002];

/// More elements than this are not in an array that a catalog query asks for; the number comes from outside.
const ELEMENTS: usize = 128 * 1024 * 1024;

type Array<'a> = Vec<Option<&'a [u8]>>;

impl<'a> Row<'a> {
    fn wrong(self, name: &str, why: impl Into<String>) -> Error {
        Error::new(ErrorKind::Internal, format!("read column {name:?} of {}", self.rows.what())).why(why)
    }

    fn null(self, name: &str) -> Error {
        self.wrong(name, "it is NULL where it must not be")
    }

    fn typed(self, name: &str, types: &[u32], wanted: &str) -> Result<(&'a Column, Option<&'a [u8]>)> {
        let (column, value) = self.find(name)?;
        if types.contains(&column.type_oid) {
            return Ok((column, value));
        }
        Err(self.wrong(name, format!("it is of the type with OID {}, not {wanted}", column.type_oid)))
    }

    /// A value of fixed size: read by `decode` from the binary form, or parsed from the text form.
    fn scalar<T: std::str::FromStr>(
        self,
        name: &str,
        types: &[u32],
        wanted: &str,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>> {
        let (column, value) = self.typed(name, types, wanted)?;
        let Some(value) = value else { return Ok(None) };
        let decoded = if column.binary { decode(value) } else { value.to_str().ok().and_then(|t| t.parse().ok()) };
        decoded.map(Some).ok_or_else(|| self.wrong(name, format!("its value is not a valid {wanted}")))
    }

    fn array(self, name: &str, types: &[u32], wanted: &str) -> Result<Option<Array<'a>>> {
        let (column, value) = self.typed(name, types, wanted)?;
        let Some(value) = value else { return Ok(None) };
        if !column.binary {
            return Err(self.wrong(name, "arrays are read in binary form only"));
        }
        match array(value) {
            Some(elements) => Ok(Some(elements)),
            None => Err(self.wrong(name, format!("its value is not a valid one-dimensional {wanted}"))),
        }
    }

    fn elements<T>(
        self,
        name: &str,
        types: &[u32],
        wanted: &str,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<Vec<T>>> {
        let Some(array) = self.array(name, types, wanted)? else { return Ok(None) };
        let decoded: Option<Vec<T>> = array.into_iter().map(|e| e.and_then(&decode)).collect();
        decoded.map(Some).ok_or_else(|| self.wrong(name, format!("an element is NULL or not valid in a {wanted}")))
    }

    /// Text of any of the types whose binary form is text; in a result in text format, any type's text.
    ///
    /// # Errors
    /// No such column, another type, NULL. So it is for all getters without `opt`.
    pub fn text(&self, name: &str) -> Result<&'a BStr> {
        self.opt_text(name)?.ok_or_else(|| self.null(name))
    }

    /// As [`Row::text`], or NULL.
    ///
    /// # Errors
    /// No such column, another type. So it is for all getters with `opt`.
    pub fn opt_text(&self, name: &str) -> Result<Option<&'a BStr>> {
        let (column, value) = self.find(name)?;
        if column.binary && !TEXTS.contains(&column.type_oid) {
            return Err(self.wrong(name, format!("it is of the type with OID {}, not text", column.type_oid)));
        }
        Ok(value.map(BStr::new))
    }

    /// As [`Row::text`], owned.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn string(&self, name: &str) -> Result<BString> {
        self.text(name).map(ToOwned::to_owned)
    }

    /// As [`Row::opt_text`], owned.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn opt_string(&self, name: &str) -> Result<Option<BString>> {
        Ok(self.opt_text(name)?.map(ToOwned::to_owned))
    }

    /// `bytea`, in a binary result.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn bytes(&self, name: &str) -> Result<&'a [u8]> {
        self.opt_bytes(name)?.ok_or_else(|| self.null(name))
    }

    /// `bytea` or NULL, in a binary result.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn opt_bytes(&self, name: &str) -> Result<Option<&'a [u8]>> {
        let (column, value) = self.typed(name, BYTEA, "bytea")?;
        if !column.binary {
            return Err(self.wrong(name, "bytea is read in binary form only"));
        }
        Ok(value)
    }

    /// A `"char"`: one byte; zero for the empty one.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn char(&self, name: &str) -> Result<u8> {
        self.opt_char(name)?.ok_or_else(|| self.null(name))
    }

    /// A `"char"` or NULL.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn opt_char(&self, name: &str) -> Result<Option<u8>> {
        let (_, value) = self.typed(name, CHAR, "\"char\"")?;
        match value {
            None => Ok(None),
            Some([]) => Ok(Some(0)),
            Some(&[byte]) => Ok(Some(byte)),
            Some(_) => Err(self.wrong(name, "its value is not a valid \"char\"")),
        }
    }

    /// `bool`.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.opt_bool(name)?.ok_or_else(|| self.null(name))
    }

    /// `bool` or NULL.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn opt_bool(&self, name: &str) -> Result<Option<bool>> {
        let (column, value) = self.typed(name, BOOL, "bool")?;
        match (value, column.binary) {
            (None, _) => Ok(None),
            (Some([0]), true) | (Some(b"f"), false) => Ok(Some(false)),
            (Some([1]), true) | (Some(b"t"), false) => Ok(Some(true)),
            (Some(_), _) => Err(self.wrong(name, "its value is not a valid bool")),
        }
    }

    /// `text[]` and the like, of one dimension.
    ///
    /// # Errors
    /// As [`Row::text`].
    pub fn texts(&self, name: &str) -> Result<Vec<Option<BString>>> {
        self.opt_texts(name)?.ok_or_else(|| self.null(name))
    }

    /// As [`Row::texts`], or NULL.
    ///
    /// # Errors
    /// As [`Row::opt_text`].
    pub fn opt_texts(&self, name: &str) -> Result<Option<Vec<Option<BString>>>> {
        let array = self.array(name, TEXT_ARRAYS, "text[]")?;
        Ok(array.map(|a| a.into_iter().map(|e| e.map(BString::from)).collect()))
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $opt:ident, $types:expr, $wanted:literal, $ty:ty, $via:ident, $decode:expr;)*) => {
        impl Row<'_> { $(
            $(#[$doc])*
            ///
            /// # Errors
            /// No such column, another type, NULL.
            pub fn $name(&self, name: &str) -> Result<$ty> {
                self.$opt(name)?.ok_or_else(|| self.null(name))
            }

            $(#[$doc])*
            /// May be NULL.
            ///
            /// # Errors
            /// No such column, another type.
            pub fn $opt(&self, name: &str) -> Result<Option<$ty>> {
                self.$via(name, $types, $wanted, $decode)
            }
        )* }
    };
}

getters! {
    /// `oid`, and what is sent like it (`regclass`, `regtype`, `xid`, …).
    oid, opt_oid, OIDS, "oid", u32, scalar, be_u32;
    /// `int2`.
    i16, opt_i16, INT2, "int2", i16, scalar, be_i16;
    /// `int4` or `int2`.
    i32, opt_i32, INT4, "int4", i32, scalar, |v| be_i64(v)?.try_into().ok();
    /// `int8`, `int4` or `int2`.
    i64, opt_i64, INT8, "int8", i64, scalar, be_i64;
    /// `float4`.
    f32, opt_f32, FLOAT4, "float4", f32, scalar, |v| be_u32(v).map(f32::from_bits);
    /// `float8` or `float4`.
    f64, opt_f64, FLOAT8, "float8", f64, scalar, be_f64;
    /// `oid[]` or `oidvector`, without NULLs.
    oids, opt_oids, OID_ARRAYS, "oid[]", Vec<u32>, elements, be_u32;
    /// `int2[]` or `int2vector`, without NULLs.
    i16s, opt_i16s, INT2_ARRAYS, "int2[]", Vec<i16>, elements, be_i16;
    /// `int4[]`, without NULLs.
    i32s, opt_i32s, INT4_ARRAYS, "int4[]", Vec<i32>, elements, |v| be_i64(v)?.try_into().ok();
    /// `bool[]`, without NULLs.
    bools, opt_bools, BOOL_ARRAYS, "bool[]", Vec<bool>, elements, |v| match v { [0] => Some(false), [1] => Some(true), _ => None };
    /// `"char"[]`, without NULLs.
    chars, opt_chars, CHAR_ARRAYS, "\"char\"[]", Vec<u8>, elements, |v| v.first().copied();
}

fn be_u32(value: &[u8]) -> Option<u32> {
    value.try_into().ok().map(u32::from_be_bytes)
}

fn be_i16(value: &[u8]) -> Option<i16> {
    value.try_into().ok().map(i16::from_be_bytes)
}

/// An integer of two, four or eight bytes.
fn be_i64(value: &[u8]) -> Option<i64> {
    match value.len() {
        2 => be_i16(value).map(i64::from),
        4 => value.try_into().ok().map(i32::from_be_bytes).map(i64::from),
        _ => value.try_into().ok().map(i64::from_be_bytes),
    }
}

fn be_f64(value: &[u8]) -> Option<f64> {
    match value.len() {
        4 => be_u32(value).map(f32::from_bits).map(f64::from),
        _ => value.try_into().ok().map(u64::from_be_bytes).map(f64::from_bits),
    }
}

/// The elements of an array of at most one dimension in binary form.
fn array(value: &[u8]) -> Option<Array<'_>> {
    let mut fields = Fields(value);
    let dimensions = fields.i32()?;
    fields.bytes(8)?;
    let mut elements = Vec::new();
    match dimensions {
        0 => {}
        1 => {
            let count = usize::try_from(fields.i32()?).ok().filter(|n| *n <= ELEMENTS)?;
            fields.bytes(4)?;
            // Every element takes four bytes at least, so that a wrong number cannot make much be allocated.
            elements.reserve(count.min(fields.0.len() / 4));
            for _ in 0..count {
                let len = fields.i32()?;
                elements.push(match usize::try_from(len) {
                    Ok(len) => Some(fields.bytes(len)?),
                    Err(_) => None,
                });
            }
        }
        _ => return None,
    }
    fields.0.is_empty().then_some(elements)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::report::ServerError;
    use super::super::rows::{Room, Rows};
    use super::*;

    /// A description of one column of this type in binary format.
    fn description(type_oid: u32) -> Vec<u8> {
        [b"\0\x01c\0".as_slice(), &[0; 6], &type_oid.to_be_bytes(), &[0; 6], &[0, 1]].concat()
    }

    fn read_in_every_way(row: Row<'_>) {
        let _ = (row.text("c"), row.opt_bytes("c"), row.char("c"), row.bool("c"), row.texts("c"), row.oid("c"));
        let _ = (row.i16("c"), row.i32("c"), row.i64("c"), row.f32("c"), row.f64("c"), row.oids("c"));
        let _ = (row.i16s("c"), row.i32s("c"), row.bools("c"), row.chars("c"), row.raw(0), row.raw(9));
    }

    proptest! {
        #[test]
        fn no_value_makes_a_getter_panic(
            type_oid in prop::sample::select(vec![16u32, 17, 18, 20, 21, 22, 23, 25, 26, 30, 700, 701, 1000, 1002, 1005, 1007, 1009, 1028]),
            value in prop::collection::vec(prop::num::u8::ANY, 0..40),
        ) {
            let mut rows = Rows::describe("it", &description(type_oid)).unwrap();
            let len = u32::try_from(value.len()).unwrap().to_be_bytes();
            rows.push(&[&[0, 1], &len[..], &value].concat(), &mut Room::default()).unwrap();
            read_in_every_way(rows.one().unwrap());
        }

        #[test]
        fn no_array_header_makes_a_getter_panic(head in prop::array::uniform5(-2i32..4), rest in prop::collection::vec(prop::num::u8::ANY, 0..16)) {
            let mut value: Vec<u8> = head.iter().flat_map(|n| n.to_be_bytes()).collect();
            value.extend(rest);
            prop_assert!(array(&value).is_none_or(|a| a.len() <= value.len()));
        }

        #[test]
        fn no_message_makes_the_readers_panic(body in prop::collection::vec(prop::num::u8::ANY, 0..60)) {
            let _ = ServerError::parse(&body);
            let _ = Rows::describe("it", &body);
            let mut rows = Rows::describe("it", &description(25)).unwrap();
            if rows.push(&body, &mut Room::default()).is_ok() {
                read_in_every_way(rows.one().unwrap());
            }
        }
    }
}
