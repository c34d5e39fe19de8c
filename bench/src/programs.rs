//! PostgreSQL and Redis, started as our own tests start theirs.

#[path = "../../crates/yaopai-store/tests/database/postgres.rs"]
pub mod postgres;
#[allow(clippy::unwrap_used, dead_code, reason = "shared with tests, which use all of it")]
#[path = "../../crates/yaopai/tests/many/redis_server.rs"]
pub mod redis;
