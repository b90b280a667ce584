//! As whom a server on this machine runs (`requirepeer`): whoever may write to the folder of its socket could put up another one.

use bstr::BStr;

use super::environment::user_name;
use crate::wire::Socket;
use crate::{Error, ErrorKind, Result};

/// Checks that the other side of a Unix socket is a process of the user `wanted`. Of a server elsewhere nothing is asked.
///
/// # Errors
/// It is another's, or nobody can tell whose.
pub(super) fn check(socket: &Socket, wanted: &BStr, doing: &str) -> Result<()> {
    let Socket::Unix(stream) = socket else { return Ok(()) };
    let failed = || Error::new(ErrorKind::Connection, doing);
    let uid = uid_of_peer(stream)
        .map_err(|e| failed().why("the user whom the server runs as cannot be found out").source(e))?;
    match user_name(uid) {
        Some(name) if name == wanted => Ok(()),
        Some(name) => Err(failed().why(format!("requirepeer asks for a server of the user {wanted:?}, and this one is of {name:?}"))),
        None => Err(failed()
            .why(format!("requirepeer asks for a server of the user {wanted:?}, and this one is of the user {uid}, whom /etc/passwd does not name"))),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn uid_of_peer(stream: &std::os::unix::net::UnixStream) -> std::io::Result<u32> {
    use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
    Ok(getsockopt(stream, PeerCredentials)?.uid())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn uid_of_peer(_: &std::os::unix::net::UnixStream) -> std::io::Result<u32> {
    Err(std::io::ErrorKind::Unsupported.into())
}
