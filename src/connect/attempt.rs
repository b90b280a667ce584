//! The attempts to connect: hosts in order, their addresses in order, with TLS and without.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bstr::{BString, ByteSlice};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use super::certificate::Certificate;
use super::hosts::{Address, Host};
use super::lock_watch::LockProbe;
use super::password_file::{self, FoundPassword};
use super::target::{Keepalive, Target, TargetSessionAttrs};
use super::tls::{PROTOCOL, SslMode, TlsConfig};
use super::watch::ServerProbe;
use super::{peer, socket};
use crate::postgres::settings::time_limits;
use crate::wire::{Channel, Connection, Dial, ServerError, Socket, Startup, sqlstate};
use crate::{Context, Error, ErrorKind, Result};

/// The request for TLS: its length, and a number that no version of the protocol has.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Whether TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encryption {
    Plain,
    IfOffered,
    Must,
}

/// A way to one address of the server.
#[derive(Clone)]
pub(super) struct Route {
    address: Address,
    wish: Encryption,
    tls: Option<(TlsConfig, ServerName<'static>)>,
    keepalive: Option<Keepalive>,
    user_timeout: Option<Duration>,
    peer: Option<BString>,
    must_show: bool,
    what: String,
}

impl Target {
    /// Connects: tries each host, and each of its addresses, until one answers. Each has so much time for all of it, from
    /// finding its address to the server's being ready, however much comes from it meanwhile.
    ///
    /// # Errors
    /// None answers (the error says what each one did), or the first that does refuses. The server's report, where
    /// there is one, can be had from the error.
    pub fn connect(&self) -> Result<Connection> {
        let config = if self.tls.mode == SslMode::Disable || self.hosts.iter().all(Host::is_local) {
            None
        } else {
            Some(self.tls.config()?)
        };
        let wishes: &[TargetSessionAttrs] = if self.wanted == TargetSessionAttrs::PreferStandby {
            &[TargetSessionAttrs::Standby, TargetSessionAttrs::Any]
        } else {
            &[self.wanted]
        };
        let mut failures = Vec::new();
        for &wanted in wishes {
            failures.clear();
            for host in self.in_turn(&self.hosts) {
                let mut deadline = self.deadline();
                let addresses = match host.addresses(deadline) {
                    Ok(addresses) => self.in_turn(&addresses),
                    Err(e) => {
                        failures.push(e);
                        continue;
                    }
                };
                for address in addresses {
                    let result = self.connect_to(&host, address, config.as_ref(), deadline);
                    match result.and_then(|c| suits(c, wanted, &host.describe())) {
                        Ok(mut connection) => {
                            connection.set_deadline(None);
                            return Ok(connection);
                        }
                        Err(e) if is_final(&e) => return Err(e),
                        Err(e) => failures.push(e),
                    }
                    deadline = self.deadline();
                }
            }
        }
        Err(self.all_failed(failures))
    }

    /// In the order in which they are tried.
    fn in_turn<T: Clone>(&self, all: &[T]) -> Vec<T> {
        let mut all = all.to_vec();
        if self.balance {
            fastrand::shuffle(&mut all);
        }
        all
    }

    fn all_failed(&self, mut failures: Vec<Error>) -> Error {
        match failures.pop() {
            Some(only) if failures.is_empty() => only,
            Some(last) => {
                let why: Vec<_> = failures.iter().map(ToString::to_string).collect();
                Error::new(last.kind(), format!("connect to {}", self.describe())).why(why.join("; ")).source(last)
            }
            None => Error::new(ErrorKind::Usage, format!("connect to {}", self.describe())).why("no host is named"),
        }
    }

