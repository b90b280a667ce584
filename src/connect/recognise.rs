//! Which kind of database a text means.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::environment::Environment;
use super::sqlite::{self, SqliteTarget};
use super::target::Target;
use super::url::Form;
use super::{keyword, url, url_file};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// A database of either kind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Database {
    /// A file of SQLite's.
    Sqlite(SqliteTarget),
    /// A database in a PostgreSQL server.
    Postgres(Box<Target>),
}

/// The variables that are looked at for a URL, in this order.
pub(crate) const VARIABLES: &[&str] = &["LIFEBOAT_DATABASE_URL", "DATABASE_URL", "Z4J_DATABASE_URL"];

/// libpq's variables of which one is enough to say that a PostgreSQL database is meant.
const LIBPQ: [&str; 6] = ["PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE"];

/// The variable that names a file with the URL in it.
const FILE: &str = "LIFEBOAT_DATABASE_URL_FILE";

/// The URL to use: the one given, or the first of `LIFEBOAT_DATABASE_URL` (or the file that `LIFEBOAT_DATABASE_URL_FILE` names), `DATABASE_URL`, `Z4J_DATABASE_URL` that is
/// set, or, where libpq's own variables say which server, database or role (`PGHOST`, `PGHOSTADDR`, `PGPORT`, `PGDATABASE`,
/// `PGUSER`, `PGSERVICE`), the URL that leaves everything to them.
///
/// # Errors
/// None of them is set; the file cannot be read, or holds no URL.
pub fn find_url(given: Option<&[u8]>, env: &Environment) -> Result<BString> {
    if let Some(url) = given {
        return Ok(url.into());
    }
    if let Some(path) = env.get(FILE) {
        if env.get(VARIABLES[0]).is_some() {
            return Err(Error::new(ErrorKind::Usage, "find out which database is meant")
                .why(format!("both {} and {FILE} are set", VARIABLES[0]))
                .hint("leave out the one or the other"));
        }
        return url_file::read_url(Path::new(OsStr::from_bytes(path)));
    }
    if let Some(url) = VARIABLES.iter().find_map(|name| env.get(name)) {
        return Ok(url.to_owned());
    }
    if LIBPQ.iter().any(|name| env.get(name).is_some()) {
        return Ok("postgresql://".into());
    }
    Err(Error::new(ErrorKind::Usage, "find out which database is meant")
        .why(
            "there is no "
                + Choice::Url
                + format!(", and none of {}, {} is set", VARIABLES.join(", "), LIBPQ.join(", ")),
        )
        .hint(
            "for example: "
                + Choice::Url
                + " postgresql://user@host/database, or "
                + Choice::Url
                + " sqlite:////srv/app.db",
        ))
}

/// The variable that says which URL is to be used, if one does and none is given.
pub(crate) fn url_variable(env: &Environment) -> Option<&'static str> {
    std::iter::once(FILE).chain(VARIABLES.iter().copied()).find(|name| env.get(name).is_some())
}

/// What `text` means: a URL of SQLite or PostgreSQL, or a connection string of keywords and values.
///
/// # Errors
/// It is neither, or something in it, or in the `PG*` variables, makes no sense. No error shows a password.
pub fn recognise(text: &[u8], env: &Environment) -> Result<Database> {
    let text = text.trim_ascii();
    if let Some(of_java) = text.strip_prefix(b"jdbc:") {
        return recognise_jdbc(of_java, env);
    }
    let Some(at) = text.find(b"://") else {
        if text.contains(&b'=') {
            return Ok(Database::Postgres(Box::new(Target::new(keyword::parse(text)?, env)?)));
        }
        return Err(unknown("it is neither a URL nor a connection string such as \"host=localhost dbname=app\""));
    };
    let (scheme, rest) = (&text[..at], &text[at + 3..]);
    // A connection string may hold a URL-like value, but no scheme holds an equals sign.
    if scheme.contains(&b'=') {
        return Ok(Database::Postgres(Box::new(Target::new(keyword::parse(text)?, env)?)));
    }
    let scheme = scheme.to_ascii_lowercase();
    let (kind, form) = match scheme.find_byte(b'+') {
        Some(plus) => (&scheme[..plus], Form::SqlAlchemy),
        None => (&scheme[..], Form::Libpq),
    };
    match kind {
        b"sqlite" => Ok(Database::Sqlite(sqlite::parse(rest)?)),
        // The latter are Django's, for the extensions that a database has.
        b"postgresql" | b"postgres" | b"pgsql" | b"postgis" | b"timescale" | b"timescalegis" => {
            Ok(Database::Postgres(Box::new(Target::new(url::parse(rest, form)?, env)?)))
        }
        _ if kind.iter().all(|b| b.is_ascii_alphanumeric()) => {
            Err(unknown(&format!("databases of the kind {:?} are not supported", kind.as_bstr())))
        }
        // What stands before "://" is no scheme then, and may be anything, such as a password.
        _ => Err(unknown("it does not begin with the scheme of a URL")),
    }
}

/// What follows `jdbc:`.
fn recognise_jdbc(text: &[u8], env: &Environment) -> Result<Database> {
    if let Some(rest) = text.strip_prefix(b"postgresql:") {
        // Without a host, the database's name may follow at once.
        let rest = rest
            .strip_prefix(b"//")
            .map_or_else(|| [b"/", rest.trim_start_with(|c| c == '/')].concat(), <[u8]>::to_vec);
        return Ok(Database::Postgres(Box::new(Target::new(url::parse(&rest, Form::Jdbc)?, env)?)));
    }
    match text.strip_prefix(b"sqlite:") {
        // The path stands there as it is; what follows a question mark is for the driver.
        Some(path) if !path.is_empty() && !path.contains(&b'?') && !path.starts_with(b":") => {
            Ok(Database::Sqlite(SqliteTarget { path: PathBuf::from(OsStr::from_bytes(path)) }))
        }
        _ => {
            Err(url::malformed("after \"jdbc:\", only postgresql: and the path of a file after sqlite: are understood"))
        }
    }
}

