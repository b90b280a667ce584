//! What a database holds, as another client sees it: tokio-postgres, which shares nothing with lifeboat's own but the crates of
//! `src/wire` that know no server. Its sessions are in UTF-8: a query casts what has no form there to `bytea`.

use std::future::Future;

use futures_util::TryStreamExt;
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage, SimpleQueryRow};

use super::server::{SUPERUSER, Server};

/// The rows of all statements in `sql`, columns parted by `|`, as psql prints them without alignment.
pub fn rows(server: &Server, dbname: &str, sql: &str) -> String {
    ask(server, dbname, sql, async |client| {
        let mut lines = Vec::new();
        for message in client.simple_query(sql).await? {
            if let SimpleQueryMessage::Row(row) = message {
                lines.push(line(&row)?);
            }
        }
        Ok(lines.join("\n"))
    })
}

/// The data of a `COPY … TO STDOUT`.
pub fn copied(server: &Server, dbname: &str, sql: &str) -> String {
    ask(server, dbname, sql, async |client| {
        let pieces: Vec<_> = client.copy_out(sql).await?.try_collect().await?;
        Ok(String::from_utf8(pieces.concat()).unwrap())
    })
}

fn line(row: &SimpleQueryRow) -> Result<String, Error> {
    let values: Result<Vec<_>, _> = (0..row.len()).map(|index| Ok(row.try_get(index)?.unwrap_or_default())).collect();
    Ok(values?.join("|"))
}

/// Has a session do something, and waits until the session is over.
fn ask<T>(server: &Server, dbname: &str, sql: &str, work: impl AsyncFnOnce(Client) -> Result<T, Error>) -> T {
    let mut config = tokio_postgres::Config::new();
    config.host_path(server.socket_dir()).port(server.port()).user(SUPERUSER).dbname(dbname);
    config.options("-c client_min_messages=warning");
    let session = async {
        let (client, connection) = config.connect(NoTls).await?;
        let (result, ended) = tokio::join!(work(client), connection);
        ended.and(result)
    };
    block_on(session).unwrap_or_else(|error| {
        let why = error.as_db_error().map_or_else(|| format!("{error:?}"), |report| format!("{report:?}"));
        panic!("in {dbname:?} of PostgreSQL {}: {sql}\n{why}", server.major())
    })
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
