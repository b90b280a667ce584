//! Large objects, many in one query.
//!
//! `lo_get` reads a range of an object under the same permissions as `lo_open`, and as a plain function it reads a whole
//! list of objects in one round trip. Objects that go on behind the first range are then read range by range.

use super::super::session::Session;
use super::pieces::Pieces;
use super::pipeline::{DataSummary, Stop};
use crate::error::Result;
use crate::wire::{Connection, Param, Query};

/// How many objects are asked for at once, and how much of each: at most 4 MiB a round trip.
const BATCH: usize = 64;
const FIRST: usize = 64 * 1024;
/// How much of a large object is asked for after that.
const RANGE: usize = 512 * 1024;

/// Copies the objects into the stream, in the order of `oids`.
pub(super) fn fetch(session: &mut Session, oids: &[u32], stream: &mut impl Pieces) -> Result<DataSummary, Stop> {
    let connection = session.connection();
    let mut summary = DataSummary::default();
    for batch in oids.chunks(BATCH) {
        let query = Query::new(
            "large objects",
            "SELECT l.oid, pg_catalog.lo_get(l.oid, 0, $2) AS data \
             FROM pg_catalog.unnest($1) WITH ORDINALITY AS l (oid, nr) ORDER BY l.nr",
        );
        let rows = connection.run(&query.param(Param::oids(batch)).param(Param::int4(FIRST as i32)))?;
        for row in rows.iter() {
            let oid = row.oid("oid")?;
            let data = row.bytes("data")?;
            stream.large_object(oid)?;
            stream.piece(|buffer| {
                buffer.extend_from_slice(data);
                Ok(((), data.len() < FIRST))
            })?;
            if data.len() == FIRST {
                rest(connection, oid, stream)?;
            }
            summary.bytes += stream.end()?;
            summary.large_objects += 1;
        }
    }
    Ok(summary)
}

/// Copies what comes behind the first range of an object.
fn rest(connection: &mut Connection, oid: u32, stream: &mut impl Pieces) -> Result<(), Stop> {
    let mut offset = FIRST as i64;
    loop {
        let read = stream.piece(|buffer| {
            let query = Query::new("a large object", "SELECT pg_catalog.lo_get($1, $2, $3) AS data");
            let query = query.param(Param::oid(oid)).param(Param::int8(offset)).param(Param::int4(RANGE as i32));
            let rows = connection.run(&query)?;
            let row = rows.one()?;
            buffer.extend_from_slice(row.bytes("data")?);
            Ok((buffer.len(), buffer.len() < RANGE))
        })?;
        if read < RANGE {
            return Ok(());
        }
        offset += RANGE as i64;
    }
}
