//! What is said about what stays and what is left, once and not for each object.

use std::collections::BTreeSet;

use bstr::BStr;

use crate::postgres::archive::{EntryIndex, EntryName, text};
use crate::postgres::restore::non_superuser::review::{Review, named, show};
use crate::postgres::restore::plan::{Action, Step};
use crate::progress::Message;

impl Review<'_> {
    pub(super) fn warn(&mut self, at: EntryIndex, text: String) {
        self.tell(EntryName::of(&self.entries[at]).to_string(), text);
    }

    pub(super) fn tell(&mut self, subject: String, text: String) {
        self.limits.messages.push(Message::warning(subject, text));
    }

    /// Says once for each kind and owner what stays.
    pub(super) fn tell_same(&mut self) {
        for ((kind, owner), names) in std::mem::take(&mut self.same) {
            let [they, stay, them] = match names.len() {
                1 => ["it", "stays as it is: it belongs", "it"],
                _ => ["they", "stay as they are: they belong", "them"],
            };
            let role = self.role();
            let text = match owner {
                Some(owner) => format!("{they} {stay} to {}, and {role} may not replace {them}", show(owner)),
                None => {
                    let allow = show(named("GRANT CREATE ON DATABASE", self.foreign.database.as_ref()).as_ref());
                    format!(
                        "not dropped, for {role} could not make {them} anew; the owner of the database can allow it: {allow} TO {role}"
                    )
                }
            };
            self.tell(format!("{kind} {}", names.join(", ")), text);
        }
    }

    /// Says what schemas nothing can be made in. The server says it for each object.
    pub(super) fn tell_schemas(&mut self, steps: &[Step]) {
        let entries = self.entries;
        let made = steps.iter().filter(|step| matches!(step.action, Action::Define(_)));
        let schemas: BTreeSet<&BStr> = made.map(|step| text(&entries[step.entry].schema)).collect();
        for schema in schemas {
            let name = named("SCHEMA", schema);
            if self.foreign.objects.get(&name).is_some_and(|object| !object.may_create) {
                let name = show(BStr::new(name.as_slice()));
                let hint = format!("its owner can allow it: GRANT CREATE ON {name} TO {}", self.role());
                self.tell(name, format!("{} may not make anything in it, so nothing is dropped; {hint}", self.role()));
            }
        }
    }
}
