//! Values out of rows, by the column's name; the column's type must be one that fits.

use bstr::{BStr, BString};
use postgres_types::FromSql;

use super::error::{Error, Result};
use super::rows::Row;
use super::values::{Array, Float8, Int4, Int8, Oid, Text};

impl<'a> Row<'a> {
    fn wrong(self, name: &str, why: impl Into<String>) -> Error {
        Error::program(format!("read column {name:?} of {}", self.rows.what()), why)
    }

    fn null(self, name: &str) -> Error {
        self.wrong(name, "it is NULL where it must not be")
    }

    /// The value in the column called `name`, which must be `wanted`.
    fn get<T: FromSql<'a>>(self, name: &str, wanted: &str) -> Result<Option<T>> {
        let (column, value) = self.find(name)?;
        if !T::accepts(&column.declared) {
            let why = format!("it is of the type with OID {}, not {wanted}", column.declared.oid());
            return Err(self.wrong(name, why));
        }
        if !column.is_binary {
            return Err(self.wrong(name, "it is not in binary form"));
        }
        let decoded = value.map(|value| T::from_sql(&column.declared, value)).transpose();
        decoded.map_err(|_| self.wrong(name, format!("its value is not a valid {wanted}")))
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $opt:ident, $wanted:literal, $ty:ty, |$value:ident: $via:ty| $as:expr;)*) => {
        impl<'a> Row<'a> { $(
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
                Ok(self.get::<$via>(name, $wanted)?.map(|$value| $as))
            }
        )* }
    };
}

getters! {
    /// Text of any of the types whose binary form is text.
    text, opt_text, "text", &'a BStr, |value: Text<&'a BStr>| value.0;
    /// Text of any of the types whose binary form is text, owned.
    string, opt_string, "text", BString, |value: Text<&'a BStr>| value.0.to_owned();
    /// `bytea`.
    bytes, opt_bytes, "bytea", &'a [u8], |value: &'a [u8]| value;
    /// A `"char"`: one byte; zero for the empty one.
    char, opt_char, "\"char\"", u8, |value: i8| value.cast_unsigned();
    /// `bool`.
    bool, opt_bool, "bool", bool, |value: bool| value;
    /// `oid`, and what is sent like it (`regclass`, `regtype`, `xid`, …).
    oid, opt_oid, "oid", u32, |value: Oid| value.0;
    /// `int2`.
    i16, opt_i16, "int2", i16, |value: i16| value;
    /// `int4` or `int2`.
    i32, opt_i32, "int4", i32, |value: Int4| value.0;
    /// `int8`, `int4` or `int2`.
    i64, opt_i64, "int8", i64, |value: Int8| value.0;
    /// `float4`.
    f32, opt_f32, "float4", f32, |value: f32| value;
    /// `float8` or `float4`.
    f64, opt_f64, "float8", f64, |value: Float8| value.0;
    /// `text[]` and the like, of one dimension.
    texts, opt_texts, "one-dimensional text[]", Vec<Option<BString>>, |value: Array<Option<Text<&'a BStr>>>|
        value.0.into_iter().map(|text| text.map(|text| text.0.to_owned())).collect();
    /// `oid[]` or `oidvector`, without NULLs.
    oids, opt_oids, "one-dimensional oid[]", Vec<u32>, |value: Array<Oid>| value.0.into_iter().map(|oid| oid.0).collect();
    /// `int2[]` or `int2vector`, without NULLs.
    i16s, opt_i16s, "one-dimensional int2[]", Vec<i16>, |value: Array<i16>| value.0;
    /// `int4[]`, without NULLs.
    i32s, opt_i32s, "one-dimensional int4[]", Vec<i32>, |value: Array<i32>| value.0;
    /// `bool[]`, without NULLs.
    bools, opt_bools, "one-dimensional bool[]", Vec<bool>, |value: Array<bool>| value.0;
    /// `"char"[]`, without NULLs.
    chars, opt_chars, "one-dimensional \"char\"[]", Vec<u8>, |value: Array<i8>|
        value.0.into_iter().map(i8::cast_unsigned).collect();
}

#[cfg(test)]
mod tests {
    use std::ops::Not;

    use postgres_types::Type;
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
            let array = Array::<Option<i32>>::from_sql(&Type::INT4_ARRAY, &value);
            prop_assert!(array.is_ok_and(|array| array.0.len() > value.len()).not());
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