    /// Until when one address may take.
    fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.connect_timeout?)
    }

    fn connect_to(
        &self,
        host: &Host,
        address: Address,
        config: Option<&TlsConfig>,
        deadline: Option<Instant>,
    ) -> Result<Connection> {
        let what = self.describe_at(&host.describe());
        let tls = match (config, &address) {
            (Some(config), Address::Tcp(_)) => Some((config.clone(), self.server_name(host, &address)?)),
            _ => None,
        };
        let plan: &[Encryption] = match (&tls, self.tls.mode) {
            (None, _) | (_, SslMode::Disable) => &[Encryption::Plain],
            (_, SslMode::Allow) => &[Encryption::Plain, Encryption::Must],
            (_, SslMode::Prefer) => &[Encryption::IfOffered, Encryption::Plain],
            _ => &[Encryption::Must],
        };
        let Self { keepalive, user_timeout, .. } = *self;
        let peer = self.peer.clone();
        let must_show = self.tls.is_own_required();
        let route = Route { address, wish: Encryption::Plain, tls, keepalive, user_timeout, peer, must_show, what };
        let mut first_failure = None;
        for &wish in plan {
            let mut encrypted = false;
            let attempt = self.start(host, Route { wish, ..route.clone() }, deadline, &mut encrypted);
            match attempt {
                Ok(connection) => return Ok(connection),
                Err(e) => {
                    let again = match wish {
                        // A refused password is not tried again here, so that it is never sent in the clear.
                        Encryption::IfOffered => is_tls_failure(&e) || (encrypted && refused_by_rule(&e)),
                        Encryption::Plain => refused_by_rule(&e),
                        Encryption::Must => false,
                    };
                    // Where the second attempt got no further than the first, the first is the one that was meant.
                    let further = e.server().is_some() && !refused_by_rule(&e);
                    let telling = first_failure.take().filter(|_| !further).unwrap_or(e);
                    if !again {
                        return Err(telling);
                    }
                    first_failure = Some(telling);
                }
            }
        }
        Err(first_failure.unwrap_or_else(|| Error::new(ErrorKind::Internal, "connect").why("there was no way to try")))
    }

    fn start(&self, host: &Host, route: Route, deadline: Option<Instant>, encrypted: &mut bool) -> Result<Connection> {
        let channel = route.open(deadline)?;
        *encrypted = channel.is_tls();
        let found = self.find_password(host);
        let startup = Startup {
            password: match &found {
                FoundPassword::Password(password) => Some(password.clone()),
                _ => None,
            },
            application_name: self.application_name.to_vec(),
            options: self.options.to_vec(),
            limits: time_limits,
            channel_binding: self.channel_binding,
            methods: self.methods,
            settings: self.session.clone(),
            tls_server_end_point: channel
                .server_certificate()
                .and_then(Certificate::parse)
                .and_then(|certificate| certificate.end_point()),
            ..Startup::new(route.what.clone(), self.user.to_vec(), self.database.to_vec())
        };
        // A connection is cancelled the way it was made, not by trying out again.
        let dial = Route { wish: if *encrypted { Encryption::Must } else { Encryption::Plain }, ..route };
        let mut connection = match Connection::start(channel, &startup, Arc::new(dial.clone())) {
            Ok(connection) => connection,
            Err(e) => return Err(self.explain(e.into(), &found)),
        };
        if self.idle.is_some() || self.locks.is_some() {
            let patience = self.connect_timeout.unwrap_or(super::target::CONNECT_TIMEOUT);
            let probe = ServerProbe::of(&mut connection, dial, startup, patience)?;
            if let Some(locks) = &self.locks {
                connection.add_watch(locks.after, Arc::new(LockProbe::of(probe.clone(), locks)));
            }
            if let Some(limit) = self.idle {
                connection.add_watch(limit, Arc::new(probe));
            }
        }
        Ok(connection)
    }

    pub(super) fn find_password(&self, host: &Host) -> FoundPassword {
        if let Some(password) = &self.password {
            return FoundPassword::Password(password.0.clone());
        }
        match &self.password_file {
            Some(path) => {
                password_file::look_up(path, &host.names_for_password(), host.port, &self.database, &self.user)
            }
            None => FoundPassword::Nothing,
        }
    }

    /// Adds where the password came from, or why there was none; what shuts a database.
    fn explain(&self, error: Error, found: &FoundPassword) -> Error {
        let is_shut = |report: &ServerError| {
            report.is(sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE)
                && report.message.contains_str("accepting connections")
        };
        if error.server().is_some_and(is_shut) {
            return error.hint(
                "nobody may connect to it (datallowconn): ALTER DATABASE ... ALLOW_CONNECTIONS true, in another database",
            );
        }
        let rejected = error.server().is_some_and(|s| s.is(sqlstate::INVALID_PASSWORD));
        match (found, &self.password_file) {
            (FoundPassword::Unusable(why), _) => error.hint(why.as_str()),
            (FoundPassword::Password(_), Some(path)) if rejected && self.password.is_none() => {
                error.hint(format!("the password came from the password file {}", path.display()))
            }
            _ => error,
        }
    }

    fn server_name(&self, host: &Host, address: &Address) -> Result<ServerName<'static>> {
        let name = host.name();
        match (ServerName::try_from(name.clone()), address) {
            (Ok(name), _) => Ok(name),
            // Without verification of the name it is only a courtesy to the server.
            (Err(_), Address::Tcp(address)) if self.tls.mode < SslMode::VerifyFull => {
                Ok(ServerName::IpAddress(address.ip().into()))
            }
            (Err(e), _) => Err(e).context(ErrorKind::Usage, || format!("verify the host name {name:?}")),
        }
    }
}

impl Route {
    fn doing(&self) -> String {
        format!("connect to {}", self.what)
    }

