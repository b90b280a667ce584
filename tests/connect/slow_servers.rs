//! Servers that say something, but never enough: connecting ends all the same. And servers that say too much: it is refused
//! before it fills the memory.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use lifeboat::ErrorKind;

use super::broken_servers::{message, welcome};
use super::target;
use crate::support::{Output, Server, lifeboat, machine};

/// A server that does `talk` on every connection, for as long as the process lasts.
fn server(talk: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let talk = std::sync::Arc::new(talk);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let talk = std::sync::Arc::clone(&talk);
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                if stream.read(&mut buffer).is_ok() {
                    talk(&mut stream);
                }
            });
        }
    });
    port
}

/// Sends `bytes` again and again, with a pause after each.
fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) {
    for part in bytes.chunks(1).cycle() {
        if stream.write_all(part).is_err() {
            return;
        }
        thread::sleep(pause);
    }
}

const SLOWLY: Duration = Duration::from_millis(200);

#[test]
fn connecting_ends_however_slowly_a_server_speaks() {
    let no_password = message(b'R', &[0, 0, 0, 0]);
    let setting = message(b'S', b"a\0b\0");
    let notice = message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0");
    let cases: Vec<(&str, Vec<u8>, Vec<u8>)> = vec![
        ("a long answer to the startup", Vec::new(), message(b'E', &[b'x'; 4000])),
        ("settings without end", no_password.clone(), setting),
        ("notices without end", no_password.clone(), notice),
        ("nothing after the login", no_password, Vec::new()),
    ];
    for (what, first, again) in cases {
        let port = server(move |stream| {
            stream.write_all(&first).unwrap();
            if again.is_empty() {
                thread::sleep(Duration::from_secs(600));
            }
            drip(stream, &again, SLOWLY);
        });
        let error = target(&format!("postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable&connect_timeout=2"))
            .connect()
            .map(drop)
            .unwrap_err();
        assert!(error.kind() == ErrorKind::Connection && error.to_string().contains("in time"), "{what}: {error}");
    }
    // In the middle of the TLS handshake: a record of which there is always more to come.
    let port = server(|stream| {
        stream.write_all(b"S").unwrap();
        stream.write_all(&[0x16, 3, 3, 0x3f, 0xff, 2, 0, 0x3f, 0xfb]).unwrap();
        drip(stream, &[0], SLOWLY);
    });
    for mode in ["require", "prefer"] {
        let error = target(&format!("postgresql://u@127.0.0.1:{port}/d?sslmode={mode}&connect_timeout=2"))
            .connect()
            .map(drop)
            .unwrap_err();
        assert!(error.to_string().contains("in time"), "{mode}: {error}");
    }
}

#[test]
fn deadline_is_that_of_a_host_and_the_next_one_has_its_own() {
    let real = needed!(Server::newest());
    let port = server(|stream| drip(stream, &message(b'S', b"a\0b\0"), SLOWLY));
    let url = format!(
        "host=127.0.0.1,{} port={port},{} user=postgres dbname=postgres sslmode=disable connect_timeout=5",
        real.socket_dir().display(),
        real.port()
    );
    let mut c = target(&url).connect().unwrap();
    // What it had to be done by was the connection alone.
    thread::sleep(Duration::from_millis(5100));
    assert_eq!(c.query("SELECT pg_catalog.pg_sleep(0.1) IS NULL AS slept", &[]).unwrap().len(), 1);
}

