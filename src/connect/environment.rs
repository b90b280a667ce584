//! The environment of the process, as a value.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use bstr::{BStr, BString, ByteSlice};

/// What surrounds a connection: environment variables, who the process runs as, where that user's files are.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<BString, BString>,
    user: Option<BString>,
    home: Option<PathBuf>,
}

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        let variables: BTreeMap<BString, BString> =
            std::env::vars_os().map(|(name, value)| (name.into_vec().into(), value.into_vec().into())).collect();
        let mut env = Self { variables, user: None, home: None };
        let account = account(rustix::process::geteuid().as_raw(), &accounts());
        let (name, home) = account.map_or((None, None), |(name, home)| (Some(name), Some(home)));
        // Accounts that only a directory service knows are not in the file; a login sets these for them.
        env.user = name.or_else(|| env.get("USER").or_else(|| env.get("LOGNAME")).map(BStr::to_owned));
        env.home = env.get("HOME").map(|h| PathBuf::from(OsStr::from_bytes(h))).or(home);
        env
    }

    /// One without variables, home and user.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<BString>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets the name of the user.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<BString>) -> Self {
        self.user = Some(name.into());
        self
    }

    /// Sets the home directory.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        self
    }

    /// A variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&BStr> {
        self.variables.get(name.as_bytes().as_bstr()).map(|v| v.as_bstr()).filter(|v| !v.is_empty())
    }

    /// The name of the operating system's user.
    pub fn user(&self) -> Option<&BStr> {
        self.user.as_ref().map(|u| u.as_bstr())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }
}

/// Variables may hold passwords.
impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment").field("user", &self.user).field("home", &self.home).finish_non_exhaustive()
    }
}

/// The text of the passwd file; empty in a container that has none.
fn accounts() -> Vec<u8> {
    std::fs::read("/etc/passwd").unwrap_or_default()
}

/// The name of the operating system's user of this number.
pub(super) fn user_name(uid: u32) -> Option<BString> {
    account(uid, &accounts()).map(|(name, _)| name)
}

/// Name and home of a user in the text of a passwd file.
fn account(uid: u32, passwd: &[u8]) -> Option<(BString, PathBuf)> {
    let uid = uid.to_string();
    passwd.lines().find_map(|line| {
        let fields: Vec<&[u8]> = line.split(|b| *b == b':').collect();
        (fields.len() >= 6 && fields[2] == uid.as_bytes())
            .then(|| (fields[0].into(), PathBuf::from(OsStr::from_bytes(fields[5]))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_by_number() {
        let text = b"root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:,,,:/srv/app:/bin/sh\nbroken:x\n";
        assert_eq!(account(1000, text), Some(("app".into(), "/srv/app".into())));
        assert_eq!(account(7, text), None);
    }

    #[test]
    fn an_empty_variable_counts_as_not_set() {
        assert_eq!(Environment::empty().with("PGHOST", "").get("PGHOST"), None);
    }

    #[test]
    fn debug_output_shows_no_variable() {
        assert!(!format!("{:?}", Environment::empty().with("PGPASSWORD", "geheim")).contains("geheim"));
    }
}
