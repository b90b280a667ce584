//! Archives with their table of contents once more at the end, as pg_dump 16 and later leave them where their standard
//! output is a file.

use std::io::Cursor;

use pgformat::{Compression, DumpId, Entry, Header, Reader, Version};

use crate::model::{Archive, Content};

fn archive() -> Archive {
    let data = |id, desc| Entry::new(DumpId(id), desc).has_data(true).tag("t");
    let entries = vec![Entry::new(DumpId(1), "TABLE"), data(2, "TABLE DATA"), data(3, "BLOBS"), data(4, "TABLE DATA")];
    let rows = |text: &str| Content::Rows(text.as_bytes().to_vec());
    let objects = Content::Objects(vec![(7, b"seven".to_vec()), (4_000_000_000, Vec::new())]);
    let contents = [(DumpId(2), rows("1\n2\n")), (DumpId(3), objects), (DumpId(4), rows("last\n"))];
    let header = Header::new(Version::V1_14, Compression::None).dbname("app");
    Archive { header, entries, contents: contents.into_iter().collect() }
}

/// The archive as it is written without seeking, and the table of contents that knows the places of the data.
pub fn parts() -> (Vec<u8>, Vec<u8>) {
    let archive = archive();
    let empty = Archive { entries: Vec::new(), contents: [].into(), ..archive.clone() }.streamed();
    // With no entries, there is their number after the header.
    let start = empty.len() - 5;
    let (streamed, seekable) = (archive.streamed(), archive.seekable());
    let end = streamed.len();
    let first_block = Reader::seekable(Cursor::new(&seekable)).unwrap().offset();
    let contents = seekable[start..usize::try_from(first_block).unwrap()].to_vec();
    assert_ne!(streamed[start..][..contents.len()], contents[..], "the places are not the same");
    assert_eq!(end, seekable.len());
    (streamed, contents)
}

#[test]
fn it_is_the_end_and_no_block() {
    let (streamed, contents) = parts();
    let bytes = [streamed.as_slice(), &contents].concat();
    assert_eq!(Archive::read(Reader::new(&bytes[..]).unwrap()).unwrap(), archive());
    assert_eq!(Archive::read(Reader::seekable(Cursor::new(&bytes)).unwrap()).unwrap(), archive());
    assert_eq!(Archive::read_backwards(Reader::seekable(Cursor::new(&bytes)).unwrap()).unwrap(), archive());

    let sizes = |bytes: &[u8]| {
        let mut reader = Reader::seekable(Cursor::new(bytes)).unwrap();
        reader.check_end().unwrap();
        reader.sizes().unwrap()
    };
    assert_eq!(sizes(&bytes), sizes(&streamed), "it counts for no entry");

    // Who writes into a pipe writes all of it.
    let mut rest = &bytes[..];
    let mut reader = Reader::new(&mut rest).unwrap();
    assert!(reader.block(DumpId(4)).unwrap().is_some());
    reader.finish().unwrap();
    drop(reader);
    assert!(rest.is_empty());
}

#[test]
fn only_the_places_of_the_data_may_differ() {
    let (streamed, contents) = parts();
    let whole = archive();
    for at in 0..contents.len() {
        for flip in [1, 0x80] {
            let mut changed = contents.clone();
            changed[at] ^= flip;
            let bytes = [streamed.as_slice(), &changed].concat();
            for read in [
                Archive::read(Reader::new(&bytes[..]).unwrap()),
                Archive::read(Reader::seekable(Cursor::new(&bytes)).unwrap()),
            ] {
                match read {
                    Ok(read) => assert_eq!(read, whole, "byte {at}"),
                    Err(error) => assert!(!error.to_string().is_empty()),
                }
            }
        }
    }
    // The kind of the third entry.
    let kind = contents.windows(5).position(|text| text == b"BLOBS").unwrap();
    let mut changed = contents.clone();
    changed[kind] = b'X';
    let error = Archive::read(Reader::new(&[streamed.as_slice(), &changed].concat()[..]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("not the same as in the beginning"), "{error}");
}

#[test]
fn it_is_not_cut_off_and_nothing_follows() {
    let (streamed, contents) = parts();
    for length in 1..contents.len() {
        let bytes = [streamed.as_slice(), &contents[..length]].concat();
        assert!(Archive::read(Reader::new(&bytes[..]).unwrap()).is_err(), "{length} bytes");
        let mut reader = Reader::seekable(Cursor::new(&bytes)).unwrap();
        assert!(reader.check_end().is_err(), "{length} bytes");
    }
    let bytes = [streamed.as_slice(), &contents, b"x"].concat();
    let error = Archive::read(Reader::new(&bytes[..]).unwrap()).unwrap_err();
    assert!(error.to_string().contains("something comes after the second table of contents"), "{error}");

    // It makes up for no block that is missing.
    let last = streamed.windows(5).rposition(|text| text == b"last\n").unwrap();
    let block = last - 5 - 5 - 1;
    assert_eq!(streamed[block], 1);
    let bytes = [&streamed[..block], &contents].concat();
    for error in [
        Archive::read(Reader::new(&bytes[..]).unwrap()).unwrap_err(),
        Reader::seekable(Cursor::new(&bytes)).unwrap().check_end().unwrap_err(),
    ] {
        assert!(error.to_string().contains("entry 4"), "{error}");
    }
}

#[test]
fn a_second_archive_is_called_that() {
    let (streamed, contents) = parts();
    for first in [streamed.clone(), [streamed.as_slice(), &contents].concat()] {
        let bytes = [first.as_slice(), &streamed].concat();
        for error in [
            Archive::read(Reader::new(&bytes[..]).unwrap()).unwrap_err(),
            Reader::seekable(Cursor::new(&bytes)).unwrap().check_end().unwrap_err(),
        ] {
            let at = format!(" at byte {}: another archive begins here, but a file must hold only one", first.len());
            assert!(error.to_string().ends_with(&at), "{error}");
        }
    }
}
