//! Reads a command line as getopt_long of the GNU C library does, which PostgreSQL's tools use: short options in clusters, long
//! ones abbreviated as long as it is clear which is meant, options after operands unless `POSIXLY_CORRECT` is set. A library for
//! command lines has a grammar of its own in each of these: `-f=x` is the value `=x` here, and `--fi x` is `--file x`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An option of a tool.
#[derive(Debug, Clone, Copy)]
pub(super) struct OptionSpec<K> {
    /// Its long name; empty if it has none.
    pub(super) long: &'static str,
    /// Its letter.
    pub(super) short: Option<u8>,
    /// Whether it takes an argument.
    pub(super) argument: bool,
    /// What it means. Two long names of one meaning may have an abbreviation in common.
    pub(super) kind: K,
    /// The majors of PostgreSQL whose tool has it, the first and the last.
    pub(super) majors: (u32, u32),
    /// What the help calls its argument.
    pub(super) placeholder: &'static str,
    /// What the help says of it; without it, the help leaves it out.
    pub(super) help: &'static str,
}

/// The tools of all majors have it.
const ALWAYS: (u32, u32) = (0, u32::MAX);

/// An option without an argument.
pub(super) const fn flag<K: Copy>(long: &'static str, kind: K) -> OptionSpec<K> {
    OptionSpec { long, short: None, argument: false, kind, majors: ALWAYS, placeholder: "", help: "" }
}

/// An option with an argument, which the help calls `placeholder`.
pub(super) const fn value<K: Copy>(long: &'static str, kind: K, placeholder: &'static str) -> OptionSpec<K> {
    OptionSpec { long, short: None, argument: true, kind, majors: ALWAYS, placeholder, help: "" }
}

impl<K: Copy> OptionSpec<K> {
    /// The same with a letter.
    pub(super) const fn short(self, letter: u8) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// The same, with what the help says of it.
    pub(super) const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }

    /// Whether tools of this major have it.
    pub(super) fn is_of(&self, major: u32) -> bool {
        (self.majors.0..=self.majors.1).contains(&major)
    }

    /// The same, as tools have it from this major on.
    pub(super) const fn since(self, major: u32) -> Self {
        Self { majors: (major, self.majors.1), ..self }
    }

    /// The same, as tools have it up to this major.
    pub(super) const fn until(self, major: u32) -> Self {
        Self { majors: (self.majors.0, major), ..self }
    }
}

/// What comes next in a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item<K> {
    /// An option, and its argument if it takes one.
    Option(K, OsString),
    /// Something that is no option.
    Operand(OsString),
    /// An option that cannot be: what getopt_long says of it, without the name of the program.
    Wrong(String),
}

/// Goes through a command line, without the name that the program was called by. Operands come last, unless options must not
/// follow them.
pub(super) struct Arguments<'a, K> {
    specs: Vec<&'a OptionSpec<K>>,
    rest: std::vec::IntoIter<OsString>,
    /// What is left of a cluster of short options.
    cluster: Vec<u8>,
    operands: std::vec::IntoIter<OsString>,
    held: Vec<OsString>,
    stops_at_operand: bool,
}

impl<'a, K: Copy + PartialEq> Arguments<'a, K> {
    /// The arguments of a tool that has the options of `specs` that `major` has.
    pub(super) fn new(arguments: Vec<OsString>, specs: &'a [OptionSpec<K>], major: u32, posixly_correct: bool) -> Self {
        Self {
            specs: specs.iter().filter(|spec| spec.is_of(major)).collect(),
            rest: arguments.into_iter(),
            cluster: Vec::new(),
            operands: Vec::new().into_iter(),
            held: Vec::new(),
            stops_at_operand: posixly_correct,
        }
    }

    /// Everything that is left is an operand.
    fn hold_rest(&mut self) {
        self.held.extend(self.rest.by_ref());
    }

    fn long(&mut self, typed: &[u8]) -> Item<K> {
        let (name, given) = match typed.iter().position(|byte| *byte == b'=') {
            Some(at) => (&typed[..at], Some(&typed[at + 1..])),
            None => (typed, None),
        };
        let typed = String::from_utf8_lossy(typed);
        let exact = self.specs.iter().find(|spec| !spec.long.is_empty() && spec.long.as_bytes() == name).copied();
        let found = match exact {
            Some(spec) => spec,
            None => {
                let fits = |spec: &&&OptionSpec<K>| !spec.long.is_empty() && spec.long.as_bytes().starts_with(name);
                let possible: Vec<_> = self.specs.iter().filter(fits).copied().collect();
                let Some(&first) = possible.first() else {
                    return Item::Wrong(format!("unrecognized option '--{typed}'"));
                };
                // Other names of what the first means are not among what it could mean besides.
                let differs = |other: &&&OptionSpec<K>| other.kind != first.kind || other.argument != first.argument;
                if possible.iter().any(|other| differs(&other)) {
                    let shown = std::iter::once(&first).chain(possible.iter().filter(differs));
                    let names: String = shown.map(|spec| format!(" '--{}'", spec.long)).collect();
                    return Item::Wrong(format!("option '--{typed}' is ambiguous; possibilities:{names}"));
                }
                first
            }
        };
        match (found.argument, given) {
            (false, Some(_)) => Item::Wrong(format!("option '--{}' doesn't allow an argument", found.long)),
            (false, None) => Item::Option(found.kind, OsString::new()),
            (true, Some(given)) => Item::Option(found.kind, OsStr::from_bytes(given).to_owned()),
            (true, None) => match self.rest.next() {
                Some(given) => Item::Option(found.kind, given),
                None => Item::Wrong(format!("option '--{}' requires an argument", found.long)),
            },
        }
    }

