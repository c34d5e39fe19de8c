//! `/wxa/…`

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{call::Call, refusal::Refusal, signature::signed_subject};
use crate::state::State;

fn ok() -> Map<String, Value> {
    Map::from_iter([("errcode".to_owned(), json!(0)), ("errmsg".to_owned(), json!("ok"))])
}

/// `GET /wxa/checksession?access_token&openid&signature&sig_method=hmac_sha256` (checkSessionKey): whether the session_key
/// that signed is the live one.
pub(crate) fn checksession(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.require(Method::GET)?;
    signed_subject(state, call)?;
    Ok(ok())
}

/// `GET /wxa/resetusersessionkey?access_token&openid&signature&sig_method=hmac_sha256`: a new session_key with the old
/// one's expiry.
pub(crate) fn resetusersessionkey(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
    call.require(Method::GET)?;
    let subject = signed_subject(state, call)?;
    let State { session_keys, dice, .. } = state;
    let session_key = session_keys.reset(&subject, call.now, dice).ok_or(Refusal::by_code(87009))?;
    let mut fields = ok();
    fields.insert("openid".to_owned(), json!(call.param("openid")));
    fields.insert("session_key".to_owned(), json!(session_key));
    Ok(fields)
}

/// `/wxa/business/…`
pub(crate) mod business {
    use super::*;
    use crate::{
        UserKeyMethod,
        state::{Standing, phone},
    };

    /// `POST /wxa/business/getuserphonenumber?access_token` with `{code, openid?}`. What an openid that isn't the code's owner
    /// answers is INF (40003); a used code, too (40029, as no other is listed).
    pub(crate) fn getuserphonenumber(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
        call.require(Method::POST)?;
        let app = call.app_of_token(state)?.clone();
        call.json()?;
        let invalid = || Refusal::by_code(40029);
        let code = call.text("code").ok_or_else(invalid)?;
        if state.phone_codes.standing(code, &app.appid, app.code_ttl, call.now) != Standing::Good {
            return Err(invalid());
        }
        let owner = state.phone_codes.get(code).ok_or_else(invalid)?.user.clone();
        let named = call.text("openid").map(|openid| state.people.by_openid(&app.appid, openid));
        if named.is_some_and(|subject| subject.is_none_or(|subject| subject.user != owner)) {
            return Err(Refusal::by_code(40003));
        }
        let number = phone(state.people.get(&owner).map_err(|_| invalid())?);
        state.phone_codes.consume(code);
        let mut fields = ok();
        let phone_info = json!({
            "phoneNumber": number,
            "purePhoneNumber": number,
            "countryCode": "86",
            "watermark": {"timestamp": call.now / 1000, "appid": app.appid},
        });
        fields.insert("phone_info".to_owned(), phone_info);
        Ok(fields)
    }

    /// `/wxa/business/getuserencryptkey?access_token&openid&signature&sig_method=hmac_sha256`, GET or POST (the pages
    /// differ): the last three versions, newest first.
    pub(crate) fn getuserencryptkey(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
        let subject = signed_subject(state, call)?;
        match state.apps.get(&subject.app).map(|app| app.guesses.user_key_method) {
            Some(UserKeyMethod::Get) => call.require(Method::GET)?,
            Some(UserKeyMethod::Post) => call.require(Method::POST)?,
            Some(UserKeyMethod::Any) | None => {}
        }
        let State { user_keys, dice, .. } = state;
        let keys = user_keys.latest(&subject, call.now, dice);
        let list: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "encrypt_key": key.encrypt_key,
                    "version": key.version,
                    "expire_in": key.expire_time.saturating_sub(call.now / 1000),
                    "iv": key.iv,
                    "create_time": key.create_time,
                })
            })
            .collect();
        let mut fields = ok();
        fields.insert("key_info_list".to_owned(), json!(list));
        Ok(fields)
    }

    /// `POST /wxa/business/checkencryptedmsg?access_token` with `encrypted_msg_hash=…` (as a form or as JSON: INF): whether
    /// these encrypted data come from WeChat. Phone data of the last three days only. `vaild` is the vendor's spelling.
    pub(crate) fn checkencryptedmsg(state: &mut State, call: &Call) -> Result<Map<String, Value>, Refusal> {
        call.require(Method::POST)?;
        let app = call.app_of_token(state)?;
        let hash = call.text_or_form("encrypted_msg_hash").ok_or(Refusal::by_code(47001))?.to_ascii_lowercase();
        let when = state.handed_out.when(&hash, &app.appid, call.now);
        let mut fields = ok();
        fields.insert("vaild".to_owned(), json!(when.is_some()));
        fields.insert("create_time".to_owned(), json!(when.unwrap_or_default() / 1000));
        Ok(fields)
    }
}
