//! LZ4 frames. Written: one frame a stream, its blocks independent of each other and each with its checksum, so that they
//! can be compressed apart. Read: all that the frame format has, but for dictionaries. `lz4_flex::frame` does not fit: it takes what
//! it compresses or decompresses through `Read` and `Write`, a frame by itself, while pieces are compressed here on several threads
//! and joined, and input comes as it comes and is never waited for.

use std::hash::Hasher;

use lz4_flex::block::{
    CompressTable, compress_into_with_table, decompress_into, decompress_into_with_dict, get_maximum_output_size,
};
use twox_hash::XxHash32;

const MAGIC: [u8; 4] = 0x184d_2204_u32.to_le_bytes();
/// The size of a block as written, before compression.
const BLOCK: usize = 1 << 20;
/// In a block's length: the block is stored as it is.
const STORED: u32 = 1 << 31;
/// How far back a block may refer into the blocks before it.
const WINDOW: usize = 64 * 1024;

const FLAG_INDEPENDENT: u8 = 1 << 5;
const FLAG_BLOCK_SUMS: u8 = 1 << 4;
const FLAG_SIZE: u8 = 1 << 3;
const FLAG_SUM: u8 = 1 << 2;
const FLAG_RESERVED: u8 = 1 << 1;
const FLAG_DICTIONARY: u8 = 1;

/// What ends the blocks of a frame.
pub(super) const END: [u8; 4] = [0; 4];

/// What begins a frame as written here.
pub(super) fn header() -> [u8; 7] {
    let descriptor = [0x40 | FLAG_INDEPENDENT | FLAG_BLOCK_SUMS, 6 << 4];
    let [a, b, c, d] = MAGIC;
    [a, b, c, d, descriptor[0], descriptor[1], descriptor_sum(&descriptor)]
}

fn descriptor_sum(descriptor: &[u8]) -> u8 {
    XxHash32::oneshot(0, descriptor).to_le_bytes()[1]
}

/// Compresses blocks.
pub(super) struct Encoder {
    table: CompressTable,
}

impl Encoder {
    pub(super) fn new() -> Self {
        Self { table: CompressTable::large() }
    }

    /// Appends `data` as blocks of the frame that [`header`] begins.
    pub(super) fn encode(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
        for block in data.chunks(BLOCK) {
            let start = out.len();
            out.resize(start + 4 + get_maximum_output_size(block.len()), 0);
            let written = compress_into_with_table(block, &mut out[start + 4..], &mut self.table);
            let written = written.map_err(|e| e.to_string())?;
            let mut length = u32::try_from(written).map_err(|e| e.to_string())?;
            out.truncate(start + 4 + written);
            if written >= block.len() {
                out.truncate(start + 4);
                out.extend_from_slice(block);
                length = STORED | u32::try_from(block.len()).map_err(|e| e.to_string())?;
            }
            out[start..start + 4].copy_from_slice(&length.to_le_bytes());
            let sum = XxHash32::oneshot(0, &out[start + 4..]);
            out.extend_from_slice(&sum.to_le_bytes());
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FramePart {
    /// The fixed part of a frame's header.
    Start,
    /// All of a frame's header.
    Descriptor,
    BlockLength,
    Block {
        stored: bool,
    },
    FrameSum,
    Ended,
}

/// Decompresses frames, one after the other.
#[derive(Debug)]
pub(crate) struct Decoder {
    state: FramePart,
    /// What was read of the part that `state` is about, and how much of it is wanted.
    pending: Vec<u8>,
    want: usize,
    flags: u8,
    block_size: usize,
    /// Room for a block; so much of it is the last block's data, and so much of that was given out.
    block: Vec<u8>,
    filled: usize,
    given: usize,
    history: Vec<u8>,
    sum: XxHash32,
    length: u64,
    stated_length: Option<u64>,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            state: FramePart::Start,
            pending: Vec::new(),
            want: 7,
            flags: 0,
            block_size: 0,
            block: Vec::new(),
            filled: 0,
            given: 0,
            history: Vec::new(),
            sum: XxHash32::with_seed(0),
            length: 0,
            stated_length: None,
        }
    }

    pub(super) fn reset(&mut self) {
        self.want(FramePart::Start, 7);
        (self.filled, self.given) = (0, 0);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.state == FramePart::Ended && self.pending.is_empty() && self.given == self.filled
    }

    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        let mut taken = 0;
        loop {
            if self.given < self.filled {
                let n = output.len().min(self.filled - self.given);
                output[..n].copy_from_slice(&self.block[self.given..self.given + n]);
                self.given += n;
                return Ok((taken, n));
            }
            if self.pending.len() < self.want {
                let n = (self.want - self.pending.len()).min(input.len() - taken);
                self.pending.extend_from_slice(&input[taken..taken + n]);
                taken += n;
                if self.pending.len() < self.want {
                    return Ok((taken, 0));
                }
            }
            self.advance().map_err(|why| format!("its lz4 frame is damaged ({why})"))?;
        }
    }

