//! What has become of an entry of an archive.

/// What has become of an entry so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryState {
    /// Not all of it is as the archive has it, so that it does not count as restored.
    pub has_failed: bool,
    pub has_ended: bool,
    /// The role may not restore it, or not that which it needs.
    pub is_refused: bool,
    /// It was not tried, because what it depends on is not there.
    pub is_left_out: bool,
    pub dropped: Dropped,
    pub defined: Defined,
    /// Whether it is still to be carried out.
    pub turn: Turn,
}

/// What came of the drop of an entry's object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dropped {
    /// Nothing that is of interest.
    #[default]
    Done,
    /// The object stays as it is, because it holds what is not in the archive.
    Kept,
    /// The object could not be dropped, and so is there.
    Failed,
}

/// What came of the definition of an entry's object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defined {
    /// Nothing has failed.
    #[default]
    Well,
    /// It failed, because there is such an object already.
    Duplicate,
    /// It failed for another reason: the object is not there, as far as the server's error tells.
    Absent,
}

/// Whether an entry is still to be carried out when its turn comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// It is.
    #[default]
    ToCome,
    /// It is left out.
    Skipped,
    /// It was carried out before.
    Early,
}

impl EntryState {
    pub fn is_undefined(self) -> bool {
        self.defined != Defined::Well
    }

    /// It is not there: its definition failed, and not because there is such an object already.
    pub fn is_absent(self) -> bool {
        self.defined == Defined::Absent && self.dropped != Dropped::Failed
    }

    /// It is not there, or was not tried because another is not.
    pub fn is_missing(self) -> bool {
        self.is_absent() || self.is_left_out
    }

    /// With what somebody else has put down for the same entry.
    pub fn merged(self, other: Self) -> Self {
        Self {
            has_failed: self.has_failed || other.has_failed,
            has_ended: self.has_ended || other.has_ended,
            is_refused: self.is_refused || other.is_refused,
            is_left_out: self.is_left_out || other.is_left_out,
            dropped: self.dropped.max(other.dropped),
            defined: self.defined.max(other.defined),
            turn: self.turn.max(other.turn),
        }
    }
}
