//! Making sockets, by a deadline.

use std::io;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::sockopt;

use super::hosts::Address;
use super::target::Keepalive;
use crate::wire::Socket;

/// A socket that is connected to `address`.
///
/// # Errors
/// What the operating system says; the deadline is over.
pub(super) fn connect(
    address: &Address,
    keepalive: Option<Keepalive>,
    user_timeout: Option<Duration>,
    deadline: Option<Instant>,
) -> io::Result<Socket> {
    let left = match deadline.map(|deadline| deadline.saturating_duration_since(Instant::now())) {
        Some(Duration::ZERO) => return Err(io::ErrorKind::TimedOut.into()),
        left => left,
    };
    match address {
        Address::Tcp(address) => {
            let stream = match left {
                Some(left) => TcpStream::connect_timeout(address, left)?,
                None => TcpStream::connect(address)?,
            };
            stream.set_nodelay(true)?;
            set_keepalive(&stream, keepalive)?;
            set_user_timeout(&stream, user_timeout)?;
            Ok(Socket::Tcp(stream))
        }
        address => unix(address, left).map(Socket::Unix),
    }
}

fn set_keepalive(stream: &TcpStream, keepalive: Option<Keepalive>) -> io::Result<()> {
    let Some(keepalive) = keepalive else { return Ok(()) };
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, keepalive.idle)?;
    if let Some(interval) = keepalive.interval {
        sockopt::set_tcp_keepintvl(stream, interval)?;
    }
    if let Some(count) = keepalive.count {
        sockopt::set_tcp_keepcnt(stream, count)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn set_user_timeout(stream: &TcpStream, timeout: Option<Duration>) -> io::Result<()> {
    if let Some(timeout) = timeout {
        sockopt::set_tcp_user_timeout(stream, u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX))?;
    }
    Ok(())
}

/// As with libpq, the parameter has no effect where the operating system knows no such time limit.
#[cfg(not(target_os = "linux"))]
fn set_user_timeout(_: &TcpStream, _: Option<Duration>) -> io::Result<()> {
    Ok(())
}

/// A server that does not accept connections has a queue, and who comes when it is full waits for ever.
#[cfg(target_os = "linux")]
fn unix(address: &Address, left: Option<Duration>) -> io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

    let to = match address {
        Address::Unix(path) => SocketAddrUnix::new(path.as_path())?,
        Address::Abstract(name) => SocketAddrUnix::new_abstract_name(name)?,
        Address::Tcp(_) => return Err(io::ErrorKind::Unsupported.into()),
    };
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, left)?;
    connect(&socket, &to)?;
    Ok(socket.into())
}

#[cfg(not(target_os = "linux"))]
fn unix(address: &Address, _: Option<Duration>) -> io::Result<UnixStream> {
    match address {
        Address::Unix(path) => UnixStream::connect(path),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn options_of_tcp_are_set() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::Tcp(listener.local_addr().unwrap());
        let keepalive = Keepalive { idle: Duration::from_secs(7), interval: None, count: Some(3) };
        for (keepalive, timeout, set) in [(Some(keepalive), Some(5), 5000), (None, None, 0)] {
            let socket = connect(&address, keepalive, timeout.map(Duration::from_secs), None).unwrap();
            let Socket::Tcp(stream) = socket else { panic!("not TCP") };
            assert_eq!(sockopt::tcp_user_timeout(&stream).unwrap(), set);
            assert_eq!(sockopt::socket_keepalive(&stream).unwrap(), keepalive.is_some());
        }
        // The time was over before it began.
        let error = connect(&address, None, None, Some(Instant::now())).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
