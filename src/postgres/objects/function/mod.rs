//! Functions, window functions and procedures; aggregates are a kind of their own, which shares what is said here about
//! names and arguments.

mod definition;

use std::cmp::Ordering;
use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::deparse::deparsed;
use super::extension;
use super::types::{compare_types, required_type_name};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Components, LoopRole, Model, NewObject, Object, Rank, Side};
use crate::postgres::privileges::Privileges;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row, Rows};
use definition::Definition;
pub(super) use definition::parallel;

pub(super) struct Functions;

/// What routines of every sort have: the name they are called by, and who may do so.
pub(super) const ROUTINE_COLUMNS: &str = "p.oid, p.proname, p.pronamespace, p.proowner, \
    p.proargtypes::pg_catalog.oid[] AS arguments, \
    pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity, p.proacl::pg_catalog.text[] AS acl, \
    CASE WHEN p.proacl IS NOT NULL OR i.objoid IS NOT NULL \
      THEN pg_catalog.acldefault('f', p.proowner)::pg_catalog.text[] END AS acl_default";

/// The tables for [`ROUTINE_COLUMNS`].
pub(super) const ROUTINE_TABLES: &str = "pg_catalog.pg_proc AS p \
    LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND i.objoid = \
      p.oid AND i.objsubid = 0";

/// Leaves out what sessions have made for themselves, which may vanish at any time.
pub(super) const NOT_TEMPORARY: &str = "p.pronamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n \
    WHERE n.nspname ~ '^pg_temp_')";

/// Narrows a query down to routines whose definition may be dumped: neither those of the system's schemas nor members of
/// extensions.
pub(super) const OF_USERS: &str = "p.pronamespace NOT IN (SELECT n.oid FROM pg_catalog.pg_namespace AS n \
        WHERE n.nspname = 'information_schema' OR n.nspname ~ '^pg_') \
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS m \
        WHERE m.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND m.objid = p.oid AND m.objsubid = 0 AND \
          m.deptype = 'e')";

/// What routines of every sort have in common.
pub struct Routine {
    /// The owner's name.
    pub owner: BString,
    /// The OIDs of the types of the input arguments.
    pub arguments: Vec<u32>,
    /// The arguments that tell it from others of its name, as COMMENT and DROP want them.
    identity: Deparsed,
    pub(super) privileges: Privileges,
}

/// A function, a window function or a procedure.
pub struct Function {
    /// What it has in common with aggregates.
    pub routine: Routine,
    sort: Sort,
    /// None where nobody will ask for it.
    definition: Option<Box<Definition>>,
    /// Whether it has to wait for something that comes after the data.
    postponed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Function,
    Window,
    Procedure,
}

impl Routine {
    pub(super) fn read(row: Row<'_>, model: &Model) -> Result<Self> {
        Ok(Self {
            owner: model.role(row.oid("proowner")?, row.text("proname")?)?.into(),
            arguments: row.oids("arguments")?,
            identity: deparsed(row, "identity", "proname")?,
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
        })
    }

    /// The order among routines of one name: the number of arguments, then their types.
    pub(super) fn compare(&self, other: &Self, model: &Model) -> Ordering {
        let by_types = || {
            let mut types = self.arguments.iter().zip(&other.arguments).map(|(a, b)| compare_types(model, *a, *b));
            types.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        };
        self.arguments.len().cmp(&other.arguments.len()).then_with(by_types)
    }

    /// The types of the input arguments, between commas.
    pub(super) fn types(&self, model: &Model, name: &BStr) -> Result<Deparsed> {
        let mut sql = Sql::new();
        for (i, oid) in self.arguments.iter().enumerate() {
            sql.kw(if i > 0 { ", " } else { "" }).deparsed(required_type_name(model, *oid, name)?);
        }
        Ok(sql.into_deparsed())
    }

    /// The quoted name and the arguments that tell it from others of its name.
    pub(super) fn signature(&self, name: &BStr, render: &Render<'_>) -> Sql {
        self.with_arguments(name, &self.identity, render)
    }

    /// The quoted name with the given arguments.
    pub(super) fn with_arguments(&self, name: &BStr, arguments: &Deparsed, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.ident(name).kw("(").deparsed(arguments).kw(")");
        sql
    }

    /// The name as it is and the types of the input arguments: what a list of contents shows.
    pub(super) fn tag(&self, model: &Model, name: &BStr) -> Result<BString> {
        Ok(bstr::concat([name.as_bytes(), b"(", self.types(model, name)?.as_bstr(), b")"]).into())
    }
}

/// `schema.function(type, …)`: how a cast or a transform calls the function that it is made of; `user`
/// is that cast, called `name`.
///
/// # Errors
/// There is no such function, or one of its types is not known.
pub(super) fn reference(render: &Render<'_>, oid: u32, user: &str, name: &BStr) -> Result<Sql> {
    let model = render.model;
    let Some((object, function)) = model.find_body::<Function>(Catalog::PROCEDURE, oid) else {
        return Err(Error::new(ErrorKind::Incomplete, format!("dump the {user} \"{name}\""))
            .why(format!("the function with OID {oid}, which it uses, was not found")));
    };
    let mut sql = render.qualified(object);
    sql.kw("(").deparsed(&function.routine.types(model, object.name.as_bstr())?).kw(")");
    Ok(sql)
}

