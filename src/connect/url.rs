//! `postgresql://user:password@host:port/dbname?name=value`, as libpq and as SQLAlchemy write it.

use bstr::ByteSlice;
use percent_encoding::percent_decode;

use super::application;
use super::settings::{Settings, bad};
use super::tls::UNVERIFIED;
use crate::{Error, ErrorKind, Result};

/// Query parameters that SQLAlchemy's drivers take for themselves; they have no bearing on which database is meant.
const OF_DRIVERS: &[&str] = &[
    "async_fallback",
    "autocommit",
    "command_timeout",
    "executemany_batch_page_size",
    "executemany_mode",
    "executemany_values_page_size",
    "isolation_level",
    "max_cacheable_statement_size",
    "max_cached_statement_lifetime",
    "native_inet_types",
    "prepare_threshold",
    "prepared_statement_cache_size",
    "prepared_statement_name_func",
    "server_side_cursors",
    "statement_cache_size",
    "use_native_hstore",
];

/// Whose form a URL is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// libpq's own.
    Libpq,
    /// SQLAlchemy's: the scheme names a driver.
    SqlAlchemy,
    /// JDBC's: `jdbc:` stands before it.
    Jdbc,
}

/// Reads a URL of PostgreSQL whose scheme ends before `rest`: what follows `://`.
///
/// # Errors
/// It is not formed like a URL, or names a parameter that does not exist.
pub(super) fn parse(rest: &[u8], form: Form) -> Result<Settings> {
    let mut settings = Settings::default();
    let (user_info, rest) = split_user_info(rest);
    if let Some(info) = user_info {
        let (user, password) = match info.split_once_str(b":") {
            Some((user, password)) => (user, Some(password)),
            None => (info, None),
        };
        settings.set("user", decode(user)?)?;
        if let Some(password) = password {
            settings.set("password", decode(password)?)?;
        }
    }
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (hosts, rest) = rest.split_at(end);
    set_hosts(&mut settings, hosts)?;
    let (path, query) = match rest.split_once_str(b"?") {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    if let Some(database) = path.strip_prefix(b"/")
        && !database.is_empty()
    {
        settings.set("dbname", decode(database)?)?;
    }
    let mut ssl = None;
    for pair in query.unwrap_or_default().split_str(b"&").filter(|p| !p.is_empty()) {
        let Some((name, value)) = pair.split_once_str(b"=") else {
            return Err(malformed("a query parameter has no value"));
        };
        let name =
            decode(name)?.to_str().map_err(|_| malformed("the name of a parameter is not valid UTF-8"))?.to_owned();
        // Python's and Java's query strings write a space as "+", libpq's do not.
        let value = if form != Form::Libpq { decode(&value.replace(b"+", b" "))? } else { decode(value)? };
        match &*name {
            "ssl" => ssl = Some(mode_of_ssl(&value, form)?),
            _ => set_from_query(&mut settings, &name, value, form)?,
        }
    }
    if let Some(mode) = ssl {
        set_ssl(&mut settings, mode)?;
    }
    Ok(settings)
}

/// User and password, where there are any. A password with a slash is no URL to libpq but is one to SQLAlchemy, which
/// applications' settings are written for; it is only looked for where the text before the slash can be no host and port.
fn split_user_info(rest: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    if let Some(at) = rest[..end].iter().rposition(|b| *b == b'@') {
        return (Some(&rest[..at]), &rest[at + 1..]);
    }
    let is_port = |port: &[u8]| port.iter().all(|b| b.is_ascii_digit() || *b == b',');
    if let Some((user, after)) = rest.split_once_str(b":")
        && user.len() < end
        && !user.starts_with(b"[")
        && !is_port(&after[..end - user.len() - 1])
        && !rest[..end].contains(&b',')
        && let Some(at) = after.find_byte(b'@')
    {
        let at = user.len() + 1 + at;
        return (Some(&rest[..at]), &rest[at + 1..]);
    }
    (None, rest)
}

/// `host`, `host:port`, `[::1]:port`, several of them with commas in between.
fn set_hosts(settings: &mut Settings, text: &[u8]) -> Result<()> {
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for part in text.split_str(b",") {
        let (host, port) = if let Some(v6) = part.strip_prefix(b"[") {
            let Some((host, after)) = v6.split_once_str(b"]") else {
                return Err(malformed("an IPv6 address has no closing bracket"));
            };
            match after.split_first() {
                None => (host, &b""[..]),
                Some((b':', port)) => (host, port),
                Some(_) => return Err(malformed("something other than a port follows an IPv6 address")),
            }
        } else {
            part.split_once_str(b":").unwrap_or((part, b""))
        };
        hosts.push(decode(host)?);
        ports.push(decode(port)?);
    }
    if hosts.iter().any(|h| !h.is_empty()) {
        settings.set("host", hosts.join(&b','))?;
    }
    if ports.iter().any(|p| !p.is_empty()) {
        settings.set("port", ports.join(&b','))?;
    }
    Ok(())
}

/// What JDBC's and asyncpg's `ssl` says as a value of sslmode, and whether it names that value, as asyncpg's may.
fn mode_of_ssl(value: &[u8], form: Form) -> Result<(&'static str, bool)> {
    const MODES: [&str; 7] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", UNVERIFIED];
    let value = value.to_ascii_lowercase();
    Ok(match value.as_slice() {
        // Without a name for the authority's certificate, pgjdbc looks where libpq does.
        b"true" if form == Form::Jdbc => ("verify-full", false),
        b"true" | b"on" | b"yes" | b"1" => ("require", false),
        b"false" | b"off" | b"no" | b"0" => ("disable", false),
        value => match MODES.iter().find(|mode| mode.as_bytes() == value) {
            Some(mode) => (mode, true),
            None => return Err(bad("ssl").why("its value is neither true nor false nor a value of sslmode")),
        },
    })
}

/// Sets sslmode by what `ssl` says, if nothing else has. Both may be there where they do not contradict each other: sslmode says which
/// TLS is meant by true, and is not below a mode that `ssl` names.
fn set_ssl(settings: &mut Settings, (mode, is_named): (&'static str, bool)) -> Result<()> {
    const WEAK: [&[u8]; 3] = [b"disable", b"allow", b"prefer"];
    match settings.get("sslmode") {
        None => settings.set("sslmode", mode),
        Some(said) if said == mode => Ok(()),
        Some(said) if !is_named && WEAK.contains(&said.as_bytes()) == WEAK.contains(&mode.as_bytes()) => Ok(()),
        Some(_) => Err(bad("ssl").why("it contradicts sslmode").hint("leave it out: sslmode says all of it")),
    }
}

fn set_from_query(settings: &mut Settings, name: &str, value: Vec<u8>, form: Form) -> Result<()> {
    let driver = form == Form::SqlAlchemy;
    match name {
        "sslaccept" if value == b"accept_invalid_certs" => Ok(()),
        "sslaccept" => Err(bad(name).why("it is Prisma's own").hint("sslmode=verify-full says the same")),
        "ApplicationName" if form == Form::Jdbc => settings.set("application_name", value),
        "connectTimeout" if form == Form::Jdbc => settings.set("connect_timeout", value),
        "database" if driver => settings.set("dbname", value),
        "timeout" if driver => settings.set("connect_timeout", value),
        // SQLAlchemy writes several hosts as host=a:1&host=b:2.
        "host" if driver && settings.get("host").is_some() && value.contains(&b':') && !value.starts_with(b"/") => {
            Err(bad("host").why("several hosts in the query are not supported").hint("write host=a,b&port=1,2"))
        }
        "host" if driver && value.contains(&b':') && !value.starts_with(b"/") && !value.contains(&b',') => {
            match value.split_once_str(b":") {
                Some((host, port)) if !port.contains(&b':') => {
                    settings.set("port", port)?;
                    settings.set("host", host)
                }
                _ => settings.set("host", value),
            }
        }
        _ if driver && OF_DRIVERS.contains(&name) => Ok(()),
        _ => match application::note(name) {
            Some(note) => {
                settings.note(note);
                Ok(())
            }
            None => settings.set(name, value),
        },
    }
}

/// Resolves percent-encoding, strictly: a percent sign that encodes nothing would be a wrong password later.
pub(super) fn decode(text: &[u8]) -> Result<Vec<u8>> {
    for (at, _) in text.iter().enumerate().filter(|(_, b)| **b == b'%') {
        if !text.get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) {
            return Err(malformed("a percent sign is not followed by two hexadecimal digits")
                .hint("write a percent sign as %25"));
        }
    }
    let decoded: Vec<u8> = percent_decode(text).collect();
    if decoded.contains(&0) {
        return Err(malformed("%00 has no place in it"));
    }
    Ok(decoded)
}

/// The URL may hold a password: no part of it is shown.
pub(super) fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Usage, "read the database URL").why(why)
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
