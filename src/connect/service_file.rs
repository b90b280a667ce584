//! The connection service file: sections `[name]` of `keyword=value` lines, which `service=name` or `PGSERVICE` stand for.
//!
//! It is looked for where libpq looks: `PGSERVICEFILE`, else `~/.pg_service.conf`; and what is not there, in `pg_service.conf` in the
//! folder that `PGSYSCONFDIR` names, or in that of Debian's packages.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BStr, ByteSlice};

use super::environment::Environment;
use super::settings::Settings;
use crate::{Context, Error, ErrorKind, Result};

/// Where the file of all users is, if `PGSYSCONFDIR` does not say it.
const OF_ALL_USERS: &str = "/etc/postgresql-common";

/// What the service file says of the service that is named, if one is.
///
/// # Errors
/// The file that is named cannot be read; no file has the service; its section makes no sense.
pub(super) fn look_up(settings: &Settings, env: &Environment) -> Result<Option<Settings>> {
    let Some(service) = settings.get("service").or_else(|| env.get("PGSERVICE")) else { return Ok(None) };
    let named = settings.get("servicefile").or_else(|| env.get("PGSERVICEFILE"));
    let of_user = match named {
        Some(path) => Some(PathBuf::from(OsStr::from_bytes(path))),
        None => env.home().map(|home| home.join(".pg_service.conf")),
    };
    if let Some(path) = of_user
        && let Some(found) = in_file(&path, service, named.is_some())?
    {
        return Ok(Some(found));
    }
    let folder = env.get("PGSYSCONFDIR").map_or(Path::new(OF_ALL_USERS), |path| Path::new(OsStr::from_bytes(path)));
    if let Some(found) = in_file(&folder.join("pg_service.conf"), service, false)? {
        return Ok(Some(found));
    }
    Err(Error::new(ErrorKind::Usage, format!("find the connection service {service:?}"))
        .why("no service file has a section of that name")
        .hint("define it in ~/.pg_service.conf, or say with PGSERVICEFILE where it is"))
}

fn in_file(path: &Path, service: &BStr, must_be_there: bool) -> Result<Option<Settings>> {
    let doing = || format!("read the service file {}", path.display());
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(e) if !must_be_there && matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(e) => return Err(e).context(ErrorKind::Usage, doing),
    };
    section(&text, service)
        .map_err(|(line, error)| Error::new(ErrorKind::Usage, doing()).why(format!("line {line}")).source(error))
}

/// The settings of a section; the first of its name counts. An error comes with the number of its line.
fn section(text: &[u8], service: &BStr) -> std::result::Result<Option<Settings>, (usize, Error)> {
    let mut found: Option<Settings> = None;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(name) = line.strip_prefix(b"[") {
            if found.is_some() {
                break;
            }
            if name.strip_suffix(b"]").is_some_and(|name| name == service.as_bytes()) {
                found = Some(Settings::default());
            }
            continue;
        }
        let Some(settings) = &mut found else { continue };
        add(settings, line).map_err(|error| (at + 1, error))?;
    }
    Ok(found)
}

fn add(settings: &mut Settings, line: &[u8]) -> Result<()> {
    // What the line holds is not shown: it may be a password.
    let malformed = |why: &str| Err(Error::new(ErrorKind::Usage, "read it as keyword=value").why(why));
    if line.starts_with(b"ldap") && line.contains_str("://") {
        return malformed("settings that come from an LDAP server are not supported");
    }
    let Some((name, value)) = line.split_once_str("=") else { return malformed("there is no \"=\"") };
    match name.to_str() {
        Ok("service" | "servicefile") => malformed("a service cannot name another one"),
        Ok(name) => match settings.get(name) {
            // The first of its name counts.
            Some(_) => Ok(()),
            None => settings.set(name, value),
        },
        Err(_) => malformed("the keyword is not valid UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] =
        b"# all\n[one]\nhost=a\n\n[two]\n host=b\nport=5433\nhost=c\n[two]\nuser=x\n[bad]\npasword=geheim\n";

    #[test]
    fn a_section_holds_settings() {
        let two = section(TEXT, BStr::new("two")).unwrap().unwrap();
        assert_eq!(
            (two.get("host"), two.get("port"), two.get("user")),
            (Some(BStr::new("b")), Some(BStr::new("5433")), None)
        );
        assert!(section(TEXT, BStr::new("three")).unwrap().is_none());
        let (line, error) = section(TEXT, BStr::new("bad")).unwrap_err();
        assert!(line == 12 && !error.to_string().contains("geheim"), "{error}");
    }

    #[test]
    fn a_service_stands_before_the_environment_and_after_what_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("services");
        std::fs::write(&path, TEXT).unwrap();
        let env = Environment::empty()
            .with("PGSERVICEFILE", path.to_str().unwrap())
            .with("PGSERVICE", "two")
            .with("PGHOST", "env")
            .with("PGUSER", "u");
        let mut settings = Settings::default();
        settings.set("port", "7").unwrap();
        let settings = settings.with_service(&env).unwrap().with_environment(&env).unwrap();
        let is = |name, value: &str| assert_eq!(settings.get(name), Some(BStr::new(value)), "{name}");
        is("host", "b");
        is("port", "7");
        is("user", "u");
        for (service, said) in [("none", "no service file has"), ("bad", "line 12")] {
            let error =
                Settings::default().with_service(&env.clone().with("PGSERVICE", service)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }
}
