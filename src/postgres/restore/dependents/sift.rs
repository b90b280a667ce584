//! What of that which goes is not in the archive.

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::catalogs::FIRST_USER_OID;
use crate::postgres::restore::dependents::{
    Archived, Dependent, Going, Losses, Moment, Named, Present, additions, columns, rows,
};
use crate::postgres::restore::plan::Plan;
use crate::wire::Connection;
use crate::{Result, printable};

/// What goes along with what the plan drops, and is not in the archive.
pub fn lost(target: &mut Connection, plan: &Plan, entries: &[Entry], moment: Moment) -> Result<Losses> {
    let present = Present::ask(target)?;
    let archived = Archived::of(entries);
    let Going { addresses: goes, unknown } = Going::ask(target, &present, plan, entries)?;
    let is_held = |object: &&Named| {
        // What a subscription brings into a table is not in pg_depend, and goes with the table all the same.
        let address = if object.kind == "TABLE OF SUBSCRIPTION" { object.part_of } else { Some(object.address) };
        address.is_some_and(|address| goes.contains(&address))
    };
    let going: Vec<&Named> = present.named.iter().filter(is_held).collect();
    let is_gone_along = |whole: &Named| goes.contains(&whole.address) && !archived.holds(whole, present.whole(whole));
    // A partition goes with its parent, whether or not this restore makes it again.
    let is_left_out = |table: &Named| table.part_of.is_some() && !is_wanted(plan, &archived, table);
    // Nor does this restore tell a publication again what to leave out, unless it makes the publication.
    let is_forgotten = |exception: &Named| {
        !present.whole(exception).is_some_and(|publication| is_wanted(plan, &archived, publication))
    };
    let is_left_out = |object: &Named| match object.is_exception() {
        true => is_forgotten(object),
        false => is_left_out(object),
    };
    let mut losses = sift(target, &present, &archived, &going, is_gone_along, is_left_out, moment)?;
    losses.certain.extend(unknown.iter().map(|described| Dependent::named(described.as_bstr())));
    Ok(losses)
}

pub fn is_wanted(plan: &Plan, archived: &Archived<'_>, object: &Named) -> bool {
    archived.entry(object).is_some_and(|at| plan.makes(at))
}

/// Of what is `going`, that what the archive does not hold: objects, columns, rows. Parts of something that `is_lost` itself are not
/// named. A table is named if it `is_left_out` of the restore, too.
pub fn sift(
    target: &mut Connection,
    present: &Present,
    archived: &Archived<'_>,
    going: &[&Named],
    is_lost: impl Fn(&Named) -> bool,
    is_left_out: impl Fn(&Named) -> bool,
    moment: Moment,
) -> Result<Losses> {
    let (mut missing, mut members, mut parts): (Vec<&Named>, Vec<&Named>, Vec<&Named>) = Default::default();
    let (mut kept, mut emptied) = (Vec::new(), Vec::new());
    for object in going.iter().copied().filter(|object| object.address.1 >= FIRST_USER_OID) {
        let whole = present.whole(object);
        if object.is_member {
            members.push(object);
        } else if (object.is_table() || object.is_exception()) && is_left_out(object) {
            missing.push(object);
        } else if additions::is_part(object, whole) && !object.is_table() {
            if !additions::holds(archived, object) {
                parts.push(object);
            }
        } else if archived.holds(object, whole) {
            if ["TABLE", "FOREIGN TABLE", "TYPE"].iter().any(|kind| object.kind == *kind) {
                kept.push(object);
            }
            if object.kind == "TABLE" && !archived.has_rows_of(object) {
                emptied.push(object);
            }
        } else if object.is_table() || !whole.is_some_and(&is_lost) || whole.is_some_and(|whole| whole.is_member) {
            missing.push(object);
        }
    }
    let mut counts = rows::count(target, &missing, moment)?;
    let missing = missing.iter().map(|object| {
        let counted = counts.remove(&object.address.1).filter(|_| object.is_table());
        Dependent {
            along_with: along_with(object, present.whole(object)),
            rows: counted.map(|(rows, _)| rows),
            is_estimate: counted.is_some_and(|(_, is_exact)| !is_exact),
            ..Dependent::named(object.shown().as_bstr())
        }
    });
    let mut losses = Losses { certain: missing.collect(), doubtful: Vec::new() };
    losses.extend(columns::lost(target, archived, &kept, moment)?);
    let mut counts = rows::count(target, &emptied, moment)?;
    losses.certain.extend(emptied.iter().filter_map(|table| {
        let (rows, is_exact) = counts.remove(&table.address.1).filter(|(rows, _)| *rows > 0)?;
        let object = Dependent::named(format!("rows of {}", table.shown()).as_str().into());
        Some(Dependent { rows: Some(rows), is_estimate: !is_exact, ..object })
    }));
    losses.extend(additions::lost(target, present, &members, &parts)?);
    members.retain(|member| member.is_table() && !archived.has_rows_of(member));
    losses.certain.extend(rows::of_extensions(target, &members, moment)?);
    Ok(losses)
}

fn along_with(object: &Named, whole: Option<&Named>) -> Option<String> {
    let whole = printable::name(whole?.shown().as_bstr());
    match object.kind.as_slice() {
        b"SEQUENCE" => Some(format!("owned by {whole}")),
        _ if object.is_exception() => Some(format!("without it, {whole} has the table, too")),
        _ if object.is_table() => Some(format!("a partition of {whole}")),
        _ => None,
    }
}
