//! Tokens as nodes use them: sealed before they go to the store, open when they come.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ports::{SharedToken, SharedTokens, Store, TokenAsked, TokenDigest, TokenLease};
use crate::seal::{Place, SealError, Sealer};

/// A token that lies open.
type Text = Zeroizing<String>;

/// What a node is to do that needs a token. As [`TokenAsked`], with tokens that lie open.
pub enum Asked {
    /// Use this one: refresh it after the first time, and use it no longer than the second.
    Good(Text, Duration, Duration),
    /// Fetch one. Meanwhile, and if that fails, this one serves for so long.
    Yours(TokenLease, Option<(Text, Duration)>),
    /// Another node fetches one, and has so long for it. Meanwhile this one serves for so long.
    Others(Option<(Text, Duration)>, Duration),
    /// Tokens die as fast as they are fetched.
    Enough,
}

/// Tokens that all nodes share.
#[derive(Clone)]
pub struct SealedTokens {
    tokens: Arc<dyn SharedTokens>,
    sealer: Arc<Sealer>,
    /// Where the data keys are: another node may have made one that this one doesn't know yet.
    store: Arc<dyn Store>,
}

impl SealedTokens {
    /// Puts them together.
    pub fn new(tokens: Arc<dyn SharedTokens>, sealer: Arc<Sealer>, store: Arc<dyn Store>) -> Self {
        Self { tokens, sealer, store }
    }

    /// Which token it is.
    pub fn digest(token: &str) -> TokenDigest {
        Sha256::digest(token).into()
    }

    /// See [`SharedTokens::ask`]. A token that doesn't open counts as dead: another one is fetched.
    ///
    /// # Errors
    /// The store's, or the sealing's.
    pub async fn ask(&self, key: &str, lease: Duration, dead: Option<TokenDigest>) -> Result<Asked, SealError> {
        let asked = self.tokens.ask(key, lease, dead).await?;
        let Some(digest) = asked.token().map(|token| token.digest) else { return self.open(key, asked).await };
        match self.open(key, asked).await {
            Err(SealError::Broken(why)) => {
                tracing::warn!(key, why, "the shared access token does not open: another one is fetched");
                self.open(key, self.tokens.ask(key, lease, Some(digest)).await?).await
            }
            done => done,
        }
    }

    /// See [`SharedTokens::keep`].
    ///
    /// # Errors
    /// The store's, or the sealing's.
    pub async fn keep(
        &self,
        key: &str,
        fence: u64,
        token: &str,
        (refresh_in, expires_in): (Duration, Duration),
    ) -> Result<bool, SealError> {
        let sealed = self.sealer.seal(place(key), token.as_bytes())?;
        let token = SharedToken { sealed, digest: Self::digest(token), refresh_in, expires_in };
        Ok(self.tokens.keep(key, fence, token).await?)
    }

    /// See [`SharedTokens::force`].
    ///
    /// # Errors
    /// The store's.
    pub async fn force(&self, key: &str, fence: u64, lease: Duration) -> Result<bool, SealError> {
        Ok(self.tokens.force(key, fence, lease).await?)
    }

    /// See [`SharedTokens::give_back`].
    pub async fn give_back(&self, key: &str, fence: u64) {
        if let Err(error) = self.tokens.give_back(key, fence).await {
            tracing::debug!(key, %error, "a lease was not given back; it ends by itself");
        }
    }

    async fn open(&self, key: &str, asked: TokenAsked) -> Result<Asked, SealError> {
        Ok(match asked {
            TokenAsked::Good(token) => {
                let text = self.text(key, &token).await?;
                Asked::Good(text, token.refresh_in, token.expires_in)
            }
            TokenAsked::Yours(lease, token) => Asked::Yours(lease, self.meanwhile(key, token).await?),
            TokenAsked::Others(token, left) => Asked::Others(self.meanwhile(key, token).await?, left),
            TokenAsked::Enough => Asked::Enough,
        })
    }

    async fn meanwhile(&self, key: &str, token: Option<SharedToken>) -> Result<Option<(Text, Duration)>, SealError> {
        match token {
            Some(token) => Ok(Some((self.text(key, &token).await?, token.expires_in))),
            None => Ok(None),
        }
    }

    async fn text(&self, key: &str, token: &SharedToken) -> Result<Text, SealError> {
        let plain = match self.sealer.unseal(place(key), &token.sealed) {
            Err(SealError::Broken(_)) => {
                self.sealer.learn_all(&*self.store).await?;
                self.sealer.unseal(place(key), &token.sealed)?
            }
            opened => opened?,
        };
        match std::str::from_utf8(&plain) {
            Ok(text) => Ok(Zeroizing::new(text.to_owned())),
            Err(_) => Err(SealError::Broken("it is no text")),
        }
    }
}

impl TokenAsked {
    fn token(&self) -> Option<&SharedToken> {
        match self {
            Self::Good(token) => Some(token),
            Self::Yours(_, token) | Self::Others(token, _) => token.as_ref(),
            Self::Enough => None,
        }
    }
}

fn place(key: &str) -> Place<'_> {
    Place { table: "platform_tokens", row: key, column: "sealed" }
}
