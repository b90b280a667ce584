//! Archives in custom and in tar format. Whatever the bytes are: no panic, no endless loop, no memory beyond what the bytes
//! warrant. And what is read as a stream is the same as what is read by entry.
//!
//! `cargo fuzz run read_archive`, after `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`; real archives make a good
//! start, too: `cargo fuzz run read_archive corpus some.dump`.
#![no_main]

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use libfuzzer_sys::fuzz_target;
use pgformat::{Block, DumpId, Limits, Reader, Result};

fn limits() -> Limits {
    let limits = Limits::DEFAULT.entries(10_000).text(1 << 20).dependencies(10_000);
    limits.contents(1 << 22).chunk(1 << 22).objects(10_000)
}
/// A small archive can hold a lot of data; more than this is not looked at.
const ENOUGH: usize = 1 << 22;

/// The length and a sum of the bytes of each stream of a block.
type Summary = Vec<(u32, usize, u64)>;

fn stream<R: Read>(mut data: pgformat::DataReader<'_, R>) -> Result<(usize, u64)> {
    let (mut length, mut sum) = (0, 0_u64);
    loop {
        let bytes = data.fill()?;
        if bytes.is_empty() || length > ENOUGH {
            return Ok((length, sum));
        }
        sum = bytes.iter().fold(sum, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        let n = bytes.len();
        length += n;
        data.consume(n);
    }
}

fn block<R: Read>(block: Block<'_, R>) -> Result<Summary> {
    match block {
        Block::Data(data) => stream(data).map(|(length, sum)| vec![(0, length, sum)]),
        Block::LargeObjects(mut objects) => {
            let mut all = Vec::new();
            while let Some((oid, object)) = objects.next()? {
                let (length, sum) = stream(object)?;
                all.push((oid, length, sum));
            }
            Ok(all)
        }
    }
}

fn in_order(bytes: &[u8]) -> Result<BTreeMap<DumpId, Summary>> {
    let mut reader = Reader::with_limits(bytes, limits())?;
    let mut all = BTreeMap::new();
    while let Some(next) = reader.next_block()? {
        let Some(id) = next.entry().map(|entry| entry.dump_id) else { panic!("an open block is of no entry") };
        all.insert(id, block(next)?);
    }
    Ok(all)
}

fn by_entry(bytes: &[u8]) -> Result<BTreeMap<DumpId, Summary>> {
    let mut reader = Reader::seekable_with_limits(Cursor::new(bytes), limits())?;
    let ids: Vec<_> = reader.entries().iter().rev().map(|entry| entry.dump_id).collect();
    let mut all = BTreeMap::new();
    for id in ids {
        if let Some(found) = reader.block(id)? {
            all.insert(id, block(found)?);
        }
    }
    Ok(all)
}

fuzz_target!(|bytes: &[u8]| {
    let (in_order, by_entry) = (in_order(bytes), by_entry(bytes));
    if let (Ok(in_order), Ok(by_entry)) = (in_order, by_entry) {
        assert_eq!(in_order, by_entry);
    }
});
