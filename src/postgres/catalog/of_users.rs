//! In which catalogs users have made rows: where they have made none, nothing more needs to be asked.

use std::collections::HashSet;

use crate::error::Result;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::wire::{Connection, Query};

/// Those that are looked into, of which a server has rows of its own. All of these every server has, and everybody may read, and it
/// is the server that gives the OIDs (those of large objects are users').
const WITH_SERVERS_OWN: &[Catalog] = &[
    Catalog::ACCESS_METHOD,
    Catalog::ATTRIBUTE_DEFAULT,
    Catalog::CAST,
    Catalog::CLASS,
    Catalog::COLLATION,
    Catalog::CONSTRAINT,
    Catalog::CONVERSION,
    Catalog::EXTENSION,
    Catalog::LANGUAGE,
    Catalog::NAMESPACE,
    Catalog::OPERATOR,
    Catalog::OPERATOR_CLASS,
    Catalog::OPERATOR_FAMILY,
    Catalog::PROCEDURE,
    Catalog::REWRITE,
    Catalog::TS_CONFIG,
    Catalog::TS_DICT,
    Catalog::TS_PARSER,
    Catalog::TS_TEMPLATE,
    Catalog::TYPE,
];

/// Those of which it has none.
const OF_USERS_ALONE: &[Catalog] = &[
    Catalog::DEFAULT_ACL,
    Catalog::EVENT_TRIGGER,
    Catalog::FOREIGN_DATA_WRAPPER,
    Catalog::FOREIGN_SERVER,
    Catalog::POLICY,
    Catalog::PUBLICATION,
    Catalog::PUBLICATION_REL,
    Catalog::STATISTIC_EXT,
    Catalog::TRANSFORM,
    Catalog::TRIGGER,
];

/// The catalogs in which no user has made a row.
#[derive(Debug, Default)]
pub struct Untouched(HashSet<Catalog>);

impl Untouched {
    /// Asks for all of them at once.
    ///
    /// # Errors
    /// The server does not tell.
    pub fn read(connection: &mut Connection) -> Result<Self> {
        let column = |catalog: &Catalog, condition: &str| {
            let name = catalog.name().unwrap_or_default();
            format!("EXISTS (SELECT FROM pg_catalog.{name} AS x{condition}) AS {name}")
        };
        let later = format!(" WHERE x.oid >= {FIRST_USER_OID}");
        let with_own = WITH_SERVERS_OWN.iter().map(|catalog| column(catalog, &later));
        let columns: Vec<String> = with_own.chain(OF_USERS_ALONE.iter().map(|catalog| column(catalog, ""))).collect();
        let rows = connection.run(&Query::new("what users made", format!("SELECT {}", columns.join(", "))))?;
        let row = rows.one()?;
        let mut untouched = HashSet::new();
        for catalog in WITH_SERVERS_OWN.iter().chain(OF_USERS_ALONE) {
            if !row.bool(catalog.name().unwrap_or_default())? {
                untouched.insert(*catalog);
            }
        }
        Ok(Self(untouched))
    }

    /// Whether it is certain that no user has made a row in the catalog.
    pub fn has(&self, catalog: Catalog) -> bool {
        self.0.contains(&catalog)
    }
}
