//! The check: "who is this request?", asked by a proxy. It stands in front of the router.
//!
//! Read it top-down: [`Checks::answer`] takes the question apart, `Checks::decide` is the fast path (one look into the
//! live table; nothing in it waits, locks, builds strings or logs), and only what the table can't decide goes to
//! `slow`.

mod ask;
mod principal;
mod refuse;
mod slow;

pub use ask::{Ask, Require};
pub use principal::{Principal, entry_maker};

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use ipnet::IpNet;
use yaopai_core::Service;
use yaopai_core::ids::SessionId;
use yaopai_core::live::{LiveTable, Looked};
use yaopai_core::ports::Clock;
use yaopai_core::service::refused;
use yaopai_core::time::Downtime;
use yaopai_wire::carrier::{Carriers, Shown, holds_token};
use yaopai_wire::original::{NGINX_PREFIX, NginxTarget, Original, is_unclean};
use yaopai_wire::principal::{BACKGROUND, any_of_ours, forged};
use yaopai_wire::problem::Code;
use yaopai_wire::token::Token;

use crate::listen::Peer;
use crate::telemetry::Metrics;

/// Where `forward_auth` checks live (Traefik, Caddy).
const FORWARD: &str = "/check/forward";

/// Answers checks.
pub struct Checks {
    table: Arc<LiveTable<Principal>>,
    service: Service,
    clock: Arc<dyn Clock>,
    downtime: Downtime,
    carriers: Carriers,
    trusted: Vec<IpNet>,
    metrics: Arc<Metrics>,
}

/// What the fast path says.
enum Decision {
    /// It passes; the answer is ready.
    Pass(Response<Body>),
    /// No session was shown, and none is needed.
    Guest,
    /// It is refused.
    Refuse(Code),
    /// The table can't decide.
    Unsure(Token),
}

/// How the proxy wants its answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proxy {
    /// nginx makes any status but 2xx, 401 and 403 into 500.
    Nginx,
    Other,
}

impl Checks {
    /// Puts the check together.
    pub fn new(
        table: Arc<LiveTable<Principal>>,
        service: Service,
        carriers: Carriers,
        trusted: Vec<IpNet>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (clock, downtime) = (service.world().clock.clone(), service.world().downtime);
        Self { table, service, clock, downtime, carriers, trusted, metrics }
    }

    /// Is this path a check's?
    pub fn is_check(path: &str) -> bool {
        path.starts_with(NGINX_PREFIX) || path == FORWARD
    }

    /// Answers one check.
    pub fn answer<B>(
        self: &Arc<Self>,
        peer: Peer,
        request: &Request<B>,
    ) -> Either<Ready<Response<Body>>, BoxFuture<'static, Response<Body>>> {
        let target = request.uri().path_and_query().map_or("", |t| t.as_str());
        let headers = request.headers();
        let nginx = target.starts_with(NGINX_PREFIX);
        let proxy = if nginx { Proxy::Nginx } else { Proxy::Other };
        let question = if nginx {
            NginxTarget::parse(target).map(|t| (t.ask, t.original))
        } else if self.trusts(peer) {
            let ask = request.uri().query().unwrap_or("");
            Original::from_forwarded(headers).map(|o| (ask, o))
        } else {
            return Either::Left(ready(self.refuse(proxy, refuse::untrusted())));
        };
        let (ask, original) = match question {
            // A proxy whose check URL has no query may pass the client's on (Caddy does): the client must not ask.
            Ok((ask, original)) if !nginx && !ask.is_empty() && original.query == Some(ask) => {
                return Either::Left(ready(self.refuse(proxy, refuse::asked_by_client())));
            }
            Ok((ask, original)) => (Ask::parse(ask), original),
            Err(e) => return Either::Left(ready(self.refuse(proxy, refuse::not_original(e)))),
        };
        let ask = match ask {
            Ok(ask) => ask,
            Err(e) => return Either::Left(ready(self.refuse(proxy, refuse::not_asked(e)))),
        };
        match self.decide(&ask, &original, headers) {
            Decision::Pass(response) => {
                self.metrics.check_passed();
                Either::Left(ready(response))
            }
            Decision::Guest => {
                self.metrics.check_guest();
                Either::Left(ready(principal::guest()))
            }
            Decision::Refuse(code) => Either::Left(ready(self.refuse(proxy, refuse::because(code)))),
            Decision::Unsure(token) => {
                self.metrics.check_slow();
                let (checks, needs, slide) = (self.clone(), ask.to_owned(), slides(headers));
                Either::Right(async move { checks.decide_slowly(proxy, needs, token, slide).await }.boxed())
            }
        }
    }

    /// The fast path.
    fn decide(&self, ask: &Ask<'_>, original: &Original<'_>, headers: &HeaderMap) -> Decision {
        let ours = any_of_ours(headers);
        if ours && forged(headers).is_some() {
            return Decision::Refuse(Code::HeaderForged);
        }
        if !ask.unclean_path && is_unclean(original.path) {
            return Decision::Refuse(Code::PathUnclean);
        }
        if original.query.is_some_and(holds_token) {
            return Decision::Refuse(Code::TokenInQuery);
        }
        let token = match self.carriers.read(headers) {
            Shown::Token(token) => token,
            Shown::Nothing if ask.require == Require::Open => return Decision::Guest,
            Shown::Nothing => return Decision::Refuse(Code::SessionMissing),
            Shown::Junk => return Decision::Refuse(Code::SessionUnknown),
            Shown::Conflict => return Decision::Refuse(Code::CarrierConflict),
        };
        let (id, now) = (SessionId(token.id), self.clock.now());
        let slide = !ours || slides(headers);
        let looked = self.table.check(&token, now, self.downtime, slide, |principal| {
            ask.meets(principal, now).map(|()| principal.response(id))
        });
        match looked {
            Looked::Pass(Ok(response)) => Decision::Pass(response),
            Looked::Pass(Err(code)) => Decision::Refuse(code),
            Looked::Expired => Decision::Refuse(Code::SessionExpired),
            Looked::Unsure => Decision::Unsure(token),
        }
    }

    /// The check listener answers checks and nothing else.
    pub fn not_a_check(&self) -> Response<Body> {
        self.refuse(Proxy::Other, refuse::because(Code::NotFound))
    }

    fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Local => true,
            Peer::Ip(ip) => self.trusted.iter().any(|net| net.contains(&ip)),
        }
    }
}

/// Calls that a client marks as background don't slide the idle time-out.
pub fn slides(headers: &HeaderMap) -> bool {
    headers.get(BACKGROUND).is_none_or(|v| v.as_bytes() != b"1")
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, NO_STORE);
}

fn session_error(code: Code) -> yaopai_core::Error {
    refused(code)
}
