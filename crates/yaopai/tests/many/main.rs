//! Many nodes, as they are run: three processes, a real PostgreSQL with a standby, real links that fail.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helper fails the test, and says why")]

mod fleet;
mod kicks;
mod link;
#[path = "../../../yaopai-store/tests/database/postgres.rs"]
mod postgres;
mod redis_server;
mod replays;
#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/server_process.rs"]
mod server_process;
