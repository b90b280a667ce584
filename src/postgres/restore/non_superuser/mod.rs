//! Restoring as a role that is no superuser, as on managed servers: what belongs to others there and is as the archive
//! wants it stays as it is, and what only others may do is left to them by name.
//!
//! What is there is asked beforehand, and left out of the plan. What the role may make is not guessed: services let some
//! of their users do what PostgreSQL itself reserves for superusers, so the server is tried, and its refusal counts.

pub mod foreign_objects;
mod privileges;
pub mod refusals;
pub mod review;
pub mod role_limits;
mod tell;
#[cfg(test)]
mod tests;
