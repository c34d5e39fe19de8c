//! The person's phone number, by the platform's word.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use yaopai_wire::problem::Code;

use super::flights::digest;
use super::once::Once;
use super::{Credentials, Service};
use crate::app::App;
use crate::error::{Error, Result};
use crate::ids::SessionId;
use crate::limit::{self, By, What};
use crate::ports::{Phone, PlatformError};
use crate::session::Session;

/// How long a redeemed code is remembered: the platform's live five minutes.
pub(super) const CODE_REMEMBERED: Duration = Duration::from_secs(360);

/// Codes that were redeemed: for which session, and with what.
pub(super) type Redeemed = Once<(SessionId, Result<Phone, PlatformError>)>;

impl Service {
    /// Redeems the code of `getPhoneNumber`.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn phone(&self, credentials: &Credentials, code: &str, from: IpAddr, slide: bool) -> Result<Phone> {
        let who = self.authenticate(credentials, slide).await?;
        self.may_ask_phone(&who.session, from).await?;
        self.redeem_phone(&who.session, &who.app, code).await
    }

    /// Counts one phone number asked for, or refuses it: any text is a code until the platform has been asked. By a bind it is
    /// counted as a bind.
    async fn may_ask_phone(&self, session: &Session, from: IpAddr) -> Result<()> {
        let network = limit::network(from);
        let by = [
            (By::Identity, session.identity.0.as_slice()),
            (By::Network, network.as_slice()),
            (By::App, session.app.as_str().as_bytes()),
        ];
        let wants = self.world().limits.wants(What::PhoneNumber, &by);
        self.count(&wants, "There were too many phone numbers; wait, then try again.").await.map(|_| ())
    }

    /// Redeems a code, once: who sends it again in the same session gets the same number while the platform would still
    /// know the code, and any other session gets none. The openid goes along, so that the platform refuses a code of another
    /// account.
    pub(super) async fn redeem_phone(&self, session: &Session, app: &Arc<App>, code: &str) -> Result<Phone> {
        let key = digest(&[b"phone", app.name.as_str().as_bytes(), code.as_bytes()]);
        let (now, _) = self.now();
        let platform = Arc::clone(&self.world().platform);
        let (asker, openid) = (session.id, session.openid.clone());
        let (asked_app, asked_code) = (Arc::clone(app), code.to_owned());
        let question = async move { (asker, platform.phone(&asked_app, &openid, &asked_code).await) };
        let answer = self.inner.phones.ask(key, now, CODE_REMEMBERED, question).await;
        let Some((asker, result)) = answer else {
            return Err(Error::new(Code::Unavailable, "Too many phone numbers at a time; try again.").retry_after(5));
        };
        if asker != session.id {
            return Err(refused(PlatformError::CodeUsed));
        }
        // The platform has not seen it, or doesn't know it: the same may be asked again.
        if matches!(result, Err(PlatformError::NotReached { .. } | PlatformError::CodeInvalid)) {
            self.inner.phones.forget(&key);
        }
        result.map_err(refused)
    }
}

/// The platform's refusal in words that fit: the code is not one of `wx.login`.
fn refused(e: PlatformError) -> Error {
    let said = Error::from(e);
    let detail = match said.code {
        Code::CodeInvalid | Code::CodeUsed => {
            "Have the person press the button again, and send the new code: this one is unknown, used, or of another account."
        }
        // What the platform did with the code is unknown, and it is never sent again.
        Code::PlatformBusy | Code::PlatformUnavailable => {
            "Wait, then have the person press the button again, and send the new code."
        }
        _ => return said,
    };
    Error { detail: detail.into(), ..said }
}
