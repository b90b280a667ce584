//! A PostgreSQL database to connect to, with everything that was said or is usual.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bstr::{BStr, BString, ByteSlice};

use super::environment::Environment;
use super::hosts::{Host, hosts};
use super::lock_watch::LockWatch;
use super::password_file::FoundPassword;
use super::settings::{Settings, bad};
use super::tls::{CertificateCheck, SslMode, Tls, UNVERIFIED};
use crate::wire::{ChannelBinding, Methods};
use crate::{Error, ErrorKind, Message, Result};

/// A database in a server: where it is, as whom, how.
#[derive(Debug, Clone)]
pub struct Target {
    pub(super) hosts: Vec<Host>,
    pub(super) user: BString,
    pub(super) database: BString,
    pub(super) password: Option<Secret>,
    pub(super) password_file: Option<PathBuf>,
    pub(super) application_name: BString,
    pub(super) options: BString,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) keepalive: Option<Keepalive>,
    pub(super) user_timeout: Option<Duration>,
    pub(super) idle: Option<Duration>,
    pub(super) locks: Option<LockWatch>,
    pub(super) channel_binding: ChannelBinding,
    pub(super) methods: Methods,
    pub(super) peer: Option<BString>,
    pub(super) balance: bool,
    pub(super) session: Vec<(&'static str, Vec<u8>)>,
    notes: Vec<String>,
    pub(super) wanted: TargetSessionAttrs,
    pub(super) tls: Tls,
}

/// A password, which no output shows.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) Vec<u8>, PasswordOrigin);

/// Where a password comes from that is known before a connection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PasswordOrigin {
    /// The URL or the connection string.
    Given,
    /// The service file.
    Service,
    /// `PGPASSWORD`.
    Environment,
    /// Whoever made the target.
    Caller,
}

/// Where the password comes from with which a server would be answered that asks for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PasswordSource {
    /// The URL or the connection string.
    Given,
    /// The service file.
    Service,
    /// `PGPASSWORD`.
    Environment,
    /// A person typed it.
    Typed,
    /// This password file.
    File(PathBuf),
    /// There is none; the password file is there and is not used, for this reason.
    UnusableFile(String),
    /// There is none; this password file has no line that fits, or is not there.
    Nowhere(Option<PathBuf>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// How an idle connection is found to be dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keepalive {
    pub(super) idle: Duration,
    pub(super) interval: Option<Duration>,
    pub(super) count: Option<u32>,
}

/// A firewall forgets connections that are silent for longer than some minutes, and building an index can be silent for
/// hours; the operating system's default is two hours.
const KEEPALIVE_IDLE: i64 = 60;

/// libpq waits for ever, which is for somebody at a keyboard. Who is not there within this time is not there, and what runs
/// from a timer has to end.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Which of several servers will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetSessionAttrs {
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    PreferStandby,
}

