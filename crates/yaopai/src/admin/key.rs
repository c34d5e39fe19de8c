//! API keys: `Authorization: Bearer yk_…`. Each opens one realm; only hashes are known here.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderValue, Method, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use yaopai_core::Error;
use yaopai_core::audit::{By, Event, Kind};
use yaopai_core::ids::Realm;
use yaopai_core::ports::Entropy;
use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use super::Admin;
use crate::api::answer::Refusal;
use crate::config::{ApiKey, Audience, Scope};

/// Who introspects: with `Authorization: Bearer yk_…`, or with `Basic` of an audience's name and the key, as OAuth's clients do
/// (RFC 6749, section 2.3.1).
pub struct Asking {
    /// The realm that the key opens.
    pub realm: Realm,
    /// Which back end asks; `None`: it didn't say.
    pub audience: Option<Audience>,
}

/// A new key: `yk_` and 256 random bits.
pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
    use base64::Engine as _;
    let mut bytes = Zeroizing::new([0u8; 32]);
    entropy.fill(&mut bytes[..]);
    Zeroizing::new(format!("yk_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes[..])))
}

impl FromRequestParts<Admin> for Asking {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Refusal> {
        let basic = basic(parts);
        if let Some((_, key)) = &basic {
            let bearer = HeaderValue::try_from(format!("Bearer {}", key.as_str()));
            parts.headers.insert(header::AUTHORIZATION, bearer.unwrap_or(HeaderValue::from_static("")));
        }
        let key = let_in(parts, admin, &[Scope::Introspect])?;
        let realm = key.realm.clone();
        let audience = match basic {
            None => None,
            Some((name, _)) => Some(admin.issuer().named(&name, &realm).ok_or_else(|| {
                let detail = "The client id names no audience of the key's realm; [[audiences]] declares them.";
                refused(admin, Some(&realm), Code::ApiKeyInvalid, detail)
            })?),
        };
        Ok(Self { realm, audience })
    }
}

/// Name and key of `Authorization: Basic` (RFC 7617).
fn basic(parts: &Parts) -> Option<(String, Zeroizing<String>)> {
    use base64::Engine as _;
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, rest) = value.as_bytes().split_at_checked(6)?;
    let bytes = scheme.eq_ignore_ascii_case(b"basic ").then(|| base64::engine::general_purpose::STANDARD.decode(rest));
    let text = Zeroizing::new(String::from_utf8(bytes?.ok()?).ok()?);
    let (name, key) = text.split_once(':')?;
    Some((name.to_owned(), Zeroizing::new(key.to_owned())))
}

fn refused(admin: &Admin, realm: Option<&Realm>, code: Code, detail: &'static str) -> Refusal {
    let event = Event::refused(Kind::Key, code.as_str());
    admin.service.tell(Event { realm: realm.cloned(), ..event });
    Refusal(Error::new(code, detail))
}

/// The key that a request shows, if it is for one of these scopes. The audit log learns whose it is, or that it was refused; and
/// what was read.
pub fn let_in<'a>(parts: &Parts, admin: &'a Admin, scopes: &[Scope]) -> Result<&'a ApiKey, Refusal> {
    let key = shown(parts, admin).ok_or_else(|| {
        let detail = "Send an API key of the realm as `Authorization: Bearer yk_…`.";
        refused(admin, None, Code::ApiKeyInvalid, detail)
    })?;
    By::is_key(&key.name);
    if !key.may(scopes) {
        let detail = "This key's `scopes` in the configuration don't include this; use another key, or add the scope.";
        return Err(refused(admin, Some(&key.realm), Code::ScopeMissing, detail));
    }
    if parts.method == Method::GET
        && let Some(what) = what(parts.uri.path())
    {
        let read = Event::new(Kind::Read, what);
        admin.service.tell(Event { realm: Some(key.realm.clone()), ..read });
    }
    Ok(key)
}

/// What a `GET` reads, in words of ours: a path holds users' ids. The audit log itself is not told of being read, or whoever
/// follows it would find himself in it for ever.
fn what(path: &str) -> Option<&'static str> {
    let first = path.trim_start_matches("/admin/v1").trim_start_matches('/').split('/').next()?;
    ["sessions", "users", "identities", "bindings"].into_iter().find(|known| *known == first)
}

/// The key that a request shows.
fn shown<'a>(parts: &Parts, admin: &'a Admin) -> Option<&'a ApiKey> {
    let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
    let shown = match (values.next(), values.next()) {
        (Some(value), None) => value.as_bytes().strip_prefix(b"Bearer "),
        _ => None,
    };
    let hash: [u8; 32] = Sha256::digest(shown.unwrap_or_default()).into();
    // All keys are compared, in constant time: how long it takes says nothing about which one is near.
    let mut found = None;
    for key in admin.keys.iter() {
        if bool::from(key.hash.ct_eq(&hash)) && shown.is_some() {
            found = Some(key);
        }
    }
    found
}
