//! What a plan leaves alone, by what is there and belongs to others.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::{EntryIndex, EntryName, kinds, text};
use crate::postgres::restore::non_superuser::foreign_objects::{ForeignObjects, Function, Object};
use crate::postgres::restore::non_superuser::privileges;
use crate::postgres::restore::non_superuser::role_limits::{ALONG, RoleLimits};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::owner;
use crate::postgres::restore::plan::step::{Action, Step};
use crate::postgres::restore::summary::{EntryError, Stay};
use crate::printable;
use crate::sql::Encoding;
use crate::sql::quote::{self, quoted};

/// What is planned for an entry, in view of what is there. Of several, the last counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It is dropped and made.
    #[default]
    Recreated,
    /// It is neither dropped nor made, but changed.
    Kept,
    /// It is not dropped, but replaced.
    Replaced,
    /// Nothing is done for it.
    Left,
}

pub struct Steps {
    pub drops: Vec<Step>,
    pub steps: Vec<Step>,
}

impl Steps {
    /// Without what is there and belongs to others, and what cannot be done, by what the server says that is `foreign`.
    /// `standard_strings` is how the archive's string literals are written.
    pub fn for_role(
        mut self,
        entries: &[Entry],
        options: &RestoreOptions,
        foreign: &ForeignObjects,
        standard_strings: bool,
    ) -> (Self, RoleLimits) {
        let mut review = Review::new(entries, options, foreign, standard_strings);
        review.decide(&self);
        let is_statement = |action: &Action| !matches!(action, Action::Set(_) | Action::Become(_) | Action::Heading(_));
        self.drops.retain(|step| {
            let stays = review.fate(step.entry) != Fate::Recreated || review.is_in_closed_schema(step.entry);
            !(stays && is_statement(&step.action))
        });
        self.steps.retain(|step| match review.fate(step.entry) {
            Fate::Kept => !matches!(step.action, Action::Define(_)),
            Fate::Left => !is_statement(&step.action),
            Fate::Recreated | Fate::Replaced => true,
        });
        for step in self.steps.iter_mut().filter(|step| review.fate(step.entry) == Fate::Replaced) {
            if let Action::Define(statement) = &mut step.action {
                *statement = Some(or_replace(text(&entries[step.entry].definition)));
            }
        }
        if !options.stops_at_first_error() {
            self.steps.retain(|step| !review.is_for_foreign_owner(step.entry, &step.action));
        }
        review.tell_same();
        review.tell_schemas(&self.steps);
        (self, review.limits)
    }
}

/// A plan that is being looked through.
pub(super) struct Review<'a> {
    pub(super) entries: &'a [Entry],
    options: &'a RestoreOptions,
    pub(super) foreign: &'a ForeignObjects,
    standard_strings: bool,
    pub(super) limits: RoleLimits,
    /// What stays and is the same, by kind and owner; no owner if it stays because it could not be made anew.
    pub(super) same: BTreeMap<(String, Option<&'a BStr>), Vec<String>>,
    fates: Vec<Fate>,
}

impl<'a> Review<'a> {
    fn new(
        entries: &'a [Entry],
        options: &'a RestoreOptions,
        foreign: &'a ForeignObjects,
        standard_strings: bool,
    ) -> Self {
        let messages = foreign.unknown.iter().cloned().collect();
        let limits = RoleLimits { role: Some(foreign.role.clone()), messages, ..RoleLimits::default() };
        let fates = vec![Fate::default(); entries.len()];
        Self { entries, options, foreign, standard_strings, limits, same: BTreeMap::new(), fates }
    }

    fn fate(&self, at: EntryIndex) -> Fate {
        self.fates[..][at]
    }

    fn set_fate(&mut self, at: EntryIndex, fate: Fate) {
        let now = &mut self.fates[..][at];
        *now = fate.max(*now);
        if fate == Fate::Left {
            self.limits.settled.insert(at);
        }
    }

    /// Decides what becomes of each entry that something is planned for.
    fn decide(&mut self, planned: &Steps) {
        let entries: BTreeSet<EntryIndex> = planned.drops.iter().chain(&planned.steps).map(|step| step.entry).collect();
        for at in entries {
            if self.fate(at) != Fate::Left && self.is_left(at) {
                self.set_fate(at, Fate::Left);
            }
        }
        for (at, function) in self.functions(&planned.drops) {
            let fate = self.of_function(at, function);
            self.set_fate(at, fate);
            // It cannot be dropped, for it holds the function.
            if let Some(schema) = self.schema_of(at) {
                self.set_fate(schema, Fate::Kept);
            }
        }
    }

