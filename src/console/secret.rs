//! Passwords in the words that the process was called with, and that must not come out again.
//!
//! A URL with a password belongs to `--url`, and what reads it there prints none. Given anywhere else (as a file, as a pattern,
//! with the option misspelt) it would be repeated by whatever says that there is no such file. So what looks like a password
//! in any word of the command line, or in a variable that says which database is meant, is put out of all that is printed. It is looked
//! for with what stands around it, so that a password such as "a" does not black out every letter.

use std::borrow::Cow;
use std::ffi::OsString;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use crate::connect::VARIABLES;
use crate::printable::escaped;

/// What takes the place of a password.
const MASK: &str = "***";

/// Keywords whose values are passwords, as connection strings, the options of URLs and the environment have them, or as other
/// programs have them.
const KEYWORDS: [&str; 8] =
    ["password", "sslpassword", "pgpassword", "passwd", "passphrase", "pwd", "mysql_pwd", "oauth_client_secret"];

/// A text that must not be printed, and the one that is printed in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Secret {
    text: String,
    shown: String,
    /// Whether it is one beyond doubt. A file may be called `10:30@host`, which looks like the beginning of a URL.
    sure: bool,
}

static SECRETS: RwLock<Vec<Secret>> = RwLock::new(Vec::new());

fn known() -> RwLockReadGuard<'static, Vec<Secret>> {
    SECRETS.read().unwrap_or_else(PoisonError::into_inner)
}

/// Takes note of the passwords in the command line and in the environment. To be called before anything is printed.
pub(crate) fn learn(arguments: &[OsString]) {
    let is_ours = |name: &OsString| {
        let name = name.to_string_lossy();
        VARIABLES.contains(&&*name) || name.starts_with("PG") || name.starts_with("LIFEBOAT_")
    };
    let variables = std::env::vars_os().filter(|(name, _)| is_ours(name)).map(|(_, value)| value);
    let words: Vec<String> =
        arguments.iter().cloned().chain(variables).map(|word| word.to_string_lossy().into_owned()).collect();
    add(secrets(&words));
}

/// Takes note of the passwords in a text that says which database is meant, and came from somewhere else: a file.
pub(crate) fn learn_url(url: &str) {
    add(secrets(&[url.to_owned()]));
}

fn add(more: Vec<Secret>) {
    let mut known = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    known.extend(more);
    sort(&mut known);
}

/// `text` without the passwords that [`learn`] took note of.
pub(crate) fn masked(text: &str) -> Cow<'_, str> {
    mask(text, known().iter().filter(|secret| secret.sure))
}

/// As [`masked`], also without what may be one; for errors, which no program takes a name from.
pub(crate) fn masked_in_error(text: &str) -> Cow<'_, str> {
    mask(text, known().iter())
}

fn mask<'a, 's>(text: &'a str, secrets: impl IntoIterator<Item = &'s Secret>) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        if text.contains(&secret.text) {
            text = Cow::Owned(text.replace(&secret.text, &secret.shown));
        }
    }
    text
}

/// The secrets in `words`, the longest first, so that none hides a part of another.
fn secrets(words: &[String]) -> Vec<Secret> {
    let mut found: Vec<Secret> = words.iter().flat_map(|word| [in_url(word), of_keywords(word)].concat()).collect();
    let variants: Vec<Secret> = found.iter().flat_map(variants).collect();
    found.extend(variants);
    sort(&mut found);
    found
}

/// The longest first.
fn sort(secrets: &mut Vec<Secret>) {
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.text.len()));
    secrets.dedup();
}

/// What stands between the first colon and each of the @ signs after it, which a password may hold itself. Words without a
/// scheme are looked at too, unless they are the path of a file.
fn in_url(word: &str) -> Vec<Secret> {
    // Without a host, what follows a scheme of JDBC's or a third slash is the name of a database, and told as that.
    let word = word.strip_prefix("jdbc:postgresql:").filter(|rest| !rest.starts_with("//")).unwrap_or(word);
    let (scheme, rest) = word.split_once("://").unwrap_or(("", word));
    let rest = if scheme.is_empty() || scheme.contains("sqlite") { rest } else { rest.trim_start_matches('/') };
    let Some((user, after)) = rest.split_once(':') else { return Vec::new() };
    let is_of_files = scheme.is_empty() || scheme.contains("sqlite");
    if scheme.is_empty() && user.contains('/') {
        return Vec::new();
    }
    let upto = |at: usize| after.get(..at).unwrap_or_default();
    let whole = after.match_indices('@').map(|(at, _)| (upto(at), "@"));
    // A path is told up to one of its folders, or from one on, too.
    let last = after.rfind('@').unwrap_or(0);
    let folders = upto(last).match_indices('/').map(|(at, _)| (upto(at), ""));
    let parts = after.match_indices('@').flat_map(|(at, _)| {
        upto(at).match_indices('/').map(move |(slash, _)| after.get(slash + 1..at).unwrap_or_default())
    });
    let parts = parts.filter(|part| !part.is_empty()).map(|part| Secret {
        text: format!("{part}@"),
        shown: format!("{MASK}@"),
        sure: false,
    });
    let context = |ends_with: &str| if ends_with.is_empty() { user } else { "" };
    whole
        .chain(folders)
        .filter(|(password, _)| !password.is_empty())
        .map(|(password, end)| Secret {
            text: format!("{}:{password}{end}", context(end)),
            shown: format!("{}:{MASK}{end}", context(end)),
            sure: !is_of_files,
        })
        .chain(parts)
        .collect()
}

