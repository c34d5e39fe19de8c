//! Data that the platform encrypted under the session_key, which never leaves the server.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use super::flights::digest;
use super::once::Once;
use super::{Credentials, Service};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SessionId;
use crate::ports::{Encrypted, PlatformError};

/// How often the platform may be asked about one session's copy of a session_key.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// What the platform said of our copies, by session and copy: is it stale?
pub(super) type Verdicts = Once<bool>;

impl Service {
    /// Opens data that the client got from the platform, with our copy of its session_key.
    ///
    /// # Errors
    /// `session_key_stale` if the platform says that our copy is not the current one; else one error for whatever is wrong,
    /// because telling a bad padding from the rest would let a client have anything decrypted.
    pub async fn decrypt(&self, credentials: &Credentials, sealed: &Encrypted, slide: bool) -> Result<Value> {
        let who = self.authenticate(credentials, slide).await?;
        let (session, app) = (who.session, who.app);
        let world = self.world();
        let Some((key, copy)) = self.kept_session_key(&session).await? else { return Err(cannot_open()) };
        let (now, _) = self.now();
        match world.platform.open(&app, &key, sealed, now) {
            Ok(plain) => Ok(plain),
            Err(_) if self.is_stale(session.id, session.openid, app, key, &copy).await => Err(Error::new(
                Code::SessionKeyStale,
                "Refresh the session with a new code of wx.login, then get the data anew and send that.",
            )),
            Err(_) => Err(cannot_open()),
        }
    }

    /// Does the platform say that our copy is not the current one? Asked once a minute for each session and copy; if it
    /// can't be asked, no.
    async fn is_stale(
        &self,
        session: SessionId,
        openid: String,
        app: Arc<App>,
        key: Zeroizing<String>,
        copy: &[u8],
    ) -> bool {
        let (now, _) = self.now();
        let platform = Arc::clone(&self.world().platform);
        let question = async move {
            match platform.knows_session_key(&app, &openid, &key).await {
                Ok(known) => !known,
                Err(PlatformError::KeyStale) => true,
                Err(e) => {
                    tracing::debug!(app = %app.name, %session, error = %e, "the platform was not asked about a session_key");
                    false
                }
            }
        };
        // Each sealing differs, so a renewed copy is another question.
        let about = digest(&[b"session_key", &session.0, copy]);
        self.inner.verdicts.ask(about, now, ASKED_EVERY, question).await.unwrap_or(false)
    }
}

fn cannot_open() -> Error {
    Error::new(
        Code::DecryptionFailed,
        "The data can't be opened: it is too old, of another app or account, or not what the platform gave. Get it anew and send it once.",
    )
}
