//! The ready-made answer: every principal header of one session, written once when the session changes.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use yaopai_core::app::{App, Apps};
use yaopai_core::ids::{AppName, Realm};
use yaopai_core::live::{Entry, MakeEntry};
use yaopai_core::session::{EnvVersion, Session};
use yaopai_core::time::{Timestamp, millis};
use yaopai_wire::principal::{self as wire, HEADERS, encode_user};

use super::no_store;
use crate::webhook::rfc3339;

/// The app and realm, shared by all sessions of an app, and the answer as far as it is the same for all of them.
#[derive(Debug)]
pub struct Place {
    /// The app's name.
    pub app: AppName,
    /// Its realm.
    pub realm: Realm,
    /// Every header of an answer. Those that a session knows stand first, in the order of [`OWN`]; they are empty here.
    answer: HeaderMap,
}

/// One session's principal. All values lie in one block: an answer's headers are slices of it, so that a check copies none.
pub struct Principal {
    place: Arc<Place>,
    /// The ends of the session's own values, two bytes each, then the values.
    block: Bytes,
    vouched_at: Timestamp,
    env_version: Option<EnvVersion>,
    bound: bool,
}

/// The headers whose values are the session's own.
static OWN: [HeaderName; 7] =
    [wire::USER, wire::SESSION_ID, wire::IDENTITY_ID, wire::OPENID, wire::UNIONID, wire::VOUCHED_AT, wire::CLAIMS];
const ENDS: usize = OWN.len() * 2;

impl Principal {
    /// Writes a session's principal. `bound`: may the shown secret act as the session's user?
    pub fn new(session: &Session, bound: bool, place: Arc<Place>) -> Self {
        let user = if bound { session.user.as_ref() } else { None };
        let claims = user.and(session.claims.as_ref());
        let values: [&str; OWN.len()] = [
            &user.map(|u| encode_user(u.as_str()).to_string()).unwrap_or_default(),
            &session.id.to_string(),
            &session.identity.to_string(),
            &encode_user(&session.openid).to_string(),
            &session.unionid.as_deref().map(|u| encode_user(u).to_string()).unwrap_or_default(),
            &rfc3339(session.vouched_at),
            claims.map_or("", |c| c.as_str()),
        ];
        let mut block = BytesMut::with_capacity(ENDS + values.iter().map(|v| v.len()).sum::<usize>());
        let mut end = ENDS;
        for value in values {
            end += value.len();
            // Each value is bounded (user 384, claims 1024, openid …), all of them far below 64 KB.
            block.extend_from_slice(&u16::try_from(end).unwrap_or(u16::MAX).to_be_bytes());
        }
        values.iter().for_each(|v| block.extend_from_slice(v.as_bytes()));
        let (vouched_at, env_version) = (session.vouched_at, session.env_version);
        Self { place, block: block.freeze(), vouched_at, env_version, bound: user.is_some() }
    }

    /// Its app and realm.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// When the platform last vouched.
    pub fn vouched_at(&self) -> Timestamp {
        self.vouched_at
    }

    /// Is there a user?
    pub fn is_bound(&self) -> bool {
        self.bound
    }

    /// The answer of a check that passes.
    pub fn response(&self) -> Response<Body> {
        // A copy of the app's, with the values written into it: no name is hashed, and nothing is moved about.
        let mut headers = self.place.answer.clone();
        let mut values = headers.values_mut();
        let (ends, _) = self.block[..ENDS].as_chunks::<2>();
        let mut start = ENDS;
        for (end, value) in ends.iter().zip(&mut values) {
            let end = usize::from(u16::from_be_bytes(*end));
            if start < end {
                // What isn't a header value (it can't be: all of them are ASCII here) is answered as unset.
                *value = HeaderValue::from_maybe_shared(self.block.slice(start..end)).unwrap_or(EMPTY);
            }
            start = end;
        }
        if let (Some(value), Some(version)) = (values.next(), self.env_version) {
            *value = HeaderValue::from_static(version.as_str());
        }
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = headers;
        response
    }
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// Every principal header, empty: a proxy that copies always overwrites what a client sent.
pub fn nobody(headers: &mut HeaderMap) {
    for name in &HEADERS {
        headers.insert(name, EMPTY);
    }
    no_store(headers);
}

/// The answer of an open check without a session.
pub fn guest() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    nobody(response.headers_mut());
    response
}

/// Makes the live table's entries.
pub fn entry_maker(apps: &Apps) -> MakeEntry<Principal> {
    let places: std::collections::HashMap<AppName, (Arc<Place>, u32)> = apps
        .iter()
        .map(|app| (app.name.clone(), (place(app), u32::try_from(millis(app.policy.idle)).unwrap_or(u32::MAX))))
        .collect();
    Box::new(move |session| {
        // An app that was moved to another realm takes no sessions along.
        let (place, idle_ms) = places.get(&session.app).filter(|(place, _)| place.realm == session.realm)?;
        let bound = session.secrets.current_bound();
        Some(Entry { answer: Principal::new(session, bound, place.clone()), idle_ms: *idle_ms })
    })
}

/// An app's place.
pub fn place(app: &App) -> Arc<Place> {
    let mut answer = HeaderMap::with_capacity(HEADERS.len() + 1);
    for name in OWN.iter().chain([&wire::ENV_VERSION]) {
        answer.insert(name, EMPTY);
    }
    answer.insert(wire::APP, HeaderValue::from_str(app.name.as_str()).unwrap_or(EMPTY));
    answer.insert(wire::BODY_SIGNED, EMPTY);
    no_store(&mut answer);
    // `http` calls the order of a map without removals arbitrary. It is the order of insertion; if that ever changes, no
    // server may start with values under other names.
    assert!(answer.keys().zip(OWN.iter().chain([&wire::ENV_VERSION])).all(|(is, ours)| is == ours), "order of headers");
    assert!(HEADERS.iter().all(|name| answer.contains_key(name)), "every principal header");
    Arc::new(Place { app: app.name.clone(), realm: app.realm.clone(), answer })
}
