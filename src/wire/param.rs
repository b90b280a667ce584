//! Parameters of a query: bytes in the format they are sent in, and the type they are declared as.

pub(super) const BOOL: u32 = 16;
pub(super) const BYTEA: u32 = 17;
pub(super) const INT8: u32 = 20;
pub(super) const INT4: u32 = 23;
pub(super) const TEXT: u32 = 25;
pub(super) const OID: u32 = 26;
const INT2_ARRAY: u32 = 1005;
const TEXT_ARRAY: u32 = 1009;
const OID_ARRAY: u32 = 1028;

/// One parameter of a [`Query`](super::Query).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Param {
    pub(super) oid: u32,
    pub(super) binary: bool,
    pub(super) value: Option<Vec<u8>>,
}

impl Param {
    fn binary(oid: u32, value: Vec<u8>) -> Self {
        Self { oid, binary: true, value: Some(value) }
    }

    /// NULL of the type with this OID.
    pub fn null(oid: u32) -> Self {
        Self { oid, binary: true, value: None }
    }

    /// `text`, in the session's client encoding.
    pub fn text(value: impl AsRef<[u8]>) -> Self {
        Self { oid: TEXT, binary: false, value: Some(value.as_ref().to_vec()) }
    }

    /// The text form of a value whose type the server is to find out from where the parameter stands.
    pub fn untyped(value: impl AsRef<[u8]>) -> Self {
        Self { oid: 0, binary: false, value: Some(value.as_ref().to_vec()) }
    }

    /// `bytea`.
    pub fn bytea(value: &[u8]) -> Self {
        Self::binary(BYTEA, value.to_vec())
    }

    /// `oid`.
    pub fn oid(value: u32) -> Self {
        Self::binary(OID, value.to_be_bytes().to_vec())
    }

    /// `int4`.
    pub fn int4(value: i32) -> Self {
        Self::binary(INT4, value.to_be_bytes().to_vec())
    }

    /// `int8`.
    pub fn int8(value: i64) -> Self {
        Self::binary(INT8, value.to_be_bytes().to_vec())
    }

    /// `bool`.
    pub fn bool(value: bool) -> Self {
        Self::binary(BOOL, vec![u8::from(value)])
    }

    /// `oid[]`.
    pub fn oids(values: &[u32]) -> Self {
        array(OID_ARRAY, OID, values.iter().map(|v| v.to_be_bytes()))
    }

    /// `int2[]`.
    pub fn int2s(values: &[i16]) -> Self {
        array(INT2_ARRAY, 21, values.iter().map(|v| v.to_be_bytes()))
    }

    /// `text[]`, in the session's client encoding.
    pub fn texts<T: AsRef<[u8]>>(values: &[T]) -> Self {
        array(TEXT_ARRAY, TEXT, values.iter().map(AsRef::as_ref))
    }
}

fn array<T: AsRef<[u8]>>(oid: u32, element: u32, values: impl ExactSizeIterator<Item = T>) -> Param {
    let len = values.len();
    let mut out = Vec::with_capacity(20 + len * 8);
    let dimensions: i32 = if len == 0 { 0 } else { 1 };
    out.extend_from_slice(&dimensions.to_be_bytes());
    out.extend_from_slice(&0i32.to_be_bytes());
    out.extend_from_slice(&element.to_be_bytes());
    if len > 0 {
        // More elements than an array may have is for the server to refuse: the number it reads is then none it takes.
        out.extend_from_slice(&i32::try_from(len).unwrap_or(i32::MAX).to_be_bytes());
        out.extend_from_slice(&1i32.to_be_bytes());
    }
    for value in values {
        let value = value.as_ref();
        out.extend_from_slice(&i32::try_from(value.len()).unwrap_or(i32::MAX).to_be_bytes());
        out.extend_from_slice(value);
    }
    Param::binary(oid, out)
}
