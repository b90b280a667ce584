//! The bytes below everything else: a buffered input and an output that both know their place, and the format's integers,
//! texts and offsets.

use std::io::{self, Read, Seek, SeekFrom, Write};

use bstr::{BStr, BString};

use crate::error::{ErrorKind, Fault};
use crate::spool::Aside;

const BUFFER: usize = 128 * 1024;

type SeekFn<T> = fn(&mut T, SeekFrom) -> io::Result<u64>;

/// What is known of the place of an entry's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataPosition {
    /// The archive does not say where: it was written to an output that cannot seek.
    NotSet,
    /// So many bytes from the archive's beginning.
    At(u64),
    /// There is no data.
    NoData,
}

/// A buffered input that counts its bytes and seeks where it can.
#[derive(Debug)]
pub(crate) struct Input<R> {
    inner: R,
    seek: Option<SeekFn<R>>,
    base: u64,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    offset: u64,
}

impl<R: Read> Input<R> {
    pub(crate) fn streaming(inner: R) -> Self {
        let buffer = vec![0; BUFFER].into_boxed_slice();
        Self { inner, seek: None, base: 0, buffer, start: 0, end: 0, offset: 0 }
    }

    pub(crate) fn seekable(mut inner: R) -> Result<Self, Fault>
    where
        R: Seek,
    {
        let base = inner.stream_position().map_err(|e| Fault::new(0, ErrorKind::Io(e)))?;
        Ok(Self { seek: Some(R::seek), base, ..Self::streaming(inner) })
    }

    /// Another input of the same sort, from its beginning.
    pub(crate) fn another(&self, inner: R) -> Self {
        Self { seek: self.seek, base: self.base, ..Self::streaming(inner) }
    }

