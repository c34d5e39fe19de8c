//! What becomes of one push.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use sha2::{Digest as _, Sha256};
use yaopai_core::Error;
use yaopai_core::ids::AppName;
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::push::{Push, USER_AUTHORIZATION_CANCELLATION, USER_AUTHORIZATION_REVOKE, read};
use yaopai_wire::problem::Code;

use super::forward::{Answer, Asked};
use super::{Line, Pushes, refused};

/// How long a push is known again: longer than WeChat repeats it, and than its query is fresh.
const REMEMBERED: Duration = Duration::from_secs(360);

impl Pushes {
    /// Reads a push, acts on it or forwards it, once. `late` is what WeChat is told if that takes too long.
    ///
    /// # Errors
    /// `push_refused` for what isn't WeChat's; `unavailable` if the store failed, so that WeChat sends it again.
    pub(super) async fn handle(
        &self,
        app: AppName,
        query: String,
        kind: Option<HeaderValue>,
        body: Bytes,
        late: &mut Result<Answer, Error>,
    ) -> Result<Answer, Error> {
        let (now, _) = self.0.service.now();
        let line = self.line(&app)?;
        let push = read(&line.keys, &query, &body, now).map_err(|e| refused(app.as_str(), e))?;
        if line.ends_sessions(&push) {
            *late = Err(say_again());
        }
        let (key, answered) = (known_by(&app, &push), self.answered(&app)?);
        let came = Arc::new((push, Asked { query, kind, body }));
        let work = {
            let (pushes, app, came) = (self.clone(), app.clone(), Arc::clone(&came));
            async move { pushes.act(&app, &came.0, &came.1).await }
        };
        let answer = match answered.ask(key, now, REMEMBERED, work).await {
            Some(answer) => answer,
            // No room to remember it. Told twice it does less harm than not at all.
            None => self.act(&app, &came.0, &came.1).await,
        };
        if answer.failed() {
            answered.forget(&key);
            return Err(say_again());
        }
        if answer.not_taken() {
            answered.forget(&key);
        } else if answer.is_large() {
            answered.replace(&key, Answer::success());
        }
        Ok(answer)
    }

    async fn act(&self, app: &AppName, push: &Push, asked: &Asked) -> Answer {
        let Ok(line) = self.line(app) else { return Answer::success() };
        if line.ends_sessions(push) {
            return self.end_sessions(app, push.openid.as_deref(), push.create_time).await;
        }
        match &line.forward {
            Some(forward) => forward.send(app, asked).await,
            None => Answer::success(),
        }
    }

    async fn end_sessions(&self, app: &AppName, openid: Option<&str>, at: Timestamp) -> Answer {
        let service = &self.0.service;
        let (Some(openid), Some(app)) = (openid, service.world().apps.get(app)) else { return Answer::success() };
        match service.revoked_by_platform(app, openid, at).await {
            Ok(_) => Answer::success(),
            Err(e) => {
                tracing::warn!(app = %app.name, error = ?e, "a withdrawal was not carried out; WeChat sends it again");
                Answer::failure()
            }
        }
    }
}

impl Line {
    /// Is it a withdrawal that ends the person's sessions?
    fn ends_sessions(&self, push: &Push) -> bool {
        match push.event.as_deref() {
            Some(USER_AUTHORIZATION_CANCELLATION) => true,
            Some(USER_AUTHORIZATION_REVOKE) => self.revoke_ends_sessions,
            _ => false,
        }
    }
}

fn say_again() -> Error {
    Error::new(Code::Unavailable, "Send it again.").retry_after(1)
}

/// By its id. Events have none, and a person may cause two in one second that differ in a field or in a list only: they are
/// known by their text.
fn known_by(app: &AppName, push: &Push) -> [u8; 32] {
    let mut sha = Sha256::new();
    let what = push.msg_id.as_ref().map_or(&push.digest[..], String::as_bytes);
    let kind = if push.msg_id.is_some() { "id" } else { "text" };
    let (event, openid) = (push.event.as_deref().unwrap_or_default(), push.openid.as_deref().unwrap_or_default());
    let at = push.create_time.0.to_string();
    for part in [app.as_str().as_bytes(), event.as_bytes(), openid.as_bytes(), at.as_bytes(), kind.as_bytes(), what] {
        sha.update(part.len().to_be_bytes());
        sha.update(part);
    }
    sha.finalize().into()
}
