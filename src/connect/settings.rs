//! What was said about a connection, parameter by parameter, and which parameters there are.

use std::collections::BTreeMap;

use bstr::{BStr, BString, ByteSlice};

use super::environment::Environment;
use super::service_file;
use crate::{Error, ErrorKind, Result};

/// What lifeboat does with a parameter.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// It is obeyed.
    Obeyed,
    /// It is taken and has no effect: it is about something that does not exist here.
    Ignored,
    /// It is refused unless it has this value: without it the connection would be less safe than was asked for, or
    /// another than was asked for.
    OnlyAs(&'static [&'static str]),
}

use Meaning::{Ignored, Obeyed, OnlyAs};

/// Every parameter of a connection that libpq knows, the environment variable that stands for it, and its meaning here.
const PARAMETERS: &[(&str, &str, Meaning)] = &[
    ("application_name", "PGAPPNAME", Obeyed),
    ("channel_binding", "PGCHANNELBINDING", Obeyed),
    ("client_encoding", "", Ignored),
    ("connect_timeout", "PGCONNECT_TIMEOUT", Obeyed),
    ("dbname", "PGDATABASE", Obeyed),
    ("fallback_application_name", "", Obeyed),
    ("gssdelegation", "PGGSSDELEGATION", Ignored),
    ("gssencmode", "PGGSSENCMODE", OnlyAs(&["disable", "prefer"])),
    ("gsslib", "PGGSSLIB", Ignored),
    ("host", "PGHOST", Obeyed),
    ("hostaddr", "PGHOSTADDR", Obeyed),
    ("keepalives", "", Obeyed),
    ("keepalives_count", "", Obeyed),
    ("keepalives_idle", "", Obeyed),
    ("keepalives_interval", "", Obeyed),
    ("krbsrvname", "PGKRBSRVNAME", Ignored),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS", Obeyed),
    ("max_protocol_version", "PGMAXPROTOCOLVERSION", Ignored),
    ("min_protocol_version", "PGMINPROTOCOLVERSION", OnlyAs(&["3.0"])),
    ("oauth_ca_file", "PGOAUTHCAFILE", Ignored),
    ("oauth_client_id", "", Ignored),
    ("oauth_client_secret", "", Ignored),
    ("oauth_issuer", "", Ignored),
    ("oauth_scope", "", Ignored),
    ("options", "PGOPTIONS", Obeyed),
    ("passfile", "PGPASSFILE", Obeyed),
    ("password", "PGPASSWORD", Obeyed),
    ("port", "PGPORT", Obeyed),
    ("replication", "", OnlyAs(&["false", "off", "no", "0"])),
    ("require_auth", "PGREQUIREAUTH", Obeyed),
    ("requirepeer", "PGREQUIREPEER", Obeyed),
    ("scram_client_key", "", OnlyAs(&[])),
    ("scram_server_key", "", OnlyAs(&[])),
    ("service", "PGSERVICE", Obeyed),
    ("servicefile", "PGSERVICEFILE", Obeyed),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION", Obeyed),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION", Obeyed),
    ("sslcert", "PGSSLCERT", Obeyed),
    ("sslcertmode", "PGSSLCERTMODE", Obeyed),
    ("sslcompression", "PGSSLCOMPRESSION", Ignored),
    ("sslcrl", "PGSSLCRL", Obeyed),
    ("sslcrldir", "PGSSLCRLDIR", Obeyed),
    ("sslkey", "PGSSLKEY", Obeyed),
    ("sslkeylogfile", "", OnlyAs(&[])),
    ("sslmode", "PGSSLMODE", Obeyed),
    ("sslnegotiation", "PGSSLNEGOTIATION", Obeyed),
    ("sslpassword", "", Obeyed),
    ("sslrootcert", "PGSSLROOTCERT", Obeyed),
    ("sslsni", "PGSSLSNI", Obeyed),
    ("target_session_attrs", "PGTARGETSESSIONATTRS", Obeyed),
    ("tcp_user_timeout", "", Obeyed),
    ("user", "PGUSER", Obeyed),
];

/// Those whose values are not shown.
const SECRETS: &[&str] = &["oauth_client_secret", "password", "scram_client_key", "scram_server_key", "sslpassword"];

/// What was said, by libpq's names of parameters.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings {
    said: BTreeMap<&'static str, BString>,
    notes: Vec<String>,
}