    fn short(&mut self) -> Item<K> {
        let letter = self.cluster.remove(0);
        let Some(found) = self.specs.iter().find(|spec| spec.short == Some(letter)).copied() else {
            return Item::Wrong(format!("invalid option -- '{}'", char::from(letter)));
        };
        if !found.argument {
            return Item::Option(found.kind, OsString::new());
        }
        let attached = std::mem::take(&mut self.cluster);
        if !attached.is_empty() {
            return Item::Option(found.kind, OsString::from_vec(attached));
        }
        match self.rest.next() {
            Some(given) => Item::Option(found.kind, given),
            None => Item::Wrong(format!("option requires an argument -- '{}'", char::from(letter))),
        }
    }
}

impl<K: Copy + PartialEq> Iterator for Arguments<'_, K> {
    type Item = Item<K>;

    fn next(&mut self) -> Option<Item<K>> {
        loop {
            if !self.cluster.is_empty() {
                return Some(self.short());
            }
            let Some(word) = self.rest.next() else {
                if !self.held.is_empty() {
                    self.operands = std::mem::take(&mut self.held).into_iter();
                }
                return self.operands.next().map(Item::Operand);
            };
            match word.as_bytes() {
                b"--" => self.hold_rest(),
                [b'-', b'-', typed @ ..] => {
                    let typed = typed.to_vec();
                    return Some(self.long(&typed));
                }
                [b'-', letters @ ..] if !letters.is_empty() => self.cluster = letters.to_vec(),
                _ => {
                    self.held.push(word);
                    if self.stops_at_operand {
                        self.hold_rest();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Kind {
        Clean,
        Create,
        File,
        Filter,
        NoAcl,
        NoData,
    }

    const SPECS: &[OptionSpec<Kind>] = &[
        flag("clean", Kind::Clean).short(b'c'),
        flag("create", Kind::Create).short(b'C'),
        value("file", Kind::File, "FILENAME").short(b'f'),
        value("filter", Kind::Filter, "FILENAME").since(17),
        flag("no-privileges", Kind::NoAcl).short(b'x'),
        flag("no-acl", Kind::NoAcl),
        flag("no-data", Kind::NoData).since(18),
    ];

    fn read(major: u32, posixly_correct: bool, words: &str) -> Vec<Item<Kind>> {
        let words = words.split(' ').map(OsString::from).collect();
        Arguments::new(words, SPECS, major, posixly_correct).collect()
    }

    fn option(kind: Kind, argument: &str) -> Item<Kind> {
        Item::Option(kind, argument.into())
    }

    fn wrong(text: &str) -> Vec<Item<Kind>> {
        vec![Item::Wrong(text.to_owned())]
    }

    #[test]
    fn options_are_read_wherever_they_stand() {
        let expected = [
            option(Kind::Clean, ""),
            option(Kind::NoAcl, ""),
            option(Kind::File, "=x"),
            option(Kind::File, "-c"),
            option(Kind::File, ""),
            Item::Operand("db".into()),
            Item::Operand("-".into()),
            Item::Operand("-c".into()),
        ];
        assert_eq!(read(18, false, "db -cxf=x - --file -c --file= -- -c"), expected);
    }

    #[test]
    fn nothing_after_an_operand_is_an_option_where_posix_is_obeyed() {
        let expected = [option(Kind::Clean, ""), Item::Operand("db".into()), Item::Operand("-C".into())];
        assert_eq!(read(18, true, "-c db -C"), expected);
    }

    #[test]
    fn a_name_may_be_abbreviated_while_it_is_clear() {
        assert_eq!(
            read(18, false, "--cl --no-p --no-a"),
            [option(Kind::Clean, ""), option(Kind::NoAcl, ""), option(Kind::NoAcl, "")]
        );
        assert_eq!(read(16, false, "--f x --no"), [option(Kind::File, "x"), option(Kind::NoAcl, "")]);
        let both = "option '--f=x' is ambiguous; possibilities: '--file' '--filter'";
        assert_eq!(read(17, false, "--f=x"), wrong(both));
    }

    #[test]
    fn what_cannot_be_is_said_in_the_words_of_the_c_library() {
        for (typed, said) in [
            ("--nonsense=1", "unrecognized option '--nonsense=1'"),
            ("--cle=1", "option '--clean' doesn't allow an argument"),
            ("--file", "option '--file' requires an argument"),
            ("-q", "invalid option -- 'q'"),
            ("-f", "option requires an argument -- 'f'"),
            ("--no-data", "unrecognized option '--no-data'"),
        ] {
            assert_eq!(read(17, false, typed), wrong(said));
        }
    }
}
