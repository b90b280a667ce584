//! A database that is named as libpq's programs name theirs: by options for host, port and user, and a name that may be a
//! connection string or a URL.

use super::environment::Environment;
use super::settings::Settings;
use super::target::Target;
use super::url::Form;
use super::{keyword, url};
use crate::Result;

/// What the options of a program of libpq's say. What is in a connection string counts before the other options, as there.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// The database's name, a connection string or a URL.
    pub dbname: Option<Vec<u8>>,
    /// The host, or the folder of the server's socket.
    pub host: Option<Vec<u8>>,
    /// The port.
    pub port: Option<Vec<u8>>,
    /// The role to log in as.
    pub user: Option<Vec<u8>>,
    /// What sessions are called where nothing else says it.
    pub program: String,
}

impl Target {
    /// The database that is named, with the environment and libpq's defaults for what is left open.
    ///
    /// # Errors
    /// A connection string, a URL or a value makes no sense, or nothing says which user to log in as. No error shows a password.
    pub fn of_names(named: Named, env: &Environment) -> Result<Self> {
        let mut settings = Settings::default();
        let options = [("host", named.host), ("port", named.port), ("user", named.user)];
        for (name, value) in options {
            if let Some(value) = value {
                settings.set(name, value)?;
            }
        }
        settings.set("fallback_application_name", named.program)?;
        if let Some(text) = named.dbname {
            match connection_string(&text)? {
                Some(said) => settings.override_with(said),
                None => settings.set("dbname", text)?,
            }
        }
        Self::new(settings, env)
    }
}

/// What a name of a database says that is a connection string: one with a scheme of PostgreSQL's, or with an equals sign.
fn connection_string(text: &[u8]) -> Result<Option<Settings>> {
    for scheme in [&b"postgresql://"[..], b"postgres://"] {
        if let Some(rest) = text.strip_prefix(scheme) {
            return url::parse(rest, Form::Libpq).map(Some);
        }
    }
    if text.contains(&b'=') { keyword::parse(text).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(dbname: &str, host: Option<&str>, user: Option<&str>) -> String {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let dbname = (!dbname.is_empty()).then(|| bytes(dbname));
        let named = Named {
            dbname,
            host: host.map(bytes),
            user: user.map(bytes),
            program: "pg_dump".into(),
            ..Named::default()
        };
        let env = Environment::empty().with_user("me").with("PGHOST", "env");
        Target::of_names(named, &env).map_or_else(|error| error.to_string(), |target| target.describe())
    }

    #[test]
    fn a_connection_string_counts_before_the_options() {
        assert_eq!(shown("app", None, None), "database \"app\" at env:5432 as \"me\"");
        assert_eq!(shown("", Some("h"), Some("u")), "database \"u\" at h:5432 as \"u\"");
        assert_eq!(shown("host=other dbname=x", Some("h"), Some("u")), "database \"x\" at other:5432 as \"u\"");
        assert_eq!(shown("postgres://v@/y", Some("h"), Some("u")), "database \"y\" at h:5432 as \"v\"");
        assert_eq!(shown("sqlite:///x", Some("h"), None), "database \"sqlite:///x\" at h:5432 as \"me\"");
    }
}
