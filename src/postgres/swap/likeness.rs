//! What makes one database be like another: statements for one of another name, as a backup would write them.

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::archive::{kinds, text};
use crate::postgres::catalog;
use crate::postgres::dump::DumpOptions;
use crate::postgres::emit::{Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{DumpId, Model};
use crate::postgres::objects::database::{self, Database, Databases};
use crate::postgres::select::Selected;
use crate::postgres::session::{Session, View};
use crate::wire::{Connection, Param, Query};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};

/// The statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Likeness {
    /// Makes it, with the same encoding, locale and tablespace, for the role that runs it: whoever owns a database may always let
    /// himself in, and change what a restore with more rights is about to run. It cannot be connected to yet.
    pub(crate) create: BString,
    /// Gives it to the owner.
    owner: BString,
    /// What sessions in it begin with, and what takes such settings away.
    pub(crate) settings: BString,
    pub(super) no_settings: BString,
    /// Takes back what a restore was given and others were not, so that the privileges are those of a new database.
    new_privileges: BString,
    /// The comment, security labels, privileges, limit of connections, settings, whether it is a template and may be connected to.
    rest: Vec<BString>,
}

impl Likeness {
    /// Reads what the database `of` is like, from a session in another database, and writes it down for one called `name`.
    ///
    /// # Errors
    /// There is no such database; the server's.
    pub(crate) fn read(connection: Connection, of: &BStr, name: &BStr) -> Result<Self> {
        let mut session = Session::new(connection)?;
        let options = DumpOptions::default().dialect(session.server());
        session.begin(&options, View::Now)?;
        session.look(&options)?;
        let likeness = Self::of_session(&mut session, &options, of, name)?;
        session.end()?;
        Ok(likeness)
    }

    fn of_session(session: &mut Session, options: &DumpOptions, of: &BStr, name: &BStr) -> Result<Self> {
        let server = session.server();
        let mut queries = database::queries(server, "$1::pg_catalog.text", "$2::pg_catalog.text");
        for (at, query) in queries.iter_mut().enumerate() {
            *query = query.clone().param(Param::text(of));
            if at == 0 {
                *query = query.clone().param(Param::text(name));
            }
        }
        let rows = session.connection().pipeline(&queries)?;
        let mut model = Model::new(Selected::default());
        catalog::read_roles(session.connection(), &mut model)?;
        let allows = Query::new(
            "whether the database may be connected to",
            "SELECT d.datallowconn AS is_allowed FROM pg_catalog.pg_database AS d WHERE d.datname = $1::pg_catalog.text",
        );
        let is_allowed = session.connection().run(&allows.param(Param::text(of)))?.one()?.bool("is_allowed")?;
        let superuser = session.is_superuser();
        let scope =
            Scope { server, options, superuser, unlogged_data: false, relations: Vec::new(), sequences: Vec::new() };
        Databases.collect(&rows, &scope, &mut model)?;
        let missing = || Error::new(ErrorKind::Internal, "read the database's properties").why("there are none");
        let object = model.get(DumpId(1)).ok_or_else(missing)?;
        let body = object.body::<Database>().ok_or_else(missing)?;
        let render = Render { model: &model, server, style: session.style(), options };
        let (settings, no_settings) = (body.settings(object, &render)?, body.no_settings(object, &render));
        let mut owner = render.sql();
        owner.kw("ALTER DATABASE ").ident(name).kw(" OWNER TO ").ident(body.owner()).kw(";\n");
        let mut new_privileges = render.sql();
        new_privileges.kw("REVOKE ALL ON DATABASE ").ident(name).kw(" FROM SESSION_USER;\nGRANT ALL ON DATABASE ");
        new_privileges.ident(name).kw(" TO ").ident(body.owner()).kw(";\nGRANT CONNECT, TEMPORARY ON DATABASE ");
        new_privileges.ident(name).kw(" TO PUBLIC;\n");
        let mut out = Emitter::new(&model);
        object.body.emit(object, &render, &mut out)?;
        let contents = out.finish(&model, |entries| Ok(vec![true; entries.len()]))?;
        let (create, rest): (Vec<_>, Vec<_>) = contents.entries.iter().partition(|entry| kinds::is(entry, "DATABASE"));
        let create = create.first().map(|entry| text(&entry.definition)).ok_or_else(missing)?;
        let create = create.trim_end_with(|c| c == '\n' || c == ';');
        let mut rest: Vec<BString> = rest.iter().map(|entry| text(&entry.definition).to_owned()).collect();
        if !is_allowed {
            let mut closed = render.sql();
            closed.kw("ALTER DATABASE ").ident(name).kw(" ALLOW_CONNECTIONS = false;\n");
            rest.push(closed.into_bstring());
        }
        Ok(Self {
            create: [create, b" ALLOW_CONNECTIONS = false"].concat().into(),
            owner: owner.into_bstring(),
            settings: settings.into_bstring(),
            no_settings: no_settings.into_bstring(),
            new_privileges: new_privileges.into_bstring(),
            rest,
        })
    }

    /// Gives the database all that was not given to it when it was made, in the transaction that is open. It has the settings of
    /// `earlier`.
    ///
    /// # Errors
    /// The server refuses something.
    pub(super) fn apply(&self, connection: &mut Connection, earlier: &Self) -> Result<()> {
        let first = [&self.owner, &earlier.no_settings, &self.new_privileges];
        for statements in first.into_iter().chain(&self.rest) {
            connection.foreign()?.execute(statements).map_err(Error::from).map_err(|error| {
                Error::new(error.kind(), "give the new database the properties of the one that is there")
                    .source(error)
                    .statement(statements.as_bstr())
            })?;
        }
        Ok(())
    }

    /// Tries in a transaction that is undone whether all of it can be given.
    ///
    /// # Errors
    /// The server refuses something.
    pub(crate) fn try_out(&self, connection: &mut Connection) -> Result<()> {
        connection.foreign()?.begin()?;
        let applied = self.apply(connection, self);
        if !connection.is_broken() {
            connection.rollback()?;
        }
        applied.map_err(|error| {
            let hint = "nothing was changed: restore as a superuser, or without " + Choice::Swap;
            if error.advice().is_some() { error } else { error.hint(hint) }
        })
    }
}
