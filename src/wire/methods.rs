//! The ways to log in, and which of them a server may ask for.

/// The methods that there are, by libpq's names, with the numbers of the messages that ask for them.
const METHODS: [(&str, &[i32]); 7] = [
    ("none", &[0]),
    ("password", &[3]),
    ("md5", &[5]),
    ("gss", &[7, 8]),
    ("sspi", &[9]),
    // Of what is asked for by a list of mechanisms, only SCRAM is known here.
    ("scram-sha-256", &[10, 11, 12]),
    ("oauth", &[]),
];

/// Which methods are allowed: all, if nothing else was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Methods([bool; METHODS.len()]);

impl Default for Methods {
    fn default() -> Self {
        Self([true; METHODS.len()])
    }
}

impl Methods {
    /// Reads libpq's `require_auth`: names with commas between them, which are allowed alone; or names that all have an exclamation
    /// mark before them, which are not allowed.
    ///
    /// # Errors
    /// A name is not known, or some have an exclamation mark and others have none, or one is there twice; which and why.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut listed = [false; METHODS.len()];
        let mut forbids = None;
        for word in text.split(',').map(str::trim) {
            let (forbidden, name) = word.strip_prefix('!').map_or((false, word), |name| (true, name));
            let Some(at) = METHODS.iter().position(|(known, _)| *known == name) else {
                let known: Vec<_> = METHODS.iter().map(|(name, _)| *name).collect();
                return Err(format!("{name:?} is none of {}", known.join(", ")));
            };
            if *forbids.get_or_insert(forbidden) != forbidden {
                return Err("some of its methods have an exclamation mark, and others have none".to_owned());
            }
            if std::mem::replace(&mut listed[at], true) {
                return Err(format!("{name} is in it twice"));
            }
        }
        Ok(Self(listed.map(|listed| listed != (forbids == Some(true)))))
    }

    /// Whether a server may send the message of this number. One that stands for no method is for who knows better.
    pub(super) fn allow(self, number: i32) -> bool {
        METHODS.iter().zip(self.0).all(|((_, numbers), allowed)| allowed || !numbers.contains(&number))
    }

    /// The name of the method that a message of this number asks for.
    pub(super) fn name(number: i32) -> &'static str {
        METHODS.iter().find(|(_, numbers)| numbers.contains(&number)).map_or("unknown", |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_allow_or_forbid() {
        let allowed = |text: &str| {
            let methods = Methods::parse(text).unwrap();
            [0, 3, 5, 10].map(|number| methods.allow(number))
        };
        assert_eq!(allowed("scram-sha-256"), [false, false, false, true]);
        assert_eq!(allowed("password, md5"), [false, true, true, false]);
        assert_eq!(allowed("!none,!password"), [false, false, true, true]);
        assert!([0, 3, 5, 7, 10].into_iter().all(|number| Methods::default().allow(number)));
        for (text, said) in [("md5,!none", "others"), ("scram", "\"scram\""), ("", "\"\""), ("md5,md5", "twice")] {
            let why = Methods::parse(text).unwrap_err();
            assert!(why.contains(said), "{text}: {why}");
        }
    }
}
