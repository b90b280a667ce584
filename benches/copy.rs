//! COPY in both directions, by lifeboat's client and by tokio-postgres: rows a second, processor seconds, and their ratio.
//!
//!     cargo bench --bench copy -- postgresql://postgres@127.0.0.1:5432/postgres
//!
//! The tables `lifeboat_bench_…` are made in that database, and dropped.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr)]

use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use lifeboat::wire::{Connection, SessionSettings};
use lifeboat::{Database, Environment, recognise};
use rustix::time::{ClockId, clock_gettime};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

const ROUNDS: usize = 7;
/// What one piece of data is of, out of the server and into it: lifeboat's own size.
const PIECE: usize = 256 * 1024;
/// What the rows are, how many of them, and what one is.
const TABLES: [(&str, u64, &str); 3] = [
    ("narrow", 2_000_000, "g AS a, g % 7 AS b"),
    ("of an application", 500_000, "g AS a, md5(g::text) AS b, now() AS c, 'user' || g || '@example.com' AS d"),
    ("wide", 20_000, "g AS a, repeat(md5(g::text), 320) AS b"),
];

/// What one copy took.
#[derive(Clone, Copy)]
struct Took {
    elapsed: Duration,
    processor: Duration,
}

fn took(work: impl FnOnce()) -> Took {
    let processor = || Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap();
    let (begun, before) = (Instant::now(), processor());
    work();
    Took { elapsed: begun.elapsed(), processor: processor() - before }
}

/// The same work by both clients.
struct Clients {
    ours: Connection,
    theirs: Client,
    runtime: Runtime,
}

impl Clients {
    fn connect(url: &str) -> Self {
        let Database::Postgres(target) = recognise(url.as_bytes(), &Environment::empty()).unwrap() else {
            unreachable!("{url:?} is not the URL of a PostgreSQL database");
        };
        let mut ours = target.connect().unwrap();
        ours.set_up(&SessionSettings::default()).unwrap();
        // One thread, as ours has: with more, a task of its own would take the messages on another processor.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (theirs, connection) = runtime.block_on(tokio_postgres::connect(url, NoTls)).unwrap();
        runtime.spawn(async { connection.await.unwrap() });
        Self { ours, theirs, runtime }
    }

    fn sql(&mut self, sql: &str) {
        self.runtime.block_on(self.theirs.batch_execute(sql)).unwrap();
    }

    /// The number of bytes.
    fn out_by_ours(&mut self, sql: &str) -> usize {
        let (mut bytes, mut piece) = (0, Vec::new());
        let mut copy = self.ours.copy_out(sql.as_bytes()).unwrap();
        while copy.fill(&mut piece, PIECE).unwrap() {
            bytes += hand_on(&mut piece);
        }
        bytes + hand_on(&mut piece)
    }

    /// The number of bytes.
    fn out_by_theirs(&mut self, sql: &str) -> usize {
        let (mut bytes, mut piece) = (0, Vec::new());
        self.runtime.block_on(async {
            let mut copy = pin!(self.theirs.copy_out(sql).await.unwrap());
            while let Some(row) = copy.try_next().await.unwrap() {
                piece.extend_from_slice(&row);
                if piece.len() >= PIECE {
                    bytes += hand_on(&mut piece);
                }
            }
        });
        bytes + hand_on(&mut piece)
    }

    fn in_by_ours(&mut self, sql: &str, data: &[Bytes]) -> u64 {
        let mut copy = self.ours.foreign().unwrap().copy_in(sql.as_bytes()).unwrap();
        for piece in data {
            copy.send(piece).unwrap();
        }
        copy.finish().unwrap()
    }

    fn in_by_theirs(&mut self, sql: &str, data: &[Bytes]) -> u64 {
        self.runtime.block_on(async {
            let mut copy = pin!(self.theirs.copy_in(sql).await.unwrap());
            for piece in data {
                copy.feed(piece.clone()).await.unwrap();
            }
            copy.finish().await.unwrap()
        })
    }
}

/// A piece goes where pieces go, and its buffer is used again.
fn hand_on(piece: &mut Vec<u8>) -> usize {
    let len = std::hint::black_box(&*piece).len();
    piece.clear();
    len
}

/// Prints the medians of both sides and the ratio of ours to theirs.
fn report(what: &str, rows: u64, ours: &mut [Took], theirs: &mut [Took]) {
    let [ours, theirs] = [ours, theirs].map(|side| {
        let mut median = |of: fn(&Took) -> Duration| {
            side.sort_by_key(of);
            of(&side[side.len() / 2]).as_secs_f64()
        };
        (rows as f64 / median(|took| took.elapsed), median(|took| took.processor))
    });
    println!(
        "{what:24} {:>12.0} {:>12.0} {:>6.2} {:>10.3} {:>10.3} {:>6.2}",
        ours.0,
        theirs.0,
        ours.0 / theirs.0,
        ours.1,
        theirs.1,
        ours.1 / theirs.1
    );
}

fn main() {
    let url = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let url = url.unwrap_or_else(|| "postgresql://postgres@127.0.0.1:5432/postgres".to_owned());
    let mut clients = Clients::connect(&url);
    println!(
        "{:24} {:>12} {:>12} {:>6} {:>10} {:>10} {:>6}",
        "", "rows/s", "tokio", "ratio", "CPU s", "tokio", "ratio"
    );
    for (what, rows, columns) in TABLES {
        clients.sql(&format!(
            "DROP TABLE IF EXISTS public.lifeboat_bench_from, public.lifeboat_bench_to; \
             CREATE UNLOGGED TABLE public.lifeboat_bench_from AS SELECT {columns} FROM generate_series(1, {rows}) g; \
             CREATE UNLOGGED TABLE public.lifeboat_bench_to (LIKE public.lifeboat_bench_from)"
        ));
        measure(&mut clients, what, rows);
    }
    clients.sql("DROP TABLE public.lifeboat_bench_from, public.lifeboat_bench_to");
}

fn measure(clients: &mut Clients, what: &str, rows: u64) {
    let out = "COPY public.lifeboat_bench_from TO STDOUT";
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut bytes = [0, 0];
        ours.push(took(|| bytes[0] = clients.out_by_ours(out)));
        theirs.push(took(|| bytes[1] = clients.out_by_theirs(out)));
        assert_eq!(bytes[0], bytes[1]);
    }
    report(&format!("out, {what}"), rows, &mut ours, &mut theirs);

    let data = pieces(clients, out);
    let into = "COPY public.lifeboat_bench_to FROM STDIN";
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        clients.sql("TRUNCATE public.lifeboat_bench_to");
        ours.push(took(|| assert_eq!(clients.in_by_ours(into, &data), rows)));
        clients.sql("TRUNCATE public.lifeboat_bench_to");
        theirs.push(took(|| assert_eq!(clients.in_by_theirs(into, &data), rows)));
    }
    report(&format!("in, {what}"), rows, &mut ours, &mut theirs);
}

/// The data of a table, in the pieces in which they are sent.
fn pieces(clients: &mut Clients, sql: &str) -> Vec<Bytes> {
    let mut copy = clients.ours.copy_out(sql.as_bytes()).unwrap();
    let mut pieces = Vec::new();
    loop {
        let mut piece = Vec::new();
        let more = copy.fill(&mut piece, PIECE).unwrap();
        pieces.push(Bytes::from(piece));
        if !more {
            return pieces;
        }
    }
}
