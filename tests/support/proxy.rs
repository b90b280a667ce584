//! A proxy between the code under test and a server, which falls silent at a word.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::wait::wait_until;

/// What becomes of new connections once the proxy has fallen silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// They work.
    Work,
    /// They are taken, and nothing is said on them.
    Silent,
    /// They are closed at once.
    Closed,
}

/// When and how the proxy falls silent.
#[derive(Debug, Clone, Copy)]
pub struct Fall {
    /// The words in what the client sends on one connection, one after the other, after which it does.
    pub at: &'static [&'static [u8]],
    /// How many bytes each side gets after that.
    pub after: usize,
    /// What becomes of new connections.
    pub others: Others,
}

#[derive(Debug, Default)]
struct State {
    connections: AtomicUsize,
    is_silent: AtomicBool,
    has_ended: AtomicBool,
}

/// The proxy. Its silent connections last as long as this does: a server that cannot get rid of what it sends keeps
/// others from dropping databases.
pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    /// A proxy before the server at `server` on this host, which falls silent as `fall` says.
    pub fn new(server: u16, fall: Option<Fall>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            let mut kept = Vec::new();
            for client in listener.incoming().map_while(Result::ok) {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let others = fall.filter(|_| shared.is_silent.load(Ordering::SeqCst)).map(|fall| fall.others);
                match others {
                    None | Some(Others::Work) => {
                        // Only the first one to meet the word falls silent.
                        let fall = fall.filter(|_| others.is_none());
                        let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                        let shared = Arc::clone(&shared);
                        thread::spawn(move || pass_on(&client, &server, fall, &shared));
                    }
                    Some(Others::Silent) => kept.push(client),
                    Some(Others::Closed) => {}
                }
            }
        });
        Self { port, state }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// How many connections have come.
    pub fn connections(&self) -> usize {
        self.state.connections.load(Ordering::SeqCst)
    }

    /// Waits until it has fallen silent.
    pub fn wait_for_silence(&self) {
        wait_until("the word", || self.state.is_silent.load(Ordering::SeqCst));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.has_ended.store(true, Ordering::SeqCst);
    }
}

/// Passes on what comes from either side; for ever silent, and deaf, after the fall.
fn pass_on(client: &TcpStream, server: &TcpStream, fall: Option<Fall>, state: &State) {
    for stream in [client, server] {
        stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    }
    let mut buffer = vec![0; 64 * 1024];
    let mut seen: Vec<u8> = Vec::new();
    let mut words = fall.map(|fall| fall.at).unwrap_or_default();
    // What each side still gets after the word.
    let mut left: Option<[usize; 2]> = None;
    loop {
        for (n, (mut from, mut to)) in [(client, server), (server, client)].into_iter().enumerate() {
            let room = left.map_or(buffer.len(), |left| left[n].min(buffer.len()));
            if room == 0 {
                continue;
            }
            let read = match from.read(&mut buffer[..room]) {
                Ok(0) => return,
                Ok(read) => read,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
                Err(_) => return,
            };
            if to.write_all(&buffer[..read]).is_err() {
                return;
            }
            if let Some(left) = &mut left {
                left[n] -= read;
            } else if let Some(fall) = fall.filter(|_| n == 0) {
                seen.extend_from_slice(&buffer[..read]);
                while let Some((word, rest)) = words.split_first() {
                    let Some(at) = seen.windows(word.len()).position(|part| part == *word) else {
                        seen.drain(..seen.len().saturating_sub(word.len()));
                        break;
                    };
                    seen.drain(..at + word.len());
                    words = rest;
                }
                if words.is_empty() {
                    left = Some([fall.after; 2]);
                }
            }
        }
        if left.is_some_and(|left| left.contains(&0)) {
            state.is_silent.store(true, Ordering::SeqCst);
            // Both ends stay open.
            while !state.has_ended.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(10));
            }
            return;
        }
    }
}
