//! Where a server may be: host names, addresses, directories with a socket in them.

use std::ffi::OsStr;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use bstr::{BStr, BString, ByteSlice};

use super::settings::{Settings, bad};
use crate::{Context, Error, ErrorKind, Result};

const PORT: u16 = 5432;
/// Where servers have their sockets: Debian's and Red Hat's packages in the first, PostgreSQL as it comes in the second.
const SOCKET_DIRECTORIES: &[&str] = &["/var/run/postgresql", "/tmp"];

/// One of the hosts to try, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Host {
    /// As it was given; empty for the default.
    name: BString,
    address: Option<IpAddr>,
    pub(super) port: u16,
}

/// Something a socket can be connected to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    Tcp(SocketAddr),
    Unix(PathBuf),
    /// A name in Linux's abstract namespace, which has no file.
    Abstract(Vec<u8>),
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => path.display().fmt(f),
            Self::Abstract(name) => write!(f, "@{}", name.as_bstr()),
        }
    }
}

/// The hosts that settings name.
///
/// # Errors
/// The numbers of hosts, addresses and ports do not go together; a port or an address is none.
pub(super) fn hosts(settings: &Settings) -> Result<Vec<Host>> {
    let list = |name| settings.get(name).map(|v| v.split_str(b",").map(|p| p.trim_ascii()).collect::<Vec<_>>());
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = addresses.as_ref().or(names.as_ref()).map_or(1, Vec::len);
    if names.as_ref().is_some_and(|n| n.len() != count) {
        return Err(bad("host").why("there are not as many hosts as there are in \"hostaddr\""));
    }
    if ports.as_ref().is_some_and(|p| p.len() != count && p.len() != 1) {
        return Err(bad("port").why("there are neither as many ports as hosts nor a single one"));
    }
    (0..count)
        .map(|i| {
            let port =
                ports.as_ref().and_then(|p| p.get(if p.len() == 1 { 0 } else { i })).copied().unwrap_or_default();
            let address = addresses.as_ref().and_then(|a| a.get(i)).copied().unwrap_or_default();
            Ok(Host {
                name: names.as_ref().and_then(|n| n.get(i)).copied().unwrap_or_default().into(),
                address: if address.is_empty() { None } else { Some(parse_address(address)?) },
                port: if port.is_empty() { PORT } else { parse_port(port)? },
            })
        })
        .collect()
}

fn parse_address(text: &[u8]) -> Result<IpAddr> {
    let address = text.to_str().ok().and_then(|t| t.parse().ok());
    address.ok_or_else(|| bad("hostaddr").why(format!("{:?} is not an IP address", text.as_bstr())))
}

fn parse_port(text: &[u8]) -> Result<u16> {
    let port = text.to_str().ok().and_then(|t| t.parse().ok()).filter(|p| *p > 0);
    port.ok_or_else(|| bad("port").why("it is not a number from 1 to 65535"))
}

impl Host {
    /// Whether the host is a socket in a directory, or one without a file.
    pub(super) fn is_local(&self) -> bool {
        self.address.is_none() && (self.name.is_empty() || self.name.starts_with(b"/") || self.name.starts_with(b"@"))
    }

    /// The name that a certificate has to be for.
    pub(super) fn name(&self) -> String {
        match self.address {
            Some(address) if self.name.is_empty() => address.to_string(),
            _ => self.name.to_string(),
        }
    }

    /// The names under which the password file may know the host.
    pub(super) fn names_for_password(&self) -> Vec<BString> {
        let is_default = |name: &BStr| SOCKET_DIRECTORIES.iter().any(|d| name == d);
        match self.name.as_bstr() {
            name if name.is_empty() && self.address.is_none() => vec!["localhost".into()],
            name if name.is_empty() => vec![self.name().into()],
            name if self.is_local() && is_default(name) => vec!["localhost".into(), name.to_owned()],
            name => vec![name.to_owned()],
        }
    }

    /// For messages.
    pub(super) fn describe(&self) -> String {
        match (self.name.is_empty(), self.address) {
            (true, None) => format!("the local socket:{}", self.port),
            (true, Some(address)) => SocketAddr::new(address, self.port).to_string(),
            (false, _) if self.name.contains(&b':') && !self.is_local() => format!("[{}]:{}", self.name, self.port),
            (false, _) => format!("{}:{}", self.name, self.port),
        }
    }

    /// In libpq's words.
    pub(super) fn place(&self) -> String {
        if !self.is_local() {
            return format!("at \"{}\", port {}", self.name(), self.port);
        }
        let file = format!(".s.PGSQL.{}", self.port);
        let is_there = |folder: &&&str| Path::new(folder).join(&file).exists();
        let default =
            SOCKET_DIRECTORIES.iter().find(is_there).or(SOCKET_DIRECTORIES.first()).copied().unwrap_or_default();
        let folder = if self.name.is_empty() { BStr::new(default) } else { self.name.as_bstr() };
        format!("on socket \"{folder}/{file}\"")
    }

