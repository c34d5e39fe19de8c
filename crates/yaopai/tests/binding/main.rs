//! The services' binding over a platform and a back end made up for it, where a test has to say what the platform does: the
//! store and the live table are the real ones, the clock is moved by hand.

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod phone;
mod world;
