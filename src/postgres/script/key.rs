//! The word that keeps psql from taking anything in a script for a command of its own.

use std::fs::File;
use std::io::Read;
use std::str::FromStr;

use crate::{Context, Error, ErrorKind, Result};

const CHARACTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LENGTH: usize = 63;

/// The key of psql's `\restrict`: letters and digits. Who writes what is in the archive must not be able to guess it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestrictKey(String);

impl RestrictKey {
    /// A key that nobody can guess.
    ///
    /// # Errors
    /// The system has no random numbers to give.
    pub fn random() -> Result<Self> {
        let doing = || "choose a key for \\restrict";
        let mut random = File::open("/dev/urandom").context(ErrorKind::Io, doing)?;
        let mut key = String::with_capacity(LENGTH);
        let mut byte = [0];
        while key.len() < LENGTH {
            random.read_exact(&mut byte).context(ErrorKind::Io, doing)?;
            // The first bytes in a whole number of rounds through the characters, so that none comes more often.
            if let Some(&character) = CHARACTERS.get(usize::from(byte[0] & 63)) {
                key.push(char::from(character));
            }
        }
        Ok(Self(key))
    }

    /// The key itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RestrictKey {
    type Err = Error;

    fn from_str(key: &str) -> Result<Self> {
        if key.is_empty() || !key.bytes().all(|byte| CHARACTERS.contains(&byte)) {
            return Err(Error::new(ErrorKind::Usage, "take this as the key for \\restrict")
                .why("it must be letters from a to z and digits, and at least one of them"));
        }
        Ok(Self(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_random_letters_and_digits() {
        let (one, other) = (RestrictKey::random().unwrap(), RestrictKey::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(one.as_str().len(), LENGTH);
        assert_eq!(one.as_str().parse::<RestrictKey>().unwrap(), one);
    }

    #[test]
    fn what_could_be_a_command_is_no_key() {
        for wrong in ["", "a b", "a\n\\! ls", "ä", "a'"] {
            assert_eq!(wrong.parse::<RestrictKey>().unwrap_err().kind(), ErrorKind::Usage);
        }
    }
}
