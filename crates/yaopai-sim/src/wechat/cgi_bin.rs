//! `/cgi-bin/…`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{call::Call, credentials, refusal::Refusal};
use crate::state::{Issued, State};

/// `GET /cgi-bin/token?grant_type=client_credential&appid&secret`
pub(crate) fn token(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.require(Method::GET)?;
    let appid = checked(state, call, call.param("grant_type"), call.param("appid"), call.param("secret"))?;
    let State { tokens, dice, .. } = state;
    Ok(fields(tokens.plain(&appid, call.now, dice)))
}

/// `POST /cgi-bin/stable_token` with `{grant_type, appid, secret, force_refresh}`
pub(crate) fn stable_token(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.require(Method::POST)?;
    let body = call.json()?;
    let force = match body.get("force_refresh") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(force)) => *force,
        Some(_) => return Err(Refusal::by_code(47001)),
    };
    let appid = checked(state, call, call.text("grant_type"), call.text("appid"), call.text("secret"))?;
    let State { tokens, dice, .. } = state;
    // Which errcode the 21st forced refresh of a day gets is INF.
    tokens.stable(&appid, force, call.now, dice).map(fields).ok_or(Refusal::by_code(45009))
}

fn checked(
    state: &State,
    call: &Call,
    grant_type: Option<&str>,
    appid: Option<&str>,
    secret: Option<&str>,
) -> Result<String, Refusal> {
    credentials::address(state, call, appid)?;
    let (appid, secret) = credentials::present(appid, secret)?;
    if grant_type != Some("client_credential") {
        return Err(Refusal::by_code(40002));
    }
    Ok(credentials::valid(state, appid, secret)?.appid.clone())
}

fn fields(issued: Issued) -> Map<String, Value> {
    let Issued { token, expires_in } = issued;
    Map::from_iter([("access_token".to_owned(), json!(token)), ("expires_in".to_owned(), json!(expires_in))])
}
