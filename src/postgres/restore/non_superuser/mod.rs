//! Restoring as a role that is no superuser, as on managed servers: what belongs to others there and is as the archive
//! wants it stays as it is, and what only others may do is left to them by name.
//!
//! What is there is asked beforehand, and taken out of the plan. What the role may make is not guessed: services let some
//! of their users do what PostgreSQL itself reserves for superusers, so the server is tried, and its refusal counts.

mod privileges;
mod refusals;
mod target_state;
mod tell;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::Group;

use crate::Result;
use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::owner;
use crate::postgres::restore::plan::{Action, Plan};
use crate::postgres::restore::summary::{EntryError, Stay};
use crate::printable;
use crate::progress::{Message, Reporter};
use crate::sql::quote;
use crate::wire::Connection;
pub(super) use refusals::advise;
use target_state::{Facts, Function, Object};

/// Why something is left that is not refused itself.
const ALONG: &str = "left along with ";

/// What a plan leaves alone, because of the role that carries it out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// The role, if it is not a superuser.
    pub role: Option<BString>,
    /// What belongs to others, and is as the archive wants it.
    pub stays: Vec<Stay>,
    /// What the role may not do.
    pub left: Vec<EntryError>,
    /// Owners that the objects of entries, by their places, cannot be given to, and whether there is such a role.
    pub not_given: BTreeMap<BString, (bool, Vec<usize>)>,
    /// The entries, by their places, that are not restored or not as they are.
    pub settled: HashSet<usize>,
}

/// Asks the target what the role that restores may not do, takes that out of the plan, and says so.
pub(super) fn apply(
    plan: &mut Plan,
    entries: &[Entry],
    options: &RestoreOptions,
    target: &mut Connection,
    reporter: &dyn Reporter,
) -> Result<()> {
    if let Some(facts) = target_state::ask(target, plan, entries, options, reporter)? {
        for message in adapt(plan, entries, options, &facts) {
            reporter.message(message);
        }
    }
    Ok(())
}

/// Takes out of the plan what is there and belongs to others, and what `facts` say cannot be done; gives what is to be
/// said about it.
fn adapt(plan: &mut Plan, entries: &[Entry], options: &RestoreOptions, facts: &Facts) -> Vec<Message> {
    let mut review = Review {
        entries,
        options,
        facts,
        standard_strings: plan.settings.standard_strings,
        limits: Limits { role: Some(facts.role.clone()), ..Limits::default() },
        told: Vec::new(),
        same: BTreeMap::new(),
        kept: HashSet::new(),
    };
    let mut planned: Vec<usize> = plan.drops.iter().chain(&plan.steps).map(|step| step.entry).collect();
    planned.sort_unstable();
    planned.dedup();
    let (mut whole, mut replaced) = (HashSet::new(), HashSet::new());
    for at in planned {
        if review.limits.settled.contains(&at) {
            continue;
        }
        if review.is_left(at) {
            whole.insert(at);
        }
    }
    for (at, function) in review.functions(plan) {
        replaced.extend(review.is_replaced(at, function).then_some(at));
        // It cannot be dropped, for it holds the function.
        review.kept.extend(review.schema_of(at));
    }
    whole.extend(review.limits.settled.iter().copied());
    let is_statement = |action: &Action| !matches!(action, Action::Set(_) | Action::Become(_) | Action::Heading(_));
    plan.drops.retain(|step| {
        let stays = [&whole, &replaced, &review.kept].iter().any(|stay| stay.contains(&step.entry))
            || review.is_in_barren_schema(step.entry);
        !(stays && is_statement(&step.action))
    });
    plan.steps.retain(|step| {
        let is_made = matches!(step.action, Action::Define(_)) && review.kept.contains(&step.entry);
        !(is_made || (whole.contains(&step.entry) && is_statement(&step.action)))
    });
    for step in plan.steps.iter_mut().filter(|step| replaced.contains(&step.entry)) {
        if let Action::Define(statement) = &mut step.action {
            *statement = Some(or_replace(text(&entries[step.entry].definition)));
        }
    }
    if !options.stops_at_first_error() {
        plan.steps.retain(|step| !review.is_for_stranger(step.entry, &step.action));
    }
    review.tell_same();
    review.tell_schemas(plan);
    review.limits.settled.extend(whole);
    plan.limits = review.limits;
    review.told
}

