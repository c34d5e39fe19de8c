//! `POST /oauth2/introspect` (RFC 7662): is this token good, and whose is it?

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse as _, Response};
use axum::{Form, Json};
use http::{HeaderMap, HeaderValue, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use yaopai_core::Error;
use yaopai_core::proof::Proven;
use yaopai_core::session::Session;
use yaopai_core::time::Timestamp;
use yaopai_wire::principal::slides;
use yaopai_wire::problem::Code;
use yaopai_wire::token::Token;

use super::jwt;
use crate::admin::{Admin, Asking};
use crate::api::answer::Refusal;
use crate::check::{Principal, place};
use crate::config::Audience;

/// The form. Other fields (`token_type_hint`) say nothing that the token doesn't.
#[derive(Deserialize)]
pub struct Asked {
    token: String,
}

/// Whoever asks learns of a token that is not good for it nothing but that: not whether it is another realm's or another back end's,
/// or a keyed session's that is good where it is signed.
pub async fn introspect(
    State(admin): State<Admin>,
    asking: Asking,
    headers: HeaderMap,
    asked: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Refusal> {
    let Form(Asked { token }) = asked.map_err(|_| {
        Error::new(Code::Malformed, "Send a form with one `token` (RFC 7662, section 2.1), of at most 16 KB.")
    })?;
    let said = match Token::parse(token.as_bytes()) {
        Ok(token) => opaque(&admin, &asking, &token, slides(&headers)).await?,
        Err(_) => signed(&admin, &asking, &token).await?,
    };
    let answer = said.map_or_else(|| json!({ "active": false }), Value::Object);
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((no_store, Json(answer)).into_response())
}

/// A session's own token.
async fn opaque(
    admin: &Admin,
    asking: &Asking,
    token: &Token,
    slide: bool,
) -> Result<Option<Map<String, Value>>, Error> {
    let Some(who) = admin.service().introspect(&asking.realm, token, slide).await? else { return Ok(None) };
    let principal = Principal::new(&who.session, who.bound, place(&who.app));
    // Our time never goes back, and whoever asks compares with a clock that may have been set back like the machine's.
    let clock = &admin.service().world().clock;
    let (now, shown) = (clock.now(), clock.shown());
    let expires_at = admin.service().expires_at(&who.session, &who.app);
    let lives = (who.session.created_at.min(shown), Timestamp(shown.0 + (expires_at.0 - now.0)));
    let proven = Proven::BY_TOKEN;
    Ok(Some(active(admin, asking.audience.as_ref(), &principal, &who.session, proven, lives)))
}

/// A JWT that a check has handed out: it answers for the session as it is now.
async fn signed(admin: &Admin, asking: &Asking, text: &str) -> Result<Option<Map<String, Value>>, Error> {
    let (issuer, now) = (admin.issuer(), admin.service().world().clock.shown());
    let Some(shown) = issuer.name.as_deref().and_then(|name| jwt::read(text, issuer.keys(), name, now)) else {
        return Ok(None);
    };
    // One back end's JWT is worth nothing at another, whoever passes it on.
    let named = asking.audience.as_ref().is_none_or(|asks| asks.name == shown.aud);
    let Some(audience) = issuer.audiences_of(&asking.realm).find(|audience| named && audience.name == shown.aud) else {
        return Ok(None);
    };
    let Some(id) = shown.session() else { return Ok(None) };
    let Some((session, app)) = admin.service().live_session(&asking.realm, id).await? else { return Ok(None) };
    // Handed out for another user than it would be now, or for none: whose it was has changed since.
    let bound = shown.sub.is_some();
    if bound && session.user.as_ref().map(|user| user.as_str()) != shown.sub.as_deref() {
        return Ok(None);
    }
    let principal = Principal::new(&session, bound, place(&app));
    let lives = (Timestamp(shown.iat.saturating_mul(1000)), Timestamp(shown.exp.saturating_mul(1000)));
    let proven = Proven { body_signed: shown.body_signed, unshared: None };
    Ok(Some(active(admin, Some(audience), &principal, &session, proven, lives)))
}

fn active(
    admin: &Admin,
    audience: Option<&Audience>,
    principal: &Principal,
    session: &Session,
    proven: Proven,
    (iat, exp): (Timestamp, Timestamp),
) -> Map<String, Value> {
    let mut said = Map::new();
    said.insert("active".into(), json!(true));
    said.insert("token_type".into(), json!("Bearer"));
    if let Some(name) = &admin.issuer().name {
        said.insert("iss".into(), json!(name));
    }
    if let Some(audience) = audience {
        said.insert("aud".into(), json!(audience.name));
    }
    said.insert("iat".into(), json!(iat.0.div_euclid(1000)));
    said.insert("exp".into(), json!(exp.0.div_euclid(1000)));
    said.extend(jwt::members(&principal.facts(session.id), audience, proven));
    said
}
