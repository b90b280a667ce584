//! The list of the large objects of an entry, in a directory or a tar archive: a line `<OID> blob_<OID>.dat` for each.

use std::io::Read;

use bstr::{BStr, ByteSlice};

use super::stream::Stream;
use crate::error::{ErrorKind, Fault};
use crate::names::Name;

/// No line is longer.
const LINE: usize = "4294967295 blob_4294967295.dat".len();

/// Reads the list that is the open stream, to its end.
///
/// # Errors
/// A line that says anything else; more of them than `limit`; reading fails.
pub(super) fn read<R: Read>(stream: &mut Stream<R>, limit: u64) -> Result<Vec<u32>, Fault> {
    let mut oids = Vec::new();
    let mut line = Vec::new();
    loop {
        let at = stream.input.offset();
        let bytes = stream.fill()?;
        if bytes.is_empty() {
            if !line.is_empty() {
                add(&line, &mut oids, limit, at)?;
            }
            return Ok(oids);
        }
        let newline = bytes.find_byte(b'\n');
        let part = &bytes[..newline.unwrap_or(bytes.len())];
        line.extend(part.iter().take(LINE + 1 - line.len().min(LINE + 1)));
        let n = part.len() + usize::from(newline.is_some());
        stream.consume(n);
        if newline.is_some() {
            add(&line, &mut oids, limit, at)?;
            line.clear();
        }
    }
}

fn add(line: &[u8], oids: &mut Vec<u32>, limit: u64, at: u64) -> Result<(), Fault> {
    // Carriage returns come from tools that think it is a text.
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let oid = line.split_once_str(" ").and_then(|(oid, name)| match Name::parse(name) {
        Some((Name::Object(named), _)) if name == Name::Object(named).to_string().as_bytes() => {
            (oid == named.to_string().as_bytes()).then_some(named)
        }
        _ => None,
    });
    let Some(oid) = oid else {
        let why = format!("{:?} is no line \"<OID> blob_<OID>.dat\" of a list of large objects", BStr::new(line));
        return Err(Fault::malformed(at, why));
    };
    if oids.len() as u64 >= limit {
        return Err(Fault::new(at, ErrorKind::Limit { amount: limit.saturating_add(1), limit }));
    }
    oids.push(oid);
    Ok(())
}
