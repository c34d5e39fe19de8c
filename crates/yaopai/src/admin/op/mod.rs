//! One call of the admin API: what it is for, what it takes and what it answers stands in one place, and from there come the route,
//! the key that it needs, its idempotency, and its part of the OpenAPI document. There is no other way to add one.

mod document;
mod idempotency;
mod input;
mod output;

use axum::Router;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use utoipa::openapi::{HttpMethod, OpenApi};
use yaopai_core::ids::Realm;
use yaopai_core::ports::{Acted, Action, Keep, KeptAnswer};
use yaopai_core::{Error, Service};
use yaopai_wire::problem::Code;

use super::Admin;
use super::key;
use crate::api::answer::Refusal;
use crate::api::body::{must_be_json, within};
use crate::api::path::Segment;
use crate::config::Scope;

use document::Document;
use idempotency::Begun;
pub use idempotency::InFlight;
pub use idempotency::Once;
pub use input::{AppPath, Asked, Body, Fielded, Given, IdentityPath, Input, SessionPath, UserPath, strictly, user_id};
pub use output::{Created, NoContent, NoStore, Output, Shown};

/// What a call is.
#[derive(Debug, Clone, Copy)]
pub struct Op {
    /// Its method.
    pub verb: Verb,
    /// Its path below `/admin/v1`.
    pub path: &'static str,
    /// Its name for clients that are generated.
    pub id: &'static str,
    /// What it does, in a line.
    pub does: &'static str,
    /// Keys with any of these may call it; of those that say `admin` see [`crate::config::ApiKey::may`].
    pub scopes: &'static [Scope],
    /// Codes of its refusals, beyond those that every call has.
    pub codes: &'static [Code],
}

/// Its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Makes or changes.
    Post,
    /// Sets.
    Put,
    /// Ends.
    Delete,
}

impl Verb {
    fn changes(self) -> bool {
        self != Self::Get
    }

    fn of_axum(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }

    fn of_openapi(self) -> HttpMethod {
        match self {
            Self::Get => HttpMethod::Get,
            Self::Post => HttpMethod::Post,
            Self::Put => HttpMethod::Put,
            Self::Delete => HttpMethod::Delete,
        }
    }
}

/// Why a handler has no answer of its own.
pub enum Stop {
    /// It refuses.
    Refused(Error),
    /// The call was answered before.
    Kept(KeptAnswer),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What handlers return.
pub type Answered<T> = Result<T, Stop>;

/// A call, as its handler sees it: let in, with its realm.
pub struct Call {
    /// The server.
    pub admin: Admin,
    /// The realm that the key opens.
    pub realm: Realm,
    /// The key's name, for the log.
    pub key: String,
    once: Option<Once>,
}

impl Call {
    /// The services.
    pub fn service(&self) -> &Service {
        &self.admin.service
    }

    /// What is to be kept with the change, if the client wants that: the answer, as `shows` makes it of what came of the change.
    pub fn keep<O: Output>(&self, shows: impl Fn(&Acted) -> Option<O> + Send + Sync + 'static) -> Option<Keep> {
        self.once.as_ref().map(|once| once.keep(shows))
    }

    /// The same for what is changed in steps.
    pub fn once(&self) -> Option<Once> {
        self.once.clone()
    }

    /// The answer to a change. To be called with the same `shows`.
    pub fn answer<O>(&self, acted: Acted, shows: impl Fn(&Acted) -> Option<O>) -> Answered<O> {
        match acted {
            Acted::Repeated(kept) => Err(Stop::Kept(kept)),
            acted => shows(&acted).ok_or_else(|| {
                Stop::Refused(Error::new(Code::Internal, "Try again.").internal(format!("no answer to {acted:?}")))
            }),
        }
    }
}

/// Calls with their routes and their part of the document.
pub struct Calls {
    router: Router<Admin>,
    document: Document,
}

impl Calls {
    /// None yet.
    pub fn new() -> Self {
        Self { router: Router::new(), document: Document::new() }
    }

    /// One more. What it takes and answers is read off the handler's types.
    pub fn on<I, O, H, F>(self, op: Op, handler: H) -> Self
    where
        I: Input,
        O: Output,
        H: Fn(Call, I) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answered<O>> + Send,
    {
        let serve = move |State(admin): State<Admin>, request: Request| {
            let handler = handler.clone();
            async move { serve(admin, &op, request, handler).await }
        };
        Self {
            router: self.router.route(op.path, on(op.verb.of_axum(), serve)),
            document: self.document.add::<I, O>(&op),
        }
    }

    /// The routes, and the document that says what they are.
    pub fn done(self) -> (Router<Admin>, OpenApi) {
        (self.router, self.document.done())
    }
}

async fn serve<I, O, H, F>(admin: Admin, op: &Op, request: Request, handler: H) -> Result<Response, Refusal>
where
    I: Input,
    O: Output,
    H: Fn(Call, I) -> F,
    F: Future<Output = Answered<O>> + Send,
{
    let (mut parts, body) = request.into_parts();
    let key = key::let_in(&parts, &admin, op.scopes)?.clone();
    let client_key = if op.verb.changes() { idempotency::shown(&parts.headers)? } else { None };
    let segment =
        if op.path.contains('{') { Some(Segment::from_request_parts(&mut parts, &()).await?.0) } else { None };
    if I::BODY {
        must_be_json(&parts.headers)?;
    }
    let body = if I::BODY || client_key.is_some() { within(body, I::BODY_MAX).await? } else { Bytes::new() };
    let (once, _flight) = match client_key {
        None => (None, None),
        Some(client_key) => match Once::begin(&admin, &key, &client_key, &parts, &body).await? {
            Begun::Now(once, flight) => (Some(once), Some(flight)),
            Begun::Before(answer) => return Ok(answer),
        },
    };
    let input = I::read(&Given { uri: &parts.uri, segment: segment.as_deref(), body: &body })?;
    let call = Call { admin: admin.clone(), realm: key.realm, key: key.name, once: once.clone() };
    match handler(call, input).await {
        Ok(output) => {
            let (status, body) = output.encode();
            // What was changed in steps, or not at all, has its answer kept now.
            if let Some(once) = once.filter(|once| !once.is_kept()) {
                let (realm, keep) = (once.realm().clone(), once.keep_this(status, body.clone()));
                if let Acted::Repeated(kept) = admin.service.admin_act(&realm, Action::Nothing, Some(keep)).await? {
                    return Ok(once.again(&kept)?);
                }
            }
            Ok(output::response(status, body, O::NO_STORE))
        }
        Err(Stop::Refused(error)) => Err(Refusal(error)),
        Err(Stop::Kept(kept)) => match once {
            Some(once) => Ok(once.again(&kept)?),
            None => Err(Refusal(Error::new(Code::Internal, "Try again.").internal("a kept answer that nobody wanted"))),
        },
    }
}

/// The document itself, for whoever wants to generate a client.
pub async fn openapi(State(admin): State<Admin>) -> Response {
    ([(http::header::CONTENT_TYPE, "application/json")], admin.document.to_string()).into_response()
}
