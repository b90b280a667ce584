//! Types: everything in `pg_type`. One scan of all rows serves whoever mentions a type; what a definition is made of is
//! read for users' types only, in one query for each sort of type.

mod base;
mod composite;
mod domain;
mod enumeration;
mod names;
mod range;
mod shell;

use std::cmp::Ordering;
use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Components, DumpId, LoopRole, Model, NewObject, Object, Rank, SelectedBy};
use crate::postgres::privileges::Privileges;
use crate::postgres::relkind::Relkind;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Query, Row, Rows};

pub use domain::DomainConstraint;
pub use names::{compare_types, required_type_name, type_key};
pub use shell::ShellType;

pub(super) struct Types;

/// Narrows a query down to types whose definition may be dumped: neither those of the system's schemas nor members of
/// extensions. The type is called `t`, its schema `n`.
const OF_USERS: &str = "n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND NOT EXISTS (SELECT \
    FROM pg_catalog.pg_depend AS m WHERE m.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND m.objid = t.oid \
      AND m.objsubid = 0 AND m.deptype = 'e')";

const TYPES: &str = "\
    SELECT t.oid, t.typname, t.typnamespace, t.typowner, t.typtype, t.typisdefined, t.typrelid, r.relkind, \
      pg_catalog.format_type(t.oid, NULL) AS formatted, \
      coalesce(e.typarray = t.oid, false) AS is_array, t.typacl::pg_catalog.text[] AS acl, \
      CASE WHEN t.typacl IS NOT NULL OR EXISTS (SELECT FROM pg_catalog.pg_init_privs AS i \
          WHERE i.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass AND i.objoid = t.oid) \
        THEN pg_catalog.acldefault('T', t.typowner)::pg_catalog.text[] END AS acl_default \
    FROM pg_catalog.pg_type AS t \
    LEFT JOIN pg_catalog.pg_type AS e ON e.oid = t.typelem \
    LEFT JOIN pg_catalog.pg_class AS r ON r.oid = t.typrelid \
    ORDER BY t.oid";

/// A type.
pub struct Type {
    formatted: Deparsed,
    owner: BString,
    privileges: Privileges,
    /// The OID of the relation behind a composite type, or 0.
    relation: u32,
    sort: Sort,
    shell: Option<DumpId>,
}

/// What a type's definition is made of.
enum Sort {
    /// It has none of its own: the row type of a table, an array, a multirange.
    Implied,
    /// It has been named, and that is all.
    Undefined,
    Base(Box<base::Base>),
    Composite(Vec<composite::Attribute>),
    Domain(Box<domain::Domain>),
    Enum(Vec<BString>),
    Range(Box<range::Range>),
    /// It was not read, since nobody will ask for it.
    NotRead,
}

/// The value of a type that nothing else was said about.
enum Default {
    Expression(Deparsed),
    Literal(BString),
}

impl Default {
    fn read(row: Row<'_>) -> Result<Option<Self>> {
        Ok(match row.opt_text("expression")? {
            Some(expression) => Some(Self::Expression(Deparsed::by_server(expression))),
            None => row.opt_string("typdefault")?.map(Self::Literal),
        })
    }

    fn append(&self, sql: &mut Sql) {
        match self {
            Self::Expression(expression) => sql.deparsed(expression),
            Self::Literal(text) => sql.literal(text.as_bstr()),
        };
    }
}

/// The error for a letter in a catalog column that has no meaning known here.
fn unknown(name: &BStr, what: &str, letter: u8) -> Error {
    Error::new(ErrorKind::Incomplete, format!("read the definition of \"{name}\""))
        .why(format!("its {what} is '{}', which is not known", char::from(letter)))
}

impl Kind for Types {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        vec![
            Query::new("types", TYPES),
            base::query(scope.server),
            composite::query(),
            domain::query(),
            enumeration::query(),
            range::query(scope.server),
            domain::constraints_query(),
        ]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [types, base, composite, domains, enums, ranges, constraints] = results(rows, "read the types")?;
        let mut definitions: HashMap<u32, Sort> = HashMap::new();
        for row in base.iter() {
            definitions.insert(row.oid("oid")?, Sort::Base(Box::new(base::Base::read(row)?)));
        }
        for row in composite.iter() {
            let sort = definitions.entry(row.oid("oid")?).or_insert_with(|| Sort::Composite(Vec::new()));
            if let (Sort::Composite(attributes), Some(attribute)) = (sort, composite::Attribute::read(row)?) {
                attributes.push(attribute);
            }
        }
        for row in domains.iter() {
            definitions.insert(row.oid("oid")?, Sort::Domain(Box::new(domain::Domain::read(row)?)));
        }
        for row in enums.iter() {
            let sort = definitions.entry(row.oid("oid")?).or_insert_with(|| Sort::Enum(Vec::new()));
            if let (Sort::Enum(labels), Some(label)) = (sort, row.opt_string("enumlabel")?) {
                labels.push(label);
            }
        }
        for row in ranges.iter() {
            definitions.insert(row.oid("oid")?, Sort::Range(Box::new(range::Range::read(row)?)));
        }
        for row in types.iter() {
            add(model, row, definitions.remove(&row.oid("oid")?))?;
        }
        for row in constraints.iter() {
            let Some(domain) = model.find(Catalog::TYPE, row.oid("contypid")?) else { continue };
            if !model.get(domain).is_some_and(|d| d.wanted.has(Components::DEFINITION)) {
                // It comes with whatever brings the domain.
                model.account(CatalogId { catalog: Catalog::CONSTRAINT, oid: row.oid("oid")? });
                continue;
            }
            let constraint = DomainConstraint::add(model, domain, row)?;
            if let Some(Type { sort: Sort::Domain(body), .. }) = model.body_mut::<Type>(domain) {
                body.constraints.push(constraint);
            }
        }
        Ok(())
    }
}

