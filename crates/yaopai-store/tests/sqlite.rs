//! The suite over the embedded engine.

mod conformance;

conformance::suite!(tempfile::tempdir().unwrap());
