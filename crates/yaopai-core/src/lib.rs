//! The domain: sessions, identities, bindings, policy, sealing. It knows no database and no HTTP; what it needs of the
//! world are the traits in [`ports`].
//!
//! Rules are pure functions on plain values (`session/`), so that every store runs the same ones; what calls the world in
//! order is in `service/`; the table that a check reads is in [`live`].

pub mod app;
pub mod audit;
pub mod bind_code;
pub mod error;
pub mod house;
pub mod ids;
pub mod jar;
pub mod limit;
pub mod live;
pub mod moving;
pub mod ports;
pub mod proof;
pub mod replay;
pub mod seal;
pub mod service;
pub mod session;
pub mod shared_token;
pub mod signing;
pub mod time;

pub use error::{Error, Result};
pub use service::Service;