    fn want(&mut self, state: FramePart, want: usize) {
        self.pending.clear();
        (self.state, self.want) = (state, want);
    }

    /// Goes on to the next part; the one that was wanted has been read.
    fn advance(&mut self) -> Result<(), String> {
        match self.state {
            FramePart::Start | FramePart::Ended => self.start(),
            FramePart::Descriptor => self.descriptor(),
            FramePart::BlockLength => self.block_length(),
            FramePart::Block { stored } => self.block(stored),
            FramePart::FrameSum => {
                if self.pending != self.sum.finish_32().to_le_bytes() {
                    return Err("the checksum of its content is wrong".into());
                }
                self.want(FramePart::Ended, 7);
                Ok(())
            }
        }
    }

    fn start(&mut self) -> Result<(), String> {
        if !self.pending.starts_with(&MAGIC) {
            return Err("it does not begin as one".into());
        }
        self.flags = self.pending[4];
        if self.flags >> 6 != 1 || self.flags & FLAG_RESERVED != 0 {
            return Err("it is of another version of the frame format".into());
        }
        if self.flags & FLAG_DICTIONARY != 0 {
            return Err("it wants a dictionary, which archives do not have".into());
        }
        self.block_size = match self.pending[5] {
            0x40 => 64 * 1024,
            0x50 => 256 * 1024,
            0x60 => 1024 * 1024,
            0x70 => 4096 * 1024,
            other => return Err(format!("there is no block size {other:#04x}")),
        };
        // The header stays pending, for its checksum covers all of it.
        self.state = FramePart::Descriptor;
        self.want = if self.flags & FLAG_SIZE == 0 { 7 } else { 15 };
        Ok(())
    }

    fn descriptor(&mut self) -> Result<(), String> {
        let (descriptor, sum) = self.pending[4..].split_at(self.want - 5);
        if sum != [descriptor_sum(descriptor)] {
            return Err("the checksum of its header is wrong".into());
        }
        self.stated_length = descriptor.get(2..).and_then(|size| size.try_into().ok()).map(u64::from_le_bytes);
        self.history.clear();
        (self.sum, self.length) = (XxHash32::with_seed(0), 0);
        self.want(FramePart::BlockLength, 4);
        Ok(())
    }

    fn block_length(&mut self) -> Result<(), String> {
        let word: [u8; 4] = self.pending[..].try_into().map_err(|_| "its block length is short".to_owned())?;
        let word = u32::from_le_bytes(word);
        if word == 0 {
            if self.stated_length.is_some_and(|stated| stated != self.length) {
                return Err("it states another length than it has".into());
            }
            if self.flags & FLAG_SUM == 0 {
                self.want(FramePart::Ended, 7)
            } else {
                self.want(FramePart::FrameSum, 4)
            }
            return Ok(());
        }
        let length = (word & !STORED) as usize;
        if length > self.block_size {
            return Err(format!("a block of {length} bytes is longer than the {} it allows", self.block_size));
        }
        let sum = if self.flags & FLAG_BLOCK_SUMS == 0 { 0 } else { 4 };
        self.want(FramePart::Block { stored: word & STORED != 0 }, length + sum);
        Ok(())
    }

