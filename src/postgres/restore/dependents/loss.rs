//! What a restore would drop and not bring back, and how that is said.

use std::fmt;

use bstr::BStr;

use crate::progress::{Message, Reporter};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, printable};

/// Something that a restore would drop although it is not in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dependent {
    /// Its kind and name, as an entry's: `TABLE public.orders_2027`.
    pub object: String,
    /// What it goes along with, and how.
    pub along_with: Option<String>,
    /// How many rows it has, if it can have any and that can be told.
    pub rows: Option<u64>,
    /// Whether that is estimated.
    pub is_estimate: bool,
}

impl Dependent {
    /// What has no rows of its own.
    pub fn named(object: &BStr) -> Self {
        Self { object: printable::name(object), along_with: None, rows: None, is_estimate: false }
    }
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        let rows = self.rows.map(|rows| shown_rows(rows, !self.is_estimate));
        let parts: Vec<&str> = self.along_with.iter().chain(&rows).map(String::as_str).collect();
        match parts.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", parts.join(", ")),
        }
    }
}

/// `7 rows`, in words.
pub fn shown_rows(rows: u64, is_exact: bool) -> String {
    format!("{}{rows} row{}", if is_exact { "" } else { "about " }, if rows == 1 { "" } else { "s" })
}

/// What may be lost: the catalog does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Doubt {
    /// What it is about: `COLUMN public.t name`, `EXTENSION postgis`.
    pub about: String,
    /// What cannot be told.
    pub why: String,
    /// What that is about, if it is more than one object.
    pub objects: Vec<String>,
}

impl Doubt {
    /// The reason, with the first of the objects.
    pub fn text(&self) -> String {
        if self.objects.is_empty() { self.why.clone() } else { format!("{}: {}", self.why, few(&self.objects)) }
    }
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Losses {
    pub certain: Vec<Dependent>,
    pub doubtful: Vec<Doubt>,
}

impl Losses {
    pub fn extend(&mut self, other: Self) {
        self.certain.extend(other.certain);
        self.doubtful.extend(other.doubtful);
    }
}

/// How many of them a refusal names.
const SHOWN: usize = 20;
/// How many of them are told where they may go.
const TOLD: usize = 100;

/// The first of them, and how many more there are.
fn few(names: &[impl ToString]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(SHOWN);
    format!("{}{}", shown.join("; "), if more > 0 { format!("; and {more} more") } else { String::new() })
}

pub fn warn(reporter: &dyn Reporter, subject: String, text: impl Into<Words>) {
    reporter.message(Message::warning(subject, text));
}

/// Says what goes, where that was asked for, and what may go.
pub fn tell(losses: &Losses, reporter: &dyn Reporter) {
    let Losses { certain, doubtful } = losses;
    for dependent in certain.iter().take(TOLD) {
        let text = "this restore does not bring it back, and it is dropped along with what is replaced";
        warn(reporter, dependent.to_string(), text);
    }
    if certain.len() > TOLD {
        let more = format!("{} more", certain.len() - TOLD);
        warn(reporter, more, "they are dropped along, too; " + Choice::Preview + " names all of them");
    }
    for doubt in doubtful.iter().take(TOLD) {
        warn(reporter, doubt.about.clone(), doubt.text());
    }
    if doubtful.len() > TOLD {
        let more = format!("{} more", doubtful.len() - TOLD);
        warn(reporter, more, "they may be lost, too; " + Choice::Preview + " names all of them");
    }
}

/// The error where something would be lost that was not given up.
pub fn refusal(lost: &[Dependent], database: &BStr) -> Error {
    Error::new(ErrorKind::Refused, format!("restore into database \"{}\"", printable::name(database)))
        .why(format!(
            "what this restore does not bring back would be dropped along with what is replaced: {}",
            few(lost)
        ))
        .hint(
            "nothing was changed: take it out of the way (as with ALTER TABLE … DETACH PARTITION), or give "
                + Choice::DropDependents
                + " to lose it; "
                + Choice::Preview
                + " names all of it",
        )
}