    /// Says that the first byte is this many bytes from the beginning of what errors are about.
    pub(crate) fn starting_at(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// Goes on with another input, which does not seek, from its beginning.
    pub(crate) fn replace(&mut self, inner: R) {
        self.inner = inner;
        (self.seek, self.base, self.start, self.end, self.offset) = (None, 0, 0, 0, 0);
    }

    pub(crate) fn inner(&self) -> &R {
        &self.inner
    }

    pub(crate) fn can_seek(&self) -> bool {
        self.seek.is_some()
    }

    /// How many bytes there are in all, of an input that can seek.
    pub(crate) fn length(&mut self) -> Result<Option<u64>, Fault> {
        let Some(seek) = self.seek else { return Ok(None) };
        let end = seek(&mut self.inner, SeekFrom::End(0)).map_err(|e| Fault::new(self.offset, ErrorKind::Io(e)))?;
        let offset = self.offset;
        self.jump(seek, offset)?;
        Ok(Some(end.saturating_sub(self.base)))
    }

    /// The first `n` bytes that were not taken yet, which are not taken by this; fewer only at the end of the input.
    /// `n` must fit the buffer.
    pub(crate) fn peek(&mut self, n: usize) -> Result<&[u8], Fault> {
        if self.start > 0 && self.start + n > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < n {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Fault::new(self.offset, ErrorKind::Io(e))),
            }
        }
        Ok(&self.buffer[self.start..self.end.min(self.start + n)])
    }

    /// How many bytes were taken so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes at hand; empty only at the end of the input.
    pub(crate) fn fill(&mut self) -> Result<&[u8], Fault> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.end = loop {
                match self.inner.read(&mut self.buffer) {
                    Ok(n) => break n,
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(e) => return Err(Fault::new(self.offset, ErrorKind::Io(e))),
                }
            };
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes so many of the bytes at hand, and says how many those were.
    pub(crate) fn consume(&mut self, n: usize) -> usize {
        let n = n.min(self.end - self.start);
        self.start += n;
        self.offset += n as u64;
        n
    }

    pub(crate) fn read_exact(&mut self, mut out: &mut [u8]) -> Result<(), Fault> {
        while !out.is_empty() {
            let at = self.offset;
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(Fault::new(at, ErrorKind::Truncated));
            }
            let n = bytes.len().min(out.len());
            out[..n].copy_from_slice(&bytes[..n]);
            out = &mut out[n..];
            self.consume(n);
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Fault> {
        if let [byte] = *self.take(1) {
            return Ok(byte);
        }
        let mut byte = [0];
        self.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    /// Takes `n` bytes, if they are at hand; else none.
    #[inline]
    fn take(&mut self, n: usize) -> &[u8] {
        let Some(bytes) = self.buffer[..self.end].get(self.start..).and_then(|bytes| bytes.get(..n)) else {
            return &[];
        };
        self.start += n;
        self.offset += n as u64;
        bytes
    }

    /// The next byte, or `None` at the end of the input.
    pub(crate) fn byte_or_end(&mut self) -> Result<Option<u8>, Fault> {
        if self.fill()?.is_empty() { Ok(None) } else { self.byte().map(Some) }
    }

    /// Passes over `n` bytes, which must be there.
    pub(crate) fn skip(&mut self, mut n: u64) -> Result<(), Fault> {
        let buffered = (self.end - self.start) as u64;
        if let Some(seek) = self.seek
            && n > buffered + BUFFER as u64
        {
            // A seek goes past the end without a word: it stops one byte short, and that byte must be there.
            let target = self.offset + n - 1;
            self.jump(seek, target)?;
            n = 1;
        }
        while n > 0 {
            let at = self.offset;
            let have = self.fill()?.len();
            if have == 0 {
                return Err(Fault::new(at, ErrorKind::Truncated));
            }
            let step = usize::try_from(n).unwrap_or(usize::MAX).min(have);
            self.consume(step);
            n -= step as u64;
        }
        Ok(())
    }

    /// Goes to a place in an input that can seek.
    pub(crate) fn go_to(&mut self, offset: u64) -> Result<(), Fault> {
        let Some(seek) = self.seek else {
            return Err(Fault::new(self.offset, ErrorKind::Protocol("this input cannot seek".into())));
        };
        let ahead = offset.checked_sub(self.offset).and_then(|n| usize::try_from(n).ok());
        if let Some(ahead) = ahead
            && ahead < self.end - self.start
        {
            self.consume(ahead);
            return Ok(());
        }
        self.jump(seek, offset)
    }

    fn jump(&mut self, seek: SeekFn<R>, offset: u64) -> Result<(), Fault> {
        let absolute = self.base.checked_add(offset).filter(|&n| i64::try_from(n).is_ok());
        let Some(absolute) = absolute else {
            return Err(Fault::malformed(self.offset, format!("no file has a byte {offset}")));
        };
        seek(&mut self.inner, SeekFrom::Start(absolute)).map_err(|e| Fault::new(self.offset, ErrorKind::Io(e)))?;
        (self.start, self.end, self.offset) = (0, 0, offset);
        Ok(())
    }

    /// An integer: a sign, then `size` bytes, least significant first.
    pub(crate) fn int(&mut self, size: u8) -> Result<i64, Fault> {
        let at = self.offset;
        let sign = self.byte()?;
        let magnitude = self.little_endian(size)?;
        match (sign, i64::try_from(magnitude)) {
            (0, Ok(n)) => Ok(n),
            (1, Ok(n)) => Ok(-n),
            (0 | 1, Err(_)) => Err(Fault::malformed(at, format!("{magnitude} is too large an integer"))),
            _ => Err(Fault::malformed(at, format!("an integer begins with a sign, 0 or 1, not with {sign}"))),
        }
    }

    /// An integer that must fit 32 bits.
    pub(crate) fn int32(&mut self, size: u8) -> Result<i32, Fault> {
        let at = self.offset;
        let n = self.int(size)?;
        i32::try_from(n).map_err(|_| Fault::malformed(at, format!("{n} does not fit 32 bits")))
    }

    /// An OID; those above the largest signed integer are written as negative ones.
    pub(crate) fn oid(&mut self, size: u8) -> Result<u32, Fault> {
        let at = self.offset;
        let n = self.int(size)?;
        u32::try_from(n)
            .or_else(|_| i32::try_from(n).map(i32::cast_unsigned))
            .map_err(|_| Fault::malformed(at, format!("{n} is no OID")))
    }

    /// A text, or `None` for the format's NULL. Memory grows with the bytes that are there, not with the stated length.
    pub(crate) fn text(&mut self, size: u8, limit: u64) -> Result<Option<BString>, Fault> {
        let at = self.offset;
        let length = self.int(size)?;
        if length == -1 {
            return Ok(None);
        }
        let Ok(length) = u64::try_from(length) else {
            return Err(Fault::malformed(at, format!("{length} is no length of a text")));
        };
        if length > limit {
            return Err(Fault::new(at, ErrorKind::Limit { amount: length, limit }));
        }
        let mut left = usize::try_from(length)
            .map_err(|_| Fault::new(at, ErrorKind::Limit { amount: length, limit: usize::MAX as u64 }))?;
        let at_hand = self.take(left);
        if at_hand.len() == left {
            return Ok(Some(at_hand.into()));
        }
        let mut text = Vec::with_capacity(left.min(BUFFER));
        while left > 0 {
            let at = self.offset;
            let bytes = self.fill()?;
            if bytes.is_empty() {
                return Err(Fault::new(at, ErrorKind::Truncated));
            }
            let n = bytes.len().min(left);
            text.extend_from_slice(&bytes[..n]);
            left -= n;
            self.consume(n);
        }
        Ok(Some(text.into()))
    }

    /// The place of an entry's data.
    pub(crate) fn position(&mut self, size: u8) -> Result<DataPosition, Fault> {
        let at = self.offset;
        let flag = self.byte()?;
        let offset = self.little_endian(size)?;
        match flag {
            1 => Ok(DataPosition::NotSet),
            2 => Ok(DataPosition::At(offset)),
            3 => Ok(DataPosition::NoData),
            _ => Err(Fault::malformed(at, format!("an offset begins with a flag from 1 to 3, not with {flag}"))),
        }
    }

    fn little_endian(&mut self, size: u8) -> Result<u64, Fault> {
        let at = self.offset;
        if let [a, b, c, d] = *self.take(if size == 4 { 4 } else { 0 }) {
            return Ok(u32::from_le_bytes([a, b, c, d]).into());
        }
        let mut value = 0;
        for shift in (0..u32::from(size)).map(|i| i * 8) {
            let byte = self.byte()?;
            if shift < 64 {
                value |= u64::from(byte) << shift;
            } else if byte != 0 {
                return Err(Fault::malformed(at, "a number has more than 64 bits"));
            }
        }
        Ok(value)
    }
}

/// An output that counts its bytes, buffers the small ones, and can go back where it seeks.
#[derive(Debug)]
pub(crate) struct Output<W> {
    inner: W,
    seek: Option<SeekFn<W>>,
    base: u64,
    buffer: Vec<u8>,
    /// Of what has left the buffer.
    flushed: u64,
    /// Where bytes wait for what comes before them.
    aside: Option<Aside>,
}

impl<W: Write> Output<W> {
    pub(crate) fn streaming(inner: W) -> Self {
        Self::with_buffer(inner, Vec::with_capacity(BUFFER))
    }

    /// With the memory of one that is done with: there may be millions of outputs, one after the other.
    pub(crate) fn with_buffer(inner: W, mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        buffer.reserve(BUFFER);
        Self { inner, seek: None, base: 0, buffer, flushed: 0, aside: None }
    }

    /// One that can put bytes aside.
    pub(crate) fn with_aside(inner: W, aside: Aside) -> Self {
        Self { aside: Some(aside), ..Self::streaming(inner) }
    }

    pub(crate) fn seekable(mut inner: W) -> Result<Self, Fault>
    where
        W: Seek,
    {
        let base = inner.stream_position().map_err(|e| Fault::new(0, ErrorKind::Io(e)))?;
        Ok(Self { seek: Some(W::seek), base, ..Self::streaming(inner) })
    }

    pub(crate) fn can_seek(&self) -> bool {
        self.seek.is_some()
    }

    pub(crate) fn offset(&self) -> u64 {
        self.flushed + self.buffer.len() as u64 + self.aside.as_ref().map_or(0, Aside::spooled)
    }

    pub(crate) fn inner(&self) -> &W {
        &self.inner
    }

    pub(crate) fn into_inner(self) -> W {
        self.inner
    }

    /// What it writes to, and its memory, for another one.
    pub(crate) fn into_parts(self) -> (W, Vec<u8>) {
        (self.inner, self.buffer)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.empty()?;
        }
        if bytes.len() >= BUFFER {
            self.pass(bytes, 0)
        } else {
            self.buffer.extend_from_slice(bytes);
            Ok(())
        }
    }

    fn empty(&mut self) -> Result<(), Fault> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mark = self.aside.as_mut().and_then(Aside::mark);
        let passed = self.pass(&buffer, mark.unwrap_or(buffer.len()));
        buffer.clear();
        self.buffer = buffer;
        passed
    }

    /// Passes bytes on that are not in the buffer any more. While some are put aside, so are these, but for the first `before`.
    fn pass(&mut self, bytes: &[u8], before: usize) -> Result<(), Fault> {
        let at = self.offset();
        let failed = |e| Fault::new(at, ErrorKind::Io(e));
        let (first, rest) = match &self.aside {
            Some(aside) if aside.is_open() => bytes.split_at(before.min(bytes.len())),
            _ => (bytes, &[][..]),
        };
        self.inner.write_all(first).map_err(failed)?;
        self.flushed += first.len() as u64;
        match &mut self.aside {
            Some(aside) if !rest.is_empty() => aside.write(rest).map_err(failed),
            _ => Ok(()),
        }
    }

    /// From here on, puts bytes aside, until it is known what comes before them.
    pub(crate) fn put_aside(&mut self) {
        let mark = self.buffer.len();
        if let Some(aside) = &mut self.aside {
            aside.open(mark);
        }
    }

    /// Writes `first`, and then what was put aside.
    pub(crate) fn bring_back(&mut self, first: &[u8]) -> Result<(), Fault> {
        let Some(mut aside) = self.aside.take() else { return self.bytes(first) };
        let brought = self.bring_back_from(&mut aside, first);
        self.aside = Some(aside);
        brought
    }

    fn bring_back_from(&mut self, aside: &mut Aside, first: &[u8]) -> Result<(), Fault> {
        let at = self.offset();
        let failed = |e| Fault::new(at, ErrorKind::Io(e));
        let mark = aside.mark().unwrap_or(self.buffer.len());
        if aside.spooled() == 0 {
            // All of it is in the buffer still.
            self.buffer.splice(mark..mark, first.iter().copied());
            aside.close();
            return Ok(());
        }
        aside.write(&self.buffer).map_err(failed)?;
        self.buffer.clear();
        self.bytes(first)?;
        let mut part = vec![0; BUFFER / 2];
        aside.rewind().map_err(failed)?;
        loop {
            let n = aside.read(&mut part).map_err(failed)?;
            if n == 0 {
                aside.close();
                return Ok(());
            }
            self.bytes(part.get(..n).unwrap_or_default())?;
        }
    }

    /// Writes over what was written, in an output that can seek.
    pub(crate) fn patch(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Fault> {
        let in_buffer = offset.checked_sub(self.flushed).and_then(|at| usize::try_from(at).ok());
        let there = in_buffer.and_then(|at| self.buffer.get_mut(at..at.checked_add(bytes.len())?));
        if let Some(there) = there {
            there.copy_from_slice(bytes);
            return Ok(());
        }
        let end = self.offset();
        self.go_to(offset)?;
        self.bytes(bytes)?;
        self.go_to(end)
    }

    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        self.empty()?;
        self.inner.flush().map_err(|e| Fault::new(self.flushed, ErrorKind::Io(e)))
    }

    /// Goes to a place of an output that can seek.
    pub(crate) fn go_to(&mut self, offset: u64) -> Result<(), Fault> {
        self.empty()?;
        let Some(seek) = self.seek else {
            return Err(Fault::new(self.flushed, ErrorKind::Protocol("this output cannot seek".into())));
        };
        seek(&mut self.inner, SeekFrom::Start(self.base + offset))
            .map_err(|e| Fault::new(self.flushed, ErrorKind::Io(e)))?;
        self.flushed = offset;
        Ok(())
    }

    pub(crate) fn int(&mut self, size: u8, n: i64) -> Result<(), Fault> {
        let at = self.offset();
        let magnitude = n.unsigned_abs();
        if size < 8 && magnitude >> (8 * u32::from(size)) != 0 {
            let why = format!("{n} does not fit the {size} bytes that this archive's integers have");
            return Err(Fault::new(at, ErrorKind::Protocol(why)));
        }
        self.little_endian(u8::from(n < 0), size, magnitude)
    }

    pub(crate) fn text(&mut self, size: u8, text: Option<&BStr>) -> Result<(), Fault> {
        let Some(text) = text else { return self.int(size, -1) };
        let at = self.offset();
        let length = i32::try_from(text.len()).map_err(|_| {
            Fault::new(at, ErrorKind::Protocol(format!("a text of {} bytes is too long for an archive", text.len())))
        })?;
        self.int(size, length.into())?;
        self.bytes(text)
    }

    pub(crate) fn position(&mut self, size: u8, position: DataPosition) -> Result<(), Fault> {
        let (flag, offset) = match position {
            DataPosition::NotSet => (1, 0),
            // Too far for the field: a reader has to look for it.
            DataPosition::At(offset) if size < 8 && offset >> (8 * u32::from(size)) != 0 => (1, 0),
            DataPosition::At(offset) => (2, offset),
            DataPosition::NoData => (3, 0),
        };
        self.little_endian(flag, size, offset)
    }

    fn little_endian(&mut self, first: u8, size: u8, n: u64) -> Result<(), Fault> {
        let mut bytes = [0; 1 + 32];
        bytes[0] = first;
        let used = usize::from(size).min(8);
        bytes[1..=used].copy_from_slice(&n.to_le_bytes()[..used]);
        self.bytes(&bytes[..=usize::from(size).min(32)])
    }
}
