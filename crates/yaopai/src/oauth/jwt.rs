//! What a JWT says, and reading one that we have signed.
//!
//! The principal stands in it under the names that the headers have, and once more under the names that libraries look for: `sub`,
//! `client_id`, `sid` (OpenID Connect Front-Channel Logout), `auth_time`, and `scope` where the audience says what that is.

use jsonwebtoken::{Algorithm, Header, Validation};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use yaopai_core::ids::SessionId;
use yaopai_core::ports::SigningAlg;
use yaopai_core::proof::Proven;
use yaopai_core::time::Timestamp;

use super::Keys;
use crate::check::Facts;
use crate::config::{Audience, Typ};

/// The longest text that is looked at. Ours have some 3 KB at most.
const LENGTH_MAX: usize = 8192;
/// How far the clocks of two servers may differ, in milliseconds. One from further ahead was signed before the clock was set back.
const AHEAD_MAX: i64 = 60_000;

/// A JWT's payload.
pub(super) fn claims(
    facts: &Facts,
    audience: &Audience,
    issuer: &str,
    proven: Proven,
    (now, jti): (Timestamp, &str),
) -> Map<String, Value> {
    let iat = now.0.div_euclid(1000);
    let head = json!({
        "iss": issuer,
        "aud": audience.name,
        "iat": iat,
        "exp": iat.saturating_add_unsigned(audience.lifetime.as_secs()),
        "jti": jti,
    });
    let mut claims = match head {
        Value::Object(head) => head,
        _ => Map::new(),
    };
    claims.extend(members(facts, Some(audience), proven));
    claims
}

/// What is said about a session, in a JWT and by introspection alike.
pub(super) fn members(facts: &Facts, audience: Option<&Audience>, proven: Proven) -> Map<String, Value> {
    let mut said = Map::new();
    let mut say = |name: &str, value: Value| {
        if !value.is_null() {
            said.insert(name.to_owned(), value);
        }
    };
    say("sub", json!(facts.user));
    say("client_id", json!(facts.app));
    say("sid", json!(facts.session_id));
    say("auth_time", json!(facts.vouched_at.0.div_euclid(1000)));
    say("user", json!(facts.user));
    say("app", json!(facts.app));
    say("session_id", json!(facts.session_id));
    say("identity_id", json!(facts.identity_id));
    say("openid", json!(facts.openid));
    say("unionid", json!(facts.unionid));
    say("vouched_at", json!(crate::rfc3339::rfc3339(facts.vouched_at)));
    say("env_version", json!(facts.env_version.map(|v| v.as_str())));
    say("claims", json!(facts.claims));
    say("body_signed", json!(proven.body_signed));
    if let (Some(audience), Some(claims)) = (audience, &facts.claims) {
        // The configuration lets none of the names above be among these.
        for name in &audience.top_level {
            say(name, claims.get(name).cloned().unwrap_or_default());
        }
        if let Some(from) = audience.scope_from.as_ref().and_then(|name| claims.get(name)) {
            say("scope", json!(scope(from)));
        }
    }
    said
}

/// A claim as a scope (RFC 6749, section 3.3): a text's words, or a list's texts. What can't be one word is left out, or a role
/// called `clerk admin` would be two.
fn scope(from: &Value) -> Option<String> {
    let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|b| matches!(b, b'!' | b'#'..=b'[' | b']'..=b'~'));
    let words: Vec<&str> = match from {
        Value::String(text) => text.split(' ').filter(is_word).collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).filter(is_word).collect(),
        _ => return None,
    };
    (!words.is_empty()).then(|| words.join(" "))
}

pub(super) const fn algorithm(alg: SigningAlg) -> Algorithm {
    match alg {
        SigningAlg::Es256 => Algorithm::ES256,
        SigningAlg::EdDsa => Algorithm::EdDSA,
    }
}

pub(super) fn header(audience: &Audience, kid: &str) -> Header {
    let mut header = Header::new(algorithm(audience.alg));
    header.typ = Some(audience.typ.as_str().into());
    header.kid = Some(kid.into());
    header
}

/// What a JWT of ours says that matters when it is shown.
#[derive(Deserialize)]
pub(super) struct Shown {
    iss: String,
    pub aud: String,
    pub iat: i64,
    pub exp: i64,
    pub sub: Option<String>,
    sid: String,
    pub body_signed: bool,
}

impl Shown {
    pub fn session(&self) -> Option<SessionId> {
        SessionId::parse(&self.sid)
    }
}

/// Reads a JWT that one of our published keys has signed in this name and that is good by what the machine's clock
/// shows. `None`: it is something else.
pub(super) fn read(text: &str, keys: &Keys, issuer: &str, now: Timestamp) -> Option<Shown> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let header = jsonwebtoken::decode_header(text).ok()?;
    // What else these keys may sign one day is no JWT of a session.
    Typ::parse(header.typ.as_deref()?)?;
    let (alg, key) = keys.verifier(header.kid.as_deref()?)?;
    let mut validation = Validation::new(algorithm(alg));
    // Time is a parameter here, and who it is for is looked at by who knows who asks.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let shown: Shown = jsonwebtoken::decode(text, &key, &validation).ok()?.claims;
    let begun = shown.iat.saturating_mul(1000) <= now.0.saturating_add(AHEAD_MAX);
    let lives = begun && now.0 < shown.exp.saturating_mul(1000);
    (shown.iss == issuer && lives).then_some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::is_taken;

    /// What the back end says of a user can stand nowhere in place of what we say.
    #[test]
    fn no_claim_takes_the_place_of_ours() {
        let facts = Facts {
            app: "shop".into(),
            session_id: "s".into(),
            identity_id: "i".into(),
            user: Some("42".into()),
            openid: Some("o".into()),
            unionid: Some("u".into()),
            claims: Some(json!({ "sub": "43", "iss": "x", "tenant": "north", "roles": "a" })),
            vouched_at: Timestamp(0),
            env_version: Some(yaopai_core::session::EnvVersion::Trial),
        };
        let mut audience = Audience {
            name: "orders".into(),
            realm: "default".into(),
            alg: SigningAlg::Es256,
            typ: Typ::Jwt,
            lifetime: std::time::Duration::from_secs(60),
            scope_from: Some("roles".into()),
            top_level: vec![],
        };
        let proven = Proven { body_signed: true, unshared: None };
        let ours = claims(&facts, &audience, "http://y", proven, (Timestamp(5_999), "j"));
        for name in ours.keys().map(String::as_str).chain(["active", "token_type"]) {
            assert!(is_taken(name), "{name}");
        }
        assert_eq!(ours.len(), 20, "one of each");
        assert_eq!((&ours["sub"], &ours["iat"], &ours["exp"]), (&json!("42"), &json!(5), &json!(65)));
        audience.top_level = vec!["tenant".into(), "none".into()];
        let more = claims(&facts, &audience, "http://y", proven, (Timestamp(5_999), "j"));
        assert_eq!((more.len(), &more["tenant"]), (21, &json!("north")));
    }

    #[test]
    fn a_scope_is_words() {
        for (from, expected) in [
            (json!(["clerk", "manager"]), Some("clerk manager")),
            (json!("clerk manager"), Some("clerk manager")),
            (json!(["clerk admin", "店长", "", "a\"b", "a\\b", 7, null]), None),
            (json!(["clerk admin", "clerk"]), Some("clerk")),
            (json!("  clerk "), Some("clerk")),
            (json!([]), None),
            (json!({ "clerk": true }), None),
            (json!(true), None),
        ] {
            assert_eq!(scope(&from).as_deref(), expected, "{from}");
        }
    }
}
