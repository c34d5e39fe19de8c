//! `cookies = "keep"`: the back end's cookies stay here, in the session's jar. The client's own stop here, and it is sent none.

use http::{HeaderMap, HeaderValue, header};
use yaopai_core::ids::{SessionId, UserId};
use yaopai_core::service::{Alone, Going, JarOf, Service, Went};
use yaopai_core::{Error, Result};
use yaopai_wire::problem::Code;

use super::refuse;
use crate::check::Passed;

/// A session's jar, from before a request goes on until the cookies of its answer are kept.
pub(super) struct Kept {
    service: Service,
    session: SessionId,
    user: Option<UserId>,
    upstream: String,
    host: String,
    path: String,
    /// Nobody else's request opens a second session at the back end meanwhile.
    alone: Alone,
    cookie: Option<HeaderValue>,
}

impl Kept {
    /// Opens it for a request to this host and path; `None` if the jar isn't that of whom the request acts for. With an empty jar the
    /// first request goes alone, so this may wait.
    ///
    /// # Errors
    /// The store's. Nothing has been sent.
    pub async fn open(service: &Service, passed: &Passed, to: Went<'_>) -> Result<Option<Self>> {
        let (session, user) = (passed.session, passed.user());
        let of = JarOf { session, user: user.as_ref() };
        let Some(Going { cookie, alone }) = service.going(of, to).await? else { return Ok(None) };
        let cookie = match cookie {
            None => None,
            Some(field) => {
                // A back end may set any bytes but controls.
                let value = HeaderValue::from_bytes(field.as_bytes());
                let mut value = value.map_err(|e| Error::new(Code::Internal, "Try again.").internal(e))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let (upstream, host, path) = (to.upstream.to_owned(), to.host.to_owned(), to.path.to_owned());
        Ok(Some(Self { service: service.clone(), session, user, upstream, host, path, alone, cookie }))
    }

    /// What goes to the back end, in place of the client's.
    pub fn cookie(&self) -> Option<&HeaderValue> {
        self.cookie.as_ref()
    }

    /// Keeps what an answer sets. Durable when this answers, so the answer may go on.
    ///
    /// # Errors
    /// The back end has acted, so nothing after which a client sends its request again.
    pub async fn learn(self, answer: &HeaderMap) -> Result<()> {
        let Self { service, session, user, upstream, host, path, alone, .. } = self;
        let from = Went { upstream: &upstream, host: &host, path: &path };
        let of = JarOf { session, user: user.as_ref() };
        let lines: Vec<&[u8]> = answer.get_all(header::SET_COOKIE).iter().map(HeaderValue::as_bytes).collect();
        let kept = if lines.is_empty() { Ok(()) } else { service.learn(of, from, &lines).await };
        if kept.is_ok() {
            alone.answered().await;
        }
        kept.map_err(|e| {
            if e.code == Code::SessionEnded { refuse::ended() } else { refuse::not_kept().internal(format!("{e:?}")) }
        })
    }
}
