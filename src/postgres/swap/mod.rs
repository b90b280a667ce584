//! A restored database takes the place of the one that is there: it is made beside that one and like it, and the two change their
//! names in one transaction. Whoever looks sees the old one or the new one under the name, and so does whoever looks after a kill.
//!
//! `ALTER DATABASE … RENAME` locks the database before it waits for sessions in it to go, and nobody can connect to a database
//! that is locked so. That is what keeps new sessions out while the old ones are ended: no property of the old database has to be changed
//! for it, which a kill would leave changed.

mod likeness;
mod names;
mod outcome;
mod place;
mod sound;
mod switch;

pub(crate) use likeness::Likeness;
pub(crate) use names::Rename;
pub(crate) use place::Place;
pub(crate) use sound::check;
pub(crate) use switch::{Given, Giving, Manner, switch};
