//! Refresh with a code: the platform vouches anew for the session's identity. One code, one exchange, one new secret, however
//! often the same step-up is sent.

use std::net::IpAddr;
use std::sync::Arc;

use yaopai_wire::problem::Code;
use yaopai_wire::token::{SecretHash, Token};

use super::flights::{self, Boarding, Spent, code_used, digest};
use super::refresh::handed_out;
use super::{Credentials, Granted, Service, refused};
use crate::app::App;
use crate::audit::{Event, Kind, carried};
use crate::error::{Error, Result};
use crate::limit::{self, By};
use crate::ports::StepUp;
use crate::session::{Answer, RequestHash, Session, Standing, Worth};

/// One step-up on its way: which secret, under which request, with which code.
struct Asked {
    session: Session,
    app: Arc<App>,
    shown: SecretHash,
    request: RequestHash,
    code: String,
    slide: bool,
    token: Token,
    /// To be proved after the exchange: what it was signed with, only the code can make known.
    unproved: Option<Credentials>,
}

impl Service {
    /// Refreshes with a code of the session's own account. The same secret, code and request id get the same answer for 60 s;
    /// the secret that was shown does nothing else from then on. `slide` is false for background calls.
    ///
    /// # Errors
    /// The refusal that the client is to be told. `identity_mismatch` for another account's code: the session stays as it is.
    pub async fn step_up(
        &self,
        credentials: &Credentials,
        request_id: &str,
        code: &str,
        slide: bool,
    ) -> Result<Granted> {
        let token = &credentials.token;
        let shown = token.secret.hash();
        let (session, app) = self.load(token).await?;
        let (now, _) = self.now();
        // With the code: neither it nor the request id alone yields a token.
        let request = RequestHash::new("step-up", &format!("{request_id}\0{code}"));
        match self.worth(&session, &app, &shown) {
            Worth::Passes { .. } | Worth::Confirms { .. } | Worth::Refused(Code::SessionSuperseded) => {}
            Worth::Refused(code) => return Err(self.over(&session, &app, code).await),
        }
        let unproved = match self.prove(&session, &app, credentials).await {
            Ok(_) => None,
            // The platform's key has gone on, and our copy of its session_key is too old to ask for it.
            Err(e) if e.code == Code::LoginRequired && credentials.signed.is_some() => Some(credentials.clone()),
            Err(e) => return Err(e),
        };
        // After a restart the store is all that remembers this step-up.
        if unproved.is_none()
            && let Some(answer) = session.secrets.answered(&shown, request, now)
        {
            return self.renewed(session, &answer, token, app, slide).await;
        }
        // Before the exchange, so that the code is left for who holds the newer token.
        if !matches!(session.secrets.standing(&shown, now), Standing::Current { .. } | Standing::Successor { .. }) {
            return Err(refused(Code::SessionSuperseded));
        }
        // And for the legacy side, where that is where its person is.
        if unproved.is_none() {
            self.may_go_on(&session, &app).await?;
        }
        let key = flights::code_key(&app.name, code, request_id);
        // Of this session and this secret only: whoever waits for the answer gets its token.
        let intent = digest(&[b"step-up", &key, request_id.as_bytes(), &session.id.0, &shown.0]);
        let (token, code) = (token.clone(), code.to_owned());
        let asked = Asked { session, app, shown, request, code, slide, token, unproved };
        let answer = match self.inner.flights.board(key, intent, now).map_err(settled)? {
            Boarding::Wait(answer) => {
                let answer = flights::landed(answer).await?;
                // The one that flew has proved itself only.
                self.prove_late(&asked).await?;
                return Ok(answer);
            }
            Boarding::Again => {
                self.prove_late(&asked).await?;
                return self.stepped_up_before(asked).await;
            }
            Boarding::Fly(vouched, sender) => {
                let (service, answer) = (self.clone(), sender.subscribe());
                // On its own task: a client that hangs up must not leave a spent code without its answer.
                let told = Event::refused(Kind::StepUp, "").of_session(&asked.session);
                let from = credentials.from;
                tokio::spawn(carried(async move {
                    // Before the platform is asked. One that goes on from its word has been counted.
                    let may = match &vouched {
                        Some(_) => Ok(()),
                        None => service.may_step_up(&asked, from).await,
                    };
                    let mut spent = vouched.map_or(Spent::No, Spent::Vouched);
                    let result = match may {
                        Ok(()) => service.renew(asked, &mut spent).await,
                        Err(e) => Err(e),
                    };
                    service.inner.flights.land(key, &result, spent);
                    service.tell_refused(told, result.as_ref().err());
                    sender.send_replace(Some(result));
                }));
                answer
            }
        };
        flights::landed(answer).await
    }

