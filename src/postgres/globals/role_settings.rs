//! The settings that roles bring into every database.

use bstr::{BString, ByteSlice};

use super::Globals;
use crate::error::{Error, ErrorKind, Result};
use crate::printable;
use crate::sql::{MalformedSetting, Sql};
use crate::wire::{Query, Rows};

/// The settings of roles.
#[derive(Default)]
pub(super) struct Settings {
    /// By role, each of the form `name=value`, in the catalog's order.
    pub of_roles: Vec<(BString, Vec<BString>)>,
    /// Those that all roles have.
    pub of_all: Vec<BString>,
}

pub(super) fn query() -> Query {
    Query::new(
        "settings of roles",
        "SELECT r.rolname, s.setconfig AS settings FROM pg_catalog.pg_db_role_setting AS s \
         LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole \
         WHERE s.setdatabase = 0 AND (s.setrole = 0 OR r.rolname !~ '^pg_') ORDER BY r.rolname",
    )
}

impl Settings {
    pub(super) fn of(rows: &Rows) -> Result<Self> {
        let mut settings = Self::default();
        for row in rows.iter() {
            let items = row.texts("settings")?.into_iter().flatten().collect();
            match row.opt_string("rolname")? {
                Some(role) => settings.of_roles.push((role, items)),
                None => settings.of_all = items,
            }
        }
        Ok(settings)
    }
}

/// The statement that gives a role a setting, or all roles.
pub(super) fn statement(globals: &Globals, role: Option<&BString>, item: &BString) -> Result<Sql> {
    let mut sql = globals.sql();
    sql.kw("ALTER ROLE ");
    match role {
        Some(role) => sql.ident(role.as_bstr()),
        None => sql.kw("ALL"),
    };
    sql.kw(" SET ");
    let no_names = globals.no_names();
    let malformed = |why: MalformedSetting| {
        let whose = role.map_or("all roles".into(), |role| format!("the role \"{}\"", printable::name(role.as_bstr())));
        let name = item.split_once_str("=").map_or(item.as_slice(), |(name, _)| name);
        Error::new(ErrorKind::Incomplete, format!("dump the settings of {whose}"))
            .why(format!("\"{}\" {why}", printable::name(name.as_bstr())))
    };
    match globals.server.only_standard_strings() {
        true => sql.setting(item.as_bstr(), no_names),
        false => sql.portable_setting(item.as_bstr(), no_names),
    }
    .map_err(malformed)?
    .kw(";\n");
    Ok(sql)
}
