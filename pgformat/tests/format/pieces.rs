//! Pieces that are compressed apart are one stream when joined.

use std::io::Read;

use flate2::read::ZlibDecoder;
use pgformat::{Compression, DumpId, Entry, Header, Piece, PieceEncoder, Reader, Version, Writer};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Archive, Content};

const ROWS: DumpId = DumpId(1);

/// Compresses pieces of `data` backwards, by two encoders, and writes them in order. Gives the archive, and where the
/// chunks begin in it.
fn write(compression: Compression, data: &[u8], size: usize, dictionary: usize) -> (Vec<u8>, u64) {
    let mut encoders = [PieceEncoder::new(compression).unwrap(), PieceEncoder::new(compression).unwrap()];
    let mut pieces: Vec<Piece> = Vec::new();
    let starts: Vec<_> = (0..data.len()).step_by(size).collect();
    for (turn, &start) in starts.iter().rev().enumerate() {
        let mut piece = Piece::new();
        // Whatever was in it must not show.
        encoders[0].encode(b"", b"something else", &mut piece).unwrap();
        let before = &data[start.saturating_sub(dictionary)..start];
        encoders[turn % 2].encode(before, &data[start..data.len().min(start + size)], &mut piece).unwrap();
        assert_eq!(piece.data_len(), data[start..].len().min(size) as u64);
        pieces.push(piece);
    }
    let entries = vec![Entry { has_data: true, ..Entry::new(ROWS, "TABLE DATA") }];
    let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_16, compression), entries).unwrap();
    writer.begin_data(ROWS).unwrap();
    let start = writer.offset();
    for piece in pieces.iter().rev() {
        writer.piece(piece).unwrap();
    }
    writer.end_stream().unwrap();
    writer.end_block().unwrap();
    (writer.finish().unwrap(), start)
}

fn stream(archive: &[u8], start: u64) -> Vec<u8> {
    let mut rest = &archive[usize::try_from(start).unwrap()..];
    let mut stream = Vec::new();
    loop {
        let length = u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize;
        if length == 0 {
            assert_eq!(rest.len(), 5);
            return stream;
        }
        stream.extend_from_slice(&rest[5..5 + length]);
        rest = &rest[5 + length..];
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn joined_pieces_are_one_stream(
        compression in prop_oneof![
            Just(Compression::None), Just(Compression::Lz4), Just(Compression::ZSTD),
            (1_u8..=9).prop_map(|level| Compression::Gzip(Some(level))),
        ],
        words in vec("[a-f]{1,7}", 0..4_000), times in 1_usize..6,
        size in 1_000_usize..60_000, dictionary in prop_oneof![Just(0_usize), Just(32 * 1024), 0_usize..100_000],
    ) {
        let data = words.join("\t").repeat(times).into_bytes();
        let (archive, start) = write(compression, &data, size, dictionary);
        let read = Archive::read(Reader::new(archive.as_slice()).unwrap()).unwrap();
        prop_assert_eq!(&read.contents[&ROWS], &Content::Rows(data.clone()));
        // Another decoder than the one in the reader's hands, which takes the stream as a whole.
        let stream = stream(&archive, start);
        let mut back = Vec::new();
        match compression {
            Compression::None => back = stream,
            Compression::Gzip(_) => {
                let mut decoder = ZlibDecoder::new(stream.as_slice());
                decoder.read_to_end(&mut back).unwrap();
                prop_assert_eq!(decoder.total_in(), stream.len() as u64);
            }
            Compression::Lz4 => {
                lz4_flex::frame::FrameDecoder::new(stream.as_slice()).read_to_end(&mut back).map(drop).unwrap();
            }
            Compression::Zstd(_) => back = zstd::stream::decode_all(stream.as_slice()).unwrap(),
        }
        prop_assert_eq!(back, data);
    }
}

#[test]
fn with_a_dictionary_pieces_are_about_as_small_as_one_stream() {
    // Rows as a table has them: repetitive, but not at a distance that fits into a short piece.
    let mut rows = Vec::new();
    let mut seed = 1_u64;
    while rows.len() < 4 << 20 {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (a, b) = (seed >> 40, seed >> 52);
        rows.extend_from_slice(
            format!("{}\tcustomer {b}\t{a}\t2026-11-{:02} 12:00:00\t\\N\n", rows.len(), b % 30 + 1).as_bytes(),
        );
    }
    let whole = write(Compression::GZIP, &rows, rows.len(), 0).0.len();
    let apart = write(Compression::GZIP, &rows, 256 * 1024, 0).0.len();
    let linked = write(Compression::GZIP, &rows, 256 * 1024, PieceEncoder::DICTIONARY).0.len();
    assert!(linked < apart, "{linked} with dictionaries, {apart} without");
    assert!(linked * 1_000 < whole * 1_003, "{linked} in pieces, {whole} as a whole");
}

#[test]
fn a_wrong_dictionary_is_noticed() {
    let data = b"the quick brown fox jumps over the lazy dog".repeat(2_000);
    let mut encoder = PieceEncoder::new(Compression::GZIP).unwrap();
    let mut piece = Piece::new();
    let entries = vec![Entry { has_data: true, ..Entry::new(ROWS, "TABLE DATA") }];
    let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_14, Compression::GZIP), entries).unwrap();
    writer.begin_data(ROWS).unwrap();
    encoder.encode(b"", &data, &mut piece).unwrap();
    writer.piece(&piece).unwrap();
    encoder.encode(&data.repeat(2).to_ascii_uppercase(), &data.to_ascii_uppercase(), &mut piece).unwrap();
    writer.piece(&piece).unwrap();
    writer.end_stream().unwrap();
    writer.end_block().unwrap();
    let archive = writer.finish().unwrap();
    let error = Archive::read(Reader::new(archive.as_slice()).unwrap()).unwrap_err();
    assert!(error.to_string().contains("its zlib stream is damaged (incorrect data check)"), "{error}");
}
