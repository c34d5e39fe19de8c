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
    let peer = call.peer;
    let mapped = if peer.is_ipv4() { format!("::ffff:{peer}") } else { peer.to_string() };
    Err(Refusal::spaced(40164, format!("invalid ip {peer} ipv6 {mapped}, not in whitelist")))
}

/// 41002, 41004: both are there.
pub(crate) fn present<'c>(appid: Option<&'c str>, secret: Option<&'c str>) -> Result<(&'c str, &'c str), Refusal> {
    let appid = appid.ok_or(Refusal::new(41002, "appid missing"))?;
    let secret = secret.ok_or(Refusal::new(41004, "appsecret missing"))?;
    Ok((appid, secret))
}

/// 40013, 40125, 40243. That a frozen secret also stops jscode2session is INF: the vendor lists it for /cgi-bin/token.
pub(crate) fn valid<'a>(state: &'a State, appid: &str, secret: &str) -> Result<&'a AppConfig, Refusal> {
    let app = state.apps.get(appid).ok_or(Refusal::new(40013, "invalid appid"))?;
    if !app.secret.matches(secret) {
        return Err(Refusal::spaced(40125, "invalid appsecret"));
    }
    if app.frozen {
        return Err(Refusal::new(40243, "appsecret is frozen"));
    }
    Ok(app)
}
