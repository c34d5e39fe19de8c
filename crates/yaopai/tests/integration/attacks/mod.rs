//! Attacks that go over several calls, one named test each: what somebody tries, and what it gets them.

mod bind_codes;
mod captured;
mod guessing;
mod keyed;
mod kick;
mod pushes;
mod realms;
mod step_up;
mod tickets;
mod unionid;
mod webhook;
