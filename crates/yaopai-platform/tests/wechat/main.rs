//! WeChat's client against a raw TCP server that behaves badly (`wire`), and against the simulator.

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod access_token;
mod access_token_url;
mod breaker;
mod checksession;
mod exchange;
mod exchange_faults;
mod https;
mod open;
mod phone;
mod push;
mod secrets;
mod support;
mod user_keys;
mod wire;