#[test]
fn login_that_has_no_end_is_refused() {
    let scram = message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0");
    let password = message(b'R', &[0, 0, 0, 3]);
    let negotiation = message(b'v', &[0, 3, 0, 0, 0, 0, 0, 0]);
    for (first, then, said) in [
        (password.clone(), password, "again and again"),
        (negotiation.clone(), negotiation, "no place"),
        (scram, Vec::new(), "too long to derive"),
        ([message(b'R', &[0, 0, 0, 0]), message(b'K', &[1; 300])].concat(), Vec::new(), "cancel key"),
    ] {
        let port = server(move |stream| {
            stream.write_all(&first).unwrap();
            let mut buffer = [0; 4096];
            if then.is_empty() {
                // The nonce of a SCRAM exchange comes back with more of it.
                let read = stream.read(&mut buffer).unwrap();
                let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
                let nonce = text.rsplit("r=").next().unwrap_or_default();
                let answer = format!("\0\0\0\x0br={nonce}more,s=c2FsdA==,i=4294967295");
                let _ = stream.write_all(&message(b'R', answer.as_bytes()));
            }
            while stream.write_all(&then).is_ok() && stream.read(&mut buffer).unwrap_or(0) > 0 {}
        });
        let error = target(&format!("postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable")).connect().map(drop);
        let error = error.unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
}

/// What `lifeboat backup` says to a server that sends `answer` again and again, after the login, in a process that may take
/// 300 MiB. It must end by itself.
fn flooded(first: Vec<u8>, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> Output {
    let port = server(move |stream| {
        stream.write_all(&first).unwrap();
        let mut buffer = [0; 4096];
        if stream.read(&mut buffer).unwrap_or(0) > 0 {
            answer(stream);
        }
    });
    let binary = lifeboat();
    let mut command = Command::new("prlimit");
    command.arg(format!("--as={0}:{0}", 300 << 20)).arg(binary.get_program()).args(binary.get_args());
    command.args(["backup", "--output", "/dev/null", "--url"]);
    command.arg(format!("postgresql://u:p@127.0.0.1:{port}/d?sslmode=disable&connect_timeout=0"));
    // What an allocator sets aside for threads is none of what is measured here.
    let out = command.env("MALLOC_ARENA_MAX", "1").stdin(Stdio::null()).output().unwrap();
    let out = Output::of("lifeboat backup", out);
    assert_eq!(out.status.signal(), None, "{out}");
    assert_eq!(out.code(), 1, "{out}");
    out
}

#[test]
fn what_a_server_sends_without_end_does_not_fill_the_memory() {
    needed!(machine::prlimit());
    let description = message(b'T', &[b"\0\x01a\0".as_slice(), &[0; 6], &[0, 0, 0, 25], &[0; 8]].concat());
    let row = |len: usize| {
        let value = vec![b'x'; len];
        message(b'D', &[&[0, 1], &u32::try_from(len).unwrap().to_be_bytes()[..], &value].concat())
    };
    let again = |stream: &mut TcpStream, bytes: &[u8]| while stream.write_all(bytes).is_ok() {};

    // Rows of any size; results; a row that has no end.
    for (first, then) in [
        (description.clone(), row(100_000)),
        (description.clone(), message(b'D', &[0, 1, 0xff, 0xff, 0xff, 0xff]).repeat(10_000)),
        ([&description[..], b"D\x3f\xff\xff\xff\0\x01\x3f\xff\xff\xf0"].concat(), vec![b'x'; 1 << 20]),
    ] {
        let out = flooded(welcome(), move |stream| {
            let _ = stream.write_all(&first);
            again(stream, &then);
        });
        let said = ["the result is larger than 1 GiB", "there is no memory left for", "broke the protocol"];
        assert!(said.iter().any(|said| out.stderr().contains(said)), "{out}");
    }
    // Lengths that no message of its type has.
    for (tag, len) in [(b'T', 1_u32 << 30), (b'S', 1 << 30), (b'C', 1 << 30), (b'A', 1 << 30), (b'D', (1 << 30) + 5)] {
        let out = flooded(welcome(), move |stream| {
            let _ = stream.write_all(&[&[tag], &len.to_be_bytes()[..]].concat());
            again(stream, &[0; 65536]);
        });
        assert!(out.stderr().contains("impossible length"), "{}: {out}", char::from(tag));
    }
    // An error of 384 MiB is an error, of which the beginning is kept.
    let long = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"E\x18\0\0\0SFATAL\0VFATAL\0C57P01\0Mlonger and longer ");
        let part = [b'x'; 1 << 20];
        let mut left = 0x1800_0000_usize - 4 - 40;
        while left > 0 && stream.write_all(&part[..part.len().min(left)]).is_ok() {
            left = left.saturating_sub(part.len());
        }
        let _ = stream.write_all(&message(b'Z', b"I"));
        thread::sleep(Duration::from_secs(5));
    };
    let out = flooded(welcome(), long);
    assert!(out.stderr().contains("longer and longer"), "{}", out.stderr().len());
    // Settings, notices and other things that come at any time.
    for junk in [message(b'S', &[&vec![b'a'; 60_000][..], b"\0b\0"].concat()), message(b'N', &[b'M'; 900_000])] {
        let out = flooded(welcome(), move |stream| {
            for _ in 0..(400 << 20) / junk.len() {
                if stream.write_all(&junk).is_err() {
                    return;
                }
            }
        });
        assert!(out.stderr().contains("closed the connection"), "{out}");
    }
}

#[test]
fn long_report_of_a_real_server_is_cut_and_the_connection_goes_on() {
    let server = needed!(Server::newest());
    let mut c = super::session(server);
    let raise = |level: &str| format!("DO $$ BEGIN RAISE {level} '%', repeat('x', 3000000); END $$");
    let error = c.execute(raise("EXCEPTION").as_bytes()).unwrap_err();
    let report = error.server().unwrap();
    assert!(report.is("P0001") && (900_000..1_100_000).contains(&report.message.len()), "{}", report.message.len());
    c.execute(raise("WARNING").as_bytes()).unwrap();
    let notices = c.take_notices();
    assert_eq!(notices.len(), 1);
    assert_eq!(c.query("SELECT 1 AS one", &[]).unwrap().one().unwrap().i32("one").unwrap(), 1);
    // Rows that nobody wants are not kept, whatever their size.
    c.execute(b"SELECT repeat('x', 100000000)").unwrap();
    assert_eq!(c.query("SELECT 1 AS one", &[]).unwrap().len(), 1);
}
