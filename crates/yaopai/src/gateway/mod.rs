//! The gateway: every path of the public listener that is not ours goes on to the back end's upstream, checked first.
//!
//! Read it top-down: [`Gateway::answer`], `pass_on`. Whose request it is, `check` says; what goes on is `outgoing`'s business; how,
//! `upstream`'s and `forward`'s. What is under way is cut when its session ends (`cut`).

mod asked;
mod body;
mod cut;
mod download;
mod forward;
mod kept;
mod legacy;
mod outgoing;
mod pace;
mod refuse;
mod routes;
mod socket;
mod timers;
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use hyper::body::{Body as _, Incoming};
use ipnet::IpNet;
use tokio::sync::watch;
use yaopai_core::Error;
use yaopai_core::ports::Clock;
use yaopai_core::service::{Service, Went};
use yaopai_wire::carrier::Carriers;
use yaopai_wire::digest::ContentDigest;
use yaopai_wire::principal::BOUND;
use yaopai_wire::problem::Code;
use yaopai_wire::signature::SIGNATURE_INPUT;

use crate::api::origin::origin;
use crate::check::{Ask, Begun, Checks, Passed, Require, Verdict};
use crate::config::{self, Cookies, Legacy};
use crate::listen::Peer;
use crate::telemetry::{Metrics, Side};
use asked::Asked;
use body::Upload;
use cut::Hold;
use download::Download;
use kept::Kept;
use routes::{Route, Routes};

pub use asked::in_one_form;
pub use cut::{Cuts, CuttingSink, user_of};

/// How long it may take until it is known whether a request to read has a body, where its head doesn't tell.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// Passes requests on.
pub struct Gateway {
    checks: Arc<Checks>,
    service: Service,
    routes: Routes,
    cuts: Arc<Cuts>,
    clock: Arc<dyn Clock>,
    carriers: Carriers,
    /// Proxies in front, whose `X-Forwarded-*` are believed.
    proxies: Vec<IpNet>,
    /// What such a proxy takes off the paths that clients call.
    stripped_prefix: String,
    /// By what a request of the old program's is known, while an app is being moved.
    legacy: Legacy,
    metrics: Arc<Metrics>,
    stop: watch::Receiver<bool>,
}

/// What the gateway is told of the rest of the configuration.
pub struct Around {
    /// Keeps cookies.
    pub service: Service,
    /// Where requests show their token.
    pub carriers: Carriers,
    /// Proxies in front, whose `X-Forwarded-*` are believed.
    pub proxies: Vec<IpNet>,
    /// What such a proxy takes off the paths that clients call.
    pub stripped_prefix: String,
    /// By what a request of the old program's is known, while an app is being moved.
    pub legacy: Legacy,
}

/// Whose request it is.
struct Who {
    /// Nobody's, on a route that is open or of the old program's.
    passed: Option<Passed>,
    /// Is it the old program's?
    legacy: bool,
    /// Held from before the request goes on until all of it is over.
    hold: Option<Arc<Hold>>,
    /// From when it passed.
    begun: Option<Begun>,
}

impl Gateway {
    /// Puts it together; `None` if there is nothing to pass on. Its upstreams' health is watched until `stop` turns true.
    pub fn start(
        (upstreams, routes): (Vec<config::Upstream>, Vec<config::Route>),
        around: Around,
        (checks, cuts): (Arc<Checks>, Arc<Cuts>),
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        stop: watch::Receiver<bool>,
    ) -> Option<Arc<Self>> {
        if routes.is_empty() {
            return None;
        }
        let upstreams: Vec<_> = upstreams.into_iter().map(|u| upstream::Upstream::start(u, &stop)).collect();
        let Around { service, carriers, proxies, stripped_prefix, legacy } = around;
        let routes = Routes::new(routes, &upstreams);
        Some(Arc::new(Self {
            checks,
            service,
            routes,
            cuts,
            clock,
            carriers,
            proxies,
            stripped_prefix,
            legacy,
            metrics,
            stop,
        }))
    }

