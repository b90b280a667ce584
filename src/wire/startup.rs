//! From a fresh channel to a session: the startup packet and authentication.

use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};

use super::cancel::Dial;
use super::channel::Channel;
use super::connection::Connection;
use super::frame::{self, Fields};
use crate::{Context, Error, ErrorKind, Result};

/// Whether a SCRAM exchange is tied to the TLS connection that it goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always: any other way to log in is refused.
    Require,
}

/// What a session is started with.
#[derive(Clone)]
pub struct Startup {
    /// What is connected to, for messages, worded to follow "connect to": the database, the server, the user.
    pub peer: String,
    /// The role to log in as.
    pub user: Vec<u8>,
    /// The database to connect to.
    pub database: Vec<u8>,
    /// The password, if there is one.
    pub password: Option<Vec<u8>>,
    /// What the server lists this connection as.
    pub application_name: Vec<u8>,
    /// Settings in the form of the server's command line: `-c name=value`.
    pub options: Vec<u8>,
    /// Whether SCRAM is tied to TLS.
    pub channel_binding: ChannelBinding,
    /// The binding data of the server's certificate, if TLS is used and its signature algorithm has a hash.
    pub tls_server_end_point: Option<Vec<u8>>,
}

/// Deriving the key of a SCRAM exchange takes so many rounds, which the server chooses: usually 4,096. More than these would
/// keep a processor busy for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;
/// The longest key for cancelling that the protocol knows.
const CANCEL_KEY: usize = 256;

const WAYS_TO_LOG_IN: &str = "supported are trust, peer, client certificates, password, md5 and scram-sha-256";

/// A login in progress.
struct Login<'a> {
    startup: &'a Startup,
    doing: String,
}

impl Connection {
    /// Starts a session over `channel`. `dial` opens further channels of the same kind, for cancelling.
    ///
    /// # Errors
    /// The server refuses (its report can be had from the error), wants a way to log in that is not known, does not
    /// prove that it knows the password, or goes away.
    pub fn start(channel: Channel, startup: &Startup, dial: Arc<dyn Dial>) -> Result<Self> {
        let mut connection = Self::over(channel, dial);
        let login = Login { startup, doing: format!("connect to {}", startup.peer) };
        connection.send_startup(&login)?;
        connection.authenticate(&login)?;
        connection.finish_startup(&login.doing)?;
        Ok(connection)
    }

    fn send_startup(&mut self, login: &Login<'_>) -> Result<()> {
        let startup = login.startup;
        let fields: [(&str, &[u8]); 4] = [
            ("user", &startup.user),
            ("database", &startup.database),
            ("application_name", &startup.application_name),
            ("options", &startup.options),
        ];
        for (name, value) in fields {
            frame::check_zero(name, value)?;
        }
        frame::body(&mut self.out, |out| {
            out.extend_from_slice(&0x0003_0000_i32.to_be_bytes());
            for (name, value) in fields {
                if !value.is_empty() {
                    frame::cstr(out, name.as_bytes());
                    frame::cstr(out, value);
                }
            }
            out.push(0);
        })?;
        self.flush(&login.doing)
    }

