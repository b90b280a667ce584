//! The entries that say how the rest is to be read: encoding, string literals, search_path.

use bstr::{BString, ByteSlice};
use pgformat::Section;

use super::super::emit::{Depends, Emitter, NewEntry, Render};
use crate::sql::Sql;

/// Adds them, first of all.
pub(super) fn emit(render: &Render<'_>, encoding: &BString, out: &mut Emitter) {
    let mut sql = Sql::new();
    sql.kw("SET client_encoding = ").literal(encoding.as_bstr()).kw(";\n");
    out.entry(setting("ENCODING", sql));

    let mut sql = Sql::new();
    let state = if render.standard_strings { "on" } else { "off" };
    sql.kw("SET standard_conforming_strings = '").kw(state).kw("';\n");
    out.entry(setting("STDSTRINGS", sql));

    let mut sql = Sql::new();
    sql.kw("SELECT pg_catalog.set_config('search_path', '', false);\n");
    out.entry(setting("SEARCHPATH", sql));
}

fn setting(name: &'static str, definition: Sql) -> NewEntry {
    NewEntry {
        id: None,
        catalog_id: None,
        tag: name.into(),
        desc: name,
        section: Section::PreData,
        schema: None,
        owner: None,
        definition,
        drop: Sql::new(),
        goes_with_another: false,
        copy: Sql::new(),
        tablespace: None,
        table_access_method: None,
        relkind: 0,
        depends: Depends::On(Vec::new()),
        data: None,
        statistics: None,
        extended_statistics: None,
    }
}
