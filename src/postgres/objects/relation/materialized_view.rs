//! REFRESH MATERIALIZED VIEW: a materialized view is made empty, and filled when everything else is there.

use std::collections::{HashMap, HashSet};

use super::Relation;
use crate::error::Result;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render};
use crate::postgres::model::{Body, Components, DumpId, Model, Object, Rank};
use crate::postgres::objects::rule::Rule;
use crate::postgres::relkind::Relkind;

/// The filling of a materialized view.
pub struct Refresh {
    /// The materialized view.
    pub view: DumpId,
}

impl Body for Refresh {
    fn rank(&self) -> Rank {
        Rank::MaterializedViewRefresh
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let Some((view, relation)) = render.model.get(self.view).and_then(|o| Some((o, o.body::<Relation>()?))) else {
            return Ok(());
        };
        if !relation.populated || !object.dumped().has(Components::DATA) {
            return Ok(());
        }
        let mut entry = NewEntry::of(object, render, "MATERIALIZED VIEW DATA", object.name.clone());
        entry.catalog_id = Some(super::data::data_of(relation));
        entry.owner = Some(relation.owner.clone());
        entry.depends = Depends::On(object.dependencies.clone());
        entry.definition.kw("REFRESH MATERIALIZED VIEW ").sql(&render.qualified(view)).kw(";\n");
        out.entry(entry);
        Ok(())
    }
}

/// Makes each refresh wait for those of all materialized views that its query reaches, by way of whatever views; and one
/// that reaches an empty one is left empty, for it could not be refreshed.
pub(super) fn link(model: &mut Model) {
    let mut rules: HashMap<DumpId, Vec<DumpId>> = HashMap::new();
    for (object, rule) in model.of_kind::<Rule>() {
        rules.entry(rule.table.id).or_default().push(object.id);
    }
    let views: Vec<(DumpId, DumpId)> = model
        .of_kind::<Relation>()
        .filter(|(_, relation)| relation.kind == Relkind::MaterializedView)
        .filter_map(|(object, relation)| Some((object.id, relation.data?)))
        .collect();
    let mut empty = Vec::new();
    for (view, refresh) in &views {
        for reached in reachable(*view, &rules, model) {
            let Some(other) = model.body::<Relation>(reached) else { continue };
            let (Some(data), populated) = (other.data, other.populated) else { continue };
            model.depend(*refresh, data);
            if !populated {
                empty.push(*view);
            }
        }
    }
    for view in empty {
        if let Some(relation) = model.body_mut::<Relation>(view) {
            relation.populated = false;
        }
    }
}

/// The materialized views that the rules of `view` lead to.
fn reachable(view: DumpId, rules: &HashMap<DumpId, Vec<DumpId>>, model: &Model) -> Vec<DumpId> {
    let mut seen = HashSet::from([view]);
    let mut pending = vec![view];
    let mut found = Vec::new();
    while let Some(view) = pending.pop() {
        let rules = rules.get(&view).into_iter().flatten().filter_map(|id| model.get(*id));
        for on in rules.flat_map(|rule| rule.dependencies.iter().copied()) {
            let Some(relation) = model.body::<Relation>(on) else { continue };
            if matches!(relation.kind, Relkind::View | Relkind::MaterializedView) && seen.insert(on) {
                pending.push(on);
                if relation.kind == Relkind::MaterializedView {
                    found.push(on);
                }
            }
        }
    }
    found
}
