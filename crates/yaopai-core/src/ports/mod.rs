//! What the domain needs of the world, as traits. Whoever implements one depends on this crate, never the other way.

mod act;
mod audit;
mod backend;
mod bind_code;
mod binding;
mod import;
mod jar;
mod log;
mod login;
mod moving;
mod platform;
mod rotate;
mod sessions;
mod shared;
mod shared_token;
mod signing;
mod stale;
mod store;

pub use act::*;
pub use audit::*;
pub use backend::{BackEnd, BackEndError, BindVerdict, Evidence, UserFound};
pub use bind_code::{BIND_CODE_LIFE, BIND_CODES_MAX, BindCode, BindCodeHash, Proof};
pub use binding::*;
pub use import::*;
pub use jar::*;
pub use log::{ChangeLog, Changed, LogPage, NotFollowed, Polled};
pub use login::*;
pub use moving::MoveStore;
pub use platform::{CannotOpen, Encrypted, HandedToken, Phone, Platform, PlatformError, UserKey, Vouched};
pub use rotate::*;
pub use sessions::*;
pub use shared::{Count, SKEW_MAX, SLOTS, Shared, Took, Tries, Use, Used};
pub use shared_token::{SharedToken, SharedTokens, TokenAsked, TokenDigest, TokenLease};
pub use signing::{NextKey, NextKeys, SigningAlg, SigningKey, SigningStore};
pub use stale::*;
pub use store::*;

use crate::time::Timestamp;

/// Time as a parameter, so that every rule can be tested with a manual clock.
pub trait Clock: Send + Sync {
    /// Wall time. Never goes back while the process runs.
    fn now(&self) -> Timestamp;

    /// What the machine's clock shows, wherever it is set to: it may go back, and be behind [`Clock::now`]. For what others
    /// compare with their own clocks, and for nothing that must not happen twice.
    fn shown(&self) -> Timestamp {
        self.now()
    }
}

/// Randomness as a parameter.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with cryptographically strong random bytes.
    fn fill(&self, buffer: &mut [u8]);
}
