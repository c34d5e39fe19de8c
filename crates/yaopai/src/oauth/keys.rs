//! The keys that sign. The store has them, sealed; here they lie open. Which one signs is a pure rule of core's
//! ([`yaopai_core::signing`]).

use std::sync::{Arc, PoisonError, RwLock};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Map, Value};
use tokio::sync::Mutex;
use yaopai_core::ports::{Clock, Entropy, NextKey, NextKeys, SigningAlg, SigningKey, Store, StoreError};
use yaopai_core::seal::{SealError, Sealer};
use yaopai_core::service::World;
use yaopai_core::signing::{self, Rotation};
use yaopai_core::time::Timestamp;

use super::jwt;
use crate::config::Audience;

/// The keys can't be had.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// One doesn't open, or no seals are left.
    #[error("signing keys: {0}")]
    Seal(#[from] SealError),
    /// One opens and is none.
    #[error("signing key {0} is none")]
    Broken(String),
}

impl From<KeysError> for yaopai_core::Error {
    fn from(e: KeysError) -> Self {
        let code = yaopai_wire::problem::Code::Unavailable;
        Self::new(code, "Try again; if it stays so, the server's log says why.").retry_after(1).internal(e)
    }
}

/// The keys.
pub struct Keys {
    rotation: Rotation,
    algs: Vec<SigningAlg>,
    store: Arc<dyn Store>,
    sealer: Arc<Sealer>,
    pub(super) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    open: RwLock<Arc<Vec<Open>>>,
    loading: Mutex<()>,
}

/// A key that lies open.
struct Open {
    key: SigningKey,
    signs: EncodingKey,
    verifies: DecodingKey,
    jwk: Jwk,
}

impl Open {
    fn new(key: SigningKey, sealer: &Sealer) -> Result<Self, KeysError> {
        let pkcs8 = signing::open(&key, sealer)?;
        let signs = match key.alg {
            SigningAlg::Es256 => EncodingKey::from_ec_der(&pkcs8),
            SigningAlg::EdDsa => EncodingKey::from_ed_der(&pkcs8),
        };
        let broken = |_| KeysError::Broken(key.kid.clone());
        let mut jwk = Jwk::from_encoding_key(&signs, jwt::algorithm(key.alg)).map_err(broken)?;
        jwk.common.key_id = Some(key.kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        let verifies = DecodingKey::from_jwk(&jwk).map_err(broken)?;
        Ok(Self { key, signs, verifies, jwk })
    }
}

impl Keys {
    /// None yet: [`Self::upkeep`] reads them, and makes those that are missing.
    pub(super) fn new(rotation: Rotation, algs: Vec<SigningAlg>, world: &World) -> Self {
        Self {
            rotation,
            algs,
            store: world.store.clone(),
            sealer: world.sealer.clone(),
            clock: world.clock.clone(),
            entropy: world.entropy.clone(),
            open: RwLock::default(),
            loading: Mutex::default(),
        }
    }

    fn all(&self) -> Arc<Vec<Open>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// All of them, in the order in which they sign.
    pub fn kept(&self) -> Vec<SigningKey> {
        self.all().iter().map(|open| open.key.clone()).collect()
    }

    /// Reads them from the store.
    pub(super) async fn load(&self) -> Result<(), KeysError> {
        // One at a time: a slow reading of a moment ago would put back a key that has been withdrawn since.
        let _turn = self.loading.lock().await;
        let kept = self.store.signing_keys().await?;
        let open: Result<Vec<_>, _> = kept.into_iter().map(|key| Open::new(key, &self.sealer)).collect();
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(open?);
        Ok(())
    }

    /// Makes the next key of each algorithm whose time has come, and forgets those that nothing alive was signed by.
    pub(super) async fn upkeep(&self) -> Result<(), KeysError> {
        self.load().await?;
        let (kept, now) = (self.kept(), self.clock.now());
        let mut changed = false;
        for alg in self.algs.iter().copied() {
            if let Some(from) = self.rotation.due(&kept, alg, now) {
                let NextKey { key, after } = self.after(alg, &kept, (now, from))?;
                let (kid, from) = (key.kid.clone(), crate::rfc3339::rfc3339(key.signs_from));
                // If somebody else was quicker, theirs is as good.
                if self.store.add_signing_key(key, after.as_deref()).await? {
                    tracing::info!(kid, alg = alg.as_str(), signs_from = from, "a signing key was made");
                }
                changed = true;
            }
        }
        let dead = signing::dead(&kept, now);
        if !dead.is_empty() {
            tracing::info!(kids = ?dead, "signing keys were forgotten: nothing that they have signed is good any more");
            self.store.drop_signing_keys(dead).await?;
            changed = true;
        }
        if changed {
            self.load().await?;
        }
        Ok(())
    }

    /// The next key of each algorithm, unless one is on its way; `at_once`: it signs now, and is to be the only one.
    pub(super) async fn next(&self, at_once: bool) -> Result<NextKeys, KeysError> {
        self.load().await?;
        let (kept, now) = (self.kept(), self.clock.now());
        let from = if at_once { now } else { now + self.rotation.ahead };
        let coming = |alg| signing::newest(&kept, alg).is_some_and(|newest| newest.signs_from > now);
        let wanted = self.algs.iter().copied().filter(|alg| at_once || !coming(*alg));
        let keys = wanted.map(|alg| self.after(alg, &kept, (now, from))).collect::<Result<_, _>>()?;
        Ok(NextKeys { keys, alone: at_once })
    }

    /// Makes one that follows these.
    fn after(&self, alg: SigningAlg, kept: &[SigningKey], times: (Timestamp, Timestamp)) -> Result<NextKey, KeysError> {
        let key = signing::make(alg, times, &self.sealer, &*self.entropy)?;
        let after = signing::newest(kept, alg).map(|newest| newest.kid.clone());
        Ok(NextKey { key, after })
    }

    /// A JWT of these claims. The error is for the log.
    pub(super) fn sign(
        &self,
        audience: &Audience,
        claims: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, String> {
        let all = self.all();
        let signs = all.iter().rfind(|open| open.key.alg == audience.alg && open.key.signs_from <= now);
        // As `signing::signer`: the store's order is its order.
        let open = signs.ok_or_else(|| format!("no {} key signs", audience.alg.as_str()))?;
        let header = jwt::header(audience, &open.key.kid);
        jsonwebtoken::encode(&header, claims, &open.signs).map_err(|e| format!("signing failed: {e}"))
    }

    /// The published key of this name.
    pub(super) fn verifier(&self, kid: &str) -> Option<(SigningAlg, DecodingKey)> {
        let all = self.all();
        let open = all.iter().find(|open| open.key.kid == kid)?;
        Some((open.key.alg, open.verifies.clone()))
    }

    /// A JWT's own id.
    pub(super) fn jti(&self) -> String {
        use base64::Engine as _;
        let mut id = [0; 16];
        self.entropy.fill(&mut id);
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(id)
    }

    /// The public halves, in the order in which they sign.
    pub fn published(&self) -> Vec<Jwk> {
        self.all().iter().map(|open| open.jwk.clone()).collect()
    }

    /// How long the published set may be kept.
    pub(super) fn max_age(&self) -> u64 {
        self.rotation.ahead.as_secs().min(300)
    }
}
