//! Keyed sessions and tickets: what only their client may know.

use reqwest::header::HeaderMap;
use serde_json::json;
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::DEFAULT_APPID;

use super::walk::Walk;
use crate::support::{ClientKey, Draft, Reply, request_id};

impl Walk {
    /// Signed requests that pass and that don't, tickets that are used and that aren't.
    pub async fn signed(&mut self) {
        let code = self.sim.issue_code(DEFAULT_APPID, "lilei").unwrap();
        let body = json!({
            "app": "shop", "code": code, "request_id": request_id("keyed"), "key": { "alg": "hmac-sha256" },
        });
        let login = self.send("POST", &format!("{}/yaopai/v1/session", self.server.public), None, Some(body)).await;
        let (token, key) = (self.took("a keyed login", &login), ClientKey::of(&login));
        self.secrets.bytes("a session's key", &key.key);
        self.secrets.text("a session's key as text", login.json()["key"]["secret"].as_str().unwrap());

        for (method, path, body, expected) in [
            ("GET", "/session", None, 200),
            ("POST", "/session/refresh", Some(json!({ "request_id": request_id("keyed-refresh") })), 200),
            ("GET", "/sessions", None, 200),
        ] {
            let draft = self.draft(&token, method, path, body).signed(&key, now());
            assert_eq!(self.post(&draft).await.status, expected, "{path}");
            assert_eq!(self.post(&draft).await.refusal(), "401 proof_replayed");
        }
        let other = ClientKey { key: [9; 32], ..key.clone() };
        let forged = self.draft(&token, "GET", "/session", None).signed(&other, now());
        assert_eq!(self.post(&forged).await.refusal(), "401 proof_invalid");
        assert_eq!(self.api("GET", "/session", &token, None).await.refusal(), "401 proof_required");

        for purpose in ["socket", "web-view", "image"] {
            let place = json!({ "authority": "h", "path": "/shop/orders", "for": purpose });
            let asks = self.draft(&token, "POST", "/ticket", Some(place)).signed(&key, now());
            let ticket = self.post(&asks).await.field("ticket");
            self.secrets.text(&format!("a ticket for a {purpose}"), &ticket);
            let url = format!("{}/check/nginx/-/GET/https/h/shop/orders?yaopai_ticket={ticket}", self.server.check);
            let reply = self.send("GET", &url, None, None).await;
            assert_eq!(reply.user(), "42");
            if let Some(cookie) = reply.header("set-cookie") {
                let value = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
                self.secrets.text("a page's cookie", value);
            }
            self.send("GET", &url, None, None).await.denied();
        }
    }

    fn draft(&self, token: &str, method: &str, path: &str, body: Option<serde_json::Value>) -> Draft {
        let host = self.server.public.replace("http://", "");
        Draft::new(method, &host, &format!("/yaopai/v1{path}"), body.as_ref()).bearing(token)
    }

    async fn post(&self, draft: &Draft) -> Reply {
        let fields = draft.fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers: HeaderMap = fields.collect::<Vec<(reqwest::header::HeaderName, _)>>().into_iter().collect();
        let url = format!("{}{}", self.server.public, draft.uri);
        let request = self.http.request(draft.method.parse().unwrap(), url).headers(headers);
        Reply::of(request.body(draft.body.clone()).send().await.unwrap()).await
    }
}

/// The server's own clock is the machine's.
fn now() -> i64 {
    SystemClock::default().now().0.div_euclid(1000)
}
