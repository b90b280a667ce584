//! Aggregates.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::deparse::{deparsed, opt_deparsed};
use super::function::{self, NOT_TEMPORARY, OF_USERS, ROUTINE_COLUMNS, ROUTINE_TABLES, Routine, not_read, unknown};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, Object, Rank};
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row, Rows};

pub(super) struct Aggregates;

/// An aggregate.
pub struct Aggregate {
    /// What it has in common with functions.
    pub routine: Routine,
    /// None where nobody will ask for it.
    definition: Option<Box<Definition>>,
}

/// What CREATE AGGREGATE says.
struct Definition {
    arguments: Deparsed,
    hypothetical: bool,
    plain: TransitionState,
    combine: Option<Deparsed>,
    serialize: Option<Deparsed>,
    deserialize: Option<Deparsed>,
    moving: Option<(TransitionState, Deparsed)>,
    /// Schema and name of the operator.
    sort_operator: Option<(BString, Deparsed)>,
    /// The planner's support function, which aggregates may have from PostgreSQL 19 on.
    support: Option<Deparsed>,
    parallel: Option<&'static str>,
}

/// How a state is carried from row to row, and what is made of it in the end.
struct TransitionState {
    transition: Deparsed,
    state_type: Deparsed,
    space: i32,
    initial: Option<BString>,
    last: Option<Last>,
}

/// The final function.
struct Last {
    function: Deparsed,
    /// Whether it gets the arguments, too.
    extra: bool,
    /// What it does to the state, where that is not what such an aggregate does by default.
    modify: Option<&'static str>,
}

const DEFINITIONS: &str = "\
    SELECT p.oid, p.proname, p.proparallel, pg_catalog.pg_get_function_arguments(p.oid) AS arguments, a.aggkind, \
      a.aggtransfn::pg_catalog.regproc::pg_catalog.text AS transition, \
      a.aggtranstype::pg_catalog.regtype::pg_catalog.text AS state_type, a.aggtransspace AS space, \
      a.agginitval AS initial, nullif(a.aggfinalfn::pg_catalog.text, '-') AS last, a.aggfinalextra AS extra, \
      a.aggfinalmodify AS modify, nullif(a.aggcombinefn::pg_catalog.text, '-') AS combine, \
      nullif(a.aggserialfn::pg_catalog.text, '-') AS serialize, nullif(a.aggdeserialfn::pg_catalog.text, \
      '-') AS deserialize, \
      nullif(a.aggmtransfn::pg_catalog.text, '-') AS m_transition, \
      a.aggminvtransfn::pg_catalog.regproc::pg_catalog.text AS m_inverse, \
      a.aggmtranstype::pg_catalog.regtype::pg_catalog.text AS m_state_type, a.aggmtransspace AS m_space, \
      a.aggminitval AS m_initial, \
      nullif(a.aggmfinalfn::pg_catalog.text, '-') AS m_last, a.aggmfinalextra AS m_extra, \
      a.aggmfinalmodify AS m_modify, \
      n.nspname AS operator_schema, o.oprname AS operator, \
      nullif(p.prosupport::pg_catalog.text, '-') AS support \
    FROM pg_catalog.pg_aggregate AS a JOIN pg_catalog.pg_proc AS p ON p.oid = a.aggfnoid \
    LEFT JOIN pg_catalog.pg_operator AS o ON o.oid = a.aggsortop \
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = o.oprnamespace WHERE ";

impl Kind for Aggregates {
    fn queries(&self, _: &Scope<'_>) -> Vec<Query> {
        // Of the system's own, those whose privileges were changed.
        let aggregates = format!(
            "SELECT {ROUTINE_COLUMNS} FROM {ROUTINE_TABLES} WHERE p.prokind = 'a' AND {NOT_TEMPORARY} \
             AND (p.pronamespace <> 11 OR p.proacl IS DISTINCT FROM i.initprivs) ORDER BY p.oid"
        );
        let definitions = format!("{DEFINITIONS}{OF_USERS}");
        vec![Query::new("aggregates", aggregates), Query::new("definitions of aggregates", definitions)]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        function::collect(rows, model, "aggregates", Definition::read, |_, routine, definition| {
            Ok(Aggregate { routine, definition })
        })
    }
}

impl Definition {
    fn read(row: Row<'_>) -> Result<Self> {
        let kind = row.char("aggkind")?;
        if !matches!(kind, b'n' | b'o' | b'h') {
            return Err(unknown(row.text("proname")?, "kind of aggregate", kind));
        }
        let default_modify = if kind == b'n' { b'r' } else { b'w' };
        let text = |column: &str| deparsed(row, column, "proname");
        let opt_text = |column: &str| opt_deparsed(row, column, "proname");
        let state = |[transition, state_type, space, initial, last, extra, modify]: [&str; 7]| {
            let Some(transition) = opt_text(transition)? else { return Ok::<_, Error>(None) };
            let last = match opt_text(last)? {
                Some(function) => {
                    Some(Last { function, extra: row.bool(extra)?, modify: modification(row, modify, default_modify)? })
                }
                None => None,
            };
            let state_type = text(state_type)?;
            let (space, initial) = (row.i32(space)?, row.opt_string(initial)?);
            Ok(Some(TransitionState { transition, state_type, space, initial, last }))
        };
        let plain = state(["transition", "state_type", "space", "initial", "last", "extra", "modify"])?;
        let moving = state(["m_transition", "m_state_type", "m_space", "m_initial", "m_last", "m_extra", "m_modify"])?;
        Ok(Self {
            arguments: text("arguments")?,
            hypothetical: kind == b'h',
            plain: plain.ok_or_else(|| {
                Error::new(
                    ErrorKind::Incomplete,
                    format!("read the aggregate \"{}\"", row.text("proname").unwrap_or_default()),
                )
                .why("it has no transition function")
            })?,
            combine: opt_text("combine")?,
            serialize: opt_text("serialize")?,
            deserialize: opt_text("deserialize")?,
            moving: match moving {
                Some(state) => Some((state, text("m_inverse")?)),
                None => None,
            },
            sort_operator: match row.opt_string("operator_schema")? {
                Some(schema) => Some((schema, Deparsed::by_server(row.text("operator")?))),
                None => None,
            },
            support: opt_text("support")?,
            parallel: function::parallel(row)?.map(|(_, word)| word),
        })
    }

