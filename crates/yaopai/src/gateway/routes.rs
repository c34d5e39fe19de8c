//! Which route a request takes: the longest prefix, on segment boundaries, then the method.

use std::borrow::Cow;
use std::sync::Arc;

use http::Method;
use percent_encoding::percent_decode_str;
use yaopai_core::Error;
use yaopai_wire::original::is_unclean;
use yaopai_wire::problem::Code;

use super::no_route;
use super::upstream::Upstream;
use crate::check::{Ask, OwnedAsk};
use crate::config::{self, Cookies};

/// All routes, those of the longest prefix first.
pub struct Routes(Vec<Place>);

/// The routes of one prefix.
struct Place {
    prefix: String,
    routes: Vec<Route>,
}

/// A route.
pub struct Route {
    methods: Option<Vec<Method>>,
    ask: OwnedAsk,
    /// What becomes of cookies.
    pub cookies: Cookies,
    /// Do requests of the old program's go on unchecked?
    pub legacy: bool,
    /// Where it leads.
    pub upstream: Arc<Upstream>,
    /// Is another method checked otherwise? Then no header may change the method behind the check's back.
    pub by_method: bool,
}

impl Route {
    /// What is asked of a request.
    pub fn ask(&self) -> Ask<'_> {
        self.ask.borrow()
    }
}

impl Routes {
    /// Puts them in order.
    pub fn new(routes: Vec<config::Route>, upstreams: &[Arc<Upstream>]) -> Self {
        let mut places: Vec<Place> = Vec::new();
        for route in routes {
            let Some(upstream) = upstreams.get(route.upstream).cloned() else { continue };
            let config::Route { prefix, methods, check, cookies, legacy, .. } = route;
            // The configuration was refused otherwise; and a route that asks for what can't be met lets nobody pass.
            let ask = Ask::parse(&check).unwrap_or_else(|_| Ask::nobody()).to_owned();
            let route = Route { by_method: false, methods, ask, cookies, legacy, upstream };
            match places.iter_mut().find(|place| place.prefix == prefix) {
                Some(place) => place.routes.push(route),
                None => places.push(Place { prefix, routes: vec![route] }),
            }
        }
        for place in &mut places {
            let by_method = place.routes.iter().any(|route| route.methods.is_some());
            place.routes.iter_mut().for_each(|route| route.by_method = by_method);
        }
        places.sort_by_key(|place| std::cmp::Reverse(place.prefix.len()));
        Self(places)
    }

    /// The route of a request. Its path is read as the upstream will read it: percent-decoded. One that could be read in two ways
    /// must lead to the same place in both.
    ///
    /// # Errors
    /// There is none; or the prefix's routes are for other methods: a shorter one's is another matter.
    pub fn find(&self, path: &str, method: &Method) -> Result<&Route, Error> {
        let decoded: Cow<'_, [u8]> = percent_decode_str(path).into();
        let place = self.place(&decoded);
        if is_unclean(path) && self.place(path.as_bytes()) != place {
            return Err(Error::new(Code::PathUnclean, "Send a path that can be read in one way only."));
        }
        let place = &self.0[place.ok_or_else(no_route)?];
        let named = place.routes.iter().find(|r| r.methods.as_ref().is_some_and(|methods| methods.contains(method)));
        named
            .or_else(|| place.routes.iter().find(|r| r.methods.is_none()))
            .ok_or_else(|| Error::new(Code::MethodNotAllowed, "The routes of this path are for other methods."))
    }

    fn place(&self, path: &[u8]) -> Option<usize> {
        self.0.iter().position(|place| {
            let rest = path.strip_prefix(place.prefix.as_bytes());
            place.prefix == "/" || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        })
    }
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