    /// Answers one request, [in one form](in_one_form).
    pub async fn answer(self: Arc<Self>, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        match self.pass_on(peer, request).await {
            Ok(response) => {
                self.metrics.gateway_passed();
                response
            }
            Err(error) => self.refuse(&error),
        }
    }

    async fn pass_on(&self, peer: Peer, mut request: Request<Incoming>) -> Result<Response<Body>, Error> {
        let upgrade = socket::asked(&request).then(|| hyper::upgrade::on(&mut request));
        let (parts, mut body) = request.into_parts();
        let asked = Asked::read(&parts)?;
        let has_body = has_body(&parts, &mut body).await?;
        let route = self.routes.find(asked.original.path, &parts.method)?;
        let mut who = self.who(route, &asked, &parts, peer).await?;
        let digest = body_digest(who.passed.as_ref(), route, &parts, has_body)?;
        let jar = self.jar(route, &asked, who.passed.as_ref()).await?;
        let place = route.upstream.place()?;
        if let (Some(passed), Some(begun)) = (&who.passed, who.begun) {
            self.checks.still_now(begun, passed.session, passed.user_header()).await?;
        }

        let target = outgoing::without_ticket(&asked);
        let soon = parts.version != Version::HTTP_2;
        let body = Some(body).filter(|_| has_body);
        let upload = Upload::new(body, digest, route.upstream.pace(), who.hold.clone()).holding(&place);
        let course = upload.course();
        let outgoing =
            outgoing::Outgoing { gateway: self, route, peer, upgrade: upgrade.is_some(), legacy: who.legacy };
        let request = outgoing.of(parts, target, upload, who.passed.as_mut(), jar.as_ref().and_then(Kept::cookie));
        let mut response = route.upstream.send(request, who.hold.as_ref(), &*self.clock).await?;
        if course.is_under_way() {
            tokio::spawn(course.watch(route.upstream.pace().idle));
        }

        let socket = match (response.status(), upgrade) {
            (StatusCode::SWITCHING_PROTOCOLS, Some(client)) if socket::agreed(response.headers()) => {
                Some((client, hyper::upgrade::on(&mut response)))
            }
            (StatusCode::SWITCHING_PROTOCOLS, _) => {
                return Err(refuse::failed().internal("it switched to a protocol that it was not asked for"));
            }
            _ => None,
        };
        if let Some(jar) = jar {
            Box::pin(jar.learn(response.headers())).await?;
        }
        outgoing::for_the_client(response.headers_mut(), route.cookies_of(who.legacy));
        if let Some(passed) = who.passed {
            tell(&passed, response.headers_mut());
        }
        let Some((client, upstream)) = socket else {
            let (head, body) = response.into_parts();
            let body = Download::begin(body, route.upstream.pace(), who.hold, place, soon).await;
            return Ok(Response::from_parts(head, Body::new(body)));
        };
        socket::agree(response.headers_mut());
        let ends = socket::Ends { client, upstream, idle: route.upstream.socket_idle(), stop: self.stop.clone() };
        tokio::spawn(ends.join(who.hold, place));
        Ok(response.map(|_| Body::empty()))
    }