    fn authenticate(&mut self, login: &Login<'_>) -> Result<()> {
        let Login { startup, doing } = login;
        let mut bound = false;
        let (mut has_proved, mut has_negotiated) = (false, false);
        loop {
            let message = self.next(doing)?;
            match message.tag {
                b'E' => return Err(self.server_error(&message, doing)),
                // Which minor version of the protocol, and which of its options the server takes: none was asked for.
                b'v' if !has_negotiated => {
                    has_negotiated = true;
                    continue;
                }
                b'R' => {}
                tag => return Err(self.unexpected(tag, doing)),
            }
            let body = self.body(&message).to_vec();
            let mut fields = Fields(&body);
            let Some(method) = fields.i32() else {
                return Err(self.confused(doing, "a login request without a method"));
            };
            if startup.channel_binding == ChannelBinding::Require && !bound && method != 10 {
                self.mark_broken("channel binding was required");
                return Err(Error::new(ErrorKind::Connection, doing.to_owned())
                    .why("channel binding is required, and the server lets log in without it")
                    .hint("channel binding needs TLS and a password of the kind scram-sha-256; or say channel_binding=prefer"));
            }
            if method != 0 && std::mem::replace(&mut has_proved, true) {
                return Err(self.confused(doing, "it asks to log in again and again"));
            }
            match method {
                0 => return Ok(()),
                3 => {
                    let password = self.password(login)?;
                    self.send_password(password, doing)?;
                }
                5 => {
                    let Some(salt) = fields.bytes(4).and_then(|s| s.try_into().ok()) else {
                        return Err(self.confused(doing, "a request for an MD5 password without salt"));
                    };
                    let password = self.password(login)?;
                    let hash = md5_hash(&startup.user, password, salt);
                    self.send_password(hash.as_bytes(), doing)?;
                }
                10 => {
                    self.scram(login, fields.0)?;
                    bound = true;
                }
                other => {
                    let name = match other {
                        2 => "Kerberos V5",
                        6 => "SCM credentials",
                        7 | 8 => "GSSAPI",
                        9 => "SSPI",
                        _ => "an unknown one",
                    };
                    self.mark_broken("unsupported authentication");
                    return Err(Error::new(ErrorKind::Connection, doing.to_owned())
                        .why(format!(
                            "the server asks for a way to authenticate that is not supported: {name} ({other})"
                        ))
                        .hint(WAYS_TO_LOG_IN));
                }
            }
        }
    }

