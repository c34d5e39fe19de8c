//! The ready-made answer: every principal header of one session, written once when the session changes.

mod facts;

pub use facts::{Facts, Stamp};

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use yaopai_core::app::{App, Apps, Keyed};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
use yaopai_core::live::{Entry, MakeEntry};
use yaopai_core::proof::{ProofKey, Proven};
use yaopai_core::seal::Sealer;
use yaopai_core::session::{EnvVersion, Session};
use yaopai_core::time::{Timestamp, millis};
use yaopai_wire::principal::{self as wire, HEADERS, encode_user};

use super::no_store;
use crate::rfc3339;

/// The app and realm, shared by all sessions of an app, and the answer as far as it is the same for all of them.
#[derive(Debug)]
pub struct Place {
    /// The app's name.
    pub app: AppName,
    /// Its realm.
    pub realm: Realm,
    /// Must its sessions be keyed? Then one without a key is in no table, and refused in the slow path.
    keyed: bool,
    /// The app's name as a header has it.
    name: HeaderValue,
    /// Every header of an answer. Those that a session knows stand first, in the order of [`OWN`] and [`FEW`]; they are empty here.
    answer: HeaderMap,
    /// The header lines that are the same for all of the app's sessions.
    lines: Box<[u8]>,
}

/// One session's principal, in as few bytes as make its headers: a check of a session that nobody asked about lately costs
/// as much as there are cache lines to fetch.
#[derive(Clone)]
pub struct Principal {
    place: Arc<Place>,
    identity: IdentityId,
    /// The lengths of [`KEPT`] values, two bytes each, then the values: the last ones of [`OWN`].
    block: Box<[u8]>,
    few: Few,
}

/// What else is kept, in seven bytes: beside the others they take eight, and with one more each session would take sixteen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Few {
    /// Milliseconds, big-endian: enough until the year 10889.
    vouched_at: [u8; 6],
    /// [`BOUND`], [`RISEN`], and the release in the bits of [`RELEASE`].
    flags: u8,
}

const BOUND: u8 = 1;
const RELEASE: u8 = 0b110;
/// The back end bound it, and its client has not read that yet.
const RISEN: u8 = 0b1000;
const RELEASES: [Option<EnvVersion>; 4] =
    [None, Some(EnvVersion::Develop), Some(EnvVersion::Trial), Some(EnvVersion::Release)];

impl Few {
    fn new(vouched_at: Timestamp, env_version: Option<EnvVersion>, bound: bool, risen: bool) -> Self {
        let [_, _, vouched_at @ ..] = vouched_at.0.to_be_bytes();
        let release = RELEASES.iter().position(|r| *r == env_version).and_then(|n| u8::try_from(n).ok()).unwrap_or(0);
        let (bound, risen) = (if bound { BOUND } else { 0 }, if risen { RISEN } else { 0 });
        Self { vouched_at, flags: (release << RELEASE.trailing_zeros()) | bound | risen }
    }

    fn vouched_at(self) -> Timestamp {
        let mut bytes = [0; 8];
        bytes[2..].copy_from_slice(&self.vouched_at);
        Timestamp(i64::from_be_bytes(bytes))
    }

    fn env_version(self) -> Option<EnvVersion> {
        RELEASES[usize::from((self.flags & RELEASE) >> RELEASE.trailing_zeros())]
    }
}

/// The headers whose values are the session's own. The first three are ids and a time, written out when they are asked for.
static OWN: [HeaderName; 7] =
    [wire::SESSION_ID, wire::IDENTITY_ID, wire::VOUCHED_AT, wire::USER, wire::OPENID, wire::UNIONID, wire::CLAIMS];
/// [`OWN`] as they begin a line.
static PREFIXES: [&str; 7] = [
    "yaopai-session-id: ",
    "yaopai-identity-id: ",
    "yaopai-vouched-at: ",
    "yaopai-user: ",
    "yaopai-openid: ",
    "yaopai-unionid: ",
    "yaopai-claims: ",
];
const ENV_VERSION_PREFIX: &str = "yaopai-env-version: ";
const BODY_SIGNED_PREFIX: &str = "yaopai-body-signed: ";
/// What stands behind [`OWN`]: a session's release, and what is the request's own.
static FEW: [HeaderName; 2] = [wire::ENV_VERSION, wire::BODY_SIGNED];
const WRITTEN: [usize; 3] = [ID_LENGTH, ID_LENGTH, rfc3339::LENGTH];
const ID_LENGTH: usize = 36;
const WRITTEN_LENGTH: usize = 2 * ID_LENGTH + rfc3339::LENGTH;
const KEPT: usize = OWN.len() - WRITTEN.len();

