//! How a call is made: through the app's lane, once, read by content, reported to the breaker. And how one with an access
//! token is made: again with a fresh token if WeChat says that ours is dead.

use std::future::Future;

use yaopai_core::app::App;
use yaopai_core::ports::PlatformError;
use zeroize::Zeroizing;

use super::access_token::AccessToken;
use super::answer::{Answer, Reading, Refusal};
use super::{AppState, Inner, WeChat, errcode, log_change};
use crate::http::Fault;
use crate::lane::Lane;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallError {
    /// WeChat said no.
    Refused(Refusal),
    /// Nothing to be had.
    Failed(PlatformError),
}

impl From<PlatformError> for CallError {
    fn from(error: PlatformError) -> Self {
        Self::Failed(error)
    }
}

/// One of an app's lanes, and what goes through it, for the log.
pub(super) struct Way<'a> {
    pub app: &'a App,
    pub lane: &'a Lane,
    pub call: &'static str,
}

impl Inner {
    /// Sends a request and reads the answer. `read` takes what it needs from a success; without it the answer is junk.
    pub(super) async fn call<T>(
        &self,
        way: Way<'_>,
        request: impl Future<Output = Result<Zeroizing<Vec<u8>>, Fault>>,
        read: impl FnOnce(Answer) -> Option<T>,
    ) -> Result<T, CallError> {
        let pass = way.lane.enter(&*self.clock).await?;
        let result = read_answer(request.await, read);
        let up = match &result {
            Ok(_) | Err(CallError::Failed(PlatformError::Misconfigured { .. })) => true,
            Err(CallError::Refused(refusal)) => refusal.errcode != errcode::SYSTEM_ERROR,
            Err(CallError::Failed(_)) => false,
        };
        log_change(way.app, way.call, &pass.report(up));
        result
    }
}

/// What came back, as a value. Junk may be the answer to a request that was carried out.
pub(super) fn read_answer<T>(
    body: Result<Zeroizing<Vec<u8>>, Fault>,
    read: impl FnOnce(Answer) -> Option<T>,
) -> Result<T, CallError> {
    let junk = |what| CallError::Failed(errcode::of_fault(Fault::Failed(what)));
    match Reading::of(&body.map_err(errcode::of_fault)?) {
        Reading::Success(answer) => read(answer).ok_or_else(|| junk("the answer lacks what it must hold".into())),
        Reading::Refusal(refusal) => Err(CallError::Refused(refusal)),
        Reading::Junk(what) => Err(junk(what)),
    }
}

impl WeChat {
    /// Runs a call that needs an access token. If WeChat refuses the token as dead (40001, 40014, 42001), a fresh one is
    /// got and the call made exactly once more.
    ///
    /// # Errors
    /// The call's own, of its last attempt. If no token is to be had, the call did not take place:
    /// [`PlatformError::NotReached`] or [`PlatformError::Misconfigured`].
    pub async fn with_token<T, F, Fut>(&self, app: &App, call: F) -> Result<T, CallError>
    where
        F: Fn(AccessToken) -> Fut,
        Fut: Future<Output = Result<T, CallError>>,
    {
        let token = self.access_token(app).await.map_err(no_token)?;
        match call(token.clone()).await {
            Err(CallError::Refused(refusal)) if errcode::is_dead_token(refusal.errcode) => {
                tracing::debug!(app = app.name.as_str(), appid = app.appid, %refusal, "WeChat says the token is dead");
                call(self.replace_token(app, &token).await.map_err(no_token)?).await
            }
            result => result,
        }
    }

    /// A call's last word, for those who need no errcode.
    pub(super) fn give_up(&self, app: &App, state: &AppState, call: &'static str, error: CallError) -> PlatformError {
        let now = self.0.clock.now();
        let error = match error {
            CallError::Refused(refusal) => errcode::common(&refusal, now),
            CallError::Failed(error) => error,
        };
        state.log(app, call, &error, now);
        error
    }
}

/// A call that got no token did not take place, and no call was carried out whose token was refused.
fn no_token(error: PlatformError) -> CallError {
    CallError::Failed(match error {
        PlatformError::Busy { retry_after, what } | PlatformError::Unavailable { retry_after, what } => {
            PlatformError::NotReached { retry_after, what: format!("no access token: {what}") }
        }
        other => other,
    })
}
