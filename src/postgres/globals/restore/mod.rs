//! Bringing back what is in no database: a script is read whole, and refused if it has a statement that does not belong into
//! one; then it is held against the server, and carried out.
//!
//! What belongs together is one transaction: a role is made with all its attributes or not at all. One that is there already is
//! altered, so that it is what the script says, and never made anew. A password is in no message: what is told of a statement is
//! what it is about.

mod cursor;
mod execute;
mod grammar;
mod reader;

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::options::options;
use crate::postgres::restore::{Connect, refuse_standby};
use crate::printable;
use crate::progress::Reporter;
use crate::wire::{Begin, Connection, Param, Query};
use crate::words::Choice;
use grammar::Statement;
use reader::Script;

options! {
    /// What can be asked of a restore of roles and tablespaces.
    #[derive(Debug, Clone, Copy)]
    pub struct GlobalsRestoreOptions {
        /// Alter the roles and tablespaces that are there already.
        pub force: bool = false,
        /// Stop at the first error instead of going on and counting them.
        pub exit_on_error: bool = false,
    }
}

/// What a restore of roles and tablespaces came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalsRestored {
    /// Roles that were made.
    pub roles: u64,
    /// Roles that were there, and were altered.
    pub altered: u64,
    /// Tablespaces that were made.
    pub tablespaces: u64,
    /// What the server refused.
    pub errors: Vec<GlobalsError>,
    /// What was not tried, because what it is about could not be made.
    pub skipped: Vec<String>,
    /// Whether it ended at the first error.
    pub stopped: bool,
}

/// What the server refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalsError {
    /// What it is about: "role alice".
    pub about: String,
    /// What the server said.
    pub message: String,
}

/// What there is of a script's roles and tablespaces on a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GlobalsPreview {
    /// Roles that would be made.
    pub roles: Vec<BString>,
    /// Roles that would be altered, or that somebody would become a member of or be made one.
    pub altered: Vec<BString>,
    /// Whether settings of all roles would be.
    pub all_roles: bool,
    /// Tablespaces that would be made.
    pub tablespaces: Vec<BString>,
    /// Tablespaces that would stay where they are.
    pub there: Vec<(BString, BString)>,
    /// What else of the server would be altered, in words: its own tablespaces, and privileges of everybody or of roles that the script
    /// does not make.
    pub others: Vec<String>,
}

/// Says what [`restore`] would do with a script, and changes nothing.
///
/// # Errors
/// The script is none of roles and tablespaces; the server's.
pub fn preview(target: &mut Connection, script: &[u8]) -> Result<GlobalsPreview> {
    look(target, &reader::read(script)?)
}

/// Carries out a script of roles and tablespaces. `connect` makes a second connection to the same server, which tells whether a
/// pooler is in between.
///
/// # Errors
/// The script is none of roles and tablespaces; something of it is there already and `force` is not given, before anything is
/// changed; a lost connection.
pub fn restore(
    target: &mut Connection,
    connect: &Connect<'_>,
    script: &[u8],
    options: &GlobalsRestoreOptions,
    reporter: &dyn Reporter,
) -> Result<GlobalsRestored> {
    let script = reader::read(script)?;
    refuse_standby(target, "restore roles and tablespaces on this server")?;
    let found = look(target, &script)?;
    if !options.force {
        refuse_unforced(&found)?;
    }
    reporter.cancellation().run(|| execute::execute(target, connect, &script, &found, options, reporter))
}

