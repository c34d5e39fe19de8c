//! `yaopai import bindings`, the real binary on real files.

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod cluster;
mod conflicts;
mod dry_run;
mod files;
mod killed;
#[path = "../../../yaopai-store/tests/database/postgres.rs"]
mod postgres;
mod support;
