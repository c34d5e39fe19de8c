//! WeChat's own per-user key (`getUserCryptoManager` on the phone, `getuserencryptkey` here), from which a session's key is
//! derived: it never crosses our wire.

use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::Service;
use super::flights::digest;
use super::once::Once;
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SessionId;
use crate::ports::{PlatformError, UserKey};
use crate::proof::{KeyChain, ProofKey, Unproved, Version};
use crate::session::Session;

/// How often the platform is asked for one session's keys: once in this time, whatever comes of it.
pub(super) const ASKED_EVERY: Duration = Duration::from_secs(60);

/// Whose keys were asked for lately, and what the platform said: nothing, if it answered.
pub(super) type Fetched = Once<Option<PlatformError>>;

impl Service {
    /// The key of a new session, by the version that its client has.
    pub(super) async fn first_user_key(
        &self,
        app: &App,
        (openid, session_key): (&str, Option<&Zeroizing<String>>),
        version: u32,
        session: SessionId,
    ) -> Result<ProofKey> {
        let session_key = session_key.ok_or_else(unknown_version)?;
        let keys = self.world().platform.user_keys(app, openid, session_key).await.map_err(of_a_call)?;
        // No other kind of key for one that isn't there: the client would sign with less than it thinks.
        let chain = chain_from(&keys, version, session).ok_or_else(unknown_version)?;
        Ok(ProofKey::WeChat(Box::new(self.followed(chain, &keys, session))))
    }

    /// A session's keys, asked for anew because a request names a version that isn't known. Once a minute for each session: who
    /// makes versions up costs the platform no more.
    pub(super) async fn newer_key(&self, session: &Session, app: &Arc<App>) -> Result<ProofKey> {
        let (session_key, copy) = self.kept_session_key(session).await?.ok_or_else(unknown_version)?;
        let (now, _) = self.now();
        let (service, id, asked_of) = (self.clone(), session.id, Arc::clone(app));
        let openid = session.openid.clone();
        let question = async move {
            match service.world().platform.user_keys(&asked_of, &openid, &session_key).await {
                Ok(keys) => service.keep_newer(id, &keys).await,
                Err(e) => Some(e),
            }
        };
        // Each sealing differs: after a step-up has brought a new session_key it is another question.
        let about = digest(&[b"user_keys", &session.id.0, &copy]);
        match self.inner.user_keys.ask(about, now, ASKED_EVERY, question).await {
            Some(None) => {}
            Some(Some(PlatformError::KeyStale | PlatformError::Unsupported)) | None => return Err(unknown_version()),
            Some(Some(e)) => return Err(of_a_call(e)),
        }
        self.stored_key(id).await
    }

    /// The same after a step-up's exchange, by the session_key that it brought.
    pub(super) async fn key_by(
        &self,
        session: &Session,
        app: &App,
        session_key: &Zeroizing<String>,
    ) -> Result<ProofKey> {
        let keys = self.world().platform.user_keys(app, &session.openid, session_key).await.map_err(of_a_call)?;
        if let Some(e) = self.keep_newer(session.id, &keys).await {
            return Err(of_a_call(e));
        }
        self.stored_key(session.id).await
    }

    async fn stored_key(&self, id: SessionId) -> Result<ProofKey> {
        let session = self.world().store.load(id).await?.ok_or_else(unknown_version)?;
        ProofKey::open(&session, &self.world().sealer)?.ok_or_else(unknown_version)
    }

    /// Keeps what is newer than a session's keys. What fails is to be tried again, as if the platform hadn't answered.
    async fn keep_newer(&self, id: SessionId, keys: &[UserKey]) -> Option<PlatformError> {
        let world = self.world();
        let kept = async {
            let Some(session) = world.store.load(id).await? else { return Ok(()) };
            let Some(ProofKey::WeChat(chain)) = ProofKey::open(&session, &world.sealer)? else { return Ok(()) };
            let known = chain.newest();
            let chain = self.followed(*chain, keys, id);
            if chain.newest() > known {
                let newest = chain.newest();
                let sealed = ProofKey::WeChat(Box::new(chain)).seal(id, &world.sealer)?;
                let sealed = sealed.kept().1.unwrap_or_default().to_vec();
                world.store.renew_key(id, newest, sealed).await?;
            }
            Ok::<_, Error>(())
        };
        let failed = kept.await.err()?;
        Some(PlatformError::Unavailable {
            retry_after: 1,
            what: format!("a session's new key was not kept: {failed:?}"),
        })
    }

    fn followed(&self, chain: KeyChain, keys: &[UserKey], session: SessionId) -> KeyChain {
        let (now, _) = self.now();
        let mut newer: Vec<&UserKey> = keys.iter().filter(|key| key.version > chain.newest()).collect();
        newer.sort_by_key(|key| key.version);
        newer
            .into_iter()
            .fold(chain, |chain, key| chain.followed_by(Version::derive(key.version, &key.key, session), now))
    }
}

fn chain_from(keys: &[UserKey], version: u32, session: SessionId) -> Option<KeyChain> {
    let key = keys.iter().find(|key| key.version == version)?;
    Some(KeyChain::new(Version::derive(version, &key.key, session)))
}

fn unknown_version() -> Error {
    Unproved::UnknownVersion.error()
}

fn of_a_call(e: PlatformError) -> Error {
    match e {
        PlatformError::KeyStale | PlatformError::Unsupported => unknown_version().internal(e),
        e => Error::from(e).of_a_call(),
    }
}
