//! What answers on each listener.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either};
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use ipnet::IpNet;
use tower::ServiceExt as _;
use yaopai_core::time::Timestamp;

use crate::check::{self, Answered, Checks, Principal};
use crate::gateway::{Gateway, in_one_form};
use crate::listen::brief::{Brief, Question, Reply};
use crate::listen::{Answer, Peer};

/// A room with a router.
pub(super) struct Routed(pub(super) Router);

impl Answer for Routed {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, peer: Peer, mut request: Request<Incoming>) -> Self::Future {
        let router = self.0.clone();
        request.extensions_mut().insert(peer);
        async move {
            match router.oneshot(request.map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
        .boxed()
    }
}

/// The public listener: our own calls below `/yaopai/`, and all else is the gateway's, where there is one.
pub struct Public {
    api: Routed,
    gateway: Option<Arc<Gateway>>,
    /// Proxies in front, from whom HTTP/2 is taken.
    proxies: Vec<IpNet>,
}

impl Public {
    /// Puts it together.
    pub fn new(api: Router, gateway: Option<Arc<Gateway>>, proxies: Vec<IpNet>) -> Self {
        Self { api: Routed(api), gateway, proxies }
    }
}

impl Answer for Public {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, peer: Peer, request: Request<Incoming>) -> Self::Future {
        let request = in_one_form(request);
        let path = request.uri().path();
        match &self.gateway {
            Some(gateway) if path != "/yaopai" && !path.starts_with("/yaopai/") => {
                gateway.clone().answer(peer, request).boxed()
            }
            _ => self.api.answer(peer, request),
        }
    }

    fn speaks_all(&self) -> bool {
        true
    }

    fn takes_http2_from(&self, peer: Peer) -> bool {
        peer.is_among(&self.proxies)
    }
}

/// The check stands in front of any router; behind it there is nothing else on its listener.
pub struct CheckFirst(pub Arc<Checks>);

impl Answer for CheckFirst {
    type Future = Either<std::future::Ready<Response<Body>>, BoxFuture<'static, Response<Body>>>;

    fn answer(&self, peer: Peer, request: Request<Incoming>) -> Self::Future {
        if Checks::is_check(request.uri().path()) {
            return self.0.answer(peer, &request);
        }
        Either::Left(std::future::ready(self.0.not_a_check()))
    }

    fn brief(&self) -> Option<&dyn Brief> {
        Some(self)
    }
}

impl Brief for CheckFirst {
    fn brief(&self, peer: Peer, question: &Question<'_>, lines: &mut Vec<u8>) -> Reply {
        let path = question.target.split_once('?').map_or(question.target, |(path, _)| path);
        if !Checks::is_check(path) {
            return Reply::NotBrief;
        }
        let pass = |principal: &Principal, id, proven, jwt: Option<&HeaderValue>| {
            principal.write(id, proven, lines);
            check::jwt::write(jwt, lines);
        };
        match self.0.ask(peer, ("GET", question.target), question, pass) {
            Answered::Passed(()) => Reply::Lines,
            Answered::Ready(response) => Reply::Whole(response),
            Answered::Later(later) => Reply::Later(later),
        }
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }
}
