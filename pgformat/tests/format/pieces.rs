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
    let entries = vec![Entry::new(ROWS, "TABLE DATA").has_data(true)];
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

/// The stream that begins there, and the lengths of its chunks.
fn stream(archive: &[u8], start: u64) -> (Vec<u8>, Vec<usize>) {
    let mut rest = &archive[usize::try_from(start).unwrap()..];
    let (mut stream, mut lengths) = (Vec::new(), Vec::new());
    loop {
        let length = u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize;
        if length == 0 {
            assert_eq!(rest.len(), 5);
            return (stream, lengths);
        }
        stream.extend_from_slice(&rest[5..5 + length]);
        lengths.push(length);
        rest = &rest[5 + length..];
    }
}

/// Decompresses a stream with other decoders than the reader's, which take the first stream, or frame, and no more.
fn decompress(compression: Compression, stream: &[u8]) -> Vec<u8> {
    let mut back = Vec::new();
    match compression {
        Compression::None => back = stream.to_vec(),
        Compression::Gzip(_) => {
            let mut decoder = ZlibDecoder::new(stream);
            decoder.read_to_end(&mut back).unwrap();
            assert_eq!(decoder.total_in(), stream.len() as u64);
        }
        Compression::Lz4 => {
            lz4_flex::frame::FrameDecoder::new(stream).read_to_end(&mut back).map(drop).unwrap();
        }
        Compression::Zstd(_) => {
            let mut rest = stream;
            zstd::Decoder::with_buffer(&mut rest).unwrap().single_frame().read_to_end(&mut back).unwrap();
            assert!(rest.is_empty(), "{} bytes after the first frame", rest.len());
        }
        other => panic!("{other} has no other decoder here"),
    }
    back
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
        let (stream, _) = stream(&archive, start);
        let back = decompress(compression, &stream);
        prop_assert_eq!(back, data);
    }
}

/// Data of this length that compresses to nearly nothing, or not at all, or in between.
fn data(length: usize, kind: usize) -> Vec<u8> {
    let mut seed = 1_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    (0..length)
        .map(|at| match kind {
            0 => b'x',
            1 => next(),
            _ => b"0123456789abcdef"[usize::from(next()) % (1 + at % 16)],
        })
        .collect()
}

/// Whoever takes a chunk of less than 4,096 bytes for the last of its stream is right, and who takes that for a sign that there
/// is one, too, but for streams that are hardly longer.
#[test]
fn no_chunk_but_the_last_is_short() {
    let compressions =
        [Compression::None, Compression::GZIP, Compression::Gzip(Some(1)), Compression::Lz4, Compression::ZSTD];
    for compression in compressions {
        for (length, size) in [
            (0, 1),
            (1, 1),
            (2_000, 7),
            (4_095, 4_095),
            (4_096, 4_096),
            (4_097, 4_096),
            (6_150, 100),
            (20_000, 4_000),
            (100_000, 100),
            (300_000, 65_536),
            (3_000_000, 262_144),
            (5_000_000, 1_048_576),
        ] {
            for kind in 0..3 {
                let data = data(length, kind);
                let (archive, start) = write(compression, &data, size, PieceEncoder::DICTIONARY);
                let (stream, lengths) = stream(&archive, start);
                let what = format!("{compression}, {length} bytes of kind {kind} in pieces of {size}: {lengths:?}");
                assert!(decompress(compression, &stream) == data, "{what}");
                let Some((last, others)) = lengths.split_last() else { continue };
                assert!(others.iter().all(|length| *length >= 4096), "{what}");
                assert!(compression == Compression::None || *last <= 4096 + 16, "{what}");
                // Rows that end with a piece end with a chunk.
                let mut end = 0;
                let ends_with_pieces = others.iter().all(|length| {
                    end += length;
                    end % size == 0
                });
                assert!(compression != Compression::None || ends_with_pieces, "{what}");
            }
        }
    }
}

