//! The check: "who is this request?", asked by a proxy. It stands in front of the router.
//!
//! Read it top-down: [`Checks::ask`] takes the question apart, `Checks::decide` is the fast path (one look into the
//! live table; nothing in it waits, locks, builds strings or logs), and only what the table can't decide goes to
//! `slow`.

mod ask;
mod by_ticket;
mod found;
mod gateway;
pub(crate) mod jwt;
mod principal;
mod refuse;
mod slow;

pub use ask::{Ask, NotAsked, OwnedAsk, Require};
pub use gateway::{Begun, Passed, Verdict};
pub use principal::{Facts, Principal, Stamp, entry_maker, place};

use std::future::{Ready, ready};
use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderMap, HeaderValue, Request, Response, header};
use ipnet::IpNet;
use yaopai_core::Service;
use yaopai_core::ids::{AppName, SessionId};
use yaopai_core::live::{FillTicket, LiveTable, Looked};
use yaopai_core::ports::Clock;
use yaopai_core::proof::{Proofs, Proven, Unproved};
use yaopai_core::service::{Credentials, Tickets, refused};
use yaopai_core::time::{Downtimes, Timestamp};
use yaopai_wire::carrier::{Carrier, Carriers, Shown, holds_token};
use yaopai_wire::fields::Fields;
use yaopai_wire::original::{
    ENVOY_PREFIX, HAPROXY_PREFIX, KeptOriginal, NGINX_PREFIX, NginxTarget, Original, is_unclean,
};
use yaopai_wire::principal::{any_of_ours, forged, slides};
use yaopai_wire::problem::Code;
use yaopai_wire::signature::{Kept, Needs};
use yaopai_wire::ticket;
use yaopai_wire::token::Token;

use crate::listen::Peer;
use crate::oauth::{Handed, Issuer, Wanted};
use crate::telemetry::Metrics;

/// Where `forward_auth` checks live (Traefik, Caddy).
const FORWARD: &str = "/check/forward";

/// Answers checks.
pub struct Checks {
    table: Arc<LiveTable<Principal>>,
    service: Service,
    proofs: Arc<Proofs>,
    clock: Arc<dyn Clock>,
    downtime: Downtimes,
    carriers: Carriers,
    trusted: Vec<IpNet>,
    metrics: Arc<Metrics>,
    issuer: Arc<Issuer>,
}

/// What a check is answered with.
pub enum Answered<R> {
    /// It passes, and this is what the caller made of the session's principal.
    Passed(R),
    /// Here is the answer, whole.
    Ready(Response<Body>),
    /// The table can't decide: the store is asked.
    Later(BoxFuture<'static, Response<Body>>),
}

/// What the fast path says.
enum Decision<R> {
    /// It passes; the answer is ready.
    Pass(R),
    /// No session was shown, and none is needed.
    Guest,
    /// It passes once a JWT is signed.
    Sign(Principal, SessionId, Proven),
    /// It passes unless another node has accepted it before.
    Share(Shared),
    /// It is refused.
    Refuse(Code),
    /// It is not its session's holder's.
    Unproved(SessionId, AppName, Unproved),
    /// It shows a ticket or pages' cookies.
    Ticket(Tickets),
    /// The table can't decide.
    Unsure(Credentials),
}

/// What this node would let pass.
struct Shared {
    token: Token,
    principal: Principal,
    session: SessionId,
    proven: Proven,
    slide: bool,
    /// From before the table was asked.
    begun: FillTicket,
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
        issuer: Arc<Issuer>,
    ) -> Self {
        let world = service.world();
        let (proofs, clock, downtime) = (world.proofs.clone(), world.clock.clone(), world.downtime.clone());
        Self { table, service, proofs, clock, downtime, carriers, trusted, metrics, issuer }
    }

    /// Is this path a check's?
    pub fn is_check(path: &str) -> bool {
        path == FORWARD || [NGINX_PREFIX, HAPROXY_PREFIX, ENVOY_PREFIX].iter().any(|prefix| path.starts_with(prefix))
    }

