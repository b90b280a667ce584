//! Zstandard: each piece is a frame of its own, and every frame but none ends in the middle of a chunk, because
//! pg_restore leaves out what follows a frame's end in a chunk.

use zstd::bulk::Compressor;
use zstd::stream::raw::{Decoder as RawDecoder, Operation};
use zstd::zstd_safe::{CParameter, compress_bound};

/// A frame that holds nothing, which is what a stream without pieces is.
pub(super) const EMPTY_FRAME: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0x00, 0x01, 0x00, 0x00];

/// Compresses frames.
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
