//! Where the members of a tar file are that can seek.

use std::collections::HashMap;
use std::io::Read;

use crate::compression::Codec;
use crate::error::{ErrorKind, Fault};
use crate::names::Name;
use crate::primitives::Input;
use crate::tar::{self, Next};

/// Where a member's data is, and how it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) start: u64,
    pub(super) size: u64,
    pub(super) codec: Codec,
}

#[derive(Debug, Default)]
pub(super) struct TarIndex {
    files: HashMap<Name, Member>,
    /// Large objects, of which there may be very many, by their OID.
    objects: Vec<(u32, Member)>,
    /// Whether the file has no mark of its end, so that it was cut off if something is missing.
    is_cut: bool,
}

impl TarIndex {
    /// Goes through the headers of all members, of which the last must be there to its end.
    ///
    /// # Errors
    /// The file is cut off or damaged; it has a member twice; reading fails.
    pub(super) fn read<R: Read>(input: &mut Input<R>) -> Result<Self, Fault> {
        input.go_to(0)?;
        let mut index = Self::default();
        loop {
            let member = match tar::next(input)? {
                Next::Member(member) => member,
                end => {
                    index.is_cut = matches!(end, Next::Cut);
                    break;
                }
            };
            if let Some((name, codec)) = Name::parse(&member.name) {
                let found = Member { start: member.start, size: member.size, codec };
                if let Name::Object(oid) = name {
                    index.objects.push((oid, found));
                } else if index.files.insert(name, found).is_some() {
                    return Err(twice(member.start, name));
                }
            }
            input.skip(member.next() - member.start)?;
        }
        index.objects.sort_unstable_by_key(|(oid, member)| (*oid, member.start));
        let same = index.objects.windows(2).find(|pair| pair[0].0 == pair[1].0);
        match same.map(|pair| pair[1]) {
            Some((oid, member)) => Err(twice(member.start, Name::Object(oid))),
            None => Ok(index),
        }
    }

    /// Where that file is.
    ///
    /// # Errors
    /// It is missing.
    pub(super) fn find(&self, name: Name, at: u64) -> Result<Member, Fault> {
        let found = match name {
            Name::Object(oid) => {
                let at = self.objects.binary_search_by_key(&oid, |(oid, _)| *oid).ok();
                at.and_then(|at| self.objects.get(at)).map(|(_, member)| *member)
            }
            _ => self.files.get(&name).copied(),
        };
        match found {
            Some(member) => Ok(member),
            None if self.is_cut => Err(Fault::new(at, ErrorKind::Truncated)),
            None => Err(super::by_name::missing(at, name)),
        }
    }
}

fn twice(at: u64, name: Name) -> Fault {
    Fault::malformed(at, format!("the tar file has {name} twice"))
}
