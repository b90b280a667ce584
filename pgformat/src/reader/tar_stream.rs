//! Tar files that cannot seek: member after member. That of the table of contents must be the first, and the list of an
//! entry's large objects must come right after them, which is how pg_dump writes them.

use std::collections::HashSet;
use std::io::Read;

use super::by_name::list_name;
use super::cursor::{Core, Sort, State};
use super::large_object_list;
use super::layout::Layout;
use super::stream::Framing;
use crate::compression::Codec;
use crate::error::{ErrorKind, Fault, Result};
use crate::names::Name;
use crate::primitives::DataPosition;
use crate::tar::{self, Member, Next};
use crate::toc::DumpId;

#[derive(Debug)]
pub(super) struct Tape {
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

impl Tape {
    /// The members after `contents`.
    pub(super) fn after(contents: &Member) -> Self {
        Self { next: contents.next(), found: HashSet::new(), pending: None, seen: Vec::new(), is_closed: false }
    }

    /// The next member that is part of an archive; its data comes next.
    fn member<R: Read>(&mut self, core: &mut Core<R>) -> Result<Option<(Name, Codec, Member)>, Fault> {
        loop {
            let input = &mut core.stream.input;
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
    fn entry_of_objects<R: Read>(&self, core: &Core<R>) -> Option<usize> {
        let slots = core.contents.entries.iter().zip(&core.contents.slots);
        let mut places = slots.enumerate().filter(|(_, (entry, slot))| {
            entry.holds_large_objects() && slot.position != DataPosition::NoData && !self.found.contains(&entry.dump_id)
        });
        places.next().map(|(at, _)| at)
    }

    /// Enters the block that begins with a member.
    fn enter<R: Read>(
        &mut self,
        core: &mut Core<R>,
        (name, codec, member): (Name, Codec, Member),
    ) -> Result<(usize, Sort), Fault> {
        let start = member.start;
        match name {
            Name::Contents => Err(Fault::malformed(start, "the tar file has toc.dat twice")),
            Name::Data(id) => {
                let at = core.contents.index.get(&id).copied().filter(|at| {
                    core.contents.slots[*at].position != DataPosition::NoData
                        && !core.contents.entries[*at].holds_large_objects()
                });
                let Some(at) = at else {
                    let why = format!("the table of contents has no entry whose data would be in {name}");
                    return Err(Fault::malformed(start, why));
                };
                if !self.found.insert(id) {
                    return Err(Fault::malformed(start, format!("the tar file has {name} twice")));
                }
                core.stream.begin(Framing::Length, codec, member.size)?;
                core.state = State::Data(at);
                Ok((at, Sort::Data))
            }
            Name::Object(oid) => {
                let Some(at) = self.entry_of_objects(core) else {
                    let why = format!("the table of contents has no entry that large object {oid} would be of");
                    return Err(Fault::malformed(start, why));
                };
                self.found.insert(core.contents.entries[at].dump_id);
                self.seen.clear();
                (self.pending, self.is_closed) = (Some((oid, codec, member)), false);
                core.state = State::LargeObjects(at);
                Ok((at, Sort::LargeObjects))
            }
            Name::List(_) => {
                // A list without objects before it can only be that of an entry without any.
                let Some(at) = self.entry_of_objects(core) else {
                    return Err(Fault::malformed(start, format!("the table of contents has no entry for {name}")));
                };
                self.found.insert(core.contents.entries[at].dump_id);
                self.seen.clear();
                self.close(core, at, (name, codec, member))?;
                core.state = State::LargeObjects(at);
                Ok((at, Sort::LargeObjects))
            }
        }
    }

    /// Ends a block of large objects by its list, which must say the same objects.
    fn close<R: Read>(
        &mut self,
        core: &mut Core<R>,
        at: usize,
        (name, codec, member): (Name, Codec, Member),
    ) -> Result<(), Fault> {
        core.stream.begin(Framing::Length, codec, member.size)?;
        let oids = large_object_list::read(&mut core.stream, core.limits.objects)?;
        if oids != self.seen || name != list_name(core.header.version, &core.contents.entries[at]) {
            let why = format!("the large objects before {name} are not those that it lists: {NEEDS_SEEK}");
            return Err(Fault::new(member.start, ErrorKind::NotFound(why)));
        }
        (self.pending, self.is_closed) = (None, true);
        Ok(())
    }
}

const NEEDS_SEEK: &str = "this order of members can only be read from an input that can seek";

impl<R: Read> Layout<R> for Tape {
    fn advance(&mut self, core: &mut Core<R>) -> Result<Option<(usize, Sort)>> {
        let what = "the next member of the tar file";
        let Some(member) = self.member(core).map_err(|fault| core.fail(what, fault))? else {
            core.state = State::End;
            let slots = core.contents.entries.iter().zip(&core.contents.slots);
            for (entry, slot) in slots {
                if slot.position != DataPosition::NoData && !self.found.contains(&entry.dump_id) {
                    return Err(core.error(format!("the data of {}", entry.label()), ErrorKind::Truncated));
                }
            }
            return Ok(None);
        };
        let what = format!("the member {} of the tar file", member.0);
        self.enter(core, member).map(Some).map_err(|fault| core.fail(what, fault))
    }

    fn go_to(&mut self, core: &mut Core<R>, at: usize) -> Result<Sort> {
        loop {
            if self.found.contains(&core.contents.entries[at].dump_id) {
                let why = "it lies behind what was read, and the input cannot seek";
                return Err(core.error(core.what_of(at), ErrorKind::NotFound(why.into())));
            }
            match core.state {
                State::Data(_) => core.skip_stream()?,
                State::LargeObject(..) => core.skip_stream()?,
                State::LargeObjects(of) => match self.next_object(core)? {
                    Some(oid) => core.state = State::LargeObject(of, oid),
                    None => core.state = State::Between,
                },
                State::Lost => core.check_not_lost()?,
                State::End => {
                    let kind = ErrorKind::NotFound("the archive has no such member".into());
                    return Err(core.error(core.what_of(at), kind));
                }
                State::Between => {
                    if let Some((found, sort)) = self.advance(core)?
                        && found == at
                    {
                        return Ok(sort);
                    }
                }
            }
        }
    }

    fn next_object(&mut self, core: &mut Core<R>) -> Result<Option<u32>> {
        let State::LargeObjects(at) = core.state else { return Ok(None) };
        if self.is_closed {
            return Ok(None);
        }
        let next = match self.pending.take() {
            Some((oid, codec, member)) => Some((Name::Object(oid), codec, member)),
            None => self.member(core).map_err(|fault| core.stream_error(fault))?,
        };
        match next {
            Some((Name::Object(oid), codec, member)) => {
                core.state = State::LargeObject(at, oid);
                if self.seen.len() as u64 >= core.limits.objects {
                    let limit = core.limits.objects;
                    let kind = ErrorKind::Limit { amount: limit.saturating_add(1), limit };
                    return Err(core.stream_error(Fault::new(member.start, kind)));
                }
                self.seen.push(oid);
                let begun = core.stream.begin(Framing::Length, codec, member.size);
                begun.map_err(|fault| core.stream_error(fault))?;
                Ok(Some(oid))
            }
            Some((name @ Name::List(_), codec, member)) => {
                let closed = self.close(core, at, (name, codec, member));
                let what = format!("the list of large objects of {}", core.what_of(at));
                closed.map_err(|fault| core.fail(what, fault))?;
                Ok(None)
            }
            Some((name, _, member)) => {
                let why = format!("{name} comes before the list of the large objects: {NEEDS_SEEK}");
                Err(core.stream_error(Fault::new(member.start, ErrorKind::NotFound(why))))
            }
            None => Err(core.stream_error(Fault::new(self.next, ErrorKind::Truncated))),
        }
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn is_random(&self, _: &Core<R>) -> bool {
        false
    }

    fn has_only_an_end(&self, core: &Core<R>) -> bool {
        let wanted = core.contents.slots.iter().filter(|slot| slot.position != DataPosition::NoData).count();
        core.state != State::Lost && self.found.len() == wanted
    }

    fn check_end(&mut self, _: &mut Core<R>) -> Result<()> {
        Ok(())
    }

    fn sizes(&mut self, core: &mut Core<R>) -> Result<Vec<Option<u64>>> {
        Ok(vec![None; core.contents.slots.len()])
    }

    fn another(&self) -> Box<dyn Layout<R>> {
        Box::new(Self { next: self.next, found: HashSet::new(), pending: None, seen: Vec::new(), is_closed: false })
    }
}