    /// Asks as a proxy's check would. From here on the end of the session is noticed, whenever it comes.
    async fn who(&self, route: &Route, asked: &Asked<'_>, parts: &Parts, peer: Peer) -> Result<Who, Error> {
        let original = asked.original.stripped_of(&self.stripped_prefix);
        let from = || origin(peer, &parts.headers, &self.proxies);
        if route.legacy && self.legacy.is_shown(&parts.headers) && !self.checks.shows_ours(&original, &parts.headers) {
            // Judged as a guest is: with what only we may say, or what could be read in two ways, it doesn't pass.
            let ask = Ask { require: Require::Open, jwt: None, ..route.ask() };
            let Verdict::Guest = self.checks.judge(&ask, &original, &parts.headers, from).await? else {
                return Err(
                    Error::new(Code::Internal, "Try again.").internal("a session in what shows nothing of ours")
                );
            };
            self.metrics.gateway_side(Side::Legacy);
            self.service.moved().legacy_request(ask.realm);
            return Ok(Who { passed: None, legacy: true, hold: None, begun: None });
        }
        let begun = self.checks.begin();
        match self.checks.judge(&route.ask(), &original, &parts.headers, from).await? {
            Verdict::Guest => {
                self.metrics.gateway_side(Side::Guest);
                Ok(Who { passed: None, legacy: false, hold: None, begun: None })
            }
            Verdict::Passed(passed) => {
                let user = passed.user_header().cloned();
                let hold = self.cuts.hold(passed.session, user.clone());
                // An end or a change of user that came between the check and the hold reached neither.
                self.checks.still(begun, passed.session, user.as_ref()).await?;
                self.metrics.gateway_side(Side::Yaopai);
                Ok(Who { passed: Some(passed), legacy: false, hold: Some(hold), begun: Some(begun) })
            }
        }
    }

    /// The session's jar, where the back end's cookies are kept. A guest has none.
    async fn jar(&self, route: &Route, asked: &Asked<'_>, passed: Option<&Passed>) -> Result<Option<Kept>, Error> {
        let Some(passed) = passed.filter(|_| route.cookies == Cookies::Keep) else { return Ok(None) };
        let (upstream, host) = (route.upstream.name(), route.upstream.host_sent(asked.original.host));
        Box::pin(Kept::open(&self.service, passed, Went { upstream, host, path: asked.original.path })).await
    }

    fn trusts(&self, peer: Peer) -> bool {
        peer.is_among(&self.proxies)
    }
}

/// hyper's client sends the body of a GET or HEAD only where its length is known, and else leaves it out without a word: the upstream
/// would be told of a body, perhaps a signed one, that it never gets.
///
/// Whether there is one is not always in the head: some balancers end each HTTP/2 request with an empty piece, and a client may send
/// chunks of nothing. Then there is none.
async fn has_body(parts: &Parts, body: &mut Incoming) -> Result<bool, Error> {
    if body.is_end_stream() {
        return Ok(false);
    }
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    if !is_read || body.size_hint().exact().is_some() {
        return Ok(true);
    }
    match Box::pin(tokio::time::timeout(LOOK_TIME, body::is_nothing(body))).await {
        Ok(true) => Ok(false),
        _ => Err(refuse::no_length()),
    }
}

/// What the body must be, if a signature says so. A body that none covers goes on only where the route allows it.
fn body_digest(
    passed: Option<&Passed>,
    route: &Route,
    parts: &Parts,
    has_body: bool,
) -> Result<Option<ContentDigest>, Error> {
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    match passed {
        Some(passed) if passed.body_signed => {
            let digest = ContentDigest::read(&parts.headers).ok().flatten().ok_or_else(refuse::other_body)?;
            if has_body {
                return Ok(Some(digest));
            }
            // Nothing would be left to hold back.
            if digest == ContentDigest::of(b"") { Ok(None) } else { Err(refuse::other_body()) }
        }
        // Signed requests to read need no digest, and so must have no body.
        Some(_) if is_read && has_body && parts.headers.contains_key(SIGNATURE_INPUT) => {
            if route.ask().unsigned_body {
                Ok(None)
            } else {
                Err(refuse::unsigned_body())
            }
        }
        _ => Ok(None),
    }
}

/// What we have to say to the client beside the upstream.
fn tell(passed: &Passed, headers: &mut http::HeaderMap) {
    if passed.risen {
        headers.insert(BOUND, HeaderValue::from_static("1"));
    }
    if let Some(cookie) = &passed.view {
        headers.append(header::SET_COOKIE, cookie.clone());
    }
}

/// Not found, where no route is.
fn no_route() -> Error {
    Error::new(Code::NotFound, "No route leads from this path to a back end; docs/gateway.md says how to write one.")
}
