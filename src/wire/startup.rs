//! From a fresh channel to a session: the startup packet and authentication.

use std::sync::Arc;

use bstr::{BStr, ByteSlice};
use bytes::{Buf, BufMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{self, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};
use postgres_protocol::message::frontend;

use super::cancel::Dial;
use super::channel::Channel;
use super::connection::Connection;
use super::error::{Error, Login, Result, Why};
use super::frame;
use super::methods::Methods;

/// Whether a SCRAM exchange is tied to the TLS connection that it goes through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
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
#[non_exhaustive]
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
    /// The names of the settings by which a server of a version (18.6 is 180006) limits the time of statements and transactions,
    /// the one that must be gone first at the front: a connection takes these limits away.
    pub limits: fn(i32) -> &'static [&'static str],
    /// Whether SCRAM is tied to TLS.
    pub channel_binding: ChannelBinding,
    /// How the server may have this side log in.
    pub methods: Methods,
    /// Settings that the session begins with, by their names.
    pub settings: Vec<(&'static str, Vec<u8>)>,
    /// The binding data of the server's certificate, if TLS is used and its signature algorithm has a hash.
    pub tls_server_end_point: Option<Vec<u8>>,
}

impl Startup {
    /// A session of this role in this database, of which nothing else is said yet.
    pub fn new(peer: String, user: Vec<u8>, database: Vec<u8>) -> Self {
        Self {
            peer,
            user,
            database,
            password: None,
            application_name: Vec::new(),
            options: Vec::new(),
            limits: |_| &[],
            channel_binding: ChannelBinding::default(),
            methods: Methods::default(),
            settings: Vec::new(),
            tls_server_end_point: None,
        }
    }
}

/// Deriving the key of a SCRAM exchange takes so many rounds, which the server chooses: usually 4,096. More than these would
/// keep a processor busy for minutes.
const MOST_ITERATIONS: u32 = 10_000_000;