struct Review<'a> {
    entries: &'a [Entry],
    options: &'a RestoreOptions,
    facts: &'a Facts,
    standard_strings: bool,
    limits: Limits,
    told: Vec<Message>,
    /// What stays and is the same, by kind and owner; no owner if it stays because it could not be made anew.
    same: BTreeMap<(String, Option<&'a BStr>), Vec<String>>,
    /// Entries whose objects are neither dropped nor made, but changed.
    kept: HashSet<usize>,
}

impl<'a> Review<'a> {
    /// Whether nothing is done for an entry, because of what is there.
    fn is_left(&mut self, at: usize) -> bool {
        let entry = &self.entries[at];
        if kinds::group(entry) == Group::Comment {
            return self.comment(at);
        }
        if kinds::is(entry, "ACL") && text(&entry.tag).starts_with(b"SCHEMA ") {
            return self.privileges(at);
        }
        let Some(object) = self.facts.others.get(&name(entry)) else { return false };
        if object.is_mine {
            // Of what would be dropped it is known then that it is lost.
            self.stays(at, object);
            self.kept.insert(at);
            return false;
        }
        match text(&entry.desc).as_bytes() {
            b"EXTENSION" => {
                self.stays(at, object);
                if object.definition.as_ref().is_some_and(|definition| definition != text(&entry.definition)) {
                    self.warn(at, "it is in another schema than in the archive, or was asked for otherwise".to_owned());
                }
                true
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
                true
            }
            _ if object
                .definition
                .as_ref()
                .is_some_and(|definition| is_same(definition.as_bstr(), text(&entry.definition))) =>
            {
                self.stays(at, object);
                true
            }
            _ => {
                let what = "there is one of that name, which is another or cannot be compared";
                self.leave(at, format!("{what}; it belongs to {}", show(object.owner.as_bstr())));
                self.leave_what_is_of(at);
                true
            }
        }
    }

    /// A comment on something that belongs to another.
    fn comment(&mut self, at: usize) -> bool {
        let entry = &self.entries[at];
        let tag = text(&entry.tag);
        let Some(object) = self.facts.others.get(tag).filter(|object| !object.is_mine) else { return false };
        let mut same = [b"COMMENT ON ", tag.as_bytes(), b" IS "].concat();
        if !text(&entry.definition).starts_with(&same) {
            return false;
        }
        match &object.comment {
            Some(comment) => quote::literal(&mut same, comment.as_bstr(), self.standard_strings),
            None => same.extend_from_slice(b"NULL"),
        }
        same.extend_from_slice(b";");
        let is_same = text(&entry.definition).trim_ascii() == same;
        match is_same {
            true => {}
            // That of an extension is its author's, most often, and another in each of its versions.
            false if tag.starts_with(b"EXTENSION ") => {
                let why = format!(
                    "it stays another than in the archive: the extension belongs to {}",
                    show(object.owner.as_bstr())
                );
                self.limits.stays.push(Stay { entry: EntryName::of(entry), why: why.clone() });
                self.warn(at, why);
            }
            false => {
                let why = format!(
                    "what it is on belongs to {}, and {} may not change it",
                    show(object.owner.as_bstr()),
                    self.role()
                );
                self.leave(at, why);
            }
        }
        true
    }

    /// Privileges on a schema that belongs to another. Of those that the server does not give, it only warns.
    fn privileges(&mut self, at: usize) -> bool {
        let entry = &self.entries[at];
        let tag = text(&entry.tag);
        let Some(object) = self.facts.others.get(tag).filter(|object| !object.is_mine) else { return false };
        if !privileges::are_given(text(&entry.definition), tag, &object.privileges) {
            let owner = show(object.owner.as_bstr());
            self.leave(
                at,
                format!("what it is on belongs to {owner}, and {} may not give privileges on it", self.role()),
            );
        }
        true
    }