    /// Counts a step-up among the logins, or refuses it: any text is a code until the platform has been asked. By its session, if it
    /// was proved: who hasn't the key must not use that up.
    async fn may_step_up(&self, asked: &Asked, from: Option<IpAddr>) -> Result<()> {
        let network = from.map(limit::network);
        let mut by = vec![(By::App, asked.app.name.as_str().as_bytes())];
        by.extend(network.as_ref().map(|network| (By::Network, network.as_slice())));
        if asked.unproved.is_none() {
            by.push((By::Identity, asked.session.id.0.as_slice()));
        }
        self.may_log_in(&by).await
    }

    /// Proves what couldn't be proved before.
    async fn prove_late(&self, asked: &Asked) -> Result<()> {
        if let Some(credentials) = &asked.unproved {
            let session = self.world().store.load(asked.session.id).await?.ok_or_else(code_used)?;
            self.prove(&session, &asked.app, credentials).await?;
        }
        Ok(())
    }

    /// Has the platform vouch, and renews the session by its word.
    async fn renew(&self, asked: Asked, spent: &mut Spent) -> Result<Granted> {
        let Asked { session, app, shown, request, code, slide, token, unproved } = asked;
        let vouched = self.vouch(&app, &code, spent).await?;
        // A session's identity never changes, so this can't be overtaken.
        if vouched.openid != session.openid {
            return Err(Error::new(
                Code::IdentityMismatch,
                "This code is of another account than the session; the session goes on. To change accounts, log in.",
            ));
        }
        if let Some(credentials) = unproved {
            let key = vouched.session_key.as_ref().ok_or_else(|| refused(Code::LoginRequired))?;
            let key = self.key_by(&session, &app, key).await?;
            self.prove_by(&session, &key, &credentials).await?;
        }
        let (rotate, _) = self.rotation(&session, shown, request)?;
        let session_key = self.seal_session_key(&app, &vouched)?;
        let (session, answer) = handed_out(self.world().store.step_up(StepUp { rotate, session_key }).await?)?;
        tracing::info!(app = %app.name, session = %session.id, "step-up");
        self.renewed(session, &answer, &token, app, slide).await
    }

    /// Hands an answer out, which is a use of the session, the first time and each time.
    async fn renewed(
        &self,
        session: Session,
        answer: &Answer,
        shown: &Token,
        app: Arc<App>,
        slide: bool,
    ) -> Result<Granted> {
        self.may_go_on(&session, &app).await?;
        let (_, up) = self.now();
        self.world().presence.touch(session.id, up, slide);
        self.grant(session, answer, shown, app)
    }

    /// The kept answer of the same step-up.
    async fn stepped_up_before(&self, asked: Asked) -> Result<Granted> {
        let session = self.world().store.load(asked.session.id).await?.ok_or_else(code_used)?;
        if let Some(ended) = session.ended {
            return Err(self.over(&session, &asked.app, ended.reason.code()).await);
        }
        let (now, _) = self.now();
        let answer = session.secrets.answered(&asked.shown, asked.request, now);
        let answer = answer.ok_or_else(|| refused(Code::SessionSuperseded))?;
        self.renewed(session, &answer, &asked.token, asked.app, asked.slide).await
    }
}

/// The platform failed this step-up, and its code may be spent. Who repeats it learns that it will never be done, so that a
/// client can tell when to give it up.
fn settled(error: Error) -> Error {
    match error.code {
        Code::PlatformBusy | Code::PlatformUnavailable => Error { internal: error.internal, ..code_used() },
        _ => error,
    }
}