fn unknown(why: &str) -> Error {
    url::malformed(why).hint("URLs begin with postgresql:// (or postgres://, postgresql+driver://) or sqlite://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env() -> Environment {
        Environment::empty().with_user("me")
    }

    fn shown(text: &str) -> String {
        match recognise(text.as_bytes(), &env()) {
            Ok(Database::Sqlite(t)) => format!("sqlite {}", t.path.display()),
            Ok(Database::Postgres(t)) => t.describe(),
            Err(e) => e.to_string(),
        }
    }

    #[test]
    fn the_promised_forms_are_recognised() {
        for (text, meaning) in [
            ("sqlite:///relative.db", "sqlite relative.db"),
            ("sqlite:////absolute.db", "sqlite /absolute.db"),
            ("sqlite+aiosqlite:////absolute.db", "sqlite /absolute.db"),
            ("postgresql+asyncpg://u:p@h/d", "database \"d\" at h:5432 as \"u\""),
            ("postgresql+psycopg://u:p@h:7/d", "database \"d\" at h:7 as \"u\""),
            ("postgres://h", "database \"me\" at h:5432 as \"me\""),
            ("postgis://u:p@h/d?schema=x", "database \"d\" at h:5432 as \"u\""),
            ("jdbc:postgresql://h:7/d?user=u&password=p&currentSchema=x", "database \"d\" at h:7 as \"u\""),
            ("jdbc:postgresql:d", "database \"d\" at the local socket:5432 as \"me\""),
            ("jdbc:sqlite:/srv/app.db", "sqlite /srv/app.db"),
            ("jdbc:sqlite:app.db", "sqlite app.db"),
            ("POSTGRESQL://u@h", "database \"u\" at h:5432 as \"u\""),
            ("host=/tmp dbname=x", "database \"x\" at /tmp:5432 as \"me\""),
            ("host=h application_name=a://b", "database \"me\" at h:5432 as \"me\""),
        ] {
            assert_eq!(shown(text), meaning, "{text}");
        }
    }

    #[test]
    fn other_things_are_refused_with_a_reason() {
        for (text, said) in [
            ("mysql://u:geheim@h/d", "\"mysql\""),
            ("jdbc:mysql://u:geheim@h/d", "jdbc:"),
            ("jdbc:sqlite::memory:", "jdbc:"),
            ("geheim", "neither a URL nor"),
            ("", "neither a URL nor"),
            ("u:geheim@x://y", "scheme"),
        ] {
            let error = shown(text);
            assert!(error.contains(said) && !error.contains("geheim"), "{text}: {error}");
        }
    }

    #[test]
    fn the_url_is_looked_for_in_the_promised_order() {
        let env = env().with("Z4J_DATABASE_URL", "z").with("PGHOST", "h");
        assert_eq!(find_url(None, &env).unwrap(), "z");
        let env = env.with("DATABASE_URL", "d");
        assert_eq!(find_url(None, &env).unwrap(), "d");
        let env = env.with("LIFEBOAT_DATABASE_URL", "l");
        assert_eq!(find_url(None, &env).unwrap(), "l");
        assert_eq!(find_url(Some(b"given"), &env).unwrap(), "given");
        assert_eq!(find_url(None, &Environment::empty().with("PGDATABASE", "x")).unwrap(), "postgresql://");
        let error = find_url(None, &Environment::empty()).unwrap_err();
        assert!(error.to_string().contains("Z4J_DATABASE_URL"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic_or_shows_a_password(
            text in "(postgres|postgresql\\+asyncpg|sqlite|x|)(://)?[a-z:@/?&=%,'\\\\ \\[\\]+.0-9]{0,40}",
        ) {
            let _ = recognise(text.as_bytes(), &env());
            for text in [format!("{text} password='geheim"), format!("postgresql://u:geheim{text}")] {
                let shown = match recognise(text.as_bytes(), &env()) {
                    Err(error) => format!("{error} {error:?}"),
                    Ok(Database::Postgres(target)) => match &target.password {
                        Some(password) if password.0.ends_with(b"geheim") || password.0.starts_with(b"geheim") => {
                            format!("{target:?} {}", target.describe())
                        }
                        // It was no password to begin with, but a host or a database.
                        _ => String::new(),
                    },
                    Ok(_) => String::new(),
                };
                proptest::prop_assert!(!shown.contains("geheim"), "{}", shown);
            }
        }

        #[test]
        fn any_value_can_be_said_in_either_form(value in "[ -~äöü]{1,20}") {
            let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
            let encoded: String = value.bytes().map(|b| format!("%{b:02x}")).collect();
            let texts = [
                format!("host=h dbname='{quoted}' password = '{quoted}'"),
                format!("postgresql://u:{encoded}@h/{encoded}"),
                format!("postgresql+psycopg://h/?dbname={encoded}&password={encoded}&user=u"),
            ];
            for text in texts {
                match recognise(text.as_bytes(), &env()) {
                    Ok(Database::Postgres(target)) => {
                        proptest::prop_assert_eq!(target.database(), value.as_bytes());
                        proptest::prop_assert_eq!(&target.password.as_ref().unwrap().0, value.as_bytes());
                    }
                    other => proptest::prop_assert!(false, "{} is {:?}", text, other),
                }
            }
        }
    }
}