#[test]
fn chunks_of_large_objects_are_as_long_and_a_stream_follows_another() {
    for compression in [Compression::None, Compression::GZIP, Compression::Lz4, Compression::ZSTD] {
        let entries = vec![Entry::new(ROWS, "BLOBS").has_data(true)];
        let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_16, compression), entries).unwrap();
        writer.compress_on(2);
        let mut encoder = PieceEncoder::new(compression).unwrap();
        writer.begin_large_objects(ROWS).unwrap();
        let start = usize::try_from(writer.offset()).unwrap();
        let objects: Vec<Vec<u8>> = [(0, 0), (10, 1), (70_000, 0), (70_000, 1), (0, 1), (2_500_000, 2), (9, 0)]
            .map(|(length, kind)| data(length, kind))
            .into();
        for (oid, object) in (1..).zip(&objects) {
            writer.large_object(oid).unwrap();
            let mut piece = Piece::new();
            let parts: Vec<&[u8]> = object.chunks(65_536).collect();
            for part in &parts {
                let encoded = match parts.len() {
                    1 => encoder.encode_whole(part, &mut piece),
                    _ => encoder.encode(b"", part, &mut piece),
                };
                encoded.unwrap();
                writer.piece(&piece).unwrap();
            }
            writer.end_stream().unwrap();
        }
        writer.end_block().unwrap();
        let archive = writer.finish().unwrap();
        let mut at = start;
        let mut take = |length: usize| {
            at += length;
            &archive[at - length..at]
        };
        let int = |bytes: &[u8]| u32::from_le_bytes(bytes[1..5].try_into().unwrap()) as usize;
        for (oid, object) in (1_usize..).zip(&objects) {
            assert_eq!(int(take(5)), oid);
            let (mut stream, mut lengths) = (Vec::new(), Vec::new());
            loop {
                let length = int(take(5));
                if length == 0 {
                    break;
                }
                stream.extend_from_slice(take(length));
                lengths.push(length);
            }
            assert!(decompress(compression, &stream) == *object, "{compression}, object {oid}");
            let others = lengths.split_last().map(|(_, others)| others).unwrap_or_default();
            assert!(others.iter().all(|length| *length >= 4096), "{compression}, object {oid}: {lengths:?}");
        }
    }
}

#[test]
fn a_stream_is_the_same_on_any_number_of_threads() {
    let data = data(9_000_000, 2);
    let write = |threads: u32| {
        let entries = vec![Entry::new(ROWS, "TABLE DATA").has_data(true)];
        let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_16, Compression::ZSTD), entries).unwrap();
        writer.compress_on(threads);
        let mut rows = writer.data(ROWS).unwrap();
        std::io::Write::write_all(&mut rows, &data).unwrap();
        rows.finish().unwrap();
        writer.finish().unwrap()
    };
    let one = write(1);
    assert!(one == write(3));
    for archive in [one, write(0)] {
        let read = Archive::read(Reader::new(archive.as_slice()).unwrap()).unwrap();
        assert!(read.contents[&ROWS] == Content::Rows(data.clone()));
    }
}

#[test]
fn a_whole_stream_is_alone() {
    let mut encoder = PieceEncoder::new(Compression::ZSTD).unwrap();
    let (mut whole, mut part) = (Piece::new(), Piece::new());
    encoder.encode_whole(b"rows", &mut whole).unwrap();
    encoder.encode(b"", b"rows", &mut part).unwrap();
    for (first, second) in [(&whole, &part), (&part, &whole), (&whole, &whole)] {
        let entries = vec![Entry::new(ROWS, "TABLE DATA").has_data(true)];
        let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_16, Compression::ZSTD), entries).unwrap();
        writer.begin_data(ROWS).unwrap();
        writer.piece(first).unwrap();
        writer.piece(&Piece::new()).unwrap();
        let error = writer.piece(second).unwrap_err();
        assert!(error.to_string().contains("it is a whole stream, or comes after one"), "{error}");
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
    let entries = vec![Entry::new(ROWS, "TABLE DATA").has_data(true)];
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
