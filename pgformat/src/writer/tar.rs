//! The tar format: each stream a member, as pg_dump writes them.
//!
//! How long a member is stands before it. Where the output can seek, that is put in afterwards; where it cannot, a member waits
//! until all of it is known, a large one in a temporary file.

use std::io::{Seek, Write};

use super::folder::CONTENTS;
use crate::error::Fault;
use crate::names::Name;
use crate::primitives::Output;
use crate::spool::{Aside, NewSpool};
use crate::tar::{BLOCK, sum};
use crate::{Entry, Version};

/// The script that is beside the data.
const SCRIPT: &str = "restore.sql";

/// What all members say of themselves.
const MODE: u64 = 0o600;
const USER: u64 = 0o4000;
const GROUP: u64 = 0o2000;
const OWNER: &[u8] = b"postgres";

/// A tar file that begins.
#[derive(Debug)]
pub(super) struct NewTar {
    /// When all members were changed, in seconds since 1970.
    modified: u64,
    start: u64,
}

/// The members after a table of contents.
#[derive(Debug)]
pub(super) struct Tar<W> {
    pub(super) output: Output<W>,
    version: Version,
    modified: u64,
    /// The open member, and where it begins.
    member: Option<(String, u64)>,
    /// The open block of large objects: the name of its list, and what is in it.
    list: Option<(Name, Vec<u32>)>,
}

/// What a tar file is written to that cannot seek.
pub(super) fn streaming<W: Write>(out: W, spool: Box<NewSpool>) -> Output<W> {
    Output::with_aside(out, Aside::new(spool))
}

/// What one is written to that can.
pub(super) fn seekable<W: Write + Seek>(out: W) -> Result<Output<W>, Fault> {
    Output::seekable(out)
}

impl NewTar {
    /// Begins with the table of contents.
    pub(super) fn begin<W: Write>(output: &mut Output<W>, modified: u64) -> Result<Self, Fault> {
        Ok(Self { modified, start: begin(output, CONTENTS, modified)? })
    }

    /// Ends the table of contents.
    pub(super) fn end<W: Write>(self, mut output: Output<W>, version: Version) -> Result<Tar<W>, Fault> {
        end(&mut output, CONTENTS, self.start, self.modified)?;
        Ok(Tar { output, version, modified: self.modified, member: None, list: None })
    }
}

impl<W: Write> Tar<W> {
    fn open(&mut self, name: String) -> Result<(), Fault> {
        let start = begin(&mut self.output, &name, self.modified)?;
        self.member = Some((name, start));
        Ok(())
    }

    /// Begins the data of an entry.
    pub(super) fn begin(&mut self, entry: &Entry) -> Result<(), Fault> {
        let name = Name::of(entry, self.version);
        if entry.holds_large_objects() {
            // It comes after the objects.
            self.list = Some((name, Vec::new()));
            return Ok(());
        }
        self.open(name.to_string())
    }

    pub(super) fn large_object(&mut self, oid: u32) -> Result<(), Fault> {
        if let Some((_, oids)) = &mut self.list {
            oids.push(oid);
        }
        self.open(Name::Object(oid).to_string())
    }

    /// Begins the script.
    pub(super) fn begin_script(&mut self) -> Result<(), Fault> {
        self.open(SCRIPT.to_owned())
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.output.bytes(bytes)
    }

    pub(super) fn end_stream(&mut self) -> Result<(), Fault> {
        let Some((name, start)) = self.member.take() else { return Ok(()) };
        end(&mut self.output, &name, start, self.modified)
    }

    pub(super) fn end_large_objects(&mut self) -> Result<(), Fault> {
        let Some((name, oids)) = self.list.take() else { return Ok(()) };
        self.open(name.to_string())?;
        for oid in oids {
            self.add(format!("{oid} {}\n", Name::Object(oid)).as_bytes())?;
        }
        self.end_stream()
    }

    /// Marks the end.
    pub(super) fn finish(mut self) -> Result<Output<W>, Fault> {
        self.output.bytes(&[0; 2 * BLOCK])?;
        Ok(self.output)
    }
}

/// Begins a member; gives where.
fn begin<W: Write>(output: &mut Output<W>, name: &str, modified: u64) -> Result<u64, Fault> {
    let start = output.offset();
    match output.can_seek() {
        true => output.bytes(&header(name, 0, modified))?,
        false => output.put_aside(),
    }
    Ok(start)
}

/// Ends a member that begins at `start`.
fn end<W: Write>(output: &mut Output<W>, name: &str, start: u64, modified: u64) -> Result<(), Fault> {
    let length = output.offset() - start;
    let size = if output.can_seek() { length - BLOCK as u64 } else { length };
    let header = header(name, size, modified);
    match output.can_seek() {
        true => output.patch(start, &header)?,
        false => output.bring_back(&header)?,
    }
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    output.bytes([0; BLOCK].get(..(BLOCK - over) % BLOCK).unwrap_or_default())
}

/// The header of a member.
fn header(name: &str, size: u64, modified: u64) -> [u8; BLOCK] {
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = header.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    };
    put(0, name.as_bytes());
    put(100, &number::<8>(MODE));
    put(108, &number::<8>(USER));
    put(116, &number::<8>(GROUP));
    put(124, &number::<12>(size));
    put(136, &number::<12>(modified));
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(265, OWNER);
    put(297, OWNER);
    put(329, &number::<8>(0));
    put(337, &number::<8>(0));
    let sum = number::<8>(sum(&header));
    if let Some(field) = header.get_mut(148..156) {
        field.copy_from_slice(&sum);
    }
    header
}

/// A number: octal digits and a blank, or, where it takes more of them, the bytes of the number after a byte 0x80.
fn number<const N: usize>(n: u64) -> [u8; N] {
    let mut field = [0; N];
    let digits = N - 1;
    if n >> (3 * digits).min(63) == 0 {
        for (place, digit) in field.iter_mut().take(digits).rev().enumerate() {
            *digit = b'0' + u8::try_from(n >> (3 * place) & 7).unwrap_or_default();
        }
        if let Some(last) = field.last_mut() {
            *last = b' ';
        }
    } else {
        for (place, byte) in field.iter_mut().rev().take(8).enumerate() {
            *byte = n.to_le_bytes().get(place).copied().unwrap_or_default();
        }
        if let Some(first) = field.first_mut() {
            *first = 0x80;
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_octal_where_that_is_long_enough() {
        assert_eq!(&number::<12>(0), b"00000000000 ");
        assert_eq!(&number::<12>(3350), b"00000006426 ");
        assert_eq!(&number::<12>((1 << 33) - 1), b"77777777777 ");
        assert_eq!(&number::<12>(1 << 33), b"\x80\0\0\0\0\0\0\x02\0\0\0\0");
        assert_eq!(&number::<8>(0o600), b"0000600 ");
    }
}
