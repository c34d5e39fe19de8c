//! The ready-made answer: every principal header of one session, written once when the session changes.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use yaopai_core::app::{App, Apps};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
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
    /// The same for a session that the back end bound and whose client has not read that yet.
    risen: HeaderMap,
}

/// One session's principal, in as few bytes as make its headers: a check of a session that nobody asked about lately costs
/// as much as there are cache lines to fetch.
pub struct Principal {
    place: Arc<Place>,
    identity: IdentityId,
    /// The lengths of the last five of [`OWN`]'s values, two bytes each, then the values.
    block: Box<[u8]>,
    vouched_at: Timestamp,
    env_version: Option<EnvVersion>,
    bound: bool,
    risen: bool,
}

/// The headers whose values are the session's own. The first two are ids, written out when they are asked for.
static OWN: [HeaderName; 7] =
    [wire::SESSION_ID, wire::IDENTITY_ID, wire::USER, wire::OPENID, wire::UNIONID, wire::VOUCHED_AT, wire::CLAIMS];
const IDS: usize = 2;
const ID_LENGTH: usize = 36;
const KEPT: usize = OWN.len() - IDS;

impl Principal {
    /// Writes a session's principal. `bound`: may the shown secret act as the session's user?
    pub fn new(session: &Session, bound: bool, place: Arc<Place>) -> Self {
        let user = if bound { session.user.as_ref() } else { None };
        let claims = user.and(session.claims.as_ref());
        let values: [&str; KEPT] = [
            &user.map(|u| encode_user(u.as_str()).to_string()).unwrap_or_default(),
            &encode_user(&session.openid).to_string(),
            &session.unionid.as_deref().map(|u| encode_user(u).to_string()).unwrap_or_default(),
            &rfc3339(session.vouched_at),
            claims.map_or("", |c| c.as_str()),
        ];
        // Each value is bounded (user 384, claims 1024, openid …), all of them far below 64 KB.
        let lengths = values.map(|v| u16::try_from(v.len()).unwrap_or(0).to_be_bytes());
        let block = [lengths.as_flattened(), values.concat().as_bytes()].concat().into_boxed_slice();
        let (vouched_at, env_version) = (session.vouched_at, session.env_version);
        let (bound, risen) = (user.is_some(), session.secrets.risen());
        Self { place, identity: session.identity, block, vouched_at, env_version, bound, risen }
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

    /// The answer of a check that passes; `id` is the session's, which the table has as its key.
    pub fn response(&self, id: SessionId) -> Response<Body> {
        let (lengths, kept) = self.block.split_at(KEPT * 2);
        // One copy of all values, whose slices the headers are. Slices of the session's own bytes would have all cores write
        // to its count of references.
        let mut text = Vec::with_capacity(IDS * ID_LENGTH + kept.len());
        text.extend_from_slice(&id.text());
        text.extend_from_slice(&self.identity.text());
        text.extend_from_slice(kept);
        let text = Bytes::from(text);
        let kept = lengths.as_chunks::<2>().0.iter().map(|length| usize::from(u16::from_be_bytes(*length)));
        // A copy of the app's headers, with the values written into it: no name is hashed, and nothing is moved about.
        let mut headers = if self.risen { self.place.risen.clone() } else { self.place.answer.clone() };
        let mut values = headers.values_mut();
        let mut start = 0;
        for (length, value) in [ID_LENGTH; IDS].into_iter().chain(kept).zip(&mut values) {
            if length > 0 {
                // What isn't a header value (it can't be: all of them are ASCII here) is answered as unset.
                *value = HeaderValue::from_maybe_shared(text.slice(start..start + length)).unwrap_or(EMPTY);
                start += length;
            }
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
    // Last, so that the values of the others are where they are.
    let mut risen = answer.clone();
    risen.insert(wire::BOUND, HeaderValue::from_static("1"));
    Arc::new(Place { app: app.name.clone(), realm: app.realm.clone(), answer, risen })
}
