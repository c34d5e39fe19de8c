//! Bind codes: the back end makes one for its user, a page shows it, the person's phone previews and then redeems it.

use std::net::IpAddr;

use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use crate::app::BindingWay;
use crate::bind_code;
use crate::error::{Error, Result};
use crate::ids::{AppName, Realm, UserId};
use crate::ports::{BIND_CODE_LIFE, BindCode};
use crate::service::{Authenticated, Credentials, Service};

/// A bind code that was made: the one time that its text is seen here.
pub struct MadeCode {
    /// For the QR code.
    pub text: Zeroizing<String>,
    /// Seconds.
    pub expires_in: u64,
}

/// What the person sees before confirming.
#[derive(Debug, Clone)]
pub struct Previewed {
    /// The account, masked by the back end.
    pub masked: String,
    /// Seconds that are left to confirm it.
    pub expires_in: u64,
}

impl Service {
    /// Makes a bind code for a user of the realm. It is good when it is kept, by [`Action::KeepBindCode`](crate::ports::Action).
    ///
    /// # Errors
    /// `field_invalid` for an app that isn't the realm's, or whose clients don't bind.
    pub fn admin_bind_code(
        &self,
        realm: &Realm,
        user: UserId,
        masked: String,
        app: Option<AppName>,
    ) -> Result<(MadeCode, BindCode)> {
        let fits = |name: &AppName| {
            let app = self.world().apps.get(name).filter(|app| app.realm == *realm);
            app.is_some_and(|app| app.policy.binding == BindingWay::Webhook)
        };
        if !app.as_ref().is_none_or(fits) {
            return Err(Error::field("app", "The realm has no app of this name whose binding is \"webhook\"."));
        }
        let (text, hash) = bind_code::mint(&*self.world().entropy);
        let (now, _) = self.now();
        let expires_at = now + BIND_CODE_LIFE;
        let code = BindCode { hash, realm: realm.clone(), app, user, masked, expires_at, seen_by: None };
        Ok((MadeCode { text, expires_in: BIND_CODE_LIFE.as_secs() }, code))
    }

    /// Shows a bind code's account to the session's person. From then on the code is this session's alone.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn preview(
        &self,
        credentials: &Credentials,
        bind_code: &str,
        from: IpAddr,
        slide: bool,
    ) -> Result<Previewed> {
        let Authenticated { session, app, .. } = self.authenticate(credentials, slide).await?;
        super::must_bind(&app)?;
        let hash = bind_code::hash_of(bind_code).ok_or_else(no_code)?;
        self.may_try(&session, &app, from, None).await?;
        let (now, _) = self.now();
        let code = self.world().store.preview(&hash, session.id, now).await?.ok_or_else(no_code)?;
        Ok(Previewed { masked: code.masked, expires_in: now.seconds_until(code.expires_at) })
    }
}

/// One sentence for all of it: which it is would tell who guesses codes more than who holds one.
pub(in crate::service) fn no_code() -> Error {
    Error::new(
        Code::BindCodeInvalid,
        "This bind code is not known, was used or has expired, or this session has not previewed it; have the person scan a \
         new one, and preview it first.",
    )
}
