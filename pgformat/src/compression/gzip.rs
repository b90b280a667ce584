//! What archives call gzip: one zlib stream each table, and in the directory format one gzip file; both made of raw deflate
//! pieces that can be compressed apart.

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress, Status};
use zlib_rs::adler32::{adler32, adler32_combine};
use zlib_rs::crc32::{crc32, crc32_combine};

/// How far back deflate looks.
pub(super) const WINDOW: usize = 32 * 1024;

/// The level that zlib takes when none is asked for.
const DEFAULT_LEVEL: u8 = 6;

/// What a stream of deflate blocks is wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// A zlib stream (RFC 1950).
    Zlib,
    /// A gzip file (RFC 1952).
    File,
}

/// A last deflate block that holds nothing; it ends a stream whose pieces all end on a byte.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

impl Wrapping {
    /// Appends what a stream begins with. Both say how hard the compressor tried.
    pub(super) fn begin(self, level: Option<u8>, out: &mut Vec<u8>) {
        let level = level.unwrap_or(DEFAULT_LEVEL);
        match self {
            // Deflate with a window of 32 KiB.
            Self::Zlib => out.extend_from_slice(match level {
                0 | 1 => &[0x78, 0x01],
                2..=5 => &[0x78, 0x5e],
                6 => &[0x78, 0x9c],
                _ => &[0x78, 0xda],
            }),
            // No name, no time, made on Unix: as zlib's own functions for files write it.
            Self::File => {
                let effort = match level {
                    0 | 1 => 4,
                    9 => 2,
                    _ => 0,
                };
                out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort, 3]);
            }
        }
    }

    /// The checksum of a piece of data.
    fn sum(self, data: &[u8]) -> u32 {
        match self {
            Self::Zlib => adler32(1, data),
            Self::File => crc32(0, data),
        }
    }
}

/// The checksum of a stream, summed up piece by piece.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    wrapping: Wrapping,
    sum: u32,
    length: u64,
}

impl Sum {
    pub(super) fn new(wrapping: Wrapping) -> Self {
        Self { wrapping, sum: wrapping.sum(&[]), length: 0 }
    }

    pub(super) fn add(&mut self, piece: u32, length: u64) {
        self.sum = match self.wrapping {
            Wrapping::Zlib => adler32_combine(self.sum, piece, length),
            Wrapping::File => crc32_combine(self.sum, piece, length),
        };
        self.length = self.length.wrapping_add(length);
    }

    /// Appends what the stream ends with.
    pub(super) fn end(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&LAST_BLOCK);
        match self.wrapping {
            Wrapping::Zlib => out.extend_from_slice(&self.sum.to_be_bytes()),
            Wrapping::File => {
                out.extend_from_slice(&self.sum.to_le_bytes());
                // Of the length, the file has the lower half.
                out.extend_from_slice(&self.length.to_le_bytes()[..4]);
            }
        }
    }
}

/// Compresses pieces of deflate streams.
#[derive(Debug)]
pub(super) struct Encoder {
    compress: Compress,
    wrapping: Wrapping,
}

impl Encoder {
    pub(super) fn new(level: Option<u8>, wrapping: Wrapping) -> Self {
        let level = flate2::Compression::new(level.unwrap_or(DEFAULT_LEVEL).into());
        Self { compress: Compress::new(level, false), wrapping }
    }

    /// Appends `data` as deflate blocks that end on a byte and are not the last ones; gives the data's checksum.
    pub(super) fn encode(&mut self, dictionary: &[u8], data: &[u8], out: &mut Vec<u8>) -> Result<u32, String> {
        self.compress.reset();
        let dictionary = &dictionary[dictionary.len().saturating_sub(WINDOW)..];
        if !dictionary.is_empty() {
            self.compress.set_dictionary(dictionary).map_err(|e| e.to_string())?;
        }
        let mut left = data;
        out.reserve(data.len() / 2 + 1024);
        loop {
            let before = self.compress.total_in();
            let status = self.compress.compress_vec(left, out, FlushCompress::Sync).map_err(|e| e.to_string())?;
            let taken = usize::try_from(self.compress.total_in() - before).unwrap_or(usize::MAX);
            left = left.get(taken..).unwrap_or_default();
            if status == Status::StreamEnd {
                return Err("the compressor ended the stream by itself".into());
            }
            // Room that is left over means that everything, the flush included, is out.
            if left.is_empty() && out.len() < out.capacity() {
                return Ok(self.wrapping.sum(data));
            }
            out.reserve((left.len() / 2).max(4096));
        }
    }
}

/// Decompresses a zlib stream, or the members of a gzip file.
#[derive(Debug)]
pub(crate) struct Decoder {
    decompress: Decompress,
    /// What is decompressed, for messages.
    form: &'static str,
    /// Whether another member may follow the first.
    has_members: bool,
    ended: bool,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self { decompress: Decompress::new(true), form: "zlib stream", has_members: false, ended: false }
    }

    /// Decompresses gzip files (RFC 1952).
    pub(super) fn of_files() -> Self {
        Self { decompress: Decompress::new_gzip(15), form: "gzip file", has_members: true, ended: false }
    }

    pub(super) fn reset(&mut self) {
        self.decompress.reset(true);
        self.ended = false;
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn what_is_missing(&self) -> &'static str {
        if self.has_members { "the end of its gzip file is missing" } else { "the end of its zlib stream is missing" }
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        if self.ended {
            if input.is_empty() {
                return Ok((0, 0));
            }
            if !self.has_members {
                return Err("there are bytes after the end of its zlib stream".into());
            }
            self.reset();
        }
        let form = self.form;
        let (taken, given) = (self.decompress.total_in(), self.decompress.total_out());
        let status = self.decompress.decompress(input, output, FlushDecompress::None);
        let status = status.map_err(|error| match error.needs_dictionary() {
            Some(_) => format!("its {form} wants a dictionary, which archives do not have"),
            None => format!("its {form} is damaged ({})", error.message().unwrap_or("zlib gives no reason")),
        })?;
        self.ended = status == Status::StreamEnd;
        let (taken, given) = (self.decompress.total_in() - taken, self.decompress.total_out() - given);
        Ok((usize::try_from(taken).unwrap_or(usize::MAX), usize::try_from(given).unwrap_or(usize::MAX)))
    }
}