/// Adds the type of the row.
fn add(model: &mut Model, row: Row<'_>, definition: Option<Sort>) -> Result<()> {
    let name = row.string("typname")?;
    let letter = row.char("typtype")?;
    let relation = row.oid("typrelid")?;
    let privileges = Privileges::from_row(row, "acl", "acl_default")?;
    let of_table =
        relation != 0 && row.opt_char("relkind")?.and_then(Relkind::from_letter) != Some(Relkind::CompositeType);
    let sort = match letter {
        _ if of_table || row.bool("is_array")? => Sort::Implied,
        b'm' => Sort::Implied,
        b'p' if !row.bool("typisdefined")? => Sort::Undefined,
        b'b' | b'c' | b'd' | b'e' | b'p' | b'r' => definition.unwrap_or(Sort::NotRead),
        other => return Err(unknown(name.as_bstr(), "sort of type", other)),
    };
    let wanted = if of_table {
        SelectedBy::Kind(model.find_object(Catalog::CLASS, relation).map_or(Components::NONE, |table| table.wanted))
    } else {
        SelectedBy::Schema
    };
    let mut has = Components::DEFINITION.or(privileges.component());
    let comments = model.comments.get(&CatalogId { catalog: Catalog::CLASS, oid: relation });
    if matches!(sort, Sort::Composite(_)) && comments.is_some_and(|all| all.iter().any(|c| c.sub_id != 0)) {
        has = has.or(Components::COMMENT);
    }
    let needs_shell = matches!(sort, Sort::Base(_) | Sort::Range(_));
    let schema = model.schema(row.oid("typnamespace")?, name.as_bstr())?;
    let body = Type {
        formatted: Deparsed::by_server(row.text("formatted")?),
        owner: model.role(row.oid("typowner")?, name.as_bstr())?.into(),
        privileges,
        relation,
        sort,
        shell: None,
    };
    let new = NewObject::of(Catalog::TYPE, row.oid("oid")?, name, body).schema(Some(schema));
    let id = model.add(new.selected_by(wanted).has(has));
    if needs_shell && model.get(id).is_some_and(|o| o.wanted.has(Components::DEFINITION)) {
        let shell = ShellType::add(model, id);
        if let Some(body) = model.body_mut::<Type>(id) {
            body.shell = shell;
        }
    }
    Ok(())
}

impl Body for Type {
    fn rank(&self) -> Rank {
        if matches!(self.sort, Sort::Implied) { Rank::DummyType } else { Rank::Type }
    }

    fn tie_break(&self, other: &dyn Body, _: &Model) -> Ordering {
        if other.downcast::<ShellType>().is_some() { Ordering::Less } else { Ordering::Equal }
    }

    fn loop_role(&self) -> LoopRole {
        if matches!(self.sort, Sort::Implied) { LoopRole::Other } else { LoopRole::Type { shell: self.shell } }
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        if matches!(self.sort, Sort::Implied) {
            return Ok(());
        }
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let words = if matches!(self.sort, Sort::Domain(_)) { "DOMAIN" } else { "TYPE" };
        if object.dumped().has(Components::DEFINITION) {
            out.entry(self.entry(object, render, words)?);
        }
        let schema = render.model.schema_name(object);
        let mut subject = Subject { words, schema, name: &name, owner: self.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        subject.words = "TYPE";
        out.privileges(render, object, &subject, &self.privileges)?;
        match &self.sort {
            Sort::Composite(attributes) => composite::comments(self, attributes, object, render, out),
            Sort::Domain(domain) => domain.comments(self, object, render, out),
            _ => {}
        }
        Ok(())
    }
}

impl Type {
    fn entry(&self, object: &Object, render: &Render<'_>, words: &'static str) -> Result<NewEntry> {
        let body = match &self.sort {
            Sort::Base(base) => base.body(render),
            Sort::Composite(attributes) => composite::body(attributes, render),
            Sort::Domain(domain) => domain.body(object, render),
            Sort::Enum(labels) => enumeration::body(labels, render),
            Sort::Range(range) => range.body(render),
            Sort::Undefined => {
                let mut sql = render.sql();
                sql.kw(";\n");
                sql
            }
            Sort::Implied | Sort::NotRead => {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the type \"{}\"", object.name))
                    .why("nothing about its definition was found in the catalog"));
            }
        };
        let name = render.qualified(object);
        let mut entry = NewEntry::of(object, render, words, object.name.clone());
        entry.owner = Some(self.owner.clone());
        entry.definition = render.sql();
        entry.definition.kw("CREATE ").kw(words).kw(" ").sql(&name).sql(&body);
        entry.drop.kw("DROP ").kw(words).kw(" ").sql(&name);
        // A base type and its functions hold each other: without CASCADE neither could be dropped.
        entry.drop.kw(if matches!(self.sort, Sort::Base(_)) { " CASCADE;\n" } else { ";\n" });
        Ok(entry)
    }
}