    fn failed(&self, error: &io::Error) -> Error {
        let why = match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it did not answer in time".to_owned(),
            io::ErrorKind::UnexpectedEof => "it closed the connection at once".to_owned(),
            _ => error.to_string(),
        };
        let error = Error::new(ErrorKind::Connection, self.doing()).why(format!("{}: {why}", self.address));
        match &self.address {
            Address::Tcp(_) => error.hint("is the server running there, and does it accept connections over TCP?"),
            _ => error.hint("is the server running on this host, with its socket there?"),
        }
    }

    pub(super) fn open(&self, deadline: Option<Instant>) -> Result<Channel> {
        let socket = socket::connect(&self.address, self.keepalive, self.user_timeout, deadline);
        let socket = socket.map_err(|e| self.failed(&e))?;
        if let Some(peer) = &self.peer {
            peer::check(&socket, peer.as_bstr(), &self.doing())?;
        }
        let (Some((config, name)), true) = (&self.tls, self.wish != Encryption::Plain) else {
            return self.shown(channel(socket, deadline), false);
        };
        if !config.is_direct() && !self.ask_for_tls(&socket, deadline)? {
            return self.shown(channel(socket, deadline), false);
        }
        let (settings, shown) = config.begin();
        let tls = ClientConnection::new(settings, name.clone())
            .context(ErrorKind::Internal, || format!("{}, with TLS", self.doing()))?;
        let channel = channel(socket, deadline).with_tls(tls).map_err(|e| match e.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => self.failed(&e),
            _ => Error::new(ErrorKind::Connection, self.doing()).source(IncompatibleTls(e.to_string())),
        })?;
        // Or it could be a server of another protocol, to which somebody has led this connection.
        if config.is_direct() && channel.protocol() != Some(PROTOCOL) {
            return Err(Error::new(ErrorKind::Connection, self.doing()).source(IncompatibleTls(
                "the server does not say that what it speaks over TLS is PostgreSQL's protocol, as servers from 17 on do".to_owned(),
            )));
        }
        self.shown(channel, shown.load(Ordering::Relaxed))
    }

    /// The channel, if the server was shown the client's certificate, or need not be.
    fn shown(&self, channel: Channel, is_shown: bool) -> Result<Channel> {
        if is_shown || !self.must_show {
            return Ok(channel);
        }
        Err(Error::new(ErrorKind::Connection, self.doing())
            .why("sslcertmode asks for a server that wants to see a client's certificate, and this one does not"))
    }

    /// Asks the server for TLS; whether it agrees.
    fn ask_for_tls(&self, socket: &Socket, deadline: Option<Instant>) -> Result<bool> {
        // The answer is read byte by byte: what came after it in the clear would have been put there by somebody in
        // between, and would be taken for the server's once TLS is there.
        match socket.ask(&SSL_REQUEST, deadline).map_err(|e| self.failed(&e))? {
            b'S' => Ok(true),
            b'N' if self.wish == Encryption::IfOffered => Ok(false),
            b'N' => Err(Error::new(ErrorKind::Connection, self.doing())
                .why("the server does not offer TLS, and sslmode does not allow to go without")),
            // A server that cannot even tell what it is asked for, or fails before it can.
            _ => Err(Error::new(ErrorKind::Connection, self.doing())
                .source(IncompatibleTls("the server answered the request for TLS with neither yes nor no".to_owned()))),
        }
    }
}

impl Dial for Route {
    fn dial(&self, deadline: Option<Instant>) -> Result<Channel, Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.open(deadline)?)
    }
}

fn channel(socket: Socket, deadline: Option<Instant>) -> Channel {
    let mut channel = Channel::plain(socket);
    channel.set_deadline(deadline);
    channel
}

/// TLS could not be agreed on.
#[derive(Debug)]
struct IncompatibleTls(String);

impl std::fmt::Display for IncompatibleTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TLS failed: {}", self.0)
    }
}

impl std::error::Error for IncompatibleTls {}

fn is_tls_failure(error: &Error) -> bool {
    error.cause::<IncompatibleTls>().is_some()
}

/// Whether the server has no rule that lets this connection in, but may have one for the other kind.
fn refused_by_rule(error: &Error) -> bool {
    error.server().is_some_and(|s| s.is(sqlstate::INVALID_AUTHORIZATION_SPECIFICATION))
}

/// Whether another host cannot help: this one was there and said no. One that is starting up, shutting down, or not of
/// the kind that is wanted has not.
fn is_final(error: &Error) -> bool {
    match error.server() {
        Some(server) => !server.is(sqlstate::CANNOT_CONNECT_NOW) && !server.is(sqlstate::ADMIN_SHUTDOWN),
        None => error.kind() == ErrorKind::Usage || error.kind() == ErrorKind::Internal,
    }
}

/// The connection, if its server is of the kind that is wanted.
fn suits(mut connection: Connection, wanted: TargetSessionAttrs, host: &str) -> Result<Connection> {
    if wanted == TargetSessionAttrs::Any {
        return Ok(connection);
    }
    let rows = connection.query(
        "SELECT pg_catalog.pg_is_in_recovery() AS standby, \
         pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only",
        &[],
    )?;
    let row = rows.one()?;
    let (standby, read_only) = (row.bool("standby")?, row.bool("read_only")?);
    let (fits, kind) = match wanted {
        TargetSessionAttrs::Any | TargetSessionAttrs::PreferStandby => (true, ""),
        TargetSessionAttrs::ReadWrite => (!read_only && !standby, "it is read-only"),
        TargetSessionAttrs::ReadOnly => (read_only || standby, "it is not read-only"),
        TargetSessionAttrs::Primary => (!standby, "it is a standby"),
        TargetSessionAttrs::Standby => (standby, "it is not a standby"),
    };
    if fits {
        return Ok(connection);
    }
    Err(Error::new(ErrorKind::Connection, format!("use the server at {host}")).why(kind))
}