impl Target {
    /// What the settings mean, with the environment and libpq's defaults for what they leave open.
    ///
    /// # Errors
    /// A value makes no sense, or nothing says which user to log in as.
    pub fn new(settings: Settings, env: &Environment) -> Result<Self> {
        let mut origin = settings.get("password").map(|_| PasswordOrigin::Given);
        let settings = settings.with_service(env)?;
        origin = origin.or(settings.get("password").map(|_| PasswordOrigin::Service));
        let mut settings = settings.with_environment(env)?;
        if settings.get("sslmode").is_some_and(|mode| mode == UNVERIFIED) {
            settings
                .note(format!("sslmode={UNVERIFIED}: nobody checks which server this is (sslmode=verify-full does)"));
        }
        origin = origin.or(settings.get("password").map(|_| PasswordOrigin::Environment));
        let text = |name| settings.get(name).map(BStr::to_owned);
        let Some(user) = text("user").or_else(|| env.user().map(BStr::to_owned)) else {
            return Err(Error::new(ErrorKind::Usage, "find out which user to log in as")
                .why("none is named, and the operating system does not tell who this is")
                .hint("name one in the URL, or set PGUSER"));
        };
        let password_file = match settings.get("passfile") {
            Some(path) => Some(PathBuf::from(OsStr::from_bytes(path))),
            None => env.home().map(|home| home.join(".pgpass")),
        };
        // Below two seconds a slow network would look like a dead one; zero is for ever.
        let connect_timeout = match settings.number("connect_timeout")? {
            Some(seconds @ 1..) => Some(Duration::from_secs(u64::try_from(seconds.max(2)).unwrap_or(2))),
            Some(_) => None,
            None => Some(CONNECT_TIMEOUT),
        };
        let user_timeout = settings.number("tcp_user_timeout")?.and_then(|ms| u64::try_from(ms).ok());
        Ok(Self {
            hosts: hosts(&settings)?,
            database: text("dbname").unwrap_or_else(|| user.clone()),
            user,
            password: settings.get("password").zip(origin).map(|(p, origin)| Secret(p.to_vec(), origin)),
            password_file,
            application_name: text("application_name")
                .or_else(|| text("fallback_application_name"))
                .unwrap_or_else(|| "lifeboat".into()),
            options: text("options").unwrap_or_default(),
            connect_timeout,
            keepalive: keepalive(&settings)?,
            user_timeout: user_timeout.filter(|ms| *ms > 0).map(Duration::from_millis),
            idle: None,
            locks: None,
            channel_binding: channel_binding(&settings)?,
            methods: match settings.word("require_auth")? {
                Some(methods) => Methods::parse(methods).map_err(|why| bad("require_auth").why(why))?,
                None => Methods::default(),
            },
            peer: text("requirepeer"),
            balance: match settings.word("load_balance_hosts")? {
                None | Some("disable") => false,
                Some("random") => true,
                Some(_) => return Err(bad("load_balance_hosts").why("its value is neither disable nor random")),
            },
            session: session(env),
            notes: settings.notes().to_vec(),
            wanted: wanted(&settings)?,
            tls: Tls::new(&settings, env)?,
        })
    }

    /// The same server and user, another database.
    #[must_use]
    pub fn with_database(&self, name: impl Into<BString>) -> Self {
        Self { database: name.into(), ..self.clone() }
    }

    /// The same with this password, wherever it came from.
    #[must_use]
    pub fn with_password(&self, password: impl Into<Vec<u8>>) -> Self {
        Self { password: Some(Secret(password.into(), PasswordOrigin::Caller)), ..self.clone() }
    }

    /// The same, but sessions have this name for others to see (`application_name`).
    #[must_use]
    pub fn named(&self, name: impl Into<BString>) -> Self {
        Self { application_name: name.into(), ..self.clone() }
    }

    /// The same, but a server that says nothing for `limit` while it is waited for is asked over another connection
    /// whether it still works. If it does not, the connection counts as lost. Without it, nobody asks.
    #[must_use]
    pub fn with_idle_limit(self, limit: Option<Duration>) -> Self {
        Self { idle: limit, ..self }
    }

    /// What whoever named the database should know: parameters of their URL that are their application's own.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The same, but where a server says nothing for `after` and longer because somebody else has a lock, `tell` is told who: a
    /// message of a line. It is asked over another connection, less and less often. Without it, nobody asks.
    #[must_use]
    pub fn with_lock_watch(self, after: Duration, tell: impl Fn(Message) + Send + Sync + 'static) -> Self {
        Self { locks: Some(LockWatch { after, tell: Arc::new(tell) }), ..self }
    }

    /// The name of the database.
    pub fn database(&self) -> &BStr {
        self.database.as_bstr()
    }

    /// The first host that is tried, by its name or address; `None` if that is this machine, by a socket.
    pub fn host_name(&self) -> Option<String> {
        self.hosts.first().filter(|host| !host.is_local()).map(Host::name)
    }

    /// The role to log in as.
    pub fn user(&self) -> &BStr {
        self.user.as_bstr()
    }

    /// Whether connections are encrypted.
    pub fn ssl_mode(&self) -> SslMode {
        self.tls.mode
    }

