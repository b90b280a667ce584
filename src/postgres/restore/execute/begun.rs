//! Which entry was begun with last: what is begun is told when its turn has come, however many statements are on their way.

use crate::EntryEvent;
use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::execute::Job;
use crate::postgres::restore::plan::{Action, Purpose, Step};

/// What was begun with last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun(Option<(EntryIndex, What)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Dropping,
    Making,
    Loading,
}

impl Begun {
    /// Tells what is begun with a step, if it was not begun before.
    pub fn tell(&mut self, job: &Job<'_>, step: &Step) {
        let entry = &job.entries[step.entry];
        let (what, event) = match &step.action {
            Action::Drop(_) | Action::DropCascade(_) | Action::EachLargeObject { purpose: Purpose::Drop, .. } => {
                (What::Dropping, EntryEvent::Drops)
            }
            Action::Define(_) | Action::EachLargeObject { .. } if job.plan.makes(step.entry) => {
                (What::Making, EntryEvent::Makes)
            }
            Action::Define(_) if kinds::is_data(entry) => (What::Making, EntryEvent::Runs),
            Action::EachLargeObject { .. } => (What::Making, EntryEvent::Runs),
            Action::CopyRows { .. } | Action::RunData { .. } => (What::Loading, EntryEvent::Loads),
            Action::LargeObjects { .. } => (What::Loading, EntryEvent::LoadsLargeObjects),
            _ => return,
        };
        if self.0 != Some((step.entry, what)) {
            self.0 = Some((step.entry, what));
            job.tell(step.entry, &event);
        }
    }
}
