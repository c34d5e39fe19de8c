//! Bytes on the wire, and nothing else: this crate does no I/O, reads no clock and holds no state, so that every parser
//! in it can be fuzzed and every rule tested by itself.
//!
//! | module | what it knows |
//! |---|---|
//! | [`token`] | `yp1_…`: how a token is written, read and hashed |
//! | [`carrier`] | where a request shows its token; exactly one a request |
//! | [`fields`] | header fields, however they were read |
//! | [`original`] | the request that a proxy asks about: method, scheme, host, URI; which paths are clean |
//! | [`principal`] | the `Yaopai-*` headers a back end learns the user from, and how a forged one is spotted |
//! | [`digest`] | `Content-Digest`: what a body must be |
//! | [`signature`] | how a request of a keyed session is signed |
//! | [`ticket`] | how a request shows who it is where no header can be set |
//! | [`problem`] | refusals: RFC 9457 bodies and their stable codes |

pub mod carrier;
pub mod digest;
pub mod fields;
pub mod original;
pub mod principal;
pub mod problem;
pub mod signature;
pub mod ticket;
pub mod token;
