//! Messages to the server, as bytes: postgres-protocol's own take statements as `&str` only.

use crate::{Error, ErrorKind, Result};

/// Appends a message of `tag` whose body `fill` writes.
pub(super) fn message(out: &mut Vec<u8>, tag: u8, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    out.push(tag);
    body(out, fill)
}

/// Appends the head of a message of `tag` whose body has `length` bytes and is sent after it.
pub(super) fn head(out: &mut Vec<u8>, tag: u8, length: usize) -> Result<()> {
    let Ok(length) = i32::try_from(length.saturating_add(4)) else { return Err(too_long()) };
    out.push(tag);
    out.extend_from_slice(&length.to_be_bytes());
    Ok(())
}

fn too_long() -> Error {
    Error::new(ErrorKind::Usage, "send a message to the server").why("it is longer than 2 GiB")
}

/// Appends a length and the body that `fill` writes.
pub(super) fn body(out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) -> Result<()> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    fill(out);
    let Ok(len) = i32::try_from(out.len() - at) else {
        out.truncate(at);
        return Err(too_long());
    };
    out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    Ok(())
}

/// Appends a string with the zero byte that ends it.
pub(super) fn cstr(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(text);
    out.push(0);
}

/// Refuses text with a zero byte, which would end it early and let the rest be read as something else.
pub(super) fn check_zero(what: &str, text: &[u8]) -> Result<()> {
    if text.contains(&0) {
        return Err(Error::new(ErrorKind::Usage, format!("send {what} to the server")).why("it contains a zero byte"));
    }
    Ok(())
}

/// Takes integers and strings off the front of a message's body.
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.bytes(1).map(|b| b[0])
    }

    pub(super) fn i16(&mut self) -> Option<i16> {
        self.bytes(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Option<i32> {
        self.bytes(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.try_into().ok().map(u32::from_be_bytes)
    }

    pub(super) fn cstr(&mut self) -> Option<&'a [u8]> {
        let end = self.0.iter().position(|&b| b == 0)?;
        let text = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Some(text)
    }
}
