//! Many nodes, as they are run: three processes, a real PostgreSQL with a standby, real links that fail.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helper fails the test, and says why")]

#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/back_end.rs"]
mod back_end;
mod clients;
mod durable;
mod fleet;
mod jars;
mod kicks;
#[allow(dead_code, reason = "shared with the test of one node")]
#[path = "../crash/ledger.rs"]
mod ledger;
mod limits;
mod link;
#[path = "../../../yaopai-store/tests/database/postgres.rs"]
mod postgres;
mod redis_cluster;
mod redis_server;
mod refreshes;
mod replays;
#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/server_process.rs"]
mod server_process;
mod soak;
mod steady;
mod strangers;
mod streams;
mod tickets;
mod tokens;
mod upgrade;
#[path = "../crash/worker.rs"]
mod worker;

/// The app whose first login creates the user.
const KIOSK_APPID: &str = "wxfedcba9876543210";
const API_KEY: &str = "yk_many-nodes-test";
