//! The format by itself: what is written is read back, and what is damaged is refused. The real tools have their say in
//! the main package's tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod by_hand;
mod damaged;
mod files;
mod folder;
mod many_files;
mod model;
mod pieces;
mod protocol;
mod repeated;
mod round_trip;
mod written_tar;