    /// Whether nothing is done for an entry, because of what is there.
    fn is_left(&mut self, at: EntryIndex) -> bool {
        let entry = &self.entries[at];
        if kinds::group(entry) == EntryGroup::Comment {
            return self.comment(at);
        }
        if kinds::is(entry, "ACL") && text(&entry.tag).starts_with(b"SCHEMA ") {
            return self.privileges(at);
        }
        let Some(object) = self.foreign.objects.get(&name(entry)) else { return false };
        if object.is_mine {
            // Of what would be dropped it is known then that it is lost.
            self.stays(at, object);
            self.set_fate(at, Fate::Kept);
            return false;
        }
        match text(&entry.desc).as_bytes() {
            b"EXTENSION" => {
                self.stays(at, object);
                if object.definition.as_ref().is_some_and(|definition| definition != text(&entry.definition)) {
                    self.warn(at, "it is in another schema than in the archive, or was asked for otherwise".to_owned());
                }
            }
            b"SCHEMA" => {
                // What is only spoken of is not made anyway.
                if !text(&entry.definition).starts_with(b"--") {
                    self.stays(at, object);
                }
                let owner = text(&entry.owner);
                if self.options.owner && !owner.is_empty() && *owner != object.owner {
                    self.leave(at, format!("its owner stays {}", show(object.owner.as_bstr())));
                }
            }
            _ => {
                if object.definition.as_ref().is_some_and(|it| is_same(it.as_bstr(), text(&entry.definition))) {
                    self.stays(at, object);
                } else {
                    let what = "there is one of that name, which is another or cannot be compared";
                    self.leave(at, format!("{what}; it belongs to {}", show(object.owner.as_bstr())));
                    self.leave_what_is_of(at);
                }
            }
        }
        true
    }

    /// A comment on something that belongs to another.
    fn comment(&mut self, at: EntryIndex) -> bool {
        let entry = &self.entries[at];
        let tag = text(&entry.tag);
        let Some(object) = self.foreign.objects.get(tag).filter(|object| !object.is_mine) else { return false };
        let mut same = [b"COMMENT ON ", tag.as_bytes(), b" IS "].concat();
        if !text(&entry.definition).starts_with(&same) {
            return false;
        }
        match &object.comment {
            Some(comment) => quote::literal(&mut same, comment.as_bstr(), self.standard_strings, Encoding::Safe),
            None => same.extend_from_slice(b"NULL"),
        }
        same.extend_from_slice(b";");
        let owner = show(object.owner.as_bstr());
        if text(&entry.definition).trim_ascii() == same {
            // There is nothing to be said.
        } else if tag.starts_with(b"EXTENSION ") {
            // That of an extension is its author's, most often, and another in each of its versions.
            let why = format!("it stays another than in the archive: the extension belongs to {owner}");
            self.limits.stays.push(Stay { entry: EntryName::of(entry), why: why.clone() });
            self.warn(at, why);
        } else {
            self.leave(at, format!("what it is on belongs to {owner}, and {} may not change it", self.role()));
        }
        true
    }

    /// Privileges on a schema that belongs to another. Of those that the server does not give, it only warns.
    fn privileges(&mut self, at: EntryIndex) -> bool {
        let entry = &self.entries[at];
        let tag = text(&entry.tag);
        let Some(object) = self.foreign.objects.get(tag).filter(|object| !object.is_mine) else { return false };
        if !privileges::are_given(text(&entry.definition), tag, &object.privileges) {
            let (owner, role) = (show(object.owner.as_bstr()), self.role());
            self.leave(at, format!("what it is on belongs to {owner}, and {role} may not give privileges on it"));
        }
        true
    }

    /// The dropped entries that make functions of others' event triggers, which stay, so that these cannot be dropped.
    fn functions(&self, drops: &[Step]) -> Vec<(EntryIndex, &'a Function)> {
        let functions = self.foreign.objects.values().filter_map(|object| object.function.as_ref());
        let functions: HashMap<(&BStr, &BStr), &Function> =
            functions.map(|function| ((function.schema.as_bstr(), function.signature.as_bstr()), function)).collect();
        let dropped: BTreeSet<EntryIndex> = drops.iter().map(|step| step.entry).collect();
        let routines = dropped.into_iter().filter(|at| kinds::group(&self.entries[*at]) == EntryGroup::Routine);
        let found = routines.filter_map(|at| {
            let entry = &self.entries[at];
            Some((at, *functions.get(&(text(&entry.schema), text(&entry.tag)))?))
        });
        found.collect()
    }

    /// The entry that makes the schema that this one is in.
    fn schema_of(&self, at: EntryIndex) -> Option<EntryIndex> {
        let schema = text(&self.entries[at].schema);
        EntryIndex::find(self.entries, |entry| kinds::is(entry, "SCHEMA") && text(&entry.tag) == schema)
    }

