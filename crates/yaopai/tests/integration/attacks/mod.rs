//! Attacks that go over several calls, one named test each: what somebody tries, and what it gets them.

mod bind_codes;
mod guessing;
mod kick;
mod realms;
mod unionid;
mod webhook;
