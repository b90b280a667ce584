//! What is in no database: roles and who is a member of whom, their settings, tablespaces, privileges on parameters.
//!
//! [`Globals`] is what one snapshot of the shared catalogs says of them; `script.rs` writes it as the statements that
//! `pg_dumpall` of the same major writes. The settings of roles in a database, as all that is the database's own, belong to the
//! dump of the database (`objects/database.rs`).
//!
//! One kind a file: its query, its rows, its statements.

mod cluster;
mod labels;
mod memberships;
mod options;
mod parameters;
mod restore;
mod role_settings;
mod roles;
mod run;
mod script;
mod tablespaces;
mod unknown;

use bstr::{BStr, BString, ByteSlice};

use super::session::Session;
use super::version::ServerVersion;
use crate::error::{Error, ErrorKind, Result};
use crate::printable;
use crate::sql::{NoNames, Sql, Style};
use crate::wire::Query;
use crate::words::Choice;

pub use cluster::{Cluster, databases, read};
pub use options::GlobalsOptions;
pub use restore::{GlobalsError, GlobalsPreview, GlobalsRestoreOptions, GlobalsRestored, preview, restore};
pub use run::{GlobalsSummary, backup};
pub(crate) use script::unwritten;
pub use script::{Frame, database_heading, databases_heading, end};

use labels::Labels;
use memberships::Membership;
use parameters::ParameterPrivileges;
use role_settings::Settings;
use roles::Role;
use tablespaces::Tablespace;

/// What is in no database, as one snapshot shows it.
pub struct Globals {
    server: ServerVersion,
    encoding: BString,
    style: Style,
    roles: Vec<Role>,
    settings: Settings,
    /// In the order in which they can be granted.
    memberships: Vec<Membership>,
    parameters: Vec<ParameterPrivileges>,
    tablespaces: Vec<Tablespace>,
}

impl Globals {
    /// Reads what is wanted of them. The session's transaction has begun, and looked around.
    ///
    /// # Errors
    /// The session's role may not read the passwords of others; the catalogs say something that is not understood.
    pub(crate) fn read(session: &mut Session, options: &GlobalsOptions) -> Result<Self> {
        let server = session.server();
        let queries = [
            unknown::query(),
            labels::query(),
            roles::query(options.passwords),
            role_settings::query(),
            memberships::query(server),
            parameters::query(server),
            tablespaces::query(),
        ];
        let results = session.connection().pipeline(&queries).map_err(|error| explain(error.into(), &queries))?;
        let [columns, labels, roles, settings, memberships, parameters, tablespaces] = results.as_slice() else {
            return Err(Error::new(ErrorKind::Internal, "read the roles and tablespaces").why("a result is missing"));
        };
        if !options.accept_unknown {
            unknown::check(columns)?;
        }
        let mut labels = Labels::of(labels)?;
        Ok(Self {
            server,
            encoding: session.encoding().clone(),
            style: session.style(),
            roles: roles::of(roles, &mut labels)?,
            settings: Settings::of(settings)?,
            memberships: memberships::in_order(memberships::of(memberships, server)?)?,
            parameters: parameters::of(parameters)?,
            tablespaces: tablespaces::of(tablespaces, &mut labels)?,
        })
    }

    /// What `pg_dumpall` has no words for, and what is not written unless everything is wanted; in words.
    pub fn left_out(&self) -> Vec<String> {
        let mut left_out = Vec::new();
        if !self.settings.of_all.is_empty() {
            left_out.push("settings of all roles (ALTER ROLE ALL SET)".to_owned());
        }
        let changed = self.tablespaces.iter().filter(|one| one.is_the_servers() && one.is_changed());
        left_out.extend(
            changed.map(|one| format!("what was changed of tablespace {}", printable::name(one.name.as_bstr()))),
        );
        left_out
    }

    /// SQL text in the making, with names and literals as they are wanted.
    fn sql(&self) -> Sql {
        Sql::styled(self.style)
    }

    /// Appends a literal. Where there is but one way to read one, `pg_dumpall` needs none that is read alike in both.
    fn literal<'s>(&self, sql: &'s mut Sql, text: &BStr) -> &'s mut Sql {
        if self.server.only_standard_strings() { sql.literal(text) } else { sql.portable_literal(text) }
    }

    /// How settings that are lists without a name are written.
    fn no_names(&self) -> NoNames {
        if self.server.null_for_empty_lists() { NoNames::Null } else { NoNames::EmptyName }
    }
}

/// Only superusers may read passwords, which is what fails most often here.
fn explain(error: Error, queries: &[Query]) -> Error {
    const DENIED: &str = crate::wire::sqlstate::INSUFFICIENT_PRIVILEGE;
    let is_about_passwords = queries.iter().any(|query| query.what == roles::WITH_PASSWORDS);
    if is_about_passwords && error.server().is_some_and(|report| report.is(DENIED)) {
        return error.hint("connect as a superuser, or leave the passwords out: " + Choice::NoRolePasswords);
    }
    error
}
