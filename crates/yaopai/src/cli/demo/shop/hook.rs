//! The webhook: the three questions that Yaopai asks a back end.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{Shop, answer, evidence};
use crate::cli::demo::tale::short;
use crate::webhook;

/// How old or new a call may be, in seconds (Standard Webhooks, "Timestamp").
const TOLERANCE: i64 = 300;
/// How many calls are remembered for the walk.
const REMEMBERED_MAX: usize = 1000;

impl Shop {
    pub(super) fn hook(&self, headers: &HeaderMap, body: &Bytes) -> Response<Bytes> {
        if !self.is_signed(headers, body) {
            return answer(StatusCode::UNAUTHORIZED, &json!({ "error": "the signature is wrong" }));
        }
        let call: Value = serde_json::from_slice(body).unwrap_or_default();
        let (kind, data) = (call["type"].as_str().unwrap_or_default(), &call["data"]);
        let openid = data["openid"].as_str().unwrap_or_default();
        {
            let mut state = self.state();
            if state.hooks.len() < REMEMBERED_MAX {
                state.hooks.push(kind.to_owned());
            }
        }
        let said = match kind {
            "resolve" => self.resolve(openid),
            "bind" => self.bind(openid, data),
            "opened" => return self.opened(data),
            _ => return answer(StatusCode::BAD_REQUEST, &json!({ "error": "unknown type" })),
        };
        let asked =
            if kind == "resolve" { "who is".to_owned() } else { format!("may bind {} to", evidence::told(data)) };
        self.0.tale.wire("server", "shop", &format!("webhook {kind}: {asked} openid {:?}?", short(openid)));
        self.0.tale.wire(
            "shop",
            "server",
            &super::super::tale::answer(StatusCode::OK, None, said.to_string().as_bytes()),
        );
        answer(StatusCode::OK, &said)
    }

    /// At the first login of an openid: does the shop's own table know it?
    fn resolve(&self, openid: &str) -> Value {
        let state = self.state();
        match state.accounts.iter().find(|a| a.openid.as_deref() == Some(openid)) {
            Some(a) => json!({ "user": a.id, "claims": { "name": a.name } }),
            None => json!({ "user": null }),
        }
    }

    /// A session of a user was opened. The cookie stays in the session's jar on the server, out of the phone's reach.
    fn opened(&self, data: &Value) -> Response<Bytes> {
        let (user, session) = (&data["user"], data["session_id"].as_str().unwrap_or_default());
        self.0.tale.wire("server", "shop", &format!("webhook opened: session {} of user {user}", short(session)));
        let mut response = answer(StatusCode::OK, &json!({}));
        if let Ok(cookie) = HeaderValue::from_str(&format!("SHOPSESSION=of-{session}; Path=/; HttpOnly")) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        self.0.tale.wire("shop", "server", "200, Set-Cookie: SHOPSESSION=…");
        response
    }

    /// Standard Webhooks, "Verifying webhook authenticity".
    fn is_signed(&self, headers: &HeaderMap, body: &Bytes) -> bool {
        let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
        let (Some(id), Some(timestamp), Some(signatures)) =
            (text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"))
        else {
            return false;
        };
        let Ok(timestamp) = timestamp.parse::<i64>() else { return false };
        if (self.0.clock.now().0 / 1000).abs_diff(timestamp) > TOLERANCE.unsigned_abs() {
            return false;
        }
        let right = webhook::sign(&self.0.hook_secret, id, timestamp, body);
        // There may be several, one a key, while keys are changed.
        signatures.split(' ').any(|s| bool::from(s.as_bytes().ct_eq(right.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::tale::Tale;
    use crate::cli::demo::wire::Wire;
    use crate::clock::SystemClock;
    use std::sync::Arc;
    use yaopai_core::ports::Clock as _;

    #[test]
    fn only_signed_calls_are_answered() {
        let clock = SystemClock::default();
        let now = clock.now().0 / 1000;
        let key = vec![7u8; 32];
        let wire = Arc::new(Wire::new(Arc::new(SystemClock::default())));
        let shop = Shop::new(Vec::new(), key.clone().into(), Arc::new(clock), (Arc::new(Tale::kept()), wire));
        let body = Bytes::from_static(br#"{"type":"resolve","data":{"openid":"o"}}"#);
        let call = |signature: &str, timestamp: i64| {
            let mut headers = HeaderMap::new();
            headers.insert("webhook-id", "m".parse().unwrap());
            headers.insert("webhook-timestamp", timestamp.into());
            headers.insert("webhook-signature", signature.parse().unwrap());
            shop.hook(&headers, &body).status()
        };
        let right = webhook::sign(&key, "m", now, &body);
        assert_eq!(call(&right, now), 200);
        assert_eq!(call(&format!("v1,other {right}"), now), 200);
        assert_eq!(call(&webhook::sign(&[8; 32], "m", now, &body), now), 401);
        assert_eq!(call(&webhook::sign(&key, "m", now, b"{}"), now), 401);
        assert_eq!(call(&right, now + 1), 401);
        let old = now - TOLERANCE - 60;
        assert_eq!(call(&webhook::sign(&key, "m", old, &body), old), 401);
        assert_eq!(shop.hook(&HeaderMap::new(), &body).status(), 401);
    }
}
