//! The order before dependencies are looked at: rank, schema, name, then whatever the kind adds.

use std::cmp::Ordering;

use super::super::model::{DumpId, Model, Object};

/// The numbers of all objects by rank, schema's name, name, the kind's own tie-break, and at last the OID.
pub(super) fn by_rank_and_name(model: &Model) -> Vec<DumpId> {
    let mut objects: Vec<&Object> = model.objects().collect();
    objects.sort_by(|a, b| compare(model, a, b));
    objects.into_iter().map(|o| o.id).collect()
}

fn compare(model: &Model, a: &Object, b: &Object) -> Ordering {
    let by_schema = || match (model.schema_name(a), model.schema_name(b)) {
        (Some(x), Some(y)) => x.cmp(y),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    };
    let oid = |o: &Object| o.catalog_id.map_or(0, |id| id.oid);
    (a.body.rank().cmp(&b.body.rank()))
        .then_with(by_schema)
        .then_with(|| a.name.cmp(&b.name))
        .then_with(|| a.body.tie_break(b.body.as_ref(), model))
        // Between two kinds of one rank, it is enough that one of them knows.
        .then_with(|| b.body.tie_break(a.body.as_ref(), model).reverse())
        .then_with(|| oid(a).cmp(&oid(b)))
        .then_with(|| a.id.cmp(&b.id))
}
