//! The checks of the interfaces that take the AppSecret, in the order that was measured on the real thing: address, missing
//! parameters, appid and secret.

use super::{call::Call, refusal::Refusal};
use crate::{AppConfig, state::State};

/// 40164. Needs a known appid, so a missing or unknown one is told later.
pub(crate) fn address(state: &State, call: &Call, appid: Option<&str>) -> Result<(), Refusal> {
    let Some(app) = appid.and_then(|appid| state.apps.get(appid)) else { return Ok(()) };
    if app.ip_whitelist.is_empty() || app.ip_whitelist.iter().any(|allowed| allowed.to_canonical() == call.peer) {
        return Ok(());
    }
    Err(Refusal::address(call.peer))
}

/// 41002, 41004: both are there.
pub(crate) fn present<'c>(appid: Option<&'c str>, secret: Option<&'c str>) -> Result<(&'c str, &'c str), Refusal> {
    let appid = appid.ok_or(Refusal::by_code(41002))?;
    let secret = secret.ok_or(Refusal::by_code(41004))?;
    Ok((appid, secret))
}

/// 40013, 40125, 40243. That a frozen secret also stops jscode2session is INF: the vendor lists it for /cgi-bin/token.
pub(crate) fn valid<'a>(state: &'a State, appid: &str, secret: &str) -> Result<&'a AppConfig, Refusal> {
    let app = state.apps.get(appid).ok_or(Refusal::by_code(40013))?;
    if !app.secret.matches(secret) {
        return Err(Refusal::by_code(40125));
    }
    if app.frozen {
        return Err(Refusal::by_code(40243));
    }
    Ok(app)
}
