//! Finds what matches the patterns of a selection.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use super::path;
use super::pattern::Pattern;
use super::{PatternFault, Selected, Selection};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::relkind::relkinds;
use crate::progress::{Level, Message, Reporter};
use crate::sql::Encoding;
use crate::wire::{Connection, Param, Query, Rows, sqlstate};
use crate::words::Choice;

/// What a sort of patterns is looked for among.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Among {
    Schemas,
    Relations { and_children: bool },
    Extensions,
    ForeignServers,
}

impl Among {
    fn plural(self) -> &'static str {
        match self {
            Self::Schemas => "schemas",
            Self::Relations { .. } => "tables",
            Self::Extensions => "extensions",
            Self::ForeignServers => "foreign servers",
        }
    }

    /// The catalog, and its column that has the name.
    fn catalog(self) -> (Catalog, &'static str) {
        match self {
            Self::Schemas => (Catalog::NAMESPACE, "nspname"),
            Self::Relations { .. } => (Catalog::CLASS, "relname"),
            Self::Extensions => (Catalog::EXTENSION, "extname"),
            Self::ForeignServers => (Catalog::FOREIGN_SERVER, "srvname"),
        }
    }

    /// How many parts a name may have.
    fn parts(self) -> usize {
        match self {
            Self::Relations { .. } => 3,
            // Before a schema, too, there may be the database.
            Self::Schemas => 2,
            Self::Extensions | Self::ForeignServers => 1,
        }
    }

    /// The OIDs of what matches; relations without a schema's name are looked for in `path`.
    fn query(self, pattern: &Pattern, text: &BString, path: &[BString]) -> Query {
        const COLLATION: &str = "COLLATE pg_catalog.\"default\"";
        let doing = format!("{} that match {text}", self.plural());
        let (catalog, name) = self.catalog();
        let catalog = catalog.name().unwrap_or_default();
        let matching = format!("SELECT x.oid FROM pg_catalog.{catalog} AS x");
        let named = format!("x.{name} ~ $1 {COLLATION}");
        let Self::Relations { and_children } = self else {
            return Query::new(doing, format!("{matching} WHERE {named}")).param(Param::text(pattern.name()));
        };
        let found_by = match pattern.schema() {
            Some(_) => format!("n.nspname ~ $2 {COLLATION}"),
            // Nothing of that name comes before it.
            None => "n.nspname::pg_catalog.text = ANY ($2) AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') \
                     AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c \
                       JOIN pg_catalog.pg_namespace AS before ON before.oid = c.relnamespace \
                       WHERE c.relname = x.relname AND pg_catalog.has_schema_privilege(before.oid, 'USAGE') \
                       AND pg_catalog.array_position($2, before.nspname::pg_catalog.text) \
                         < pg_catalog.array_position($2, n.nspname::pg_catalog.text))"
                .to_owned(),
        };
        let mut sql = format!(
            "{matching} JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace \
             WHERE x.relkind IN {relations} \
             AND {named} AND {found_by}",
            relations = relkinds!(relations),
        );
        if and_children {
            sql = format!(
                "WITH RECURSIVE family (oid) AS ({sql} UNION SELECT i.inhrelid FROM family \
                 JOIN pg_catalog.pg_inherits AS i ON i.inhparent = family.oid) \
                 SELECT oid FROM family"
            );
        }
        let query = Query::new(doing, sql).param(Param::text(pattern.name()));
        match pattern.schema() {
            Some(schema) => query.param(Param::text(schema)),
            None => query.param(Param::texts(path)),
        }
    }
}

/// Whether what does not match anything is an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Matching {
    /// It is, for each pattern.
    Each,
    /// It is, if no pattern matches; one among others is worth a warning.
    Any,
    /// It is not.
    None,
}

/// Finds what `selection` asks for.
///
/// # Errors
/// A pattern makes no sense, is about another database, or has to match something and does not.
pub fn resolve(
    connection: &mut Connection,
    selection: &Selection,
    encoding: Encoding,
    reporter: &dyn Reporter,
) -> Result<Selected> {
    let mut finder = Finder { connection, encoding, reporter, path: None };
    let included = if selection.strict_names { Matching::Each } else { Matching::Any };
    let tables = Among::Relations { and_children: false };
    let families = Among::Relations { and_children: true };
    Ok(Selected {
        is_partial: !selection.is_everything(),
        schemas: finder.users_schemas(&selection.schemas, included)?,
        excluded_schemas: finder.find(&[(Among::Schemas, &selection.exclude_schemas)], Matching::None)?,
        relations: finder.only(&[(tables, &selection.tables), (families, &selection.tables_and_children)], included)?,
        excluded_relations: finder.find(
            &[(tables, &selection.exclude_tables), (families, &selection.exclude_tables_and_children)],
            Matching::None,
        )?,
        excluded_data: finder.find(
            &[(tables, &selection.exclude_table_data), (families, &selection.exclude_table_data_and_children)],
            Matching::None,
        )?,
        foreign_servers: finder.find(&[(Among::ForeignServers, &selection.foreign_data)], Matching::Each)?,
        extensions: finder.only(
            &[(Among::Extensions, &selection.extensions), (Among::Extensions, &selection.extensions_beside_others)],
            included,
        )?,
        excluded_extensions: finder.find(&[(Among::Extensions, &selection.exclude_extensions)], Matching::None)?,
    })
}

