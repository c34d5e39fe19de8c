//! A client that signs, and somebody who has recorded its requests.

use std::time::Duration;

use base64::Engine as _;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{SimHandle, UserConfig};
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, SIGNATURE, SIGNATURE_INPUT, sign};

use crate::KIOSK_APPID;
use crate::server_process::ServerProcess;

pub struct Signer {
    http: reqwest::Client,
    id: String,
    token: String,
    key: [u8; 32],
    signed: u64,
}

/// A request as it was sent.
pub struct Sent {
    input: String,
    signature: String,
}

impl Signer {
    #[allow(clippy::disallowed_methods, reason = "the test's one client; the rule is about the server's own calls")]
    pub async fn log_in(server: &ServerProcess, sim: &SimHandle, person: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        sim.add_user(UserConfig::named(person)).unwrap();
        let code = sim.issue_code(KIOSK_APPID, person).unwrap();
        let request_id = format!("login-{code}-0123456789");
        let body = json!({ "app": "kiosk", "code": code, "request_id": request_id, "key": { "alg": "hmac-sha256" } });
        let answer = http.post(format!("{}/yaopai/v1/session", server.public)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = base64::engine::general_purpose::STANDARD.decode(text(&answer["key"]["secret"])).unwrap();
        Self {
            http,
            id: text(&answer["session_id"]),
            token: text(&answer["token"]),
            key: key.try_into().unwrap(),
            signed: 0,
        }
    }

    fn sign(&mut self) -> Sent {
        self.signed += 1;
        let original = Original::new("GET", "https", "shop.example", "/orders").unwrap();
        let mut fields = HeaderMap::new();
        fields.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", self.token)).unwrap());
        let created = SystemClock::default().now().0 / 1000;
        let nonce = format!("a-nonce-of-the-signer-{:08}", self.signed);
        let params = Params { created, nonce: &nonce, key_id: &self.id };
        let needs = Needs { authorization: true, unsigned_body: false };
        let signed = sign(Key::HmacSha256(&self.key), &original, &fields, needs, params).unwrap();
        Sent { input: signed.input, signature: signed.signature }
    }

    /// What the check says: `""` if it passes.
    async fn send(&self, server: &ServerProcess, sent: &Sent) -> String {
        let url = format!("{}/check/nginx/require=session/GET/https/shop.example/orders", server.check);
        let request = self.http.get(url).bearer_auth(&self.token);
        let request = request.header(SIGNATURE_INPUT, &sent.input).header(SIGNATURE, &sent.signature);
        let answer = request.send().await.unwrap();
        let code = answer.headers().get("yaopai-code").map(|code| code.to_str().unwrap().to_owned());
        assert_eq!(answer.status() == 200, code.is_none(), "{code:?}");
        code.unwrap_or_default()
    }

    /// Signs until one is accepted: a store that has just begun to remember takes none for some seconds, and who has moved from nodes none for
    /// half a minute. Nothing else is said meanwhile.
    pub async fn until_accepted(&mut self, server: &ServerProcess) {
        for _ in 0..600 {
            let sent = self.sign();
            match self.send(server, &sent).await.as_str() {
                "" => return,
                "proof_stale" => tokio::time::sleep(Duration::from_millis(100)).await,
                code => panic!("{code}"),
            }
        }
        panic!("no signed request is accepted");
    }

    /// So many that were accepted now.
    pub async fn accepted(&mut self, server: &ServerProcess, many: usize) -> Vec<Sent> {
        let mut accepted = Vec::new();
        for _ in 0..many {
            let sent = self.sign();
            assert_eq!(self.send(server, &sent).await, "");
            accepted.push(sent);
        }
        accepted
    }

    /// How many of these pass when they are sent again.
    pub async fn replayed(&self, server: &ServerProcess, sent: &[Sent]) -> usize {
        let mut passed = 0;
        for sent in sent {
            let code = self.send(server, sent).await;
            assert!(["", "proof_stale", "proof_replayed"].contains(&code.as_str()), "{code}");
            passed += usize::from(code.is_empty());
        }
        passed
    }
}