    /// Where the password comes from, for the first host; never the password.
    pub(crate) fn password_source(&self) -> PasswordSource {
        if let Some(Secret(_, origin)) = &self.password {
            return match origin {
                PasswordOrigin::Given => PasswordSource::Given,
                PasswordOrigin::Service => PasswordSource::Service,
                PasswordOrigin::Environment => PasswordSource::Environment,
                PasswordOrigin::Caller => PasswordSource::Typed,
            };
        }
        let found = self.hosts.first().map(|host| self.find_password(host));
        match (found, &self.password_file) {
            (Some(FoundPassword::Password(_)), Some(path)) => PasswordSource::File(path.clone()),
            (Some(FoundPassword::Unusable(why)), _) => PasswordSource::UnusableFile(why),
            (_, path) => PasswordSource::Nowhere(path.clone()),
        }
    }

    /// How far a server that is reached over TLS has to prove who it is.
    pub(crate) fn certificate_check(&self) -> CertificateCheck {
        self.tls.check()
    }

    /// Where the server is, in libpq's words: `at "db.example", port 5432`, `on socket "/tmp/.s.PGSQL.5432"`.
    pub fn place(&self) -> String {
        let places: Vec<_> = self.hosts.iter().map(Host::place).collect();
        places.join(" or ")
    }

    /// The database, the host and the user, for messages; never the password.
    pub fn describe(&self) -> String {
        let hosts: Vec<_> = self.hosts.iter().map(Host::describe).collect();
        self.describe_at(&hosts.join(" or "))
    }

    pub(super) fn describe_at(&self, place: &str) -> String {
        format!("database {:?} at {place} as {:?}", self.database, self.user)
    }
}

/// What libpq's variables say of the session that is begun.
fn session(env: &Environment) -> Vec<(&'static str, Vec<u8>)> {
    let variables = [("PGDATESTYLE", "datestyle"), ("PGTZ", "timezone"), ("PGGEQO", "geqo")];
    let said = variables.into_iter().filter_map(|(variable, setting)| Some((setting, env.get(variable)?)));
    said.filter(|(_, value)| !value.eq_ignore_ascii_case(b"default"))
        .map(|(name, value)| (name, value.to_vec()))
        .collect()
}

fn keepalive(settings: &Settings) -> Result<Option<Keepalive>> {
    if settings.number("keepalives")? == Some(0) {
        return Ok(None);
    }
    let seconds = |n: i64| u64::try_from(n).ok().filter(|n| (1..=32_767).contains(n)).map(Duration::from_secs);
    let idle = settings.number("keepalives_idle")?.unwrap_or(KEEPALIVE_IDLE);
    Ok(Some(Keepalive {
        idle: seconds(idle).unwrap_or(Duration::from_secs(KEEPALIVE_IDLE.unsigned_abs())),
        interval: settings.number("keepalives_interval")?.and_then(seconds),
        count: settings
            .number("keepalives_count")?
            .and_then(|n| u32::try_from(n).ok())
            .filter(|n| (1..=127).contains(n)),
    }))
}

fn channel_binding(settings: &Settings) -> Result<ChannelBinding> {
    match settings.word("channel_binding")? {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(_) => Err(bad("channel_binding").why("its value is none of disable, prefer, require")),
    }
}

