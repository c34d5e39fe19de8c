//! `/sns/…`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{MOCK_CODE, call::Call, credentials, refusal::Refusal};
use crate::{
    AppConfig,
    state::{Standing, State, Subject},
};

/// `GET /sns/jscode2session?appid&secret&js_code&grant_type=authorization_code` (code2Session).
///
/// Order of the checks: address 40164 → missing parameter 41002/41004/41008 → credentials 40013/40125 (measured by a third
/// party) → grant_type 40002 (INF) → code 40029/40163 → high-risk user 40226 → minute limit 45011 (place of the last two: INF;
/// neither consumes the code, unless the app says otherwise).
pub(crate) fn jscode2session(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.require(Method::GET)?;
    credentials::address(state, call, call.param("appid"))?;
    let (appid, secret) = credentials::present(call.param("appid"), call.param("secret"))?;
    let code = call.param("js_code").ok_or(Refusal::by_code(41008))?;
    let app = credentials::valid(state, appid, secret)?.clone();
    if call.param("grant_type") != Some("authorization_code") {
        return Err(Refusal::by_code(40002));
    }
    let subject = code_owner(state, &app, code, call.now)?;
    let admitted = admit(state, &app, &subject, call.now);
    if admitted.is_ok() || app.guesses.refusals_consume_code {
        state.codes.consume(code);
    }
    admitted?;
    session(state, &app, &subject, call.now)
}

fn admit(state: &mut State, app: &AppConfig, subject: &Subject, now: u64) -> Result<(), Refusal> {
    if state.people.get(&subject.user).is_ok_and(|user| user.blocked) {
        return Err(Refusal::by_code(40226));
    }
    if state.logins.take(subject, app.login_limit_per_minute, now) { Ok(()) } else { Err(Refusal::by_code(45011)) }
}

fn code_owner(state: &State, app: &AppConfig, code: &str, now: u64) -> Result<Subject, Refusal> {
    let unknown = || Refusal::by_code(40029);
    let subject = state.code_subject(&app.appid, code).ok_or_else(unknown)?;
    if code == MOCK_CODE {
        return Ok(subject);
    }
    match state.codes.standing(code, &app.appid, app.code_ttl, now) {
        Standing::Good => Ok(subject),
        Standing::Unknown => Err(unknown()),
        Standing::Used => Err(Refusal::by_code(40163)),
        Standing::Expired => Err(Refusal::by_code(app.expired_code_errcode)),
    }
}

fn session(state: &mut State, app: &AppConfig, subject: &Subject, now: u64) -> Result<Map<String, Value>, Refusal> {
    let State { session_keys, dice, people, .. } = state;
    let session_key = if app.session_key.rotate_at.exchange() {
        session_keys.refresh(subject, &app.session_key, now, dice)
    } else {
        session_keys.live_or_new(subject, &app.session_key, now, dice)
    };
    let gone = |_| Refusal::by_code(40029);
    let mut fields = Map::new();
    fields.insert("session_key".to_owned(), json!(session_key));
    fields.insert("openid".to_owned(), json!(people.openid(subject).map_err(gone)?));
    fields.insert("unionid".to_owned(), json!(people.unionid(app, &subject.user).map_err(gone)?));
    Ok(fields)
}
