//! Tar files that cannot seek: member after member. That of the table of contents must be the first, and the list of an
//! entry's large objects must come right after them, which is how pg_dump writes them.

use std::collections::HashSet;
use std::io::Read;

use super::cursor::{BlockKind, Cursor, Position};
use super::large_object_list;
use super::layout::Layout;
use super::stream::Framing;
use crate::compression::Codec;
use crate::error::{ErrorKind, Fault, Result};
use crate::names::Name;
use crate::primitives::DataPosition;
use crate::tar::{self, Member, Next};
use crate::toc::{DumpId, Entry};

#[derive(Debug)]
pub(super) struct TarStream {
    /// Where the next header is.
    next: u64,
    found: HashSet<DumpId>,
    /// A large object whose header was read, but which is not open yet.
    pending: Option<(u32, Codec, Member)>,
    /// The large objects of the open block so far.
    seen: Vec<u32>,
    /// The open block's list was read: there are no more large objects in it.
    is_closed: bool,
}

impl TarStream {
    /// The members after `contents`.
    pub(super) fn after(contents: &Member) -> Self {
        Self::at(contents.next())
    }

    fn at(next: u64) -> Self {
        Self { next, found: HashSet::new(), pending: None, seen: Vec::new(), is_closed: false }
    }

    /// The next member that is part of an archive; its data comes next.
    fn member<R: Read>(&mut self, cursor: &mut Cursor<R>) -> Result<Option<(Name, Codec, Member)>, Fault> {
        loop {
            let input = &mut cursor.stream.input;
            input.skip(self.next.saturating_sub(input.offset()))?;
            let Next::Member(member) = tar::next(input)? else {
                self.next = input.offset();
                return Ok(None);
            };
            self.next = member.next();
            // Others, as restore.sql, are not for a reader.
            if let Some((name, codec)) = Name::parse(&member.name) {
                return Ok(Some((name, codec, member)));
            }
        }
    }

    /// The entry whose large objects come here: the first one that none were found for.
    fn entry_of_objects<R: Read>(&self, cursor: &Cursor<R>) -> Option<usize> {
        let is_next = |entry: &Entry| entry.holds_large_objects() && !self.found.contains(&entry.dump_id);
        cursor.contents.with_data().find(|(_, entry)| is_next(entry)).map(|(at, _)| at)
    }

    /// Enters the block that begins with a member.
    fn enter<R: Read>(
        &mut self,
        cursor: &mut Cursor<R>,
        (name, codec, member): (Name, Codec, Member),
    ) -> Result<(usize, BlockKind), Fault> {
        let start = member.start;
        match name {
            Name::Contents => Err(Fault::malformed(start, "the tar file has toc.dat twice")),
            Name::Data(id) => {
                let at = cursor.contents.index.get(&id).copied().filter(|at| {
                    cursor.contents.slots[*at].position != DataPosition::NoData
                        && !cursor.contents.entries[*at].holds_large_objects()
                });
                let Some(at) = at else {
                    let why = format!("the table of contents has no entry whose data would be in {name}");
                    return Err(Fault::malformed(start, why));
                };
                if !self.found.insert(id) {
                    return Err(Fault::malformed(start, format!("the tar file has {name} twice")));
                }
                cursor.stream.begin(Framing::Length, codec, member.size)?;
                cursor.position = Position::Data(at);
                Ok((at, BlockKind::Data))
            }
            Name::Object(oid) => {
                let Some(at) = self.entry_of_objects(cursor) else {
                    let why = format!("the table of contents has no entry that large object {oid} would be of");
                    return Err(Fault::malformed(start, why));
                };
                self.found.insert(cursor.contents.entries[at].dump_id);
                self.seen.clear();
                (self.pending, self.is_closed) = (Some((oid, codec, member)), false);
                cursor.position = Position::LargeObjects(at);
                Ok((at, BlockKind::LargeObjects))
            }
            Name::List(_) => {
                // A list without objects before it can only be that of an entry without any.
                let Some(at) = self.entry_of_objects(cursor) else {
                    return Err(Fault::malformed(start, format!("the table of contents has no entry for {name}")));
                };
                self.found.insert(cursor.contents.entries[at].dump_id);
                self.seen.clear();
                self.close(cursor, at, (name, codec, member))?;
                cursor.position = Position::LargeObjects(at);
                Ok((at, BlockKind::LargeObjects))
            }
        }
    }