    fn block(&mut self, stored: bool) -> Result<(), String> {
        let mut data = self.pending.as_slice();
        if self.flags & FLAG_BLOCK_SUMS != 0
            && let Some((block, sum)) = data.split_last_chunk::<4>()
        {
            if XxHash32::oneshot(0, block).to_le_bytes() != *sum {
                return Err("the checksum of a block is wrong".into());
            }
            data = block;
        }
        self.given = 0;
        // No byte of LZ4 stands for more than 255, so that a small block needs little room.
        let room = if stored { data.len() } else { self.block_size.min(data.len().saturating_mul(255) + 16) };
        if self.block.len() < room {
            self.block.resize(room, 0);
        }
        let block = &mut self.block[..room];
        self.filled = if stored {
            block.copy_from_slice(data);
            room
        } else if self.history.is_empty() {
            decompress_into(data, block).map_err(|e| e.to_string())?
        } else {
            decompress_into_with_dict(data, block, &self.history).map_err(|e| e.to_string())?
        };
        let block = &self.block[..self.filled];
        if self.flags & FLAG_INDEPENDENT == 0 {
            let excess = (self.history.len() + block.len()).saturating_sub(WINDOW);
            self.history.drain(..excess.min(self.history.len()));
            self.history.extend_from_slice(&block[block.len().saturating_sub(WINDOW)..]);
        }
        if self.flags & FLAG_SUM != 0 {
            self.sum.write(block);
        }
        self.length += block.len() as u64;
        self.want(FramePart::BlockLength, 4);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use proptest::prelude::*;

    use super::*;

    fn decode(input: &[u8], chunk: usize, room: usize) -> Result<Vec<u8>, String> {
        let (mut decoder, mut data, mut output) = (Decoder::new(), Vec::new(), vec![0; room]);
        for mut chunk in input.chunks(chunk) {
            loop {
                let (taken, given) = decoder.step(chunk, &mut output)?;
                data.extend_from_slice(&output[..given]);
                chunk = &chunk[taken..];
                if taken == 0 && given == 0 {
                    break;
                }
            }
        }
        if decoder.is_ended() { Ok(data) } else { Err("unended".into()) }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn frames_of_another_encoder_are_read(
            words in prop::collection::vec("[a-d]{1,9}", 0..6000), linked: bool, sums: bool, size: bool,
            chunk in 1_usize..100_000, room in 1_usize..70_000,
        ) {
            let data = words.concat().repeat(5).into_bytes();
            let mut info = FrameInfo::new().block_size(BlockSize::Max64KB).block_checksums(sums).content_checksum(sums)
                .block_mode(if linked { BlockMode::Linked } else { BlockMode::Independent });
            if size {
                info = info.content_size(Some(data.len() as u64));
            }
            let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
            encoder.write_all(&data).unwrap();
            let frame = encoder.finish().unwrap();
            prop_assert_eq!(&decode(&frame, chunk, room).unwrap(), &data);
            let twice = [frame.as_slice(), &frame].concat();
            prop_assert_eq!(decode(&twice, chunk, room).unwrap().len(), data.len() * 2);
            prop_assert!(decode(&frame[..frame.len() - 1], chunk, room).is_err());
        }

        #[test]
        fn blocks_written_here_are_read_by_another_decoder(data in prop::collection::vec(any::<u8>(), 0..5000), times in 1_usize..900) {
            let data = data.repeat(times);
            let mut frame = header().to_vec();
            Encoder::new().encode(&data, &mut frame).unwrap();
            frame.extend_from_slice(&END);
            let mut back = Vec::new();
            std::io::Read::read_to_end(&mut lz4_flex::frame::FrameDecoder::new(frame.as_slice()), &mut back).unwrap();
            prop_assert_eq!(&back, &data);
            prop_assert_eq!(&decode(&frame, 4096, 4096).unwrap(), &data);
        }
    }
}