struct Finder<'a> {
    connection: &'a mut Connection,
    /// That of the patterns, and of all that the server sends.
    encoding: Encoding,
    reporter: &'a dyn Reporter,
    /// The schemas along the role's search path, once they were asked for.
    path: Option<Vec<BString>>,
}

/// Patterns of one sort.
type Patterns<'a> = (Among, &'a [BString]);

impl Finder<'_> {
    /// As [`Finder::find`]; `None` where there are no patterns.
    fn only(&mut self, sorts: &[Patterns<'_>], matching: Matching) -> Result<Option<HashSet<u32>>> {
        let asked_for = sorts.iter().any(|(_, patterns)| !patterns.is_empty());
        Ok(if asked_for { Some(self.find(sorts, matching)?) } else { None })
    }

    /// As [`Finder::only`], without the system's schemas: what is in them is in every database, and not all of it can be
    /// written as statements.
    fn users_schemas(&mut self, patterns: &[BString], matching: Matching) -> Result<Option<HashSet<u32>>> {
        let Some(mut schemas) = self.only(&[(Among::Schemas, patterns)], matching)? else { return Ok(None) };
        let query = Query::new(
            "schemas of the system",
            "SELECT oid, nspname FROM pg_catalog.pg_namespace \
             WHERE nspname ~ '^pg_' OR nspname = 'information_schema' ORDER BY nspname",
        );
        let mut left_out = Vec::new();
        for row in self.connection.run(&query)?.iter() {
            if schemas.remove(&row.oid("oid")?) {
                left_out.push(row.string("nspname")?.to_string());
            }
        }
        if left_out.is_empty() {
            return Ok(Some(schemas));
        }
        if schemas.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("find schemas that match {}", bstr::join(", ", patterns).as_bstr()),
            )
            .why(format!("only schemas of the system match, which every database has: {}", left_out.join(", ")))
            .hint("tables in them can be selected with " + Choice::Tables));
        }
        self.reporter.message(Message::warning(
            "selection",
            format!("schemas of the system are left out, every database has them: {}", left_out.join(", ")),
        ));
        Ok(Some(schemas))
    }

    /// The OIDs of all that match one of the patterns.
    fn find(&mut self, sorts: &[Patterns<'_>], matching: Matching) -> Result<HashSet<u32>> {
        let mut texts = Vec::new();
        let mut queries = Vec::new();
        for (among, text) in sorts.iter().flat_map(|(among, patterns)| patterns.iter().map(|text| (*among, text))) {
            let pattern = Pattern::parse(text.as_bstr(), among.parts(), self.encoding);
            self.check(&pattern, among, text)?;
            texts.push((among, text));
            let is_along_path = matches!(among, Among::Relations { .. }) && pattern.schema().is_none();
            let path = if is_along_path { self.path()? } else { &[] };
            queries.push(among.query(&pattern, text, path));
        }
        let mut found = HashSet::new();
        let mut without = Vec::new();
        for ((among, text), rows) in texts.iter().zip(self.run(&queries)?) {
            if rows.is_empty() {
                without.push((*among, *text));
            }
            for row in rows.iter() {
                found.insert(row.oid("oid")?);
            }
        }
        let is_error = match matching {
            Matching::Each => !without.is_empty(),
            Matching::Any => found.is_empty() && !without.is_empty(),
            Matching::None => false,
        };
        if is_error {
            let (among, text) = without[0];
            return Err(Error::new(ErrorKind::Usage, format!("find {} that match {text}", among.plural()))
                .source(PatternFault::NoMatch {
                    what: among.plural(),
                    pattern: (matching == Matching::Each).then(|| text.clone()),
                })
                .hint("a name that is not in lower case must be in double quotes, which the shell must let pass"));
        }
        for (among, text) in without {
            self.reporter.message(Message::new(
                if matching == Matching::Any { Level::Warning } else { Level::Info },
                "selection",
                format!("there are no {} that match {text}", among.plural()),
            ));
        }
        Ok(found)
    }

    fn path(&mut self) -> Result<&[BString]> {
        let path = match self.path.take() {
            Some(path) => path,
            None => path::schemas(self.connection, self.encoding)?,
        };
        Ok(self.path.insert(path))
    }

    fn run(&mut self, queries: &[Query]) -> Result<Vec<Rows>> {
        self.connection.pipeline(queries).map_err(Error::from).map_err(|error| {
            let is_pattern = error.server().is_some_and(|report| report.code == sqlstate::INVALID_REGULAR_EXPRESSION);
            let kind = if is_pattern { ErrorKind::Usage } else { error.kind() };
            Error::new(kind, "find what the patterns match").source(error)
        })
    }

    fn check(&mut self, pattern: &Pattern, among: Among, text: &BString) -> Result<()> {
        let wrong = |fault: PatternFault| {
            Err(Error::new(ErrorKind::Usage, format!("find {} that match {text}", among.plural()))
                .source(fault)
                .hint("a dot that is part of a name must be in double quotes, which the shell must let pass"))
        };
        if pattern.dots >= among.parts() {
            return wrong(PatternFault::TooManyDots { what: among.plural(), pattern: text.clone() });
        }
        let Some(database) = pattern.database() else { return Ok(()) };
        let rows = self.connection.query("SELECT pg_catalog.current_database() AS name", &[])?;
        if rows.one()?.text("name")? != database {
            return wrong(PatternFault::OtherDatabase { pattern: text.clone() });
        }
        Ok(())
    }
}
