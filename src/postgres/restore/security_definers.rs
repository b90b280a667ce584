//! Functions that run with the rights of their owner, where a restore makes a superuser their owner.

use bstr::ByteSlice;
use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::{kinds, text};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::Plan;
use crate::printable;
use crate::progress::{Message, Reporter};
use crate::wire::Connection;
use crate::words::{Choice, Words};

/// How many are named.
const SHOWN: usize = 5;

/// Says which functions everybody may run with a superuser's rights after a restore without owners. Whoever owned the
/// database may have written them for this.
pub(super) fn tell(
    entries: &[Entry],
    plan: &Plan,
    options: &RestoreOptions,
    target: &Connection,
    reporter: &dyn Reporter,
) {
    let by_superuser = target.parameter("is_superuser").is_some_and(|state| state == "on");
    if options.owner || options.role.is_some() || !by_superuser {
        return;
    }
    let names: Vec<String> = entries
        .iter()
        .zip(&plan.wanted)
        .filter(|(entry, wanted)| wanted.definition && kinds::group(entry) == EntryGroup::Routine && is_definer(entry))
        .map(|(entry, _)| format!("{}.{}", printable::name(text(&entry.schema)), printable::name(text(&entry.tag))))
        .collect();
    let Some(shown) = names.get(..names.len().min(SHOWN)).filter(|shown| !shown.is_empty()) else { return };
    let more = match names.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown = format!("{}{more} will run with the rights of this superuser, whoever calls them: ", shown.join(", "));
    let text = Words::from(shown)
        + "restore with "
        + Choice::Owner
        + " and "
        + Choice::Acl
        + ", or with "
        + Choice::Role
        + ", if the archive is not your own";
    reporter.message(Message::warning("SECURITY DEFINER", text));
}

/// Whether a function's attributes, which stand before its body, say so.
fn is_definer(entry: &Entry) -> bool {
    let definition = text(&entry.definition);
    let bodies = ["\n    AS ", "\n    BEGIN ATOMIC", "\n    RETURN "];
    let end = bodies.iter().filter_map(|body| definition.find(body)).min().unwrap_or(definition.len());
    definition.get(..end).is_some_and(|attributes| attributes.contains_str(" SECURITY DEFINER"))
}

#[cfg(test)]
mod tests {
    use pgformat::DumpId;

    use super::*;

    #[test]
    fn attributes_are_told_from_bodies() {
        let is = |definition: &str| is_definer(&Entry::new(DumpId(1), "FUNCTION").definition(definition));
        assert!(is(
            "CREATE FUNCTION public.f() RETURNS integer\n    LANGUAGE sql SECURITY DEFINER\n    AS $$SELECT 1$$;\n"
        ));
        assert!(is(
            "CREATE PROCEDURE public.p()\n    LANGUAGE sql SECURITY DEFINER\n    BEGIN ATOMIC\n SELECT 1;\nEND;\n"
        ));
        assert!(!is(
            "CREATE FUNCTION public.f() RETURNS text\n    LANGUAGE sql\n    AS $$SELECT ' SECURITY DEFINER'$$;\n"
        ));
    }
}
