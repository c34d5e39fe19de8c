//! The suite over the reference engine.

mod conformance;

conformance::suite!(yaopai_store::Disk::default());
