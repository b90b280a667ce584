//! Servers that go away, stay silent, or do not speak the protocol.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread::JoinHandle;

use lifeboat::ErrorKind;
use lifeboat::wire::Connection;

use super::target;

/// A server for one connection: says `hello` after the startup packet, then `answer` after the next message.
struct Fake {
    port: u16,
    thread: JoinHandle<()>,
}

pub(super) fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &len.to_be_bytes()[..], body].concat()
}

/// What a server says that lets everybody in.
pub(super) fn welcome() -> Vec<u8> {
    [
        message(b'R', &[0, 0, 0, 0]),
        message(b'S', b"server_version\x0017.1\0"),
        message(b'K', &[0, 0, 0, 1, 0, 0, 0, 2]),
        message(b'Z', b"I"),
    ]
    .concat()
}

fn fake(hello: Vec<u8>, answer: Vec<u8>) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 4096];
        let mut talk = |stream: &mut TcpStream, what: &[u8]| {
            if stream.read(&mut buffer).unwrap_or(0) > 0 {
                let _ = stream.write_all(what);
            }
        };
        talk(&mut stream, &hello);
        if !answer.is_empty() {
            talk(&mut stream, &answer);
        }
        let _ = stream.shutdown(Shutdown::Write);
        while stream.read(&mut buffer).unwrap_or(0) > 0 {}
    });
    Fake { port, thread }
}

impl Fake {
    fn connect(&self, parameters: &str) -> lifeboat::Result<Connection> {
        target(&format!("postgresql://u:geheim@127.0.0.1:{}/d?{parameters}", self.port)).connect()
    }

    fn end(self) {
        self.thread.join().unwrap();
    }
}

