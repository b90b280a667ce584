//! What a child need not say again, and what it must say because its parents say otherwise.

use super::defaults::{self, ColumnDefault};
use super::{Column, Relation};
use crate::error::Result;
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Components, DumpId, Model};
use crate::postgres::relkind::Relkind;
use crate::sql::Deparsed;
use crate::wire::Rows;

const NULL: &str = "NULL";

/// Compares children's columns with their parents'; comes after all that is read of columns.
pub(in super::super) struct Inheritance;

/// What follows for a column from the parents' columns of the same name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Verdict {
    /// Whether its NOT NULL constraint is now known to be written down here (true) or not (false).
    not_null_local: Option<bool>,
    /// A parent has a default and the column has none: it must be said, lest the column get the parent's.
    lacks_default: bool,
    /// Its generation expression comes with its parents.
    inherits_generation: bool,
}

impl Kind for Inheritance {
    fn collect(&self, _: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let children: Vec<DumpId> = model
            .of_kind::<Relation>()
            .filter(|(object, relation)| !object.wanted.is_none() && !relation.parents.is_empty())
            .filter(|(_, relation)| {
                !matches!(relation.kind, Relkind::Sequence | Relkind::View | Relkind::MaterializedView)
            })
            .map(|(object, _)| object.id)
            .collect();
        if scope.options.dialect.added_nulls_are_no_defaults() {
            // Judge all before any is changed: a child may be another's parent.
            let verdicts: Vec<_> = children.into_iter().flat_map(|child| judge_all(child, scope, model)).collect();
            apply_all(verdicts, model);
        } else {
            for child in children {
                apply_all(judge_all(child, scope, model), model);
            }
        }
        Ok(())
    }
}

/// The verdicts about a child's columns, with it and their numbers.
fn judge_all(child: DumpId, scope: &Scope<'_>, model: &Model) -> Vec<(DumpId, i16, Verdict)> {
    let Some(relation) = model.body::<Relation>(child) else { return Vec::new() };
    let columns = relation.columns.iter().filter(|column| !column.dropped);
    columns.map(|column| (child, column.number, judge(relation, column, scope, model))).collect()
}

fn apply_all(verdicts: Vec<(DumpId, i16, Verdict)>, model: &mut Model) {
    for (child, number, verdict) in verdicts {
        apply(child, number, &verdict, model);
    }
}

fn judge(child: &Relation, column: &Column, scope: &Scope<'_>, model: &Model) -> Verdict {
    let default = |column: &Column| column.default.and_then(|id| model.body::<ColumnDefault>(id));
    let own = default(column);
    let (mut not_null, mut valid_not_null) = (false, false);
    let (mut with_default, mut same, mut different) = (false, false, false);
    for parent in child.parents.iter().filter_map(|id| model.body::<Relation>(*id)) {
        let Some(theirs) = parent.columns.iter().find(|c| c.name == column.name) else { continue };
        not_null |= theirs.not_null.is_some();
        valid_not_null |= theirs.not_null.is_some() && !theirs.unvalidated_not_null;
        let expression = default(theirs).map(|d| &d.expression);
        if theirs.generated == 0 {
            let nulls_count = !scope.options.dialect.added_nulls_are_no_defaults();
            with_default |= expression.is_some_and(|e| nulls_count || e.as_bstr() != NULL);
        } else if expression.is_some() && expression == own.map(|d| &d.expression) {
            same = true;
        } else {
            different = true;
        }
    }
    let not_null_local = if scope.server.not_null_constraints() {
        // No parent hands a validated constraint down.
        (!valid_not_null).then_some(true)
    } else {
        // Old catalogs do not tell: what a parent has is taken to come from there.
        not_null.then_some(false)
    };
    Verdict {
        not_null_local,
        lacks_default: with_default && own.is_none(),
        inherits_generation: same && !different && !child.is_partition,
    }
}

fn apply(child: DumpId, number: i16, verdict: &Verdict, model: &mut Model) {
    let at = usize::try_from(number).unwrap_or(0).saturating_sub(1);
    let Some(relation) = model.body_mut::<Relation>(child) else { return };
    let Some(column) = relation.columns.get_mut(at) else { return };
    if let (Some(not_null), Some(local)) = (&mut column.not_null, verdict.not_null_local) {
        not_null.local = local;
    }
    let default = column.default;
    if verdict.lacks_default {
        let separate = !relation.columns.get(at).is_some_and(|column| relation.spells_out(column));
        let expression = Deparsed::by_server(NULL);
        let id = defaults::add_default(model, None, child, i32::from(number), expression, separate);
        if separate {
            model.depend(id, child);
        }
    }
    if verdict.inherits_generation
        && let Some(default) = default.and_then(|id| model.get_mut(id))
    {
        default.wanted = Components::NONE;
    }
}
