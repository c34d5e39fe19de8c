//! The audit log as it leaves the server: rows as JSON, heads for somewhere else, and the task that writes what waits.

mod heads;
mod json;
mod keeper;

pub use heads::{BadHeads, read as read_heads};
pub use json::{head, row};
pub use keeper::{Keeper, finish, keep};