#[test]
fn what_is_no_server_is_told_apart_while_connecting() {
    for (hello, said) in [
        (Vec::new(), "closed the connection"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "impossible length"),
        (message(b'R', &[0, 0, 0, 0])[..5].to_vec(), "closed the connection"),
        (b"R\0\0\0\x03".to_vec(), "impossible length"),
        (b"R\x7f\xff\xff\xff".to_vec(), "impossible length"),
        (b"E\xff\xff\xff\xff".to_vec(), "impossible length"),
        (message(b'D', &[0, 0]), "no place"),
        (message(b'R', &[0]), "without a method"),
        (message(b'R', &[0, 0, 0, 5, 1]), "without salt"),
        (message(b'R', &[0, 0, 0, 7]), "GSSAPI"),
        (message(b'R', b"\0\0\0\x0aOAUTHBEARER\0\0"), "unknown SASL mechanisms: OAUTHBEARER"),
        (message(b'R', &[0, 0, 0, 99]), "99"),
        (message(b'R', b"\0\0\0\x0aMAGIC\0\0"), "MAGIC"),
        ([message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"), message(b'R', &[0, 0, 0, 0])].concat(), "out of order"),
        ([message(b'R', &[0, 0, 0, 0]), message(b'Z', b"I")].concat(), "version"),
        ([message(b'R', &[0, 0, 0, 0]), message(b'K', &[1])].concat(), "cancel key"),
    ] {
        let server = fake(hello.clone(), Vec::new());
        let error = server.connect("sslmode=disable").map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert!(error.to_string().contains(said), "{hello:?}: {error}");
        assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
        server.end();
    }
}

#[test]
fn a_scram_server_that_does_not_know_the_password_is_not_believed() {
    // It lets everybody in without having proved anything.
    let hello = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let server = fake(hello, [message(b'R', b"\0\0\0\x0bnonsense"), welcome()].concat());
    let error = server.connect("sslmode=disable").map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
    server.end();
}

#[test]
fn an_answer_that_makes_no_sense_is_an_error_and_ends_the_connection() {
    let row = message(b'D', &[0, 1, 0, 0, 0, 1, b'x']);
    let description = message(b'T', &[b"\0\x01a\0".as_slice(), &[0; 6], &[0, 0, 0, 25], &[0; 8]].concat());
    for (answer, said) in [
        (Vec::new(), "closed the connection"),
        (message(b'Z', b"I")[..3].to_vec(), "closed the connection"),
        (message(b'?', b""), "no place"),
        (b"D\0\0\0\x01".to_vec(), "impossible length"),
        (row.clone(), "without a description"),
        (message(b'T', b"\0\x02a\0"), "cut short"),
        ([description.clone(), message(b'D', &[0, 2, 0, 0, 0, 0, 0, 0, 0, 0])].concat(), "broke the protocol"),
        ([description.clone(), message(b'D', &[0, 1, 0, 0, 0, 9, b'x'])].concat(), "broke the protocol"),
        ([description.clone(), message(b'D', &[0, 1, 0x7f, 0xff, 0xff, 0xff])].concat(), "broke the protocol"),
        ([description, row].concat(), "closed the connection"),
    ] {
        let server = fake(welcome(), answer.clone());
        let mut c = server.connect("sslmode=disable").unwrap();
        assert_eq!(c.server_version(), 170_001);
        let error = c.query("SELECT 1", &[]).unwrap_err();
        assert!(error.to_string().contains(said), "{answer:?}: {error}");
        drop(c);
        server.end();
    }
}

#[test]
fn a_copy_that_breaks_off_is_an_error() {
    let start = message(b'H', &[0, 0, 1, 0, 0]);
    for (rest, said) in [
        (message(b'd', b"row\n"), "closed the connection"),
        (message(b'd', b"row\n")[..7].to_vec(), "closed the connection"),
        (b"d\0\0\0\x02".to_vec(), "impossible length"),
        (message(b'Z', b"I"), "no place"),
        (message(b'c', b""), "closed the connection"),
        ([message(b'd', b"row\n"), message(b'E', b"SFATAL\0VFATAL\0C57P01\0Mgone\0\0")].concat(), "gone"),
    ] {
        let server = fake(welcome(), [start.clone(), rest.clone()].concat());
        let mut c = server.connect("sslmode=disable").unwrap();
        let mut copy = c.copy_out(b"COPY t TO STDOUT").unwrap();
        let mut data = Vec::new();
        let error = loop {
            match copy.fill(&mut data, 1) {
                Ok(true) => {}
                Ok(false) => panic!("{rest:?} is taken for the end"),
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains(said), "{rest:?}: {error}");
        drop(copy);
        assert!(c.is_broken());
        drop(c);
        server.end();
    }
}

#[test]
fn a_server_that_says_neither_yes_nor_no_to_tls_is_refused() {
    let server = fake(b"E".to_vec(), Vec::new());
    let error = server.connect("sslmode=require").map(drop).unwrap_err();
    assert!(error.to_string().contains("neither yes nor no"), "{error}");
    server.end();
    // What is in the clear behind the yes is not taken for what the server says after it.
    let server = fake([b"S".to_vec(), welcome()].concat(), Vec::new());
    let error = server.connect("sslmode=require").map(drop).unwrap_err();
    assert!(error.to_string().contains("TLS failed"), "{error}");
    server.end();
}

#[test]
fn where_tls_fails_preferring_it_goes_on_in_the_clear_and_requiring_it_does_not() {
    for (mode, attempts) in [("prefer", 2), ("require", 1)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgresql://u@127.0.0.1:{}/d?sslmode={mode}", listener.local_addr().unwrap().port());
        let server = std::thread::spawn(move || {
            for says in [b"S no TLS follows".to_vec(), welcome()].into_iter().take(attempts) {
                let (mut stream, _) = listener.accept().unwrap();
                assert!(stream.read(&mut [0; 4096]).unwrap() > 0);
                stream.write_all(&says).unwrap();
                let _ = stream.shutdown(Shutdown::Write);
                while stream.read(&mut [0; 4096]).unwrap_or(0) > 0 {}
            }
        });
        let connected = target(&url).connect().map(drop);
        server.join().unwrap();
        match attempts {
            2 => connected.unwrap(),
            _ => assert!(connected.unwrap_err().to_string().contains("TLS failed")),
        }
    }
}

#[test]
fn a_silent_server_is_given_up_after_the_time_that_was_set() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    for mode in ["disable", "prefer"] {
        let error = target(&format!("postgresql://u@127.0.0.1:{port}/d?connect_timeout=2&sslmode={mode}"))
            .connect()
            .map(drop)
            .unwrap_err();
        assert!(error.kind() == ErrorKind::Connection && error.to_string().contains("in time"), "{error}");
    }
}
