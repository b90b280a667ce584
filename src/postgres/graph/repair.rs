//! Rules for breaking loops of dependencies.
//!
//! A direct loop of two is mostly an artefact: a part and its whole each depend on the other, and one direction can be
//! forgotten. A longer loop is a real one; then the part gets an entry of its own, after the data if need be.

use super::super::components::Components;
use super::super::model::{DumpId, LoopRole, Model, Object};
use super::boundaries::Boundaries;
use crate::progress::{Message, Reporter};
use crate::words::Choice;

type Member = (DumpId, LoopRole);

/// Breaks one loop; `members` each depend on the next, the last on the first.
pub(super) fn repair(model: &mut Model, members: &[DumpId], boundaries: Boundaries, reporter: &dyn Reporter) {
    let roles: Vec<Member> =
        members.iter().map(|id| (*id, model.get(*id).map_or(LoopRole::Other, |o| o.body.loop_role()))).collect();
    let repaired = match roles.as_slice() {
        [one] => alone(model, *one),
        [a, b] => direct(model, *a, *b) || direct(model, *b, *a),
        _ => indirect(model, &roles, boundaries),
    };
    if !repaired {
        break_anywhere(model, &roles, reporter);
    }
}

/// An object that depends on itself: a relation whose columns depend on each other.
fn alone(model: &mut Model, (id, role): Member) -> bool {
    if role.is_relation() {
        model.undepend(id, id);
    }
    role.is_relation()
}

/// The rules for two objects that depend on each other; tried in both orders.
fn direct(model: &mut Model, (a, role_a): Member, (b, role_b): Member) -> bool {
    match (role_a, role_b) {
        (LoopRole::Type { shell }, LoopRole::Function) => {
            model.undepend(b, a);
            if let Some(shell) = shell {
                model.depend(b, shell);
                let wanted = model.get(b).map(|f| f.wanted).unwrap_or_default();
                if let Some(shell) = model.get_mut(shell).filter(|_| !wanted.is_none()) {
                    // Whatever is said of the function, its name takes the type.
                    shell.wanted = wanted.or(Components::DEFINITION);
                }
            }
            true
        }
        (LoopRole::View | LoopRole::MaterializedView, LoopRole::SelectRule { of }) if of == a => {
            model.undepend(b, a);
            true
        }
        (role, LoopRole::TableCheck { table } | LoopRole::ColumnDefault { table })
            if role.is_relation() && table == a =>
        {
            model.undepend(b, a);
            true
        }
        (LoopRole::Index { .. }, LoopRole::Index { parent }) if parent == Some(a) => {
            model.undepend(a, b);
            true
        }
        (LoopRole::Type { .. }, LoopRole::DomainConstraint { domain }) if domain == a => {
            model.undepend(b, a);
            true
        }
        _ => false,
    }
}

/// The rules for longer loops, in the order of preference.
fn indirect(model: &mut Model, roles: &[Member], boundaries: Boundaries) -> bool {
    let part_of = |whole: fn(LoopRole) -> bool, owner: fn(LoopRole) -> Option<DumpId>| {
        roles.iter().filter(|(_, role)| whole(*role)).find_map(|(id, _)| {
            let part = roles.iter().find(|(_, role)| owner(*role) == Some(*id))?;
            Some((*id, part.0))
        })
    };
    let is_view = |role| role == LoopRole::View;
    let is_type = |role| matches!(role, LoopRole::Type { .. });
    let rule_of = |role| if let LoopRole::SelectRule { of } = role { Some(of) } else { None };
    let check_of = |role| if let LoopRole::TableCheck { table } = role { Some(table) } else { None };
    let default_of = |role| if let LoopRole::ColumnDefault { table } = role { Some(table) } else { None };
    let constraint_of = |role| if let LoopRole::DomainConstraint { domain } = role { Some(domain) } else { None };

    if let Some((view, rule)) = part_of(is_view, rule_of) {
        split(model, view, rule);
        model.depend(rule, boundaries.post_data);
        separate(model, view);
        return true;
    }
    if postpone(model, roles) {
        return true;
    }
    if let Some((table, check)) = part_of(LoopRole::is_relation, check_of) {
        split(model, table, check);
        model.depend(check, boundaries.post_data);
        return true;
    }
    if let Some((table, default)) = part_of(LoopRole::is_relation, default_of) {
        split(model, table, default);
        return true;
    }
    if let Some((domain, constraint)) = part_of(is_type, constraint_of) {
        split(model, domain, constraint);
        model.depend(constraint, boundaries.post_data);
        return true;
    }
    false
}

/// Gives `part` an entry of its own after `whole`.
fn split(model: &mut Model, whole: DumpId, part: DumpId) {
    model.undepend(whole, part);
    separate(model, part);
    model.depend(part, whole);
}

fn separate(model: &mut Model, id: DumpId) {
    if let Some(object) = model.get_mut(id) {
        object.body.separate();
    }
}

/// A materialized view, its statistics, or a function that must wait for something behind a boundary is moved behind it:
/// the boundary lets go of the next object in the loop.
fn postpone(model: &mut Model, roles: &[Member]) -> bool {
    let behind = |boundary: LoopRole| {
        let at = roles.iter().position(|(_, role)| *role == boundary)?;
        Some((roles[at].0, roles[(at + 1) % roles.len()]))
    };
    let of_view = roles.iter().find_map(|(_, role)| match role {
        LoopRole::MaterializedView => behind(LoopRole::PreDataBoundary),
        LoopRole::MaterializedViewStatistics => behind(LoopRole::PostDataBoundary),
        _ => None,
    });
    let of_function = || {
        let found = roles.iter().any(|(_, role)| *role == LoopRole::Function);
        found.then(|| behind(LoopRole::PreDataBoundary)).flatten()
    };
    let is_late = |role| match of_view {
        Some(_) => matches!(role, LoopRole::MaterializedView | LoopRole::MaterializedViewStatistics),
        None => role == LoopRole::Function,
    };
    let Some((boundary, (next, role))) = of_view.or_else(of_function) else { return false };
    model.undepend(boundary, next);
    if is_late(role) {
        separate(model, next);
    }
    true
}

fn break_anywhere(model: &mut Model, roles: &[Member], reporter: &dyn Reporter) {
    let only_data = roles.iter().all(|(_, role)| *role == LoopRole::TableData);
    let names: Vec<String> = roles.iter().filter_map(|(id, _)| model.get(*id)).map(describe).collect();
    let text = if only_data {
        "foreign keys point in a circle, so that no order of the rows suits them; a restore of the data alone needs "
            + Choice::DisableTriggers
            + ", or the constraints dropped meanwhile"
    } else {
        "these objects depend on each other in a loop that no rule resolves; the order among them is arbitrary".into()
    };
    reporter.message(Message::warning(names.join(", "), text));
    let (first, second) = (roles[0].0, roles[1 % roles.len()].0);
    model.undepend(first, second);
}

fn describe(object: &Object) -> String {
    match object.catalog_id {
        Some(id) => {
            format!("\"{}\" ({} {})", object.name, id.catalog.name().unwrap_or("catalog"), id.oid)
        }
        None => format!("\"{}\"", object.name),
    }
}