/// What follows `password=` and the like, up to where a connection string, or the options of a URL, end a value.
fn of_keywords(word: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    for (at, _) in word.match_indices('=') {
        let (before, after) = (word.get(..at).unwrap_or_default(), word.get(at + 1..).unwrap_or_default());
        let key_end = before.trim_end().len();
        let is_key = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let key = before.trim_end().rsplit(|c| !is_key(c)).next().unwrap_or_default();
        let value = value_of(after);
        if value.trim().is_empty() || !KEYWORDS.contains(&key.to_ascii_lowercase().as_str()) {
            continue;
        }
        let from = key_end - key.len();
        let text = word.get(from..at + 1 + value.len()).unwrap_or_default();
        let left = word.get(from..=at).unwrap_or_default();
        found.push(Secret { text: text.to_owned(), shown: format!("{left}{MASK}"), sure: true });
    }
    found
}

/// The value at the beginning of `text`, with the space before it.
fn value_of(text: &str) -> &str {
    let space = text.len() - text.trim_start().len();
    let rest = text.trim_start();
    let end = match rest.strip_prefix('\'') {
        Some(quoted) => end_of_quoted(quoted).map_or(rest.len(), |end| end + 1),
        None => rest.find(|c: char| c.is_whitespace() || c == '&').unwrap_or(rest.len()),
    };
    text.get(..space + end).unwrap_or(text)
}

/// Where the quote is that ends a value, and after it.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => _ = characters.next(),
            '\'' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The forms in which a word may be printed: with escapes, in quotes, as a path without its doubled slashes.
fn variants(secret: &Secret) -> Vec<Secret> {
    let forms = [
        escaped(&secret.text).into_owned(),
        secret.text.escape_debug().to_string(),
        secret.text.escape_debug().to_string().replace("\\'", "'"),
        secret.text.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/"),
    ];
    let other = |form: &String| *form != secret.text && form.len() > 2;
    forms.into_iter().filter(other).map(|text| Secret { text, ..secret.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(word: &str, text: &str) -> String {
        mask(text, &secrets(&[word.to_owned()])).into_owned()
    }

    #[test]
    fn passwords_are_found_wherever_they_stand() {
        for word in [
            "postgresql://u:geheim@h/d",
            "--ulr=postgresql://u:geheim@h/d",
            "-dpostgresql+asyncpg://u:geheim@h/d",
            "postgresql://u:geheim@h",
            "u:geheim@h/d",
            "u:geheim@h",
            "mysql://u:geheim@h/d?options=a@b",
            "postgresql://u:a@geheim@h/d",
            "postgresql://u:a/geheim@h",
            "postgresql://:geheim@h/d",
            "postgresql://u:a:geheim@h/d",
            "postgresql://u@h/d?password=geheim",
            "postgresql://u@h/d?sslmode=require&password=geheim&connect_timeout=3",
            "host=h password=geheim user=u",
            "host=h password = geheim",
            "host=h password='a b \\' geheim' user=u",
            "PASSWORD=geheim",
            "PGPASSWORD=geheim",
            "--password=geheim",
            "sslpassword='geheim",
        ] {
            assert!(!printed(word, &format!("no file {word}: is there")).contains("geheim"), "{word}");
            assert!(!printed(word, &format!("{word:?}")).contains("geheim"), "{word}");
            let path = std::path::Path::new(word);
            for part in path.ancestors().chain(path.file_name().map(std::path::Path::new)) {
                assert!(!printed(word, &part.display().to_string()).contains("geheim"), "{word}");
            }
            let absolute = std::path::absolute(path).unwrap();
            assert!(!printed(word, &absolute.display().to_string()).contains("geheim"), "{word}");
        }
    }

    #[test]
    fn what_is_no_password_stays() {
        for word in [
            "/srv/10:30@host.dump",
            "postgresql://u@h:5432/d",
            "a=b",
            "app@10:30.dump",
            "",
            "sqlite:////srv/app.db",
            "postgresql://h/d?passfile=x",
            "password",
            "password=",
        ] {
            assert_eq!(printed(word, &format!("{word} a:b@c")), format!("{word} a:b@c"), "{word}");
        }
        assert_eq!(printed("postgresql://u:a@h/d", "a table, as a@h"), "a table, as a@h");
    }
}