    /// The entries of a plan that make functions of others' event triggers, which stay, so that these cannot be dropped.
    fn functions(&self, plan: &Plan) -> Vec<(usize, &'a Function)> {
        let functions = self.facts.others.values().filter_map(|object| object.function.as_ref());
        let functions: HashMap<(&BStr, &BStr), &Function> =
            functions.map(|function| ((function.schema.as_bstr(), function.signature.as_bstr()), function)).collect();
        let dropped: HashSet<usize> = plan.drops.iter().map(|step| step.entry).collect();
        let mut found: Vec<(usize, &Function)> = Vec::new();
        for at in dropped {
            let entry = &self.entries[at];
            if let Some(function) = functions.get(&(text(&entry.schema), text(&entry.tag)))
                && kinds::group(entry) == Group::Routine
            {
                found.push((at, function));
            }
        }
        found.sort_unstable_by_key(|(at, _)| *at);
        found
    }

    /// The entry that makes the schema that this one is in.
    fn schema_of(&self, at: usize) -> Option<usize> {
        let schema = text(&self.entries[at].schema);
        self.entries.iter().position(|entry| kinds::is(entry, "SCHEMA") && text(&entry.tag) == schema)
    }

    /// Whether the function of an event trigger is replaced; otherwise it stays if it is the same, and is left if not.
    fn is_replaced(&mut self, at: usize, function: &Function) -> bool {
        if function.is_mine {
            return true;
        }
        let entry = &self.entries[at];
        if is_function(entry, function) {
            let why = "an event trigger that stays runs it, and it is the same".to_owned();
            self.limits.stays.push(Stay { entry: EntryName::of(entry), why });
        } else {
            self.leave(at, "an event trigger that stays runs it, and it belongs to another role".to_owned());
        }
        self.limits.settled.insert(at);
        false
    }

    /// What says something about an entry that is left, or belongs to it, is left along with it.
    fn leave_what_is_of(&mut self, at: usize) {
        let of = &self.entries[at];
        for (place, entry) in self.entries.iter().enumerate() {
            let is_part = kinds::is_dependent(entry) || matches!(kinds::group(entry), Group::Publication);
            if is_part && entry.dependencies.contains(&of.dump_id) && self.limits.settled.insert(place) {
                self.limits.left.push(EntryError::other(entry, b"", format!("{ALONG}{}", EntryName::of(of))));
            }
        }
    }

    fn stays(&mut self, at: usize, object: &'a Object) {
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
    fn is_in_barren_schema(&self, at: usize) -> bool {
        let schema = text(&self.entries[at].schema);
        !schema.is_empty() && self.facts.others.get(&named("SCHEMA", schema)).is_some_and(|schema| !schema.may_create)
    }

    fn leave(&mut self, at: usize, why: String) {
        let error = EntryError::other(&self.entries[at], b"", why);
        self.warn(at, format!("left to a superuser: {}", error.message));
        self.limits.left.push(error);
    }

    /// Whether a step gives an object to a role that the objects of this one cannot be given to; it is left then.
    fn is_for_stranger(&mut self, at: usize, action: &Action) -> bool {
        let entry = &self.entries[at];
        let Some(is_there) = self.facts.strangers.get(text(&entry.owner)) else { return false };
        if owner::change(entry, at).as_ref() != Some(action) {
            return false;
        }
        let not_given = self.limits.not_given.entry(text(&entry.owner).into());
        not_given.or_insert_with(|| (*is_there, Vec::new())).1.push(at);
        self.limits.settled.insert(at);
        true
    }

    fn role(&self) -> String {
        show(self.facts.role.as_bstr())
    }
}

/// What an entry is called where something is said about it: its kind and its name, quoted where needed.
fn name(entry: &Entry) -> BString {
    named(text(&entry.desc), text(&entry.tag))
}

fn named(kind: impl AsRef<[u8]>, name: &BStr) -> BString {
    let mut result = [kind.as_ref(), b" "].concat();
    quote::ident(&mut result, name);
    result.into()
}

fn show(name: &BStr) -> String {
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
    let mut same = b"    LANGUAGE ".to_vec();
    quote::ident(&mut same, function.language.as_bstr());
    same.extend_from_slice(b"\n    AS ");
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
