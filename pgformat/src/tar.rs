//! Tar files, as far as archives of pg_dump are in them: plain members one after the other. What else a tar file can hold
//! (links, devices, sparse files, names with folders) is refused. They are written by `writer/tar.rs`.

use std::io::Read;

use bstr::{BString, ByteSlice};

use crate::error::{ErrorKind, Fault};
use crate::primitives::Input;

/// Everything in a tar file is in blocks of this size.
pub(crate) const BLOCK: usize = 512;
/// More than this no extended header needs.
const EXTENDED: u64 = 64 * 1024;

/// A member whose data comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: BString,
    pub(crate) size: u64,
    /// Where its data begins.
    pub(crate) start: u64,
}

impl Member {
    /// Where the next header is.
    pub(crate) fn next(&self) -> u64 {
        self.start.saturating_add(padded(self.size))
    }
}

fn padded(size: u64) -> u64 {
    size.checked_next_multiple_of(BLOCK as u64).unwrap_or(u64::MAX)
}

/// Whether a file begins as tar files do; `start` is its first block.
pub(crate) fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar") && start.len() >= BLOCK
}

/// What the extended headers before a member say of it.
#[derive(Debug, Default)]
struct Extended {
    name: Option<BString>,
    size: Option<u64>,
    /// The name is longer than the member's own header can say, so none of an archive's.
    is_long: bool,
}

/// What comes next in a tar file.
#[derive(Debug)]
pub(crate) enum Next {
    Member(Member),
    /// The mark of the end.
    End,
    /// The end of the input, without that mark: if something is missing, it was cut off here.
    Cut,
}

/// Goes on to the next member, from where a header must be.
///
/// # Errors
/// What stands here is no header, or that of something that archives do not have; reading fails.
pub(crate) fn next<R: Read>(input: &mut Input<R>) -> Result<Next, Fault> {
    let mut extended = Extended::default();
    loop {
        let at = input.offset();
        if input.peek(1)?.is_empty() {
            return Ok(Next::Cut);
        }
        let mut header = [0; BLOCK];
        input.read_exact(&mut header)?;
        if header.iter().all(|byte| *byte == 0) {
            rest_is_empty(input)?;
            return Ok(Next::End);
        }
        let field = |range: std::ops::Range<usize>| header.get(range).unwrap_or_default();
        if number(field(148..156)) != Some(sum(&header)) {
            return Err(Fault::malformed(at, "this is no header of a tar file's member: its checksum is wrong"));
        }
        let Some(size) = number(field(124..136)).filter(|size| i64::try_from(padded(*size)).is_ok()) else {
            return Err(Fault::malformed(at, "the header of a tar file's member has no size"));
        };
        let name = name(field(0..100), field(257..263), field(345..500));
        match header[156] {
            b'0' | 0 | b'7' => {
                let name = extended.name.unwrap_or(name);
                let name = if extended.is_long { BString::default() } else { plain(at, name)? };
                let size = extended.size.unwrap_or(size);
                return Ok(Next::Member(Member { name, size, start: input.offset() }));
            }
            b'x' => extended_header(input, size, &mut extended)?,
            b'L' => {
                extended.is_long = true;
                input.skip(padded(size))?;
            }
            // Folders, headers for all members, labels: nothing that an archive needs.
            b'5' | b'g' | b'K' | b'V' => input.skip(padded(size))?,
            kind => {
                let what = match kind {
                    b'1' => "a link",
                    b'2' => "a symbolic link",
                    b'3' | b'4' => "a device",
                    b'6' => "a FIFO",
                    b'S' => "a sparse file",
                    _ => "something else than a file",
                };
                let why = format!("the member {name:?} of the tar file is {what}, which no archive has");
                return Err(Fault::malformed(at, why));
            }
        }
    }
}

/// After the mark of the end a tar file may be filled up with zeros.
fn rest_is_empty<R: Read>(input: &mut Input<R>) -> Result<(), Fault> {
    loop {
        let bytes = input.fill()?;
        if bytes.is_empty() {
            return Ok(());
        }
        let zeros = bytes.iter().position(|byte| *byte != 0);
        let n = zeros.unwrap_or(bytes.len());
        input.consume(n);
        if zeros.is_some() {
            return Err(Fault::malformed(input.offset(), "there is something after the end of the tar file"));
        }
    }
}

/// The sum of a header's bytes, its own field taken for blanks.
pub(crate) fn sum(header: &[u8; BLOCK]) -> u64 {
    let all: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    let own: u64 = header[148..156].iter().map(|byte| u64::from(*byte)).sum();
    all - own + 8 * u64::from(b' ')
}

/// A number: octal digits between blanks or zeros, or, after a byte 0x80, the bytes of the number, largest first.
fn number(field: &[u8]) -> Option<u64> {
    if let [0x80, bytes @ ..] = field {
        let (high, low) = bytes.split_at(bytes.len().saturating_sub(8));
        let fits = high.iter().all(|byte| *byte == 0);
        return fits.then(|| low.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)));
    }
    let digits = field.trim_with(|c| c == ' ' || c == '\0');
    let is_number = !digits.is_empty() && digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    is_number.then(|| digits.iter().fold(0, |value, digit| value << 3 | u64::from(digit - b'0')))
}

fn name(name: &[u8], magic: &[u8], prefix: &[u8]) -> BString {
    let text = |field: &[u8]| field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
    let mut all = if magic == b"ustar\0" { text(prefix) } else { Vec::new() };
    if !all.is_empty() {
        all.push(b'/');
    }
    all.extend(text(name));
    all.into()
}

/// The name of a member that lies in no folder.
fn plain(at: u64, name: BString) -> Result<BString, Fault> {
    let bare = name.strip_prefix(b"./").unwrap_or(&name);
    if bare.is_empty() || bare == b".." || bare.contains(&b'/') {
        let why = format!("the member {name:?} of the tar file is not at its top, where all of an archive is");
        return Err(Fault::malformed(at, why));
    }
    Ok(bare.into())
}

/// Reads the records of an extended header, `<length> <key>=<value>\n`.
fn extended_header<R: Read>(input: &mut Input<R>, size: u64, extended: &mut Extended) -> Result<(), Fault> {
    let at = input.offset();
    if size > EXTENDED {
        return Err(Fault::new(at, ErrorKind::Limit { amount: size, limit: EXTENDED }));
    }
    let mut records = vec![0; usize::try_from(padded(size)).unwrap_or_default()];
    input.read_exact(&mut records)?;
    records.truncate(usize::try_from(size).unwrap_or_default());
    let mut rest = records.as_slice();
    let damaged = || Fault::malformed(at, "an extended header of the tar file is damaged");
    while !rest.is_empty() {
        let blank = rest.find_byte(b' ').ok_or_else(damaged)?;
        let length: usize = rest[..blank].to_str().ok().and_then(|n| n.parse().ok()).ok_or_else(damaged)?;
        let record = rest.get(blank + 1..length).and_then(|record| record.strip_suffix(b"\n")).ok_or_else(damaged)?;
        let (key, value) = record.split_once_str("=").ok_or_else(damaged)?;
        if key == b"path" {
            extended.name = Some(value.into());
        } else if key == b"size" {
            let size = value.to_str().ok().and_then(|n| n.parse().ok());
            let size = size.filter(|size| i64::try_from(padded(*size)).is_ok()).ok_or_else(damaged)?;
            extended.size = Some(size);
        } else if key.starts_with(b"GNU.sparse") {
            return Err(Fault::malformed(at, "a member of the tar file is a sparse file, which no archive has"));
        }
        rest = &rest[length..];
    }
    Ok(())
}
