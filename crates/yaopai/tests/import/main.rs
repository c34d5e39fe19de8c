//! `yaopai import bindings`, the real binary on real files.

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod conflicts;
mod dry_run;
mod files;
mod killed;
mod support;