fn look(target: &mut Connection, script: &Script) -> Result<GlobalsPreview> {
    let mut made: BTreeSet<&BString> = BTreeSet::new();
    let mut spaces: BTreeSet<&BString> = BTreeSet::new();
    // What a script says something about that it does not make itself.
    let (mut roles_named, mut spaces_named) = (BTreeSet::new(), BTreeSet::new());
    let mut all_roles = false;
    // What of the server's own is said something about, and for whom, if for somebody.
    let mut servers: Vec<(&Statement, Option<&BString>)> = Vec::new();
    let is_servers = |name: &BString| name.starts_with(b"pg_");
    for step in &script.steps {
        match &step.about {
            Statement::CreateRole(name) => _ = made.insert(name),
            Statement::CreateTablespace { name, .. } => _ = spaces.insert(name),
            Statement::Role(name) | Statement::RoleSetting(Some(name)) => _ = roles_named.insert(name),
            Statement::RoleSetting(None) => all_roles = true,
            Statement::Membership { role, member } => roles_named.extend([role, member]),
            Statement::Tablespace(name) if is_servers(name) => servers.push((&step.about, None)),
            Statement::TablespacePrivileges { name, grantee } if is_servers(name) => {
                servers.push((&step.about, Some(grantee)));
            }
            Statement::Parameter { grantee, .. } => servers.push((&step.about, Some(grantee))),
            Statement::Tablespace(name) | Statement::TablespacePrivileges { name, .. } => _ = spaces_named.insert(name),
            _ => {}
        }
    }
    // The server's own are everywhere, and privileges on them are given to the roles of the script.
    let is_of_users = |name: &&&BString| !is_servers(name);
    roles_named.extend(made.iter().copied());
    spaces_named.extend(spaces.iter().copied());
    let names: Vec<&BString> = roles_named.iter().filter(is_of_users).copied().collect();
    let mut begin = Begin::read_only();
    if let Some(encoding) = &script.encoding {
        begin = begin.set("client_encoding", encoding);
    }
    target.begin(&begin)?;
    let space_names: Vec<&BString> = spaces_named.iter().filter(is_of_users).copied().collect();
    let queries = [
        Query::new(
            "roles",
            "SELECT r.rolname FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY ($1::pg_catalog.text[])",
        )
        .param(Param::texts(&names)),
        Query::new(
            "tablespaces",
            "SELECT t.spcname, coalesce(pg_catalog.pg_tablespace_location(t.oid), '') AS location \
             FROM pg_catalog.pg_tablespace AS t WHERE t.spcname = ANY ($1::pg_catalog.text[]) ORDER BY 1",
        )
        .param(Param::texts(&space_names)),
        Query::new(
            "names that are too long",
            "SELECT n.name FROM pg_catalog.unnest($1::pg_catalog.text[]) AS n (name) \
             WHERE n.name::pg_catalog.name::pg_catalog.text <> n.name ORDER BY 1",
        )
        .param(Param::texts(&[names.as_slice(), &space_names].concat())),
    ];
    let results = target.pipeline(&queries)?;
    target.rollback()?;
    let [roles, there, too_long] = results.as_slice() else {
        return Err(Error::new(ErrorKind::Internal, "look at the server's roles").why("a result is missing"));
    };
    if let Some(row) = too_long.iter().next() {
        // What it is cut to may be another role's name.
        let name = row.string("name")?;
        return Err(Error::new(ErrorKind::Refused, "restore roles and tablespaces")
            .why(format!(
                "the name {} is longer than this server's are, which would cut it",
                printable::name(name.as_bstr())
            ))
            .hint("nothing was changed; give it a shorter name in the script"));
    }
    let mut present: BTreeSet<BString> = BTreeSet::new();
    for row in roles.iter() {
        present.insert(row.string("rolname")?);
    }
    let mut preview = GlobalsPreview { all_roles, ..GlobalsPreview::default() };
    for (about, grantee) in servers {
        let other = match grantee {
            Some(role) if made.contains(role) && !present.contains(role) => continue,
            Some(role) if role == "public" => format!("{about}, for everybody"),
            Some(role) => format!("{about}, for role {}", printable::name(role.as_bstr())),
            None => about.to_string(),
        };
        if !preview.others.contains(&other) {
            preview.others.push(other);
        }
    }
    preview.altered = names.iter().copied().filter(|name| present.contains(*name)).cloned().collect();
    preview.roles = made.into_iter().filter(|name| !present.contains(*name)).cloned().collect();
    for row in there.iter() {
        preview.there.push((row.string("spcname")?, row.string("location")?));
    }
    let is_there = |name: &BString| preview.there.iter().any(|(there, _)| there == name);
    preview.tablespaces = spaces.into_iter().filter(|name| !is_there(name)).cloned().collect();
    Ok(preview)
}

fn refuse_unforced(found: &GlobalsPreview) -> Result<()> {
    let named = |names: &mut dyn Iterator<Item = &BStr>| names.map(printable::name).collect::<Vec<_>>().join(", ");
    let mut there = Vec::new();
    if !found.altered.is_empty() {
        there.push(format!("roles {}", named(&mut found.altered.iter().map(|name| name.as_bstr()))));
    }
    if !found.there.is_empty() {
        there.push(format!("tablespaces {}", named(&mut found.there.iter().map(|(name, _)| name.as_bstr()))));
    }
    let all_roles = found.all_roles.then(|| "settings of all roles".to_owned());
    let others: Vec<String> = all_roles.into_iter().chain(found.others.iter().cloned()).collect();
    let why = match (there.is_empty(), others.is_empty()) {
        (true, true) => return Ok(()),
        (true, false) => format!("{} would be altered", others.join("; ")),
        (false, _) => format!("there are {} already, and they would be altered", there.join(" and ")),
    };
    Err(Error::new(ErrorKind::Refused, "restore roles and tablespaces")
        .why(why)
        .hint("nothing was changed; " + Choice::Force + " alters them"))
}
