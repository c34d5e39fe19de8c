//! The simulator over HTTP. The folders mirror its URL tree.

// The whole binary is a test; clippy's exception covers only functions that are marked as one.
#![allow(clippy::unwrap_used)]

mod cgi_bin;
mod control;
mod faults;
mod listener;
mod no_panic;
mod receiver;
mod sns;
mod support;
mod wxa;
