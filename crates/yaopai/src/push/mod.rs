//! `/yaopai/v1/push/{app}`: what WeChat says by itself. A person's withdrawal ends sessions; all else goes on to the back
//! end byte for byte, and its answer comes back.
//!
//! WeChat waits 5 s, then sends it again, twice at most. So everything here is answered sooner, whatever happens behind, and a
//! push that comes again gets the first one's answer.
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/server-ability/message-push.html>

mod forward;
mod handle;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use http::header;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use yaopai_core::ids::AppName;
use yaopai_core::service::Once;
use yaopai_core::{Error, Service};
use yaopai_platform::wechat::push::{BODY_MAX, Keys, echo};
use yaopai_wire::problem::Code;

use crate::api::answer::Refusal;
use crate::api::path::Segment;

pub use forward::{Answer, Forward};

/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(2);
/// WeChat waits 5 s for an answer; some of it is the network's.
const ANSWER_WITHIN: Duration = Duration::from_millis(4_500);

/// What an app's pushes are read with, and what becomes of them.
#[derive(Debug)]
pub struct Line {
    /// Token and EncodingAESKey.
    pub keys: Keys,
    /// Where the others go; nowhere if there is none.
    pub forward: Option<Forward>,
    /// Does an authorization that was taken back end the sessions too?
    pub revoke_ends_sessions: bool,
}

/// The pushes of all apps.
#[derive(Clone)]
pub struct Pushes(Arc<Inner>);

struct Inner {
    service: Service,
    lines: HashMap<AppName, Line>,
    /// Pushes that were answered, so that a repeated one is neither acted on nor forwarded again. By app: many at one must
    /// not make the others' forgotten.
    answered: HashMap<AppName, Once<Answer>>,
}

impl Pushes {
    /// Puts it together.
    pub fn new(service: Service, lines: HashMap<AppName, Line>) -> Self {
        let answered = lines.keys().map(|app| (app.clone(), Once::default())).collect();
        Self(Arc::new(Inner { service, lines, answered }))
    }

    fn line(&self, app: &AppName) -> Result<&Line, Error> {
        self.0.lines.get(app).ok_or_else(no_such_app)
    }

    fn answered(&self, app: &AppName) -> Result<&Once<Answer>, Error> {
        self.0.answered.get(app).ok_or_else(no_such_app)
    }
}

/// `GET`: WeChat tries the URL before it takes it.
pub async fn verify(
    State(pushes): State<Pushes>,
    Segment(app): Segment,
    request: Request,
) -> Result<Response, Refusal> {
    let line = pushes.line(&app.as_str().into())?;
    let (now, _) = pushes.0.service.now();
    let text = echo(&line.keys, request.uri().query().unwrap_or_default(), now).map_err(|e| refused(&app, e))?;
    // Plain text: it is the caller's own, and signed.
    Ok(Answer::text(text).into_response())
}

/// `POST`: a push.
pub async fn receive(
    State(pushes): State<Pushes>,
    Segment(app): Segment,
    request: Request,
) -> Result<Response, Refusal> {
    let app = AppName::from(app.as_str());
    pushes.line(&app)?;
    // What takes longer than the body may has been read, and is WeChat's: it goes on, and need not be said again, but for
    // what may still fail here.
    let mut late = Ok(Answer::success());
    let answer = tokio::time::timeout(ANSWER_WITHIN, pushes.take(app, request, &mut late)).await;
    Ok(answer.unwrap_or(late)?.into_response())
}

impl Pushes {
    async fn take(&self, app: AppName, request: Request, late: &mut Result<Answer, Error>) -> Result<Answer, Error> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let body = Limited::new(request.into_body(), BODY_MAX).collect();
        let body = match tokio::time::timeout(BODY_TIME, body).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(e)) if e.is::<LengthLimitError>() => {
                return Err(Error::new(Code::TooLarge, "A push may have 64 KB at most."));
            }
            _ => return Err(Error::new(Code::Malformed, "The body broke off or took too long; send it again.")),
        };
        self.handle(app, query, kind, body, late).await
    }
}

fn no_such_app() -> Error {
    Error::new(Code::NotFound, "No app of this name takes pushes.")
}

/// What is wrong is told to the log alone.
fn refused(app: &str, e: yaopai_platform::wechat::push::PushError) -> Error {
    tracing::debug!(app, error = %e, "a push was refused");
    Error::new(
        Code::PushRefused,
        "This is no push of WeChat's for this app; the server's log says why at the level debug.",
    )
    .internal(e)
}