impl Principal {
    /// Writes a session's principal. `bound`: may the shown secret act as the session's user?
    pub fn new(session: &Session, bound: bool, place: Arc<Place>) -> Self {
        let user = if bound { session.user.as_ref() } else { None };
        let claims = user.and(session.claims.as_ref());
        let values: [String; KEPT] = [
            user.map(|u| encode_user(u.as_str()).to_string()).unwrap_or_default(),
            encode_user(&session.openid).to_string(),
            session.unionid.as_deref().map(|u| encode_user(u).to_string()).unwrap_or_default(),
            claims.map_or_else(String::new, |c| c.as_str().to_owned()),
        ];
        // Each value is bounded (user 384, claims 1024, openid …), all of them far below 64 KB. One that were not would be unset:
        // never may a value stand under another's name.
        let values = values.map(|v| if u16::try_from(v.len()).is_ok() { v } else { String::new() });
        let lengths = values.each_ref().map(|v| u16::try_from(v.len()).unwrap_or(0).to_be_bytes());
        let block = [lengths.as_flattened(), values.concat().as_bytes()].concat().into_boxed_slice();
        let few = Few::new(session.vouched_at, session.env_version, user.is_some(), session.secrets.risen());
        Self { place, identity: session.identity, block, few }
    }

    /// Its app and realm.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// When the platform last vouched.
    pub fn vouched_at(&self) -> Timestamp {
        self.few.vouched_at()
    }

    /// Is there a user?
    pub fn is_bound(&self) -> bool {
        self.few.flags & BOUND != 0
    }

    /// The header lines of a check that passes, as bytes on the wire; `id` is the session's, which the table has as its key.
    /// The values are header values by now: [`Principal::new`] makes nothing else.
    pub fn write(&self, id: SessionId, proven: Proven, to: &mut Vec<u8>) {
        let (lengths, kept) = self.block.split_at(KEPT * 2);
        // The longest name is 20 bytes; one growth at most.
        to.reserve(OWN.len() * 24 + WRITTEN_LENGTH + kept.len() + self.place.lines.len());
        let mut line = |prefix: &str, value: &[u8]| {
            to.extend_from_slice(prefix.as_bytes());
            to.extend_from_slice(value);
            to.extend_from_slice(b"\r\n");
        };
        line(PREFIXES[0], &id.text());
        line(PREFIXES[1], &self.identity.text());
        line(PREFIXES[2], &rfc3339::bytes(self.vouched_at()));
        let mut rest = kept;
        for (length, prefix) in lengths.as_chunks::<2>().0.iter().zip(&PREFIXES[WRITTEN.len()..]) {
            let (value, after) = rest.split_at(usize::from(u16::from_be_bytes(*length)));
            line(prefix, value);
            rest = after;
        }
        line(ENV_VERSION_PREFIX, self.few.env_version().map_or("", EnvVersion::as_str).as_bytes());
        line(BODY_SIGNED_PREFIX, if proven.body_signed { b"1" } else { b"" });
        to.extend_from_slice(&self.place.lines);
        if self.few.flags & RISEN != 0 {
            to.extend_from_slice(b"yaopai-bound: 1\r\n");
        }
    }

    /// The values of [`OWN`], in its order.
    fn values(&self, id: SessionId) -> impl Iterator<Item = HeaderValue> {
        let (lengths, kept) = self.block.split_at(KEPT * 2);
        // One copy of all values, whose slices the headers are. Slices of the session's own bytes would have all cores write
        // to its count of references.
        let mut text = Vec::with_capacity(WRITTEN_LENGTH + kept.len());
        text.extend_from_slice(&id.text());
        text.extend_from_slice(&self.identity.text());
        text.extend_from_slice(&rfc3339::bytes(self.vouched_at()));
        text.extend_from_slice(kept);
        let mut text = Bytes::from(text);
        let kept = lengths.as_chunks::<2>().0.iter().map(|length| usize::from(u16::from_be_bytes(*length)));
        WRITTEN.into_iter().chain(kept).map(move |length| match length {
            0 => EMPTY,
            // What isn't a header value (it can't be: all of them are ASCII here) is answered as unset.
            length => HeaderValue::from_maybe_shared(text.split_to(length)).unwrap_or(EMPTY),
        })
    }

