//! Subscriptions. They are dumped so that a restore does not connect to the publisher.

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::sql::Sql;
use crate::wire::{Query, Row};
use crate::words::Choice;

pub(super) struct Subscriptions;

/// A subscription.
pub struct Subscription {
    owner: BString,
    source: Source,
    publications: Vec<BString>,
    slot: Option<BString>,
    binary: bool,
    /// `f` off, `t` on, `p` parallel.
    streaming: u8,
    two_phase: bool,
    disable_on_error: bool,
    password_required: bool,
    run_as_owner: bool,
    failover: bool,
    retain_dead_tuples: bool,
    /// In milliseconds; 0 if there is no limit.
    max_retention: i32,
    synchronous_commit: BString,
    /// `-1` if it is the server's.
    receiver_timeout: BString,
    origin: BString,
}

/// What a subscription is connected to.
enum Source {
    /// By a connection string.
    Connection(BString),
    /// By a foreign server of this name.
    Server(BString),
}

const IN_THIS_DATABASE: &str = "FROM pg_catalog.pg_subscription WHERE subdbid = (SELECT d.oid \
                                FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())";

impl Kind for Subscriptions {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        // Others may read little of the catalog, on 13 not even the OIDs; that there is a subscription is enough.
        if !scope.superuser {
            return vec![Query::new("subscriptions", format!("SELECT subname {IN_THIS_DATABASE}"))];
        }
        let server = scope.server;
        // What a server does not have yet stands in as what it does all the same.
        let column = |there: bool, column: &'static str, otherwise: &'static str| {
            if there { column.to_owned() } else { format!("{otherwise} AS {column}") }
        };
        let streaming = if server.subscription_origin() {
            "substream"
        } else if server.subscription_binary() {
            "CASE WHEN substream THEN 't' ELSE 'f' END::pg_catalog.\"char\" AS substream"
        } else {
            "'f'::pg_catalog.\"char\" AS substream"
        };
        let columns = [
            column(server.subscription_binary(), "subbinary", "false"),
            streaming.to_owned(),
            column(server.subscription_two_phase(), "subtwophasestate", "'d'::pg_catalog.\"char\""),
            column(server.subscription_two_phase(), "subdisableonerr", "false"),
            column(server.subscription_origin(), "subpasswordrequired", "true"),
            column(server.subscription_origin(), "subrunasowner", "true"),
            column(server.subscription_origin(), "suborigin", "'any'::pg_catalog.text"),
            column(server.subscription_failover(), "subfailover", "false"),
            column(server.subscription_servers(), "subretaindeadtuples", "false"),
            column(server.subscription_servers(), "submaxretention", "0"),
            column(server.subscription_servers(), "subwalrcvtimeout", "'-1'::pg_catalog.text"),
            match server.subscription_servers() {
                true => "(SELECT s.srvname FROM pg_catalog.pg_foreign_server AS s WHERE s.oid = subserver) AS server"
                    .to_owned(),
                false => "NULL::pg_catalog.name AS server".to_owned(),
            },
        ]
        .join(", ");
        vec![Query::new(
            "subscriptions",
            format!(
                "SELECT oid, subname, subowner, subconninfo, subslotname, subsynccommit, subpublications, {columns} \
                 {IN_THIS_DATABASE}"
            ),
        )]
    }

    fn add(&self, row: Row<'_>, scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let name = row.string("subname")?;
        let options = scope.options;
        let is_wanted = options.subscriptions
            && options.definitions
            && options.sections.post_data
            && model.selected.is_everything();
        if !is_wanted {
            return Ok(());
        }
        if !scope.superuser {
            return Err(Error::new(ErrorKind::Incomplete, format!("dump the subscription \"{name}\""))
                .why("only a superuser may read how it connects")
                .hint("back up as a superuser, or leave subscriptions out: " + Choice::NoSubscriptions));
        }
        let owner = model.role(row.oid("subowner")?, name.as_bstr())?.into();
        let body = Subscription::from_row(row, owner)?;
        model.add(NewObject::of(Catalog::SUBSCRIPTION, row.oid("oid")?, name, body));
        Ok(())
    }
}

