//! A running simulator with a manual clock, and a client that looks at bytes.

use std::time::Duration;

use reqwest::{Method, StatusCode, header::HeaderMap};
use serde_json::Value;
use yaopai_sim::{
    AppConfig, Config, DEFAULT_APPID, DEFAULT_SECRET, Endpoint, ManualClock, RunningSim, SimHandle, Simulator,
    UserConfig,
};

pub const OTHER_APPID: &str = "wxfedcba9876543210";
pub const OTHER_SECRET: &str = "other-secret";
pub const CONTROL_TOKEN: &str = "control-token-of-the-tests";

pub struct World {
    pub sim: RunningSim,
    pub http: reqwest::Client,
}

impl std::ops::Deref for World {
    type Target = SimHandle;

    fn deref(&self) -> &SimHandle {
        self.sim.handle()
    }
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// 0 where the answer is a success, with or without an errcode.
    #[track_caller]
    pub fn errcode(&self) -> i64 {
        assert_eq!(self.status, 200);
        self.json().get("errcode").map_or(0, |errcode| errcode.as_i64().unwrap())
    }

    #[track_caller]
    pub fn field(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }
}

/// Two apps, and the three users of the default configuration.
pub fn config() -> Config {
    let apps = vec![AppConfig::new(DEFAULT_APPID, DEFAULT_SECRET), AppConfig::new(OTHER_APPID, OTHER_SECRET)];
    Config { apps, ..Config::default() }
}

pub async fn world() -> World {
    world_of(config()).await
}

pub async fn world_of(config: Config) -> World {
    let builder = Simulator::builder().config(config).seed(1).control_token(CONTROL_TOKEN);
    let sim = builder.clock(ManualClock::default()).build().unwrap().start_local().await.unwrap();
    World { sim, http: client() }
}

pub async fn world_with(change: impl FnOnce(&mut AppConfig)) -> World {
    let mut config = config();
    change(&mut config.apps[0]);
    world_of(config).await
}

// The tests' only client: no pool, so that a test sees each connection and each answer by itself; no proxy of the machine's.
#[allow(clippy::disallowed_methods)]
pub fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0);
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    // Reading the machine's certificates takes longer than most tests, and none of them speaks TLS.
    builder.tls_certs_only([]).timeout(Duration::from_secs(60)).build().unwrap()
}

impl World {
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sim.base_url())
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Reply { status, headers, text: response.text().await? })
    }

    pub fn request(&self, endpoint: Endpoint, query: &[(&str, &str)]) -> reqwest::RequestBuilder {
        self.http.get(self.url(&format!("{}?{}", endpoint.path(), encode(query))))
    }

    pub async fn get(&self, endpoint: Endpoint, query: &[(&str, &str)]) -> Reply {
        self.send(self.request(endpoint, query)).await.unwrap()
    }

    pub async fn post(&self, endpoint: Endpoint, query: &[(&str, &str)], body: &Value) -> Reply {
        let url = self.url(&format!("{}?{}", endpoint.path(), encode(query)));
        self.send(self.http.post(url).json(body)).await.unwrap()
    }

    pub fn login_request(&self, code: &str) -> reqwest::RequestBuilder {
        self.request(Endpoint::Jscode2session, &login_query(code))
    }

    /// code2Session in the default app.
    pub async fn login(&self, code: &str) -> Reply {
        self.get(Endpoint::Jscode2session, &login_query(code)).await
    }

    /// wx.login and code2Session in the default app.
    pub async fn login_as(&self, user: &str) -> Reply {
        let code = self.issue_code(DEFAULT_APPID, user).unwrap();
        self.login(&code).await
    }

    pub async fn plain_token(&self) -> String {
        let query = [("grant_type", "client_credential"), ("appid", DEFAULT_APPID), ("secret", DEFAULT_SECRET)];
        self.get(Endpoint::Token, &query).await.field("access_token")
    }

    /// What an API says about a token: 0 if it takes it.
    pub async fn errcode_of_token(&self, token: &str) -> i64 {
        self.login_as("lilei").await;
        let openid = self.openid(DEFAULT_APPID, "lilei").unwrap();
        let key = self.session_key(DEFAULT_APPID, "lilei").unwrap().unwrap();
        let signature = hmac_hex(key.as_bytes());
        let query =
            [("access_token", token), ("openid", &openid), ("signature", &signature), ("sig_method", "hmac_sha256")];
        self.get(Endpoint::Checksession, &query).await.errcode()
    }

    /// A call of this endpoint about lilei in the default app that would succeed.
    pub async fn good_call(&self, endpoint: Endpoint) -> reqwest::RequestBuilder {
        let credentials = [("grant_type", "client_credential"), ("appid", DEFAULT_APPID), ("secret", DEFAULT_SECRET)];
        match endpoint {
            Endpoint::Jscode2session => return self.login_request(&self.issue_code(DEFAULT_APPID, "lilei").unwrap()),
            Endpoint::Token => return self.request(endpoint, &credentials),
            Endpoint::StableToken => {
                let body: serde_json::Map<_, _> =
                    credentials.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect();
                return self.http.post(self.url(endpoint.path())).json(&body);
            }
            _ => {}
        }
        let token = self.plain_token().await;
        if endpoint == Endpoint::Getuserphonenumber {
            let code = self.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
            let url = self.url(&format!("{}?access_token={token}", endpoint.path()));
            return self.http.post(url).json(&serde_json::json!({"code": code}));
        }
        if endpoint == Endpoint::Checkencryptedmsg {
            let url = self.url(&format!("{}?access_token={token}", endpoint.path()));
            return self.http.post(url).body("encrypted_msg_hash=00");
        }
        let key = self.login_as("lilei").await.field("session_key");
        let openid = self.openid(DEFAULT_APPID, "lilei").unwrap();
        let signature = hmac_hex(key.as_bytes());
        let query =
            [("access_token", &*token), ("openid", &openid), ("signature", &signature), ("sig_method", "hmac_sha256")];
        self.request(endpoint, &query)
    }

    pub async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self.http.request(method, self.url(&format!("/_sim{path}"))).bearer_auth(CONTROL_TOKEN);
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.send(request).await.unwrap()
    }

    pub async fn control_post(&self, path: &str, body: &Value) -> Reply {
        self.control(Method::POST, path, Some(body)).await
    }

    pub async fn control_get(&self, path: &str) -> Value {
        let reply = self.control(Method::GET, path, None).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    pub fn seconds(&self, seconds: u64) {
        self.advance(Duration::from_secs(seconds)).unwrap();
    }
}

pub fn login_query(code: &str) -> [(&str, &str); 4] {
    [("appid", DEFAULT_APPID), ("secret", DEFAULT_SECRET), ("js_code", code), ("grant_type", "authorization_code")]
}

/// HMAC-SHA256 of the empty message, lower-case hex.
pub fn hmac_hex(key: &[u8]) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).unwrap();
    hex::encode(mac.finalize().into_bytes())
}

pub fn named(name: &str) -> UserConfig {
    UserConfig::named(name)
}

fn encode(query: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://localhost").unwrap();
    url.query_pairs_mut().extend_pairs(query);
    url.query().unwrap_or_default().to_owned()
}
