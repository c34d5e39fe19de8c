//! The server over HTTP: real sockets, WeChat's simulator, a back end that answers webhooks, a clock that the test moves.
//! The folders mirror the URL tree. A test reads like the guide:
//!
//! ```text
//! let app = TestApp::start().await;
//! let phone = app.phone("lilei");
//! phone.log_in().await;
//! ```

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod admin;
mod attacks;
mod bad_input;
mod check;
mod config;
mod faults;
mod gateway;
mod listeners;
mod oauth2;
mod secrets;
mod support;
mod well_known;
mod yaopai;