impl Subscription {
    fn from_row(row: Row<'_>, owner: BString) -> Result<Self> {
        let source = match row.opt_string("server")? {
            Some(server) => Source::Server(server),
            None => Source::Connection(row.string("subconninfo")?),
        };
        Ok(Self {
            owner,
            source,
            publications: row.texts("subpublications")?.into_iter().flatten().collect(),
            slot: row.opt_string("subslotname")?,
            binary: row.bool("subbinary")?,
            streaming: row.char("substream")?,
            two_phase: row.char("subtwophasestate")? != b'd',
            disable_on_error: row.bool("subdisableonerr")?,
            password_required: row.bool("subpasswordrequired")?,
            run_as_owner: row.bool("subrunasowner")?,
            failover: row.bool("subfailover")?,
            retain_dead_tuples: row.bool("subretaindeadtuples")?,
            max_retention: row.i32("submaxretention")?,
            synchronous_commit: row.string("subsynccommit")?,
            receiver_timeout: row.string("subwalrcvtimeout")?,
            origin: row.string("suborigin")?,
        })
    }

    fn definition(&self, object: &Object, render: &Render<'_>, sql: &mut Sql) -> Result<()> {
        sql.kw("CREATE SUBSCRIPTION ").ident(object.name.as_bstr());
        match &self.source {
            Source::Connection(connection) => sql.kw(" CONNECTION ").literal(connection.as_bstr()),
            Source::Server(server) => sql.kw(" SERVER ").ident(server.as_bstr()),
        };
        sql.kw(" PUBLICATION ");
        sql.idents(self.publications.iter().map(|name| name.as_bstr()));
        sql.kw(" WITH (connect = false, slot_name = ");
        match &self.slot {
            Some(slot) => sql.literal(slot.as_bstr()),
            None => sql.kw("NONE"),
        };
        if self.binary {
            sql.kw(", binary = true");
        }
        // What a server before 18 does by itself.
        let is_unsaid = !render.server.streams_in_parallel() && !render.options.dialect.streams_in_parallel();
        sql.kw(match self.streaming {
            b'f' if is_unsaid => "",
            b'f' => ", streaming = off",
            b't' => ", streaming = on",
            b'p' => ", streaming = parallel",
            other => {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the subscription \"{}\"", object.name))
                    .why(format!("its way of streaming '{}' is not known", other.escape_ascii())));
            }
        });
        let flags = [
            (self.two_phase, ", two_phase = on"),
            (self.disable_on_error, ", disable_on_error = true"),
            (!self.password_required, ", password_required = false"),
            (self.run_as_owner && render.options.dialect.subscription_origin(), ", run_as_owner = true"),
            (self.failover, ", failover = true"),
            (self.retain_dead_tuples, ", retain_dead_tuples = true"),
        ];
        for (_, words) in flags.into_iter().filter(|(set, _)| *set) {
            sql.kw(words);
        }
        if self.max_retention != 0 {
            sql.kw(", max_retention_duration = ").num(self.max_retention);
        }
        if self.synchronous_commit != "off" {
            sql.kw(", synchronous_commit = ").ident(self.synchronous_commit.as_bstr());
        }
        if self.receiver_timeout != "-1" {
            sql.kw(", wal_receiver_timeout = ").ident(self.receiver_timeout.as_bstr());
        }
        if !self.origin.eq_ignore_ascii_case(b"any") {
            sql.kw(", origin = ");
            // A keyword that needs no quotes here.
            if self.origin == "none" {
                sql.kw("none")
            } else {
                sql.ident(self.origin.as_bstr())
            };
        }
        sql.kw(");\n");
        Ok(())
    }
}

impl Body for Subscription {
    fn rank(&self) -> Rank {
        Rank::Subscription
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = NewEntry::of(object, render, "SUBSCRIPTION", object.name.clone());
            entry.owner = Some(self.owner.clone());
            entry.definition = render.sql();
            self.definition(object, render, &mut entry.definition)?;
            entry.drop.kw("DROP SUBSCRIPTION ").sql(&name).kw(";\n");
            out.entry(entry);
        }
        let subject = Subject { words: "SUBSCRIPTION", schema: None, name: &name, owner: self.owner.as_bstr() };
        out.comment_and_labels(render, object, &subject);
        Ok(())
    }
}
