//! The audit log: who did what, when, from where, and with what result. Rows are only appended, each with a MAC over the
//! one before it, so that a row that is gone, was changed or was put in shows; heads that are kept elsewhere show a tail that
//! was cut off or written anew. What is personal in a row is sealed under a key of the person's that can be erased: the MAC
//! is over what is stored, so the row still verifies.
//!
//! Pure but for [`By`], which travels with the task that works for somebody. Engines keep the rows, in the transaction of
//! the change that they tell of.

mod by;
mod bytes;
mod chain;
mod event;
mod notes;
mod person;
#[cfg(test)]
mod tests;
mod verify;

pub use by::{Actor, By, carried};
pub use chain::{Checkpoint, Head, Row, Scribe};
pub use event::{Event, Kind, Outcome, Said};
pub use notes::{Noted, Notes};
pub use person::{Owner, PersonKey, Personal, period_of};
pub use verify::{Fault, Verified, Verifier};
