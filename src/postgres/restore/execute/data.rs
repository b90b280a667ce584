//! Where an archive's data comes from.

use std::ops::ControlFlow;

use pgformat::DumpId;

use crate::Result;

/// Takes a piece of a table's data, and says whether more is wanted.
pub type TakeRows<'a> = dyn FnMut(&[u8]) -> Result<ControlFlow<()>> + 'a;
/// Takes a piece of a large object, by its OID, and says whether more objects are wanted. An object begins with an
/// empty piece.
pub type TakeObject<'a> = dyn FnMut(u32, &[u8]) -> Result<ControlFlow<()>> + 'a;

/// The data of an archive.
pub trait Data {
    /// Hands the data of an entry to `take`, piece by piece. `read` is told how many bytes of the archive were read meanwhile.
    ///
    /// # Errors
    /// Damaged or unreadable data; data that lies behind, in an input that cannot go back; what `take` fails with.
    fn table(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeRows<'_>) -> Result<()>;

    /// Hands the large objects of an entry to `take`; `read` as for [`Data::table`].
    ///
    /// # Errors
    /// As for [`Data::table`].
    fn large_objects(&mut self, id: DumpId, read: &dyn Fn(u64), take: &mut TakeObject<'_>) -> Result<()>;

    /// Whether the data of any entry can be had at any time.
    fn can_go_back(&self) -> bool {
        false
    }
}

/// A reader of the archive for each worker.
pub type Readers = Vec<Box<dyn Data + Send>>;

/// The data of an archive, for everybody who restores it.
pub struct Source<'a> {
    /// For the connection that there always is.
    pub data: &'a mut dyn Data,
    /// How many bytes of the archive the data of each entry takes, in the order of the entries, where that is known.
    pub sizes: Vec<Option<u64>>,
    /// For those that work beside it.
    pub workers: Option<Readers>,
    /// The major version of the server whose database it is; 0 if that is not known.
    pub made_by: i32,
}