    /// The lines between the parentheses.
    fn lines(&self, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.kw("    SFUNC = ").deparsed(&self.plain.transition);
        sql.kw(",\n    STYPE = ").deparsed(&self.plain.state_type);
        self.plain.append(
            &mut sql,
            [",\n    SSPACE = ", ",\n    INITCOND = "],
            [",\n    FINALFUNC = ", ",\n    FINALFUNC_EXTRA", ",\n    FINALFUNC_MODIFY = "],
        );
        sql.opt_deparsed(",\n    COMBINEFUNC = ", &self.combine, "");
        sql.opt_deparsed(",\n    SERIALFUNC = ", &self.serialize, "");
        sql.opt_deparsed(",\n    DESERIALFUNC = ", &self.deserialize, "");
        if let Some((moving, inverse)) = &self.moving {
            sql.kw(",\n    MSFUNC = ").deparsed(&moving.transition);
            sql.kw(",\n    MINVFUNC = ").deparsed(inverse);
            sql.kw(",\n    MSTYPE = ").deparsed(&moving.state_type);
            moving.append(
                &mut sql,
                [",\n    MSSPACE = ", ",\n    MINITCOND = "],
                [",\n    MFINALFUNC = ", ",\n    MFINALFUNC_EXTRA", ",\n    MFINALFUNC_MODIFY = "],
            );
        }
        if let Some((schema, name)) = &self.sort_operator {
            sql.kw(",\n    SORTOP = OPERATOR(").ident(schema.as_bstr()).kw(".").deparsed(name).kw(")");
        }
        sql.opt_deparsed(",\n    SUPPORT = ", &self.support, "");
        if self.hypothetical {
            sql.kw(",\n    HYPOTHETICAL");
        }
        if let Some(word) = self.parallel {
            sql.kw(",\n    PARALLEL = ").kw(word);
        }
        sql
    }
}

impl TransitionState {
    fn append(&self, sql: &mut Sql, [space, initial]: [&'static str; 2], last: [&'static str; 3]) {
        if self.space != 0 {
            sql.kw(space).num(self.space);
        }
        if let Some(value) = &self.initial {
            sql.kw(initial).literal(value.as_bstr());
        }
        let [function, extra, modify] = last;
        if let Some(last) = &self.last {
            sql.kw(function).deparsed(&last.function);
            sql.kw(if last.extra { extra } else { "" });
            if let Some(word) = last.modify {
                sql.kw(modify).kw(word);
            }
        }
    }
}

/// The word for what a final function does to the state, where it is not the default.
fn modification(row: Row<'_>, column: &str, default: u8) -> Result<Option<&'static str>> {
    Ok(match row.char(column)? {
        letter if letter == default => None,
        b'r' => Some("READ_ONLY"),
        b's' => Some("SHAREABLE"),
        b'w' => Some("READ_WRITE"),
        other => return Err(unknown(row.text("proname")?, "treatment of the state", other)),
    })
}

impl Body for Aggregate {
    fn rank(&self) -> Rank {
        Rank::Aggregate
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Aggregate>().map_or(Ordering::Equal, |other| self.routine.compare(&other.routine, model))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let name = object.name.as_bstr();
        let star = Deparsed::by_server("*");
        let without_arguments = self.routine.arguments.is_empty();
        let signature = if without_arguments {
            self.routine.with_arguments(name, &star, render)
        } else {
            self.routine.signature(name, render)
        };
        if object.dumped().has(Components::DEFINITION) {
            let definition = self.definition.as_ref().ok_or_else(|| not_read(object))?;
            let arguments = if without_arguments { &star } else { &definition.arguments };
            let types = self.routine.types(render.model, name)?;
            let shown = if without_arguments { b"*".as_bstr() } else { types.as_bstr() };
            let tag = bstr::concat([name.as_bytes(), b"(", shown, b")"]);
            let mut entry = NewEntry::of(object, render, "AGGREGATE", tag);
            entry.owner = Some(self.routine.owner.clone());
            entry.definition.kw("CREATE AGGREGATE ").ident(render.schema(object)).kw(".");
            entry.definition.sql(&self.routine.with_arguments(name, arguments, render));
            entry.definition.kw(" (\n").sql(&definition.lines(render)).kw("\n);\n");
            entry.drop.kw("DROP AGGREGATE ").ident(render.schema(object)).kw(".").sql(&signature).kw(";\n");
            out.entry(entry);
        }
        let schema = render.model.schema_name(object);
        let owner = self.routine.owner.as_bstr();
        let subject = Subject { words: "AGGREGATE", schema, name: &signature, owner };
        out.comment_and_labels(render, object, &subject);
        // GRANT has no word for aggregates: it takes them for functions of the types of their arguments.
        let mut types = render.sql();
        types.ident(name).kw("(").deparsed(&self.routine.types(render.model, name)?).kw(")");
        let subject = Subject { words: "FUNCTION", schema, name: &types, owner };
        out.privileges(render, object, &subject, &self.routine.privileges)?;
        Ok(())
    }
}