impl Settings {
    /// Sets a parameter, in place of what was said about it before.
    ///
    /// # Errors
    /// There is no such parameter, or it asks for something that is not supported and must not be passed over.
    pub fn set(&mut self, name: &str, value: impl Into<BString>) -> Result<()> {
        let value = value.into();
        let Some(&(name, _, meaning)) = PARAMETERS.iter().find(|(known, _, _)| *known == name) else {
            // What is no name may be a password that stands in the wrong place.
            if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
                return Err(Error::new(ErrorKind::Usage, "use the connection parameters")
                    .why("where a name is to stand, there is something with other characters than names have"));
            }
            return Err(bad(name).why("there is no connection parameter of this name"));
        };
        check(name, meaning, &value)?;
        self.said.insert(name, value);
        Ok(())
    }

    /// What was said about a parameter; an empty value counts as nothing.
    pub fn get(&self, name: &str) -> Option<&BStr> {
        self.said.get(name).map(|v| v.as_bstr()).filter(|v| !v.is_empty())
    }

    /// Takes over from `others` what was not said.
    pub(super) fn fill_from(&mut self, others: Self) {
        for (name, value) in others.said {
            if self.get(name).is_none() {
                self.said.insert(name, value);
            }
        }
        self.notes.extend(others.notes);
    }

    /// Sets all of what `others` say, in place of what was said.
    pub(super) fn override_with(&mut self, others: Self) {
        self.said.extend(others.said.into_iter().filter(|(_, value)| !value.is_empty()));
        self.notes.extend(others.notes);
    }

    /// Notes something that whoever said it should know.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What whoever said all this should know.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Fills in what was not said from the service file, if a service is named.
    ///
    /// # Errors
    /// The service is not to be found, or the file makes no sense.
    pub(super) fn with_service(mut self, env: &Environment) -> Result<Self> {
        if let Some(of_service) = service_file::look_up(&self, env)? {
            self.fill_from(of_service);
        }
        Ok(self)
    }

    /// Fills in what was not said from the environment; comes after the service file.
    ///
    /// # Errors
    /// A variable asks for something that is not supported and must not be passed over.
    pub(super) fn with_environment(mut self, env: &Environment) -> Result<Self> {
        for &(name, variable, meaning) in PARAMETERS {
            if self.get(name).is_none()
                && let Some(value) = env.get(variable)
            {
                check(variable, meaning, value)?;
                self.said.insert(name, value.to_owned());
            }
        }
        if self.get("sslmode").is_none() && env.get("PGREQUIRESSL").is_some_and(|v| v.starts_with(b"1")) {
            self.said.insert("sslmode", "require".into());
        }
        Ok(self)
    }

    /// A parameter that takes one of a few words.
    pub(super) fn word(&self, name: &'static str) -> Result<Option<&str>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.to_str().map(Some).map_err(|_| bad(name).why("its value is not a known one"))
    }

    /// A parameter that is a number.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<i64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match value.to_str().ok().and_then(|v| v.trim().parse().ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(bad(name).why(format!("{value:?} is not a number"))),
        }
    }
}

fn check(name: &str, meaning: Meaning, value: &[u8]) -> Result<()> {
    if let OnlyAs(allowed) = meaning
        && !value.is_empty()
        && !allowed.iter().any(|a| a.as_bytes() == value)
    {
        let why = if allowed.is_empty() {
            "it is not supported, and passing it over could make a connection that was not meant".to_owned()
        } else {
            format!("of its values, only these are supported: {}", allowed.join(", "))
        };
        return Err(bad(name).why(why));
    }
    Ok(())
}

/// The error for a parameter that cannot be used; never with its value, which may be a password.
pub(super) fn bad(name: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("use the connection parameter {name:?}"))
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self
            .said
            .iter()
            .map(|(name, value)| (*name, if SECRETS.contains(name) { BStr::new("…") } else { value.as_bstr() }));
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_weaken_a_connection_is_not_passed_over() {
        let mut settings = Settings::default();
        for (name, value) in [("gssencmode", "require"), ("scram_client_key", "geheim"), ("sslkeylogfile", "/x")] {
            let error = settings.set(name, value).unwrap_err();
            assert!(error.to_string().contains(name) && !error.to_string().contains("geheim"), "{error}");
        }
        settings.set("gssencmode", "prefer").unwrap();
        // What only matters where a service, or a login by OAuth, is asked for.
        settings.set("servicefile", "/x").unwrap();
        settings.set("oauth_client_secret", "geheim").unwrap();
        assert!(!format!("{settings:?}").contains("geheim"), "{settings:?}");
        let error =
            Settings::default().with_environment(&Environment::empty().with("PGGSSENCMODE", "require")).unwrap_err();
        assert!(error.to_string().contains("PGGSSENCMODE"), "{error}");
    }

    #[test]
    fn the_environment_fills_gaps_only() {
        let env = Environment::empty().with("PGHOST", "there").with("PGUSER", "else");
        let mut settings = Settings::default();
        settings.set("user", "me").unwrap();
        let settings = settings.with_environment(&env).unwrap();
        assert_eq!((settings.get("host"), settings.get("user")), (Some(BStr::new("there")), Some(BStr::new("me"))));
    }

    #[test]
    fn debug_output_shows_no_password() {
        let mut settings = Settings::default();
        settings.set("password", "geheim").unwrap();
        assert!(!format!("{settings:?}").contains("geheim"));
    }
}
