//! Writing and reading archives, and compressing in pieces beside compressing in one stream. Sizes are printed once.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::io::{Cursor, Write};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::write::ZlibEncoder;
use pgformat::{Block, Compression, DumpId, Entry, Header, Piece, PieceEncoder, Reader, Version, Writer};

const ROWS: DumpId = DumpId(1);
const MIB: usize = 1 << 20;

/// Rows as COPY gives them: keys that count up, names from a small set, numbers, times, text of little order.
fn rows(size: usize) -> Vec<u8> {
    let mut rows = Vec::with_capacity(size + 256);
    let (mut seed, mut id) = (42_u64, 0_u64);
    while rows.len() < size {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        id += 1;
        let (a, b, c) = (seed >> 33, seed >> 50, seed >> 60);
        writeln!(
            rows,
            "{id}\tcustomer {b}\t{}.{:02}\t2026-11-{:02} {:02}:{:02}:00+00\t{}\t\\N\tf{a:x}",
            a % 10_000,
            b % 100,
            c + 1,
            b % 24,
            a % 60,
            ["open", "paid", "shipped", "returned"][usize::try_from(c % 4).unwrap()],
        )
        .unwrap();
    }
    rows
}

fn entries() -> Vec<Entry> {
    vec![Entry::new(ROWS, "TABLE DATA").has_data(true).tag("orders")]
}

fn compressions() -> [Compression; 5] {
    [Compression::None, Compression::Gzip(Some(1)), Compression::Gzip(Some(6)), Compression::Lz4, Compression::ZSTD]
}

fn archive(compression: Compression, data: &[u8]) -> Vec<u8> {
    let header = Header::new(Version::V1_16, compression);
    let mut writer = Writer::seekable(Cursor::new(Vec::with_capacity(data.len())), header, entries()).unwrap();
    let mut rows = writer.data(ROWS).unwrap();
    rows.write_all(data).unwrap();
    rows.finish().unwrap();
    writer.finish().unwrap().into_inner()
}

fn write(c: &mut Criterion) {
    let data = rows(8 * MIB);
    let mut group = c.benchmark_group("write");
    group.throughput(Throughput::Bytes(data.len() as u64)).sample_size(10).measurement_time(Duration::from_secs(4));
    for compression in compressions() {
        group.bench_function(compression.to_string(), |b| b.iter(|| archive(compression, black_box(&data))));
    }
    group.finish();
}

fn read(c: &mut Criterion) {
    let data = rows(8 * MIB);
    let mut group = c.benchmark_group("read");
    group.throughput(Throughput::Bytes(data.len() as u64)).sample_size(10).measurement_time(Duration::from_secs(4));
    for compression in compressions() {
        let archive = archive(compression, &data);
        group.bench_function(compression.to_string(), |b| {
            b.iter(|| {
                let mut reader = Reader::new(black_box(archive.as_slice())).unwrap();
                let Some(Block::Data(mut data)) = reader.next_block().unwrap() else { return 0 };
                let mut length = 0;
                loop {
                    match data.fill().unwrap().len() {
                        0 => return length,
                        n => data.consume(n),
                    }
                    length += 1;
                }
            });
        });
        group.bench_function(format!("{compression}, skipped"), |b| {
            b.iter(|| {
                let mut reader = Reader::seekable(Cursor::new(black_box(&archive))).unwrap();
                while reader.next_block().unwrap().is_some() {}
            });
        });
    }
    group.finish();
}

/// Encodes `data` in pieces of `size`; gives the number of bytes they take.
fn pieces(encoder: &mut PieceEncoder, piece: &mut Piece, data: &[u8], size: usize, dictionary: usize) -> usize {
    let mut stored = 0;
    for start in (0..data.len()).step_by(size) {
        let end = data.len().min(start + size);
        encoder.encode(&data[start.saturating_sub(dictionary)..start], &data[start..end], piece).unwrap();
        stored += piece.bytes().len();
    }
    stored
}

fn one_stream(compression: Compression, data: &[u8]) -> usize {
    match compression {
        Compression::Gzip(level) => {
            let level = flate2::Compression::new(level.unwrap_or(6).into());
            let mut encoder = ZlibEncoder::new(Vec::with_capacity(data.len()), level);
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap().len()
        }
        Compression::Lz4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::with_capacity(data.len()));
            encoder.write_all(data).unwrap();
            encoder.finish().unwrap().len()
        }
        Compression::Zstd(level) => zstd::stream::encode_all(data, level.unwrap_or(3)).unwrap().len(),
        _ => data.len(),
    }
}

fn pieces_and_one_stream(c: &mut Criterion) {
    let data = rows(8 * MIB);
    let mut group = c.benchmark_group("compress");
    group.throughput(Throughput::Bytes(data.len() as u64)).sample_size(10).measurement_time(Duration::from_secs(4));
    // Pieces of zstd are compressed by the writer, which is measured above.
    for compression in compressions()[1..].iter().filter(|compression| !matches!(compression, Compression::Zstd(_))) {
        let mut encoder = PieceEncoder::new(*compression).unwrap();
        let mut piece = Piece::new();
        let whole = one_stream(*compression, &data);
        println!("{compression}: one stream {whole} bytes, ratio {:.3}", data.len() as f64 / whole as f64);
        group.bench_function(format!("{compression}, one stream"), |b| {
            b.iter(|| one_stream(*compression, black_box(&data)))
        });
        for (size, dictionary) in
            [(256 * 1024, 0), (256 * 1024, PieceEncoder::DICTIONARY), (MIB, PieceEncoder::DICTIONARY)]
        {
            let name = format!("{compression}, pieces of {} KiB, dictionary of {} KiB", size / 1024, dictionary / 1024);
            let stored = pieces(&mut encoder, &mut piece, &data, size, dictionary);
            let more = (stored as f64 / whole as f64 - 1.0) * 100.0;
            println!("{name}: {stored} bytes, {more:+.2} % of one stream");
            group.bench_function(name, |b| {
                b.iter(|| pieces(&mut encoder, &mut piece, black_box(&data), size, dictionary))
            });
        }
    }
    group.finish();
}

criterion_group!(benches, write, read, pieces_and_one_stream);
criterion_main!(benches);