/// A login in progress.
struct Attempt<'a> {
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
        let login = Attempt { startup, doing: format!("connect to {}", startup.peer) };
        connection.send_startup(&login)?;
        connection.authenticate(&login)?;
        connection.finish_startup(&login)?;
        Ok(connection)
    }

    fn send_startup(&mut self, login: &Attempt<'_>) -> Result<()> {
        let startup = login.startup;
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("user", &startup.user),
            ("database", &startup.database),
            ("application_name", &startup.application_name),
            ("options", &startup.options),
        ];
        fields.extend(startup.settings.iter().map(|(name, value)| (*name, value.as_slice())));
        for (name, value) in &fields {
            frame::check_zero(name, value)?;
        }
        frame::body(&mut self.out, |out| {
            out.put_i32(0x0003_0000);
            for (name, value) in &fields {
                if !value.is_empty() {
                    frame::put_cstr(out, name.as_bytes());
                    frame::put_cstr(out, value);
                }
            }
            out.put_u8(0);
        })?;
        self.flush(&login.doing)
    }

    fn authenticate(&mut self, login: &Attempt<'_>) -> Result<()> {
        let Attempt { startup, doing } = login;
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
            let mut fields = body.as_slice();
            let Ok(method) = fields.try_get_i32() else {
                return Err(self.confused(doing, "a login request without a method"));
            };
            if startup.channel_binding == ChannelBinding::Require && !bound && method != 10 {
                self.mark_broken("channel binding was required");
                return Err(Error::new(doing, Why::Login(Login::Unbound)));
            }
            // Said at the end of every other method, too.
            if (method != 0 || !has_proved) && !startup.methods.allow(method) {
                self.mark_broken("the method is not allowed");
                return Err(Error::new(doing, Why::Login(Login::Forbidden(Methods::name(method)))));
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
                    let Some(salt) = fields.try_get_u32().ok().map(u32::to_be_bytes) else {
                        return Err(self.confused(doing, "a request for an MD5 password without salt"));
                    };
                    let password = self.password(login)?;
                    let hash = md5_hash(&startup.user, password, salt);
                    self.send_password(hash.as_bytes(), doing)?;
                }
                10 => {
                    self.scram(login, fields)?;
                    bound = true;
                }
                other => {
                    self.mark_broken("unsupported authentication");
                    return Err(Error::new(doing, Why::Login(Login::Method(other))));
                }
            }
        }
    }

    fn password<'a>(&mut self, login: &Attempt<'a>) -> Result<&'a [u8]> {
        match &login.startup.password {
            Some(password) if !password.is_empty() => Ok(password),
            _ => {
                self.mark_broken("no password was given");
                Err(Error::new(&login.doing, Why::Login(Login::NoPassword)))
            }
        }
    }

    fn send_password(&mut self, password: &[u8], doing: &str) -> Result<()> {
        frame::check_zero("the password", password)?;
        frame::appended(frontend::password_message(password, &mut self.out))?;
        self.flush(doing)
    }

    fn scram(&mut self, login: &Attempt<'_>, offered: &[u8]) -> Result<()> {
        let Attempt { startup, doing } = login;
        let offers = |name: &str| offered.split_str(b"\0").any(|m| m == name.as_bytes());
        let (plain, plus) = (offers(SCRAM_SHA_256), offers(SCRAM_SHA_256_PLUS));
        let binding =
            startup.tls_server_end_point.as_ref().filter(|_| startup.channel_binding != ChannelBinding::Disable);
        let (mechanism, binding) = match binding {
            Some(data) if plus => (SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(data.clone())),
            _ if startup.channel_binding == ChannelBinding::Require => {
                self.mark_broken("channel binding was required");
                return Err(Error::new(doing, Why::Login(Login::Unbindable)));
            }
            // Tells a server that does offer binding that somebody in between has hidden the offer.
            Some(_) if plain => (SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
            None if plain => (SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
            _ => {
                self.mark_broken("unsupported authentication");
                let offered = offered.replace(b"\0", b" ").trim_ascii().into();
                return Err(Error::new(doing, Why::Login(Login::Mechanisms(offered))));
            }
        };
        let mut scram = ScramSha256::new(self.password(login)?, binding);
        frame::appended(frontend::sasl_initial_response(mechanism, scram.message(), &mut self.out))?;
        self.flush(doing)?;

        let body = self.sasl_step(11, doing)?;
        if iterations(&body).is_some_and(|n| n > MOST_ITERATIONS) {
            return Err(self.confused(doing, "it asks for a key that would take too long to derive"));
        }
        scram.update(&body).map_err(|e| Error::lost(doing, e.to_string()))?;
        frame::appended(frontend::sasl_response(scram.message(), &mut self.out))?;
        self.flush(doing)?;

        let body = self.sasl_step(12, doing)?;
        scram.finish(&body).map_err(|e| {
            let why =
                "the server did not prove that it knows the password: it may be another server than the one meant";
            Error::lost(doing, format!("{why}: {e}"))
        })
    }

    fn sasl_step(&mut self, expected: i32, doing: &str) -> Result<Vec<u8>> {
        let message = self.next(doing)?;
        match message.tag {
            b'E' => return Err(self.server_error(&message, doing)),
            b'R' => {}
            tag => return Err(self.unexpected(tag, doing)),
        }
        let mut fields = self.body(&message);
        match fields.try_get_i32() {
            Ok(method) if method == expected => Ok(fields.to_vec()),
            _ => Err(self.confused(doing, "a SASL exchange out of order")),
        }
    }

    fn finish_startup(&mut self, login: &Attempt<'_>) -> Result<()> {
        let doing = &login.doing;
        loop {
            let message = self.next(doing)?;
            match message.tag {
                b'E' => return Err(self.server_error(&message, doing)),
                b'K' => {
                    let mut fields = self.body(&message);
                    let (Ok(pid), Ok(key), 0) = (fields.try_get_i32(), fields.try_get_i32(), fields.len()) else {
                        return Err(self.confused(doing, "a cancel key that is none"));
                    };
                    (self.state.pid, self.state.key) = (pid, key);
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
                self.state.limits = (login.startup.limits)(number);
                Ok(())
            }
            None => Err(Error::lost(
                doing,
                match version {
                    Some(text) => format!("the server's version is not understood: {text:?}"),
                    None => "the server does not tell its version".to_owned(),
                },
            )),
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
