//! One compressed file of pieces that were compressed apart.

use std::io::{self, Write};

use super::{Compression, Joint, Piece};
use crate::error::{Direction, Error, ErrorKind, Fault, Result};

/// Joins pieces to one compressed file, which `gzip`, `lz4` or `zstd` unpacks: what pg_dump makes of a script. There is nothing of an
/// archive in it.
///
/// Pieces are made by [`PieceEncoder::of_files`](crate::PieceEncoder::of_files), on any thread. A file is complete after
/// [`FileWriter::finish`], and only then.
///
/// ```
/// use pgformat::{Compression, FileWriter, Piece, PieceEncoder};
///
/// # fn main() -> pgformat::Result<()> {
/// let mut encoder = PieceEncoder::of_files(Compression::GZIP)?;
/// let mut file = FileWriter::new(Vec::new(), Compression::GZIP)?;
/// let mut piece = Piece::new();
/// encoder.encode(b"", b"SELECT 1;\n", &mut piece)?;
/// file.piece(&piece)?;
/// encoder.encode(b"SELECT 1;\n", b"SELECT 2;\n", &mut piece)?;
/// file.piece(&piece)?;
/// let packed = file.finish()?;
/// assert_eq!(packed[..2], [0x1f, 0x8b]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FileWriter<W> {
    out: W,
    joint: Joint,
    written: u64,
    /// Something failed, and the file is lost.
    is_broken: bool,
}

impl<W: Write> FileWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Writing fails.
    pub fn new(out: W, compression: Compression) -> Result<Self> {
        let mut writer = Self { out, joint: Joint::of_files(compression), written: 0, is_broken: false };
        let (out, begin) = (&mut writer.out, writer.joint.start());
        writer.written = write(out, begin, 0)?;
        Ok(writer)
    }

    /// Has what cannot be compressed before compressed on so many threads: zstd's. Without it, nothing here begins a thread.
    pub fn compress_on(&mut self, threads: u32) {
        self.joint.set_threads(threads);
    }

    /// Adds the next piece, whose dictionary, if any, is the end of the data so far.
    ///
    /// # Errors
    /// It is compressed in another way, or is whole by itself; compressing or writing fails. The file is lost then.
    pub fn piece(&mut self, piece: &Piece) -> Result<()> {
        if self.is_broken || !piece.fits(self.joint.codec()) || !self.joint.takes(piece) {
            let why = if self.is_broken { "writing failed before" } else { "the piece is compressed in another way" };
            return Err(Error::new(
                Direction::Writing,
                "a compressed file",
                self.written,
                ErrorKind::Protocol(why.into()),
            ));
        }
        self.is_broken = true;
        let (out, bytes) = (&mut self.out, self.joint.add(piece)?);
        self.written = write(out, bytes, self.written)?;
        self.is_broken = false;
        Ok(())
    }

    /// Hands on what is there to what is behind the output.
    ///
    /// # Errors
    /// That fails.
    pub fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| failed(self.written, error))
    }

    /// Ends the file, flushes it, and gives the output back.
    ///
    /// # Errors
    /// Writing fails, or has failed before.
    pub fn finish(mut self) -> Result<W> {
        // A piece of nothing fits everywhere, and says whether the file is lost.
        self.piece(&Piece::new())?;
        let (out, end) = (&mut self.out, self.joint.end()?);
        self.written = write(out, end, self.written)?;
        self.flush()?;
        Ok(self.out)
    }
}

/// Writes, and says how much the file has then.
fn write<W: Write>(out: &mut W, bytes: &[u8], written: u64) -> Result<u64> {
    out.write_all(bytes).map_err(|error| failed(written, error))?;
    Ok(written + bytes.len() as u64)
}

fn failed(written: u64, error: io::Error) -> Error {
    Fault::new(written, ErrorKind::Io(error)).writing("a compressed file")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Read;

    use super::*;
    use crate::PieceEncoder;

    fn packed(compression: Compression, parts: &[&[u8]]) -> Vec<u8> {
        let mut encoder = PieceEncoder::of_files(compression).unwrap();
        let mut file = FileWriter::new(Vec::new(), compression).unwrap();
        let (mut before, mut piece) = (Vec::new(), Piece::new());
        for part in parts {
            encoder.encode(&before, part, &mut piece).unwrap();
            file.piece(&piece).unwrap();
            before.extend_from_slice(part);
        }
        file.finish().unwrap()
    }

    fn unpacked(compression: Compression, file: &[u8]) -> Vec<u8> {
        let mut text = Vec::new();
        match compression {
            Compression::None => text.extend_from_slice(file),
            Compression::Gzip(_) => _ = flate2::read::GzDecoder::new(file).read_to_end(&mut text).unwrap(),
            Compression::Lz4 => _ = lz4_flex::frame::FrameDecoder::new(file).read_to_end(&mut text).unwrap(),
            Compression::Zstd(_) => text = zstd::decode_all(file).unwrap(),
        }
        text
    }

    const ALL: [Compression; 4] = [Compression::None, Compression::GZIP, Compression::Lz4, Compression::ZSTD];

    #[test]
    fn pieces_make_one_file() {
        let long = b"SELECT 'what comes again and again';\n".repeat(20_000);
        for compression in ALL {
            for parts in [&[&long[..], b"x", &long[..1000]][..], &[b"", b"y"], &[]] {
                assert_eq!(unpacked(compression, &packed(compression, parts)), parts.concat(), "{compression}");
            }
        }
    }

    #[test]
    fn pieces_of_other_files_are_refused() {
        let mut piece = Piece::new();
        PieceEncoder::new(Compression::GZIP).unwrap().encode(b"", b"x", &mut piece).unwrap();
        let mut file = FileWriter::new(Vec::new(), Compression::GZIP).unwrap();
        let error = file.piece(&piece).unwrap_err();
        assert!(error.to_string().contains("compressed in another way"), "{error}");
    }

    #[test]
    fn a_file_that_could_not_be_written_is_lost() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                if bytes.len() > 10 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut piece = Piece::new();
        PieceEncoder::of_files(Compression::GZIP).unwrap().encode(b"", &[7; 5000], &mut piece).unwrap();
        let mut file = FileWriter::new(Full, Compression::GZIP).unwrap();
        let error = file.piece(&piece).unwrap_err();
        assert_eq!(error.io_error().map(io::Error::kind), Some(io::ErrorKind::StorageFull));
        assert!(file.finish().is_err());
    }
}
