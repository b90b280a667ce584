//! The data path: workers read, threads compress, one writer writes in order.
//!
//! Each worker has a connection and takes the next task of the queue, whose order is the archive's. It fills pieces of
//! fixed size; any of the compressing threads takes a piece, with the end of the piece before it as its dictionary; the
//! writer waits for the pieces of the first unfinished task, then of the next. So the archive is the same whatever the
//! number of workers and threads.
//!
//! Memory is bounded by buffers, not by tables: a worker that has none left waits until the writer gives one back. Every
//! worker has buffers of its own, so the one whose task comes first never waits for a task behind it.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, select, unbounded};
use pgformat::{Compression, Format, Piece, PieceEncoder, Writer};

use super::super::model::DumpId;
use super::super::session::Session;
use super::pieces::Pieces;
use super::task::DataTask;
use super::{large_objects, rows};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::progress::{Message, Reporter};
use crate::threads;
use crate::wire::cancel_all;

/// How many threads a stream has at most that cannot be compressed in pieces; each takes some megabytes.
const STREAM_THREADS: usize = 16;

/// How many pieces of one worker may be on their way: being compressed, or waiting to be written.
const WINDOW: usize = 8;
/// How many events of one task may wait for the writer; most carry a piece, and are bounded by [`WINDOW`] already.
const EVENTS: usize = 64;

/// How long it may take to ask for the end of what the workers do, once it is of no use.
const CANCELLING: Duration = Duration::from_secs(10);

/// What went through the pipeline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DataSummary {
    /// Rows of tables.
    pub rows: u64,
    /// Bytes of data before compression.
    pub bytes: u64,
    /// Large objects.
    pub large_objects: u64,
}

/// What the workers share.
struct Queue<'a> {
    /// The tasks that no worker has taken yet, and where their events go.
    tasks: Mutex<VecDeque<(&'a DataTask, Sender<Event>)>>,
    /// The error of the worker that failed first. Those that fail later may do so because they were cancelled.
    failure: Mutex<Option<Error>>,
}

/// What a worker tells the writer about a task, in order.
enum Event {
    LargeObject(u32),
    Piece(Receiver<Result<Compressed>>),
    EndStream,
    End(DataSummary),
}

/// A piece on its way to a compressing thread.
struct Job {
    dictionary: Vec<u8>,
    data: Vec<u8>,
    /// It is all of its stream.
    is_whole: bool,
    piece: Piece,
    done: Sender<Result<Compressed>>,
    home: Sender<Buffers>,
}

struct Compressed {
    buffers: Buffers,
    home: Sender<Buffers>,
}

/// The memory of one piece, used over and over.
#[derive(Default)]
struct Buffers {
    dictionary: Vec<u8>,
    data: Vec<u8>,
    piece: Piece,
}

/// Fetches the data of all `tasks` over `sessions` (at least one) and writes it in the order of the tasks.
///
/// # Errors
/// A server's error, a lost connection, or the archive cannot be written. The other workers are stopped.
pub fn run<W: Write>(
    writer: &mut Writer<W>,
    tasks: &[(DumpId, DataTask)],
    sessions: &mut [Session],
    compression: Compression,
    reporter: &dyn Reporter,
) -> Result<DataSummary> {
    let threads = thread::available_parallelism().map_or(2, usize::from);
    writer.compress_on(u32::try_from(threads.min(STREAM_THREADS)).unwrap_or(1));
    // A stream is another thing in a file of its own than in a block.
    let encoder = match writer.header().format {
        Format::Custom => PieceEncoder::new,
        _ => PieceEncoder::of_files,
    };
    let (job_sender, jobs) = unbounded::<Job>();
    let (senders, receivers): (Vec<_>, Vec<_>) = tasks.iter().map(|_| bounded::<Event>(EVENTS)).unzip();
    let queue = Queue {
        tasks: Mutex::new(tasks.iter().map(|(_, task)| task).zip(senders).collect()),
        failure: Mutex::new(None),
    };
    let (stop, stopped) = bounded::<()>(0);
    let cancels: Vec<_> = sessions.iter_mut().map(|s| s.connection().cancel_handle()).collect();

    thread::scope(|scope| {
        let compressor = || {
            let jobs = jobs.clone();
            threads::spawn_scoped(scope, "compress the data", move || compress(|| encoder(compression), &jobs))
        };
        // One of each kind is needed; of more there are as many as can be had.
        compressor()?;
        let shared = sessions.len() > 1;
        let (mut workers, mut missing) = (Vec::with_capacity(sessions.len()), None);
        for session in sessions.iter_mut() {
            let (jobs, stopped) = (job_sender.clone(), stopped.clone());
            let queue = &queue;
            let read = move || work(session, shared, queue, compression.piece_size(), &jobs, &stopped);
            match threads::spawn_scoped(scope, "read the data over a connection", read) {
                Ok(worker) => workers.push(worker),
                Err(error) if workers.is_empty() => return Err(error),
                Err(error) => {
                    missing = Some(error);
                    break;
                }
            }
        }
        let missing = missing.or_else(|| (1..threads).find_map(|_| compressor().err()));
        if let Some(error) = missing {
            let text = format!("{error}; going on with fewer");
            reporter.message(Message::warning("threads", text));
        }
        drop((job_sender, stopped));

        let written = write_all(writer, tasks, receivers, reporter);
        if written.is_err() {
            // The workers end by themselves; this only keeps the server from working on for nothing.
            cancel_all(&cancels, Instant::now() + CANCELLING);
        }
        drop(stop);
        let mut all_ended = true;
        for worker in workers {
            all_ended &= matches!(worker.join(), Ok(Ok(())));
        }
        let failure = queue.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        match written {
            Ok(summary) if all_ended => Ok(summary),
            // What the workers failed with after that is that they were told to stop.
            Err(WriteFailure::Archive(error)) => Err(error),
            Ok(_) | Err(WriteFailure::WorkerGone) => Err(failure.unwrap_or_else(lost_thread_error)),
        }
    })
}