    /// The headers that say something, for an upstream.
    pub fn headers(&self, id: SessionId, proven: Proven) -> Vec<(HeaderName, HeaderValue)> {
        let mut headers = Vec::with_capacity(HEADERS.len() + 1);
        headers.extend(OWN.iter().cloned().zip(self.values(id)).filter(|(_, value)| !value.is_empty()));
        if let Some(version) = self.few.env_version() {
            headers.push((wire::ENV_VERSION, HeaderValue::from_static(version.as_str())));
        }
        if proven.body_signed {
            headers.push((wire::BODY_SIGNED, HeaderValue::from_static("1")));
        }
        headers.push((wire::APP, self.place.name.clone()));
        headers
    }

    /// Did the back end bind it, and has its client not read that yet?
    pub fn is_risen(&self) -> bool {
        self.few.flags & RISEN != 0
    }

    /// The same for hyper.
    pub fn response(&self, id: SessionId, proven: Proven) -> Response<Body> {
        // A copy of the app's headers, with the values written into it: no name is hashed, and nothing is moved about.
        let mut headers = self.place.answer.clone();
        let mut values = headers.values_mut();
        for (own, value) in self.values(id).zip(&mut values) {
            *value = own;
        }
        if let (Some(value), Some(version)) = (values.next(), self.few.env_version()) {
            *value = HeaderValue::from_static(version.as_str());
        }
        if proven.body_signed {
            headers.insert(wire::BODY_SIGNED, HeaderValue::from_static("1"));
        }
        if self.few.flags & RISEN != 0 {
            headers.insert(wire::BOUND, HeaderValue::from_static("1"));
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
pub fn entry_maker(apps: &Apps, sealer: Arc<Sealer>) -> MakeEntry<Principal> {
    let places: std::collections::HashMap<AppName, (Arc<Place>, u32)> = apps
        .iter()
        .map(|app| (app.name.clone(), (place(app), u32::try_from(millis(app.policy.idle)).unwrap_or(u32::MAX))))
        .collect();
    Box::new(move |session| {
        // An app that was moved to another realm takes no sessions along.
        let (place, idle_ms) = places.get(&session.app).filter(|(place, _)| place.realm == session.realm)?;
        let key = match ProofKey::open(session, &sealer) {
            Ok(None) if place.keyed => return None,
            Ok(key) => key,
            Err(e) => {
                // Not in the table: then each of its requests fails by itself, in the slow path, and says so there.
                tracing::error!(session = %session.id, error = %e, "a session's key does not open");
                return None;
            }
        };
        let bound = session.secrets.current_bound();
        Some(Entry { answer: Principal::new(session, bound, place.clone()), idle_ms: *idle_ms, key })
    })
}

/// An app's place.
pub fn place(app: &App) -> Arc<Place> {
    let mut answer = HeaderMap::with_capacity(HEADERS.len() + 1);
    for name in OWN.iter().chain(&FEW) {
        answer.insert(name, EMPTY);
    }
    let name = HeaderValue::from_str(app.name.as_str()).unwrap_or(EMPTY);
    answer.insert(wire::APP, name.clone());
    no_store(&mut answer);
    // `http` calls the order of a map without removals arbitrary. It is the order of insertion; if that ever changes, no
    // server may start with values under other names.
    assert!(answer.keys().zip(OWN.iter().chain(&FEW)).all(|(is, ours)| is == ours), "order of headers");
    assert!(HEADERS.iter().all(|name| answer.contains_key(name)), "every principal header");
    let mut lines = Vec::new();
    for (name, value) in answer.iter().skip(OWN.len() + FEW.len()) {
        lines.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    Arc::new(Place {
        app: app.name.clone(),
        realm: app.realm.clone(),
        name,
        keyed: app.policy.keyed == Keyed::Required,
        answer,
        lines: lines.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_few_bytes_say_all_of_it() {
        for at in [0, 1, 1_764_201_600_123, (1 << 47) - 1] {
            for release in RELEASES {
                for bound in [true, false] {
                    let few = Few::new(Timestamp(at), release, bound, !bound);
                    assert_eq!(few.flags & RISEN != 0, !bound);
                    assert_eq!((few.vouched_at().0, few.env_version(), few.flags & BOUND != 0), (at, release, bound));
                }
            }
        }
        assert_eq!(size_of::<Principal>(), 48, "docs/performance.md: a session's memory");
    }
}