    /// The function of an event trigger is replaced, or stays if it is the same, and is left if not.
    fn of_function(&mut self, at: EntryIndex, function: &Function) -> Fate {
        if function.is_mine {
            return Fate::Replaced;
        }
        let entry = &self.entries[at];
        if is_function(entry, function) {
            let why = "an event trigger that stays runs it, and it is the same".to_owned();
            self.limits.stays.push(Stay { entry: EntryName::of(entry), why });
        } else {
            self.leave(at, "an event trigger that stays runs it, and it belongs to another role".to_owned());
        }
        Fate::Left
    }

    /// What says something about an entry that is left, or belongs to it, is left along with it.
    fn leave_what_is_of(&mut self, at: EntryIndex) {
        let of = &self.entries[at];
        for (part, entry) in EntryIndex::enumerate(self.entries) {
            let is_part = kinds::is_dependent(entry) || matches!(kinds::group(entry), EntryGroup::Publication);
            if is_part && entry.dependencies.contains(&of.dump_id) && self.fate(part) != Fate::Left {
                self.set_fate(part, Fate::Left);
                self.limits.left.push(EntryError::other(entry, b"", format!("{ALONG}{}", EntryName::of(of))));
            }
        }
    }

    fn stays(&mut self, at: EntryIndex, object: &'a Object) {
        let entry = EntryName::of(&self.entries[at]);
        let owner = (!object.is_mine).then(|| object.owner.as_bstr());
        self.same.entry((entry.desc.clone(), owner)).or_default().push(entry.tag.clone());
        let why = match owner {
            Some(owner) => format!("it belongs to {}, and {} may not replace it", show(owner), self.role()),
            None => format!("{} may not make any in this database", self.role()),
        };
        self.limits.stays.push(Stay { entry, why });
    }

    /// Whether an entry's object is in a schema in which the role may not make it anew, were it dropped.
    fn is_in_closed_schema(&self, at: EntryIndex) -> bool {
        let schema = text(&self.entries[at].schema);
        !schema.is_empty()
            && self.foreign.objects.get(&named("SCHEMA", schema)).is_some_and(|schema| !schema.may_create)
    }

    fn leave(&mut self, at: EntryIndex, why: String) {
        let error = EntryError::other(&self.entries[at], b"", why);
        self.warn(at, format!("left to a superuser: {}", error.message));
        self.limits.left.push(error);
    }

    /// Whether a step gives an object to a role that the objects of this one cannot be given to; it is left then.
    fn is_for_foreign_owner(&mut self, at: EntryIndex, action: &Action) -> bool {
        let entry = &self.entries[at];
        let Some(is_there) = self.foreign.owners.get(text(&entry.owner)) else { return false };
        if owner::change(entry, at, self.options, true).as_ref() != Some(action) {
            return false;
        }
        let not_given = self.limits.not_given.entry(text(&entry.owner).into()).or_default();
        not_given.is_there = *is_there;
        not_given.entries.push(at);
        self.limits.settled.insert(at);
        true
    }

    pub(super) fn role(&self) -> String {
        show(self.foreign.role.as_bstr())
    }
}

/// What an entry is called where something is said about it: its kind and its name, quoted where needed.
fn name(entry: &Entry) -> BString {
    named(text(&entry.desc), text(&entry.tag))
}

pub(super) fn named(kind: impl AsRef<[u8]>, name: &BStr) -> BString {
    [kind.as_ref(), b" ", &quoted(name)].concat().into()
}

pub(super) fn show(name: &BStr) -> String {
    printable::name(name)
}

/// Whether two definitions are the same. Of old, `EXECUTE FUNCTION` was called `EXECUTE PROCEDURE`.
fn is_same(one: &BStr, other: &BStr) -> bool {
    one.trim_ascii() == other.replace("EXECUTE PROCEDURE", "EXECUTE FUNCTION").trim_ascii()
}

/// Whether `entry` makes an event trigger's function that is like the one that is there.
fn is_function(entry: &Entry, function: &Function) -> bool {
    let definition = text(&entry.definition);
    let Some((_, made)) = definition.split_once_str(" RETURNS event_trigger\n") else { return false };
    let mut same = [b"    LANGUAGE ", quoted(&function.language).as_slice(), b"\n    AS "].concat();
    quote::dollar_quoted(&mut same, function.body.as_bstr(), "");
    same.push(b';');
    function.is_plain && made.trim_ascii_end() == same
}

/// The definition of a function, as one that replaces what is there.
fn or_replace(definition: &BStr) -> BString {
    match definition.strip_prefix(b"CREATE FUNCTION ") {
        Some(rest) => [b"CREATE OR REPLACE FUNCTION ", rest].concat().into(),
        None => definition.into(),
    }
}