    /// The addresses to try, in order; whoever looks up names has until `deadline`.
    ///
    /// # Errors
    /// The name means nothing, or there is no socket in the default directories.
    pub(super) fn addresses(&self, deadline: Option<Instant>) -> Result<Vec<Address>> {
        if let Some(address) = self.address {
            return Ok(vec![Address::Tcp(SocketAddr::new(address, self.port))]);
        }
        let file = format!(".s.PGSQL.{}", self.port);
        if self.name.is_empty() {
            let sockets = SOCKET_DIRECTORIES.iter().map(|d| PathBuf::from(d).join(&file));
            let sockets: Vec<_> = sockets.filter(|s| s.exists()).map(Address::Unix).collect();
            if sockets.is_empty() {
                return Err(Error::new(ErrorKind::Connection, "find the local server")
                    .why(format!("there is no socket {file} in {}", SOCKET_DIRECTORIES.join(" or ")))
                    .hint("name the host: host=localhost, or the directory of the server's socket"));
            }
            return Ok(sockets);
        }
        if let Some(name) = self.name.strip_prefix(b"@") {
            return Ok(vec![Address::Abstract([name, b"/", file.as_bytes()].concat())]);
        }
        if self.name.starts_with(b"/") {
            return Ok(vec![Address::Unix(PathBuf::from(OsStr::from_bytes(&self.name)).join(file))]);
        }
        let doing = || format!("find the address of the host {:?}", self.name);
        let name = self.name.to_str().context(ErrorKind::Usage, doing)?;
        let mut addresses = Vec::new();
        for address in look_up(name, self.port, deadline).context(ErrorKind::Connection, doing)? {
            let address = Address::Tcp(address);
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        if addresses.is_empty() {
            return Err(Error::new(ErrorKind::Connection, doing()).why("it has none"));
        }
        Ok(addresses)
    }
}

/// The addresses of a name. The C library has no deadline for this, so another thread waits for it.
fn look_up(name: &str, port: u16, deadline: Option<Instant>) -> io::Result<Vec<SocketAddr>> {
    let now = |name: &str| (name, port).to_socket_addrs().map(Iterator::collect);
    let Some(deadline) = deadline.filter(|_| name.parse::<IpAddr>().is_err()) else { return now(name) };
    let (tell, told) = mpsc::channel();
    let asked = name.to_owned();
    let look = move || {
        // Nobody listens any more when the time is over.
        let _ = tell.send((asked.as_str(), port).to_socket_addrs().map(Iterator::collect));
    };
    if thread::Builder::new().name("name lookup".into()).spawn(look).is_err() {
        return now(name);
    }
    match told.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(found) => found,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the name service did not answer in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Vec<String>> {
        let mut settings = Settings::default();
        for (name, value) in pairs {
            settings.set(name, *value)?;
        }
        Ok(hosts(&settings)?.iter().map(Host::describe).collect())
    }

    #[test]
    fn lists_of_hosts_and_ports_go_together() {
        assert_eq!(of(&[]).unwrap(), ["the local socket:5432"]);
        assert_eq!(of(&[("host", "a,b"), ("port", "1")]).unwrap(), ["a:1", "b:1"]);
        assert_eq!(of(&[("host", "a,,/s"), ("port", "1,,3")]).unwrap(), ["a:1", "the local socket:5432", "/s:3"]);
        assert_eq!(of(&[("host", "::1"), ("port", "")]).unwrap(), ["[::1]:5432"]);
        assert_eq!(of(&[("hostaddr", "::1,127.0.0.1")]).unwrap(), ["[::1]:5432", "127.0.0.1:5432"]);
        for (pairs, said) in [
            (&[("host", "a,b"), ("port", "1,2,3")][..], "port"),
            (&[("host", "a,b"), ("hostaddr", "::1")][..], "hostaddr"),
            (&[("port", "0")][..], "65535"),
            (&[("port", "65536")][..], "65535"),
            (&[("hostaddr", "localhost")][..], "IP address"),
        ] {
            let error = of(pairs).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn sockets_have_a_file_or_a_name() {
        let address = |host: &str| Host { name: host.into(), address: None, port: 7 }.addresses(None).unwrap();
        assert_eq!(address("/run/x"), [Address::Unix("/run/x/.s.PGSQL.7".into())]);
        assert_eq!(address("@x"), [Address::Abstract(b"x/.s.PGSQL.7".to_vec())]);
        assert_eq!(address("127.0.0.1"), [Address::Tcp("127.0.0.1:7".parse().unwrap())]);
    }

    #[test]
    fn the_password_file_calls_default_sockets_localhost() {
        let names = |host: &str| {
            let host = Host { name: host.into(), address: None, port: 7 };
            host.names_for_password().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let by_address = Host { name: "".into(), address: "::1".parse().ok(), port: 7 };
        assert_eq!(by_address.names_for_password(), ["::1"]);
        assert_eq!(names(""), ["localhost"]);
        assert_eq!(names("/tmp"), ["localhost", "/tmp"]);
        assert_eq!(names("/srv/x"), ["/srv/x"]);
        assert_eq!(names("db"), ["db"]);
    }
}
