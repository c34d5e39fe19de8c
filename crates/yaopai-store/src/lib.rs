#![doc = include_str!("../README.md")]

mod audited;
mod commands;
mod engine;
mod merge;
pub mod model;
pub mod postgres;
mod rows;
mod rules;
pub mod sqlite;

pub use engine::{Committed, Engine};
pub use model::{Disk, Model};
pub use postgres::{Postgres, PostgresError, PostgresLog, PostgresOptions};
pub use sqlite::{OpenError, Options, Sqlite};
