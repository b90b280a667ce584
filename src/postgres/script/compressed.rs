//! A script that is compressed while it is written.
//!
//! It is cut into pieces, which threads compress, each with the end of the piece before it as its dictionary; joined in order, they
//! are one file, as `gzip`, `lz4` or `zstd` make it. (zstd cannot be joined so, and has threads of its own.)

use std::collections::VecDeque;
use std::io::{self, Write};
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use pgformat::{Compression, FileWriter, Piece, PieceEncoder};

use crate::{Context, Error, ErrorKind, Result, threads};

/// How many threads zstd has at most; each takes some megabytes.
const STREAM_THREADS: usize = 16;

/// Has `write` write to something that compresses, and what comes of that to `out`.
///
/// # Errors
/// Those of `write`; compressing or writing fails. What was written is of no use then.
pub fn compressed<T>(
    out: &mut dyn Write,
    compression: Compression,
    write: impl FnOnce(&mut dyn Write) -> Result<T>,
) -> Result<T> {
    let doing = || "write the compressed script";
    let wanted = thread::available_parallelism().map_or(2, usize::from);
    let mut file = FileWriter::new(out, compression).context(ErrorKind::Io, doing)?;
    file.compress_on(u32::try_from(wanted.min(STREAM_THREADS)).unwrap_or(1));
    let (sender, jobs) = unbounded::<Job>();
    thread::scope(|scope| {
        let compressor = || {
            let jobs = jobs.clone();
            threads::spawn_scoped(scope, "compress the script", move || compress(compression, &jobs))
        };
        // One is needed; of more there are as many as can be had. What only passes through needs no more than one.
        compressor()?;
        let more = if matches!(compression, Compression::Gzip(_) | Compression::Lz4) { wanted - 1 } else { 0 };
        let running = 1 + (0..more).map_while(|_| compressor().ok()).count();
        let size = compression.piece_size();
        let mut pieces = Pieces {
            file,
            jobs: sender,
            size,
            most: 2 * running + 1,
            pending: VecDeque::new(),
            buffer: Vec::new(),
            tail: Vec::new(),
        };
        let said = write(&mut pieces)?;
        pieces.finish().map_err(|error| Error::new(ErrorKind::Io, doing()).source(error))?;
        Ok(said)
    })
}

/// A piece on its way to a compressing thread.
struct Job {
    dictionary: Vec<u8>,
    data: Vec<u8>,
    done: Sender<pgformat::Result<Piece>>,
}

fn compress(compression: Compression, jobs: &Receiver<Job>) {
    let mut encoder = None;
    for Job { dictionary, data, done } in jobs {
        let result = (|| {
            let encoder = match &mut encoder {
                Some(encoder) => encoder,
                empty => empty.insert(PieceEncoder::of_files(compression)?),
            };
            let mut piece = Piece::new();
            encoder.encode(&dictionary, &data, &mut piece)?;
            Ok(piece)
        })();
        // Nobody waits for it if the writer has failed.
        let _ = done.send(result);
    }
}

/// What is written, in pieces.
struct Pieces<W: Write> {
    file: FileWriter<W>,
    jobs: Sender<Job>,
    /// How large a piece is.
    size: usize,
    /// How many may be on their way.
    most: usize,
    pending: VecDeque<Receiver<pgformat::Result<Piece>>>,
    buffer: Vec<u8>,
    /// The end of what was cut off.
    tail: Vec<u8>,
}

fn failed(error: pgformat::Error) -> io::Error {
    let kind = error.io_error().map_or(io::ErrorKind::Other, io::Error::kind);
    io::Error::new(kind, error)
}

fn thread_gone() -> io::Error {
    io::Error::other("a thread ended before its work was done")
}

impl<W: Write> Pieces<W> {
    /// Sends what was written so far on its way.
    fn cut(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let data = std::mem::replace(&mut self.buffer, Vec::with_capacity(self.size));
        let tail = data[data.len().saturating_sub(PieceEncoder::DICTIONARY)..].to_vec();
        let dictionary = std::mem::replace(&mut self.tail, tail);
        let (done, piece) = bounded(1);
        self.jobs.send(Job { dictionary, data, done }).map_err(|_| thread_gone())?;
        self.pending.push_back(piece);
        self.take(self.most)
    }

    /// Writes pieces that are ready, until so many are left.
    fn take(&mut self, left: usize) -> io::Result<()> {
        while self.pending.len() > left
            && let Some(piece) = self.pending.pop_front()
        {
            let piece = piece.recv().map_err(|_| thread_gone())?.map_err(failed)?;
            self.file.piece(&piece).map_err(failed)?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.cut()?;
        self.take(0)?;
        self.file.finish().map_err(failed)?;
        Ok(())
    }
}

impl<W: Write> Write for Pieces<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.size.saturating_sub(self.buffer.len());
        let taken = bytes.len().min(room);
        self.buffer.extend_from_slice(&bytes[..taken]);
        if self.buffer.len() >= self.size {
            self.cut()?;
        }
        Ok(taken)
    }

    /// Only the end of the file is its end; this hands on what there is.
    fn flush(&mut self) -> io::Result<()> {
        self.cut()?;
        self.take(0)?;
        self.file.flush().map_err(failed)
    }
}
