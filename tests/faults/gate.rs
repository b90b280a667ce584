//! A place between a backup and its server where statements are held back until the test lets them go.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use crate::support::Database;

/// Passes all messages on, but those that it was made for.
pub struct Gate {
    /// The way to the database through the gate.
    pub url: String,
    held: mpsc::Receiver<Held>,
}

/// A statement that waits to be let go.
pub struct Held {
    /// The number of its connection, from 0, in the order in which they were made.
    pub connection: usize,
    /// The statement.
    pub statement: String,
    go: mpsc::Sender<()>,
}

impl Held {
    /// Sends it on its way.
    pub fn let_go(self) {
        // The connection may be gone; the backup says so itself.
        let _ = self.go.send(());
    }
}

impl Gate {
    /// A gate that holds back the statements for which `is_held` says so, given the number of their connection.
    pub fn before(database: &Database<'_>, is_held: impl Fn(usize, &str) -> bool + Send + Sync + 'static) -> Self {
        let port = database.server().port();
        Self::to(database, move |_| port, is_held)
    }

    /// As [`Gate::before`], where `port` says where each connection leads.
    pub fn to(
        database: &Database<'_>,
        port: impl Fn(usize) -> u16 + Send + 'static,
        is_held: impl Fn(usize, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().port();
        let (send, held) = mpsc::channel();
        let is_held = Arc::new(is_held);
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", port(number))).unwrap();
                let (mut answers, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut answers, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let (send, is_held) = (send.clone(), is_held.clone());
                // It ends when either side does, which the test sees in what the backup says.
                thread::spawn(move || {
                    let its = server.try_clone().unwrap();
                    drop(pass_on(number, client, server, &send, is_held.as_ref()));
                    // Who takes the answers has the connection, too.
                    let _ = its.shutdown(Shutdown::Write);
                });
            }
        });
        Self { url: format!("postgresql://postgres@127.0.0.1:{here}/{}?sslmode=disable", database.name()), held }
    }

    /// The next statement that is held back.
    pub fn next(&self) -> Held {
        self.held.recv_timeout(Duration::from_secs(120)).expect("a statement that is held back")
    }
}

fn pass_on(
    number: usize,
    mut client: TcpStream,
    mut server: TcpStream,
    send: &mpsc::Sender<Held>,
    is_held: &impl Fn(usize, &str) -> bool,
) -> std::io::Result<()> {
    // All messages but the first have their type before their length.
    let mut head = vec![0; 4];
    loop {
        client.read_exact(&mut head)?;
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body)?;
        // A query, or one that is parsed before it is run, under an empty name.
        let statement = match head[0] {
            b'Q' if head.len() == 5 => Some(&body[..]),
            b'P' if head.len() == 5 => body.get(1..),
            _ => None,
        };
        let statement = statement.map(|text| String::from_utf8_lossy(text.split(|b| *b == 0).next().unwrap()));
        if let Some(statement) = statement.filter(|statement| is_held(number, statement)) {
            let (go, gone) = mpsc::channel();
            let held = Held { connection: number, statement: statement.into_owned(), go };
            // A test that has ended waits for nothing.
            if send.send(held).is_ok() {
                let _ = gone.recv();
            }
        }
        server.write_all(&head)?;
        server.write_all(&body)?;
        head.resize(5, 0);
    }
}