    /// Answers one check that hyper has read.
    pub fn answer<B>(
        self: &Arc<Self>,
        peer: Peer,
        request: &Request<B>,
    ) -> Either<Ready<Response<Body>>, BoxFuture<'static, Response<Body>>> {
        let target = request.uri().path_and_query().map_or("", |t| t.as_str());
        match self.ask(peer, (request.method().as_str(), target), request.headers(), jwt::response) {
            Answered::Passed(response) | Answered::Ready(response) => Either::Left(ready(response)),
            Answered::Later(later) => Either::Right(later),
        }
    }

    /// Answers one check, of which its own method and target are given. `pass` makes the answer of one that passes from the
    /// session's principal, and from what `Authorization` is to be where a JWT is asked for.
    pub fn ask<R>(
        self: &Arc<Self>,
        peer: Peer,
        (method, target): (&str, &str),
        fields: &impl Fields,
        pass: impl FnOnce(&Principal, SessionId, Proven, Option<&HeaderValue>) -> R,
    ) -> Answered<R> {
        let nginx = target.starts_with(NGINX_PREFIX);
        let proxy = if nginx { Proxy::Nginx } else { Proxy::Other };
        let forward = target.starts_with(FORWARD);
        let question = if nginx || target.starts_with(HAPROXY_PREFIX) {
            NginxTarget::parse(target).map(|t| (t.ask, t.original))
        } else if !peer.is_among(&self.trusted) {
            return Answered::Ready(self.refuse(proxy, refuse::untrusted()));
        } else if forward {
            let ask = target.split_once('?').map_or("", |(_, query)| query);
            Original::from_forwarded(fields).map(|o| (ask, o))
        } else {
            Original::from_envoy(target, method, fields)
        };
        let (ask, original) = match question {
            // A proxy whose check URL has no query may pass the client's on (Caddy does): the client must not ask.
            Ok((ask, original)) if forward && !ask.is_empty() && original.query == Some(ask) => {
                return Answered::Ready(self.refuse(proxy, refuse::asked_by_client()));
            }
            Ok((ask, original)) => match Ask::parse(ask) {
                Ok(ask) => (ask, original.stripped_of(ask.prefix)),
                Err(e) => return Answered::Ready(self.refuse(proxy, refuse::not_asked(e))),
            },
            Err(e) => return Answered::Ready(self.refuse(proxy, refuse::not_original(e))),
        };
        let Ok(wanted) = self.wanted(&ask) else {
            return Answered::Ready(self.refuse(proxy, refuse::no_audience()));
        };
        match self.decide((&ask, wanted), &original, fields, pass) {
            Decision::Pass(answer) => {
                self.metrics.check_passed();
                Answered::Passed(answer)
            }
            Decision::Guest => {
                self.metrics.check_guest();
                Answered::Ready(jwt::guest(wanted))
            }
            Decision::Sign(principal, id, proven) => {
                let (checks, needs) = (self.clone(), ask.to_owned());
                let found = async move { checks.answer_with(proxy, checks.found(&needs, principal, id, proven)) };
                Answered::Later(found.boxed())
            }
            Decision::Share(shared) => {
                let (checks, needs) = (self.clone(), ask.to_owned());
                Answered::Later(
                    async move { checks.answer_with(proxy, checks.find_shared(&needs, shared, None).await) }.boxed(),
                )
            }
            Decision::Refuse(code) => Answered::Ready(self.refuse(proxy, refuse::because(code))),
            Decision::Unproved(session, app, why) => {
                // Where the client is, only its proxy knows.
                Answered::Ready(self.refuse(proxy, self.service.refused_proof(session, &app, None, why)))
            }
            Decision::Ticket(tickets) => {
                self.metrics.check_slow();
                let (checks, needs) = (self.clone(), ask.to_owned());
                let shown = (tickets, KeptOriginal::of(&original));
                Answered::Later(
                    async move { checks.answer_with(proxy, checks.find_by_ticket(needs, shown).await) }.boxed(),
                )
            }
            Decision::Unsure(shown) => {
                self.metrics.check_slow();
                let (checks, needs, slide) = (self.clone(), ask.to_owned(), slides(fields));
                let found = async move { checks.answer_with(proxy, checks.find_slowly(needs, shown, slide).await) };
                Answered::Later(found.boxed())
            }
        }
    }

    /// The fast path.
    fn decide<R>(
        &self,
        (ask, wanted): (&Ask<'_>, Option<Wanted>),
        original: &Original<'_>,
        fields: &impl Fields,
        pass: impl FnOnce(&Principal, SessionId, Proven, Option<&HeaderValue>) -> R,
    ) -> Decision<R> {
        let ours = any_of_ours(fields);
        if ours && forged(fields) {
            return Decision::Refuse(Code::HeaderForged);
        }
        if !ask.unclean_path && is_unclean(original.path) {
            return Decision::Refuse(Code::PathUnclean);
        }
        if original.query.is_some_and(holds_token) {
            return Decision::Refuse(Code::TokenInQuery);
        }
        let in_query = original.query.map_or(ticket::Shown::Nothing, ticket::in_query);
        let (token, carrier) = match (self.carriers.read(fields), in_query) {
            (Shown::Token(token, carrier), ticket::Shown::Nothing) => (token, carrier),
            (Shown::Token(..), _) => return Decision::Refuse(Code::CarrierConflict),
            (Shown::Nothing, in_query) => match by_ticket::shown(in_query, fields) {
                None => return Decision::Refuse(Code::SessionUnknown),
                Some(tickets) if !tickets.is_empty() => return Decision::Ticket(tickets),
                Some(_) if ask.require == Require::Open => return Decision::Guest,
                Some(_) => return Decision::Refuse(Code::SessionMissing),
            },
            (Shown::Junk, _) => return Decision::Refuse(Code::SessionUnknown),
            (Shown::Conflict, _) => return Decision::Refuse(Code::CarrierConflict),
        };
        let (id, now) = (SessionId(token.id), self.clock.now());
        let slide = !ours || slides(fields);
        let needs = Needs { authorization: carrier == Carrier::Authorization, unsigned_body: ask.unsigned_body };
        // Before the table is asked; a node that is alone asks nobody after it.
        let begun = self.proofs.are_shared().then(|| self.table.begin_fill());
        let looked = self.table.check(
            &token,
            (now, self.downtime.get()),
            slide,
            |key, quota| self.proofs.prove(key, id, (original, fields, needs), now, quota),
            |principal, proven| {
                if proven.unshared.is_some() {
                    let begun = begun.unwrap_or_else(|| self.table.begin_fill());
                    let principal = principal.clone();
                    let token = token.clone();
                    return Ok(Decision::Share(Shared { token, principal, session: id, proven, slide, begun }));
                }
                ask.meets(principal, now)?;
                match wanted.map(|wanted| self.issuer.ready(wanted, principal, id, proven)) {
                    None => Ok(Decision::Pass(pass(principal, id, proven, None))),
                    Some(Handed::Now(jwt)) => Ok(Decision::Pass(pass(principal, id, proven, Some(&jwt)))),
                    Some(Handed::Sign) => Ok(Decision::Sign(principal.clone(), id, proven)),
                }
            },
        );
        match looked {
            Looked::Pass(Ok(decision)) => decision,
            // Of many nodes another one may have bound it a moment ago.
            Looked::Pass(Err(_)) if self.table.lease().is_some() => {
                Decision::Unsure(Credentials { token, signed: Kept::of(original, fields, needs), from: None })
            }
            Looked::Pass(Err(code)) => Decision::Refuse(code),
            Looked::Expired => Decision::Refuse(Code::SessionExpired),
            Looked::Unproved(why) => Decision::Unproved(id, self.app_of(id), why),
            Looked::Unsure => {
                Decision::Unsure(Credentials { token, signed: Kept::of(original, fields, needs), from: None })
            }
        }
    }

    fn app_of(&self, id: SessionId) -> AppName {
        self.table.peek(id, |principal| principal.place().app.clone()).unwrap_or_else(|| "".into())
    }

    /// The check listener answers checks and nothing else.
    pub fn not_a_check(&self) -> Response<Body> {
        self.refuse(Proxy::Other, refuse::because(Code::NotFound))
    }

    /// Now, for the answers' dates.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

fn no_store(headers: &mut HeaderMap) {
    headers.insert(header::CACHE_CONTROL, NO_STORE);
}

fn session_error(code: Code) -> yaopai_core::Error {
    refused(code)
}
