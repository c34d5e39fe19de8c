//! The platforms' access tokens, as nodes of many share them.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreResult;

/// SHA-256 of a token's text: tells one from another without telling it. A token is too long to be guessed from it.
pub type TokenDigest = [u8; 32];

/// A token that all nodes use. Times are what is left: instants by the store's clock never leave it.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedToken {
    /// The text, sealed.
    pub sealed: Vec<u8>,
    /// Which one it is.
    pub digest: TokenDigest,
    /// When the next one is to be fetched.
    pub refresh_in: Duration,
    /// For how long it may be used.
    pub expires_in: Duration,
}

impl std::fmt::Debug for SharedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// Leave to fetch one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLease {
    /// Counts up with each lease: what an earlier owner brings is refused.
    pub fence: u64,
    /// The platform refused this one lately. If it hands it out again, it is no cure.
    pub dead: Option<TokenDigest>,
}

/// What a node is to do that needs a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenAsked {
    /// Use this one.
    Good(SharedToken),
    /// Fetch one, and say what comes of it. Meanwhile, and if it fails, this one serves.
    Yours(TokenLease, Option<SharedToken>),
    /// Another node fetches one, and has so long for it. Meanwhile this one serves; if there is none, ask again soon.
    Others(Option<SharedToken>, Duration),
    /// Tokens die as fast as they are fetched: something is wrong that another one doesn't cure.
    Enough,
}

/// The store of tokens that all nodes share. `key` says whose: an app's, from one source.
#[async_trait]
pub trait SharedTokens: Send + Sync {
    /// Asks for a token. `dead`: the platform has refused this one; it counts if it is still the one that nodes use, so of
    /// any number of nodes that were refused it one fetches another. `lease`: how long this node may take if it is to fetch.
    ///
    /// # Errors
    /// The store's. Nothing is known to have changed.
    async fn ask(&self, key: &str, lease: Duration, dead: Option<TokenDigest>) -> StoreResult<TokenAsked>;

    /// The owner of a lease has fetched a token. False if it isn't kept: another node has taken over, or it was refused
    /// meanwhile. Then ask again.
    ///
    /// # Errors
    /// The store's.
    async fn keep(&self, key: &str, fence: u64, token: SharedToken) -> StoreResult<bool>;

    /// May the owner of a lease have the platform make a new token, which is rationed? Counts as done, and the lease begins
    /// anew.
    ///
    /// # Errors
    /// The store's.
    async fn force(&self, key: &str, fence: u64, lease: Duration) -> StoreResult<bool>;

    /// The owner of a lease has got nothing: another node may try at once.
    ///
    /// # Errors
    /// The store's. The lease ends by itself, too.
    async fn give_back(&self, key: &str, fence: u64) -> StoreResult<()>;
}
