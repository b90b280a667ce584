//! Zstandard: one frame a stream, because there are readers that stop at the end of the first one, and pg_restore leaves out
//! what follows the end of a frame in a chunk.
//!
//! Frames cannot be joined out of blocks that were compressed apart: a block may refer to offsets that were used last. So a
//! stream of more than one piece goes through one compressor, which has threads of its own if it is told to.

use zstd::bulk::Compressor;
use zstd::stream::raw::{Decoder as RawDecoder, Encoder as RawEncoder, InBuffer, Operation, OutBuffer};
use zstd::zstd_safe::{CParameter, compress_bound};

/// A frame that holds nothing, which is what a stream without pieces is.
pub(super) const EMPTY_FRAME: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00];

/// How far back a frame refers that is made of pieces, as a power of two: what level 3 takes by itself. The highest levels
/// would take a gigabyte of memory for each thread otherwise.
const WINDOW: u32 = 21;
/// So many bytes make the work of one thread at a time, and so much of the window (a fraction of it: 6 is an eighth) it reads
/// before them. With both fixed, a frame is the same whatever the number of threads.
const JOB: u32 = 2 << 20;
const OVERLAP: u32 = 6;
/// The first level whose tables are larger than such a window has use for, and how large they are to be.
const LARGE_LEVEL: i32 = 17;

/// How much output is asked for at once.
const ROOM: usize = 128 * 1024;

/// Compresses frames, each in one go.
pub(super) struct Encoder {
    compressor: Compressor<'static>,
}

impl Encoder {
    pub(super) fn new(level: Option<i32>) -> Result<Self, String> {
        let make = || {
            let mut compressor = Compressor::new(level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL))?;
            compressor.set_parameter(CParameter::ChecksumFlag(true))?;
            Ok(Self { compressor })
        };
        make().map_err(|error: std::io::Error| error.to_string())
    }

    /// Puts a frame that holds `data` into `out`, in place of what is there.
    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        out.clear();
        out.reserve(compress_bound(data.len()));
        self.compressor.compress_to_buffer(data, out).map_err(|e| e.to_string())?;
        Ok(())
    }
}

/// Compresses frames whose data comes bit by bit, one after the other.
pub(super) struct FrameEncoder {
    raw: RawEncoder<'static>,
    level: i32,
    threads: u32,
    /// Whether anything of the frame went in.
    begun: bool,
    room: Vec<u8>,
}

impl FrameEncoder {
    /// With `threads` of its own, or none.
    pub(super) fn new(level: Option<i32>, threads: u32) -> Result<Self, String> {
        let level = level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL);
        let raw = raw_encoder(level, threads).map_err(|error| error.to_string())?;
        Ok(Self { raw, level, threads, begun: false, room: vec![0; ROOM] })
    }

    /// Appends to `out` what is ready of the frame once `data` is part of it.
    pub(super) fn add(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        let mut input = InBuffer::around(data);
        while input.pos() < data.len() {
            let mut output = OutBuffer::around(self.room.as_mut_slice());
            match self.raw.run(&mut input, &mut output) {
                Ok(_) => out.extend_from_slice(output.as_slice()),
                // Threads are begun with the first frame, and there may be none to be had.
                Err(_) if self.threads > 0 && !self.begun => {
                    self.threads = 0;
                    self.raw = raw_encoder(self.level, 0).map_err(|error| error.to_string())?;
                    continue;
                }
                Err(error) => return Err(error.to_string()),
            }
            self.begun = true;
        }
        Ok(())
    }

    /// Appends the rest of the frame to `out`, and gets ready for another one.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Result<(), String> {
        loop {
            let mut output = OutBuffer::around(self.room.as_mut_slice());
            let left = self.raw.finish(&mut output, true).map_err(|error| error.to_string())?;
            out.extend_from_slice(output.as_slice());
            if left == 0 {
                self.begun = false;
                return Ok(());
            }
        }
    }
}

fn raw_encoder(level: i32, threads: u32) -> std::io::Result<RawEncoder<'static>> {
    let mut raw = RawEncoder::new(level)?;
    raw.set_parameter(CParameter::ChecksumFlag(true))?;
    raw.set_parameter(CParameter::WindowLog(WINDOW))?;
    if level >= LARGE_LEVEL {
        raw.set_parameter(CParameter::HashLog(WINDOW + 1))?;
        raw.set_parameter(CParameter::ChainLog(WINDOW + 1))?;
    }
    if threads > 0 {
        raw.set_parameter(CParameter::NbWorkers(threads))?;
        raw.set_parameter(CParameter::JobSize(JOB))?;
        raw.set_parameter(CParameter::OverlapSizeLog(OVERLAP))?;
    }
    Ok(raw)
}

/// Decompresses frames, one after the other.
pub(crate) struct Decoder {
    raw: RawDecoder<'static>,
    ended: bool,
}

impl Decoder {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self { raw: RawDecoder::new().map_err(|e| e.to_string())?, ended: false })
    }

    pub(super) fn reset(&mut self) -> Result<(), String> {
        self.ended = false;
        self.raw.reinit().map_err(|e| e.to_string())
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        if self.ended && input.is_empty() {
            return Ok((0, 0));
        }
        let damaged = |error: std::io::Error| format!("its zstd frame is damaged ({error})");
        let status = self.raw.run_on_buffers(input, output).map_err(damaged)?;
        self.ended = status.remaining == 0;
        Ok((status.bytes_read, status.bytes_written))
    }
}