/// Why a worker ended early.
pub enum Stop {
    /// It failed.
    Failed(Error),
    /// The writer failed, and the rest is of no use.
    ToldTo,
}

impl<E: Into<Error>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Failed(error.into())
    }
}

enum WriteFailure {
    Archive(Error),
    WorkerGone,
}

fn lost_thread_error() -> Error {
    Error::new(ErrorKind::Internal, "back up the data").why("a thread ended before its work was done")
}

fn lost_thread() -> Stop {
    Stop::Failed(lost_thread_error())
}

fn compress(new: impl Fn() -> pgformat::Result<PieceEncoder>, jobs: &Receiver<Job>) {
    let mut encoder = None;
    for job in jobs {
        let Job { dictionary, data, is_whole, mut piece, done, home } = job;
        let result = (|| {
            let encoder = match &mut encoder {
                Some(encoder) => encoder,
                empty => empty.insert(new()?),
            };
            match is_whole {
                true => encoder.encode_whole(&data, &mut piece),
                false => encoder.encode(&dictionary, &data, &mut piece),
            }
        })()
        .context(ErrorKind::Internal, || "compress data")
        .map(|()| Compressed { buffers: Buffers { dictionary, data, piece }, home });
        // Nobody waits for it if the writer has failed.
        let _ = done.send(result);
    }
}

fn write_all<W: Write>(
    writer: &mut Writer<W>,
    tasks: &[(DumpId, DataTask)],
    receivers: Vec<Receiver<Event>>,
    reporter: &dyn Reporter,
) -> Result<DataSummary, WriteFailure> {
    let mut total = DataSummary::default();
    let mut expected: u64 = tasks.iter().map(|(_, task)| task.expected_bytes()).sum();
    for ((id, task), events) in tasks.iter().zip(receivers) {
        reporter.current(&task.to_string());
        let archive = |result: pgformat::Result<()>| {
            result
                .context(ErrorKind::Io, || format!("write the data of {task} to the archive"))
                .map_err(WriteFailure::Archive)
        };
        match task {
            DataTask::Rows { .. } => archive(writer.begin_data(*id))?,
            DataTask::LargeObjects(_) => archive(writer.begin_large_objects(*id))?,
        }
        loop {
            match events.recv().map_err(|_| WriteFailure::WorkerGone)? {
                Event::LargeObject(oid) => archive(writer.large_object(oid))?,
                Event::Piece(compressed) => {
                    let compressed =
                        compressed.recv().map_err(|_| WriteFailure::WorkerGone)?.map_err(WriteFailure::Archive)?;
                    archive(writer.piece(&compressed.buffers.piece))?;
                    reporter.cancellation().check().map_err(WriteFailure::Archive)?;
                    reporter.advance(compressed.buffers.piece.data_len());
                    // The worker may have ended; then the memory goes with it.
                    let _ = compressed.home.send(compressed.buffers);
                }
                Event::EndStream => archive(writer.end_stream())?,
                Event::End(summary) => {
                    total.rows += summary.rows;
                    total.bytes += summary.bytes;
                    total.large_objects += summary.large_objects;
                    // What a table takes in its file is not quite what its rows take here.
                    expected = expected.saturating_sub(task.expected_bytes()).saturating_add(summary.bytes);
                    reporter.expect(expected);
                    break;
                }
            }
        }
        archive(writer.end_block())?;
    }
    Ok(total)
}

