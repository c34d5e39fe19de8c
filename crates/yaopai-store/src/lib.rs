#![doc = include_str!("../README.md")]

mod audited;
mod chains;
mod commands;
mod engine;
pub mod house;
mod merge;
pub mod model;
mod nonces;
pub mod postgres;
pub mod redis;
mod release;
mod rows;
mod rules;
pub mod sqlite;
mod tls;
mod tries;

pub use chains::AuditLog;
pub use engine::{Committed, Engine};
pub use model::{Disk, Model, ModelShared, ModelTokens};
pub use postgres::{Postgres, PostgresError, PostgresLog, PostgresNonces, PostgresOptions, PostgresTokens};
pub use redis::{RedisError, RedisOptions, RedisShared, RedisTls};
#[doc(hidden)]
pub use release::play_the_next_release;
pub use sqlite::{OpenError, Options, Sqlite};
