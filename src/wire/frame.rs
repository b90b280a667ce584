//! Messages with text in bytes, for which postgres-protocol wants `&str`, and the fields of messages that come in.

use std::io;

use bytes::{BufMut, BytesMut};

use super::error::{Error, Result};

/// Appends a message of `tag` whose body `fill` writes.
pub(super) fn message(out: &mut BytesMut, tag: u8, fill: impl FnOnce(&mut BytesMut)) -> Result<()> {
    out.put_u8(tag);
    body(out, fill)
}

/// Appends the head of a message of `tag` whose body has `length` bytes and is sent after it.
pub(super) fn head(out: &mut BytesMut, tag: u8, length: usize) -> Result<()> {
    let length = i32::try_from(length.saturating_add(4)).map_err(|_| too_long())?;
    out.put_u8(tag);
    out.put_i32(length);
    Ok(())
}

/// Appends a length and the body that `fill` writes.
pub(super) fn body(out: &mut BytesMut, fill: impl FnOnce(&mut BytesMut)) -> Result<()> {
    let at = out.len();
    out.put_i32(0);
    fill(out);
    let Ok(len) = i32::try_from(out.len() - at) else {
        out.truncate(at);
        return Err(too_long());
    };
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

/// What came of a message that postgres-protocol was to append: its texts have no zero bytes, so that it can only be too long.
pub(super) fn appended(result: io::Result<()>) -> Result<()> {
    result.map_err(|_| too_long())
}

pub(super) fn too_long() -> Error {
    Error::statement("send a message to the server", "it is longer than 2 GiB")
}

/// Appends a string with the zero byte that ends it.
pub(super) fn put_cstr(out: &mut BytesMut, text: &[u8]) {
    out.put_slice(text);
    out.put_u8(0);
}

/// Refuses text with a zero byte, which would end it early and let the rest be read as something else.
pub(super) fn check_zero(what: &str, text: &[u8]) -> Result<()> {
    if text.contains(&0) {
        return Err(Error::statement(format!("send {what} to the server"), "it contains a zero byte"));
    }
    Ok(())
}

/// Takes a string off the front of the fields of a message, with the zero byte that ends it.
pub(super) fn cstr<'a>(fields: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = fields.iter().position(|&byte| byte == 0)?;
    let text = fields.split_off(..end);
    fields.split_off_first();
    text
}