fn work(
    session: &mut Session,
    shared: bool,
    queue: &Queue<'_>,
    piece_size: usize,
    jobs: &Sender<Job>,
    stopped: &Receiver<()>,
) -> Result<(), Stop> {
    let (home, free) = unbounded();
    for _ in 0..WINDOW {
        let _ = home.send(Buffers::default());
    }
    while let Some((task, events)) = queue.next()? {
        let mut stream =
            Stream { piece_size, events, jobs, stopped, home: &home, free: &free, tail: Vec::new(), bytes: 0 };
        let summary = match task {
            DataTask::Rows { .. } => rows::fetch(session, shared, task, &mut stream),
            DataTask::LargeObjects(oids) => large_objects::fetch(session, oids, &mut stream),
        };
        match summary {
            Ok(summary) => stream.send(Event::End(summary))?,
            Err(stop) => return Err(queue.give_up(stop)),
        }
    }
    Ok(())
}

impl<'a> Queue<'a> {
    fn next(&self) -> Result<Option<(&'a DataTask, Sender<Event>)>, Stop> {
        Ok(self.tasks.lock().map_err(|_| lost_thread())?.pop_front())
    }

    /// Puts down why a worker ends, before the writer can notice it, and leaves nothing to do for the others.
    fn give_up(&self, stop: Stop) -> Stop {
        if let Stop::Failed(error) = stop {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        // The writer waits for events: when nobody can send any, it knows that none will come.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Stop::ToldTo
    }
}

/// Where a worker puts the data of a task.
struct Stream<'a> {
    /// How many bytes of data make a piece, about: enough to compress well, and to keep the exchange between threads rare.
    piece_size: usize,
    events: Sender<Event>,
    jobs: &'a Sender<Job>,
    stopped: &'a Receiver<()>,
    home: &'a Sender<Buffers>,
    free: &'a Receiver<Buffers>,
    tail: Vec<u8>,
    bytes: u64,
}

impl Stream<'_> {
    fn send(&self, event: Event) -> Result<(), Stop> {
        select! {
            send(self.events, event) -> sent => sent.map_err(|_| Stop::ToldTo),
            recv(self.stopped) -> _ => Err(Stop::ToldTo),
        }
    }
}

impl Pieces for Stream<'_> {
    fn piece_size(&self) -> usize {
        self.piece_size
    }

    fn large_object(&mut self, oid: u32) -> Result<(), Stop> {
        self.send(Event::LargeObject(oid))
    }

    fn piece<T>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(T, bool)>) -> Result<T, Stop> {
        let mut buffers = select! {
            recv(self.free) -> buffers => buffers.map_err(|_| Stop::ToldTo)?,
            recv(self.stopped) -> _ => return Err(Stop::ToldTo),
        };
        buffers.data.clear();
        if buffers.data.capacity() > 4 * self.piece_size {
            // It held an enormous row; the next one need not.
            buffers.data = Vec::new();
        }
        let (said, is_last) = fill(&mut buffers.data)?;
        if buffers.data.is_empty() {
            let _ = self.home.send(buffers);
            return Ok(said);
        }
        std::mem::swap(&mut buffers.dictionary, &mut self.tail);
        let start = buffers.data.len().saturating_sub(PieceEncoder::DICTIONARY);
        self.tail.clear();
        self.tail.extend_from_slice(&buffers.data[start..]);
        let is_whole = is_last && self.bytes == 0;
        self.bytes += buffers.data.len() as u64;
        let (done, compressed) = bounded(1);
        let Buffers { dictionary, data, piece } = buffers;
        let job = Job { dictionary, data, is_whole, piece, done, home: self.home.clone() };
        self.jobs.send(job).map_err(|_| Stop::ToldTo)?;
        self.send(Event::Piece(compressed))?;
        Ok(said)
    }

    fn end(&mut self) -> Result<u64, Stop> {
        self.tail.clear();
        self.send(Event::EndStream)?;
        Ok(std::mem::take(&mut self.bytes))
    }
}