impl Kind for Functions {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        // A function that is internal to something comes with it: the constructors of range types. Of the system's own,
        // those are of interest that users' casts and transforms are made of, and those whose privileges were changed.
        let functions = format!(
            "SELECT {ROUTINE_COLUMNS}, p.prokind FROM {ROUTINE_TABLES} \
             WHERE p.prokind <> 'a' AND {NOT_TEMPORARY} AND (p.pronamespace <> 11 OR p.proacl IS DISTINCT FROM \
             i.initprivs \
               OR p.oid IN (SELECT castfunc FROM pg_catalog.pg_cast WHERE oid >= {FIRST_USER_OID} \
                 UNION ALL SELECT trffromsql::pg_catalog.oid FROM pg_catalog.pg_transform WHERE oid >= \
                 {FIRST_USER_OID} \
                 UNION ALL SELECT trftosql::pg_catalog.oid FROM pg_catalog.pg_transform WHERE oid >= \
                 {FIRST_USER_OID})) \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
               WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'i') \
             ORDER BY p.oid"
        );
        vec![Query::new("functions", functions), definition::query(scope.server)]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        collect(rows, model, "functions", Definition::read, |row, routine, definition| {
            let sort = match row.char("prokind")? {
                b'f' => Sort::Function,
                b'w' => Sort::Window,
                b'p' => Sort::Procedure,
                other => return Err(unknown(row.text("proname")?, "kind of function", other)),
            };
            Ok(Function { routine, sort, definition, postponed: false })
        })
    }
}

/// Adds the routines in the first of two results to the model, each with its definition, if the second has it; `what` they
/// are called in an error. `body` makes the object of a row, with what it has in common with other routines.
pub(super) fn collect<D, B: Body>(
    rows: &[Rows],
    model: &mut Model,
    what: &str,
    read: fn(Row<'_>) -> Result<D>,
    body: impl Fn(Row<'_>, Routine, Option<Box<D>>) -> Result<B>,
) -> Result<()> {
    let [routines, definitions] = results(rows, &format!("read the {what}"))?;
    let mut by_oid = HashMap::new();
    for row in definitions.iter() {
        by_oid.insert(row.oid("oid")?, Box::new(read(row)?));
    }
    for row in routines.iter() {
        let oid = row.oid("oid")?;
        let name = row.string("proname")?;
        let routine = Routine::read(row, model)?;
        let schema = model.schema(row.oid("pronamespace")?, name.as_bstr())?;
        let has = Components::DEFINITION.or(routine.privileges.component());
        let body = body(row, routine, by_oid.remove(&oid))?;
        model.add(NewObject::in_schema(Catalog::PROCEDURE, oid, name, Some(schema), body).has(has));
    }
    Ok(())
}

/// The error for a letter in a catalog column that has no meaning known here.
pub(super) fn unknown(name: &BStr, what: &str, letter: u8) -> Error {
    Error::new(ErrorKind::Incomplete, format!("read the definition of \"{name}\""))
        .why(format!("its {what} is '{}', which is not known", char::from(letter)))
}

/// The error for a routine that is to be dumped although its definition was not read.
pub(super) fn not_read(object: &Object) -> Error {
    Error::new(ErrorKind::Incomplete, format!("dump the function \"{}\"", object.name))
        .why("nothing about its definition was found in the catalog")
}

impl Body for Function {
    fn rank(&self) -> Rank {
        Rank::Function
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Function>().map_or(Ordering::Equal, |other| self.routine.compare(&other.routine, model))
    }

    fn side(&self) -> Side {
        if self.postponed { Side::PostData } else { Side::PreData }
    }

    fn loop_role(&self) -> LoopRole {
        LoopRole::Function
    }

    fn separate(&mut self) {
        self.postponed = true;
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let words = if self.sort == Sort::Procedure { "PROCEDURE" } else { "FUNCTION" };
        let signature = self.routine.signature(object.name.as_bstr(), render);
        if object.dumped().has(Components::DEFINITION) {
            out.entry(self.entry(object, render, words, &signature)?);
        }
        let schema = render.model.schema_name(object);
        let subject = Subject { words, schema, name: &signature, owner: self.routine.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        out.privileges(render, object, &subject, &self.routine.privileges)?;
        Ok(())
    }
}

impl Function {
    fn entry(&self, object: &Object, render: &Render<'_>, words: &'static str, signature: &Sql) -> Result<NewEntry> {
        let definition = self.definition.as_ref().ok_or_else(|| not_read(object))?;
        let name = object.name.as_bstr();
        let mut qualified = render.sql();
        qualified.ident(render.schema(object)).kw(".").sql(signature);

        let mut entry = NewEntry::of(object, render, words, self.routine.tag(render.model, name)?);
        entry.owner = Some(self.routine.owner.clone());
        entry.definition = render.sql();
        let sql = &mut entry.definition;
        sql.kw("CREATE ").kw(words).kw(" ").ident(render.schema(object)).kw(".");
        sql.sql(&self.routine.with_arguments(name, &definition.arguments, render));
        if let Some(result) = definition.result.as_ref().filter(|_| self.sort != Sort::Procedure) {
            sql.kw(" RETURNS ").deparsed(result);
        }
        definition.append(sql, self.sort == Sort::Window, name, render)?;
        extension::append_depends(sql, object, render, words, &qualified);
        entry.drop.kw("DROP ").kw(words).kw(" ").sql(&qualified).kw(";\n");
        Ok(entry)
    }
}
