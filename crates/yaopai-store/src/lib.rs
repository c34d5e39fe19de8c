#![doc = include_str!("../README.md")]

mod audited;
mod commands;
mod engine;
mod merge;
pub mod model;
mod rows;
mod rules;
pub mod sqlite;

pub use engine::{Committed, Engine};
pub use model::{Disk, Model};
pub use sqlite::{OpenError, Options, Sqlite};