    /// Ends a block of large objects by its list, which must say the same objects.
    fn close<R: Read>(
        &mut self,
        cursor: &mut Cursor<R>,
        at: usize,
        (name, codec, member): (Name, Codec, Member),
    ) -> Result<(), Fault> {
        cursor.stream.begin(Framing::Length, codec, member.size)?;
        let oids = large_object_list::read(&mut cursor.stream, cursor.limits.objects)?;
        if oids != self.seen || name != Name::of(&cursor.contents.entries[at], cursor.header.version) {
            let why = format!("the large objects before {name} are not those that it lists: {NEEDS_SEEK}");
            return Err(Fault::new(member.start, ErrorKind::NotFound(why)));
        }
        (self.pending, self.is_closed) = (None, true);
        Ok(())
    }
}

const NEEDS_SEEK: &str = "this order of members can only be read from an input that can seek";

impl<R: Read> Layout<R> for TarStream {
    fn advance(&mut self, cursor: &mut Cursor<R>) -> Result<Option<(usize, BlockKind)>> {
        let what = "the next member of the tar file";
        let Some(member) = self.member(cursor).map_err(|fault| cursor.fail(what, fault))? else {
            cursor.position = Position::End;
            cursor.check_all_were_found(|id| self.found.contains(&id))?;
            return Ok(None);
        };
        let what = format!("the member {} of the tar file", member.0);
        self.enter(cursor, member).map(Some).map_err(|fault| cursor.fail(what, fault))
    }

    fn go_to(&mut self, cursor: &mut Cursor<R>, at: usize) -> Result<BlockKind> {
        loop {
            if self.found.contains(&cursor.contents.entries[at].dump_id) {
                let why = "it lies behind what was read, and the input cannot seek";
                return Err(cursor.error(cursor.what_of(at), ErrorKind::NotFound(why.into())));
            }
            match cursor.position {
                Position::Data(_) | Position::LargeObject(..) => cursor.skip_stream()?,
                Position::LargeObjects(of) => match self.next_object(cursor)? {
                    Some(oid) => cursor.position = Position::LargeObject(of, oid),
                    None => cursor.position = Position::Between,
                },
                Position::Lost => cursor.check_not_lost()?,
                Position::End => {
                    let kind = ErrorKind::NotFound("the archive has no such member".into());
                    return Err(cursor.error(cursor.what_of(at), kind));
                }
                Position::Between => {
                    if let Some((found, sort)) = self.advance(cursor)?
                        && found == at
                    {
                        return Ok(sort);
                    }
                }
            }
        }
    }

    fn next_object(&mut self, cursor: &mut Cursor<R>) -> Result<Option<u32>> {
        let Position::LargeObjects(at) = cursor.position else { return Ok(None) };
        if self.is_closed {
            return Ok(None);
        }
        let next = match self.pending.take() {
            Some((oid, codec, member)) => Some((Name::Object(oid), codec, member)),
            None => self.member(cursor).map_err(|fault| cursor.stream_error(fault))?,
        };
        match next {
            Some((Name::Object(oid), codec, member)) => {
                cursor.position = Position::LargeObject(at, oid);
                if self.seen.len() as u64 >= cursor.limits.objects {
                    let limit = cursor.limits.objects;
                    let kind = ErrorKind::Limit { amount: limit.saturating_add(1), limit };
                    return Err(cursor.stream_error(Fault::new(member.start, kind)));
                }
                self.seen.push(oid);
                let begun = cursor.stream.begin(Framing::Length, codec, member.size);
                begun.map_err(|fault| cursor.stream_error(fault))?;
                Ok(Some(oid))
            }
            Some((name @ Name::List(_), codec, member)) => {
                let closed = self.close(cursor, at, (name, codec, member));
                let what = format!("the list of large objects of {}", cursor.what_of(at));
                closed.map_err(|fault| cursor.fail(what, fault))?;
                Ok(None)
            }
            Some((name, _, member)) => {
                let why = format!("{name} comes before the list of the large objects: {NEEDS_SEEK}");
                Err(cursor.stream_error(Fault::new(member.start, ErrorKind::NotFound(why))))
            }
            None => Err(cursor.stream_error(Fault::new(self.next, ErrorKind::Truncated))),
        }
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn is_random(&self, _: &Cursor<R>) -> bool {
        false
    }

    fn has_only_an_end(&self, cursor: &Cursor<R>) -> bool {
        cursor.position != Position::Lost && self.found.len() == cursor.contents.with_data().count()
    }

    fn sizes(&mut self, cursor: &mut Cursor<R>) -> Result<Vec<Option<u64>>> {
        Ok(vec![None; cursor.contents.slots.len()])
    }

    fn another(&self) -> Box<dyn Layout<R>> {
        Box::new(Self::at(self.next))
    }
}
