//! What an engine that keeps rows brings: how each kind of row is read and written in the transaction at hand. It decides
//! nothing: [`crate::commands`] does.
//!
//! The traits are public because types that are name them; nobody outside can.

mod audit;
mod identities;
mod keeping;
mod moving;
mod sessions;

pub use audit::{AuditRows, Chain};
pub use identities::{Found, IdentityRows, Look, OtherIdentity, Proposed, Rest, UserRows, Word};
pub use keeping::{CodeRows, ImportRows, KeptRows, LoginRows, ServerRows, SigningRows};
pub use moving::MoveRows;
pub use sessions::{JarRows, Owned, SessionRows};
use yaopai_core::ports::StoreError;

/// An engine's own error.
pub trait Fault {
    /// What callers are told of it, and whether it may pass by itself.
    fn store_error(self) -> StoreError;
}

/// What all kinds of rows have in common.
pub trait Base {
    /// The engine's own error.
    type Error: Fault;
}

/// All of them.
pub trait Rows:
    SessionRows
    + JarRows
    + IdentityRows
    + UserRows
    + LoginRows
    + CodeRows
    + KeptRows
    + ImportRows
    + ServerRows
    + SigningRows
    + MoveRows
    + AuditRows
{
}

impl<R> Rows for R where
    R: SessionRows
        + JarRows
        + IdentityRows
        + UserRows
        + LoginRows
        + CodeRows
        + KeptRows
        + ImportRows
        + ServerRows
        + SigningRows
        + MoveRows
        + AuditRows
{
}