fn wanted(settings: &Settings) -> Result<TargetSessionAttrs> {
    match settings.word("target_session_attrs")? {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write") => Ok(TargetSessionAttrs::ReadWrite),
        Some("read-only") => Ok(TargetSessionAttrs::ReadOnly),
        Some("primary") => Ok(TargetSessionAttrs::Primary),
        Some("standby") => Ok(TargetSessionAttrs::Standby),
        Some("prefer-standby") => Ok(TargetSessionAttrs::PreferStandby),
        Some(_) => Err(bad("target_session_attrs")
            .why("its value is none of any, read-write, read-only, primary, standby, prefer-standby")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str, env: &Environment) -> Result<Target> {
        Target::new(super::super::keyword::parse(text.as_bytes())?, env)
    }

    #[test]
    fn defaults_are_those_of_libpq() {
        let env = Environment::empty().with_user("me").with_home("/home/me");
        let t = target("", &env).unwrap();
        assert_eq!(t.describe(), "database \"me\" at the local socket:5432 as \"me\"");
        assert_eq!((t.ssl_mode(), t.password_file.as_deref()), (SslMode::Prefer, Some("/home/me/.pgpass".as_ref())));
        assert_eq!(t.application_name, "lifeboat");
        let t = target("user=you connect_timeout=1", &env).unwrap();
        assert_eq!((t.database(), t.connect_timeout), (BStr::new("you"), Some(Duration::from_secs(2))));
        assert_eq!((target("", &env).unwrap().connect_timeout, t.user_timeout), (Some(CONNECT_TIMEOUT), None));
        let t = target("connect_timeout=0 tcp_user_timeout=5000", &env).unwrap();
        assert_eq!((t.connect_timeout, t.user_timeout), (None, Some(Duration::from_secs(5))));
        assert!(target("", &Environment::empty()).unwrap_err().to_string().contains("which user"));
    }

    #[test]
    fn the_environment_counts_where_nothing_was_said() {
        let env = [
            "HOST=h",
            "PORT=7",
            "USER=u",
            "DATABASE=d",
            "PASSWORD=geheim",
            "PASSFILE=/p",
            "SSLMODE=require",
            "APPNAME=a",
            "CONNECT_TIMEOUT=9",
            "OPTIONS=-c x=y",
            "CHANNELBINDING=require",
        ]
        .iter()
        .filter_map(|pair| pair.split_once('='))
        .fold(Environment::empty(), |env, (name, value)| env.with(&format!("PG{name}"), value));
        let t = target("", &env).unwrap();
        assert_eq!(t.describe(), "database \"d\" at h:7 as \"u\"");
        assert_eq!(t.password, Some(Secret(b"geheim".to_vec(), PasswordOrigin::Environment)));
        assert_eq!(t.password_source(), PasswordSource::Environment);
        assert_eq!(t.password_file.as_deref(), Some("/p".as_ref()));
        assert_eq!((t.ssl_mode(), t.channel_binding), (SslMode::Require, ChannelBinding::Require));
        assert_eq!((t.application_name.as_bstr(), t.options.as_bstr()), (BStr::new("a"), BStr::new("-c x=y")));
        assert_eq!(t.connect_timeout, Some(Duration::from_secs(9)));
        assert!(!format!("{t:?} {}", t.describe()).contains("geheim"));
        assert_eq!(t.with_database("e").describe(), "database \"e\" at h:7 as \"u\"");
    }

    #[test]
    fn a_server_that_nobody_checks_is_noted() {
        let env = Environment::empty().with_user("me");
        let notes = target("sslmode=no-verify", &env).unwrap().notes().to_vec();
        assert!(notes[0].contains("verify-full"), "{notes:?}");
        assert_eq!(target("", &env.with("PGSSLMODE", "no-verify")).unwrap().notes(), notes);
    }

    #[test]
    fn values_that_make_no_sense_are_named() {
        let env = Environment::empty().with_user("me");
        for (text, said) in [
            ("sslmode=maybe", "verify-full"),
            ("sslrootcert=system sslmode=require", "verify-full"),
            ("sslrootcert=bundled sslmode=verify-ca", "verify-full"),
            ("channel_binding=x", "channel_binding"),
            ("require_auth=scram", "\"scram\""),
            ("load_balance_hosts=x", "random"),
            ("sslnegotiation=x", "direct"),
            ("sslnegotiation=direct", "sslmode"),
            ("sslcertmode=x", "require"),
            ("sslcertmode=require", "certificate"),
            ("target_session_attrs=x", "read-write"),
            ("connect_timeout=x", "connect_timeout"),
            ("tcp_user_timeout=x", "tcp_user_timeout"),
            ("ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "above"),
            ("sslcert=/x", "sslcert"),
        ] {
            let error = target(text, &env).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
