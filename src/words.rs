//! Words for a person, in which what he can choose is named by what it does.
//!
//! The engine knows what would help: a dump that goes on in spite of what it does not understand, a restore by one connection.
//! It does not know how he tells it: by an option of a command line, a field, a button. So a message, an error and its hint
//! hold a [`Choice`] there, and whoever shows them gives it the name that it has with him.

use std::fmt;
use std::ops::Add;

use crate::printable::escaped;

/// Something that a caller can choose. [`Display`](fmt::Display) names it as this library does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// To go on where a newer server's catalog says something that is not understood.
    AcceptUnknown,
    /// To restore privileges.
    Acl,
    /// To make a backup.
    Backup,
    /// To make a backup of the database at a URL, into a file called NEW.
    BackupOf(String),
    /// To write a compacted copy of a SQLite database.
    Compact,
    /// To make the database itself.
    Create,
    /// To switch triggers off while rows are loaded.
    DisableTriggers,
    /// To end the sessions in a database that another takes the place of.
    Disconnect,
    /// To drop what is not in the archive along with what it replaces.
    DropDependents,
    /// To replace what is there.
    Force,
    /// To have an archive with INSERT statements in place of COPY.
    Inserts,
    /// To say by how many connections the work is done: by so many, or by as many as are wanted.
    Jobs(Option<usize>),
    /// To back up roles and tablespaces.
    Globals,
    /// To restore the entries of a list.
    List,
    /// To say how long a lock is waited for.
    LockWait,
    /// Not to drop the archive's objects before.
    NoClean,
    /// Not to give objects to the owners that the archive names.
    NoOwner,
    /// Not to back up roles' passwords.
    NoRolePasswords,
    /// Not to back up subscriptions.
    NoSubscriptions,
    /// Not to back up user mappings.
    NoUserMappings,
    /// Not to check the archive before the restore.
    NoVerify,
    /// To have a backup written into a file, and not to standard output.
    Output,
    /// To give objects to the owners that the archive names.
    Owner,
    /// To have a standby wait with its replay while it is backed up.
    PauseReplay,
    /// To be told what would be done.
    Preview,
    /// To read the whole of a result.
    Report,
    /// To take a role before anything is restored.
    Role,
    /// To write a script instead.
    Script,
    /// To restore into a new database that takes the place of the one that is there.
    Swap,
    /// To select tables.
    Tables,
    /// To commit after so many objects.
    TransactionSize,
    /// To say which database is meant.
    Url,
    /// To check an archive.
    Verify,
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AcceptUnknown => "`accept_unknown`",
            Self::Acl => "`acl`",
            Self::Backup => "`backup`",
            Self::BackupOf(url) => return write!(f, "`backup` of {url} into NEW"),
            Self::Compact => "`compact`",
            Self::Create => "`create`",
            Self::Disconnect => "`lifeboat restore --disconnect`",
            Self::DisableTriggers => "`disable_triggers`",
            Self::DropDependents => "`drop_dependents`",
            Self::Force => "`force`",
            Self::Globals => "`globals::backup`",
            Self::Inserts => "INSERT statements",
            Self::Jobs(None) => "`jobs`",
            Self::Jobs(Some(jobs)) => return write!(f, "`jobs: {jobs}`"),
            Self::List => "`list`",
            Self::LockWait => "`lock_wait`",
            Self::NoClean => "`clean: false`",
            Self::NoOwner => "`owner: false`",
            Self::NoRolePasswords => "`passwords: false`",
            Self::NoSubscriptions => "`subscriptions: false`",
            Self::NoUserMappings => "`user_mappings: false`",
            Self::NoVerify => "`verify: false`",
            Self::Output => "its output in a file",
            Self::Owner => "`owner`",
            Self::PauseReplay => "`lifeboat backup --pause-replay`",
            Self::Preview => "`preview`",
            Self::Report => "the summary",
            Self::Role => "`role`",
            Self::Script => "a script",
            Self::Swap => "`lifeboat restore --swap`",
            Self::Tables => "`tables`",
            Self::TransactionSize => "`transaction_size`",
            Self::Url => "URL",
            Self::Verify => "`verify`",
        })
    }
}

/// Words in which choices have no name yet. [`Display`](fmt::Display) names them as this library does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Choice(Choice),
}

impl Words {
    /// The words, in which each choice has the name that `name` gives it.
    pub fn named(&self, name: impl Fn(&Choice) -> String) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Choice(choice) => name(choice),
        });
        parts.collect()
    }

    /// What can be chosen.
    pub fn choices(&self) -> impl Iterator<Item = &Choice> {
        self.0.iter().filter_map(|part| if let Part::Choice(choice) = part { Some(choice) } else { None })
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|part| matches!(part, Part::Text(text) if text.is_empty()))
    }

    /// The same on one line, whoever wrote what it quotes.
    pub(crate) fn plain(mut self) -> Self {
        for part in &mut self.0 {
            if let Part::Text(text) | Part::Choice(Choice::BackupOf(text)) = part
                && let std::borrow::Cow::Owned(escaped) = escaped(text)
            {
                *text = escaped;
            }
        }
        self
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.named(Choice::to_string))
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(vec![Part::Text(text)])
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Choice> for Words {
    fn from(choice: Choice) -> Self {
        Self(vec![Part::Choice(choice)])
    }
}

impl<T: Into<Words>> Add<T> for Words {
    type Output = Self;

    fn add(mut self, more: T) -> Self {
        self.0.extend(more.into().0);
        self
    }
}

impl<T: Into<Words>> Add<T> for Choice {
    type Output = Words;

    fn add(self, more: T) -> Words {
        Words::from(self) + more
    }
}

impl Add<Words> for &str {
    type Output = Words;

    fn add(self, more: Words) -> Words {
        Words::from(self) + more
    }
}

impl Add<Choice> for &str {
    type Output = Words;

    fn add(self, choice: Choice) -> Words {
        Words::from(self) + choice
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_names_what_can_be_chosen() {
        let words = "give " + Choice::Force + "; " + Choice::Jobs(Some(1)) + format!(" takes {}", 2);
        assert_eq!(words.to_string(), "give `force`; `jobs: 1` takes 2");
        assert_eq!(words.named(|choice| format!("<{choice:?}>")), "give <Force>; <Jobs(Some(1))> takes 2");
        assert_eq!(words.choices().collect::<Vec<_>>(), [&Choice::Force, &Choice::Jobs(Some(1))]);
        assert!(!words.is_empty() && Words::from("").is_empty() && Words::default().is_empty());
    }

    #[test]
    fn what_others_wrote_stays_on_one_line() {
        let words = Words::from("a\nb") + Choice::BackupOf("c\nd".into());
        assert_eq!(words.plain().to_string(), "a\\nb`backup` of c\\nd into NEW");
    }
}
