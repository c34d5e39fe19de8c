#![doc = include_str!("../README.md")]

mod audited;
mod merge;
pub mod model;
mod rules;
pub mod sqlite;

pub use model::{Disk, Model};
pub use sqlite::{Committed, OpenError, Options, Sqlite};
