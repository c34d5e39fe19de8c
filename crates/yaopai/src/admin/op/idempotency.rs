//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): the same request again gets the same answer, and nothing is done
//! twice. The answer is kept in the transaction of the change that it tells of ([`yaopai_core::ports::Act`]), sealed, for a day.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};
use yaopai_core::Error;
use yaopai_core::ids::Realm;
use yaopai_core::ports::{Acted, Keep, KeptAnswer, StoreError};
use yaopai_core::seal::Place;
use yaopai_core::time::Timestamp;
use yaopai_wire::problem::Code;

use super::output::{Output, response};
use crate::admin::Admin;
use crate::api::answer::Refusal;
use crate::config::ApiKey;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How many answers a realm has at a time.
const ANSWERS_MAX: u64 = 100_000;
/// The longest key, in bytes.
const KEY_MAX: usize = 255;

/// Requests with a key that are under way, each by its key's digest. As many as there are connections, at most.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<HashSet<[u8; 32]>>);

impl InFlight {
    fn lock(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of them, until it is dropped: by the call alone, and not by what the store may still hold of it, or the same request again
/// could come too early.
pub struct Flight {
    all: Arc<InFlight>,
    key: [u8; 32],
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

/// The key that a request shows: a string of structured fields (RFC 9651), as the draft says, or the same without its quotes, as
/// clients send it.
pub(super) fn shown(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let mut values = headers.get_all("idempotency-key").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|_| values.next().is_none()).unwrap_or_default().trim();
    let bare = match text.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').unwrap_or_default(),
        None => text,
    };
    let good = (1..=KEY_MAX).contains(&bare.len())
        && bare.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b',' | b';'));
    if good {
        return Ok(Some(bare.to_owned()));
    }
    let detail = "Send one `Idempotency-Key` of 1 to 255 printable characters without spaces, quotes, commas, semicolons or \
                  backslashes; a UUID is a good one.";
    Err(Refusal(Error::new(Code::Malformed, detail)))
}

/// A request that is to be answered once.
#[derive(Clone)]
pub struct Once(Arc<Inner>);

struct Inner {
    admin: Admin,
    key: [u8; 32],
    request: [u8; 32],
    expires_at: Timestamp,
    kept: AtomicBool,
    realm: Realm,
}

/// Whether there is anything to do.
pub enum Begun {
    /// Yes. Nobody else has the key meanwhile.
    Now(Once, Flight),
    /// It was done before; this was the answer.
    Before(Response),
}

impl Once {
    /// Looks whether the request was answered before.
    ///
    /// # Errors
    /// `idempotency_key_in_use`, `idempotency_key_reused`, the store's.
    pub async fn begin(
        admin: &Admin,
        key: &ApiKey,
        client_key: &str,
        parts: &Parts,
        body: &Bytes,
    ) -> Result<Begun, Refusal> {
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let request = digest(&[b"request", parts.method.as_str().as_bytes(), target.as_bytes(), body]);
        let digest = digest(&[b"key", key.realm.as_str().as_bytes(), &key.hash, client_key.as_bytes()]);
        if !admin.in_flight.lock().insert(digest) {
            let detail =
                "The first request with this `Idempotency-Key` is not answered yet; send this again in a moment.";
            return Err(Refusal(Error::new(Code::IdempotencyKeyInUse, detail).retry_after(1)));
        }
        let flight = Flight { all: Arc::clone(&admin.in_flight), key: digest };
        let (now, _) = admin.service.now();
        let once = Self(Arc::new(Inner {
            admin: admin.clone(),
            key: digest,
            request,
            expires_at: now + KEPT,
            kept: AtomicBool::new(false),
            realm: key.realm.clone(),
        }));
        match admin.service.world().store.kept_answer(&digest, now).await.map_err(Error::from)? {
            Some(kept) => Ok(Begun::Before(once.again(&kept)?)),
            None => Ok(Begun::Now(once, flight)),
        }
    }
}

impl Once {
    /// In which realm.
    pub fn realm(&self) -> &Realm {
        &self.0.realm
    }

    /// Was the answer kept with the change?
    pub fn is_kept(&self) -> bool {
        self.0.kept.load(Ordering::Acquire)
    }

    /// The answer that is to be kept, once it is known what came of the change.
    pub fn keep<O: Output>(&self, shows: impl Fn(&Acted) -> Option<O> + Send + Sync + 'static) -> Keep {
        let once = self.clone();
        self.with(Arc::new(move |acted| {
            let Some(output) = shows(acted) else { return Ok(None) };
            let (status, body) = output.encode();
            once.seal(status, &body, O::NO_STORE).map(Some)
        }))
    }

    /// An answer that is known.
    pub fn keep_this(&self, status: StatusCode, body: Vec<u8>) -> Keep {
        let once = self.clone();
        self.with(Arc::new(move |_| once.seal(status, &body, false).map(Some)))
    }

    fn with(&self, answer: yaopai_core::ports::Answer) -> Keep {
        Keep { key: self.0.key, request: self.0.request, expires_at: self.0.expires_at, most: ANSWERS_MAX, answer }
    }

    fn seal(&self, status: StatusCode, body: &[u8], no_store: bool) -> Result<Vec<u8>, StoreError> {
        let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(3 + body.len()));
        plain.extend_from_slice(&status.as_u16().to_be_bytes());
        plain.push(u8::from(no_store));
        plain.extend_from_slice(body);
        let row = hex::encode(self.0.key);
        let sealed = self.0.admin.service.world().sealer.seal(place(&row), &plain);
        let sealed =
            sealed.map_err(|e| StoreError { retry: false, what: format!("an answer can't be sealed: {e}") })?;
        self.0.kept.store(true, Ordering::Release);
        Ok(sealed)
    }

    /// The answer to the same request; a refusal for another.
    pub fn again(&self, kept: &KeptAnswer) -> Result<Response, Error> {
        if kept.request != self.0.request {
            let detail = "This `Idempotency-Key` was sent with another request; take a new key for each new request.";
            return Err(Error::new(Code::IdempotencyKeyReused, detail));
        }
        let row = hex::encode(self.0.key);
        let plain = self.0.admin.service.world().sealer.unseal(place(&row), &kept.sealed)?;
        let broken = || Error::new(Code::Internal, "Try again.").internal("a kept answer is broken");
        let (&[high, low, no_store], body) = plain.split_first_chunk().ok_or_else(broken)?;
        let status = StatusCode::from_u16(u16::from_be_bytes([high, low])).map_err(|_| broken())?;
        Ok(response(status, body.to_vec(), no_store == 1))
    }
}

fn place(row: &str) -> Place<'_> {
    Place { table: "idempotency", row, column: "sealed" }
}

/// Of parts whose lengths are in it, so that no two lists of parts are alike.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