    fn password<'a>(&mut self, login: &Login<'a>) -> Result<&'a [u8]> {
        match &login.startup.password {
            Some(password) if !password.is_empty() => Ok(password),
            _ => {
                self.mark_broken("no password was given");
                Err(Error::new(ErrorKind::Connection, login.doing.as_str())
                    .why("the server asks for a password, and none was given")
                    .hint("put it into the password file (~/.pgpass), PGPASSWORD or the URL"))
            }
        }
    }

    fn send_password(&mut self, password: &[u8], doing: &str) -> Result<()> {
        frame::check_zero("the password", password)?;
        frame::message(&mut self.out, b'p', |out| frame::cstr(out, password))?;
        self.flush(doing)
    }

    fn scram(&mut self, login: &Login<'_>, offered: &[u8]) -> Result<()> {
        let Login { startup, doing } = login;
        let offers = |name: &str| offered.split_str(b"\0").any(|m| m == name.as_bytes());
        let (plain, plus) = (offers(SCRAM_SHA_256), offers(SCRAM_SHA_256_PLUS));
        let binding =
            startup.tls_server_end_point.as_ref().filter(|_| startup.channel_binding != ChannelBinding::Disable);
        let (mechanism, binding) = match binding {
            Some(data) if plus => (SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(data.clone())),
            _ if startup.channel_binding == ChannelBinding::Require => {
                self.mark_broken("channel binding was required");
                return Err(Error::new(ErrorKind::Connection, doing.to_owned())
                    .why("channel binding is required, and not possible on this connection")
                    .hint("channel binding needs TLS; or say channel_binding=prefer"));
            }
            // Tells a server that does offer binding that somebody in between has hidden the offer.
            Some(_) if plain => (SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
            None if plain => (SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
            _ => {
                self.mark_broken("unsupported authentication");
                return Err(Error::new(ErrorKind::Connection, doing.to_owned())
                    .why(format!(
                        "the server offers only unknown SASL mechanisms: {}",
                        offered.replace(b"\0", b" ").as_bstr().trim_ascii().as_bstr()
                    ))
                    .hint(WAYS_TO_LOG_IN));
            }
        };
        let mut scram = ScramSha256::new(self.password(login)?, binding);
        let first = scram.message().to_vec();
        frame::message(&mut self.out, b'p', |out| {
            frame::cstr(out, mechanism.as_bytes());
            out.extend_from_slice(&(first.len() as i32).to_be_bytes());
            out.extend_from_slice(&first);
        })?;
        self.flush(doing)?;

        let body = self.sasl_step(11, doing)?;
        if iterations(&body).is_some_and(|n| n > MOST_ITERATIONS) {
            return Err(self.confused(doing, "it asks for a key that would take too long to derive"));
        }
        scram.update(&body).context(ErrorKind::Connection, || doing.as_str())?;
        let answer = scram.message().to_vec();
        frame::message(&mut self.out, b'p', |out| out.extend_from_slice(&answer))?;
        self.flush(doing)?;

        let body = self.sasl_step(12, doing)?;
        scram.finish(&body).map_err(|e| {
            Error::new(ErrorKind::Connection, doing.to_owned())
                .why("the server did not prove that it knows the password: it may be another server than the one meant")
                .source(e)
        })
    }

    fn sasl_step(&mut self, expected: i32, doing: &str) -> Result<Vec<u8>> {
        let message = self.next(doing)?;
        match message.tag {
            b'E' => return Err(self.server_error(&message, doing)),
            b'R' => {}
            tag => return Err(self.unexpected(tag, doing)),
        }
        let mut fields = Fields(self.body(&message));
        match fields.i32() {
            Some(method) if method == expected => Ok(fields.0.to_vec()),
            _ => Err(self.confused(doing, "a SASL exchange out of order")),
        }
    }

    fn finish_startup(&mut self, doing: &str) -> Result<()> {
        loop {
            let message = self.next(doing)?;
            match message.tag {
                b'E' => return Err(self.server_error(&message, doing)),
                b'K' => {
                    let mut fields = Fields(self.body(&message));
                    let (pid, key) = (fields.i32(), fields.0.to_vec());
                    let Some(pid) = pid.filter(|_| key.len() <= CANCEL_KEY) else {
                        return Err(self.confused(doing, "a cancel key that is none"));
                    };
                    self.state.pid = pid;
                    self.state.key = key;
                }
                b'Z' => {
                    self.ready(&message);
                    break;
                }
                tag => return Err(self.unexpected(tag, doing)),
            }
        }
        let version = self.parameter("server_version").map(BStr::to_owned);
        match version.as_ref().and_then(|v| parse_version(v)) {
            Some(number) => {
                self.state.version = number;
                Ok(())
            }
            None => Err(Error::new(ErrorKind::Connection, doing.to_owned()).why(match version {
                Some(text) => format!("the server's version is not understood: {text:?}"),
                None => "the server does not tell its version".to_owned(),
            })),
        }
    }
}

/// How many rounds a server's first message of a SCRAM exchange asks for; `None` if it does not say, which is found out later.
fn iterations(first: &[u8]) -> Option<u32> {
    let value = first.split(|byte| *byte == b',').find_map(|part| part.strip_prefix(b"i="))?;
    // A number that is none is refused by whoever reads on; one that is too large is too large.
    let digits = value.iter().all(u8::is_ascii_digit).then(|| value.to_str().ok()).flatten()?;
    Some(digits.parse().unwrap_or(u32::MAX))
}

/// 13.23 → 130023; 18beta1 → 180000; 9.6.24 → 90624.
fn parse_version(text: &[u8]) -> Option<i32> {
    let mut numbers = Vec::new();
    let mut rest = text;
    loop {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        if digits == 0 {
            break;
        }
        numbers.push(rest[..digits].to_str().ok()?.parse::<i32>().ok().filter(|n| *n < 10_000)?);
        rest = &rest[digits..];
        match rest.split_first() {
            Some((b'.', after)) => rest = after,
            _ => break,
        }
    }
    let part = |i: usize| numbers.get(i).copied().unwrap_or(0);
    match *numbers.first()? {
        0 => None,
        major @ 1..10 => Some(major * 10_000 + part(1).min(99) * 100 + part(2).min(99)),
        major => Some(major * 10_000 + part(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_of_every_form_become_numbers() {
        for (text, number) in [
            ("13.23", Some(130_023)),
            ("18beta1", Some(180_000)),
            ("18devel", Some(180_000)),
            ("19rc2", Some(190_000)),
            ("16.4 (Debian 16.4-1.pgdg120+1)", Some(160_004)),
            ("10.23", Some(100_023)),
            ("9.6.24", Some(90_624)),
            ("9.6", Some(90_600)),
            ("", None),
            ("pgbouncer", None),
            ("99999999999", None),
            ("0.1", None),
        ] {
            assert_eq!(parse_version(text.as_bytes()), number, "{text:?}");
        }
    }
}
